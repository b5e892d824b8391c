"""Looking at a case before trusting it: what it contains, as data, picture and page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from foramen.anatomy.of_case import anatomy_of
from foramen.errors import ImageError, LandmarkError, LevelError
from foramen.io.atomic_file import write_bytes
from foramen.io.inspect import Inspection, inspect_case
from foramen.io.own_file import require_replaceable
from foramen.model.anatomy import Anatomy
from foramen.model.case import Case
from foramen.report.annotation import stamped
from foramen.report.contact_sheet import contact_sheet
from foramen.report.inspection_page import render_inspection_page
from foramen.report.messages import message

CONTACT_SHEET_FILE = "contact_sheet.png"
"""Name of the contact sheet in a case folder."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inspected:
    """A case with the anatomy that planning would use (None where it cannot be found) and the inspection of both."""

    case: Case
    anatomy: Anatomy | None
    inspection: Inspection

    @property
    def title(self) -> str:
        """What pictures and pages call the case; no patient's name."""
        return f"case {self.case.uid[-12:]}"


def inspect(case: Case) -> Inspection:
    """What a case contains: levels, landmarks, nerves, and what is missing for which technique."""
    return inspect_with_anatomy(case).inspection


def inspect_labels(case: Case) -> Inspection:
    """What a case contains as far as its labels tell; landmarks and nerves are not looked for."""
    return inspect_case(case)


def inspect_with_anatomy(case: Case) -> Inspected:
    """The inspection of a case with the anatomy that it tells of, for pictures and pages.

    Where the anatomy cannot be found (labels that are missing, mirrored or beside the bone, another modality) the
    inspection says why.
    """
    try:
        anatomy = anatomy_of(case)
    except (ImageError, LandmarkError, LevelError) as failure:
        return Inspected(case=case, anatomy=None, inspection=inspect_case(case, reason=str(failure)))
    return Inspected(case=case, anatomy=anatomy, inspection=inspect_case(case, anatomy))


def contact_sheet_of(inspected: Inspected) -> bytes:
    """PNG of the contact sheet."""
    sheet = contact_sheet(
        inspected.case.image,
        inspected.case.labels,
        title=inspected.title,
        anatomy=inspected.anatomy,
        inspection=inspected.inspection,
    )
    return sheet if inspected.case.is_patient_specific else stamped(sheet, message("basis.not_patient"))


def save_contact_sheet(case: Case, path: str | Path, *, inspected: Inspected | None = None) -> Path:
    """Write the contact sheet of a case: labels, levels, landmarks and nerves drawn on its scan, R and L printed.

    Raises
    ------
    CaseError
        If `path` is a file that Foramen did not write, or cannot be written.
    """
    target = Path(path)
    require_replaceable(target)
    write_bytes(target, contact_sheet_of(inspected or inspect_with_anatomy(case)))
    return target


def save_inspection_page(
    case: Case, path: str | Path, *, inspected: Inspected | None = None, sheet: bytes | None = None
) -> Path:
    """Write the inspection as one HTML file of at most 15 MB that opens from the disk, with a viewer of the scan.

    Parameters
    ----------
    inspected : Inspected, optional
        Of the case; made here without it.
    sheet : bytes, optional
        PNG of the contact sheet; drawn here without it.

    Raises
    ------
    InputError
        If the viewer's script is missing, or not the one that Foramen was tested with.
    CaseError
        If `path` is a file that Foramen did not write, or cannot be written.
    """
    target = Path(path)
    require_replaceable(target)
    known = inspected or inspect_with_anatomy(case)
    page = render_inspection_page(
        case.image,
        case.labels,
        known.inspection,
        anatomy=known.anatomy,
        sheet=sheet or contact_sheet_of(known),
        title=known.title,
    )
    write_bytes(target, page.encode())
    return target
