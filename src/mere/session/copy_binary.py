"""COPY in binary, from and to the client, which ADBC, asyncpg's records and other bulk loaders use. Coordinator."""

from __future__ import annotations

from collections.abc import Sequence

from mere.lake.message import NewFile
from mere.segment.copy_binary import BinaryCopyIn, BinaryReader
from mere.segment.copy_binary_out import CopyBinaryEncoder
from mere.segment.copy_format import parse_copy_options
from mere.segment.workspace import Workspace
from mere.session.copy_from import receive_rows
from mere.session.copy_query import copy_query, open_rows
from mere.session.copy_target import copy_target
from mere.session.environment import SessionEnvironment
from mere.session.insert import insert_rows
from mere.session.select import output_expressions, with_formats
from mere.session.state import SessionState
from mere.sql.copy_command import Copy
from mere.wire import messages


async def copy_binary_from_client(state: SessionState, command: Copy) -> int:
    """Loads the client's rows into the transaction; returns how many."""
    parse_copy_options(command.options, is_from=True, remote=False)
    target = await copy_target(state, command)
    reader = BinaryReader(target.columns, SessionEnvironment(state.backend.parameters.get("TimeZone", "UTC")))

    async def write(workspace: Workspace, select: str) -> Sequence[NewFile]:
        state.workspaces.add(workspace)
        return await insert_rows(state, target.view, target.bound, workspace, target.complete(select))

    load = BinaryCopyIn(state.services.engine, reader, target.bound.relation.name, write)
    return (await receive_rows(state, load, messages.copy_in_response(len(target.columns), binary=True))).rows


async def copy_binary_to_client(state: SessionState, command: Copy) -> int:
    """Sends the rows; returns how many."""
    parse_copy_options(command.options, is_from=False, remote=False)
    query = await copy_query(state, command)
    fields = with_formats(query.fields, (1,))
    encode = CopyBinaryEncoder(tuple(field.type_oid for field in fields))
    outputs = output_expressions(state, query.bound, fields)
    rows = await open_rows(state, query, outputs, encode)
    state.client.write(messages.copy_out_response(len(fields), binary=True))
    sent, _ = await rows.send(state.client)
    state.client.write(encode.end())
    state.client.write(messages.copy_done())
    return sent
