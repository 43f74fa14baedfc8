"""DDL: PostgreSQL runs it on the shells, inside a transaction that mere.commit() will see. Lives in the coordinator.

Owns what PostgreSQL cannot know of: DISTRIBUTED clauses, filling CREATE TABLE AS, indexes that are only noted.
"""

from __future__ import annotations

from mere.catalog.backend import CommandResult, Fetch
from mere.errors import FeatureNotSupported, InFailedTransaction, InvalidTransactionState
from mere.session.bounds import create_partition, partition_parent
from mere.session.policies import qualified, set_policy
from mere.session.redistribute import redistribute
from mere.session.relay import relay_query
from mere.session.rewrite import note_written, vouch_no_more
from mere.session.routing import names_lake
from mere.session.rows import Outcome
from mere.session.state import Parameters, SessionState
from mere.session.travel import without_time_travel
from mere.session.validate import alter_with_data
from mere.session.write import insert_query
from mere.sql.created import CreateTableAs, parse_create_table_as, parse_select_into
from mere.sql.distribution import parse_alter_distribution, strip_distribution
from mere.sql.lexer import Statement, split
from mere.sql.statements import StatementKind
from mere.sql.token_cursor import Cursor, Name

_OUTSIDE_TRANSACTIONS = frozenset({"tablespace", "system", "subscription", "concurrently"})


async def run_definition(state: SessionState, statement: Statement, kind: StatementKind) -> Outcome:
    """Any DDL statement; its effect on the lake is committed together with it."""
    if kind is StatementKind.CREATE_TABLE:
        return await _create_table(state, statement)
    if kind is StatementKind.ALTER_TABLE:
        return await _alter_table(state, statement)
    if kind is StatementKind.CREATE_VIEW:
        refuse_time_travel(statement)
    if _outside_transactions(statement):
        state.client.write(await relay_query(state, statement.text))
        return Outcome("")
    return Outcome(await define(state, statement.text))


def refuse_time_travel(statement: Statement) -> None:
    if without_time_travel(statement.text) != statement.text:
        raise FeatureNotSupported("a view cannot read tables as they were: AT is for queries")


def _outside_transactions(statement: Statement) -> bool:
    """Statements that PostgreSQL refuses inside a transaction block, none of which touch the lake."""
    return not _OUTSIDE_TRANSACTIONS.isdisjoint(statement.keywords[:4])


async def define(state: SessionState, text: str, parameters: Parameters | None = None) -> str:
    """Runs DDL inside a transaction and returns its tag."""
    await prepare_definition(state)
    if parameters is not None and parameters.values:
        (result,) = await state.backend.pipeline([Fetch(text, parameters.values, parameters.oids)])
        assert isinstance(result, CommandResult)
        return result.tag
    results: list[CommandResult] = await state.backend.simple(text)
    return results[-1].tag if results else ""


async def prepare_definition(state: SessionState) -> None:
    await state.transaction.ensure()
    await note_written(state)
    state.transaction.definitions = True
    state.lake_names = None


async def _create_table(state: SessionState, statement: Statement) -> Outcome:
    command = strip_distribution(statement.text)
    parent = partition_parent(command.text) if "partition" in statement.words else None
    if command.distribution is None and parent is None:
        return Outcome(await define(state, command.text))
    target = _created_name(command.text)
    existed = await exists(state, target)
    tag = "CREATE TABLE"
    if parent is None:
        tag = await define(state, command.text)
    else:
        await prepare_definition(state)
        await create_partition(state, command.text, parent)
    if not existed and command.distribution is not None:
        await set_policy(state, target, command.distribution)
    return Outcome(tag)


def _created_name(text: str) -> Name:
    """The name in CREATE [TEMP ...] TABLE [IF NOT EXISTS] name."""
    cursor = Cursor(text)
    while not cursor.word("table"):
        cursor.index += 1
        if cursor.done:
            raise cursor.error()
    cursor.words("if", "not", "exists")
    return cursor.qualified_name()


async def exists(state: SessionState, name: Name) -> bool:
    rows = await state.backend.fetch("SELECT pg_catalog.to_regclass($1) IS NOT NULL", [qualified(name)])
    return rows[0][0] == "t"


async def _alter_table(state: SessionState, statement: Statement) -> Outcome:
    distributed = parse_alter_distribution(statement.text)
    if distributed is not None:
        await state.transaction.ensure()
        state.transaction.definitions = True
        await redistribute(state, distributed)
        return Outcome("ALTER TABLE")
    await state.transaction.ensure()
    state.transaction.definitions = True
    state.lake_names = None
    return Outcome(await alter_with_data(state, statement))


def _parse_create_as(statement: Statement, kind: StatementKind) -> CreateTableAs:
    into = kind is StatementKind.SELECT_INTO
    return parse_select_into(statement.text) if into else parse_create_table_as(statement.text)


def _shell_text(command: CreateTableAs) -> str:
    """What PostgreSQL runs of it: the columns without the rows."""
    return without_time_travel(command.create_text)


async def parameter_types(
    state: SessionState, statement: Statement, kind: StatementKind, given: tuple[int, ...]
) -> tuple[int, ...]:
    """Of CREATE TABLE AS and SELECT INTO."""
    return (await state.backend.describe(_shell_text(_parse_create_as(statement, kind)), given)).param_oids


async def create_table_as(
    state: SessionState, statement: Statement, kind: StatementKind, parameters: Parameters
) -> Outcome:
    """CREATE TABLE AS and SELECT INTO: PostgreSQL makes the columns, an INSERT fills them."""
    command = _parse_create_as(statement, kind)
    lake_query = await names_lake(state, statement)
    if (command.temporary or command.using == "heap") and not lake_query:
        return Outcome(await define(state, statement.text, parameters))
    if command.query is None:
        raise FeatureNotSupported("CREATE TABLE AS EXECUTE is not supported for lake tables")
    if command.if_not_exists and await exists(state, command.target):
        return Outcome(await define(state, _shell_text(command), parameters))
    await define(state, _shell_text(command), parameters)
    if command.distribution is not None:
        await set_policy(state, command.target, command.distribution)
    if not command.with_data:
        return Outcome("CREATE TABLE AS")
    return Outcome(f"SELECT {await _fill(state, command, parameters)}")


async def _fill(state: SessionState, command: CreateTableAs, parameters: Parameters) -> int:
    assert command.query is not None
    text = f"INSERT INTO {qualified(command.target)} {command.query}"
    return await insert_query(state, split(text)[0], parameters)


async def create_index(state: SessionState, statement: Statement) -> Outcome:
    """Lake tables are read by their files' statistics: an index is noted, not built."""
    raise_failed(state)
    if (await state.backend.fetch("SELECT pg_catalog.current_setting('transaction_read_only')"))[0][0] == "on":
        raise InvalidTransactionState("cannot execute CREATE INDEX in a read-only transaction", sqlstate="25006")
    state.notice("lake tables have no indexes: CREATE INDEX is ignored", "Files are skipped by their statistics.")
    return Outcome("CREATE INDEX")


async def upkeep(state: SessionState, statement: Statement, kind: StatementKind) -> Outcome:
    """ANALYZE, CLUSTER, REINDEX of lake tables: the lake keeps its own statistics, and has no indexes."""
    raise_failed(state)
    if (await state.backend.fetch("SELECT pg_catalog.pg_is_in_recovery()"))[0][0] == "t":
        raise InvalidTransactionState(f"cannot execute {kind.name} during recovery", sqlstate="25006")
    return Outcome(kind.name)


def raise_failed(state: SessionState) -> None:
    if state.transaction.failed:
        raise InFailedTransaction()


async def run_block(state: SessionState, statement: Statement) -> Outcome:
    """DO: inside a transaction that mere.commit() sees, unless the block commits by itself."""
    if not {"commit", "rollback"}.isdisjoint(_words_of_block(statement)):
        state.client.write(await relay_query(state, statement.text))
        return Outcome("")
    await vouch_no_more(state)
    return Outcome(await define(state, statement.text))


def _words_of_block(statement: Statement) -> set[str]:
    return {word.strip(";").lower() for word in statement.text.split()}


async def refuse_two_phase(state: SessionState, statement: Statement) -> Outcome:
    raise FeatureNotSupported("two-phase commit is not supported", hint="Use COMMIT.")
