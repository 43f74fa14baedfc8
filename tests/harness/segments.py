"""A Runtime of n segments in this process, without Ray: real engines, real parts, and trouble on demand.

    async with running_segments(directory, storage, 3) as runtime: ...

`kill` does to a segment what a signal would, `lose_parts` what the loss of a node would; `before` and `during` let a
test wait for the very moment. `live_parts` tells what nobody has released.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import pyarrow as pa

from mere.errors import MereError
from mere.lake.message import NewFile
from mere.runtime.base import Load, Part, PartsLost, Result, SegmentLost, SegmentState, Task
from mere.segment.engine import Engine, EngineSettings
from mere.segment.locations import Location
from mere.segment.task import Incoming, attempt
from mere.segment.workspace import Stream, Workspace

T = TypeVar("T")
Moment = Callable[[int, Task], Coroutine[Any, Any, None]]


async def _nothing(segment: int, task: Task) -> None:
    pass


class Segments:
    """The Runtime. A killed segment is back after `recovery` seconds; None: only by `revive`."""

    def __init__(self, coordinator: Engine, engines: Sequence[Engine], recovery: float | None = 0.05) -> None:
        self.coordinator = coordinator
        self.recovery = recovery
        self.before: Moment = _nothing  # an attempt is about to start
        self.during: Moment = _nothing  # an attempt has given a part or batch (or written its files), and goes on
        self.attempts: list[tuple[int, Task]] = []
        self._engines = list(engines)
        self._width = len(engines)
        self._up = [True] * len(engines)
        self._restarts = [0] * len(engines)
        self._running: dict[asyncio.Future[Any], tuple[int, asyncio.Future[str]]] = {}
        self._parts: dict[int, pa.Table] = {}
        self._made_by: dict[int, int] = {}  # part -> segment; the coordinator's are not listed
        self._numbers = itertools.count(1)
        self._revivals: set[asyncio.Task[None]] = set()

    # What a test does and sees

    @property
    def live_parts(self) -> int:
        return len(self._parts)

    @property
    def busy(self) -> int:
        """Attempts that run at this moment."""
        return len(self._running)

    def kill(self, segment: int, why: str = "killed by the test", *, with_parts: bool = False) -> None:
        """Its attempts end in SegmentLost. Parts that it made survive it, as in Ray, unless its node goes too."""
        self._up[segment] = False
        for where, lost in list(self._running.values()):
            if where == segment and not lost.done():
                lost.set_result(why)
        if with_parts:
            self.lose_parts(lambda number: self._made_by.get(number) == segment)
        if self.recovery is not None:
            revival = asyncio.ensure_future(self._revive_later(segment, self.recovery))
            self._revivals.add(revival)
            revival.add_done_callback(self._revivals.discard)

    def revive(self, segment: int) -> None:
        self._up[segment] = True
        self._restarts[segment] += 1

    def lose_parts(self, which: Callable[[int], bool] = lambda _: True) -> int:
        """Forgets parts, by handle. How many."""
        gone = [number for number in self._parts if which(number)]
        for number in gone:
            del self._parts[number]
        return len(gone)

    def made_by_a_segment(self, part: int) -> bool:
        """And not by the coordinator, which never loses what it brings along."""
        return part in self._made_by

    async def _revive_later(self, segment: int, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.revive(segment)

    # The Runtime

    @property
    def segments(self) -> int:
        return self._width

    def ready(self) -> Sequence[int]:
        return [number for number in range(self._width) if self._up[number]]

    async def wait_ready(self, timeout: float) -> Sequence[int]:
        deadline = time.monotonic() + timeout
        while not self.ready():
            if time.monotonic() >= deadline:
                raise MereError("no segment answers", sqlstate="57P03")
            await asyncio.sleep(0.005)
        return self.ready()

    async def start(self) -> None:
        await asyncio.gather(self.coordinator.start(), *(engine.start() for engine in self._engines))

    async def close(self) -> None:
        for revival in list(self._revivals):
            revival.cancel()
        await asyncio.gather(self.coordinator.close(), *(engine.close() for engine in self._engines))

    def workspace(self) -> Workspace:
        return self.coordinator.workspace()

    async def local(self, sql: str, parameters: Sequence[object] = ()) -> Stream[pa.RecordBatch]:
        return await self.coordinator.run(sql, parameters)

    async def run(self, segment: int, task: Task) -> Result:
        return await self._unless_lost(segment, self._attempt(segment, task))

    async def put(self, rows: pa.Table) -> Part:
        return self._keep(None, 0, rows)

    async def fetch(self, part: Part) -> pa.Table:
        if part.handle not in self._parts:
            raise PartsLost([part])
        return self._parts[part.handle]

    def release(self, parts: Sequence[Part]) -> None:
        for part in parts:
            self._parts.pop(part.handle, None)

    async def resize(self, segments: int) -> None:
        """Up to as many as there are engines."""
        assert 1 <= segments <= len(self._engines)
        self._width = segments

    def state(self) -> Sequence[SegmentState]:
        return [
            SegmentState(number, "localhost", None, "up" if up else "starting", datetime.now(UTC), restarts)
            for number, (up, restarts) in enumerate(zip(self._up, self._restarts, strict=True))
        ]

    def settings(self) -> Mapping[str, str]:
        return {"runtime": "in this process", "segments": str(self._width)}

    # Its own

    async def _unless_lost(self, segment: int, work: Coroutine[Any, Any, T]) -> T:
        """Cancelled with its caller; ends in SegmentLost when the segment is killed meanwhile."""
        lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        running = asyncio.ensure_future(work)
        self._running[running] = (segment, lost)
        try:
            either: set[asyncio.Future[Any]] = {running, lost}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if lost.done():
                raise SegmentLost(segment, lost.result())
            return running.result()
        finally:
            del self._running[running]
            running.cancel()
            await asyncio.wait({running})
            if lost.done() and not running.cancelled() and running.exception() is None:
                self._forget_late(running.result())

    def _forget_late(self, result: object) -> None:
        if isinstance(result, Result):
            self.release(result.parts)

    async def _begin(self, segment: int, task: Task) -> None:
        self.attempts.append((segment, task))
        await self.before(segment, task)
        if not self._up[segment]:
            raise SegmentLost(segment, "it is down")

    async def _attempt(self, segment: int, task: Task) -> Result:
        started = time.monotonic()
        await self._begin(segment, task)
        incoming = self._incoming(task.loads)
        parts: list[Part] = []
        files: list[NewFile] = []
        try:
            work = attempt(self._engines[segment], task.places, task.sql, incoming, task.output, files)
            async with aclosing(work) as leaving:
                async for target, table in leaving:
                    parts.append(self._keep(segment, target, table))
                    await self.during(segment, task)
                if files:
                    await self.during(segment, task)
        except BaseException:  # also while the workspace closes
            self.release(parts)
            raise
        return Result.of(parts, files, time.monotonic() - started)

    def _incoming(self, loads: Sequence[Load]) -> list[Incoming]:
        return [Incoming(load.table, load.columns, self._arriving(load.parts)) for load in loads]

    async def _arriving(self, parts: Sequence[Part]) -> AsyncGenerator[pa.Table, None]:
        for part in parts:
            yield await self.fetch(part)

    def _keep(self, segment: int | None, target: int, rows: pa.Table) -> Part:
        number = next(self._numbers)
        self._parts[number] = rows
        if segment is not None:
            self._made_by[number] = segment
        return Part(number, target, rows.num_rows, rows.nbytes)


@asynccontextmanager
async def running_segments(
    directory: Path,
    location: Location,
    segments: int,
    *,
    threads: int = 1,
    memory_limit: int = 1 << 30,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Segments]:
    """`directory` is for the engines' own files, `location` the storage that their SQL may read and write."""

    def engine(name: str) -> Engine:
        return Engine(
            EngineSettings(
                directory / name,
                (location,),
                threads,
                memory_limit,
                environment=environment,
                narrow=name != "coordinator",
            )
        )

    runtime = Segments(engine("coordinator"), [engine(f"segment-{number}") for number in range(segments)])
    await runtime.start()
    try:
        yield runtime
    finally:
        await runtime.close()
