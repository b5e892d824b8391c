"""Measures of the canal on a made disc space whose every distance is known, moved and sampled in several ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from foramen.anatomy.canal import measure_canal
from foramen.anatomy.disc_space import DiscSpace
from foramen.anatomy.findings import find_all
from foramen.anatomy.of_case import anatomy_of
from foramen.anatomy.signal_ratios import OtherSequence, read_signal, suggested_modic
from foramen.errors import ImageError, InputError, RecordError
from foramen.io.case_folder import new_case
from foramen.knowledge.labels import disc_value, structure_value, vertebra_value
from foramen.model.anatomy import VertebraAnatomy, VertebraFrame
from foramen.model.case import Case
from foramen.model.finding import Finding, FindingStatus, ImageEvidence
from foramen.model.levels import Segment, Vertebra
from foramen.model.record import UNKNOWN, ClinicalRecord
from foramen.model.space import LabelMap, Modality, MrSequence, Volume, VolumeGeometry
from foramen.planning.confirmed_findings import confirmed, remeasured, with_confirmed_findings
from synthetic_mr import body, image, spine_labels

DISC_MM = 9.0
SAC_MM = (18.0, 12.0)  # width, depth
FAT_MM = 4.0
WALL_MM = 17.0  # back wall of the lower body behind the middle of the disc
SKIN_MM = 80.0
L4, L5 = Vertebra("L4"), Vertebra("L5")


def made(
    *, slip_mm: float = 0.0, spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0), turn: Rotation | None = None
) -> tuple[Case, DiscSpace]:
    """Two boxes with a disc between them, a sac of elliptical section, fat behind it, bone behind the fat, skin."""
    turned = np.eye(4)
    turned[:3, :3] = np.eye(3) if turn is None else turn.as_matrix()
    low, high = np.array([-32.0, -26.0, -40.0]), np.array([32.0, 100.0, 40.0])
    shape = tuple(int(n) for n in np.round((high - low) / spacing_mm))
    affine = np.diag([*spacing_mm, 1.0])
    affine[:3, 3] = low + np.array(spacing_mm) / 2
    geometry = VolumeGeometry(shape=shape, affine_mm=turned @ affine, frame_uid="1")
    grid = np.moveaxis(np.indices(shape), 0, -1) * np.array(spacing_mm) + affine[:3, 3]
    x, y, z = np.moveaxis(grid, -1, 0)
    labels = np.zeros(shape, dtype=np.uint16)
    is_upper = (np.abs(x) < 22) & (y > -17 - slip_mm) & (y < WALL_MM - slip_mm) & (z > DISC_MM / 2) & (z < 36)
    is_lower = (np.abs(x) < 22) & (np.abs(y) < WALL_MM) & (z < -DISC_MM / 2) & (z > -36)
    labels[(np.abs(x) < 20) & (np.abs(y) < 16) & (np.abs(z) < DISC_MM / 2)] = disc_value(L4)
    back = WALL_MM + SAC_MM[1]
    labels[(np.abs(x) < 9) & (y > back - 6) & (y < back + FAT_MM)] = structure_value("epidural_fat")
    centre = WALL_MM + SAC_MM[1] / 2
    sac = (2 * x / SAC_MM[0]) ** 2 + (2 * (y - centre) / SAC_MM[1]) ** 2 < 1
    labels[sac] = structure_value("csf")
    labels[(np.abs(x) < 6) & (y > back + FAT_MM) & (y < back + 20)] = vertebra_value(L5, "spinous")
    labels[is_upper], labels[is_lower] = vertebra_value(L4, "body"), vertebra_value(L5, "body")
    signal = np.where(y < SKIN_MM, 300.0, 0.0) + np.random.default_rng(2).random(shape)
    picture = Volume(geometry=geometry, values=signal.astype(np.float32), modality=Modality.MR, sequence=MrSequence.T2)
    case = new_case(picture, LabelMap(geometry=geometry, values=labels), record=ClinicalRecord(patient_id=""))
    axes = turned[:3, :3]
    frames = [
        _vertebra(level, axes, np.array([0.0, -shift, sign * 20.0]), sign)
        for level, shift, sign in ((L4, slip_mm, 1.0), (L5, 0.0, -1.0))
    ]
    space = DiscSpace(segment=Segment("L4-L5"), upper=frames[0], lower=frames[1], middle_mm=np.zeros(3), axes=axes)
    return case, space


def _vertebra(level: Vertebra, axes: np.ndarray, centre: np.ndarray, sign: float) -> VertebraAnatomy:
    ends = {s: axes @ (centre + np.array([0.0, 0.0, s * (36 - DISC_MM / 2) / 2])) for s in (1.0, -1.0)}
    near = axes @ np.array([centre[0], centre[1], sign * DISC_MM / 2])
    frame = VertebraFrame(
        origin_mm=axes @ centre,
        axes=axes,
        superior_endplate_mm=near if sign < 0 else ends[1.0],
        inferior_endplate_mm=near if sign > 0 else ends[-1.0],
    )
    return VertebraAnatomy(level=level, frame=frame, landmarks=(), is_complete=True)


def by_kind(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {finding.kind: finding for finding in findings}


TRUTH = {
    "canal_ap_mm": SAC_MM[1] + FAT_MM,
    "sac_area_mm2": np.pi / 4 * SAC_MM[0] * SAC_MM[1],
    "dorsal_epidural_depth_mm": FAT_MM,
    "skin_to_epidural_mm": SKIN_MM - WALL_MM - SAC_MM[1] - FAT_MM,
    "disc_height_mm": DISC_MM,
}


@settings(max_examples=5)
@given(
    slip_mm=st.floats(-6, 8),
    turn=st.tuples(st.floats(-10, 10), st.floats(-10, 10), st.floats(-10, 10)),
    slice_mm=st.sampled_from([1.0, 3.5]),
)
def test_every_measure_is_within_two_standard_uncertainties(
    slip_mm: float, turn: tuple[float, float, float], slice_mm: float
) -> None:
    rotation = Rotation.from_euler("xyz", turn, degrees=True)
    found = by_kind(measure_canal(*made(slip_mm=slip_mm, spacing_mm=(slice_mm, 1.0, 1.0), turn=rotation)))
    for kind, truth in {**TRUTH, "listhesis_mm": slip_mm}.items():
        finding = found[kind]
        assert finding.status is FindingStatus.MEASURED, finding.note
        assert isinstance(finding.value, float)
        assert finding.sd is not None
        assert abs(finding.value - truth) <= 2 * finding.sd + 0.25, f"{kind}: {finding.value:.2f}, truly {truth:.2f}"


def test_the_evidence_of_a_distance_is_its_two_ends() -> None:
    case, space = made(slip_mm=3.0)
    for finding in measure_canal(case, space):
        assert finding.evidence.image_sha256 == case.image_sha256
        assert finding.evidence.labels_sha256 == case.labels_sha256
        assert "plane of the disc L4-L5" in finding.evidence.cut
        if finding.unit == "mm" and finding.kind != "listhesis_mm":
            first, last = (np.array(p) for p in finding.evidence.points_mm)
            assert np.linalg.norm(last - first) == pytest.approx(finding.value, abs=0.5)


def test_what_is_not_labelled_is_unknown_with_the_reason() -> None:
    case, space = made()
    bones = np.where(case.labels.values < 5000, case.labels.values, 0).astype(np.uint16)
    bare = new_case(case.image, LabelMap(geometry=case.labels.geometry, values=bones), record=case.record)
    found = by_kind(measure_canal(bare, space))
    for kind in ("canal_ap_mm", "canal_width_mm", "sac_area_mm2", "dorsal_epidural_depth_mm", "skin_to_epidural_mm"):
        assert found[kind].status is FindingStatus.UNKNOWN
        assert found[kind].note
    assert found["disc_height_mm"].value == pytest.approx(DISC_MM)  # between the endplates
    assert "not labelled" in found["disc_height_mm"].note


def test_without_fat_or_ligament_the_depth_is_an_upper_bound_and_says_so() -> None:
    case, space = made()
    values = np.where(case.labels.values == structure_value("epidural_fat"), 0, case.labels.values).astype(np.uint16)
    bare = new_case(case.image, LabelMap(geometry=case.labels.geometry, values=values), record=case.record)
    found = by_kind(measure_canal(bare, space))["dorsal_epidural_depth_mm"]
    assert found.value == pytest.approx(FAT_MM, abs=1.5)
    assert "upper bound" in found.note


@pytest.mark.parametrize(
    ("t1", "t2", "wanted"),
    [
        (0.6, 1.5, "1"),
        (1.4, 1.3, "2"),
        (1.4, 1.0, "2"),
        (1.0, 1.0, None),
        (0.6, 1.0, None),
        (0.6, 0.6, None),
        (1.4, 0.6, None),
        (1.0, 1.5, None),
    ],
)
def test_a_modic_type_is_suggested_only_where_both_sequences_speak(t1: float, t2: float, wanted: str | None) -> None:
    assert suggested_modic(t1, t2) == wanted


def oedema() -> tuple[Case, OtherSequence]:
    """The made MR pair with marrow beside the L4-L5 disc low on T1 and high on T2."""
    case = new_case(image(), spine_labels(), record=ClinicalRecord(patient_id=""))
    anatomy = anatomy_of(case)
    plates = anatomy.vertebra(L4).frame.inferior_endplate_mm, anatomy.vertebra(L5).frame.superior_endplate_mm
    bone = np.argwhere((spine_labels().values > 0) & (spine_labels().values < 5000))
    points = spine_labels().geometry.lps_mm(bone.astype(float))
    near = np.min([np.linalg.norm(points - plate, axis=1) for plate in plates], axis=0) < 16
    changed = tuple(bone[near].T)
    pictures = []
    for sequence, gain in ((MrSequence.T2, 1.6), (MrSequence.T1, 0.6)):
        values = image(sequence).values.copy()
        index = np.array(changed).T
        depth = np.min([np.abs((points[near] - p) @ np.array([0.0, 0.0, 1.0])) for p in plates], axis=0)
        chosen = tuple(index[depth < 6].T)
        values[chosen] *= gain
        pictures.append(Volume(geometry=image().geometry, values=values, modality=Modality.MR, sequence=sequence))
    changed_case = new_case(pictures[0], spine_labels(), record=ClinicalRecord(patient_id=""))
    return changed_case, OtherSequence(image=pictures[1], sha256="ab" * 32)


@pytest.fixture(scope="module")
def oedema_findings() -> tuple[Finding, ...]:
    case, other = oedema()
    return find_all(case, anatomy_of(case), other)


def test_a_suggestion_stays_one_until_a_person_confirms_it(oedema_findings: tuple[Finding, ...]) -> None:
    here = [f for f in oedema_findings if f.level == "L4-L5" and f.kind.startswith("modic_type")]
    assert {f.value for f in here} == {"1"}
    assert all(f.status is FindingStatus.SUGGESTED for f in here)
    elsewhere = [f for f in oedema_findings if f.level == "L3-L4" and f.kind.startswith("modic_type")]
    assert all(f.status is FindingStatus.UNKNOWN for f in elsewhere)
    record = ClinicalRecord(patient_id="", findings=oedema_findings)
    assert with_confirmed_findings(record, "L4-L5").facts == {}
    sure = confirmed(record, kind=here[0].kind, level="L4-L5", by="Dr A", when="2026-11-25")
    answered = with_confirmed_findings(sure, "L4-L5")
    assert answered.value("imaging.modic_type") == "1"
    assert "Dr A" in answered.facts["imaging.modic_type"].source
    assert with_confirmed_findings(sure, "L3-L4").value("imaging.modic_type") is UNKNOWN


def test_one_normal_endplate_does_not_answer_for_both(oedema_findings: tuple[Finding, ...]) -> None:
    record = ClinicalRecord(patient_id="", findings=oedema_findings)
    upper, lower = [f.kind for f in oedema_findings if f.level == "L3-L4" and f.kind.startswith("modic_type")]
    once = confirmed(record, kind=upper, level="L3-L4", by="Dr A", when="2026-11-25", value="none")
    assert with_confirmed_findings(once, "L3-L4").value("imaging.modic_type") is UNKNOWN
    twice = confirmed(once, kind=lower, level="L3-L4", by="Dr A", when="2026-11-25", value="none")
    assert with_confirmed_findings(twice, "L3-L4").value("imaging.modic_type") == "none"
    mixed = confirmed(twice, kind=lower, level="L3-L4", by="Dr A", when="2026-11-25", value="2")
    assert with_confirmed_findings(mixed, "L3-L4").value("imaging.modic_type") == "2"


def test_confirmation_needs_a_person_a_finding_and_a_possible_value(oedema_findings: tuple[Finding, ...]) -> None:
    record = ClinicalRecord(patient_id="", findings=oedema_findings)
    with pytest.raises(RecordError, match="named person"):
        confirmed(record, kind="disc_height_mm", level="L4-L5", by=" ", when="2026-11-25")
    with pytest.raises(RecordError, match="no finding spleen"):
        confirmed(record, kind="spleen", level="L4-L5", by="Dr A", when="2026-11-25")
    with pytest.raises(RecordError):
        confirmed(record, kind="disc_height_mm", level="L4-L5", by="Dr A", when="2026-11-25", value=90.0)
    kind = next(f.kind for f in oedema_findings if f.level == "L3-L4" and f.kind.startswith("modic_type"))
    with pytest.raises(RecordError, match="could not be read"):
        confirmed(record, kind=kind, level="L3-L4", by="Dr A", when="2026-11-25")


def test_what_was_confirmed_stays_when_the_same_image_is_measured_again(oedema_findings: tuple[Finding, ...]) -> None:
    record = ClinicalRecord(patient_id="", findings=oedema_findings)
    sure = confirmed(record, kind="disc_height_mm", level="L4-L5", by="Dr A", when="2026-11-25", value=8.0)
    assert remeasured(sure, oedema_findings) == sure
    evidence = ImageEvidence(
        image_sha256="00", labels_sha256="11", modality=Modality.MR, sequence=MrSequence.T2, cut="of another image"
    )
    other = Finding(
        kind="disc_height_mm",
        level="L4-L5",
        value=7.0,
        sd=1.0,
        unit="mm",
        status=FindingStatus.MEASURED,
        evidence=evidence,
    )
    assert remeasured(sure, (other,)).findings == (other,)


@given(status=st.sampled_from([s for s in FindingStatus if s is not FindingStatus.CONFIRMED]), value=st.floats(0, 20))
def test_nothing_unconfirmed_answers(status: FindingStatus, value: float) -> None:
    evidence = ImageEvidence(
        image_sha256="0", labels_sha256="1", modality=Modality.MR, sequence=MrSequence.T2, cut="made"
    )
    given_value = None if status is FindingStatus.UNKNOWN else value
    finding = Finding(kind="disc_height_mm", level="L4-L5", value=given_value, status=status, evidence=evidence)
    record = ClinicalRecord(patient_id="", findings=(finding,))
    assert with_confirmed_findings(record, "L4-L5").facts == {}


def test_a_finding_is_valid_from_birth() -> None:
    evidence = ImageEvidence(
        image_sha256="0", labels_sha256="1", modality=Modality.MR, sequence=MrSequence.T2, cut="made"
    )
    with pytest.raises(RecordError, match="only an unknown one"):
        Finding(kind="a", level="L4", value=None, status=FindingStatus.MEASURED, evidence=evidence)
    with pytest.raises(RecordError, match="confirmed by nobody"):
        Finding(kind="a", level="L4", value=1.0, status=FindingStatus.CONFIRMED, evidence=evidence)


def test_signal_is_read_of_an_mr_pair_on_one_grid_only() -> None:
    case, space = made()
    with pytest.raises(ImageError, match="not on the grid"):
        read_signal(case, space, OtherSequence(image=image(MrSequence.T1), sha256=""))
    with pytest.raises(ImageError, match="another sequence"):
        read_signal(case, space, OtherSequence(image=case.image, sha256=""))
    ct = new_case(body().image, body().labels, record=ClinicalRecord(patient_id=""))
    assert read_signal(ct, space) == ()


def test_a_reference_body_has_no_findings() -> None:
    case = new_case(body().image, body().labels, record=ClinicalRecord(patient_id=""), is_patient_specific=False)
    with pytest.raises(InputError, match="nothing on it is a finding"):
        find_all(case, anatomy_of(case))
