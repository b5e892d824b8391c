"""The stored validation tables belong to the code and knowledge as they are now."""

from __future__ import annotations

import json

import pytest
from benchmarks.validate import LEDGER, TABLES, digest


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_not_stale(name: str) -> None:
    ledger = json.loads(LEDGER.read_text(encoding="utf-8"))
    assert ledger.get(name) == digest(name), f"docs/validation/{name}.md is stale: run `make validate` and commit it."
    assert (LEDGER.parent / f"{name}.md").is_file()
