"""DECLARE, FETCH, MOVE and CLOSE of cursors over the lake, each over one snapshot. They read forward; a SCROLL cursor
keeps its rows and goes everywhere.

Lives in the coordinator process. A cursor's files are immutable, so WITH HOLD costs nothing.
"""

from __future__ import annotations

from mere.errors import InvalidTransactionState, MereError
from mere.session.analysis import analyse
from mere.session.rows import Outcome, RowSource
from mere.session.scroll import Scroll, keep
from mere.session.select import run_select
from mere.session.state import Cursor, Parameters, SessionState
from mere.sql.commands import Fetch, parse_deallocate, parse_declare, parse_fetch
from mere.sql.lexer import Statement, split
from mere.wire.messages import Field


class CursorError(MereError):
    """A cursor that is not there (34000) or cannot do that (55000)."""

    sqlstate = "34000"


async def declare(state: SessionState, statement: Statement, parameters: Parameters) -> Outcome:
    command = parse_declare(statement.text)
    if not state.transaction.explicit and not command.hold:
        raise InvalidTransactionState("DECLARE CURSOR can only be used in transaction blocks", sqlstate="25P01")
    if command.name in state.cursors:
        raise CursorError(f'cursor "{command.name}" already exists', sqlstate="42P03")
    inner = split(command.inner)[0]
    outcome = await run_select(state, inner, parameters, (1,) if command.binary else ())
    assert outcome.rows is not None and outcome.fields is not None
    kept = command.hold and not state.transaction.open
    scroll = await _keep(state, outcome.rows) if command.scroll else None
    state.cursors[command.name] = Cursor(outcome.rows, outcome.fields, command.hold, kept, scroll)
    return Outcome("DECLARE CURSOR")


async def _keep(state: SessionState, rows: RowSource) -> Scroll:
    workspace = state.open_workspace()
    try:
        return await keep(rows, workspace)
    except BaseException:
        await workspace.close()
        raise
    finally:
        await rows.close()


async def parameter_types(state: SessionState, statement: Statement, given: tuple[int, ...]) -> tuple[int, ...]:
    inner = split(parse_declare(statement.text).inner)[0]
    return (await analyse(state, inner, given)).description.param_oids


async def fetch(state: SessionState, statement: Statement) -> Outcome:
    """FETCH gives rows, MOVE only counts them."""
    command = parse_fetch(statement.text)
    cursor = find(state, command.cursor)
    if cursor.scroll is not None:
        if command.move:
            low, high, _ = cursor.scroll.move(command)
            return Outcome(f"MOVE {max(high - low + 1, 0)}")
        return Outcome("FETCH", cursor.fields, cursor.scroll.fetch(command), counted=True)
    count = _forward_count(cursor, command)
    state.stand_in.expect()
    if command.move:
        moved = 0 if count == 0 else await cursor.rows.skip(count or 0)
        return Outcome(f"MOVE {moved}")
    rows = cursor.rows.part(count)
    return Outcome("FETCH", cursor.fields, rows, counted=True)


def find(state: SessionState, name: str) -> Cursor:
    cursor = state.cursors.get(name)
    if cursor is None:
        raise CursorError(f'cursor "{name}" does not exist')
    return cursor


def fields_of(state: SessionState, statement: Statement) -> tuple[Field, ...]:
    return find(state, parse_fetch(statement.text).cursor).fields


def _forward_count(cursor: Cursor, command: Fetch) -> int | None:
    """How many rows ahead the command wants; None: all."""
    count = command.count
    if command.direction == "forward" and (count is None or count >= 0):
        return count
    raise CursorError(
        "cursor can only scan forward", sqlstate="55000", hint="Declare it with SCROLL option to enable backward scan."
    )


async def close(state: SessionState, statement: Statement) -> Outcome:
    name = parse_deallocate(statement.text)
    if name is None:
        for cursor in state.cursors.values():
            await cursor.close()
        state.cursors.clear()
        await state.backend.simple("CLOSE ALL")
        return Outcome("CLOSE CURSOR ALL")
    await find(state, name).close()
    del state.cursors[name]
    return Outcome("CLOSE CURSOR")


async def close_at_transaction_end(state: SessionState) -> None:
    """Cursors without HOLD end with their transaction, the others if it was rolled back."""
    for cursor in state.cursors.values():
        cursor.kept = cursor.kept or (cursor.hold and state.transaction.committed)
    for name in [name for name, cursor in state.cursors.items() if not cursor.kept]:
        await state.cursors.pop(name).close()
