"""MR images and acoustic tables made from the labels of the reference body."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from foramen.anatomy.reference_body import ReferenceBody
from foramen.anatomy.reference_body.reference_mr import make_reference_mr, mr_signal_of, rician
from foramen.anatomy.reference_body.tissue_contrast import Weighting, acoustic_tables, mr_signal_of_label
from foramen.errors import InputError
from foramen.knowledge.facts import number
from foramen.knowledge.labels import disc_value, structure_labels, structure_value, vertebra_value
from foramen.knowledge.thermal import TISSUES
from foramen.model.levels import Vertebra
from foramen.model.space import LabelMap, Modality, VolumeGeometry

LEVELS = ("L3", "L4", "L5")


@cache
def scan(weighting: Weighting) -> ReferenceBody:
    return make_reference_mr(
        weighting=weighting, levels=LEVELS, spacing_mm=(4.0, 1.0, 1.0), field_of_view_mm=(60.0, 200.0)
    )


def median_of(made: ReferenceBody, *names: str) -> float:
    mask = np.isin(made.labels.values, [structure_value(name) for name in names])
    assert mask.sum() > 50, names
    return float(np.median(made.image.values[mask]))


def test_t2_shows_fluid_bright_and_ligament_and_annulus_dark() -> None:
    made = scan(Weighting.T2)
    csf, fat, muscle = (median_of(made, name) for name in ("csf", "epidural_fat", "multifidus_left"))
    nucleus, flavum = median_of(made, "nucleus_pulposus"), median_of(made, "ligamentum_flavum")
    annulus = float(np.median(made.image.values[made.labels.values == disc_value(Vertebra("L4"))]))
    body = float(np.median(made.image.values[made.labels.values == vertebra_value(Vertebra("L4"), "body")]))
    assert csf > fat > body > muscle > flavum
    assert nucleus > body > annulus


def test_t1_shows_fat_brightest_and_fluid_dark() -> None:
    made = scan(Weighting.T1)
    csf, fat, muscle = (median_of(made, name) for name in ("csf", "subcutaneous_fat", "multifidus_left"))
    body = float(np.median(made.image.values[made.labels.values == vertebra_value(Vertebra("L4"), "body")]))
    assert fat > body > muscle > csf


def test_the_mr_lies_on_the_body_and_repeats() -> None:
    made = scan(Weighting.T2)
    assert made.image.modality is Modality.MR
    assert made.image.geometry.same_as(made.labels.geometry)
    np.testing.assert_allclose(made.image.geometry.spacing_mm, (4.0, 1.0, 1.0))
    for level in LEVELS[:2]:
        vertebra = made.anatomy.vertebra(Vertebra(level))
        index = np.rint(made.labels.geometry.index(vertebra.frame.origin_mm)).astype(int).ravel()
        assert made.labels.values[tuple(index)] == vertebra_value(Vertebra(level), "body")
    again = make_reference_mr(
        weighting=Weighting.T2, levels=LEVELS, spacing_mm=(4.0, 1.0, 1.0), field_of_view_mm=(60.0, 200.0)
    )
    assert again.image.same_as(made.image)


def test_a_thick_slice_is_the_mean_of_thin_ones() -> None:
    thick = make_reference_mr(
        levels=("L4",), spacing_mm=(4.0, 2.0, 2.0), noise_fraction=0.0, field_of_view_mm=(48.0, 160.0)
    )
    thin = make_reference_mr(
        levels=("L4",), spacing_mm=(1.0, 2.0, 2.0), noise_fraction=0.0, field_of_view_mm=(48.0, 160.0)
    )
    first = thin.image.geometry.index(thick.image.geometry.lps_mm(np.zeros((1, 3)))).ravel()[0]
    assert first == pytest.approx(1.5)  # the middle of four
    mean = thin.image.values.reshape(-1, 4, *thin.image.values.shape[1:]).mean(axis=1)
    assert np.abs(mean - thick.image.values).mean() < 3.0  # of 1000: bone's shell is read on other voxels


def test_noise_is_that_of_a_magnitude() -> None:
    """Closed form: without signal a Rayleigh distribution, with much of it the Gaussian of one channel."""
    generator = np.random.default_rng(5)
    silent = rician(np.zeros(200_000, dtype=np.float32), 0.02, generator)
    assert silent.mean() == pytest.approx(0.02 * np.sqrt(np.pi / 2), rel=0.01)
    assert silent.std() == pytest.approx(0.02 * np.sqrt(2 - np.pi / 2), rel=0.01)
    loud = rician(np.ones(200_000, dtype=np.float32), 0.02, generator)
    assert loud.std() == pytest.approx(0.02, rel=0.01)
    assert loud.mean() == pytest.approx(1.0 + 0.5 * 0.02**2, abs=2e-4)


def test_bone_has_a_dark_shell_and_a_bright_middle() -> None:
    values = np.zeros((24, 24, 24), dtype=np.uint16)
    values[4:20, 4:20, 4:20] = vertebra_value(Vertebra("L4"), "body")
    geometry = VolumeGeometry(shape=values.shape, affine_mm=np.diag([0.5, 0.5, 0.5, 1.0]), frame_uid="1.2.3")
    signal = mr_signal_of(LabelMap(geometry=geometry, values=values), Weighting.T1)
    assert signal[4, 12, 12] == pytest.approx(number("tissue_contrast.t1_bone_cortical"))
    assert signal[12, 12, 12] == pytest.approx(number("tissue_contrast.t1_bone_cancellous"))


def test_every_label_has_a_signal_and_its_sound_or_none() -> None:
    tables = acoustic_tables()
    for entry in structure_labels():
        assert entry.tissue in TISSUES or entry.tissue == "bone"
        for weighting in Weighting:
            assert 0.0 <= mr_signal_of_label(weighting)[entry.value] <= 1.0
        unknown = entry.tissue in {"metal", "cement"}
        assert np.isnan(tables.speed_m_per_s[entry.value]) == unknown, entry.name
        if not unknown:
            assert 340.0 < tables.speed_m_per_s[entry.value] < 4000.0
            assert tables.attenuation_dB_per_cm[entry.value] > 0.0
    fat = structure_value("subcutaneous_fat")
    assert tables.attenuation_dB_per_cm[fat] == pytest.approx(0.379, abs=5e-4)  # converted by the source's table
    assert tables.density_kg_per_m3[fat] == number("tissues.fat_density_kg_per_m3")


def test_a_negative_noise_is_refused() -> None:
    with pytest.raises(InputError, match="noise"):
        make_reference_mr(noise_fraction=-0.1)
