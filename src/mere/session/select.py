"""SELECT over the lake: from a statement to rows on their way to the client. Lives in the coordinator process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
from sqlglot import exp

from mere.errors import FeatureNotSupported, InvalidTransactionState, MereError
from mere.execute.answer import Answer, open_answer
from mere.execute.compose import Body
from mere.execute.dispatch import Dispatch
from mere.execute.distributed import Opened, may_distribute, open_query
from mere.execute.query import body_text
from mere.execute.scans import LakeView
from mere.lake.metadata import Snapshot
from mere.plan.planner import plan
from mere.segment.encode import row_encoder
from mere.segment.errors import is_refusal
from mere.segment.native import kernels
from mere.segment.workspace import Workspace
from mere.session.analysis import Analysis, Compiled, analyse, decimals_overflowed
from mere.session.on_segments import start_query
from mere.session.postgres_rows import PostgresRows
from mere.session.rows import Encoder, Outcome, Portion, RowSource
from mere.session.state import Parameters, SessionState
from mere.sql.bind.bound import BoundSelect
from mere.sql.expressions.typed import Typed
from mere.sql.lexer import Statement
from mere.sql.render import SessionFormat, binary_value, plain_value, render_text
from mere.sql.types import PgType
from mere.wire.messages import Field

logger = logging.getLogger(__name__)


async def run_select(
    state: SessionState, statement: Statement, parameters: Parameters, formats: tuple[int, ...]
) -> Outcome:
    analysis = await analyse(state, statement, parameters.oids)
    _refuse_locks(analysis)
    try:
        return await _open(state, analysis, parameters, formats, wide=False)
    except MereError as error:
        if not decimals_overflowed(error):
            raise
    return await _open(state, analysis, parameters, formats, wide=True)


def _refuse_locks(analysis: Analysis) -> None:
    """FOR UPDATE and its kin are writes to PostgreSQL; over lake tables they lock nothing where they may stand."""
    locks = analysis.tree.args.get("locks") if analysis.read_only else None
    if locks:
        strength = "UPDATE" if locks[0].args.get("update") else "SHARE"
        if locks[0].args.get("key"):
            strength = "NO KEY UPDATE" if strength == "UPDATE" else "KEY SHARE"
        raise InvalidTransactionState(
            f"cannot execute SELECT FOR {strength} in a read-only transaction", sqlstate="25006"
        )


async def _open(
    state: SessionState, analysis: Analysis, parameters: Parameters, formats: tuple[int, ...], wide: bool
) -> Outcome:
    compiled = analysis.compile(parameters, wide, any_values=True)
    bound = compiled.bound
    if not isinstance(bound, BoundSelect):
        raise FeatureNotSupported("only a query can be read here")
    fields = with_formats(analysis.description.fields or (), formats)
    shown = (tuple(field.format for field in fields), session_format(state), kernels.ready())
    view = lake_view(state, analysis.snapshot)
    known = None
    if may_distribute(bound, state.services.dispatcher):
        found = await _from_segments(state, view, compiled, parameters, fields, shown)
        if isinstance(found, Outcome):
            return found
        known = found.constants if found is not None else None
    body = compiled.bodies.get(shown)
    if body is None:
        body = compiled.bodies[shown] = Body(plan(bound).root, output_expressions(state, bound, fields))
    return await open_body(state, view, body, fields, known, parameters.values)


async def _from_segments(
    state: SessionState,
    view: LakeView,
    compiled: Compiled,
    parameters: Parameters,
    fields: tuple[Field, ...],
    shown: object,
) -> Outcome | Opened | None:
    """As `distributed_select`. None where a slice has no meaning to the engine, which is a defect of the planner: it
    is written down, and costs the user time instead of the answer."""
    try:
        return await distributed_select(state, view, compiled, parameters, fields, shown)
    except MereError as error:
        if not is_refusal(error):
            raise
        logger.error("a plan for the segments does not hold, the coordinator answers: %s", error.message)
        return None


def lake_view(state: SessionState, snapshot: Snapshot) -> LakeView:
    return LakeView(state.database.metadata, snapshot, state.transaction.overlay, state.database.data_url)


async def distributed_select(
    state: SessionState,
    view: LakeView,
    compiled: Compiled,
    parameters: Parameters,
    fields: tuple[Field, ...],
    shown: object,
) -> Outcome | Opened:
    """The answer from the segments; or what was found out, where the query is too small for them.

    Every slice has run when this returns, except for large answers of plain scans, which follow piece by piece.
    """
    bound = compiled.bound
    assert isinstance(bound, BoundSelect)
    release = state.database.readers.hold(view.snapshot.id)
    workspace = state.open_workspace()
    running: Dispatch | None = None
    answer: Answer[Portion] | None = None

    async def close() -> None:
        if answer is not None:
            await answer.close()
        if running is not None:
            await running.close()
        await workspace.close()

    try:
        opened = await open_query(bound, view, PostgresRows(state.backend, parameters.values), workspace)
        if opened.rows < state.services.dispatcher.options.rows:
            release()
            await workspace.close()
            return opened
        planned, running = await start_query(state, view, bound, compiled.memory, opened, workspace, pieces=True)
        encode, convert = row_converter(fields)
        root = planned.root(shown, output_expressions(state, bound, fields))
        answer = await open_answer(running, root, opened.constants, workspace, convert)
        rows = RowSource(aiter(answer), encode, close)
        rows.when_closed(release)
    except BaseException:
        release()
        await close()
        raise
    return Outcome("SELECT", fields, rows, counted=True)


async def open_body(
    state: SessionState,
    view: LakeView,
    body: Body,
    fields: tuple[Field, ...],
    known: Mapping[str, exp.Expression] | None = None,
    values: Sequence[str | None] = (),
) -> Outcome:
    """Starts the query; its rows are read as the client takes them. `known` are its constants, if they are,
    `values` those of its parameters."""
    workspace = state.open_workspace()
    release = state.database.readers.hold(view.snapshot.id)
    try:
        text = await body_text(body, view, PostgresRows(state.backend, values), workspace, known=known)
        state.check_cancelled()
        rows = await stream_rows(workspace, text, fields)
        rows.when_closed(release)
    except BaseException:
        release()
        await workspace.close()
        raise
    return Outcome("SELECT", fields, rows, counted=True)


def output_expressions(state: SessionState, bound: BoundSelect, fields: Sequence[Field]) -> list[exp.Expression]:
    """Each column as its format wants it. Binary comes typed, and so does text that the encoder can print; other text
    is rendered by the query itself."""
    form = session_format(state)
    prints = kernels.ready()
    return [
        binary_value(column.typed)
        if field.format
        else text_output(column.typed, form, prints and field.typmod == column.typed.type.typmod)
        for column, field in zip(bound.columns, fields, strict=True)
    ]


def text_output(typed: Typed, form: SessionFormat, prints: bool) -> exp.Expression:
    """For a column in text format: `prints` says that the encoder can print values of most types."""
    plain = plain_value(typed, form) if prints else None
    return as_text(typed, form) if plain is None else plain


def as_text(typed: Typed, form: SessionFormat) -> exp.Expression:
    """As text, also where DuckDB finds that the value is nothing but NULL and gives it a type of its own choice."""
    return exp.cast(render_text(typed, form), "VARCHAR")


def session_format(state: SessionState) -> SessionFormat:
    reported = state.backend.parameters
    return SessionFormat(
        time_zone=reported.get("TimeZone", "UTC"),
        date_style=reported.get("DateStyle", "ISO, MDY"),
        interval_style=reported.get("IntervalStyle", "postgres"),
        bytea_output=state.bytea_output,
        extra_float_digits=min(state.extra_float_digits, 1),
    )


async def stream_rows(workspace: Workspace, text: str, fields: Sequence[Field]) -> RowSource:
    """The rows of a query of `output_expressions`; the workspace closes with them."""
    encode, convert = row_converter(fields)
    return RowSource(await workspace.stream_as(convert, text), encode, workspace.close)


def row_converter(fields: Sequence[Field]) -> tuple[Encoder, Callable[[pa.RecordBatch], Portion]]:
    """What encodes the rows of these fields, and makes portions of them on the engine's thread."""
    encode = row_encoder([PgType(f.type_oid, f.typmod) for f in fields], [f.format for f in fields])

    def convert(batch: pa.RecordBatch) -> Portion:
        # SELECT without a select list gives rows without columns; DuckDB counted them in one that nobody asked for.
        batch = batch if fields else batch.select([])
        return Portion(batch, encode(batch))

    return encode, convert


def with_formats(fields: tuple[Field, ...], formats: tuple[int, ...]) -> tuple[Field, ...]:
    """The fields with the formats that Bind asked for: none, one for all, or one each."""
    if not formats:
        return fields
    wanted = formats * len(fields) if len(formats) == 1 else formats
    return tuple(
        Field(f.name, f.table_oid, f.attnum, f.type_oid, f.type_len, f.typmod, wanted[index])
        for index, f in enumerate(fields)
    )
