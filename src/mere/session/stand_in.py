"""What PostgreSQL sees of a statement that segments run: a backing connection that is busy. Coordinator process.

Without it the connection would look idle: idle_in_transaction_session_timeout would end the session in the middle of
its query, and pg_cancel_backend() would do nothing. Only a statement that takes longer than a moment pays for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from mere.catalog.backend import Backend
from mere.errors import MereError

_MOMENT = 0.25  # seconds

logger = logging.getLogger(__name__)


class StandIn:
    """One session's. `cancel` is called, with the reason, when somebody cancels the stand-in, meaning the statement."""

    def __init__(self, backend: Backend, cancel: Callable[[str], None]) -> None:
        self._backend = backend
        self._cancel = cancel
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._wanted = False
        self._statement = ""
        self._began = 0.0

    def tell(self, statement: str) -> None:
        """What the session runs from now on, for those who look at pg_stat_activity."""
        self._statement, self._began = statement, time.time()

    def expect(self) -> None:
        """The statement may take long, and PostgreSQL has nothing to do for it."""
        self._wanted = True
        if self._timer is None and self._task is None:
            self._timer = asyncio.get_running_loop().call_later(_MOMENT, self._begin)

    async def end(self) -> None:
        """The statement is over: the connection is free when this returns."""
        self._wanted = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        task = self._task
        if task is not None:
            await self._backend.end_stand_in()
            await task

    def _begin(self) -> None:
        self._timer = None
        if self._backend.busy:
            self.expect()
        elif not self._backend.closed.is_set():
            self._task = asyncio.get_running_loop().create_task(self._stand())

    async def _stand(self) -> None:
        reason: str | None = None
        try:
            # Between `_begin` and here the statement may have ended, or sent something of its own: two readers of one
            # connection would wait for each other's answers for ever.
            if self._wanted and not self._backend.busy:
                reason = await self._backend.stand_in(self._statement, self._began)
        except MereError as error:
            if error.severity == "ERROR":  # else the session has ended, and the statement with it
                logger.warning("a stand-in failed: %s", error)
            reason = error.message
        finally:
            self._task = None
        if reason is not None:
            self._cancel(reason)
        elif self._wanted:
            self.expect()  # an operation of the statement came between
