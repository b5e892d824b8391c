"""Every technique is found by its file, goes by its names and states what it needs."""

from __future__ import annotations

import pytest

from foramen.errors import InputError, LevelError
from foramen.knowledge.technique_facts import technique_knowledge
from foramen.model.anatomy import LandmarkName
from foramen.model.levels import Segment, Vertebra
from foramen.techniques import all_techniques, search, technique


@pytest.mark.parametrize("entry", all_techniques(), ids=lambda entry: entry.id)
def test_every_technique_has_its_knowledge_file(entry):
    assert technique_knowledge(entry.id).id == entry.id


def test_rhizotomy_means_medial_branch_rf_and_says_what_it_is_not():
    assert technique("rhizotomy").id == "lumbar_medial_branch_rf"
    ((_, note),) = search("rhizotomy")
    assert "not decompression" in note


def test_an_unknown_technique_lists_those_there_are():
    with pytest.raises(InputError, match="lumbar_medial_branch_rf"):
        technique("leeches")
    with pytest.raises(InputError, match="no technique"):
        technique("")


def test_a_joint_needs_the_bones_that_its_nerves_cross():
    rf = technique("lumbar_medial_branch_rf")
    assert rf.needs_vertebrae(Segment("L5-S1")) == (Vertebra("L5"), Vertebra("S1"))
    needed = rf.needs_landmarks(Segment("L4-L5"))
    assert (Vertebra("L4"), LandmarkName.FORAMEN_POSTERIOR_BORDER) in needed
    with pytest.raises(LevelError, match="motion segment"):
        rf.needs_vertebrae(Vertebra("L4"))
