"""One made-up case and plan for all tests of the report."""

from __future__ import annotations

import pytest

from foramen.model.anatomy import Anatomy
from foramen.model.case import Case
from foramen.model.plan import Plan
from foramen.report import figures
from report import plan_factory


@pytest.fixture(scope="session")
def case() -> Case:
    return plan_factory.make_case()


@pytest.fixture(scope="session")
def anatomy() -> Anatomy:
    return plan_factory.make_anatomy()


@pytest.fixture(scope="session")
def plan(case: Case) -> Plan:
    return plan_factory.make_plan(case)


@pytest.fixture(scope="session")
def pictures(plan: Plan, case: Case, anatomy: Anatomy) -> dict[str, bytes]:
    return figures(plan, case, anatomy)
