"""The page of an inspection: everything in one HTML file that opens from the disk without any network."""

from __future__ import annotations

import base64
import gzip
import io
import json
from dataclasses import dataclass
from importlib import resources

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import NDArray
from PIL import Image

from foramen import __version__
from foramen.errors import ImageError
from foramen.io.compact_nifti import CompactImage, compact_image, compact_labels, labels_nifti
from foramen.io.inspect import Inspection
from foramen.knowledge.facts import number, numbers
from foramen.knowledge.labels import FIRST_STRUCTURE, label
from foramen.model.anatomy import Anatomy
from foramen.model.levels import VERTEBRA_NUMBERS
from foramen.model.space import LabelMap, Modality, Volume
from foramen.report.anatomy_marks import MARK_LOOKS, course_colour, landmark_words
from foramen.report.inspection_meshes import PageMesh, inspection_meshes
from foramen.report.label_overlay import label_colour
from foramen.report.messages import message
from foramen.report.palette import BONE_WINDOW, SOFT_WINDOW, rgb
from foramen.report.spine_cuts import find_spine
from foramen.report.viewer_script import LICENSE_LINE, viewer_license, viewer_script

PAGE_LIMIT_BYTES = 15_000_000
"""No page is larger than this."""

LABELS_LIMIT_BYTES = 1_500_000
IMAGE_LIMIT_BYTES = 7_000_000
"""The image's copy is made coarser until its file is not larger, nor the page."""

TEXT_BYTES = 400_000
"""Room for the page's words, tables and styles."""

FALLBACK_QUALITY = 80

SEEN_MM = 230.0
"""Length that the cuts show at first of a longer scan."""

MOST_LABELS = 255

_NAMES = {number: name for name, number in VERTEBRA_NUMBERS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """One label of the page's small label map: its number there, its name and colour."""

    value: int
    name: str
    colour: str


def render_inspection_page(
    image: Volume,
    labels: LabelMap,
    inspection: Inspection,
    *,
    anatomy: Anatomy | None,
    sheet: bytes,
    title: str,
) -> str:
    """Self-contained HTML of an inspection, at most 15 MB, with a viewer of the scan and everything found in it.

    Parameters
    ----------
    image, labels : Volume, LabelMap
        On one grid. The page holds a copy of 256 grey levels, coarser where it must be; it says how much.
    inspection : Inspection
        Of the same case and anatomy.
    anatomy : Anatomy or None
        Its landmarks and nerves are drawn.
    sheet : bytes
        PNG of the contact sheet, shown below, and instead of the viewer where the browser has no WebGL2.
    title : str
        What the page calls the case; no patient's name.

    Raises
    ------
    InputError
        If the viewer's script is missing or another one than Foramen was tested with.
    ImageError
        If even a coarse copy of the scan does not fit into the page.
    """
    script = gzip.compress(viewer_script(), compresslevel=9, mtime=0)
    meshes = inspection_meshes(labels, anatomy)
    picture = _jpeg(sheet)
    table, shown = _label_table(labels)
    files = [script, picture, *(mesh.content for mesh in meshes)]
    room = (PAGE_LIMIT_BYTES - TEXT_BYTES) * 3 // 4 - sum(map(len, files)) - LABELS_LIMIT_BYTES
    copy = compact_image(image, limit_bytes=min(IMAGE_LIMIT_BYTES, room))
    small_labels = labels_nifti(*compact_labels(labels, table, copy.factors))
    page = _fill(inspection, anatomy, image, labels, copy, small_labels, shown, meshes, script, picture, title)
    size = len(page.encode())
    if size > PAGE_LIMIT_BYTES:
        raise ImageError(
            f"The page of this case is {size / 1e6:.1f} MB, the limit is {PAGE_LIMIT_BYTES / 1e6:g} MB. "
            "Cut the scan to the spine and import it again."
        )
    return page


def _fill(
    inspection: Inspection,
    anatomy: Anatomy | None,
    image: Volume,
    labels: LabelMap,
    copy: CompactImage,
    small_labels: bytes,
    shown: tuple[_Shown, ...],
    meshes: tuple[PageMesh, ...],
    script: bytes,
    picture: bytes,
    title: str,
) -> str:
    environment = Environment(
        loader=PackageLoader("foramen.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["landmark"] = landmark_words
    environment.filters["words"] = lambda text: str(text).replace("_", " ")
    payloads = {
        "viewer-script": _text(script),
        "image": _text(copy.content),
        "labels": _text(small_labels),
        **{f"mesh-{mesh.key}": _text(mesh.content) for mesh in meshes},
    }
    windows = _windows(copy, image.modality)
    scene = {
        "labels": [{"value": s.value, "name": s.name, "rgb": [round(255 * c) for c in rgb(s.colour)]} for s in shown],
        "meshes": [{"key": mesh.key, "opacity": mesh.opacity_fraction, "onCuts": mesh.is_on_cuts} for mesh in meshes],
        "windows": windows,
        "start_lps_mm": [round(float(x), 2) for x in _start(labels)],
    }
    return environment.get_template("inspection.html.j2").render(
        i=inspection,
        t=message,
        title=title,
        version=__version__,
        copy=copy,
        payloads=payloads,
        scene=json.dumps(scene).replace("</", "<\\/"),
        code=resources.files("foramen.report").joinpath("templates/inspection.js").read_text(encoding="utf-8"),
        picture=_text(picture),
        shown=shown,
        windows=list(windows),
        meshes=[mesh.key for mesh in meshes],
        marks={word: look.colour for word, look in MARK_LOOKS.items()},
        nerve_colours={nerve.kind.value: course_colour(nerve.kind) for nerve in anatomy.nerves} if anatomy else {},
        within_mm=number("registration.confidence_radius_mm"),
        bands=numbers("display.confidence_bands_fraction"),
        tube_sd=number("display.tube_sd"),
        ellipsoid=number("display.ellipsoid_fraction"),
        made_with=LICENSE_LINE,
        licence=viewer_license(),
        zoom=_zoom(image),
    )


def _windows(copy: CompactImage, modality: Modality) -> dict[str, list[float]]:
    """Display windows by name, as the viewer's least and greatest value; those in Hounsfield units only for CT."""
    windows = {"soft": SOFT_WINDOW, "bone": BONE_WINDOW} if modality is Modality.CT else {}
    return {**{name: list(window.limits) for name, window in windows.items()}, "all": [copy.low, copy.high]}


def _start(labels: LabelMap) -> NDArray[np.float64]:
    """Where the cuts begin: in the middle vertebra."""
    spine = find_spine(labels)
    middle: NDArray[np.float64] = spine.centres_mm[len(spine.centres_mm) // 2]
    return middle


def _zoom(image: Volume) -> float:
    """How much the cuts are enlarged at first, so that about as much is seen of a large scan as of a small one."""
    extent_mm = float(np.max(np.array(image.geometry.shape) * image.geometry.spacing_mm))
    return round(float(np.clip(extent_mm / SEEN_MM, 1.0, 3.0)), 1)


def _label_table(labels: LabelMap) -> tuple[NDArray[np.uint8], tuple[_Shown, ...]]:
    """Small number of each label value (the parts of a vertebra share one), and what these mean."""
    present = np.flatnonzero(np.bincount(labels.values.ravel()))
    table = np.zeros(int(present.max(initial=0)) + 1, dtype=np.uint8)
    numbers_of: dict[str, int] = {}
    shown: list[_Shown] = []
    for value in present[present > 0]:
        colour, meaning = label_colour(int(value)), label(int(value))
        if colour is None or meaning is None:
            continue
        name = _NAMES[int(value) // 100] if value < FIRST_STRUCTURE else meaning.name.replace("_", " ")
        if name not in numbers_of:
            if len(shown) == MOST_LABELS:
                raise ImageError(f"The label map has more than {MOST_LABELS} structures. Merge some and import again.")
            numbers_of[name] = len(shown) + 1
            shown.append(_Shown(value=numbers_of[name], name=name, colour=colour))
        table[value] = numbers_of[name]
    return table, tuple(shown)


def _jpeg(png: bytes) -> bytes:
    """The picture as a JPEG, which takes a quarter of the room."""
    stream = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(stream, format="jpeg", quality=FALLBACK_QUALITY, optimize=True)
    return stream.getvalue()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
