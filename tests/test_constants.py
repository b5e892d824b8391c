"""Numbers with a unit stand in the knowledge files; a module constant that has one gives its reason here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "foramen"

UNIT_SUFFIX = re.compile(
    r"_(?:MM|MM2|MM3|CM|M|M3|UM|DEG|RAD|DEGC|K|HU|S|MS|MIN|H|HOURS|DAYS|WEEKS|MONTHS|YEARS|HZ|KHZ|W|J|V|A|OHM|KG|G|MG|"
    r"UG|ML|L|MOL|PERCENT|FRACTION|COSINE)$|_PER_[A-Z0-9]+(?:_[A-Z0-9]+)?$"
)
"""End of a constant's name that says a physical unit, or that it is a share of something physical."""

EXACT = "exact by definition"
GRID = "numerical: step or spacing of a grid or search; results converge as it falls"
EXTENT = "numerical: extent of a working block, larger than what it must hold"
TOLERANCE = "numerical: tolerance of a comparison"
SAMPLING = "numerical: sampling, matching or reading of surfaces"
FRAMING = "numerical: what part of the generated body its image shows"
WAITING = "numerical: waiting for another program; no result depends on it"
LAYOUT = "layout of a picture: what it shows, not what is planned"

ALLOWED: dict[str, str] = {
    "anatomy.bones.GRID_MM": GRID,
    "anatomy.canal._REACH_MM": EXTENT,
    "anatomy.disc_space.HALF_MM": EXTENT,
    "anatomy.disc_space.STEP_MM": GRID,
    "anatomy.registered_frame.ABOVE_FRACTION": SAMPLING,
    "anatomy.registered_frame.FEWEST_PAIRS_FRACTION": SAMPLING,
    "anatomy.registered_frame.WITHIN_RIM_FRACTION": SAMPLING,
    "anatomy.needle_paths.ELECTRODE_STEP_MM": GRID,
    "anatomy.needle_paths.SHAFT_STEP_MM": GRID,
    "anatomy.reference_body.lay_course.REACH_MM": SAMPLING,
    "anatomy.reference_body.assembly._DISC_BOX_MM": EXTENT,
    "anatomy.degrade.NOISE_STEP_MM": GRID,
    "anatomy.reference_body.assembly._LOOK_UP_MM": GRID,
    "anatomy.reference_body.assembly._MARGIN_MM": EXTENT,
    "anatomy.reference_body.articular_pillar.APART_MM": SAMPLING,
    "anatomy.reference_body.body._NECK_BACK_EDGE_MM": FRAMING,
    "anatomy.reference_body.body._NECK_FIELD_OF_VIEW_MM": FRAMING,
    "anatomy.reference_body.cervical_landmarks.RAY_LENGTH_MM": EXTENT,
    "anatomy.reference_body.cervical_landmarks.RAY_STEP_MM": SAMPLING,
    "anatomy.reference_body.neck.STEP_MM": GRID,
    "anatomy.reference_body.primitives.AXIS_SLOPE_PER_MM": SAMPLING,
    "anatomy.reference_body.body._ABOVE_MM": FRAMING,
    "anatomy.reference_body.body._ARCH_REACH_MM": FRAMING,
    "anatomy.reference_body.body._BACK_EDGE_MM": FRAMING,
    "anatomy.reference_body.body._BEHIND_THORAX_MM": FRAMING,
    "anatomy.reference_body.body._BELOW_MM": FRAMING,
    "anatomy.reference_body.body._FIELD_OF_VIEW_MM": FRAMING,
    "anatomy.reference_body.body._SACRUM_BELOW_MM": FRAMING,
    "anatomy.reference_body.body._WHOLE_SACRUM_BEHIND_MM": FRAMING,
    "anatomy.reference_body.body._WHOLE_SACRUM_BELOW_MM": FRAMING,
    "anatomy.coverage.THINNED_MM": GRID,
    "anatomy.reference_body.reference_mr._FIELD_OF_VIEW_MM": FRAMING,
    "anatomy.reference_body.reference_mr._SUBSLICE_MM": GRID,
    "anatomy.reference_body.tissue_contrast.NEPER_PER_M_TO_DB_PER_CM": EXACT,
    "anatomy.reference_body.sacral_landmarks.BELOW_RIM_MM": SAMPLING,
    "anatomy.reference_body.sacral_landmarks.MIDLINE_MM": SAMPLING,
    "anatomy.reference_body.sacral_landmarks.RAY_STEP_MM": GRID,
    "anatomy.reference_body.sacral_landmarks.RIM_MM": SAMPLING,
    "anatomy.reference_body.field.FIELD_SPACING_MM": GRID,
    "anatomy.reference_body.field._REACH_MM": EXTENT,
    "anatomy.reference_body.lumbar_landmarks.BAND_MM": SAMPLING,
    "anatomy.reference_body.lumbar_landmarks.DEEPEST_FLOOR_MM": SAMPLING,
    "anatomy.reference_body.lumbar_landmarks.FLOOR_DEPTH_MM": SAMPLING,
    "anatomy.reference_body.lumbar_landmarks.NEAR_SOLID_MM": SAMPLING,
    "anatomy.reference_body.lumbar_landmarks.OFF_MIDLINE_MM": SAMPLING,
    "anatomy.reference_body.course.STEP_MM": GRID,
    "anatomy.reference_body.deformation.GRID_MM": GRID,
    "anatomy.reference_body.deformation.REACH_MM": EXTENT,
    "anatomy.reference_body.deformation.SETTLED_MM": TOLERANCE,
    "anatomy.reference_body.hardware.STREAK_GRID_MM": GRID,
    "anatomy.reference_body.primitives.FAR_MM": EXTENT,
    "anatomy.reference_body.ribs.PIECE_MARGIN_MM": EXTENT,
    "anatomy.reference_body.ribs.STRETCH_MM": GRID,
    "anatomy.reference_body.thoracic_canal.STEP_MM": GRID,
    "anatomy.reference_body.thoracic_landmarks.BAND_MM": SAMPLING,
    "anatomy.reference_body.thoracic_landmarks.NEAR_SOLID_MM": SAMPLING,
    "anatomy.reference_body.thoracic_landmarks.OFF_MIDLINE_MM": SAMPLING,
    "anatomy.reference_body.thoracic_landmarks.RAY_LENGTH_MM": EXTENT,
    "anatomy.reference_body.thoracic_landmarks.RAY_STEP_MM": GRID,
    "anatomy.reference_body.thorax.SECTION_STEP_MM": GRID,
    "anatomy.reference_body.torso.CANAL_STEP_MM": GRID,
    "anatomy.reference_body.torso.MUSCLE_STEP_MM": GRID,
    "anatomy.reference_body.viscera.GOLDEN_ANGLE_RAD": EXACT,
    "anatomy.reference_body.viscera.VESSEL_STEP_MM": GRID,
    "anatomy.registration.COARSE_MM": GRID,
    "anatomy.registration.CONTROL_MM": GRID,
    "anatomy.registration.FAR_MM": EXTENT,
    "anatomy.registration.FINE_MM": GRID,
    "anatomy.registration.KERNEL_MM": SAMPLING,
    "anatomy.registration.NORMAL_WEIGHT_MM": SAMPLING,
    "geometry.mr_body.SMOOTHING_MM": SAMPLING,
    "geometry.skin.GRID_MM": GRID,
    "io.dicom.DUPLICATE_MM": TOLERANCE,
    "io.dicom.SHEAR_TOLERANCE_FRACTION": TOLERANCE,
    "io.dicom.SPACING_TOLERANCE_FRACTION": TOLERANCE,
    "io.mz3.ROUNDING_PER_MM": SAMPLING,
    "io.segmenters._GRACE_S": WAITING,
    "io.segmenters._POLL_S": WAITING,
    "io.nifti.FORM_TOLERANCE_FRACTION": TOLERANCE,
    "io.nifti.GRID_TOLERANCE_MM": TOLERANCE,
    "physics.damage.DAY_S": EXACT,
    "physics.exposure._TABLE_STEP_K": GRID,
    "physics.exposure._TABLE_TO_DEGC": EXTENT,
    "physics.rf_lesion.BOILING_TOLERANCE_K": TOLERANCE,
    "physics.rf_lesion.SHORT_K": TOLERANCE,
    "physics.damage.GAS_CONSTANT_J_PER_MOL_K": EXACT,
    "physics.tissue.METAL_CONDUCTIVITY_S_PER_M": "numerical: cap so far above any tissue that it changes nothing",
    "physics.electrode_courses._CHORD_RAD": GRID,
    "planning.drug_totals.MG_PER_ML_PER_PERCENT": EXACT,
    "planning.inverse.full.TOUCHING_MM": TOLERANCE,
    "planning.inverse.quick.GRID_MM": GRID,
    "planning.inverse.quick.ROUND_MM": EXTENT,
    "planning.inverse.search.WORST_MM3": "numerical: larger than any burnt volume, for settings that are out anyway",
    "planning.robust.scene.NEAR_MM": EXTENT,
    "planning.robust.scene.STEP_MM": GRID,
    "report.anatomy_marks.STEP_MM": GRID,
    "report.carm._HALF_MM": LAYOUT,
    "report.carm._REGION_MM": EXTENT,
    "report.carm._STEP_MM": GRID,
    "report.contact_sheet.AXIAL_HALF_MM": LAYOUT,
    "report.contact_sheet.DOTS_PER_INCH": LAYOUT,
    "report.contact_sheet.REACH_AXIAL_MM": LAYOUT,
    "report.contact_sheet.REACH_CORONAL_MM": LAYOUT,
    "report.contact_sheet.REACH_SAGITTAL_MM": LAYOUT,
    "report.contact_sheet.SCALE_MM": LAYOUT,
    "report.cuts._MARGIN_MM": LAYOUT,
    "report.cuts._NEAR_MM": LAYOUT,
    "report.cuts._WIDE_MM": LAYOUT,
    "report.findings._HALF_MM": LAYOUT,
    "report.findings._SEEN_MM": LAYOUT,
    "report.figures._SAME_BEAM_DEG": LAYOUT,
    "report.figures._SAME_CENTRE_MM": LAYOUT,
    "report.figures._SCENE_HALF_MM": LAYOUT,
    "report.inspection_meshes.BALL_RADIUS_MM": LAYOUT,
    "report.inspection_meshes.BONE_STEPS_MM": GRID,
    "report.inspection_meshes.COURSE_STEP_MM": GRID,
    "report.inspection_meshes.THINNEST_MM": LAYOUT,
    "report.inspection_page.SEEN_MM": LAYOUT,
    "report.scene._GRID_MM": GRID,
    "report.scene._REACH_MM": EXTENT,
    "report.scene._SMALLEST_RADIUS_MM": LAYOUT,
    "report.scene._SMOOTHING_MM": LAYOUT,
    "report.scene_pictures._DOTS_PER_INCH": LAYOUT,
    "report.scene_pictures._HALF_MM": LAYOUT,
    "report.sheet._MM_PER_CM": EXACT,
    "report.spine_cuts.AROUND_MM": LAYOUT,
    "report.spine_cuts.LONGEST_HALF_MM": LAYOUT,
    "report.spine_cuts.SHORTEST_HALF_MM": LAYOUT,
    "steps.bench.pulsed.DISTANCES_MM": SAMPLING,
    "steps.effect.patient.BOX_MM": EXTENT,
    "steps.effect.summary.SPACING_MM": GRID,
    "steps.targeting.SAMPLING_STEP_MM": GRID,
    "steps.trajectory.scene.ANGLE_STEP_DEG": GRID,
    "steps.trajectory.scene.OFFSET_STEP_MM": GRID,
    "units.KELVIN_AT_ZERO_DEGC": EXACT,
    "units.MM3_PER_ML": EXACT,
    "units.MM_PER_M": EXACT,
}
"""``module.NAME`` of constants that may stay in Python, with the reason."""


def constants_of(text: str) -> Iterator[str]:
    """Names of module-level constants whose name ends with a unit and whose value holds a number."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign):
            targets: list[ast.expr] = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        if node.value is None or not any(
            isinstance(part, ast.Constant) and type(part.value) in (int, float) for part in ast.walk(node.value)
        ):
            continue
        names = [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
        yield from (name for name in names if UNIT_SUFFIX.search(name.upper()))


@cache
def found_constants() -> tuple[str, ...]:
    """Every such constant of the package outside the knowledge, as ``module.NAME``."""
    return tuple(
        f"{'.'.join(path.relative_to(SOURCE).with_suffix('').parts)}.{name}"
        for path in sorted(SOURCE.rglob("*.py"))
        if "knowledge" not in path.relative_to(SOURCE).parts
        for name in constants_of(path.read_text(encoding="utf-8"))
    )


def test_no_constant_with_a_unit_stands_in_python_without_a_reason() -> None:
    bad = [name for name in found_constants() if name not in ALLOWED]
    assert not bad, (
        f"constants with a unit outside the knowledge: {bad}. Move each to a knowledge file with its source; "
        "only a purely numerical setting may stay, with its reason in ALLOWED."
    )


def test_the_list_of_reasons_has_no_dead_entry() -> None:
    gone = sorted(set(ALLOWED) - set(found_constants()))
    assert not gone, f"no such constant any more; take them off the list: {gone}"
    assert all(reason.strip() for reason in ALLOWED.values())


@pytest.mark.parametrize(
    "line",
    [
        "LIMIT_MM = 3.0",
        "_LIMIT_DEGC: float = 45",
        "LOW_HU, HIGH_HU = 100.0, 200.0",
        "STEPS_MM = (0.0, 1.0)",
        "DOSE_MG = 2 * 5",
        "WEIGHT_PER_MM = number('a') * 0.5",
        "LENGTH_MM = np.array([1.0])",
        "DENSE_FRACTION = 0.2",
    ],
)
def test_a_bare_number_is_found(line: str) -> None:
    assert list(constants_of(line))


@pytest.mark.parametrize(
    "line",
    ["LIMIT_MM = number('a.limit_mm')", "COUNT = 3", "NAMES = ('mm',)", "def f() -> None:\n    limit_mm = 3.0"],
)
def test_what_is_no_bare_number_passes(line: str) -> None:
    assert not list(constants_of(line))
