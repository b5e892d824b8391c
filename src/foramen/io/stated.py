"""What a user states about a scan beside its headers: the day, the modality, the MR sequence."""

from __future__ import annotations

import datetime
from dataclasses import replace

from foramen.errors import InputError
from foramen.model.space import Modality, MrSequence, Volume


def require_day(text: str) -> None:
    """Raise `InputError` unless a day of acquisition is empty or a date that has passed."""
    if not text:
        return
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--acquired-on {text!r} is not a date. Write it as 2026-03-10.") from None
    if day > datetime.date.today():
        raise InputError(f"--acquired-on {text} lies in the future. Give the day of the scan.")


def stated_modality(modality: Modality | None, sequence: MrSequence) -> Modality:
    """Modality of an image without headers: as stated, MR where only a sequence is stated, CT otherwise."""
    if modality is None:
        return Modality.CT if sequence is MrSequence.UNKNOWN else Modality.MR
    if modality is Modality.CT and sequence is not MrSequence.UNKNOWN:
        raise InputError(f"--sequence {sequence} belongs to an MR, but --modality is CT. Leave one of them out.")
    return modality


def with_statements(image: Volume, modality: Modality | None, sequence: MrSequence) -> tuple[Volume, str]:
    """A DICOM image with what the user states about it, and a word on it; raises where the headers say otherwise."""
    if modality not in (None, image.modality):
        raise InputError(f"--modality {modality} contradicts the scan (0008,0060): {image.modality}. Leave it out.")
    if image.modality is not Modality.MR:
        if sequence is not MrSequence.UNKNOWN:
            raise InputError(f"--sequence {sequence}: the scan is a {image.modality}. Leave the option out.")
        return image, ""
    if sequence is MrSequence.UNKNOWN or sequence is image.sequence:
        return image, f"; MR, sequence {image.sequence} by its headers"
    if image.sequence is not MrSequence.UNKNOWN:
        raise InputError(f"--sequence {sequence} contradicts the headers of the scan ({image.sequence}). Leave it out.")
    return replace(image, sequence=sequence), f"; MR, sequence {sequence} as stated by the user"
