"""What the fleet knows of a segment's process, of a node and of a segment's number; and how Ray's answers are read.

Lives in the coordinator process.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import ray
from ray.exceptions import RayError

from mere.runtime.base import SegmentLost
from mere.runtime.ray_segment import Opened

_GRACE_SECONDS = 0.5


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
    watching: asyncio.Task[None] | None = None
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
