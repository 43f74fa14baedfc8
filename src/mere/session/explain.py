"""EXPLAIN of statements over the lake: which files a slice reads, and DuckDB's plan of it. Coordinator process."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from mere.errors import FeatureNotSupported, SqlSyntaxError
from mere.execute.distributed import PlanMemory
from mere.execute.query import slice_text
from mere.execute.scans import LakeView, scanned_files
from mere.plan.nodes import Slice
from mere.plan.planner import plan
from mere.segment.workspace import Workspace
from mere.session.analysis import analyse
from mere.session.answers import text_answer
from mere.session.explain_distributed import explain_distributed
from mere.session.named import arguments
from mere.session.postgres_rows import PostgresRows
from mere.session.rows import Outcome
from mere.session.select import lake_view
from mere.session.state import Parameters, SessionState
from mere.session.write import run_write
from mere.sql.bind.bound import BoundDelete, BoundInsert, BoundMerge, BoundSelect, BoundStatement, BoundUpdate
from mere.sql.commands import Explain, parse_declare, parse_explain
from mere.sql.created import parse_create_table_as
from mere.sql.functions.python import renamed
from mere.sql.lexer import Statement, split
from mere.sql.relations import Kind
from mere.sql.statements import WRITES, StatementKind, classify

_FORMATS = frozenset({"text", "json"})


async def run_explain(
    state: SessionState, statement: Statement, parameters: Parameters, formats: tuple[int, ...]
) -> Outcome:
    command = parse_explain(statement.text)
    form = dict(command.options).get("format", "text")
    if form not in _FORMATS:
        raise FeatureNotSupported(f"EXPLAIN (FORMAT {form.upper()}) is not supported", hint="Use FORMAT TEXT or JSON.")
    analyze = command.flag("analyze")
    inner, parameters = await _explained(state, command, parameters, analyze)
    if analyze and classify(inner) in WRITES:
        lines = await _run_and_time(state, inner, parameters)
    else:
        lines = await _explain(state, inner, parameters, command, analyze, form)
    shown = [renamed(line, lambda _, function: function.name) for line in lines]
    return text_answer("EXPLAIN", ("QUERY PLAN",), [shown], formats)


async def _explained(
    state: SessionState, command: Explain, parameters: Parameters, analyze: bool
) -> tuple[Statement, Parameters]:
    """The query behind the statement: of EXECUTE what was prepared, of DECLARE and CREATE TABLE AS what they read."""
    statements = split(command.inner)
    if not statements:
        raise SqlSyntaxError("syntax error at end of input")
    inner = statements[0]
    kind = classify(inner)
    if kind is StatementKind.EXECUTE:
        prepared, parameters = await arguments(state, inner)
        assert prepared.statement is not None
        inner, kind = prepared.statement, classify(prepared.statement)
    elif kind is StatementKind.DECLARE:
        inner, kind = split(parse_declare(inner.text).inner)[0], StatementKind.SELECT
    elif kind is StatementKind.CREATE_TABLE_AS and not analyze:
        query = parse_create_table_as(inner.text).query
        if query is not None:
            inner, kind = split(query)[0], StatementKind.SELECT
    if kind is not StatementKind.SELECT and kind not in WRITES:
        raise FeatureNotSupported(
            f"EXPLAIN {'ANALYZE ' if analyze else ''}{' '.join(inner.keywords[:2]).upper()}"
            " is not supported for lake tables"
        )
    return inner, parameters


async def parameter_types(state: SessionState, statement: Statement, given: tuple[int, ...]) -> tuple[int, ...]:
    inner = split(parse_explain(statement.text).inner)[0]
    return (await analyse(state, inner, given)).description.param_oids if inner.parameters else ()


async def _run_and_time(state: SessionState, inner: Statement, parameters: Parameters) -> list[str]:
    """EXPLAIN ANALYZE of a write carries it out."""
    start = time.perf_counter()
    outcome = await run_write(state, inner, parameters, ())
    if outcome.rows is not None:
        await outcome.rows.skip()
        await outcome.rows.close()
    milliseconds = (time.perf_counter() - start) * 1000
    verb, _, count = outcome.tag.partition(" ")
    rows = count.split()[-1] if count else "0"
    return [f"{verb.title()}  (actual rows={rows})", f"Execution Time: {milliseconds:.3f} ms"]


async def _explain(
    state: SessionState, inner: Statement, parameters: Parameters, command: Explain, analyze: bool, form: str
) -> list[str]:
    started = time.perf_counter()
    analysis = await analyse(state, inner, parameters.oids)
    compiled = analysis.compile(parameters)
    view = lake_view(state, analysis.snapshot)
    query, verb = _query_of(compiled.bound)
    reads = isinstance(compiled.bound, BoundSelect)
    memory = compiled.memory if reads else PlanMemory()
    change = compiled.bound if isinstance(compiled.bound, BoundUpdate | BoundDelete | BoundMerge) else None
    distributed = await explain_distributed(
        state, view, query, memory, None if reads else verb, change, command, analyze, form
    )
    if distributed is not None:
        return distributed
    slice_ = plan(query).root
    release = state.database.readers.hold(view.snapshot.id)
    workspace = state.open_workspace()
    try:
        text = await slice_text(slice_, view, PostgresRows(state.backend), workspace)
        planned = time.perf_counter()
        engine = await _engine_plan(workspace, text, analyze, form)
        files = [await _files_line(view, slice_, index) for index in range(len(slice_.scans))]
        if form == "json":
            return [_as_json(verb, slice_, files, engine)]
        lines = [*_header(verb, slice_, files), *engine]
        if state.services.runtime.segments > 1:
            lines.append(f"Run by the coordinator: {why_here(state, query)}")
        lines.append(f"Planning Time: {(planned - started) * 1000:.3f} ms")
        if analyze:
            lines.append(f"Execution Time: {(time.perf_counter() - planned) * 1000:.3f} ms")
        if command.flag("verbose"):
            lines += ["Query of the segment:", *(f"  {line}" for line in text.split("\n"))]
        return lines
    finally:
        release()
        await workspace.close()


def why_here(state: SessionState, query: BoundSelect) -> str:
    """Why the segments that there are have no part in the query."""
    dispatcher = state.services.dispatcher
    if query.volatile:
        return "a volatile function gives another answer each time"
    if not dispatcher.runtime.ready():
        return "no segment answers yet"
    return f"it reads fewer than {dispatcher.options.rows} rows (distribute_rows)"


def _query_of(bound: BoundStatement) -> tuple[BoundSelect, str]:
    if isinstance(bound, BoundSelect):
        return bound, "Gather"
    if isinstance(bound, BoundInsert):
        if bound.source is None:
            raise FeatureNotSupported("EXPLAIN INSERT ... DEFAULT VALUES is not supported")
        return bound.source, f"Insert on {bound.relation.name}"
    verb = type(bound).__name__.removeprefix("Bound")
    return bound.select, f"{verb} on {bound.relation.name}"


async def _engine_plan(workspace: Workspace, text: str, analyze: bool, form: str) -> list[str]:
    options = ", ".join(word for word, wanted in (("ANALYZE", analyze), ("FORMAT JSON", form == "json")) if wanted)
    rows = await workspace.rows(f"EXPLAIN {f'({options}) ' if options else ''}{text}")
    return [line for row in rows for line in str(row[-1]).rstrip("\n").split("\n")]


async def _files_line(view: LakeView, slice_: Slice, index: int) -> str:
    scan = slice_.scans[index]
    relation = scan.relation
    name = f"{relation.schema}.{relation.name}"
    if relation.kind is Kind.POSTGRES:
        return f"PostgreSQL Scan on {name}"
    read, all_ = await scanned_files(view, scan)
    deletes = sum(1 for file in read.files if file.delete is not None)
    suffix = f", {deletes} with deleted rows" if deletes else ""
    return f"Lake Scan on {name}  (files: {len(read.files)} of {len(all_.files)}, rows: {read.rows}{suffix})"


def _header(verb: str, slice_: Slice, files: Sequence[str]) -> list[str]:
    return [f"{verb}  (slice{slice_.number}; segments: 1)", *(f"  ->  {line}" for line in files)]


def _as_json(verb: str, slice_: Slice, files: Sequence[str], engine: Sequence[str]) -> str:
    plan_ = {"Node Type": verb, "Slice": slice_.number, "Segments": 1, "Scans": list(files)}
    return json.dumps([{"Plan": plan_ | {"Segment Plan": json.loads("\n".join(engine))}}], indent=2)
