"""What will the heat do? Lesions in this patient's tissue: capture of the nerve, temperatures at its neighbours."""

from foramen.steps.effect.simulation import simulate_rf_heat

__all__ = ["simulate_rf_heat"]
