"""What PostgreSQL sees of a statement that segments run: a backing connection that is busy. Coordinator process.

Without it the connection would look idle: idle_in_transaction_session_timeout would end the session in the middle of
its query, and pg_cancel_backend() would do nothing. Only a statement that takes longer than a moment pays for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from mere.catalog.backend import Backend
from mere.errors import MereError

_MOMENT = 0.25  # seconds

logger = logging.getLogger(__name__)


class StandIn:
    """One session's. `cancel` is called when somebody cancels the stand-in, meaning the statement."""

    def __init__(self, backend: Backend, cancel: Callable[[], None]) -> None:
        self._backend = backend
        self._cancel = cancel
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._wanted = False

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
        cancelled = False
        try:
            # Between `_begin` and here the statement may have ended, or sent something of its own: two readers of one
            # connection would wait for each other's answers for ever.
            if self._wanted and not self._backend.busy:
                cancelled = await self._backend.stand_in()
        except MereError as error:
            if error.severity == "ERROR":  # else the session has ended, and the statement with it
                logger.warning("a stand-in failed: %s", error)
            cancelled = True
        finally:
            self._task = None
        if cancelled:
            self._cancel()
        elif self._wanted:
            self.expect()  # an operation of the statement came between
