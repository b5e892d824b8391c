"""A clinical story that fits a virtual person: pain, blocks, medicines, allergies. Nobody's: all of it is made up."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np

from foramen.anatomy.reference_body.pathology import Pathologies
from foramen.anatomy.reference_body.person import Person
from foramen.knowledge.facts import fact, number, numbers
from foramen.model.levels import Side, Vertebra, neighbour_above
from foramen.model.record import BlockKind, Complaint, DiagnosticBlock

STORY_STREAM = 41
"""Second number of the seeds of a person's story."""

TOLD_ON = datetime.date(2026, 1, 15)
"""Day of every made-up record, so that the same seed gives the same bytes on any day."""

AGENTS = ("lidocaine 2 %", "bupivacaine 0.5 %")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A diagnosis in words, its ICD-10-CM code, and the day of its onset."""

    words: str
    icd10: str
    onset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What the record of a virtual person says."""

    patient_id: str
    name: str
    birth_date: str
    complaints: tuple[Complaint, ...]
    nrs: float
    odi_percent: float
    weight_kg: float
    conditions: tuple[Condition, ...]
    blocks: tuple[DiagnosticBlock, ...]
    medicines: tuple[tuple[str, str], ...]
    allergies: tuple[str, ...]
    complete_as_of: str


def story_of(person: Person, place: int) -> Story:
    """The story of the person at a place (from 1) of a cohort.

    Facet arthrosis gives axial pain and blocks, which are more often positive where the joint hurts; stenosis gives
    claudication; a bulging disc or conjoined root radicular pain; Modic changes, fractures and fusion their own.
    """
    generator = np.random.default_rng([person.seed, STORY_STREAM])
    complaints, painful = _complaints(person, generator)
    nrs = complaints[0].nrs if isinstance(complaints[0].nrs, float) else number("cohort.nrs")
    odi = fact("cohort.odi_percent")
    drawn = generator.normal(odi.number + number("cohort.odi_per_nrs") * (nrs - number("cohort.nrs")), odi.sd or 0.0)
    is_complete = generator.random() < 0.01 * number("cohort.list_complete_percent")
    born = TOLD_ON - datetime.timedelta(days=int(365.25 * person.age_years + generator.integers(1, 364)))
    return Story(
        patient_id=f"VIRTUAL-{place:04d}",
        name=f"Virtual Patient {place:04d}",
        birth_date=born.isoformat(),
        complaints=complaints,
        nrs=nrs,
        odi_percent=float(2 * round(float(np.clip(drawn, odi.low or 0.0, odi.high or 100.0)) / 2)),
        weight_kg=float(np.round(person.bmi_kg_per_m2 * (0.01 * person.height_cm) ** 2, 1)),
        conditions=_conditions(person, generator),
        blocks=_blocks(person, painful, generator),
        medicines=_medicines(person, complaints, generator),
        allergies=_allergies(generator),
        complete_as_of=TOLD_ON.isoformat() if is_complete else "",
    )


Joint = tuple[Vertebra, Side]


def _complaints(person: Person, generator: np.random.Generator) -> tuple[tuple[Complaint, ...], Joint | None]:
    change = person.pathologies
    nrs = fact("cohort.nrs")
    found: list[Complaint] = []

    def add(pattern: str, side: str, region: str = "lumbar") -> None:
        strength = float(np.clip(np.round(generator.normal(nrs.number, nrs.sd or 0.0)), nrs.low or 0, nrs.high or 10))
        weeks = fact("cohort.complaint_weeks")
        lasted = float(np.round(np.exp(generator.uniform(np.log(weeks.low or 1.0), np.log(weeks.high or 1.0)))))
        found.append(Complaint(region=region, side=side, pattern=pattern, nrs=strength, duration_weeks=lasted))

    painful = _painful_joint(change, generator)
    if painful is not None:
        add("facet", painful[1].value)
    if change.stenoses:
        add("claudication", "bilateral", "limb")
    if change.conjoined is not None or any(disc.grade >= 4 for disc in change.discs):
        side = change.conjoined.side if change.conjoined is not None else _either(generator)
        add("radicular", side.value, "limb")
    if change.modic is not None:
        add("vertebrogenic", "midline")
    if change.fracture is not None:
        add("fracture", "midline")
    if not found:
        add("axial", "midline")
    return tuple(sorted(found, key=lambda c: -float(c.nrs) if isinstance(c.nrs, float) else 0.0)), painful


def _painful_joint(change: Pathologies, generator: np.random.Generator) -> Joint | None:
    worst = max(change.facets, key=lambda joint: joint.grade, default=None)
    hurts = generator.random() < 0.01 * number("cohort.facet_pain_percent")
    return (worst.above, worst.side) if worst is not None and worst.grade >= 2 and hurts else None


def _either(generator: np.random.Generator) -> Side:
    return Side.LEFT if generator.random() < 0.5 else Side.RIGHT


def _blocks(person: Person, painful: Joint | None, generator: np.random.Generator) -> tuple[DiagnosticBlock, ...]:
    """Up to two medial branch blocks of one joint, on different days and with different agents."""
    joint: Joint | None = painful
    if joint is None and person.pathologies.facets:
        joint = (person.pathologies.facets[0].above, person.pathologies.facets[0].side)
    is_done = generator.random() < 0.01 * number("cohort.block_share_percent")
    upper = None if joint is None else neighbour_above(joint[0])
    if joint is None or upper is None or not is_done or joint[0].name == "L6":
        return ()
    chance = number("cohort.block_true_percent" if painful is not None else "cohort.block_false_percent")
    relief, sd = numbers("cohort.block_relief_percent"), fact("cohort.block_relief_percent").sd or 0.0
    day = TOLD_ON - datetime.timedelta(days=int(generator.integers(60, 120)))
    found = []
    for agent in AGENTS:
        is_positive = generator.random() < 0.01 * chance
        gained = float(np.clip(5 * np.round(generator.normal(relief[0 if is_positive else 1], sd) / 5), 0, 100))
        found.append(
            DiagnosticBlock(
                date=day.isoformat(),
                kind=BlockKind.MEDIAL_BRANCH,
                nerves=frozenset({upper.name, joint[0].name}),
                side=joint[1].value,
                agent=agent,
                relief_percent=gained,
                is_concordant=bool(is_positive),
                was_sedated=bool(generator.random() < 0.01 * number("cohort.block_sedated_percent")),
                local_anaesthetic_only=True,
            )
        )
        if not is_positive:
            break
        day += datetime.timedelta(days=int(generator.integers(14, 42)))
    return tuple(found)


def _conditions(person: Person, generator: np.random.Generator) -> tuple[Condition, ...]:
    change = person.pathologies
    told = [
        (bool(change.facets), "Spondylosis of the lumbar region without myelopathy or radiculopathy", "M47.816"),
        (bool(change.stenoses), "Lumbar spinal stenosis with neurogenic claudication", "M48.062"),
        (change.listhesis is not None, "Spondylolisthesis, lumbar region", "M43.16"),
        (change.scoliosis is not None, "Scoliosis, lumbar region", "M41.9"),
        (change.has_osteoporosis, "Age-related osteoporosis", "M81.0"),
        (change.fracture is not None, "Collapsed vertebra, lumbar region", "M48.56XA"),
        (change.fusion is not None, "Arthrodesis status (lumbar fusion with pedicle screws)", "Z98.1"),
        (change.modic is not None, "Vertebral endplate changes (Modic)", "M47.9"),
        (change.transitional is not None, "Lumbosacral transitional vertebra", "Q76.49"),
        (True, "Low back pain", "M54.50"),
    ]
    return tuple(
        Condition(
            words=words,
            icd10=code,
            onset=(TOLD_ON - datetime.timedelta(days=int(generator.integers(200, 3600)))).isoformat(),
        )
        for is_told, words, code in told
        if is_told
    )


def _medicines(
    person: Person, complaints: tuple[Complaint, ...], generator: np.random.Generator
) -> tuple[tuple[str, str], ...]:
    found = [("Paracetamol", "1 g up to 4 times a day")]
    if generator.random() < 0.5:
        found.append(("Ibuprofen", "400 mg up to 3 times a day"))
    if any(c.pattern in ("radicular", "claudication") for c in complaints) and generator.random() < 0.5:
        found.append(("Pregabalin", "75 mg twice a day"))
    if person.pathologies.has_osteoporosis:
        found.append(("Alendronate", "70 mg once a week"))
    if person.age_years >= number("cohort.old_years"):
        if generator.random() < 0.01 * number("cohort.anticoagulant_share_percent"):
            found.append(("Apixaban", "5 mg twice a day"))
        elif generator.random() < 0.01 * number("cohort.aspirin_share_percent"):
            found.append(("Aspirin", "100 mg once a day"))
    return tuple(found)


def _allergies(generator: np.random.Generator) -> tuple[str, ...]:
    has = generator.random() < 0.01 * number("cohort.contrast_allergy_percent")
    return ("Iodinated contrast medium",) if has else ()
