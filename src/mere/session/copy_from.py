"""COPY ... FROM STDIN: the client's bytes to the segment's loader, its rows into the table. Coordinator process."""

from __future__ import annotations

from collections.abc import Sequence

from mere.errors import QueryCanceled
from mere.lake.message import NewFile
from mere.segment.copy_binary import BinaryCopyIn
from mere.segment.copy_format import parse_copy_options
from mere.segment.copy_in import CopyIn, CopyResult
from mere.segment.copy_sql import Reader
from mere.segment.workspace import Workspace
from mere.session.copy_target import copy_target
from mere.session.environment import SessionEnvironment
from mere.session.insert import insert_rows
from mere.session.relay_copy import unexpected_message
from mere.session.state import SessionState
from mere.sql.copy_command import Copy
from mere.wire import messages
from mere.wire.frontend import CopyDone, CopyFail, Flush, Sync


async def copy_from_client(state: SessionState, command: Copy) -> int:
    """Loads the client's rows into the transaction; returns how many."""
    form = parse_copy_options(command.options, is_from=True, remote=False)
    target = await copy_target(state, command)
    reader = Reader(form, target.columns, SessionEnvironment(state.backend.parameters.get("TimeZone", "UTC")))

    async def write(workspace: Workspace, select: str) -> Sequence[NewFile]:
        state.workspaces.add(workspace)
        return await insert_rows(state, target.view, target.bound, workspace, target.complete(select))

    load = CopyIn(state.services.engine, reader, target.bound.relation.name, write)
    result = await receive_rows(state, load, messages.copy_in_response(len(target.columns)))
    if result.skipped:
        rows = "row was" if result.skipped == 1 else "rows were"
        state.notice(f"{result.skipped} {rows} skipped due to data type incompatibility")
    return result.rows


async def receive_rows(state: SessionState, load: CopyIn | BinaryCopyIn, invitation: bytes) -> CopyResult:
    """Asks the client for its data and loads it; nothing is left in the transaction if that fails."""
    state.stand_in.expect()
    before = state.transaction.overlay
    state.client.write(invitation)
    await state.client.drain()
    try:
        await _feed(state, load)
        return await load.finish()
    except BaseException:
        state.transaction.overlay = before
        await load.abort()
        raise


async def _feed(state: SessionState, load: CopyIn | BinaryCopyIn) -> None:
    """Passes on what the client sends, to the end of the data."""
    while True:
        piece = await state.unless_cancelled(state.client.receive_copy())
        match piece:
            case bytes():
                await load.feed(piece)
            case CopyDone():
                return
            case CopyFail():
                raise QueryCanceled(f"COPY from stdin failed: {piece.reason}")
            case Sync() | Flush():
                continue
            case _:
                raise unexpected_message(piece)
