"""Servers of their own for tests that kill them; their storage is a folder, for speed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.mere import MereProcess


@pytest.fixture(scope="session")
def victim(session_scratch: Path) -> Iterator[MereProcess]:
    """The one server that all these tests kill; each start after the first is a recovery."""
    server = MereProcess(session_scratch / "victim")
    try:
        yield server
    finally:
        server.destroy()


@pytest.fixture
def doomed(victim: MereProcess) -> MereProcess:
    """A running server with an empty schema public."""
    if victim.process is None or victim.process.poll() is not None:
        victim.start()
    with victim.client() as client:
        client.ok("DROP SCHEMA IF EXISTS public CASCADE")
        client.ok("CREATE SCHEMA public")
    return victim
