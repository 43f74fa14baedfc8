"""INSERT into PostgreSQL's own tables (heap, temporary) of rows that come from the lake. Coordinator process.

PostgreSQL loads them by COPY as the user, so its defaults, constraints and triggers do their work.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pyarrow as pa

from mere.errors import FeatureNotSupported
from mere.segment.encode import CopyTextEncoder
from mere.segment.workspace import Workspace
from mere.session.analysis import Analysis
from mere.session.on_segments import source_text
from mere.session.select import as_text, lake_view, session_format
from mere.session.state import SessionState
from mere.sql.bind.bound import BoundInsert, BoundStatement
from mere.sql.lexer import quote_identifier
from mere.sql.render import SessionFormat


async def insert_into_heap(state: SessionState, analysis: Analysis, bound: BoundStatement) -> int:
    """Returns the number of rows. UPDATE, DELETE, MERGE and RETURNING with rows of the lake are refused."""
    if not isinstance(bound, BoundInsert) or bound.source is None or bound.mixed or bound.returning is not None:
        raise FeatureNotSupported(
            "PostgreSQL tables take rows of lake tables by INSERT ... SELECT without RETURNING only",
            hint="Copy the rows into a temporary table first.",
        )
    view = lake_view(state, analysis.snapshot)
    form = SessionFormat(session_format(state).time_zone)  # what PostgreSQL reads alike under all settings
    outputs = [as_text(column.typed, form) for column in bound.source.columns]
    columns = ", ".join(quote_identifier(column.name) for column in bound.given)
    relation = bound.relation
    target = f"{quote_identifier(relation.schema)}.{quote_identifier(relation.name)}"
    workspace = state.open_workspace()
    try:
        text = await source_text(state, view, bound.source, workspace, outputs)
        tag = await state.backend.copy_in(f"COPY {target} ({columns}) FROM STDIN", _lines(workspace, text), framed=True)
    finally:
        await workspace.close()
    return int(tag.rpartition(" ")[2] or 0)


async def _lines(workspace: Workspace, text: str) -> AsyncIterator[bytes]:
    """The rows as CopyData messages of COPY's text format."""
    encode = CopyTextEncoder()

    def convert(batch: pa.RecordBatch) -> bytes:
        return bytes(encode(batch))

    async with await workspace.stream_as(convert, text) as stream:
        async for lines in stream:
            yield lines
