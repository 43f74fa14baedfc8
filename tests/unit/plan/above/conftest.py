"""The tables that queries are divided over: one DuckDB for all tests here."""

from __future__ import annotations

import pytest
from harness.dividing import warehouse
from harness.plan_warehouse import Warehouse


@pytest.fixture(scope="session")
def tables() -> Warehouse:
    return warehouse()
