"""Fixtures for the suites that run over the shared server; a suite's conftest imports those that it needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.client import Client
from harness.mere import MereProcess
from harness.workspace import Workspace, workspace


@pytest.fixture
def space(mere: MereProcess) -> Iterator[Workspace]:
    """A schema of the test's own."""
    with workspace(mere) as fresh:
        yield fresh


@pytest.fixture
def client(space: Workspace) -> Client:
    """A session in that schema."""
    return space.client()
