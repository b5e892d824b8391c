"""What is said about every result: what was optimised, within which limits, and what the model leaves out."""

from __future__ import annotations

from foramen.knowledge.facts import number
from foramen.knowledge.technique_facts import technique_knowledge
from foramen.model.plan import RfHeatEffect, RfSetting

OPTIMISED = (
    "maximise the probability that enough of the needed nerve is captured, over errors of needle, nerve, tissue and "
    "generator",
    "minimise tissue outside the nerve that is burnt on the nominal plan (needles included)",
    "minimise the number of needle passes",
)

LIMITS = (
    "every pass keeps the hard limits of a path: bone, nerves, keep-outs, border of the foramen, skin, depth, cannula",
    f"no tissue boils: the hottest {number('tissues.hottest_volume_mm3'):g} mm3 stay below "
    f"{number('tissues.boiling_from_degC'):g} degC, where boiling begins in the model",
    "no structure to be spared that the images show reaches its rejecting temperature",
    "the set temperature is not above the device's highest",
    "parallel passes lie at least one diameter of the cannula apart",
    "the place of the target is not more uncertain than a plan allows, nor a neighbour's limit reached too often",
)

ASSUMPTIONS = (
    "The search compares settings by fields that were solved near their place and moved with the needle; whatever is "
    "shown was then solved in full on the grid of a plan, and every hard limit tried again there.",
    "A genetic search finds good settings, not provably the best; another seed may find others that are about as good.",
    "Probability of capture is geometric, under the stated model: a share of scenarios, not of patients, no promise of "
    "relief. Its interval holds sampling and the error of the reduced model.",
    "Each pass starts from body temperature; passes are parallel, of one cannula and one setting.",
    "Left out: vessels below the size of a label, fluid injected before the lesion, boiling and charring, movement of "
    "the electrode, the time, pain and bleeding of a pass, and what is known of outcome at unusual settings.",
    "Search and probabilities take cerebrospinal fluid as still; where it warms, the nominal effect of what is shown "
    "takes the worse of still and perfectly mixed fluid, as a plan does.",
    "Structures that the images do not show have no temperature; they are listed as UNKNOWN, never as cool.",
    "Candidacy, drugs and care are not judged here: make a plan for those, which finds its own path.",
)


def notes_of(technique_id: str, setting: RfSetting, effect: RfHeatEffect) -> tuple[str, ...]:
    """What a physician should know of a setting."""
    knowledge = technique_knowledge(technique_id)
    usual, alarm = knowledge.fact("temperature_degC"), knowledge.number("tissue_alarm_degC")
    low, high = usual.low or usual.number, usual.high or usual.number
    found = []
    if not low <= setting.temperature_degC <= high:
        found.append(f"{setting.temperature_degC:g} degC lies outside the usual {low:g} to {high:g} degC")
    if effect.hottest_tissue_degC > alarm:
        found.append(
            f"tissue above the alarm of {alarm:g} degC while the display says {setting.temperature_degC:g} degC"
        )
    return tuple(found)
