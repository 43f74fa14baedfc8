"""COPY of lake tables and queries: with the client, and with object storage. Coordinator process.

Owns who may copy what; formats are the segment's.
"""

from __future__ import annotations

from mere.errors import FeatureNotSupported, InsufficientPrivilege
from mere.session.copy_binary import copy_binary_from_client, copy_binary_to_client
from mere.session.copy_from import copy_from_client
from mere.session.copy_storage import copy_from_storage, copy_to_storage
from mere.session.copy_to import copy_to_client
from mere.session.rows import Outcome
from mere.session.state import SessionState
from mere.sql.copy_command import Copy, parse_copy
from mere.sql.lexer import Statement

READERS = "mere_storage_reader"
WRITERS = "mere_storage_writer"


async def run_copy(state: SessionState, statement: Statement) -> Outcome:
    command = parse_copy(statement.text)
    if command.program:
        raise FeatureNotSupported("COPY with PROGRAM is not supported", hint="Use psql's \\copy, or object storage.")
    if command.location is None:
        binary = command.option("format") == "binary"
        if command.is_from:
            copy_from = copy_binary_from_client if binary else copy_from_client
            return Outcome(f"COPY {await copy_from(state, command)}")
        copy_to = copy_binary_to_client if binary else copy_to_client
        return Outcome(f"COPY {await copy_to(state, command)}")
    await _require_role(state, READERS if command.is_from else WRITERS, command)
    if command.is_from:
        return Outcome(f"COPY {await copy_from_storage(state, command)}")
    return Outcome(f"COPY {await copy_to_storage(state, command)}")


async def _require_role(state: SessionState, role: str, command: Copy) -> None:
    """Storage is read with the server's credentials, so it takes a role to use them."""
    rows = await state.backend.fetch("SELECT pg_catalog.pg_has_role($1::text::name, 'USAGE')", [role])
    if rows[0][0] != "t":
        raise InsufficientPrivilege(
            f"permission denied to COPY {'from' if command.is_from else 'to'} object storage",
            detail=f'Only roles with privileges of the "{role}" role may do it.',
            hint="Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone.",
        )
