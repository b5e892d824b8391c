"""How each label looks on CT, on MR and to ultrasound: tables by label value, so that one label map makes all images.

CT numbers: `hu_of_label` of `tissue_hu`. A label of bone stands for spongy bone; its cortical shell is told by depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.reference_body.tissue_hu import GAS_VALUE
from foramen.errors import KnowledgeError
from foramen.knowledge.facts import number
from foramen.knowledge.labels import FIRST_STRUCTURE, Label, label

Table = NDArray[np.float32]

TABLE_LENGTH = FIRST_STRUCTURE + 1000
"""Label values in use lie below it."""

NEPER_PER_M_TO_DB_PER_CM = 0.08685889638
"""Decibels per centimetre in one neper per metre: 20 / ln(10) / 100."""

_BY_NAME = {"nucleus_pulposus": "nucleus", "cord_grey_matter": "grey_matter"}
"""Structures that MR shows otherwise than the rest of their tissue."""


class Weighting(StrEnum):
    """Weighting of an MR image."""

    T1 = "t1"
    T2 = "t2"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AcousticTables:
    """Acoustic properties by label value (n,), float32; NaN where nothing is known of a tissue.

    Parameters
    ----------
    density_kg_per_m3, speed_m_per_s : ndarray
        Mass density and speed of sound.
    attenuation_dB_per_cm, attenuation_exponent : ndarray
        ``a0`` and ``b`` of the attenuation ``a0 f^b`` with ``f`` in MHz.
    """

    density_kg_per_m3: Table
    speed_m_per_s: Table
    attenuation_dB_per_cm: Table
    attenuation_exponent: Table


@cache
def mr_signal_of_label(weighting: Weighting) -> Table:
    """Table of MR signal, relative to the brightest tissue, by label value; unlabelled is air."""
    signals = {name: mr_signal(weighting, name) for name in ("air", "bone_cancellous")}
    table = np.full(TABLE_LENGTH, signals["air"], dtype=np.float32)
    table[1:FIRST_STRUCTURE] = signals["bone_cancellous"]
    for entry in _labels():
        name = _BY_NAME.get(entry.name, "bone_cancellous" if entry.tissue == "bone" else entry.tissue)
        table[entry.value] = mr_signal(weighting, name)
    table[GAS_VALUE] = signals["air"]
    table.setflags(write=False)
    return table


def mr_signal(weighting: Weighting, tissue: str) -> float:
    """Signal of a tissue relative to the brightest; raises `KnowledgeError` if none is known."""
    return number(f"tissue_contrast.{weighting.value}_{tissue}")


@cache
def acoustic_tables() -> AcousticTables:
    """Density, speed of sound and attenuation by label value; unlabelled is air, bone is spongy bone."""
    density, speed, attenuation, exponent = (np.full(TABLE_LENGTH, np.nan, dtype=np.float32) for _ in range(4))
    properties = {tissue: _acoustic(tissue) for tissue in {"air", *(_tissue(entry) for entry in _labels())}}
    rows = [(0, "air"), (GAS_VALUE, "air"), *((entry.value, _tissue(entry)) for entry in _labels())]
    for value, tissue in rows:
        density[value], speed[value], attenuation[value], exponent[value] = properties[tissue]
    for table in (density, speed, attenuation, exponent):
        table.setflags(write=False)
    return AcousticTables(
        density_kg_per_m3=density,
        speed_m_per_s=speed,
        attenuation_dB_per_cm=attenuation,
        attenuation_exponent=exponent,
    )


def _acoustic(tissue: str) -> tuple[float, float, float, float]:
    """Density, speed, attenuation (dB/cm at 1 MHz) and its exponent; NaN for what no source states (metal, cement)."""
    try:
        speed = number(f"tissue_contrast.{tissue}_speed_m_per_s")
    except KnowledgeError:
        return np.nan, np.nan, np.nan, np.nan
    attenuation = NEPER_PER_M_TO_DB_PER_CM * number(f"tissue_contrast.{tissue}_attenuation_Np_per_m")
    exponent = number(f"tissue_contrast.{tissue}_attenuation_exponent")
    return number(f"tissues.{tissue}_density_kg_per_m3"), speed, attenuation, exponent


def _tissue(entry: Label) -> str:
    return "bone_cancellous" if entry.tissue == "bone" else entry.tissue


@cache
def _labels() -> tuple[Label, ...]:
    """Everything that the label table knows, vertebral parts included."""
    found = (label(value) for value in range(1, TABLE_LENGTH))
    return tuple(entry for entry in found if entry is not None)
