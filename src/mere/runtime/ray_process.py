"""What the fleet knows of a segment's process, of a node and of a segment's number; how Ray is asked and answers.

Lives in the coordinator process.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError

from mere.runtime.base import SegmentLost
from mere.runtime.ray_segment import Opened

log = logging.getLogger(__name__)
T = TypeVar("T")

_GRACE_SECONDS = 0.5


class Chores:
    """Tasks that run beside everything, until they end or are cancelled; one that fails is logged."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def cancel(self) -> None:
        for task in list(self._tasks):
            task.cancel()

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the care for segments failed: %s", error, exc_info=error)


async def in_thread(call: Callable[..., T], *arguments: object) -> T:
    """For calls of Ray's that block, without end while its head is away. The end of this process waits for none."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def work() -> None:
        try:
            value = call(*arguments)
        except BaseException as error:  # noqa: BLE001 - raised where it is awaited
            tell(done.set_exception, error)
        else:
            tell(done.set_result, value)

    def tell(settle: Callable[[Any], None], what: object) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(lambda: None if done.done() else settle(what))

    threading.Thread(target=work, name="mere-ray-call", daemon=True).start()
    return await done


async def answer(reference: Any) -> Any:
    """The value of an object reference, without blocking the loop."""
    return await asyncio.wrap_future(reference.future())


async def answer_in_time(reference: Any, patience: float) -> Any:
    """A sign of life. If it was this process that was late, the answer is there already, and need only be read."""
    answered: asyncio.Future[Any] = asyncio.wrap_future(reference.future())
    try:
        for seconds in (patience, _GRACE_SECONDS):
            await asyncio.wait({answered}, timeout=seconds)
            if answered.done():
                return answered.result()
        raise TimeoutError
    finally:
        answered.cancel()


@dataclass(eq=False, slots=True)
class Live:
    """A segment's process. `lost` gets the reason once, when it is given up."""

    actor: Any
    opened: Opened
    lost: asyncio.Future[SegmentLost]
    started: datetime
    number: int = -1  # of the segment that it is; spares have none
    running: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)  # set when the last attempt of a retired one ends
    retired: bool = False
    pinging: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self.running += 1

    def end(self) -> None:
        self.running -= 1
        if not self.running and self.retired:
            self.idle.set()


@dataclass(eq=False, slots=True)
class Node:
    id: str
    host: str
    cpus: float
    memory: float
    keeper: Any
    lives: set[Live] = field(default_factory=set)
    opening: int = 0


@dataclass(eq=False, slots=True)
class Slot:
    """A segment's number, and who is it now."""

    live: Live | None = None
    restarts: int = -1


def kill_all(actors: list[Any]) -> None:
    for actor in actors:
        ray.kill(actor)


def tells_of_memory(error: RayError) -> bool:
    text = str(error).lower()
    return "out of memory" in text or "oom" in text or "low on memory" in text


def line_of(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
