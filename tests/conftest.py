"""Fixtures for the whole suite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# No test depends on the clock: a busy machine must not fail one.
settings.register_profile("foramen", deadline=None)
settings.load_profile("foramen")

DEFAULT_DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of real test data (FORAMEN_TEST_DATA, default ../shared/data); skips where it is absent."""
    folder = Path(os.environ.get("FORAMEN_TEST_DATA", DEFAULT_DATA))
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}: set FORAMEN_TEST_DATA")
    return folder
