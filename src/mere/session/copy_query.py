"""The query that a COPY ... TO sends, a table's columns or the one it gives, and its rows. Coordinator process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.execute.scans import LakeView
from mere.session.analysis import analyse
from mere.session.on_segments import source_text
from mere.session.rows import Encoder, Portion, RowSource
from mere.session.select import lake_view
from mere.session.state import Parameters, SessionState
from mere.sql.bind.bound import BoundSelect
from mere.sql.copy_command import Copy
from mere.sql.lexer import quote_identifier, split
from mere.wire.messages import Field


@dataclass(frozen=True, slots=True)
class CopyQuery:
    bound: BoundSelect
    view: LakeView
    fields: tuple[Field, ...]


async def copy_query(state: SessionState, command: Copy) -> CopyQuery:
    if command.query is not None:
        text = command.query
    else:
        assert command.target is not None
        columns = ", ".join(map(quote_identifier, command.columns)) or "*"
        text = f"SELECT {columns} FROM {'.'.join(map(quote_identifier, command.target))}"
    analysis = await analyse(state, split(text)[0])
    bound = analysis.bind(Parameters())
    if not isinstance(bound, BoundSelect):
        raise FeatureNotSupported("COPY of a statement with RETURNING is not supported for lake tables")
    return CopyQuery(bound, lake_view(state, analysis.snapshot), analysis.description.fields or ())


async def open_rows(
    state: SessionState, query: CopyQuery, outputs: Sequence[exp.Expression], encode: Encoder
) -> RowSource:
    """The rows of `outputs`, in the form that `encode` gives them. The caller reads to the end or closes."""
    release = state.database.readers.hold(query.view.snapshot.id)
    workspace = state.open_workspace()

    def convert(batch: pa.RecordBatch) -> Portion:
        batch = batch if outputs else batch.select([])
        return Portion(batch, encode(batch))

    try:
        text = await source_text(state, query.view, query.bound, workspace, outputs)
        rows = RowSource(await workspace.stream_as(convert, text), encode, workspace.close)
        rows.when_closed(release)
    except BaseException:
        release()
        await workspace.close()
        raise
    return rows
