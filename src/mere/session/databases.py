"""CREATE, ALTER and DROP DATABASE. Coordinator process.

A lake database is more than PostgreSQL's: it has a place in the storage, which no other may share.
"""

from __future__ import annotations

from dataclasses import dataclass

from mere.catalog.databases import create_database, drop_database
from mere.errors import FeatureNotSupported, InvalidTransactionState, MereError
from mere.session.relay import relay_query
from mere.session.rows import Outcome
from mere.session.state import SessionState
from mere.sql.lexer import Statement
from mere.sql.statements import StatementKind
from mere.sql.token_cursor import Cursor

_IGNORED = frozenset({"encoding", "locale", "lc_collate", "lc_ctype", "locale_provider", "builtin_locale", "strategy"})


@dataclass(frozen=True, slots=True)
class _Create:
    name: str
    owner: str | None = None
    template: str | None = None
    connection_limit: int = -1


async def run_database_command(state: SessionState, statement: Statement, kind: StatementKind) -> Outcome:
    verb = kind.name.replace("_", " ")
    if state.transaction.open:
        raise InvalidTransactionState(f"{verb} cannot run inside a transaction block", sqlstate="25001")
    ((role, read_only),) = await state.backend.fetch(
        "SELECT current_user, pg_catalog.current_setting('transaction_read_only')"
    )
    if read_only == "on":
        raise InvalidTransactionState(f"cannot execute {verb} in a read-only transaction", sqlstate="25006")
    role = role or state.user
    if kind is StatementKind.CREATE_DATABASE:
        await _create(state, role, statement.text)
    elif kind is StatementKind.DROP_DATABASE:
        await _drop(state, role, statement.text)
    else:
        await _alter(state, statement)
        return Outcome("")
    return Outcome(verb)


async def _create(state: SessionState, role: str, text: str) -> None:
    command = _parse_create(text)
    await create_database(
        state.services.postgres,
        role,
        command.name,
        state.services.storage.url,
        owner=command.owner,
        template=command.template,
        connection_limit=command.connection_limit,
    )


def _parse_create(text: str) -> _Create:
    """CREATE DATABASE name [WITH] option [=] value ...; encoding and locale are the catalog's, whatever is said."""
    cursor = Cursor(text)
    cursor.words("create", "database")
    name = cursor.name()
    cursor.word("with")
    values: dict[str, str] = {}
    while not cursor.done:
        option = "connection_limit" if cursor.words("connection", "limit") else cursor.name()
        cursor.mark("=")
        negative = cursor.mark("-")
        token = cursor.token
        if token is None:
            raise cursor.error()
        cursor.index += 1
        values[option] = ("-" if negative else "") + token.value
    unknown = sorted(set(values) - _IGNORED - {"owner", "template", "connection_limit"})
    if unknown:
        raise FeatureNotSupported(f"CREATE DATABASE ... {unknown[0].upper()} is not supported")
    default = {"default"}
    return _Create(
        name,
        None if values.get("owner") in default else values.get("owner"),
        None if values.get("template") in default else values.get("template"),
        int(values.get("connection_limit", "-1")),
    )


async def _drop(state: SessionState, role: str, text: str) -> None:
    cursor = Cursor(text)
    cursor.words("drop", "database")
    if_exists = cursor.words("if", "exists")
    name = cursor.name()
    force = "force" in {token.value for token in cursor.tokens[cursor.index :]}
    if name == state.database.name:
        raise MereError("cannot drop the currently open database", sqlstate="55006")
    await state.services.forget_database(name)
    dropped = await drop_database(state.services.postgres, role, name, if_exists=if_exists, force=force)
    if dropped is None:
        state.notice(f'database "{name}" does not exist, skipping')
        return
    await _remove_files(state, dropped.data_url)


async def _remove_files(state: SessionState, data_url: str) -> None:
    """The database is gone, and nobody else's files lie under its prefix."""
    prefix = data_url.removeprefix(state.services.storage.url)
    paths = [entry.path async for entry in state.services.storage.list(prefix)]
    await state.services.storage.delete(paths)


async def _alter(state: SessionState, statement: Statement) -> None:
    words = statement.words
    if "rename" in words:
        await state.services.forget_database(Cursor(statement.text).tokens[2].value)
    if "default_table_access_method" in words:
        raise FeatureNotSupported("default_table_access_method of a lake database cannot be changed")
    state.client.write(await relay_query(state, statement.text))
