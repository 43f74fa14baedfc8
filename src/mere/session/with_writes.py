"""WITH queries that change lake tables: each part runs once, to its end, on the snapshot of the whole statement.

Lives in the coordinator process. What a part returns stands in a table of the statement's workspace, where the parts
after it, and at last the main statement, read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlglot import exp

from mere.errors import FeatureNotSupported, MereError
from mere.execute.query import slice_text
from mere.execute.scans import LakeView
from mere.plan.planner import plan
from mere.segment.workspace import Workspace
from mere.session.analysis import Analysis, decimals_overflowed, parsed
from mere.session.on_segments import source_text
from mere.session.postgres_rows import PostgresRows
from mere.session.rows import Outcome
from mere.session.select import lake_view, output_expressions, stream_rows, with_formats
from mere.session.state import Parameters, SessionState
from mere.session.upserts import analyse_in_turn
from mere.session.write import (
    BoundChange,
    change_and_return,
    change_rows,
    require_writable,
    returned_text,
    write_analysed,
)
from mere.sql.bind import BindContext, BoundInsert, BoundSelect, BoundStatement, bind, parse
from mere.sql.bind.divided import divided_target, per_partition, with_partitions
from mere.sql.bind.modifying import Parts, WithPart, has_changes, held_table, take_apart
from mere.sql.bind.scope import CommonTable
from mere.sql.bind.target import check_write
from mere.sql.lexer import Statement, quote_identifier
from mere.sql.relations import Kind, Relation
from mere.sql.statements import StatementKind
from mere.sql.types import PgType, format_type
from mere.wire.messages import Field

_CHANGING = frozenset({"insert", "update", "delete", "merge"})
_TEMPORARY = "SELECT table_name FROM duckdb_tables() WHERE temporary"


def changes_in_with(statement: Statement) -> bool:
    if "with" not in statement.words or statement.words.isdisjoint(_CHANGING):
        return False
    tree = parsed(statement)
    return tree is not None and has_changes(tree)


async def run_with_writes(
    state: SessionState,
    statement: Statement,
    kind: StatementKind,
    parameters: Parameters,
    formats: tuple[int, ...],
) -> Outcome:
    """The statement for which `changes_in_with`. Nothing of it stays when it fails."""
    await state.transaction.ensure()
    analysis = await analyse_in_turn(state, statement, parameters.oids)
    require_writable(analysis, kind.name)
    return await run_parts(state, analysis, take_apart(analysis.tree, _volatile(analysis)), parameters, formats)


async def change_table(
    state: SessionState, statement: Statement, parameters: Parameters, formats: tuple[int, ...]
) -> Outcome:
    """INSERT, UPDATE, DELETE or MERGE, of a table or a partitioned one."""
    await state.transaction.ensure()
    analysis = await analyse_in_turn(state, statement, parameters.oids)
    table = divided_target(analysis.resolved, analysis.tree)
    if table is None:
        return await write_analysed(state, analysis, parameters, formats)
    return await change_partitions(state, analysis, table, parameters, formats)


async def change_partitions(
    state: SessionState, analysis: Analysis, table: Relation, parameters: Parameters, formats: tuple[int, ...]
) -> Outcome:
    """UPDATE or DELETE of a partitioned table: one of each partition, and what they return together."""
    apart = take_apart(analysis.tree, _volatile(analysis))
    tree = analysis.tree if apart.main is None else apart.main
    resolved = with_partitions(analysis.resolved, table)
    verb = "UPDATE" if isinstance(tree, exp.Update) else "DELETE"
    if not any(column.updatable for column in table.columns):
        check_write(table, verb)
    nulls = (
        f"NULL::{format_type(PgType(field.type_oid, field.typmod))} AS {quote_identifier(field.name)}"
        for field in analysis.description.fields or ()
    )
    each = per_partition(tree, table, parse(f"SELECT {', '.join(nulls)} WHERE false"), _volatile(analysis))
    parts = Parts((*apart.before, *each.before), each.main)
    return await run_parts(state, replace(analysis, resolved=resolved), parts, parameters, formats, verb)


def _volatile(analysis: Analysis) -> frozenset[str]:
    """The names of users' functions that may be volatile."""
    named = analysis.resolved.functions.items()
    return frozenset(name for (_, name), meant in named if any(function.volatility == "v" for function in meant))


async def run_parts(
    state: SessionState,
    analysis: Analysis,
    parts: Parts,
    parameters: Parameters,
    formats: tuple[int, ...],
    verb: str | None = None,
) -> Outcome:
    """`verb`: the statement is what its parts are together, and its tag counts the rows that they changed."""
    try:
        return await _run(state, analysis, parts, parameters, formats, verb, wide=False)
    except MereError as error:
        if not decimals_overflowed(error):
            raise
    return await _run(state, analysis, parts, parameters, formats, verb, wide=True)


@dataclass(slots=True)
class _Run:
    """One attempt. `held` are the parts that have run; `changed` the tables of which rows were updated or deleted."""

    state: SessionState
    view: LakeView
    workspace: Workspace
    analysis: Analysis
    context: BindContext
    held: dict[str, CommonTable] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)
    count: int = 0  # of the rows that the parts have changed

    async def part(self, part: WithPart) -> None:
        table = divided_target(self.analysis.resolved, part.tree)
        if table is not None:
            await self._change_partitions(part, table)
            return
        bound = self.bind(part.tree)
        if isinstance(bound, BoundSelect):
            await self._hold(part, bound, await source_text(self.state, self.view, bound, self.workspace))
            return
        self.check(bound)
        self.count += await change_rows(self.state, self.view, bound, self.workspace)
        self.state.check_cancelled()
        if bound.returning is not None:
            rows = await returned_text(self.state, self.view, bound.returning, self.workspace)
            await self._hold(part, bound.returning, rows)
        await self._clear()

    async def _change_partitions(self, part: WithPart, table: Relation) -> None:
        """UPDATE or DELETE of a partitioned table: one of each partition, and what they return together."""
        self.analysis = replace(self.analysis, resolved=with_partitions(self.analysis.resolved, table))
        each = per_partition(part.tree, table, None, _volatile(self.analysis))
        if not each.before:
            raise FeatureNotSupported(f'WITH that changes table "{table.name}", which has no partitions')
        for one in each.before:
            await self.part(one)
        if each.main is not None:
            rows = self.bind(each.main)
            assert isinstance(rows, BoundSelect)
            await self._hold(part, rows, await source_text(self.state, self.view, rows, self.workspace))

    def bind(self, tree: exp.Expression) -> BoundStatement:
        return bind(tree, self.analysis.resolved, self.context, self.held)

    def check(self, bound: BoundChange) -> None:
        """Two parts that took rows away from one table, each on the same snapshot, would undo each other."""
        if bound.relation.kind is Kind.POSTGRES:
            raise FeatureNotSupported(
                f'changing "{bound.relation.name}", which is not a lake table, beside lake tables in one WITH'
                " is not supported"
            )
        if isinstance(bound, BoundInsert):
            return
        if bound.relation.oid in self.changed:
            raise FeatureNotSupported(
                "a second statement in one WITH that updates or deletes rows of lake table"
                f' "{bound.relation.name}" is not supported'
            )
        self.changed.add(bound.relation.oid)

    async def _hold(self, part: WithPart, rows: BoundSelect, text: str) -> None:
        table = held_table(part, len(self.held), rows.columns)
        await self.workspace.execute(f"CREATE TEMP TABLE {table.emitted} AS {text}")
        self.held[part.name] = table
        await self._clear()

    async def _clear(self) -> None:
        """Every part uses the same names for what it materialises."""
        kept = {table.emitted for table in self.held.values()}
        for (name,) in await self.workspace.rows(_TEMPORARY, looks_around=True):
            if name not in kept:
                await self.workspace.execute(f"DROP TABLE temp.{quote_identifier(name)}")


async def _run(
    state: SessionState,
    analysis: Analysis,
    parts: Parts,
    parameters: Parameters,
    formats: tuple[int, ...],
    verb: str | None,
    wide: bool,
) -> Outcome:
    """One attempt; after an error the transaction's overlay is as it was."""
    view = lake_view(state, analysis.snapshot)
    before = state.transaction.overlay
    release = state.database.readers.hold(view.snapshot.id)
    workspace = state.open_workspace()
    run = _Run(state, view, workspace, analysis, analysis.context(parameters, wide))
    try:
        for part in parts.before:
            await run.part(part)
        if parts.main is None:
            await workspace.close()
            release()
            return Outcome(f"{verb} {run.count}")
        outcome = await _main(run, parts.main, with_formats(analysis.description.fields or (), formats))
        if verb is not None:
            outcome = replace(outcome, tag=f"{verb} {run.count}", counted=False)
    except BaseException:
        state.transaction.overlay = before
        release()
        await workspace.close()
        raise
    if outcome.rows is None:
        release()
    else:
        outcome.rows.when_closed(release)
    return outcome


async def _main(run: _Run, tree: exp.Expression, fields: tuple[Field, ...]) -> Outcome:
    state, workspace = run.state, run.workspace
    bound = run.bind(tree)
    if not isinstance(bound, BoundSelect):
        run.check(bound)
        return await change_and_return(state, run.view, bound, workspace, fields)
    outputs = output_expressions(state, bound, fields)
    text = await slice_text(plan(bound).root, run.view, PostgresRows(state.backend), workspace, outputs)
    return Outcome("SELECT", fields, await stream_rows(workspace, text, fields), counted=True)
