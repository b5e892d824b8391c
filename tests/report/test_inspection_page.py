"""The page of an inspection: small enough, without any address, and with everything where the patient has it."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import shutil
import struct
import subprocess
from importlib import metadata
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from foramen.errors import InputError
from foramen.io.inspect import inspect_case
from foramen.knowledge.labels import label, vertebra_value
from foramen.model.anatomy import Anatomy, LandmarkName
from foramen.model.case import Case
from foramen.model.levels import Side, Vertebra
from foramen.model.record import ClinicalRecord
from foramen.model.space import LabelMap, Modality, PatientPosition, Volume, VolumeGeometry
from foramen.report import viewer_script
from foramen.report.inspection_page import PAGE_LIMIT_BYTES, render_inspection_page
from report.case_factory import make_case
from report.marked_anatomy import marked_anatomy

try:
    metadata.distribution(viewer_script.PACKAGE)
    IS_INSTALLED = True
except metadata.PackageNotFoundError:
    IS_INSTALLED = False

pytestmark = pytest.mark.skipif(
    not IS_INSTALLED, reason=f"{viewer_script.PACKAGE}=={viewer_script.VERSION} is not installed (pip install -e .)"
)

LOST = ("L5", LandmarkName.SAP_TP_JUNCTION, Side.RIGHT)


def small_picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(stream, format="png")
    return stream.getvalue()


def rendered(case: Case, anatomy: Anatomy | None, reason: str = "The label map is mirrored.") -> str:
    inspection = inspect_case(case, anatomy) if anatomy is not None else inspect_case(case, reason=reason)
    return render_inspection_page(
        case.image, case.labels, inspection, anatomy=anatomy, sheet=small_picture(), title="case 42"
    )


@pytest.fixture(scope="module")
def page() -> str:
    return rendered(make_case(patient_id="SECRET-77", bright_left=True), marked_anatomy(without=(LOST,)))


def payload(page: str, key: str) -> bytes:
    found = re.search(rf'<script type="text/plain" id="{key}">([^<]*)</script>', page)
    assert found, f"the page holds no {key}"
    return gzip.decompress(base64.b64decode(found[1]))


def scene(page: str) -> dict[str, list[dict[str, object]]]:
    found = re.search(r'<script type="application/json" id="scene">(.*?)</script>', page, re.S)
    assert found
    data: dict[str, list[dict[str, object]]] = json.loads(found[1])
    return data


def lps_of(image: nib.Nifti1Image, index: np.ndarray) -> np.ndarray:
    points: np.ndarray = (index @ image.affine[:3, :3].T + image.affine[:3, 3]) * (-1, -1, 1)
    return points


def vertices_lps(content: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (LPS), faces and colours of an MZ3 file, read as its format says."""
    magic, flags, faces, points, skipped = struct.unpack_from("<HHIII", content)
    assert (magic, flags, skipped) == (0x5A4D, 1 | 2 | 4, 0)
    triangles = np.frombuffer(content, "<i4", 3 * faces, 16).reshape(-1, 3)
    places = np.frombuffer(content, "<f4", 3 * points, 16 + 12 * faces).reshape(-1, 3)
    colours = np.frombuffer(content, "u1", 4 * points, 16 + 12 * (faces + points)).reshape(-1, 4)
    return places * (-1, -1, 1), triangles, colours


def test_nothing_on_the_page_has_an_address(page: str) -> None:
    text = re.sub(r'<script type="text/plain"[^>]*>[^<]*</script>', "", page)
    assert not re.search(r"https?:|//[a-z]+\.|wss?:|ftp:", text)
    assert not re.search(r"(?:src|href)\s*=\s*[\"'](?!data:)", text)
    assert not re.search(r"\bfetch\s*\(|XMLHttpRequest|sendBeacon|importScripts", text)
    assert re.findall(r"import\(([^)]*)\)", text) == ["address"]  # the viewer's own script, unpacked from the page
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert "default-src 'none'" in policy[1]
    assert "connect-src data: blob:" in policy[1]


def test_the_page_names_no_patient_and_disclaims(page: str) -> None:
    assert "SECRET-77" not in page
    assert "2026-10-01" not in page  # nor the day of the scan
    assert "Not a medical device" in page
    assert "Redistributions in binary form must reproduce the above copyright notice" in page
    header = payload(page, "image")[:348]
    assert header[148:348].strip(b"\x00")[:80].count(b"SECRET") == 0


def test_the_image_on_the_page_is_the_scan_and_left_stays_left(page: str) -> None:
    case = make_case(bright_left=True)
    image = nib.Nifti1Image.from_bytes(payload(page, "image"))
    values = image.get_fdata()
    bright = lps_of(image, np.argwhere(values > 1400).astype(float))
    assert bright[:, 0].mean() == pytest.approx(45, abs=1)  # the ball on the patient's left, +x
    index = np.stack(np.indices(values.shape), axis=-1).reshape(-1, 3)
    there = np.rint(case.image.geometry.index(lps_of(image, index.astype(float)))).astype(int)
    original = np.clip(case.image.values[tuple(there.T)], -400, 1500)
    assert np.abs(values[tuple(index.T)] - original).max() < 0.5 * 1900 / 255 + 0.01  # half a grey level


def test_the_labels_on_the_page_have_their_names(page: str) -> None:
    case = make_case(bright_left=True)
    names = {entry["value"]: entry["name"] for entry in scene(page)["labels"]}
    image = nib.Nifti1Image.from_bytes(payload(page, "labels"))
    small = np.asanyarray(image.dataobj)
    assert {names[value] for value in np.unique(small[small > 0])} == {
        "L4",
        "L5",
        "S1",
        "disc below L4",
        "thecal content",
    }
    index = np.argwhere(small > 0)
    there = np.rint(case.labels.geometry.index(lps_of(image, index.astype(float)))).astype(int)
    for value, original in {*zip(small[tuple(index.T)], case.labels.values[tuple(there.T)], strict=True)}:
        meaning = label(int(original))
        assert meaning is not None
        expected = meaning.vertebra.name if meaning.vertebra else meaning.name.replace("_", " ")
        assert names[value] == expected


def test_meshes_lie_where_the_anatomy_says(page: str) -> None:
    anatomy = marked_anatomy(without=(LOST,))
    marks = [mark for vertebra in anatomy.vertebrae for mark in vertebra.landmarks]
    points, faces, colours = vertices_lps(payload(page, "mesh-landmarks"))
    each = len(points) // len(marks)
    assert faces.max() == len(points) - 1
    for number, mark in enumerate(marks):
        own = slice(number * each, (number + 1) * each)
        assert np.allclose(points[own].mean(axis=0), mark.position_mm, atol=0.05)  # rounded to 1/32 mm
        assert np.sign(points[own, 0].mean()) == mark.side.sign
        is_green = colours[own][0, 1] > colours[own][0, 0]
        assert is_green == (mark.confidence_fraction > 0.9)
    tubes, _, _ = vertices_lps(payload(page, "mesh-tubes"))
    nerve = anatomy.nerves[0]
    distance = np.linalg.norm(tubes[:, None] - nerve.centreline_mm[None], axis=2).min(axis=1)
    wide_mm = nerve.radius_mm + 2 * nerve.total_sd_mm
    assert distance.min() == pytest.approx(wide_mm, abs=0.3)
    shells, _, _ = vertices_lps(payload(page, "mesh-ellipsoids"))
    spread = shells[:each].max(axis=0) - shells[:each].min(axis=0)
    assert spread == pytest.approx(2 * np.sqrt(6.2514 * np.array([1.0, 0.32, 3.0])), rel=0.04)
    bones, _, _ = vertices_lps(payload(page, "mesh-bones"))
    assert bones[:, 2].min() < -40 < 40 < bones[:, 2].max()


def test_the_tables_say_what_is_missing(page: str) -> None:
    assert "outside the scan" in page
    assert "level_count" not in page
    assert "Landmarks not found: L5 SAP TP junction" in page
    assert "its natural variation is assumed" in page
    assert "periforaminal arteries" in page
    row = re.search(r'data-lps="(-24\.0,28\.0,41\.0)"[^>]*title="L4 right SAP TP junction', page)
    assert row, "a click on the right L4 landmark goes to its place"


def test_a_case_without_anatomy_still_has_its_page() -> None:
    page = rendered(make_case(), None)
    assert "NO LANDMARKS, NO NERVES: The label map is mirrored." in page
    assert "mesh-landmarks" not in page
    assert "UNKNOWN" in page
    payload(page, "mesh-bones")


def test_a_case_without_labels_still_has_its_page() -> None:
    case = make_case()
    blank = LabelMap(geometry=case.labels.geometry, values=np.zeros_like(case.labels.values))
    inspection = inspect_case(case, reason="The label map shows no vertebra.")
    page = render_inspection_page(case.image, blank, inspection, anatomy=None, sheet=small_picture(), title="case 1")
    assert scene(page)["labels"] == []
    assert "mesh-bones" not in page


def test_a_large_noisy_scan_fits() -> None:
    shape = (512, 512, 200)
    affine = np.diag([0.8, 0.8, 1.25, 1.0])
    affine[:3, 3] = (-205, -205, -125)
    geometry = VolumeGeometry(shape=shape, affine_mm=affine, frame_uid="1.2.826.0.1.3680043.10.1")
    tile = np.random.default_rng(0).normal(40, 60, (64, 64, 50)).astype(np.float32)  # noise hardly packs
    labels = np.zeros(shape, dtype=np.uint16)
    labels[200:300, 220:300, 60:140] = vertebra_value(Vertebra("L4"))
    case = Case(
        uid="large",
        image=Volume(geometry=geometry, values=np.tile(tile, (8, 8, 4)), modality=Modality.CT),
        labels=LabelMap(geometry=geometry, values=labels),
        record=ClinicalRecord(patient_id=""),
        patient_id="",
        patient_position=PatientPosition.HFS,
        acquired_on="",
        series_uid="",
        image_sha256="",
        labels_sha256="",
    )
    page = rendered(case, marked_anatomy())
    assert len(page.encode()) <= PAGE_LIMIT_BYTES
    image = nib.Nifti1Image.from_bytes(payload(page, "image"))
    size = np.linalg.norm(image.affine[:3, :3], axis=0)
    assert 1.2 <= size.max() <= 3.0
    assert f"{size[0]:.3g} x {size[1]:.3g} x {size[2]:.3g} mm" in page


def test_another_script_than_the_tested_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer_script.viewer_script.cache_clear()
    monkeypatch.setattr(viewer_script, "SCRIPT_SHA256", "0" * 64)
    with pytest.raises(InputError, match=r"pip install ipyniivue==2\.4\.4"):
        viewer_script.viewer_script()
    monkeypatch.setattr(viewer_script, "PACKAGE", "no-such-viewer")
    with pytest.raises(InputError, match="not installed"):
        viewer_script.viewer_script()
    viewer_script.viewer_script.cache_clear()


BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def in_browser(page: Path, place: str, profile: Path, *options: str) -> str:
    """The document that a headless browser has made of the page, without any network."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip(f"no browser to open the page with: none of {', '.join(BROWSERS)} is installed")
    command = [
        browser, "--headless=new", "--no-sandbox", "--disable-background-networking", "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader", f"--user-data-dir={profile}", "--virtual-time-budget=90000", *options,
        "--dump-dom", f"{page.as_uri()}#lps={place}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=240, check=False)
    return done.stdout.decode(errors="replace")


@pytest.mark.slow
def test_a_browser_opens_it_from_the_disk_and_shows_left_as_left(page: str, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page, encoding="utf-8")
    made = in_browser(file, "30,28,38", tmp_path / "profile")  # the left transverse process of L4
    state = dict(re.findall(r'data-(viewer|blocked|outside)="([^"]*)"', made[:400]))
    assert state == {"viewer": "ready", "blocked": "0", "outside": "0"}
    shown = re.search(r'id="place">([^<]*)<', made)
    assert shown
    assert shown[1].split() == ["L", "30.0", "P", "28.0", "H", "38.0", "mm", "L4"]


@pytest.mark.slow
def test_without_webgl_the_contact_sheet_takes_the_viewers_place(page: str, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page, encoding="utf-8")
    made = in_browser(file, "0,0,0", tmp_path / "profile", "--disable-3d-apis")
    assert 'data-viewer="none"' in made[:400]
    assert re.search(r'id="no-viewer-reason">This browser offers no WebGL2', made)
    assert re.search(r'<details id="sheet" open', made)
