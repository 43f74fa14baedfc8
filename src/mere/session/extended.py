"""The extended query protocol: Parse, Bind, Describe, Execute, Close, Flush, Sync.

Statements that are PostgreSQL's alone are forwarded message by message; Mere's own are kept here. Lives in the
coordinator process.
"""

from __future__ import annotations

from mere.catalog.backend import Description
from mere.errors import InFailedTransaction, MereError, SqlSyntaxError, UndefinedObject
from mere.session.named import require_free
from mere.session.parameters import read_parameters, require_formats
from mere.session.relay import Pipeline
from mere.session.routing import OURS_WHEN_NAMED, NotOurs, asks_for_names, is_ours
from mere.session.runner import describe, run
from mere.session.select import with_formats
from mere.session.state import Portal, Prepared, SessionState
from mere.sql.lexer import Statement, split
from mere.sql.statements import StatementKind, classify
from mere.wire import messages
from mere.wire.frontend import Bind, Close, Describe, Execute, Flush, FrontendMessage, Parse, Sync, decode_text
from mere.wire.messages import Field
from mere.wire.pgerror import PgError


class ExtendedProtocol:
    """The state of a pipeline between two Syncs. `failed`: messages are skipped until the next Sync."""

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._pipeline = Pipeline(state)
        self._held = b""  # CommandComplete of a write, held back until its commit (at Sync) is known
        self.failed = False

    async def handle(self, message: FrontendMessage) -> None:
        """One message that is not Sync. Raises what went wrong; the caller reports it and sets `failed`."""
        if self.failed:
            return
        self._state.client.write(self._take_held())
        match message:
            case Parse():
                await self._parse(message)
            case Bind():
                await self._bind(message)
            case Describe():
                await self._describe(message)
            case Execute():
                await self._execute(message)
            case Close():
                await self._close(message)
            case Flush():
                await self._pipeline.settle()
                await self._state.client.drain()
            case _:
                raise SqlSyntaxError("unexpected message", sqlstate="08P01")

    @property
    def active(self) -> bool:
        """Whether PostgreSQL, or a commit, still owes something to messages since the last Sync."""
        return self._pipeline.used or bool(self._held)

    async def make_way(self) -> None:
        """A Query within a pipeline goes on in its transaction, and ends that."""
        if self._pipeline.used:
            await self._own_turn()
            self._pipeline.used = False

    async def sync(self) -> MereError | None:
        """Ends the pipeline: commits the implicit transaction. Returns the error to report, if there is a new one."""
        state = self._state
        failed, self.failed = self.failed, False
        held = self._take_held()
        failure: MereError | None = None
        try:
            failure = await self._pipeline.sync(failed)
            if failed or failure is not None:
                await state.transaction.fail()
            else:
                await state.transaction.end_implicit(failed=False)
                state.client.write(held)
        except MereError as error:
            if error.severity != "ERROR":
                raise
            failure = failure or error
        return None if failed else failure

    def _take_held(self) -> bytes:
        held, self._held = self._held, b""
        return held

    async def close_portals(self) -> None:
        for name in list(self._state.portals):
            await self._drop_portal(name)

    async def _drop_portal(self, name: str) -> Portal | None:
        portal = self._state.portals.pop(name, None)
        if portal is not None and portal.rows is not None:
            await portal.rows.close()
        return portal

    async def _parse(self, message: Parse) -> None:
        state = self._state
        require_free(state, message.name)
        statements = split(decode_text(message.text))
        statement = statements[0] if len(statements) == 1 else None
        kind = classify(statement) if statement is not None else None
        if statement is not None and kind is not None:
            if kind in OURS_WHEN_NAMED and asks_for_names(state, statement):
                await self._own_turn()
            if await is_ours(state, statement, kind) and await self._keep(message, statement, kind):
                return
        state.prepared[message.name] = Prepared(statement, kind, message.param_oids, True)
        self._pipeline.forward(message.raw)

    async def _keep(self, message: Parse, statement: Statement, kind: StatementKind) -> bool:
        """Prepares a statement of our own; False when a closer look says that it is PostgreSQL's."""
        await self._own_turn()
        try:
            description = await describe(self._state, statement, kind, message.param_oids)
        except NotOurs:
            return False
        self._state.prepared[message.name] = Prepared(statement, kind, description.param_oids, False, description)
        self._state.client.write(messages.PARSE_COMPLETE)
        return True

    async def _own_turn(self) -> None:
        """Makes the backing connection free for queries of our own: everything forwarded is answered, and what
        PostgreSQL ran since the last Sync stays open, one transaction with what follows."""
        await self._pipeline.settle()
        if self._pipeline.used and not self._state.transaction.open:
            await self._state.transaction.ensure()

    def _find(self, name: str) -> Prepared:
        # What is not known here PREPARE made in PostgreSQL, or nobody did: PostgreSQL knows.
        return self._state.prepared.get(name) or Prepared(None, None, (), True)

    async def _bind(self, message: Bind) -> None:
        prepared = self._find(message.statement)
        old = self._state.portals.get(message.portal)
        if old is not None and not old.prepared.verbatim:
            if message.portal:
                raise SqlSyntaxError(f'cursor "{message.portal}" already exists', sqlstate="42P03")
            await self._drop_portal("")
        if prepared.verbatim:
            self._state.portals[message.portal] = Portal(prepared)
            self._pipeline.forward(message.raw)
            return
        await self._own_turn()
        parameters = await read_parameters(self._state, message, prepared.param_oids)
        require_formats(message, prepared.description)
        self._state.portals[message.portal] = Portal(prepared, parameters, message.result_formats)
        self._state.client.write(messages.BIND_COMPLETE)

    async def _describe(self, message: Describe) -> None:
        if message.kind == "S":
            prepared = self._find(message.name)
            formats: tuple[int, ...] = ()
        else:
            portal = self._state.portals.get(message.name) or self._cursor_portal(message.name)
            prepared = portal.prepared if portal is not None else Prepared(None, None, (), True)
            formats = portal.result_formats if portal is not None else ()
        if prepared.verbatim or prepared.description is None:
            self._pipeline.forward(message.raw)
            return
        await self._pipeline.settle()
        if message.kind == "S":
            self._state.client.write(messages.parameter_description(prepared.param_oids))
        fields = prepared.description.fields
        if fields is None:
            self._state.client.write(messages.NO_DATA)
        else:
            self._state.client.write(messages.row_description(with_formats(fields, formats)))

    def _cursor_portal(self, name: str) -> Portal | None:
        """In PostgreSQL a cursor is a portal, and drivers describe it as one."""
        cursor = self._state.cursors.get(name)
        if cursor is None:
            return None
        return Portal(Prepared(None, None, (), False, Description((), cursor.fields)))

    async def _execute(self, message: Execute) -> None:
        portal = self._state.portals.get(message.portal)
        if portal is None or portal.prepared.verbatim:
            self._pipeline.forward(message.raw)
            return
        await self._own_turn()
        if portal.rows is not None and self._state.transaction.failed:
            raise InFailedTransaction()
        if portal.prepared.statement is not None:
            self._state.stand_in.tell(portal.prepared.statement.text)
        if not portal.finished and portal.rows is None:
            await self._start(portal)
        await self._send_rows(portal, message.max_rows)

    async def _start(self, portal: Portal) -> None:
        prepared, state = portal.prepared, self._state
        if prepared.statement is None or prepared.kind is None:
            raise UndefinedObject("prepared statement does not exist", sqlstate="26000")
        try:
            outcome = await run(state, prepared.statement, prepared.kind, portal.parameters, portal.result_formats)
        except NotOurs:
            raise _stale_plan() from None
        if outcome.rows is not None and not _same_row(outcome.fields, prepared.description):
            await outcome.rows.close()
            raise _stale_plan()
        portal.tag = outcome.tag
        portal.rows = outcome.rows
        portal.counted = outcome.counted

    async def _send_rows(self, portal: Portal, limit: int) -> None:
        client = self._state.client
        sent = 0  # by this Execute: PostgreSQL's tag counts no more
        if portal.rows is not None and not portal.finished:
            self._state.stand_in.expect()
            sent, more = await portal.rows.send(client, limit)
            if more:
                client.write(messages.PORTAL_SUSPENDED)
                return
        portal.finished = True
        tag = f"{portal.tag} {sent}" if portal.counted else portal.tag
        if not tag:
            return  # PostgreSQL's own has been passed on
        if self._state.transaction.implicit:
            self._held = messages.command_complete(tag)
        else:
            client.write(messages.command_complete(tag))

    async def _close(self, message: Close) -> None:
        if message.kind == "S":
            prepared = self._state.prepared.pop(message.name, None)
            ours = prepared is not None and not prepared.verbatim
        else:
            portal = await self._drop_portal(message.name)
            ours = portal is not None and not portal.prepared.verbatim
        if not ours:
            self._pipeline.forward(message.raw)
            return
        await self._pipeline.settle()
        self._state.client.write(messages.CLOSE_COMPLETE)

    async def handle_sync(self, _: Sync) -> None:
        """The Sync message itself: commit, report, ReadyForQuery."""
        failure = await self.sync()
        if failure is not None:
            self._state.client.write(messages.error_response(failure))


def _stale_plan() -> PgError:
    """Drivers know this error by the routine (field R) that raises it in PostgreSQL, and prepare the statement anew."""
    fields = {"S": "ERROR", "V": "ERROR", "C": "0A000", "M": "cached plan must not change result type"}
    return PgError({**fields, "R": "RevalidateCachedQuery"})


def _same_row(fields: tuple[Field, ...] | None, description: Description | None) -> bool:
    """Whether rows are as Describe said: a driver reads them by that."""
    told = description.fields if description is not None else None
    return _shape(fields) == _shape(told)


def _shape(fields: tuple[Field, ...] | None) -> list[tuple[str, int, int]]:
    return [(field.name, field.type_oid, field.typmod) for field in fields or ()]
