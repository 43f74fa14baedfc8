"""A segment as a Ray actor: one engine in a process of its own, which knows nothing but its orders.

Parts are returned, never put: an object belongs to who asked for it, so it outlives this process. What takes long runs
in the default group, signs of life and cancelling in a group with a thread of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import socket
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import ray
from ray.exceptions import ObjectLostError

from mere.errors import MereError, QueryCanceled
from mere.lake.message import NewFile
from mere.runtime.base import Task, left_or_written
from mere.runtime.machine import peak_memory, reset_peak_memory
from mere.runtime.ray_settings import SegmentSettings
from mere.segment.engine import Engine, EngineSettings
from mere.segment.errors import translate
from mere.segment.python_functions import remember
from mere.segment.task import Incoming, attempt

CONTROL = "control"
_AHEAD = 4  # parts on their way while one is loaded
_SMALL_BYTES = 64 * 2**10  # Ray sends answers of less than 100 kB without storing them


@dataclass(frozen=True, slots=True)
class Order:
    """A task whose parts are object references, or the rows themselves: `loads` holds (table, columns, parts)."""

    key: int
    task: Task
    loads: tuple[tuple[str, tuple[tuple[str, str], ...], tuple[Any, ...]], ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """The last thing that an attempt gives: (target, rows, bytes) of each part before it, or why there is nothing.

    Small parts may come with it, as `tables`. `lost` numbers the parts of the order, over all its loads, that could not
    be had.
    """

    parts: tuple[tuple[int, int, int], ...] = ()
    tables: tuple[pa.Table, ...] = ()
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    files: tuple[NewFile, ...] = ()
    peak_memory: int = 0
    error: MereError | None = None
    lost: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    pid: int
    host: str
    node: str


class _Gone(Exception):
    """References, by number, whose objects no longer exist."""

    def __init__(self, numbers: Sequence[int]) -> None:
        super().__init__(f"{len(numbers)} parts are gone")
        self.numbers = tuple(numbers)


class SegmentProcess:
    """The actor's class. `open` first; it may be called once."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._patience = 0.0
        self._attempts: dict[int, _Attempt] = {}
        self._canceled: deque[int] = deque(maxlen=1000)  # orders that were cancelled before they came

    async def open(self, settings: SegmentSettings) -> Opened:
        self._loop = asyncio.get_running_loop()
        self._patience = settings.pull_timeout
        directory = settings.directory / f"segment-{os.getpid()}"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(mode=0o700, parents=True)
        self._engine = Engine(
            EngineSettings(
                directory=directory,
                locations=settings.locations,
                threads=settings.threads,
                memory_limit=settings.memory,
                environment=settings.environment,
                narrow=True,
            )
        )
        await self._engine.start()
        return Opened(os.getpid(), socket.gethostname(), ray.get_runtime_context().get_node_id())

    @ray.method(concurrency_group=CONTROL)
    async def ping(self) -> int:
        """How many attempts run."""
        return len(self._attempts)

    @ray.method(concurrency_group=CONTROL)
    async def cancel(self, key: int) -> None:
        """Interrupts an attempt, or one that has not begun; the end of it is no news to anybody."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._cancel, key)

    def _cancel(self, key: int) -> None:
        attempt = self._attempts.pop(key, None)
        if attempt is None:
            self._canceled.append(key)
        else:
            attempt.cancel()

    async def run(self, order: Order) -> Ending | None:
        """The ending, if all parts are so small that they can come with it; else they are asked for by `parts`."""
        attempt = self._begin(order)
        ending = await attempt.small()
        if ending is not None:
            self._end(order.key)
        return ending

    async def parts(self, key: int) -> AsyncIterator[pa.Table | Ending]:
        """Each part, then the ending."""
        attempt = self._attempts.get(key)
        if attempt is None:
            yield _canceled()
            return
        try:
            while not isinstance(item := await attempt.next(), Ending):
                yield item
            yield item
        finally:
            self._end(key)

    def _begin(self, order: Order) -> _Attempt:
        assert self._engine is not None
        if not self._attempts:
            reset_peak_memory()
        attempt = _Attempt(self._engine, order, self._patience)
        if order.key in self._canceled:
            attempt.cancel()
        self._attempts[order.key] = attempt
        return attempt

    def _end(self, key: int) -> None:
        attempt = self._attempts.pop(key, None)
        if attempt is not None:
            attempt.cancel()


class _Attempt:
    """One order at work, a few results ahead of who takes them. Errors of the statement are its ending."""

    def __init__(self, engine: Engine, order: Order, patience: float) -> None:
        self._engine = engine
        self._patience = patience
        self._order = order
        self._results: asyncio.Queue[Any] = asyncio.Queue(maxsize=2)
        self._held: deque[Any] = deque()  # taken from the queue, not yet handed out
        remember(order.task.functions)
        self._work = asyncio.ensure_future(self._run())

    def cancel(self) -> None:
        self._work.cancel()

    async def small(self) -> Ending | None:
        """The ending with all parts in it; None as soon as they are too much for that."""
        size = 0
        while not isinstance(item := await self._next(), Ending):
            self._held.append(item)
            size += item.nbytes
            if size > _SMALL_BYTES:
                return None
        return replace(item, tables=tuple(self._held))

    async def next(self) -> Any:
        return self._held.popleft() if self._held else await self._next()

    async def _next(self) -> Any:
        """The next result. A cancelled attempt that nobody told to end still ends."""
        waiting = asyncio.ensure_future(self._results.get())
        await asyncio.wait((waiting, self._work), return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        if not self._results.empty():
            return await waiting
        waiting.cancel()
        if not self._work.cancelled():
            self._work.result()
        return _canceled()

    async def _run(self) -> None:
        started = time.monotonic()
        try:
            ending = await self._attempt(started)
        except _Gone as gone:
            ending = Ending(lost=gone.numbers)
        except MereError as error:
            ending = Ending(error=error)
        except (pa.ArrowException, OSError, MemoryError, RuntimeError) as error:
            ending = Ending(error=translate(error))
        await self._results.put(ending)

    async def _attempt(self, started: float) -> Ending:
        task = self._order.task
        parts: list[tuple[int, int, int]] = []
        files: list[NewFile] = []
        work = attempt(self._engine, task.places, task.sql, self._incoming(), task.output, files)
        async with aclosing(work) as leaving:
            async for target, table in leaving:
                parts.append((target, table.num_rows, table.nbytes))
                await self._results.put(table)
        rows, size = left_or_written([part[1:] for part in parts], files)
        return Ending(tuple(parts), (), rows, size, time.monotonic() - started, tuple(files), peak_memory())

    def _incoming(self) -> list[Incoming]:
        numbers = itertools.count()
        return [
            Incoming(table, columns, _arriving([(next(numbers), part) for part in parts], self._patience))
            for table, columns, parts in self._order.loads
        ]


def _canceled() -> Ending:
    return Ending(error=QueryCanceled("canceling statement due to user request"))


async def _arriving(parts: Sequence[tuple[int, Any]], patience: float) -> AsyncGenerator[pa.Table, None]:
    """The parts in order, some on their way while one is looked at. One that is silent for too long is gone."""
    coming: deque[tuple[int, asyncio.Future[pa.Table]]] = deque()
    waiting = iter(parts)
    try:
        while True:
            for number, part in itertools.islice(waiting, _AHEAD - len(coming)):
                coming.append((number, _value(part)))
            if not coming:
                return
            number, future = coming.popleft()
            try:
                rows = await asyncio.wait_for(future, patience)
            except (ObjectLostError, TimeoutError) as error:
                raise _Gone([number]) from error
            yield rows
    finally:
        for _, future in coming:
            future.cancel()


def _value(part: Any) -> asyncio.Future[pa.Table]:
    if not isinstance(part, pa.Table):
        return asyncio.wrap_future(part.future())
    here: asyncio.Future[pa.Table] = asyncio.get_running_loop().create_future()
    here.set_result(part)
    return here
