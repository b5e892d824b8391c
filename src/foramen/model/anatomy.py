"""What the planner knows of one patient's anatomy: bones with frames and landmarks, nerves, keep-outs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import gammaincinv

from foramen.errors import LandmarkError, LevelError
from foramen.model.levels import USUAL_ORDER, Root, Side, Vertebra
from foramen.model.space import FloatArray


class LandmarkName(StrEnum):
    """Landmarks used by techniques, per vertebra and side; those of the midline have no side."""

    SAP_LATERAL_NECK = "sap_lateral_neck"
    SAP_TP_JUNCTION = "sap_tp_junction"
    MAMILLO_ACCESSORY_NOTCH = "mamillo_accessory_notch"
    SACRAL_ALA_NOTCH = "sacral_ala_notch"
    FORAMEN_POSTERIOR_BORDER = "foramen_posterior_border"
    TRANSVERSE_PROCESS_TIP = "transverse_process_tip"
    SAP_TIP = "sap_tip"
    PILLAR_WAIST = "pillar_waist"
    PILLAR_CENTROID = "pillar_centroid"
    PILLAR_POSTERIOR_INFERIOR_EDGE = "pillar_posterior_inferior_edge"
    SUPERIOR_FACET_CENTRE = "superior_facet_centre"
    INFERIOR_FACET_CENTRE = "inferior_facet_centre"
    JOINT_LATERAL_MIDPOINT = "joint_lateral_midpoint"
    ANTERIOR_TUBERCLE = "anterior_tubercle"
    POSTERIOR_TUBERCLE = "posterior_tubercle"
    UNCINATE_TIP = "uncinate_tip"
    LATERAL_MASS_CENTRE = "lateral_mass_centre"
    VERTEBRAL_ARTERY_GROOVE = "vertebral_artery_groove"
    TRANSVERSE_PROCESS_SUPEROLATERAL = "transverse_process_superolateral"
    COSTOTRANSVERSE_JOINT = "costotransverse_joint"
    LAMINA_BASE = "lamina_base"
    POSTERIOR_FORAMEN_S1_LATERAL = "posterior_foramen_s1_lateral"
    POSTERIOR_FORAMEN_S2_LATERAL = "posterior_foramen_s2_lateral"
    POSTERIOR_FORAMEN_S3_LATERAL = "posterior_foramen_s3_lateral"
    POSTERIOR_FORAMEN_S1_CENTRE = "posterior_foramen_s1_centre"
    POSTERIOR_FORAMEN_S2_CENTRE = "posterior_foramen_s2_centre"
    POSTERIOR_FORAMEN_S3_CENTRE = "posterior_foramen_s3_centre"
    SACRAL_HIATUS_APEX = "sacral_hiatus_apex"
    SACRAL_CORNU = "sacral_cornu"
    BASIVERTEBRAL_FORAMEN = "basivertebral_foramen"
    BVN_TERMINUS = "bvn_terminus"

    @property
    def is_midline(self) -> bool:
        """Whether there is one of it, in the midline: its side is None."""
        return self in _OF_THE_MIDLINE

    @property
    def is_tip(self) -> bool:
        """Whether it is the end of a process, which label maps often leave out."""
        return self is LandmarkName.TRANSVERSE_PROCESS_TIP

    @property
    def is_on_bone(self) -> bool:
        """Whether it lies on the bone's surface, not in an opening or within the bone."""
        return self not in _OFF_THE_SURFACE


_OF_THE_MIDLINE = frozenset(
    {LandmarkName.SACRAL_HIATUS_APEX, LandmarkName.BASIVERTEBRAL_FORAMEN, LandmarkName.BVN_TERMINUS}
)
_OFF_THE_SURFACE = frozenset(
    {
        LandmarkName.POSTERIOR_FORAMEN_S1_CENTRE,
        LandmarkName.POSTERIOR_FORAMEN_S2_CENTRE,
        LandmarkName.POSTERIOR_FORAMEN_S3_CENTRE,
        LandmarkName.BVN_TERMINUS,
    }
)


class NerveKind(StrEnum):
    """Kinds of nerve that techniques aim at or keep away from."""

    MEDIAL_BRANCH = "medial_branch"
    DORSAL_RAMUS = "dorsal_ramus"
    SPINAL_NERVE = "spinal_nerve"
    DORSAL_ROOT_GANGLION = "dorsal_root_ganglion"
    THIRD_OCCIPITAL_NERVE = "third_occipital_nerve"
    SYMPATHETIC_CHAIN = "sympathetic_chain"
    STELLATE_GANGLION = "stellate_ganglion"
    LATERAL_BRANCH = "lateral_branch"  # of the sacral dorsal rami, to the sacroiliac joint
    BASIVERTEBRAL_NERVE = "basivertebral_nerve"  # in the vertebral body; in the midline


def sided(words: str, side: Side | None) -> str:
    """Words with the side before them; without one, of the midline, the words alone."""
    return words if side is None else f"{side.value} {words}"


class Origin(StrEnum):
    """How a landmark, nerve or tissue came to be known."""

    TRUTH = "truth"  # of the generator that made the body
    REGISTERED = "registered"  # carried over from the reference vertebra
    MEASURED = "measured"  # read off this patient's labels
    INFERRED_FROM_HU = "inferred_from_hu"
    CONFIRMED = "confirmed"  # by a named person


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VertebraFrame:
    """Axes of a vertebra, so that angles are relative to it.

    Parameters
    ----------
    origin_mm : ndarray, shape (3,)
        Centre of the vertebral body, LPS.
    axes : ndarray, shape (3, 3)
        Columns are unit vectors to the patient's left, posterior and superior as this vertebra has
        them (right-handed); posterior lies in the plane of the superior endplate.
    superior_endplate_mm, inferior_endplate_mm : ndarray, shape (3,)
        Centres of the endplates, LPS.
    """

    origin_mm: FloatArray
    axes: FloatArray
    superior_endplate_mm: FloatArray
    inferior_endplate_mm: FloatArray

    def __post_init__(self) -> None:
        if self.axes.shape != (3, 3) or np.abs(self.axes.T @ self.axes - np.eye(3)).max() > 1e-6:
            raise LandmarkError("The axes of a vertebra must be three orthonormal columns.")
        if np.linalg.det(self.axes) < 0:
            raise LandmarkError("The axes of a vertebra are left-handed: the labels may be mirrored.")

    @property
    def left(self) -> FloatArray:
        """Unit vector to the patient's left."""
        return self.axes[:, 0]

    @property
    def posterior(self) -> FloatArray:
        """Unit vector to the back, in the plane of the superior endplate."""
        return self.axes[:, 1]

    @property
    def superior(self) -> FloatArray:
        """Unit vector towards the head, normal to the superior endplate's sagittal slope."""
        return self.axes[:, 2]

    def to_vertebra(self, points_mm: FloatArray) -> FloatArray:
        """Coordinates (left, posterior, superior; mm from the body's centre) of LPS points."""
        local: FloatArray = (np.asarray(points_mm) - self.origin_mm) @ self.axes
        return local

    def to_lps(self, local_mm: FloatArray) -> FloatArray:
        """LPS points of coordinates in the vertebra's frame."""
        points: FloatArray = np.asarray(local_mm) @ self.axes.T + self.origin_mm
        return points


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Landmark:
    """A named point on a bone, how far it may be off, and the confidence in it.

    Parameters
    ----------
    side : Side or None
        None for a landmark of the midline.
    position_mm : ndarray, shape (3,)
        LPS.
    sd_mm : float
        Standard uncertainty along one axis, the mean of all directions: ``sqrt(trace(covariance) / 3)``.
    confidence_fraction : float
        Probability, under the stated uncertainty, that the landmark lies within the distance that
        `registration.confidence_radius_mm` names.
    covariance_mm2 : ndarray, shape (3, 3), or None
        Covariance of the position, LPS; None if it is alike in all directions.
    """

    name: LandmarkName
    vertebra: Vertebra
    side: Side | None
    position_mm: FloatArray
    sd_mm: float
    confidence_fraction: float
    origin: Origin
    note: str = ""
    covariance_mm2: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.position_mm.shape != (3,) or not np.isfinite(self.position_mm).all():
            raise LandmarkError(f"Landmark {self.name} of {self.vertebra} has no finite position.")
        if not 0 <= self.confidence_fraction <= 1:
            raise LandmarkError("A landmark's confidence is a fraction between 0 and 1.")
        if self.name.is_midline is not (self.side is None):
            raise LandmarkError(
                f"Landmark {self.name} of {self.vertebra}: a side belongs to it, or it is of the midline."
            )
        if self.covariance_mm2 is None:
            return
        if self.covariance_mm2.shape != (3, 3) or np.abs(self.covariance_mm2 - self.covariance_mm2.T).max() > 1e-9:
            raise LandmarkError(f"The covariance of landmark {self.name} of {self.vertebra} is not a symmetric (3, 3).")
        if not np.isclose(np.trace(self.covariance_mm2), 3 * self.sd_mm**2, rtol=1e-6):
            raise LandmarkError(f"The covariance of landmark {self.name} of {self.vertebra} disagrees with its sd_mm.")

    def ellipsoid(self, probability: float) -> tuple[FloatArray, FloatArray]:
        """Half axes (3,), mm, and their directions (3, 3), columns, LPS, of the ellipsoid that holds the landmark.

        Notes
        -----
        A normal law in three dimensions: half axes are ``sqrt(lambda * chi2_3^-1(probability))`` of the covariance's
        eigenvalues ``lambda``, in ascending order.
        """
        covariance = self.sd_mm**2 * np.eye(3) if self.covariance_mm2 is None else self.covariance_mm2
        values, axes = np.linalg.eigh(covariance)
        scale = 2.0 * gammaincinv(1.5, probability)
        half: FloatArray = np.sqrt(np.clip(values, 0.0, None) * scale)
        return half, axes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Nerve:
    """A nerve as a tube about a centreline.

    Parameters
    ----------
    name : str
        In words, such as ``L3 medial branch``.
    root : Root
        Spinal nerve that it belongs to.
    side : Side or None
        None for a nerve in the midline (basivertebral).
    crosses : Vertebra or None
        Bone whose surface it crosses where techniques meet it (L3 medial branch: L4).
    centreline_mm : ndarray, shape (n, 3)
        From proximal to distal, LPS.
    radius_mm : float
        Radius of the nerve.
    variation_sd_mm : float
        Standard deviation of its position, perpendicular to it, against the landmarks of its bone: natural variation
        of nerves (assumed: no labels of people's nerves exist) and fit together.
    landmark_sd_mm : float
        What comes on top because the bone's landmarks themselves are carried over from the reference.
    """

    name: str
    kind: NerveKind
    root: Root
    side: Side | None
    crosses: Vertebra | None
    centreline_mm: FloatArray
    radius_mm: float
    variation_sd_mm: float
    origin: Origin
    landmark_sd_mm: float = 0.0

    @property
    def total_sd_mm(self) -> float:
        """Standard deviation of the nerve's position, perpendicular to it, in the patient."""
        return float(np.hypot(self.variation_sd_mm, self.landmark_sd_mm))

    def __post_init__(self) -> None:
        if self.centreline_mm.ndim != 2 or self.centreline_mm.shape[1] != 3 or len(self.centreline_mm) < 2:
            raise LandmarkError(f"The course of {self.name} needs at least two points (n, 3).")
        if self.radius_mm <= 0 or self.variation_sd_mm < 0:
            raise LandmarkError(f"{self.name}: radius must be above 0 and variation not below 0.")

    @property
    def words(self) -> str:
        """Side and name, such as ``left L3 medial branch``; of the midline only the name."""
        return sided(self.name, self.side)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VertebraAnatomy:
    """One vertebra of this patient: its level, frame and landmarks."""

    level: Vertebra
    frame: VertebraFrame
    landmarks: tuple[Landmark, ...]
    is_complete: bool
    note: str = ""

    def landmark(self, name: LandmarkName, side: Side | None) -> Landmark:
        """The landmark of that name and side (None: midline); raises `LandmarkError` if the image shows it not."""
        for landmark in self.landmarks:
            if landmark.name is name and landmark.side is side:
                return landmark
        raise LandmarkError(
            f"{self.level}: the {sided(name.value.replace('_', ' '), side)} could not be found in this image. "
            f"{self.note or 'Check the label map in the contact sheet (foramen case inspect).'}"
        )


class KeepOutStatus(StrEnum):
    """Whether this patient's own images and labels show a structure."""

    SHOWN = "shown"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepOut:
    """A structure that the needle must not enter.

    Parameters
    ----------
    name : str
        Key such as ``thecal_sac``, ``aorta``, ``spinal_nerve``, ``periforaminal_arteries``.
    status : KeepOutStatus
        UNKNOWN if the patient's images and labels do not show it: it then never counts as clear.
    label_values : tuple of int
        Values in the label map, empty where nerves or nothing show it.
    note : str
        What to do about it, such as "Doppler / live contrast required".
    """

    name: str
    status: KeepOutStatus
    label_values: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCount:
    """How the levels were named and whether that can be trusted."""

    method: str
    is_ambiguous: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anatomy:
    """Everything the planner knows of one patient's spine, in one frame of reference."""

    frame_uid: str
    vertebrae: tuple[VertebraAnatomy, ...]
    nerves: tuple[Nerve, ...]
    keep_outs: tuple[KeepOut, ...]
    level_count: LevelCount
    is_patient_specific: bool = True
    notes: tuple[str, ...] = ()

    def vertebra(self, level: Vertebra) -> VertebraAnatomy:
        """The vertebra of that level; raises `LevelError` with what is in the image."""
        for vertebra in self.vertebrae:
            if vertebra.level == level:
                return vertebra
        raise LevelError(self._why_absent(level))

    def _why_absent(self, level: Vertebra) -> str:
        """Why a level cannot be used, and what to do: too little of it, a gap in the labels, or out of the image."""
        found = ", ".join(str(v.level) for v in self.vertebrae) or "none"
        own = [note for note in self.notes if note.startswith((f"{level}:", f"{level} "))]
        if own:
            return f"{level} cannot be used in this image: {' '.join(own)} (Usable: {found}.)"
        rank = USUAL_ORDER.index(level.name) if level.name in USUAL_ORDER else -1
        ranks = [USUAL_ORDER.index(v.level.name) for v in self.vertebrae if v.level.name in USUAL_ORDER]
        if ranks and min(ranks) < rank < max(ranks):
            return (
                f"{level} is not labelled, although vertebrae above and below it are (usable: {found}). Add it to the "
                "label map, check the count (foramen case inspect) and import again."
            )
        return (
            f"{level} is not labelled in this image (usable: {found}). Label it if the image shows it, or import a "
            "scan that reaches it."
        )

    def nerve(self, kind: NerveKind, root: Root, side: Side | None) -> Nerve:
        """The nerve of that kind, root and side (None: midline); raises `LandmarkError` if it was not placed."""
        for nerve in self.nerves:
            if nerve.kind is kind and nerve.root == root and nerve.side is side:
                return nerve
        raise LandmarkError(
            f"The {sided(f'{root} {kind.value}'.replace('_', ' '), side)} could not be placed on this image: "
            "its bone is missing or only partly in view."
        )
