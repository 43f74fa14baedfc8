"""Servers of their own for tests that kill them; their storage is a folder, for speed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.mere import MereProcess


@pytest.fixture
def doomed(scratch: Path) -> Iterator[MereProcess]:
    """A fresh running server that only this test uses."""
    server = MereProcess(scratch / "mere")
    server.start()
    try:
        yield server
    finally:
        server.destroy()
