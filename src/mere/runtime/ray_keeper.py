"""The keeper of a node, as a Ray actor: it watches the segments' processes there, and kills what hangs.

It sees a death at once, where Ray takes a second or two to tell, and knows whether memory was short. A process that is
stopped answers nobody and is never reported dead, so it is killed after a moment. Knows processes, not segments.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mere.runtime.machine import kernel_memory_kills, memory_used

_LOOK_SECONDS = 0.2
_STOPPED_SECONDS = 0.8  # a debugger's short look is no hang
_POLL_SECONDS = 0.5
_FULL = float(os.environ.get("RAY_memory_usage_threshold", "0.95")) - 0.05  # noqa: SIM112 - Ray kills there; our look is older


@dataclass(frozen=True, slots=True)
class Death:
    pid: int
    out_of_memory: bool
    why: str


class Keeper:
    """The actor's class. One for each node and coordinator."""

    def __init__(self) -> None:
        self._watched: dict[int, tuple[int, Path]] = {}  # pid -> pidfd, the segment's own directory
        self._stopped: dict[int, float] = {}
        self._killed: dict[int, str] = {}
        self._deaths: deque[Death] = deque()
        self._news = asyncio.Event()
        self._full: deque[bool] = deque([False], maxlen=3)
        self._kernel_kills = kernel_memory_kills()
        self._looking: asyncio.Task[None] | None = None

    async def watch(self, pid: int, directory: Path) -> None:
        """`directory` is removed when the process has ended."""
        if self._looking is None:
            self._looking = asyncio.ensure_future(self._look())
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            self._watched[pid] = (-1, directory)
            self._died(pid)
            return
        self._watched[pid] = (descriptor, directory)
        asyncio.get_running_loop().add_reader(descriptor, self._died, pid)

    async def kill(self, pid: int, why: str) -> None:
        """Only processes that are watched: a number alone might have passed on to a stranger."""
        self._kill(pid, why)

    async def deaths(self) -> list[Death]:
        """Those since the last call, as soon as there are any; after a moment, none, as a sign of life."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), _POLL_SECONDS)
        self._news.clear()
        found = list(self._deaths)
        self._deaths.clear()
        return found

    def _kill(self, pid: int, why: str) -> None:
        if pid in self._watched and pid not in self._killed:
            self._killed[pid] = why
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._watched[pid][0], signal.SIGKILL)

    def _died(self, pid: int) -> None:
        descriptor, directory = self._watched.pop(pid)
        if descriptor >= 0:
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)
        self._stopped.pop(pid, None)
        why = self._killed.pop(pid, None)
        kills, self._kernel_kills = self._kernel_kills, kernel_memory_kills()
        short = why is None and (self._kernel_kills > kills or any(self._full))
        self._deaths.append(Death(pid, short, why or ("out of memory" if short else "its process ended")))
        self._news.set()
        shutil.rmtree(directory, ignore_errors=True)

    async def _look(self) -> None:
        while True:
            self._full.append(memory_used() > _FULL)
            for pid in list(self._watched):
                if not _is_stopped(pid):
                    self._stopped.pop(pid, None)
                elif time.monotonic() - self._stopped.setdefault(pid, time.monotonic()) > _STOPPED_SECONDS:
                    self._kill(pid, "its process was stopped")
            await asyncio.sleep(_LOOK_SECONDS)


def _is_stopped(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat[stat.rindex(")") + 2] == "T"
