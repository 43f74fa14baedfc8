"""The Ray runtime: n segments, each an actor; motions in Ray's object store. Lives in the coordinator process.

Until Ray is up, and whenever no segment is, `ready()` is empty and all work is the coordinator's own engine's. Parts go
by numbers of ours, so that releasing one frees it whoever still holds the `Part`.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import logging
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from mere.errors import MereError, StartupError
from mere.runtime.base import Part, PartsLost, Result, SegmentLost, SegmentState, Task
from mere.runtime.ray_host import RayHost
from mere.runtime.ray_settings import RaySettings
from mere.segment.engine import Engine
from mere.segment.workspace import Stream, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mere.runtime.ray_attempt import Attempt
    from mere.runtime.ray_fleet import Fleet
    from mere.runtime.ray_segment import Ending, Order

log = logging.getLogger(__name__)

_FETCH_SECONDS = 60.0
_SMALL_BYTES = 64 * 2**10  # kept here, and sent along with the tasks that read it
_AGAIN_SECONDS = 5.0  # between attempts to reach Ray


@dataclass(frozen=True, slots=True)
class _Stored:
    """`value` is an object reference, or the rows themselves when they are few. `node` is where the part was made, and
    where it lies unless others have asked for it; None: here. `lost` is set when it is gone with its node."""

    value: Any
    node: str | None
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def here(self) -> bool:
        return isinstance(self.value, pa.Table)


class RayRuntime:
    """`start()` opens the coordinator's engine and returns; Ray comes up behind it."""

    def __init__(self, engine: Engine, settings: RaySettings) -> None:
        self.engine = engine
        self._settings = settings
        self._gone = asyncio.Event()
        self._changed = asyncio.Event()  # segments came or went
        self._host = RayHost(settings, self._gone.set)
        self._fleet: Fleet | None = None
        self._width = settings.segments
        self._parts: dict[int, _Stored] = {}
        self._numbers = itertools.count(1)
        self._running: dict[Attempt, Task] = {}
        self._keeping_up: asyncio.Task[None] | None = None

    @property
    def segments(self) -> int:
        return self._fleet.width if self._fleet is not None else self._width or 1

    def ready(self) -> Sequence[int]:
        return self._fleet.ready() if self._fleet is not None else ()

    async def wait_ready(self, timeout: float) -> Sequence[int]:
        """Also while Ray itself is being started again."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while not self.ready():
                    self._changed.clear()
                    await self._changed.wait()
        if found := self.ready():
            return found
        raise MereError(
            f"no segment answered within {timeout:g} s",
            sqlstate="57P03",
            hint="mere.segment_configuration shows the segments.",
        )

    async def start(self) -> None:
        await self.engine.start()
        self._keeping_up = asyncio.ensure_future(self._keep_up())

    async def close(self) -> None:
        if self._keeping_up is not None:
            self._keeping_up.cancel()
            await asyncio.wait({self._keeping_up})
        await self._go_down()
        await self.engine.close()

    async def _keep_up(self) -> None:
        """Brings Ray up, and again should it go down as a whole; then nothing is left of its parts."""
        while True:
            self._gone.clear()
            try:
                await self._host.start()
                module = await asyncio.to_thread(importlib.import_module, "mere.runtime.ray_fleet")
                told = module.Told(self._changed.set, self._node_lost, self._gone.set)
                fleet: Fleet = module.Fleet(self._settings, self._width, told)
                await fleet.open()
                self._fleet = fleet
                await self._gone.wait()
                log.error("Ray is gone; it is started again")
                pause = 0.0
            except (StartupError, ConnectionError) as error:
                log.error("%s; trying again", error)
                pause = _AGAIN_SECONDS
            await self._go_down()
            await asyncio.sleep(pause)

    async def _go_down(self) -> None:
        fleet, self._fleet = self._fleet, None
        self._lose_parts(list(self._parts))
        if fleet is not None:
            await fleet.close()
        await self._host.stop()

    def workspace(self) -> Workspace:
        return self.engine.workspace()

    async def local(self, sql: str, parameters: Sequence[object] = ()) -> Stream[pa.RecordBatch]:
        return await self.engine.run(sql, parameters)

    async def run(self, segment: int, task: Task) -> Result:
        with self._attempt(segment, task) as attempt:
            live = attempt.live
            values: Sequence[Any]
            ending: Ending | None = await attempt.result_of(live.actor.run.remote(attempt.order))
            if ending is not None:
                values = ending.tables
            else:
                generator = live.actor.parts.options(num_returns="streaming").remote(attempt.order.key)
                await attempt.result_of(generator.completed())
                *values, last = generator
                ending = await attempt.result_of(last)
            await self._check(ending, task)
            parts = tuple(
                Part(self._keep(_Stored(value, live.opened.node)), *described)
                for value, described in zip(values, ending.parts, strict=True)
            )
            attempt.ended = True
        return Result(parts, ending.rows, ending.bytes, ending.seconds, ending.files, ending.peak_memory)

    async def running(self, segment: int) -> int:
        """How many attempts the segment says that it runs."""
        assert self._fleet is not None
        return await self._fleet.running(segment)

    async def put(self, rows: pa.Table) -> Part:
        return Part(self._keep(await self._stored_here(rows)), 0, rows.num_rows, rows.nbytes)

    async def fetch(self, part: Part) -> pa.Table:
        stored = self._parts.get(part.handle)
        if stored is None:
            raise PartsLost([part])
        if stored.here:
            return stored.value
        from ray.exceptions import RayError

        value: asyncio.Future[pa.Table] = asyncio.wrap_future(stored.value.future())
        lost = asyncio.ensure_future(stored.lost.wait())
        either: set[asyncio.Future[Any]] = {value, lost}
        try:
            await asyncio.wait(either, timeout=_FETCH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not value.done():
                raise PartsLost([part])
            return value.result()
        except RayError as error:
            raise PartsLost([part]) from error
        finally:
            value.cancel()
            lost.cancel()

    def release(self, parts: Sequence[Part]) -> None:
        for part in parts:
            self._parts.pop(part.handle, None)

    async def resize(self, segments: int) -> None:
        self._width = segments
        if self._fleet is not None:
            self._fleet.resize(segments)

    def state(self) -> Sequence[SegmentState]:
        if self._fleet is not None:
            return self._fleet.state()
        return [SegmentState(number, "", None, "starting", None, 0) for number in range(self._width or 1)]

    def settings(self) -> Mapping[str, str]:
        return {"runtime": "ray", "cluster": self._settings.address or "this machine"}

    # Attempts

    @contextmanager
    def _attempt(self, segment: int, task: Task) -> Iterator[Attempt]:
        """However it ends here, it ends on the segment too."""
        if self._fleet is None:
            raise SegmentLost(segment, "it is still starting")
        from mere.runtime.ray_attempt import Attempt

        attempt = Attempt(self._fleet, segment, self._order(task))
        self._running[attempt] = task
        try:
            yield attempt
        finally:
            del self._running[attempt]
            attempt.close()

    def _order(self, task: Task) -> Order:
        from mere.runtime.ray_segment import Order

        if gone := self._missing(task):
            raise PartsLost(gone)
        loads = tuple(
            (load.table, load.columns, tuple(self._parts[part.handle].value for part in load.parts))
            for load in task.loads
        )
        return Order(next(self._numbers), replace(task, loads=()), loads)

    async def _check(self, ending: Ending, task: Task) -> None:
        if ending.error is not None:
            raise ending.error
        if ending.lost:
            parts = [part for load in task.loads for part in load.parts]
            await self._relay([parts[number] for number in ending.lost], parts)
            raise PartsLost(self._missing(task))

    # Parts

    async def _relay(self, missed: Sequence[Part], parts: Sequence[Part]) -> None:
        """Nodes that reach us may not reach each other. What the reader missed, and all else that lies there, it gets
        from here the next time; what does not come here either is lost."""
        stored = [self._parts.get(part.handle) for part in missed]
        nodes = {found.node for found in stored if found is not None}
        for part in parts:
            found = self._parts.get(part.handle)
            if found is None or found.here or (found.node not in nodes and part not in missed):
                continue
            try:
                here = await self._stored_here(await self.fetch(part))
            except PartsLost:
                self._parts.pop(part.handle, None)
            else:
                if part.handle in self._parts:
                    self._parts[part.handle] = here

    async def _stored_here(self, rows: pa.Table) -> _Stored:
        import ray

        value = rows if rows.nbytes <= _SMALL_BYTES else await asyncio.to_thread(ray.put, rows)
        return _Stored(value, None)

    def _missing(self, task: Task) -> list[Part]:
        return [part for load in task.loads for part in load.parts if part.handle not in self._parts]

    def _node_lost(self, node: str) -> None:
        self._lose_parts([number for number, stored in self._parts.items() if stored.node == node and not stored.here])

    def _lose_parts(self, numbers: Sequence[int]) -> None:
        """Those that read them are told, instead of waiting for them."""
        for number in numbers:
            self._parts.pop(number).lost.set()
        for attempt, task in self._running.items():
            if gone := self._missing(task):
                attempt.fail(PartsLost(gone))

    def _keep(self, stored: _Stored) -> int:
        number = next(self._numbers)
        self._parts[number] = stored
        return number
