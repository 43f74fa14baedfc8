"""COPY ... TO STDOUT: rows rendered and encoded on the engine's threads, a message each. Coordinator process."""

from __future__ import annotations

from typing import TypeAlias

import pyarrow as pa

from mere.errors import DataError, FeatureNotSupported
from mere.execute.query import slice_text
from mere.plan.planner import plan
from mere.segment.encode import CopyCsvEncoder, CopyTextEncoder
from mere.session.copy_query import copy_query
from mere.session.postgres_rows import PostgresRows
from mere.session.rows import Portion, RowSource
from mere.session.select import session_format
from mere.session.state import SessionState
from mere.sql.copy_command import Copy
from mere.sql.render import render_text
from mere.wire import messages
from mere.wire.messages import Field

_Encoder: TypeAlias = CopyTextEncoder | CopyCsvEncoder


async def copy_to_client(state: SessionState, command: Copy) -> int:
    """Sends the rows; returns how many."""
    query = await copy_query(state, command)
    encode = encoder(command, query.fields)
    form = session_format(state)
    outputs = [render_text(column.typed, form) for column in query.bound.columns]
    workspace = state.open_workspace()
    try:
        text = await slice_text(plan(query.bound).root, query.view, PostgresRows(state.backend), workspace, outputs)

        def convert(batch: pa.RecordBatch) -> Portion:
            batch = batch if outputs else batch.select([])
            return Portion(batch, encode(batch))

        rows = RowSource(await workspace.stream_as(convert, text), encode, workspace.close)
    except BaseException:
        await workspace.close()
        raise
    state.client.write(messages.copy_out_response(len(query.fields)))
    if wants_header(command):
        state.client.write(encode.header([field.name for field in query.fields]))
    sent, _ = await rows.send(state.client)
    state.client.write(messages.copy_done())
    return sent


def wants_header(command: Copy) -> bool:
    header = command.option("header")
    if isinstance(header, str) and header.lower() == "match":
        raise DataError('cannot use "match" with HEADER in COPY TO', sqlstate="22023")
    return header is not None and (header is True or str(header).lower() in ("true", "on", "1"))


def encoder(command: Copy, fields: tuple[Field, ...]) -> _Encoder:
    form = str(command.option("format") or "text").lower()
    delimiter = command.option("delimiter")
    null = command.option("null")
    if form == "text":
        refuse(command, "quote", "escape", "force_quote")
        return CopyTextEncoder(_single(delimiter, "\t", "delimiter"), b"\\N" if null is None else str(null).encode())
    if form == "csv":
        quote = _single(command.option("quote"), '"', "quote")
        return CopyCsvEncoder(
            _single(delimiter, ",", "delimiter"),
            b"" if null is None else str(null).encode(),
            quote,
            _single(command.option("escape"), quote.decode(), "escape"),
            _forced(command, fields),
        )
    raise FeatureNotSupported(f'COPY format "{form}" is not supported for lake tables')


def refuse(command: Copy, *options: str) -> None:
    for option in options:
        if command.option(option) is not None:
            name = option.replace("_", " ").upper()
            raise FeatureNotSupported(f"COPY {name} requires CSV mode", sqlstate="0A000")


def _single(value: object, default: str, name: str) -> bytes:
    text = default if value is None else str(value)
    if len(text.encode()) != 1:
        raise DataError(f"COPY {name} must be a single one-byte character", sqlstate="0A000")
    return text.encode()


def _forced(command: Copy, fields: tuple[Field, ...]) -> frozenset[int]:
    forced = command.option("force_quote")
    if forced is None:
        return frozenset()
    if forced == "*" or forced is True:
        return frozenset(range(len(fields)))
    names = (forced,) if isinstance(forced, str) else forced
    assert isinstance(names, tuple)
    return frozenset(index for index, field in enumerate(fields) if field.name in names)
