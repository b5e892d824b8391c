"""Virtual persons drawn from a seed: size, age, and changes of the spine that go together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from foramen.anatomy.reference_body.build import Build, draw_build
from foramen.anatomy.reference_body.column import column_of, lumbar_levels
from foramen.anatomy.reference_body.draw_changes import draw_changes
from foramen.anatomy.reference_body.pathology import PathologyKind, TransitionalKind
from foramen.anatomy.reference_body.person import Person
from foramen.errors import InputError
from foramen.knowledge.facts import fact, number, numbers

PERSON_STREAM, PEOPLE_STREAM = 21, 22
"""Second numbers of the seeds of a person's own draws, and of a cohort's."""


def virtual_person(
    seed: int,
    *,
    pathologies: Iterable[PathologyKind | str] | None = None,
    always: Iterable[PathologyKind | str] = (),
    count: TransitionalKind | str | None = None,
    deformation: bool = True,
    nerve_variation: bool = True,
) -> Person:
    """A virtual person.

    Parameters
    ----------
    seed : int
        0 or more; the same seed gives the same person.
    pathologies : iterable of PathologyKind or str, optional
        Exactly these changes; without it each is drawn by its share (`knowledge/cohort.yaml`).
    always : iterable of PathologyKind or str
        Changes that are present beside those drawn.
    count : TransitionalKind or str, optional
        Which unusual number of vertebrae, for a person who has one: "L6", "sacralised_L5" or "T13".
    deformation : bool
        Whether each bone is deformed smoothly, outside what the generator's own parameters can make.
    nerve_variation : bool
        Whether nerves lie beside their mean course by their natural standard deviation.

    Raises
    ------
    InputError
        If the seed is negative or a change is not known.
    """
    if seed < 0:
        raise InputError(f"The seed {seed} is negative. Give 0 or more.")
    generator = np.random.default_rng([seed, PERSON_STREAM])
    is_female = generator.random() < 0.01 * number("cohort.female_share_percent")
    given = None if pathologies is None else frozenset(_kind(p) for p in pathologies)
    more = frozenset(_kind(p) for p in always)
    age_years = _age_years(generator, more | (given or frozenset()))
    tall = numbers("cohort.height_mm")[1 if is_female else 0]
    bmi = fact("cohort.bmi_kg_per_m2")
    bmi_value = float(np.clip(generator.normal(bmi.number, bmi.sd or 0.0), _bound(bmi.low), _bound(bmi.high)))
    stature = generator.normal()
    changes = draw_changes(seed, age_years, given, more, None if count is None else TransitionalKind(count))
    return Person(
        seed=seed,
        build=_sized(draw_build(seed), is_female=is_female, bmi=bmi_value),
        sex="female" if is_female else "male",
        age_years=age_years,
        height_cm=float(np.round(0.1 * (tall + stature * number("cohort.height_sd_mm")))),
        bmi_kg_per_m2=float(np.round(bmi_value, 1)),
        cancellous_hu=_cancellous_hu(generator, age_years, changes.has_osteoporosis),
        pathologies=changes,
        deformation_rms_mm=number("cohort.deformation_rms_mm") if deformation else 0.0,
        deformation_correlation_mm=number("cohort.deformation_correlation_mm"),
        has_nerve_variation=nerve_variation,
    )


def virtual_people(count: int, seed: int, *, deformation: bool = True) -> tuple[Person, ...]:
    """A cohort: of every run of as many persons as there are kinds of change, each kind is had by one at least."""
    if count < 1 or seed < 0:
        raise InputError(
            f"A cohort of {count} persons of seed {seed} is impossible. Give 1 or more, and a seed from 0."
        )
    seeds = np.random.default_rng([seed, PEOPLE_STREAM]).integers(0, 2**31, size=count)
    return tuple(cohort_member(place, int(own), deformation=deformation) for place, own in enumerate(seeds, 1))


def cohort_member(place: int, seed: int, *, deformation: bool = True) -> Person:
    """The person of a seed at a place (from 1) of a cohort, which has that place's kind of change in any case."""
    kinds, counts = tuple(PathologyKind), tuple(TransitionalKind)
    turn, own = divmod(place - 1, len(kinds))
    is_unusual = kinds[own] is PathologyKind.TRANSITIONAL  # each count in its turn
    return virtual_person(
        seed, always=(kinds[own],), count=counts[turn % len(counts)] if is_unusual else None, deformation=deformation
    )


def vertebrae_of(person: Person) -> tuple[str, ...]:
    """Names of a person's vertebrae that are drawn, from above downwards."""
    return lumbar_levels(column_of(person.pathologies.transitional))


def _kind(name: PathologyKind | str) -> PathologyKind:
    try:
        return PathologyKind(name)
    except ValueError:
        known = ", ".join(kind.value for kind in PathologyKind)
        raise InputError(f"{name!r} is not a change that a virtual person can have. Known are {known}.") from None


def _age_years(generator: np.random.Generator, wanted: frozenset[PathologyKind]) -> float:
    """An age at which the changes that are wanted occur."""
    age = fact("cohort.age_years")
    low = _bound(age.low)
    for kind, name in ((PathologyKind.OSTEOPOROSIS, "osteoporosis"), (PathologyKind.LISTHESIS, "listhesis")):
        if kind in wanted:
            low = max(low, number(f"cohort.{name}_from_years"))
    return float(np.round(generator.uniform(low, _bound(age.high))))


def _sized(build: Build, *, is_female: bool, bmi: float) -> Build:
    size = 1.0 + (-1.0 if is_female else 1.0) * number("cohort.sex_size_fraction")
    fat = fact("cohort.fat_per_bmi")
    factor = 1.0 + fat.number * (bmi - number("cohort.bmi_kg_per_m2"))
    x, y, z = (float(value * size) for value in build.scale)
    factor = float(np.clip(build.fat_scale * factor, _bound(fat.low), _bound(fat.high)))
    return replace(build, scale=(x, y, z), fat_scale=factor)


def _cancellous_hu(generator: np.random.Generator, age_years: float, has_osteoporosis: bool) -> float:
    young, thin = fact("cohort.hu_young"), fact("cohort.hu_osteoporosis")
    usual = young.number - number("cohort.hu_loss_per_year") * max(
        age_years - number("cohort.hu_young_until_years"), 0.0
    )
    drawn = usual + generator.normal(0.0, young.sd or 0.0)
    low = generator.uniform(_bound(thin.low), _bound(thin.high))
    least = number("cohort.hu_least") if has_osteoporosis else _bound(thin.high)
    return float(np.round(low if has_osteoporosis else max(drawn, least)))


def _bound(value: float | None) -> float:
    return float("nan") if value is None else float(value)
