"""What will the heat do? Lesions in this patient's tissue: capture of the nerve, temperatures at its neighbours."""

from foramen.steps.effect.simulation import simulate_rf_heat
from foramen.steps.effect.summary import hottest_tissue_degC

__all__ = ["hottest_tissue_degC", "simulate_rf_heat"]
