"""Statements that change lake tables: what they share, and RETURNING. Lives in the coordinator process."""

from __future__ import annotations

from mere.errors import InvalidTransactionState, MereError
from mere.execute.query import slice_text
from mere.execute.scans import LakeView
from mere.plan.planner import plan
from mere.segment.workspace import Workspace
from mere.session import change
from mere.session.analysis import Analysis, analyse, decimals_overflowed
from mere.session.heap import insert_into_heap
from mere.session.insert import insert
from mere.session.postgres_rows import PostgresRows
from mere.session.rows import Outcome
from mere.session.select import lake_view, output_expressions, stream_rows, with_formats
from mere.session.state import Parameters, SessionState
from mere.sql.bind.bound import (
    ROWS,
    BoundDelete,
    BoundInsert,
    BoundMerge,
    BoundSelect,
    BoundStatement,
    BoundUpdate,
)
from mere.sql.lexer import Statement
from mere.sql.relations import Kind
from mere.wire.messages import Field

_VERBS = {BoundInsert: "INSERT", BoundUpdate: "UPDATE", BoundDelete: "DELETE", BoundMerge: "MERGE"}
_TAGS = {"INSERT": "INSERT 0"}


async def run_write(
    state: SessionState, statement: Statement, parameters: Parameters, formats: tuple[int, ...]
) -> Outcome:
    """INSERT, UPDATE, DELETE or MERGE; nothing of it stays when it fails. Rows of RETURNING are still to be sent."""
    await state.transaction.ensure()
    analysis = await analyse(state, statement, parameters.oids)
    try:
        return await _write(state, analysis, parameters, formats, wide=False)
    except MereError as error:
        if not decimals_overflowed(error):
            raise
    return await _write(state, analysis, parameters, formats, wide=True)


async def _write(
    state: SessionState, analysis: Analysis, parameters: Parameters, formats: tuple[int, ...], wide: bool
) -> Outcome:
    """One attempt; after an error the transaction's overlay is as it was."""
    bound = analysis.bind(parameters, wide)
    if isinstance(bound, BoundSelect):
        raise MereError("this statement does not change anything")
    verb = bound.verb if isinstance(bound, BoundMerge) else _VERBS[type(bound)]
    require_writable(analysis, verb)
    if bound.relation.kind is Kind.POSTGRES:
        return Outcome(f"INSERT 0 {await insert_into_heap(state, analysis, bound)}")
    view = lake_view(state, analysis.snapshot)
    before = state.transaction.overlay
    release = state.database.readers.hold(view.snapshot.id)
    workspace = state.open_workspace()
    try:
        count = await _change(state, view, bound, workspace)
        state.check_cancelled()
        tag = f"{_TAGS.get(verb, verb)} {count}"
        if bound.returning is None:
            await workspace.close()
            return Outcome(tag)
        fields = with_formats(analysis.description.fields or (), formats)
        return await _returning(state, view, bound.returning, workspace, fields, tag)
    except BaseException:
        state.transaction.overlay = before
        await workspace.close()
        raise
    finally:
        release()


def require_writable(analysis: Analysis, verb: str) -> None:
    if analysis.read_only:
        raise InvalidTransactionState(f"cannot execute {verb} in a read-only transaction", sqlstate="25006")


async def _change(state: SessionState, view: LakeView, bound: BoundStatement, workspace: Workspace) -> int:
    match bound:
        case BoundInsert():
            return await insert(state, view, bound, workspace)
        case BoundUpdate():
            return await change.update(state, view, bound, workspace)
        case BoundDelete():
            return await change.delete(state, view, bound, workspace)
        case BoundMerge():
            return await change.merge(state, view, bound, workspace)
        case BoundSelect():
            raise MereError("this statement does not change anything")


async def _returning(
    state: SessionState,
    view: LakeView,
    returning: BoundSelect,
    workspace: Workspace,
    fields: tuple[Field, ...],
    tag: str,
) -> Outcome:
    """The rows of RETURNING, over the materialised ones; the workspace lives until they are sent."""
    outputs = output_expressions(state, returning, fields)
    tables = {ROWS: f"SELECT * FROM temp.{ROWS}"}
    text = await slice_text(plan(returning).root, view, PostgresRows(state.backend), workspace, outputs, tables)
    return Outcome(tag, fields, await stream_rows(workspace, text, fields))


async def insert_query(state: SessionState, statement: Statement, parameters: Parameters) -> int:
    """INSERT ... SELECT of our own making, for CREATE TABLE AS; returns the number of rows."""
    outcome = await run_write(state, statement, parameters, ())
    return int(outcome.tag.rpartition(" ")[2])
