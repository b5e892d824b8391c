"""One planned reference body for all tests of the chain (made once: it takes the longest)."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from foramen import api
from foramen.cli.entry import main
from foramen.model.case import Case
from foramen.workflow import Planned

TECHNIQUE = "lumbar_medial_branch_rf"
COARSE_MM = 1.5  # coarse enough to be quick, fine enough for landmarks


@dataclass(frozen=True)
class Chain:
    """A case, where it was saved, its plan, and where that was saved."""

    case: Case
    case_path: Path
    planned: Planned
    saved: api.Saved


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Exit code of `foramen ARGUMENTS`."""
    monkeypatch.setattr(sys, "argv", ["foramen", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def short_plan(case: Case) -> Planned:
    """The left L4-L5 joint with one short lesion."""
    return api.plan(
        case,
        technique=TECHNIQUE,
        level="L4-L5",
        side="left",
        procedure_at=api.REFERENCE_PROCEDURE_AT,
        lesions=1,
        time_s=30,
    )


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """The reference body at 1.5 mm, saved, planned on the left L4-L5 joint with one short lesion, and saved."""
    folder = tmp_path_factory.mktemp("chain")
    case = api.reference_case(spacing_mm=COARSE_MM)
    planned = short_plan(case)
    api.save_case(case, folder / "case", anatomy=planned.anatomy)
    saved = api.save_in_case(planned, case, case_path=folder / "case")
    return Chain(case=case, case_path=folder / "case", planned=planned, saved=saved)
