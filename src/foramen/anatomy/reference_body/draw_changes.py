"""Changes of the spine drawn for a person of an age, so that they go together.

Each kind has a stream of random numbers of its own: asking for some kinds leaves the others as they were.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from foramen.anatomy.reference_body.pathology import (
    ConjoinedRoots,
    DiscChange,
    FacetArthrosis,
    Fusion,
    Listhesis,
    ModicChange,
    Pathologies,
    PathologyKind,
    Scoliosis,
    Stenosis,
    Transitional,
    TransitionalKind,
    WedgeFracture,
)
from foramen.anatomy.reference_body.regions import REGIONS
from foramen.knowledge.facts import fact, number, numbers
from foramen.model.levels import Side, Vertebra

CHANGE_STREAM = 31
"""Second number of the seeds of a person's changes."""

DISCS = tuple(Vertebra(name) for name in REGIONS["lumbar"][:-1])
"""Vertebrae above the discs that can change."""


def draw_changes(
    seed: int,
    age_years: float,
    given: frozenset[PathologyKind] | None,
    always: frozenset[PathologyKind],
    count: TransitionalKind | None = None,
) -> Pathologies:
    """Changes of one person; `given` are exactly those wanted, None draws each by its share, `always` are added.

    `count` says which unusual count it is, if there is one.
    """
    streams = {kind: np.random.default_rng([seed, CHANGE_STREAM, i]) for i, kind in enumerate(PathologyKind)}
    shares = _shares(age_years)
    chances = {kind: streams[kind].random() for kind in PathologyKind}
    osteoporotic = chances[PathologyKind.OSTEOPOROSIS] < shares[PathologyKind.OSTEOPOROSIS]
    shares[PathologyKind.WEDGE_FRACTURE] *= number("cohort.fracture_osteoporosis_factor") if osteoporotic else 1.0
    drawn = {kind for kind in PathologyKind if chances[kind] < shares[kind]}
    has = always | (drawn if given is None else given)
    stenoses = _stenoses(streams[PathologyKind.STENOSIS]) if PathologyKind.STENOSIS in has else ()
    slip = _listhesis(streams[PathologyKind.LISTHESIS]) if PathologyKind.LISTHESIS in has else None
    modic = _modic(streams[PathologyKind.MODIC]) if PathologyKind.MODIC in has else None
    unusual = _transitional(streams[PathologyKind.TRANSITIONAL], count)
    transitional = unusual if PathologyKind.TRANSITIONAL in has else None
    discs = _discs(streams[PathologyKind.DISC_DEGENERATION], age_years, PathologyKind.DISC_DEGENERATION in has)
    if given is None or PathologyKind.DISC_DEGENERATION in has:
        discs = _at_least(discs, modic.above if modic is not None else None, 4)
        discs = _at_least(discs, slip.above if slip is not None else None, 4)
        for stenosis in stenoses:
            discs = _at_least(discs, stenosis.above, 3)
    facets = _facets(streams[PathologyKind.FACET_ARTHROSIS], age_years, PathologyKind.FACET_ARTHROSIS in has)
    if slip is not None and (given is None or PathologyKind.FACET_ARTHROSIS in has):
        facets = _arthrotic(facets, slip.above, 2)
    if transitional is not None and transitional.kind is TransitionalKind.SACRALISED_L5:
        discs = _rudimentary(discs)
    return Pathologies(
        scoliosis=_scoliosis(streams[PathologyKind.SCOLIOSIS]) if PathologyKind.SCOLIOSIS in has else None,
        discs=tuple(discs[level] for level in DISCS if level in discs),
        facets=facets,
        stenoses=stenoses,
        listhesis=slip,
        transitional=transitional,
        has_osteoporosis=PathologyKind.OSTEOPOROSIS in has,
        fracture=_fracture(streams[PathologyKind.WEDGE_FRACTURE]) if PathologyKind.WEDGE_FRACTURE in has else None,
        modic=modic,
        fusion=_fusion(streams[PathologyKind.FUSION]) if PathologyKind.FUSION in has else None,
        lipomatosis_fraction=_uniform(streams[PathologyKind.LIPOMATOSIS], "cohort.lipomatosis_fraction")
        if PathologyKind.LIPOMATOSIS in has
        else 0.0,
        conjoined=_conjoined(streams[PathologyKind.NERVE_VARIANT]) if PathologyKind.NERVE_VARIANT in has else None,
    )


def _shares(age_years: float) -> dict[PathologyKind, float]:
    """Share of persons of an age that have each kind of change."""

    def by_age(fact_id: str) -> float:
        return 0.01 * float(np.interp(age_years, numbers("cohort.ages_years"), numbers(fact_id)))

    def from_age(name: str) -> float:
        return 0.01 * number(f"cohort.{name}_share_percent") * (age_years >= number(f"cohort.{name}_from_years"))

    found = {
        PathologyKind.DISC_DEGENERATION: by_age("cohort.disc_degeneration_percent"),
        PathologyKind.FACET_ARTHROSIS: by_age("cohort.facet_arthrosis_percent"),
        PathologyKind.OSTEOPOROSIS: from_age("osteoporosis"),
        PathologyKind.LISTHESIS: from_age("listhesis"),
    }
    names = {PathologyKind.WEDGE_FRACTURE: "fracture", PathologyKind.NERVE_VARIANT: "conjoined"}
    for kind in PathologyKind:
        if kind not in found:
            found[kind] = 0.01 * number(f"cohort.{names.get(kind, kind.value)}_share_percent")
    return found


def _uniform(generator: np.random.Generator, fact_id: str) -> float:
    declared = fact(fact_id)
    if declared.low is None or declared.high is None:
        return declared.number
    return float(np.round(generator.uniform(declared.low, declared.high), 3))


def _level(generator: np.random.Generator, fact_id: str) -> Vertebra:
    weights = np.array(numbers(fact_id)[: len(DISCS)])
    return DISCS[int(generator.choice(len(DISCS), p=weights / weights.sum()))]


def _side(generator: np.random.Generator) -> Side:
    return Side.LEFT if generator.random() < 0.5 else Side.RIGHT


def _scoliosis(generator: np.random.Generator) -> Scoliosis:
    cobb = _uniform(generator, "cohort.scoliosis_cobb_deg")
    rotation = cobb * number("cohort.scoliosis_rotation_fraction")
    return Scoliosis(cobb_deg=cobb, convex=_side(generator), rotation_deg=rotation)


def _disc(above: Vertebra, grade: int, *, has_gas: bool = False, fraction: float | None = None) -> DiscChange:
    left = numbers("cohort.disc_height_fraction")[grade - 2] if fraction is None else fraction
    bulge = numbers("cohort.disc_bulge_mm")[grade - 2]
    return DiscChange(above=above, grade=grade, height_fraction=left, bulge_mm=bulge, has_gas=has_gas)


def _discs(generator: np.random.Generator, age_years: float, is_wanted: bool) -> dict[Vertebra, DiscChange]:
    chances, grades, gas = generator.random(len(DISCS)), generator.random(len(DISCS)), generator.random(len(DISCS))
    if not is_wanted:
        return {}
    weights = np.array(numbers("cohort.disc_level_weights"))
    picked = chances < weights
    picked[int(np.argmax(weights - chances))] = True
    lean = float(np.interp(age_years, numbers("cohort.ages_years"), (0.0, 1.0)))
    found = {}
    for place in np.flatnonzero(picked):
        grade = 2 + int(np.clip(np.floor(4 * (0.5 * grades[place] + 0.5 * lean)), 0, 3))
        has_gas = grade == 5 and gas[place] < 0.01 * number("cohort.vacuum_share_percent")
        found[DISCS[place]] = _disc(DISCS[place], grade, has_gas=bool(has_gas))
    return found


def _at_least(discs: Mapping[Vertebra, DiscChange], above: Vertebra | None, grade: int) -> dict[Vertebra, DiscChange]:
    found = dict(discs)
    if above is not None and (above not in found or found[above].grade < grade):
        found[above] = _disc(above, grade)
    return found


def _rudimentary(discs: Mapping[Vertebra, DiscChange]) -> dict[Vertebra, DiscChange]:
    last = Vertebra("L5")
    return {**discs, last: _disc(last, 2, fraction=number("cohort.transitional_disc_fraction"))}


def _facets(generator: np.random.Generator, age_years: float, is_wanted: bool) -> tuple[FacetArthrosis, ...]:
    chances, grades = generator.random((len(DISCS), 2)), generator.random((len(DISCS), 2))
    if not is_wanted:
        return ()
    weights = np.array(numbers("cohort.facet_level_weights"))[:, None]
    picked = chances < weights
    picked.flat[int(np.argmax(weights - chances))] = True
    lean = float(np.interp(age_years, numbers("cohort.ages_years"), (0.0, 1.0)))
    return tuple(
        FacetArthrosis(
            above=DISCS[place],
            side=tuple(Side)[side],
            grade=1 + int(np.clip(np.floor(3 * (0.6 * grades[place, side] + 0.4 * lean)), 0, 2)),
        )
        for place, side in np.argwhere(picked)
    )


def _arthrotic(facets: tuple[FacetArthrosis, ...], above: Vertebra, grade: int) -> tuple[FacetArthrosis, ...]:
    """The joints of a slipped vertebra are arthrotic on both sides."""
    others = tuple(f for f in facets if f.above != above)
    grades = {f.side: f.grade for f in facets if f.above == above}
    slipped = tuple(FacetArthrosis(above=above, side=s, grade=max(grade, grades.get(s, 0))) for s in Side)
    return (*others, *slipped)


def _stenoses(generator: np.random.Generator) -> tuple[Stenosis, ...]:
    above = _level(generator, "cohort.listhesis_level_weights")
    return (Stenosis(above=above, loss_fraction=_uniform(generator, "cohort.stenosis_fraction")),)


def _listhesis(generator: np.random.Generator) -> Listhesis:
    above = _level(generator, "cohort.listhesis_level_weights")
    return Listhesis(above=above, slip_mm=_uniform(generator, "cohort.listhesis_mm"))


def _modic(generator: np.random.Generator) -> ModicChange:
    above = _level(generator, "cohort.fusion_level_weights")
    is_second = generator.random() < 0.01 * number("cohort.modic_type_2_percent")
    return ModicChange(above=above, type=2 if is_second else 1, depth_mm=_uniform(generator, "cohort.modic_depth_mm"))


def _transitional(generator: np.random.Generator, count: TransitionalKind | None) -> Transitional:
    weights = np.array(numbers("cohort.transitional_kinds_percent"))
    kind = tuple(TransitionalKind)[int(generator.choice(3, p=weights / weights.sum()))] if count is None else count
    is_both = generator.random() < 0.01 * number("cohort.transitional_bilateral_percent")
    one = _side(generator)
    is_sacralised = kind is TransitionalKind.SACRALISED_L5
    return Transitional(kind=kind, sides=(tuple(Side) if is_both else (one,)) if is_sacralised else ())


def _fracture(generator: np.random.Generator) -> WedgeFracture:
    level = _level(generator, "cohort.fracture_level_weights")
    return WedgeFracture(level=level, loss_fraction=_uniform(generator, "cohort.fracture_loss_fraction"))


def _fusion(generator: np.random.Generator) -> Fusion:
    upper = _level(generator, "cohort.fusion_level_weights")
    names = REGIONS["lumbar"]
    lower = Vertebra(names[names.index(upper.name) + 1])
    return Fusion(upper=upper, lower=lower)


def _conjoined(generator: np.random.Generator) -> ConjoinedRoots:
    return ConjoinedRoots(above=Vertebra("L5"), side=_side(generator))
