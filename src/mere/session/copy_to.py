"""COPY ... TO STDOUT: rows rendered and encoded on the engine's threads, a message each. Coordinator process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from mere.segment.copy_format import CopyFormat, chosen, parse_copy_options
from mere.segment.encode import CopyCsvEncoder, CopyTextEncoder, column_form
from mere.session.copy_query import copy_query, open_rows
from mere.session.select import session_format, text_output
from mere.session.state import SessionState
from mere.sql.copy_command import Copy
from mere.sql.types import PgType
from mere.wire import messages

_Encoder: TypeAlias = CopyTextEncoder | CopyCsvEncoder


async def copy_to_client(state: SessionState, command: Copy) -> int:
    """Sends the rows; returns how many."""
    options = parse_copy_options(command.options, is_from=False, remote=False)
    query = await copy_query(state, command)
    names = [field.name for field in query.fields]
    encode = encoder(options, names, [column.typed.type for column in query.bound.columns])
    form, prints = session_format(state), encode.prints
    outputs = [text_output(column.typed, form, prints) for column in query.bound.columns]
    rows = await open_rows(state, query, outputs, encode)
    state.client.write(messages.copy_out_response(len(names)))
    if options.header == "yes":
        state.client.write(encode.header(names))
    sent, _ = await rows.send(state.client)
    state.client.write(messages.copy_done())
    return sent


def encoder(options: CopyFormat, names: Sequence[str], types: Sequence[PgType]) -> _Encoder:
    delimiter, null = options.delimiter.encode(), options.null.encode()
    forced = chosen(options.force_quote, names, "FORCE_QUOTE")
    columns = tuple(column_form(kind, forced=number in forced) for number, kind in enumerate(types))
    if not options.is_csv:
        return CopyTextEncoder(delimiter, null, columns)
    return CopyCsvEncoder(delimiter, null, options.quote.encode(), options.escape.encode(), columns)
