"""Every exception that Foramen raises on purpose.

::

    ForamenError
    ├── InputError            what the user gave cannot be used            (exit 2)
    │   ├── ImageError        a scan or label map is damaged or unsuited
    │   ├── FrameError        two things in different frames were combined
    │   ├── LevelError        a level or side is misspelt, of a wrong kind or absent
    │   ├── RecordError       a clinical record is damaged or of another patient
    │   ├── LandmarkError     the image cannot support an anatomical landmark
    │   ├── KnowledgeError    a knowledge file is wrong; carries file and position
    │   └── CaseError         a case or plan folder is damaged, locked or does not match
    ├── PlanRejected          no plan satisfies the hard limits             (exit 3)
    └── SolverError           an equation was not solved to its tolerance   (exit 1)

A message says what was wrong, the value, the limit, and what to do next.
"""

from __future__ import annotations

__all__ = [
    "CaseError",
    "ForamenError",
    "FrameError",
    "ImageError",
    "InputError",
    "KnowledgeError",
    "LandmarkError",
    "LevelError",
    "PlanRejected",
    "RecordError",
    "SolverError",
]


class ForamenError(Exception):
    """Base of every deliberate failure; `exit_code` is what the command line returns."""

    exit_code = 1


class InputError(ForamenError):
    """The user's input cannot be used."""

    exit_code = 2


class ImageError(InputError):
    """A scan or label map is damaged, incomplete or of an unsuited kind."""


class FrameError(InputError):
    """Objects of different frames of reference were combined without a transform."""


class LevelError(InputError):
    """A level or side is misspelt, of the wrong kind, or not in the image."""


class RecordError(InputError):
    """A clinical record is damaged, contradictory or belongs to another patient."""


class LandmarkError(InputError):
    """The image cannot support an anatomical landmark."""


class KnowledgeError(InputError):
    """A knowledge file violates its schema; the message names file and position."""


class CaseError(InputError):
    """A case or plan folder is damaged, locked, full or does not match its image."""


class PlanRejected(ForamenError):
    """No plan satisfies the hard limits."""

    exit_code = 3


class SolverError(ForamenError):
    """An equation was not solved to its tolerance."""
