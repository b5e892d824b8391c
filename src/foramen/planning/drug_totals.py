"""Totals of the drugs of one session against the patient's limits."""

from __future__ import annotations

from foramen.knowledge.technique_facts import TechniqueKnowledge
from foramen.model.record import ClinicalRecord, Unknown

MG_PER_ML_PER_PERCENT = 10.0
"""A solution of 1 % (weight by volume) holds 10 mg in each millilitre."""


def lidocaine_total(knowledge: TechniqueKnowledge, *, nerves: int, record: ClinicalRecord) -> str:
    """Lidocaine of the session in words, against the maximum for this patient's weight.

    Parameters
    ----------
    knowledge : TechniqueKnowledge
        Holds the volume for each nerve, the concentration and the maxima.
    nerves : int
        Number of nerves treated.
    record : ClinicalRecord
        The weight (``weight_kg``) decides the maximum; without it only the fixed maximum is known.
    """
    volume_ml = nerves * knowledge.number("local_anaesthetic_ml")
    percent = knowledge.number("lidocaine_percent")
    dose_mg = volume_ml * percent * MG_PER_ML_PER_PERCENT
    fixed_mg = knowledge.number("lidocaine_max_mg")
    weight = record.value("weight_kg")
    text = f"Lidocaine {percent:g} %: {volume_ml:g} mL at the nerves = {dose_mg:g} mg"
    if isinstance(weight, Unknown | str | bool):
        return f"{text}; weight UNKNOWN, so the maximum is too (never above {fixed_mg:g} mg). Skin infiltration adds."
    per_kg = knowledge.number("lidocaine_max_mg_per_kg")
    maximum_mg = min(fixed_mg, per_kg * weight)
    left_ml = max(0.0, maximum_mg - dose_mg) / (percent * MG_PER_ML_PER_PERCENT)
    verdict = "within" if dose_mg <= maximum_mg else "ABOVE"
    return (
        f"{text}, {verdict} the maximum of {maximum_mg:.0f} mg for {weight:g} kg; "
        f"{left_ml:.1f} mL of the same solution are left for the skin."
    )
