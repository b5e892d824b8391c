"""A body made by code: the column with its ribs and pelvis, nerves, muscles, vessels and skin, with their truth.

`reference_vertebra` gives one bone in its own frame; `make_reference_body` a whole body as a CT with labels.
"""

from foramen.anatomy.reference_body.body import ReferenceBody, make_reference_body
from foramen.anatomy.reference_body.vertebra import ReferenceVertebra, reference_vertebra

__all__ = ["ReferenceBody", "ReferenceVertebra", "make_reference_body", "reference_vertebra"]
