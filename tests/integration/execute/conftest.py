"""Three segments in this process over a directory, and the coordinator beside them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from harness.dispatching import numbers
from harness.mere import MereProcess
from harness.segments import Segments, running_segments

from mere.execute.dispatch import Dispatcher, DispatchOptions
from mere.execute.scans import LakeSource
from mere.segment.storage import Storage


@pytest_asyncio.fixture
async def segments(tmp_path: Path) -> AsyncIterator[Segments]:
    storage = Storage(str(tmp_path / "lake"), {})
    async with running_segments(tmp_path / "engines", storage.location, 3) as runtime:
        yield runtime


@pytest_asyncio.fixture
async def dispatcher(segments: Segments) -> Dispatcher:
    return Dispatcher(segments, DispatchOptions(patience=2.0))


@pytest_asyncio.fixture
async def source(tmp_path: Path) -> LakeSource:
    return numbers(tmp_path / "lake" / "numbers")


@pytest.fixture(scope="package")
def cluster(session_scratch: Path) -> Iterator[MereProcess]:
    """A server with two segments; no table is too small for them."""
    settings = {
        "MERE_SEGMENTS": "2",
        "MERE_DISTRIBUTE_ROWS": "0",
        "MERE_READ_EVERYWHERE_ROWS": "0",
        "MERE_COPY_DIRECTORIES": str(session_scratch),
    }
    server = MereProcess(session_scratch / "cluster", environment=settings)
    server.start()
    try:
        _wait_for_segments(server)
        yield server
    finally:
        try:
            server.stop()
        finally:
            server.destroy()


def _wait_for_segments(server: MereProcess) -> None:
    deadline = time.monotonic() + 90
    with server.client() as client:
        while client.ok("SELECT count(*) FROM mere.segment_configuration WHERE status = 'up'").text != [("2",)]:
            assert time.monotonic() < deadline, "the segments did not come up"
            time.sleep(0.2)
