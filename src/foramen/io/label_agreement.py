"""Whether a label map can be what it says: vertebrae in order, sides on their side, bone on bright voxels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foramen.anatomy.counting import largest_volume_mm3, rank, step_limits_mm
from foramen.knowledge.facts import number, numbers
from foramen.knowledge.labels import FIRST_STRUCTURE, Label, label
from foramen.model.levels import Side
from foramen.model.space import FloatArray, Modality, Volume

SLAB_VOXELS = 16
"""Thickness of a slab in which a label map is worked through."""


_CRUMB = 0.3
"""A vertebra smaller than this share of its neighbour is cut, and its centre says nothing."""

_SITUS = {"liver": Side.RIGHT, "spleen": Side.LEFT, "aorta": Side.LEFT, "inferior_vena_cava": Side.RIGHT}
_FAR_FROM_SPINE = ("liver", "spleen")
"""Organs that lie so far to one side that one of them is enough."""

_LOUD_ALONE = ("kidney", "hip", "psoas", "iliopsoas", "ribs", "femur", "gluteus", "erector", "lung", "multifidus")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Region:
    """Where one number of a label map lies: voxels, volume, centre (LPS), spread of heights, dense fraction.

    The dense fraction is NaN on an image without Hounsfield units.
    """

    value: int
    voxels: int
    volume_mm3: float
    centre_mm: FloatArray
    height_spread_mm: float
    dense_fraction: float


def regions(values: NDArray[np.uint16], image: Volume) -> tuple[Region, ...]:
    """Every number above 0 in a label array on the image's grid, with place and density.

    Works through slabs, so that memory stays small on a large scan.
    """
    size = int(values.max()) + 1
    dense_hu = number("import_checks.dense_hu") if image.modality is Modality.CT else np.nan
    counts, dense, squares = np.zeros(size), np.zeros(size), np.zeros(size)
    sums = np.zeros((size, 3))
    for start in range(0, values.shape[0], SLAB_VOXELS):
        part = values[start : start + SLAB_VOXELS]
        index = np.argwhere(part > 0)
        numbers = part[tuple(index.T)]
        index[:, 0] += start
        points_mm = image.geometry.lps_mm(index.astype(np.float64))
        counts += np.bincount(numbers, minlength=size)
        dense += np.bincount(numbers, weights=image.values[tuple(index.T)] > dense_hu, minlength=size)
        squares += np.bincount(numbers, weights=points_mm[:, 2] ** 2, minlength=size)
        for axis in range(3):
            sums[:, axis] += np.bincount(numbers, weights=points_mm[:, axis], minlength=size)
    voxel_mm3 = abs(float(np.linalg.det(image.geometry.affine_mm[:3, :3])))
    found: list[Region] = []
    for value in np.flatnonzero(counts):
        centre_mm = sums[value] / counts[value]
        variance = float(squares[value] / counts[value] - centre_mm[2] ** 2)
        found.append(
            Region(
                value=int(value),
                voxels=int(counts[value]),
                volume_mm3=float(counts[value] * voxel_mm3),
                centre_mm=centre_mm,
                height_spread_mm=float(np.sqrt(max(variance, 0.0))),
                dense_fraction=float(dense[value] / counts[value]) if image.modality is Modality.CT else float("nan"),
            )
        )
    return tuple(found)


def order_faults(found: tuple[Region, ...], ranks: dict[int, int], *, step_mm: float) -> list[str]:
    """Pairs of neighbouring vertebrae that are not one above the other.

    Parameters
    ----------
    found : tuple of Region
        Regions of the label map.
    ranks : dict
        Number in the map -> place in the row of vertebrae from head to foot.
    step_mm : float
        How much higher the upper centre must lie (negative: how much lower it may lie).
    """
    by_rank: dict[int, list[Region]] = {}
    for region in found:
        if region.value in ranks:
            by_rank.setdefault(ranks[region.value], []).append(region)
    heights = [(rank, _centre(group)[2], group[0].value) for rank, group in sorted(by_rank.items())]
    return [
        f"number {lower[2]} should lie below {upper[2]} but its centre is {lower[1] - upper[1]:.0f} mm higher"
        for upper, lower in pairwise(heights)
        if upper[1] - lower[1] < step_mm
    ]


def height_faults(found: tuple[Region, ...], meanings: dict[int, Label]) -> list[str]:
    """Vertebrae (but for the sacrum) that are spread over too great a height, in words."""
    return [
        f"{meanings[region.value].name} would be spread over {4 * region.height_spread_mm:.0f} mm from head to foot"
        for region in found
        if region.value in meanings
        and (vertebra := meanings[region.value].vertebra) is not None
        and vertebra.name != "S1"
        and region.height_spread_mm > number("import_checks.tallest_spread_mm")
    ]


def size_faults(found: tuple[Region, ...], meanings: dict[int, Label]) -> list[str]:
    """Vertebrae larger than any of their region of the spine, or too far from or near to their neighbour, in words."""
    volumes: dict[str, float] = {}
    centres: dict[str, list[Region]] = {}
    for region in found:
        meaning = meanings.get(region.value)
        if meaning is not None and meaning.vertebra is not None:
            name = meaning.vertebra.name
            volumes[name] = volumes.get(name, 0.0) + region.volume_mm3
            centres.setdefault(name, []).append(region)
    faults = [
        f"{name} would be {volume / 1000:.0f} mL large"
        for name, volume in volumes.items()
        if volume > largest_volume_mm3(name)
    ]
    pairs = [
        (name, below, round(rank(below) - rank(name) + 0.1))  # T13 lies half a place below T12
        for name, below in pairwise(sorted(volumes, key=rank))
        if below != "S1" and min(volumes[name], volumes[below]) > _CRUMB * max(volumes[name], volumes[below])
    ]
    steps_mm = [float(np.linalg.norm(_centre(centres[a]) - _centre(centres[b]))) for a, b, _ in pairs]
    single_mm = [step for step, (_, _, steps) in zip(steps_mm, pairs, strict=True) if steps <= 1]
    for step_mm, (name, below, steps) in zip(steps_mm, pairs, strict=True):
        shortest_mm, longest_mm = step_limits_mm(name)
        if not shortest_mm * max(steps, 1) <= step_mm <= longest_mm * max(steps, 1):
            faults.append(f"{name} and {below} would lie {step_mm:.0f} mm apart")
        elif steps > 1 and single_mm and step_mm < number("counting.gap_step_ratio") * float(np.median(single_mm)):
            faults.append(f"{name} and {below} lie beside each other, {step_mm:.0f} mm apart")
    return faults


def instance_faults(instances: list[Region]) -> list[str]:
    """Whether numbers are not those of vertebrae counted from above, one after the other, in words."""
    values = [region.value for region in instances]
    first = number("import_checks.first_instance_number")
    if not values or min(values) > first:
        return [f"numbers from above begin at {first:g} or less"]
    if len(values) != max(values) - min(values) + 1:
        return ["numbers from above would leave some out"]
    tallest_mm = number("import_checks.tallest_spread_mm")
    tall = [
        f"{r.value} is spread over {4 * r.height_spread_mm:.0f} mm"
        for r in instances
        if r.height_spread_mm > tallest_mm
    ]
    return tall + order_faults(tuple(instances), {value: value for value in values}, step_mm=0.0)


def _centre(group: list[Region]) -> FloatArray:
    weights = np.array([region.voxels for region in group], dtype=np.float64)
    centre: FloatArray = np.average([region.centre_mm for region in group], axis=0, weights=weights)
    return centre


def side_faults(found: tuple[Region, ...], meanings: dict[int, Label]) -> list[str]:
    """Structures that lie on the wrong side of the patient, in words."""
    named: dict[tuple[str, Side | None], list[Region]] = {}
    spine: list[Region] = []
    for region in found:
        meaning = meanings.get(region.value)
        if meaning is None:
            continue
        if meaning.vertebra is not None and meaning.side is None:
            spine.append(region)
        named.setdefault((_stem(meaning), meaning.side), []).append(region)
    faults: list[str] = []
    for (stem, side), group in named.items():
        if side is not Side.LEFT or (stem, Side.RIGHT) not in named:
            continue
        right = named[stem, Side.RIGHT]
        if min(_volume(group), _volume(right)) < number("import_checks.least_volume_mm3"):
            continue
        gap_mm = float(_centre(group)[0] - _centre(right)[0])
        if gap_mm < number("import_checks.side_step_mm"):
            faults.append(f"{stem.replace('_', ' ')}: the left one lies {-gap_mm:.0f} mm to the right of the right one")
    if spine:
        faults += _faults_against_spine(named, float(_centre(spine)[0]))
    return faults


def _faults_against_spine(named: dict[tuple[str, Side | None], list[Region]], spine_mm: float) -> list[str]:
    faults: list[str] = []
    for (stem, side), group in named.items():
        if side is None or (stem, side.other) in named or not stem.startswith(_LOUD_ALONE):
            continue
        offset_mm = float(side.sign * (_centre(group)[0] - spine_mm))
        if _volume(group) >= number("import_checks.least_volume_mm3") and offset_mm < -number(
            "import_checks.side_step_mm"
        ):
            faults.append(
                f"{side.value} {stem.replace('_', ' ')} lies {-offset_mm:.0f} mm on the other side of the spine"
            )
    for name in _FAR_FROM_SPINE:
        side = _SITUS[name]
        group = named.get((name, None), [])
        offset_mm = float(side.sign * (_centre(group)[0] - spine_mm)) if group else 0.0
        if (
            group
            and _volume(group) >= number("import_checks.least_volume_mm3")
            and offset_mm < -number("import_checks.situs_alone_mm")
        ):
            faults.append(f"the {name} lies {-offset_mm:.0f} mm to the {side.other.value} of the spine")
    situs = [
        (name, float(side.sign * (_centre(named[name, None])[0] - spine_mm)))
        for name, side in _SITUS.items()
        if (name, None) in named and _volume(named[name, None]) >= number("import_checks.least_volume_mm3")
    ]
    if len(situs) >= 2 and all(offset_mm < -number("import_checks.side_step_mm") for _, offset_mm in situs):
        faults.append(
            ", ".join(name.replace("_", " ") for name, _ in situs) + " all lie on the other side of the spine"
        )
    return faults


def _stem(meaning: Label) -> str:
    return meaning.name.replace("_left", "").replace("_right", "")


def _volume(group: list[Region]) -> float:
    return sum(region.volume_mm3 for region in group)


def density_faults(found: tuple[Region, ...], meanings: dict[int, Label]) -> list[str]:
    """Whether bones lie on soft tissue, or muscles and organs on bone, in words; of an MR nothing can be said."""
    faults: list[str] = []
    dense_hu = number("import_checks.dense_hu")
    kinds = {
        "bone": {"bone"},
        "muscle or organs": {"muscle", "organ"},
        "canal, cord or sac": {"csf", "spinal_cord", "nerve"},
    }
    for region in found:
        meaning = meanings.get(region.value)
        if meaning is None or (meaning.vertebra is None and meaning.name != "unnamed_vertebra"):
            continue
        if meaning.part in ("", "whole") and region.dense_fraction < number(
            "import_checks.least_dense_vertebra_fraction"
        ):
            words = f"{100 * region.dense_fraction:.0f} % of it exceed {dense_hu:g} HU"
            faults.append(f"{meaning.name.removesuffix(' whole')} ({region.value}) lies on soft tissue ({words})")
    for kind, tissues in kinds.items():
        group = [r for r in found if r.value in meanings and meanings[r.value].tissue in tissues]
        group = [r for r in group if "cartilage" not in meanings[r.value].name and not np.isnan(r.dense_fraction)]
        if _volume(group) < number("import_checks.least_volume_mm3"):
            continue
        fraction = float(np.average([r.dense_fraction for r in group], weights=[r.voxels for r in group]))
        if kind == "bone" and fraction < number("import_checks.least_dense_bone_fraction"):
            faults.append(f"only {100 * fraction:.0f} % of the voxels labelled as bone exceed {dense_hu:g} HU")
        if kind != "bone" and fraction > number("import_checks.most_dense_soft_fraction"):
            faults.append(
                f"{100 * fraction:.0f} % of the voxels labelled as {kind} exceed {dense_hu:g} HU, as bone does"
            )
    return faults


def mirror_fault(values: NDArray[np.uint16], image: Volume) -> str:
    """How the vertebrae, mirrored, would fit the bones better; empty if they would not.

    Held against the labels as they are: the whole array mirrored along each axis, and the vertebrae mirrored from left
    to right in their own place. A spine that is symmetric and stands in the middle of the image cannot be told from its
    mirror image in this way; no real one that was tried is.
    """
    is_vertebra = (values > 0) & (values < FIRST_STRUCTURE)
    if not is_vertebra.any():
        return ""
    is_dense = image.values > number("import_checks.dense_hu")
    fraction = float(is_dense[is_vertebra].mean())
    for axis in range(3):
        mirrored = float(is_dense[np.flip(is_vertebra, axis)].mean())
        if mirrored > fraction + number("import_checks.flip_gain_fraction"):
            direction = image.geometry.axes[:, axis]
            name = ("left-right", "front-back", "head-foot")[int(np.argmax(np.abs(direction)))]
            return (
                f"mirrored {name}, {100 * mirrored:.0f} % of the vertebrae would lie on dense voxels "
                f"instead of {100 * fraction:.0f} %"
            )
    return _side_fault(is_vertebra, image)


def _side_fault(is_vertebra: NDArray[np.bool_], image: Volume) -> str:
    """How the vertebrae, mirrored from left to right, would stand out better from what surrounds them."""
    axis = int(np.argmax(np.abs(image.geometry.axes[0])))
    flipped = np.flip(is_vertebra, axis)
    middle = float(np.average(np.arange(is_vertebra.shape[axis]), weights=_profile(is_vertebra, axis)))
    in_place = np.roll(flipped, round(2 * middle - (is_vertebra.shape[axis] - 1)), axis=axis)
    given_hu = _contrast_hu(is_vertebra, image)
    for words, mirrored in (("", flipped), (" in their own place", in_place)):
        contrast_hu = _contrast_hu(mirrored, image)
        if contrast_hu > number("import_checks.mirror_contrast_ratio") * max(given_hu, 0.0):
            return (
                f"mirrored left-right{words}, the vertebrae would be {contrast_hu:.0f} HU denser than what surrounds "
                f"them instead of {given_hu:.0f} HU"
            )
    return ""


def _profile(mask: NDArray[np.bool_], axis: int) -> FloatArray:
    profile: FloatArray = mask.sum(axis=tuple(other for other in range(3) if other != axis)).astype(np.float64)
    return profile


def _contrast_hu(mask: NDArray[np.bool_], image: Volume) -> float:
    """Mean density of a mask above that of the shell around it, metal and air held to bone's and fat's."""
    reach = max(1, round(number("import_checks.shell_mm") / float(image.geometry.spacing_mm.min())))
    box = tuple(slice(max(s.start - reach, 0), s.stop + reach) for s in ndimage.find_objects(mask.astype(np.uint8))[0])
    inside = mask[box]
    shell = ndimage.binary_dilation(inside, iterations=reach) & ~inside
    lowest, highest = numbers("import_checks.contrast_range_hu")
    values = np.clip(image.values[box], lowest, highest)
    return float(values[inside].mean() - values[shell].mean()) if shell.any() else 0.0


def meanings_of(values: dict[int, int]) -> dict[int, Label]:
    """Meaning of each of another program's numbers, from the map of its numbers to Foramen's."""
    found = {number: label(value) for number, value in values.items()}
    return {number: meaning for number, meaning in found.items() if meaning is not None}
