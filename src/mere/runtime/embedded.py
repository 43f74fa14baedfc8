"""The embedded runtime: one segment in the coordinator's own process, with all its cores. The default; needs no Ray.

Nothing is ever distributed over it; as a segment it still does what one does, with parts that are Arrow tables.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mere.errors import MereError
from mere.lake.message import NewFile
from mere.runtime.base import Load, Part, Result, SegmentState, Task
from mere.segment.engine import Engine
from mere.segment.task import Incoming, attempt
from mere.segment.workspace import Stream, Workspace

if TYPE_CHECKING:
    import pyarrow as pa


class EmbeddedRuntime:
    """A Runtime of one segment around an engine, which it starts and closes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._started: datetime | None = None

    @property
    def segments(self) -> int:
        return 1

    def ready(self) -> Sequence[int]:
        return (0,)

    async def wait_ready(self, timeout: float) -> Sequence[int]:
        return (0,)

    async def start(self) -> None:
        await self.engine.start()
        self._started = datetime.now(UTC)

    async def close(self) -> None:
        await self.engine.close()

    def workspace(self) -> Workspace:
        return self.engine.workspace()

    async def local(self, sql: str, parameters: Sequence[object] = ()) -> Stream[pa.RecordBatch]:
        return await self.engine.run(sql, parameters)

    async def run(self, segment: int, task: Task) -> Result:
        started = time.monotonic()
        files: list[NewFile] = []
        work = attempt(self.engine, task.places, task.sql, _incoming(task.loads), task.output, files)
        async with aclosing(work) as leaving:
            parts = [_part(target, rows) async for target, rows in leaving]
        return Result.of(parts, files, time.monotonic() - started)

    async def put(self, rows: pa.Table) -> Part:
        return _part(0, rows)

    async def fetch(self, part: Part) -> pa.Table:
        return part.handle

    def release(self, parts: Sequence[Part]) -> None:
        """Python frees them."""

    async def resize(self, segments: int) -> None:
        raise MereError(
            "this warehouse has no segments of its own",
            sqlstate="55000",
            hint="Start it with --segments to have some.",
        )

    def state(self) -> Sequence[SegmentState]:
        return [SegmentState(0, socket.gethostname(), os.getpid(), "up", self._started, 0)]

    def settings(self) -> Mapping[str, str]:
        return {"runtime": "embedded"}


def _part(target: int, rows: pa.Table) -> Part:
    return Part(rows, target, rows.num_rows, rows.nbytes)


def _incoming(loads: Sequence[Load]) -> list[Incoming]:
    return [Incoming(load.table, load.columns, _arriving(load.parts)) for load in loads]


async def _arriving(parts: Sequence[Part]) -> AsyncGenerator[pa.Table, None]:
    for part in parts:
        yield part.handle
