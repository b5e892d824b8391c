"""Robustness of a plan in a small made-up patient: full solutions, reduced model and verdict together."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from foramen import workflow
from foramen.anatomy.tissue_map import classify_tissue
from foramen.errors import InputError
from foramen.model.anatomy import NerveKind
from foramen.model.plan import Delivery, RfHeatEffect
from foramen.model.robust import RobustDecision
from foramen.model.space import LabelMap
from foramen.physics.placed_lesion import composed_omega, composed_peak_degC
from foramen.planning.robust import Prepared, prepare, robustness
from foramen.planning.robust.basis import basis_of, wanted_solves
from foramen.planning.robust.outcome import Outcome, Reduced, full_outcome
from foramen.planning.robust.prepare import needle_axes, scenario_solve
from foramen.planning.robust.scenario import Sampler
from foramen.planning.robust.scene import Scene, scenes_of
from foramen.planning.robust.surrogate_error import margin_errors, rise_errors
from foramen.planning.robust.uncertainty import Uncertainty, known_uncertainty
from foramen.steps.effect.patient import Patient
from foramen.steps.effect.summary import summarise
from planning.robust_case import NONE, SMALL, make_line
from report.plan_factory import make_anatomy as make_case_anatomy
from report.plan_factory import make_case, make_plan
from steps.effect_case import make_anatomy, make_images, make_nerve, make_setting, make_target, make_trajectory

SPREAD = known_uncertainty(18)
SPINAL = make_nerve(NerveKind.SPINAL_NERVE, "L4 spinal nerve", np.array([[8.0, -5, 0], [8, 5, 0]]))


@pytest.fixture(scope="module")
def patient() -> Patient:
    """Muscle with cortical bone 3 to 7 mm beside the needle, and a spinal nerve 8 mm on the other side."""
    image, labels = make_images()
    hu, values = image.values.copy(), labels.values.copy()
    part = (slice(31, 34), slice(25, 45), slice(28, 43))
    hu[part], values[part] = 800.0, 2300
    labels = LabelMap(geometry=labels.geometry, values=values)
    return Patient(
        technique="lumbar_medial_branch_rf",
        anatomy=make_anatomy(SPINAL),
        labels=labels,
        tissues=classify_tissue(dataclasses.replace(image, values=hu), labels),
        baseline_degC=37.0,
        is_perfused=True,
        is_conducting=True,
    )


@pytest.fixture(scope="module")
def scene(patient: Patient) -> Scene:
    """One lesion beside a nerve."""
    target, path = make_target(make_line(), radius_mm=1.0), make_trajectory()
    delivery = Delivery(
        target=target.name,
        trajectories=(path.id,),
        setting=make_setting(),
        effect=_NO_EFFECT,
    )
    (found,) = scenes_of(patient, [target], [delivery], [path], [1.0], correlation_mm=10.0)
    return found


_NO_EFFECT: RfHeatEffect = None  # type: ignore[assignment]  # the scene is made of paths and settings alone


def reduced_model(patient: Patient, scene: Scene, spread: Uncertainty) -> tuple[Reduced, list]:
    """The reduced model and the solutions that it rests on."""
    (path,) = scene.trajectories
    axes = needle_axes(path.tip_mm, path.entry_mm)
    placed = [solve.run(patient, scene.setting, SMALL) for solve in wanted_solves(path, axes, spread)]
    basis = basis_of(path, placed, axes, spread, patient.baseline_degC)
    return Reduced(scene=scene, bases=(basis,), spread=spread, fractions=(0.8, 0.9, 1.0)), placed


@pytest.fixture(scope="module")
def model(patient: Patient, scene: Scene) -> tuple[Reduced, list]:
    """With the spreads of the knowledge."""
    return reduced_model(patient, scene, SPREAD)


SAMPLER = Sampler(seed=0, lesions=1, nerves=2, targets=1)


def test_the_plan_itself_is_exact(patient: Patient, scene: Scene, model: tuple[Reduced, list]) -> None:
    """At the nominal point the reduced model is the full solution, and both are what the plan states."""
    reduced, placed = model
    nominal = SAMPLER.nominal()
    here, there = reduced.outcome(nominal), full_outcome(reduced, placed[:1], nominal)
    assert here.margins_K == pytest.approx(there.margins_K, abs=1e-8)
    np.testing.assert_allclose(here.peaks_degC, there.peaks_degC, rtol=0, atol=1e-8, equal_nan=True)
    effect = summarise(
        patient,
        scene.target,
        scene.trajectories,
        scene.setting,
        placed[:1],
        [np.zeros(placed[0].lesion.peak_degC[placed[0].lesion.grid.inner :].shape, dtype=np.uint8)],
    )
    assert here.fraction == effect.tightest_capture.fraction
    for neighbour, peak_degC in zip(scene.neighbours, here.peaks_degC, strict=True):
        stated = next(p for p in effect.peaks if p.structure == neighbour.name).peak_degC
        if stated is None:
            assert np.isnan(peak_degC)  # not shown: no number
        else:
            assert peak_degC == pytest.approx(stated, abs=0.02)  # sections of 0.6 instead of 0.2 mm


def test_solutions_that_the_model_rests_on_come_back(patient: Patient, model: tuple[Reduced, list]) -> None:
    """The parabola passes through its points: a tip 1.35 mm aside, and perfusion up by exp(1.05), to 0.1 K."""
    reduced, placed = model
    points = reduced.scene.sections_mm.reshape(-1, 3)
    basis = reduced.bases[0]
    for variable, step in ((0, 1.5 * SPREAD.perfusion_log), (5, 1.5 * SPREAD.across_mm)):
        x = np.zeros(8)
        x[variable] = step
        lesion = basis.placed(x[:5], x[5:], np.zeros(2))
        full = placed[2 + 2 * variable]
        assert lesion.peak_degC(points) == pytest.approx(composed_peak_degC([full], points), abs=0.1)
        omega = np.log(composed_omega([full], "coagulation", points))
        assert lesion.log_dose("coagulation", points) == pytest.approx(omega, abs=0.1)


def test_reduced_model_follows_full_solutions(patient: Patient, model: tuple[Reduced, list]) -> None:
    """Over scenarios that move and tilt the needle beside bone and shift all properties: 1 K, and 6 % of the rise."""
    reduced, _ = model
    axes = reduced.bases[0].axes
    full: list[Outcome] = []
    scenarios = SAMPLER.spread_out(6)
    for scenario in scenarios:
        solve = scenario_solve(reduced.scene, 0, axes, scenario, SPREAD)
        full.append(full_outcome(reduced, [solve.run(patient, reduced.scene.setting, SMALL)], scenario))
    here = [reduced.outcome(scenario) for scenario in scenarios]
    assert np.std([o.margins_K[2] for o in here]) > 2.0  # the scenarios differ by more than the error
    assert np.sqrt(np.mean(margin_errors(full, here) ** 2)) < 1.0
    assert np.sqrt(np.mean(rise_errors(full, here) ** 2)) < 0.06


def test_without_spread_nothing_is_solved_twice(patient: Patient, scene: Scene) -> None:
    """No spread: one solution, and every scenario is the plan."""
    reduced, placed = reduced_model(patient, scene, NONE)
    assert len(placed) == 1
    nominal, drawn = (reduced.outcome(s) for s in (SAMPLER.nominal(), SAMPLER.draw(5)))
    assert np.array_equal(nominal.margins_K, drawn.margins_K)
    full = full_outcome(reduced, placed, SAMPLER.draw(5))
    assert full.margins_K == pytest.approx(drawn.margins_K, abs=1e-8)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    """The made-up plan of the report's tests, with few spreads and few full solutions."""
    case = make_case()
    spread = dataclasses.replace(NONE, across_mm=0.9, nerve_factor=1.0)
    return prepare(make_plan(case), case, make_case_anatomy(), spread=spread, resolution=SMALL, solves=3)


def test_robustness_replays_to_the_last_bit(prepared: Prepared) -> None:
    """One thread or two: every number is equal; another seed gives other scenarios but the same kind of decision."""
    first, second = (robustness(prepared, seed=4, threads=threads) for threads in (1, 2))
    assert first == second
    other = robustness(prepared, seed=5)
    assert other.worst != first.worst
    assert other.decision is first.decision
    assert first.errors == other.errors  # what does not depend on the seed


def test_every_question_is_answered(prepared: Prepared) -> None:
    """Targets, neighbours and errors in the order of the plan; what is not shown has no number; nothing promised."""
    plan = make_plan(make_case())
    found = robustness(prepared)
    assert [target.target for target in found.targets] == [target.name for target in plan.targets]
    assert [c.captured_fraction for c in found.targets[0].captures] == [0.8, 0.9, 1.0]
    stated = {peak.structure: peak.peak_degC for d in plan.deliveries for peak in getattr(d.effect, "peaks", ())}
    assert stated
    hidden = [s for s in found.structures if s.median_degC is None]
    assert hidden
    assert all(s.passes_reject is None and s.passes_caution is None for s in hidden)
    assert all(s.structure in found.reason for s in hidden)
    assert found.decision is not RobustDecision.ACCEPTABLE
    for capture in (c.probability for target in found.targets for c in target.captures):
        assert capture.low_fraction <= capture.estimate_fraction <= capture.high_fraction
    assert "success" not in found.reason


def test_a_plan_without_heat_is_refused() -> None:
    case = make_case()
    plan = make_plan(case)
    bare = dataclasses.replace(plan, deliveries=())
    with pytest.raises(InputError, match="no heat effect"):
        prepare(bare, case, make_case_anatomy())


def test_the_workflow_adds_it_to_a_plan(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan carries the result and its check, progress ends at 1, and a negative seed is bad input."""
    case = make_case()
    planned = workflow.Planned(plan=make_plan(case), anatomy=make_case_anatomy(), stage_seconds={"heat": 1.0})
    monkeypatch.setattr(workflow, "prepare", lambda *_args, **_options: prepared)
    told: list[float] = []
    found = workflow.add_robustness(planned, case, seed=4, progress=lambda _stage, done: told.append(done))
    assert found.plan.robust == robustness(prepared, seed=4)
    assert [check.id for check in found.plan.checks].count("robust") == 1
    assert set(found.stage_seconds) == {"heat", "reduced model", "scenarios"}
    assert told == sorted(told)
    assert told[-1] == 1.0
    with pytest.raises(InputError, match="seed"):
        workflow.add_robustness(planned, case, seed=-1)
