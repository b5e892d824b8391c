"""Degraded label maps: each change does what it says, and no more."""

from __future__ import annotations

import numpy as np
import pytest

from foramen.anatomy.degrade import Degradation, degradation, degrade, smooth_noise
from foramen.anatomy.reference_body import make_reference_body
from foramen.errors import InputError
from foramen.model.space import LabelMap


@pytest.fixture(scope="module")
def labels() -> LabelMap:
    return make_reference_body(levels=("L3", "L4", "L5"), field_of_view_mm=(110.0, 130.0), noise_hu=0.0).labels


def made(labels: LabelMap, **how: float | bool) -> np.ndarray:
    return degrade(labels, Degradation(**how), np.random.default_rng(3)).values


def bone(values: np.ndarray) -> np.ndarray:
    return (values > 0) & (values < 5000)


def test_nothing_asked_for_changes_nothing(labels: LabelMap) -> None:
    assert np.array_equal(made(labels), labels.values)


def test_borders_move_by_less_than_a_voxel_or_so(labels: LabelMap) -> None:
    values = made(labels, boundary_mm=0.7)
    share = (bone(values) ^ bone(labels.values)).sum() / bone(labels.values).sum()
    assert 0.02 < share < 0.3
    deep = np.array(bone(labels.values))
    for axis in range(3):
        for step in (-3, 3):
            deep &= np.roll(bone(labels.values), step, axis)
    assert bone(values)[deep].mean() > 0.995  # bone 3 mm below its surface stays bone


def test_tips_are_lost_and_nothing_else(labels: LabelMap) -> None:
    values = made(labels, tip_mm=4.0, tip_share_percent=100.0)
    lost = values != labels.values
    assert 50 < lost.sum() < 0.1 * bone(labels.values).sum()
    assert set(np.unique(labels.values[lost]) % 100) <= {3, 4, 5}
    assert (values[lost] == 0).all()


def test_neighbours_are_mixed_up_only_within_their_joints(labels: LabelMap) -> None:
    values = made(labels, merge_mm=2.0)
    changed = values != labels.values
    assert changed.sum() > 100
    before, after = labels.values[changed], values[changed]
    assert set(np.unique(before[before < 5000] % 100)) <= {6, 7, 8, 9}
    assert set(np.unique(after % 100)) <= {6, 7, 8, 9}
    swapped = (before < 5000) & (before // 100 != after // 100)
    assert swapped.sum() > 20


def test_thick_slices_and_lost_parts(labels: LabelMap) -> None:
    thick = made(labels, slice_mm=3.0)
    assert np.array_equal(thick[:, :, 0], thick[:, :, 2])
    assert np.array_equal(thick[:, :, 1], labels.values[:, :, 1])
    whole = made(labels, has_parts=False)
    assert set(np.unique(whole[bone(whole)])) == set(np.unique(labels.values[bone(labels.values)] // 100 * 100))
    assert np.array_equal(bone(whole), bone(labels.values))


def test_stated_severities_grow_and_are_repeatable(labels: LabelMap) -> None:
    changed = []
    for severity in ("mild", "moderate", "severe"):
        how = degradation(severity, has_parts=True)
        first = degrade(labels, how, np.random.default_rng(1)).values
        assert np.array_equal(first, degrade(labels, how, np.random.default_rng(1)).values)
        changed.append(int((first != labels.values).sum()))
    assert changed == sorted(changed)
    with pytest.raises(InputError, match="severity"):
        degradation("awful")
    with pytest.raises(InputError, match="less than 0"):
        Degradation(tip_mm=-1.0)


def test_noise_has_unit_variance() -> None:
    field = smooth_noise((40, 50, 60), np.ones(3), 5.0, np.random.default_rng(2))
    assert field.shape == (40, 50, 60)
    assert field.std() == pytest.approx(1.0, abs=0.15)
