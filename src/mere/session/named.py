"""PREPARE, EXECUTE and DEALLOCATE of statements over lake tables. Lives in the coordinator process."""

from __future__ import annotations

from mere.catalog.backend import Fetch
from mere.errors import SqlSyntaxError, UndefinedObject
from mere.session.postgres_rows import shown
from mere.session.rows import Outcome
from mere.session.state import Parameters, Prepared, SessionState
from mere.sql.commands import parse_deallocate, parse_execute, parse_prepare
from mere.sql.lexer import Statement, split


def parse_inner(statement: Statement) -> tuple[str, str, Statement]:
    """The name, the types and the statement of a PREPARE."""
    command = parse_prepare(statement.text)
    return command.name, command.types, split(command.inner)[0]


async def type_oids(state: SessionState, types: str) -> tuple[int, ...]:
    """The oids of a PREPARE's declared types, as PostgreSQL reads them."""
    if not types.strip():
        return ()
    casts = ", ".join(f"pg_catalog.pg_typeof(NULL::{one})::oid" for one in _split_types(types))
    rows = await state.backend.fetch(f"SELECT {casts}")
    return tuple(int(value or 0) for value in rows[0])


def _split_types(types: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for index, character in enumerate(types):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(types[start:index])
            start = index + 1
    return [*parts, types[start:]]


def require_free(state: SessionState, name: str) -> None:
    if name and state.prepared_here(name) is not None:
        raise SqlSyntaxError(f'prepared statement "{name}" already exists', sqlstate="42P05")


def find(state: SessionState, statement: Statement) -> Prepared:
    name = parse_execute(statement.text).name
    prepared = state.prepared_here(name)
    if prepared is None:
        raise UndefinedObject(f'prepared statement "{name}" does not exist', sqlstate="26000")
    return prepared


async def arguments(state: SessionState, statement: Statement) -> tuple[Prepared, Parameters]:
    """The prepared statement that EXECUTE names, and its arguments evaluated by PostgreSQL."""
    command = parse_execute(statement.text)
    prepared = find(state, statement)
    if len(command.arguments) != len(prepared.param_oids):
        raise SqlSyntaxError(
            f'wrong number of parameters for prepared statement "{command.name}"',
            detail=f"Expected {len(prepared.param_oids)} parameters but got {len(command.arguments)}.",
        )
    if not command.arguments:
        return prepared, Parameters()
    names = await state.backend.fetch(
        "SELECT pg_catalog.format_type(oid, NULL)"
        " FROM pg_catalog.unnest($1::oid[]) WITH ORDINALITY AS u(oid, n) ORDER BY n",
        ["{" + ",".join(map(str, prepared.param_oids)) + "}"],
    )
    given = zip(command.arguments, names, prepared.param_oids, strict=True)
    casts = ", ".join(shown(f"({argument})::{name[0]}", oid) for argument, name, oid in given)
    (result,) = await state.backend.pipeline([Fetch(f"SELECT {casts}")])
    return prepared, Parameters(result.rows[0], prepared.param_oids)  # type: ignore[union-attr]


async def deallocate(state: SessionState, statement: Statement) -> Outcome:
    """Of a statement here, or of all; the unnamed one stays, as in PostgreSQL."""
    name = parse_deallocate(statement.text)
    if name is None:
        state.prepared = {name: prepared for name, prepared in state.prepared.items() if not name}
        await state.backend.simple("DEALLOCATE ALL")
        return Outcome("DEALLOCATE ALL")
    del state.prepared[name]
    return Outcome("DEALLOCATE")
