"""One coordinator of a cluster at work: sees what its PostgreSQL has become, and does what goes with it.

What to do is decided in mere.ha.roles; this is the loop that acts. Lives in the coordinator process.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from mere.catalog.postgres import SERVICE_ERRORS, Unconfirmed
from mere.errors import MereError, StartupError
from mere.ha.accounts import ensure_accounts
from mere.ha.durability import tell_durability
from mere.ha.roles import Action, View, decide
from mere.ha.server import REMOVED, PatroniServer

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.1
_AWAY_SECONDS = 0.25  # each look is a line in PostgreSQL's log while it starts
_START_SECONDS = 1.0  # at least, between two starts of Patroni
_AGAIN_SECONDS = 0.5  # after duties that could not be taken up
_LEAVE_SECONDS = 5.0

Duties = Callable[[], AbstractAsyncContextManager[str | None]]


class RolesLoop:
    """`run` goes on until it is cancelled; `settled` is set once the node first has a role and does what goes with it.

    `password`: the administrator's, if this node made the warehouse.
    """

    def __init__(self, postgres: PatroniServer, duties: Duties) -> None:
        self.postgres = postgres
        self._duties = duties
        self._duty: asyncio.Task[None] | None = None
        self._begun = False  # the duties are up, not only asked for
        self._not_before = 0.0
        self._no_start_before = 0.0
        self.settled = asyncio.Event()
        self.password: str | None = None

    @property
    def admits(self) -> bool:
        """Whether sessions may begin: not before the primary's catalog is up to date, or the standby follows it."""
        return (self.postgres.role == "standby" and self.postgres.follows) or (
            self.postgres.role == "primary" and self._begun
        )

    async def run(self) -> None:
        known = self.postgres.role
        try:
            while True:
                if self.postgres.removed:
                    raise StartupError(REMOVED.format(self.postgres.data.path, self.postgres.data.cluster))
                role = await self.postgres.look()
                if role != known:
                    log.warning("this coordinator is now %s", "without a role" if role == "none" else f"the {role}")
                    known = role
                await self._act(decide(self._view()))
                if self.admits:
                    self.settled.set()
                await asyncio.sleep(_LOOK_SECONDS if role != "none" else _AWAY_SECONDS)
        finally:
            await self._lay_down()

    def _view(self) -> View:
        on_duty = self._duty is not None and not self._duty.done()
        return View(self.postgres.role, on_duty, self.postgres.patroni_lives, self.postgres.silence)

    async def _act(self, action: Action) -> None:
        match action:
            case Action.TAKE_UP if time.monotonic() >= self._not_before:
                self._duty = asyncio.create_task(self._be_primary())
            case Action.LAY_DOWN:
                await self._lay_down()
            case Action.START_PATRONI if time.monotonic() >= self._no_start_before:
                self._no_start_before = time.monotonic() + _START_SECONDS
                log.warning("Patroni ended; starting it again (see %s)", self.postgres.data.path / "patroni.log")
                self.postgres.spawn()
            case Action.END_PATRONI:
                log.warning("Patroni hangs; ending it")
                self.postgres.kill_patroni()

    async def _be_primary(self) -> None:
        """One task enters the duties and leaves them."""
        try:
            await ensure_accounts(Unconfirmed(self.postgres))
            async with self._duties() as password:
                self.password = self.password or password
                self._begun = True
                await self.postgres.agree()
                await tell_durability(self.postgres)
        except (MereError, *SERVICE_ERRORS, OSError) as error:
            # As a rule PostgreSQL went away in the middle; if it did not, the next try says so again.
            log.warning("the primary's duties broke off: %s", error)
            self._not_before = time.monotonic() + _AGAIN_SECONDS
        finally:
            self._begun = False

    async def _lay_down(self) -> None:
        duty, self._duty = self._duty, None
        if duty is not None:
            duty.cancel()
            _, left = await asyncio.wait({duty}, timeout=_LEAVE_SECONDS)
            if left:
                log.error("the primary's duties do not end")
            elif not duty.cancelled() and (error := duty.exception()) is not None:
                log.error("the primary's duties ended by a defect", exc_info=error)
