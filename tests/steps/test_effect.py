"""Heat effect in a small made-up patient."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from foramen.errors import FrameError, ImageError, InputError
from foramen.model.anatomy import NerveKind
from foramen.model.plan import RfHeatEffect
from foramen.model.space import LabelMap, Volume
from foramen.physics.grid import Resolution
from foramen.steps.bench import bench_lesion
from foramen.steps.effect import simulate_rf_heat
from steps.effect_case import (
    MUSCLE_LEFT,
    THECAL,
    make_anatomy,
    make_images,
    make_nerve,
    make_setting,
    make_target,
    make_trajectory,
)

COARSE = Resolution(step=0.3, angles=8)
BESIDE = np.stack([np.full(41, 1.5), np.linspace(0, 8, 41), np.zeros(41)], axis=1)
ACROSS = np.stack([np.linspace(-20, 20, 201), np.full(201, 5.0), np.full(201, 1.0)], axis=1)
SPINAL = make_nerve(NerveKind.SPINAL_NERVE, "L4 spinal nerve", np.array([[8.0, -5, 0], [8, 5, 0]]))


def with_labels(labels: LabelMap, part: tuple[slice, slice, slice], value: int) -> LabelMap:
    """A copy with a block of another label."""
    values = labels.values.copy()
    values[part] = value
    return LabelMap(geometry=labels.geometry, values=values)


@pytest.fixture(scope="module")
def images() -> tuple[Volume, LabelMap]:
    """Muscle with a thecal sac 14 mm to the side of the needle."""
    image, labels = make_images()
    return image, with_labels(labels, (slice(42, 50), slice(20, 50), slice(30, 40)), THECAL)


@pytest.fixture(scope="module")
def effect(images: tuple[Volume, LabelMap]) -> RfHeatEffect:
    """A usual lesion."""
    return simulate_rf_heat(
        make_anatomy(SPINAL), *images, make_target(BESIDE), [make_trajectory()], make_setting(), resolution=COARSE
    )


def test_uniform_patient_agrees_with_the_bench(effect: RfHeatEffect) -> None:
    """Nearly all muscle: 50 and 60 degC sizes as on the bench to 4 %, what the coarse grid of these tests costs."""
    bench = bench_lesion(
        outer_diameter_mm=1.27, inner_diameter_mm=0.84, tip_mm=10.0, temperature_degC=80.0, time_s=90.0
    )
    for isotherm in effect.isotherms[1:]:
        expected = bench.isotherms[f"{isotherm.temperature_degC:.0f}"]
        assert isotherm.width_mm == pytest.approx(expected.width_mm, rel=0.04)
        assert isotherm.length_mm == pytest.approx(expected.length_mm, rel=0.04)
        assert isotherm.volume_mm3 == pytest.approx(expected.volume_mm3, rel=0.08)
    assert effect.impedance_initial_ohm == pytest.approx(bench.impedance_initial_ohm, rel=0.03)


def test_capture_counts_whole_cross_sections(effect: RfHeatEffect, images: tuple[Volume, LabelMap]) -> None:
    """A nerve along the tip is captured; of one across it, as much as the isotherm is wide."""
    assert {c.criterion: c.fraction for c in effect.captures}["50_degC"] == 1.0
    across = simulate_rf_heat(
        make_anatomy(), *images, make_target(ACROSS), [make_trajectory()], make_setting(), resolution=COARSE
    )
    by_name = {c.criterion: c for c in across.captures}
    width = {i.temperature_degC: i.width_mm for i in across.isotherms}
    for level, fraction in ((50.0, by_name["50_degC"].fraction), (60.0, by_name["60_degC"].fraction)):
        chord = 40 * fraction
        assert width[level] - 1.6 < chord < width[level]  # a rim of 0.5 mm, 1 mm off the axis
    assert by_name["omega_coagulation"].is_within_window
    assert not by_name["omega_nerve_function"].is_within_window
    assert "validated for 720 to 3480 s" in by_name["omega_nerve_function"].note


def test_neighbours_are_read(effect: RfHeatEffect) -> None:
    """The spinal nerve at 8 mm is warm, the sac at 14 mm hardly, the skin at 60 mm not at all."""
    peaks = {p.structure: p for p in effect.peaks}
    nerve = peaks["left L4 spinal nerve"].peak_degC
    sac, skin = peaks["thecal sac"].peak_degC, peaks["skin"].peak_degC
    assert nerve is not None
    assert sac is not None
    assert skin is not None
    assert 42 < nerve < 47
    assert 37 < sac < 40
    assert skin == pytest.approx(37, abs=0.1)
    assert (peaks["thecal sac"].caution_degC, peaks["thecal sac"].reject_degC) == (42.0, 45.0)


def test_metal_is_read_and_never_rejects(images: tuple[Volume, LabelMap]) -> None:
    """A screw 10 mm away, seen in the image alone, gets a line with the caution limit of hardware only."""
    image, labels = images
    hu = image.values.copy()
    hu[39:42, 30:50, 34:37] = 3000.0
    screwed = Volume(geometry=image.geometry, values=hu, modality=image.modality)
    found = simulate_rf_heat(
        make_anatomy(SPINAL),
        screwed,
        labels,
        make_target(BESIDE),
        [make_trajectory()],
        make_setting(),
        resolution=COARSE,
    )
    (hardware,) = (p for p in found.peaks if p.structure == "hardware")
    assert hardware.peak_degC is not None
    assert 38 < hardware.peak_degC < 60
    assert (hardware.caution_degC, hardware.reject_degC) == (42.0, None)


def test_what_is_not_shown_has_no_temperature(effect: RfHeatEffect) -> None:
    """No ganglion, sac or skin in the data: None, never a number."""
    peaks = {p.structure: p for p in effect.peaks}
    assert peaks["left L4 spinal nerve"].peak_degC is not None
    for name in ("left L3 spinal nerve", "left L3 dorsal root ganglion", "left L4 dorsal root ganglion"):
        assert peaks[name].peak_degC is None  # the foramina above and below L4 both count
    image, labels = make_images()
    inside = Volume(geometry=image.geometry, values=np.full_like(image.values, 50.0), modality=image.modality)
    full = LabelMap(geometry=labels.geometry, values=np.full_like(labels.values, MUSCLE_LEFT))
    found = simulate_rf_heat(
        make_anatomy(), inside, full, make_target(BESIDE), [make_trajectory()], make_setting(), resolution=COARSE
    )
    peaks = {p.structure: p for p in found.peaks}
    assert all(peaks[name].peak_degC is None for name in ("left L4 spinal nerve", "thecal sac", "skin"))
    assert all(peak.note for peak in peaks.values())


def test_grid_is_where_the_needle_is(effect: RfHeatEffect) -> None:
    """The hottest voxel of the LPS grid lies on the active tip (y from 0 to 10 mm at x = z = 0)."""
    top = np.array(np.unravel_index(effect.peak_temperature_degC.argmax(), effect.peak_temperature_degC.shape))
    point = effect.grid_affine_mm[:3, :3] @ top + effect.grid_affine_mm[:3, 3]
    assert np.hypot(point[0], point[2]) < 1.5
    assert -1 < point[1] < 11
    assert effect.peak_temperature_degC.dtype == np.float32


def test_turning_the_needle_turns_the_lesion(effect: RfHeatEffect, images: tuple[Volume, LabelMap]) -> None:
    """A needle along another axis in the same tissue makes the same lesion (2 %: the sac lies elsewhere)."""
    turned = make_trajectory(entry_mm=(0, 42.0, 42.0))
    found = simulate_rf_heat(make_anatomy(), *images, make_target(BESIDE), [turned], make_setting(), resolution=COARSE)
    for here, there in zip(found.isotherms[1:], effect.isotherms[1:], strict=True):
        assert here.width_mm == pytest.approx(there.width_mm, rel=0.02)
        assert here.volume_mm3 == pytest.approx(there.volume_mm3, rel=0.02)


def test_cortical_bone_shields(effect: RfHeatEffect) -> None:
    """Bone between tip and nerve keeps the nerve cooler than muscle does, and turns up as labelled tissue."""
    image, labels = make_images()
    hu = image.values.copy()
    part = (slice(37, 39), slice(25, 45), slice(28, 43))
    hu[part] = 800.0
    boned = Volume(geometry=image.geometry, values=hu, modality=image.modality)
    found = simulate_rf_heat(
        make_anatomy(SPINAL),
        boned,
        with_labels(labels, part, 2300),
        make_target(BESIDE),
        [make_trajectory()],
        make_setting(),
        resolution=COARSE,
    )
    before, after = ({p.structure: p.peak_degC for p in e.peaks}["left L4 spinal nerve"] for e in (effect, found))
    assert before is not None
    assert after is not None
    assert after < before - 0.3


def test_unlabelled_tissue_is_named_as_inferred() -> None:
    """Half of the patient without labels: about half of the heated volume is inferred from HU."""
    image, labels = make_images()
    half = with_labels(labels, (slice(None), slice(None), slice(0, 35)), 0)
    found = simulate_rf_heat(
        make_anatomy(), image, half, make_target(BESIDE), [make_trajectory()], make_setting(), resolution=COARSE
    )
    assert found.tissue_origin["inferred_from_hu"] == pytest.approx(0.5, abs=0.1)
    assert sum(found.tissue_origin.values()) == pytest.approx(1)


def test_lesions_compose(effect: RfHeatEffect, images: tuple[Volume, LabelMap]) -> None:
    """Two lesions 6 mm apart: the maximum of both temperatures, and more of a nerve across than by one."""
    both = [make_trajectory(), dataclasses.replace(make_trajectory(tip_mm=(6, 0, 0), entry_mm=(6, 60, 0)), id="t2")]
    found = simulate_rf_heat(
        make_anatomy(), *images, make_target(ACROSS), both, make_setting(lesions=2), resolution=COARSE
    )
    alone = simulate_rf_heat(make_anatomy(), *images, make_target(ACROSS), both[:1], make_setting(), resolution=COARSE)
    assert found.captures[0].fraction > alone.captures[0].fraction + 0.1
    assert found.isotherms[1].volume_mm3 > 1.3 * alone.isotherms[1].volume_mm3
    assert "t2.tip_degC" in found.history


def test_replay_is_bitwise_equal(effect: RfHeatEffect, images: tuple[Volume, LabelMap]) -> None:
    """The same inputs give the same bits."""
    again = simulate_rf_heat(
        make_anatomy(SPINAL), *images, make_target(BESIDE), [make_trajectory()], make_setting(), resolution=COARSE
    )
    assert np.array_equal(again.peak_temperature_degC, effect.peak_temperature_degC)


def test_bad_input_is_refused(images: tuple[Volume, LabelMap]) -> None:
    """Outside the image, too hot for the device, lesions without trajectories, another frame."""
    image, labels = images
    target, anatomy = make_target(BESIDE), make_anatomy()
    with pytest.raises(ImageError, match="outside the image"):
        simulate_rf_heat(
            anatomy, image, labels, target, [make_trajectory(tip_mm=(60, 0, 0), entry_mm=(60, 50, 0))], make_setting()
        )
    with pytest.raises(InputError, match="above the limit"):
        simulate_rf_heat(anatomy, image, labels, target, [make_trajectory()], make_setting(temperature_degC=97))
    with pytest.raises(InputError, match="3 lesions"):
        simulate_rf_heat(anatomy, image, labels, target, [make_trajectory()], make_setting(lesions=3))
    with pytest.raises(InputError, match="nothing to simulate"):
        simulate_rf_heat(anatomy, image, labels, target, [], make_setting())
    other = dataclasses.replace(anatomy, frame_uid="9.9")
    with pytest.raises(FrameError):
        simulate_rf_heat(other, image, labels, target, [make_trajectory()], make_setting())
