"""How many statements may use the segments at once: first come, first served, and only so many may wait.

One per process. Held while a statement's tasks run, not while its client reads, so an idle cursor blocks nobody.
Coordinator process.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mere.errors import MereError


class Admission:
    def __init__(self, running: int, waiting: int) -> None:
        self._limit = running
        self._most_waiting = waiting
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def running(self) -> int:
        return self._running

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @asynccontextmanager
    async def turn(self, *, begun: bool = False) -> AsyncIterator[None]:
        """Waits for a turn, and keeps it. 53300 when too many wait already, but not for a statement that has `begun` to
        answer. May be cancelled while it waits."""
        if self._running < self._limit and not self._waiting:
            self._running += 1
        else:
            await self._wait(begun)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, begun: bool) -> None:
        if not begun and len(self._waiting) >= self._most_waiting:
            raise MereError(
                "too many statements are waiting for the segments",
                sqlstate="53300",
                detail=f"{self._running} statements are running and {len(self._waiting)} are waiting.",
                hint="Try again later, or raise the settings active_statements or waiting_statements.",
            )
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._pass_on()  # the turn came at the very moment of the cancel
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise

    def _pass_on(self) -> None:
        """The turn goes to the one who has waited longest; it stays counted."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # else it has been cancelled just now
                turn.set_result(None)
                return
        self._running -= 1
