"""Everything one session remembers between messages. Owns no behaviour beyond cancelling what runs now.

Lives in the coordinator process; one per client, used by one task at a time except for `cancel`.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mere.catalog.backend import Backend, Description
from mere.errors import MereError, QueryCanceled
from mere.execute.dispatch import Dispatch
from mere.execute.dispatch_tasks import Store
from mere.execute.distributed import Brought, Opened, Planned, open_dispatch
from mere.execute.scans import LakeView
from mere.segment.workspace import Workspace
from mere.session.client import Client
from mere.session.rows import RowSource
from mere.session.scroll import Scroll
from mere.session.services import Database, Services
from mere.session.stand_in import StandIn
from mere.session.transaction import Transaction
from mere.sql.lexer import Statement
from mere.sql.statements import StatementKind
from mere.wire import messages
from mere.wire.messages import Field

T = TypeVar("T")
_CANCEL_PATIENCE = 5.0  # seconds, should the postmaster be too busy to pass a cancel request on


@dataclass(frozen=True, slots=True)
class Parameters:
    """The values that Bind gave: PostgreSQL's text form of each (None: NULL) and its type."""

    values: tuple[str | None, ...] = ()
    oids: tuple[int, ...] = ()


@dataclass(slots=True)
class Prepared:
    """A statement that Parse or PREPARE named: one room of names, as in PostgreSQL, where `verbatim` ones live."""

    statement: Statement | None
    kind: StatementKind | None
    param_oids: tuple[int, ...]
    verbatim: bool
    description: Description | None = None


@dataclass(slots=True)
class Portal:
    """What Bind made. `rows` is the running result, once Execute has begun."""

    prepared: Prepared
    parameters: Parameters = Parameters()
    result_formats: tuple[int, ...] = ()
    rows: RowSource | None = None
    tag: str = ""
    counted: bool = False
    finished: bool = False


@dataclass(slots=True)
class Cursor:
    """A DECLAREd cursor over the lake. `scroll`: its rows are kept, so that it may go back."""

    rows: RowSource
    fields: tuple[Field, ...]
    hold: bool
    kept: bool = False  # its transaction has committed
    scroll: Scroll | None = None

    async def close(self) -> None:
        await self.rows.close()
        if self.scroll is not None:
            await self.scroll.close()


@dataclass(slots=True)
class SessionState:
    client: Client
    backend: Backend
    services: Services
    database: Database
    transaction: Transaction
    user: str
    prepared: dict[str, Prepared] = field(default_factory=dict)
    portals: dict[str, Portal] = field(default_factory=dict)
    cursors: dict[str, Cursor] = field(default_factory=dict)
    lake_names: frozenset[str] | None = None  # None: look them up before routing the next statement
    names_version: int = -1
    names_position: str | None = None  # on a standby: how far it had come when they were looked up
    bytea_output: str = "hex"  # as the last statement found it; PostgreSQL does not report its changes
    extra_float_digits: int = 1  # likewise
    workspaces: weakref.WeakSet[Workspace] = field(default_factory=weakref.WeakSet)  # what cancel has to stop
    dispatches: weakref.WeakSet[Dispatch] = field(default_factory=weakref.WeakSet)  # and on the segments
    cancelled: QueryCanceled | None = None  # why the running statement was told to stop
    timer: asyncio.TimerHandle | None = None  # statement_timeout of what runs now
    background: set[asyncio.Task[None]] = field(default_factory=set)  # cancel requests on their way to PostgreSQL
    waiting: asyncio.Future[Any] | None = None  # for the client, within a statement
    stand_in: StandIn = field(init=False)

    def __post_init__(self) -> None:
        self.stand_in = StandIn(self.backend, self.cancel)

    def cancel(self, reason: str = "canceling statement due to user request") -> None:
        """Stops the running statement, wherever it is; harmless when nothing runs."""
        if self.transaction.committing or self.cancelled is not None:
            return
        self.cancelled = QueryCanceled(reason)
        for workspace in list(self.workspaces):
            workspace.cancel()
        for dispatch in list(self.dispatches):
            dispatch.cancel()
        if self.waiting is not None:
            self.waiting.cancel()
        task = asyncio.get_running_loop().create_task(self.backend.cancel())
        self.background.add(task)
        task.add_done_callback(self.background.discard)

    async def distribute(
        self,
        planned: Planned,
        opened: Opened,
        view: LakeView,
        brought: Brought,
        stores: Sequence[Store] = (),
        pieces: bool = False,
    ) -> Dispatch:
        """A plan on the segments, which `cancel` stops. `stores` and `pieces` as in `open_dispatch`."""
        dispatch = await open_dispatch(planned, opened, view, brought, self.services.dispatcher, stores, pieces)
        self.dispatches.add(dispatch)
        return dispatch

    def open_workspace(self) -> Workspace:
        """An engine connection for one statement, which `cancel` stops."""
        workspace = self.services.runtime.workspace()
        self.workspaces.add(workspace)
        self.stand_in.expect()
        return workspace

    def begin_statement(self) -> None:
        self.cancelled = None

    async def end_statement(self) -> None:
        """Called before the client may send the next one: what was meant for this statement must not hit that."""
        self.stop_timer()
        await self.stand_in.end()
        if self.background:
            await asyncio.wait(self.background, timeout=_CANCEL_PATIENCE)

    def stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def limit_time(self, seconds: float) -> None:
        """Cancels the statement when it runs longer; PostgreSQL's own timer knows nothing of segments."""
        if seconds > 0 and self.timer is None:
            loop = asyncio.get_running_loop()
            self.timer = loop.call_later(seconds, self.cancel, "canceling statement due to statement timeout")

    async def unless_cancelled(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of what waits for the client, which `cancel` ends too."""
        self.check_cancelled()
        self.waiting = asyncio.ensure_future(work)
        try:
            await asyncio.wait({self.waiting})
            if self.waiting.cancelled():
                self.check_cancelled()
            result: T = self.waiting.result()
            return result
        finally:
            self.waiting.cancel()
            self.waiting = None

    def check_cancelled(self) -> None:
        if self.cancelled is not None:
            raise self.cancelled

    def why(self, error: MereError) -> MereError:
        """The error to report: a cancelled engine only knows that it was interrupted, not why."""
        return self.cancelled if self.cancelled is not None and error.sqlstate == "57014" else error

    def prepared_here(self, name: str) -> Prepared | None:
        """The prepared statement of this name, if it is not PostgreSQL's."""
        prepared = self.prepared.get(name)
        return None if prepared is None or prepared.verbatim else prepared

    def notice(self, text: str, hint: str | None = None) -> None:
        self.client.write(messages.notice_response(text, hint=hint))
