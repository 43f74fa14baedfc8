"""Statements that change lake tables: what they share, and RETURNING. Lives in the coordinator process."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from mere.errors import InvalidTransactionState, MereError
from mere.execute.query import slice_text
from mere.execute.scans import LakeView
from mere.plan.planner import plan
from mere.segment.workspace import Workspace
from mere.session import change
from mere.session.analysis import Analysis, analyse, decimals_overflowed
from mere.session.checks import with_rule_constants
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
    BoundUpdate,
)
from mere.sql.lexer import Statement
from mere.sql.relations import Kind, Relation
from mere.wire.messages import Field

BoundChange = BoundInsert | BoundUpdate | BoundDelete | BoundMerge
_VERBS = {BoundInsert: "INSERT", BoundUpdate: "UPDATE", BoundDelete: "DELETE", BoundMerge: "MERGE"}
_TAGS = {"INSERT": "INSERT 0"}
_NO_PARAMETERS = Parameters()


async def run_write(
    state: SessionState, statement: Statement, parameters: Parameters, formats: tuple[int, ...]
) -> Outcome:
    """INSERT, UPDATE, DELETE or MERGE; nothing of it stays when it fails. Rows of RETURNING are still to be sent."""
    await state.transaction.ensure()
    try:
        return await write_analysed(state, await analyse(state, statement, parameters.oids), parameters, formats)
    except _FilesReplaced:  # and not again, since by now the tables are held
        return await write_analysed(state, await analyse(state, statement, parameters.oids), parameters, formats)


class _FilesReplaced(Exception):
    """Maintenance has replaced files since the statement chose its snapshot: rows taken from them would be refused."""


async def write_analysed(
    state: SessionState,
    analysis: Analysis,
    parameters: Parameters = _NO_PARAMETERS,
    formats: tuple[int, ...] = (),
    replacing: bool = False,
) -> Outcome:
    """`replacing`: the rows of an INSERT take the place of all that the table has; the statement still sees those."""
    try:
        return await _write(state, analysis, parameters, formats, replacing, wide=False)
    except MereError as error:
        if not decimals_overflowed(error):
            raise
    return await _write(state, analysis, parameters, formats, replacing, wide=True)


async def _write(
    state: SessionState,
    analysis: Analysis,
    parameters: Parameters,
    formats: tuple[int, ...],
    replacing: bool,
    wide: bool,
) -> Outcome:
    """One attempt; after an error the transaction's overlay is as it was."""
    bound = analysis.bind(parameters, wide)
    if isinstance(bound, BoundSelect):
        raise MereError("this statement does not change anything")
    require_writable(analysis, _verb(bound))
    if bound.relation.kind is Kind.POSTGRES:
        return Outcome(f"INSERT 0 {await insert_into_heap(state, analysis, bound)}")
    view = lake_view(state, analysis.snapshot)
    if not isinstance(bound, BoundInsert):
        await _hold_files(state, view, bound.relation)
    before = state.transaction.overlay
    release = state.database.readers.hold(view.snapshot.id)
    workspace = state.open_workspace()
    try:
        if replacing:
            state.transaction.overlay = before.truncate(bound.relation.oid, view.snapshot.id)
        fields = with_formats(analysis.description.fields or (), formats)
        return await change_and_return(state, view, bound, workspace, fields)
    except BaseException:
        state.transaction.overlay = before
        await workspace.close()
        raise
    finally:
        release()


async def _hold_files(state: SessionState, view: LakeView, relation: Relation) -> None:
    """From here to the end of the transaction, the files that rows are taken from stay those of the table."""
    tables = [each.table_id for each in (relation.partitions or (relation,)) if each.table_id is not None]
    for table_id in tables:
        await state.transaction.take_rows_from(table_id)
    changing = state.database.changing
    if state.transaction.pinned is None and any(changing.replaced_since(each, view.snapshot.id) for each in tables):
        raise _FilesReplaced


def require_writable(analysis: Analysis, verb: str) -> None:
    if analysis.read_only:
        raise InvalidTransactionState(f"cannot execute {verb} in a read-only transaction", sqlstate="25006")


def _verb(bound: BoundChange) -> str:
    return bound.verb if isinstance(bound, BoundMerge) else _VERBS[type(bound)]


async def change_and_return(
    state: SessionState, view: LakeView, bound: BoundChange, workspace: Workspace, fields: tuple[Field, ...]
) -> Outcome:
    """Carries out the statement; the workspace closes with the rows of RETURNING, or here."""
    count = await change_rows(state, view, bound, workspace)
    state.check_cancelled()
    verb = _verb(bound)
    tag = f"{_TAGS.get(verb, verb)} {count}"
    if bound.returning is None:
        await workspace.close()
        return Outcome(tag)
    outputs = output_expressions(state, bound.returning, fields)
    text = await returned_text(state, view, bound.returning, workspace, outputs)
    return Outcome(tag, fields, await stream_rows(workspace, text, fields))


async def change_rows(state: SessionState, view: LakeView, bound: BoundChange, workspace: Workspace) -> int:
    """How many rows the statement changed. With RETURNING they stand in `mere_rows` afterwards."""
    match bound:
        case BoundInsert():
            return await insert(state, view, await with_rule_constants(state, bound), workspace)
        case BoundUpdate():
            return await change.update(state, view, await with_rule_constants(state, bound), workspace)
        case BoundDelete():
            return await change.delete(state, view, bound, workspace)
        case BoundMerge():
            return await change.merge(state, view, await with_rule_constants(state, bound), workspace)


async def returned_text(
    state: SessionState,
    view: LakeView,
    returning: BoundSelect,
    workspace: Workspace,
    outputs: Sequence[exp.Expression] | None = None,
) -> str:
    """The query of RETURNING, over the materialised rows. `outputs` as in `slice_text`."""
    tables = {ROWS: f"SELECT * FROM temp.{ROWS}"}
    return await slice_text(plan(returning).root, view, PostgresRows(state.backend), workspace, outputs, tables)


async def insert_query(state: SessionState, statement: Statement, parameters: Parameters) -> int:
    """INSERT ... SELECT of our own making, for CREATE TABLE AS; returns the number of rows."""
    outcome = await run_write(state, statement, parameters, ())
    return int(outcome.tag.rpartition(" ")[2])
