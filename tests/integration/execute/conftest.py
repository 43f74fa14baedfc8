"""Three segments in this process over a directory, and the coordinator beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from harness.dispatching import numbers
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
