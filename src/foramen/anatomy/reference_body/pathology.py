"""What can differ in one body from the mean: changes of the column, each with where it is and how strong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foramen.model.levels import Side, Vertebra


class PathologyKind(StrEnum):
    """Kinds of change that a virtual person can have."""

    SCOLIOSIS = "scoliosis"
    DISC_DEGENERATION = "disc_degeneration"
    FACET_ARTHROSIS = "facet_arthrosis"
    STENOSIS = "stenosis"
    LISTHESIS = "listhesis"
    TRANSITIONAL = "transitional"
    OSTEOPOROSIS = "osteoporosis"
    WEDGE_FRACTURE = "wedge_fracture"
    MODIC = "modic"
    FUSION = "fusion"
    LIPOMATOSIS = "lipomatosis"
    NERVE_VARIANT = "nerve_variant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoliosis:
    """A lumbar curve: Cobb angle, the side of its convexity, axial rotation of its apex (bodies to the convexity)."""

    cobb_deg: float
    convex: Side
    rotation_deg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscChange:
    """A degenerate disc below `above`: grade 2 to 5, height left, bulge backwards, gas in it."""

    above: Vertebra
    grade: int
    height_fraction: float
    bulge_mm: float
    has_gas: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetArthrosis:
    """An arthrotic facet joint below `above` on one side, grade 1 to 3."""

    above: Vertebra
    side: Side
    grade: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stenosis:
    """A narrowed sac at the disc below `above`: share of its width and depth that is lost."""

    above: Vertebra
    loss_fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Listhesis:
    """The vertebra `above` and all over it have slipped forwards on the next one (backwards if negative)."""

    above: Vertebra
    slip_mm: float


class TransitionalKind(StrEnum):
    """Unusual counts at the ends of the lumbar spine."""

    L6 = "L6"  # six lumbar vertebrae
    SACRALISED_L5 = "sacralised_L5"  # L5 meets the sacral ala (Castellvi II)
    T13 = "T13"  # thirteen vertebrae with ribs


@dataclass(frozen=True, slots=True, kw_only=True)
class Transitional:
    """An unusual count; `sides` are those on which a sacralised L5 meets the ala."""

    kind: TransitionalKind
    sides: tuple[Side, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WedgeFracture:
    """A body broken at its upper endplate: share of the anterior height that is lost."""

    level: Vertebra
    loss_fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModicChange:
    """Changed marrow on both sides of the disc below `above`: type 1 or 2, and how deep it reaches."""

    above: Vertebra
    type: int
    depth_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fusion:
    """Pedicle screws in `upper` and all bones down to `lower`, with a rod on each side."""

    upper: Vertebra
    lower: Vertebra


@dataclass(frozen=True, slots=True, kw_only=True)
class ConjoinedRoots:
    """The nerve of `above` leaves the sac with that of the vertebra below it, on one side."""

    above: Vertebra
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Pathologies:
    """Everything that differs in one person; empty is the mean body."""

    scoliosis: Scoliosis | None = None
    discs: tuple[DiscChange, ...] = ()
    facets: tuple[FacetArthrosis, ...] = ()
    stenoses: tuple[Stenosis, ...] = ()
    listhesis: Listhesis | None = None
    transitional: Transitional | None = None
    has_osteoporosis: bool = False
    fracture: WedgeFracture | None = None
    modic: ModicChange | None = None
    fusion: Fusion | None = None
    lipomatosis_fraction: float = 0.0
    conjoined: ConjoinedRoots | None = None

    def disc(self, above: Vertebra) -> DiscChange | None:
        """The change of the disc below a vertebra."""
        return next((d for d in self.discs if d.above == above), None)

    def facet_grade(self, above: Vertebra, side: Side) -> int:
        """Grade of the joint below a vertebra on one side, 0 if sound."""
        return next((f.grade for f in self.facets if f.above == above and f.side is side), 0)

    @property
    def kinds(self) -> tuple[PathologyKind, ...]:
        """Kinds of change that are present, in the order of `PathologyKind`."""
        has = {
            PathologyKind.SCOLIOSIS: self.scoliosis is not None,
            PathologyKind.DISC_DEGENERATION: bool(self.discs),
            PathologyKind.FACET_ARTHROSIS: bool(self.facets),
            PathologyKind.STENOSIS: bool(self.stenoses),
            PathologyKind.LISTHESIS: self.listhesis is not None,
            PathologyKind.TRANSITIONAL: self.transitional is not None,
            PathologyKind.OSTEOPOROSIS: self.has_osteoporosis,
            PathologyKind.WEDGE_FRACTURE: self.fracture is not None,
            PathologyKind.MODIC: self.modic is not None,
            PathologyKind.FUSION: self.fusion is not None,
            PathologyKind.LIPOMATOSIS: self.lipomatosis_fraction > 0,
            PathologyKind.NERVE_VARIANT: self.conjoined is not None,
        }
        return tuple(kind for kind in PathologyKind if has[kind])
