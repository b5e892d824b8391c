"""The reference body as a T1 or T2 image, made from its labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foramen.anatomy.label_tissue import is_shell
from foramen.errors import InputError, KnowledgeError
from foramen.knowledge.facts import number
from foramen.knowledge.labels import label
from foramen.knowledge.thermal import TISSUES
from foramen.model.space import LabelMap, Modality, MrSequence, Volume


def mr_of_labels(labels: LabelMap, sequence: MrSequence, *, generator: np.random.Generator) -> Volume:
    """An MR image of a labelled body: signal by tissue, bone with a dark cortex, Rician noise; air is unlabelled.

    Parameters
    ----------
    labels : LabelMap
        Of a whole body; what is not labelled has no signal.
    sequence : MrSequence
        T1 or T2.
    generator : numpy.random.Generator
        Of the noise.

    Raises
    ------
    InputError
        For another sequence.
    """
    if sequence is MrSequence.UNKNOWN:
        raise InputError("An MR image is made as T1 or T2; choose one of them.")
    table = np.zeros(int(labels.values.max()) + 1, dtype=np.float32)
    is_bone = np.zeros(len(table), dtype=bool)
    for value in np.unique(labels.values):
        entry = label(int(value)) if value else None
        if entry is not None:
            is_bone[value] = entry.tissue == "bone"
            table[value] = _signal(sequence, "bone_cancellous" if is_bone[value] else entry.tissue)
    signal = table[labels.values]
    signal[is_shell(is_bone[labels.values], labels.geometry)] = _signal(sequence, "bone_cortical")
    noise = number("reference_mr.noise_fraction")
    real, imaginary = (noise * generator.standard_normal(signal.shape, dtype=np.float32) for _ in range(2))
    magnitude: NDArray[np.float32] = number("reference_mr.brightest_signal") * np.hypot(signal + real, imaginary)
    values = np.ascontiguousarray(np.rint(magnitude), dtype=np.float32)
    return Volume(geometry=labels.geometry, values=values, modality=Modality.MR, sequence=sequence)


def _signal(sequence: MrSequence, tissue: str) -> float:
    if tissue not in TISSUES:
        raise KnowledgeError(f"There is no tissue {tissue!r} to give an MR signal to.")
    try:
        return number(f"reference_mr.{sequence.lower()}_{tissue}_fraction")
    except KnowledgeError:
        return 0.0  # air, metal and cement have no signal
