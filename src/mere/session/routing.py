"""Who runs a statement: PostgreSQL as it stands, or Mere. Lives in the coordinator process.

A statement is Mere's when it names a lake table (or a view over one), or when it touches what Mere keeps beside
PostgreSQL: transactions, definitions, cursors and prepared statements of its own. A wrong guess for PostgreSQL is
harmless: the tripwire on every shell raises, and the statement comes back here with the names looked up again.
"""

from __future__ import annotations

from mere.catalog.backend import CommandResult, Fetch
from mere.errors import MereError
from mere.session.services import Names
from mere.session.state import SessionState
from mere.sql.commands import parse_deallocate, parse_execute, parse_explain, parse_fetch, parse_prepare
from mere.sql.lexer import Statement, split
from mere.sql.statements import StatementKind, classify
from mere.sql.upkeep import calls_maintain, maintain_arguments, parse_vacuum

_ALWAYS_OURS = frozenset(
    {
        StatementKind.BEGIN,
        StatementKind.COMMIT,
        StatementKind.ROLLBACK,
        StatementKind.SAVEPOINT,
        StatementKind.RELEASE,
        StatementKind.ROLLBACK_TO,
        StatementKind.SET_TRANSACTION,
        StatementKind.PREPARE_TRANSACTION,
        StatementKind.CREATE_TABLE,
        StatementKind.CREATE_TABLE_AS,
        StatementKind.SELECT_INTO,
        StatementKind.CREATE_VIEW,
        StatementKind.CREATE_MATERIALIZED_VIEW,
        StatementKind.REFRESH_MATERIALIZED_VIEW,
        StatementKind.ALTER_TABLE,
        StatementKind.CREATE_DATABASE,
        StatementKind.ALTER_DATABASE,
        StatementKind.DROP_DATABASE,
        StatementKind.DDL,
        StatementKind.DO,
        StatementKind.DISCARD,
    }
)
OURS_WHEN_NAMED = frozenset(
    {
        StatementKind.SELECT,
        StatementKind.INSERT,
        StatementKind.UPDATE,
        StatementKind.DELETE,
        StatementKind.MERGE,
        StatementKind.EXPLAIN,
        StatementKind.DECLARE,
        StatementKind.PREPARE,
        StatementKind.COPY,
        StatementKind.TRUNCATE,
        StatementKind.VACUUM,
        StatementKind.ANALYZE,
        StatementKind.CLUSTER,
        StatementKind.REINDEX,
        StatementKind.CREATE_INDEX,
    }
)
_WHOLE_DATABASE = frozenset({StatementKind.ANALYZE, StatementKind.CLUSTER})
# How far a standby has come; nothing on a primary. Names are looked up again when it has come further.
_POSITION = "SELECT pg_catalog.pg_last_wal_replay_lsn()"
_NAMES = """
SELECT pg_catalog.unnest(pg_catalog.array_append(mere.lake_names(), NULL))
WHERE pg_catalog.pg_last_wal_replay_lsn() OPERATOR(pg_catalog.=) $1::pg_catalog.pg_lsn IS NOT TRUE
"""
_TRIPWIRE = ("cannot be read inside PostgreSQL", "cannot be written inside PostgreSQL")


async def is_ours(state: SessionState, statement: Statement, kind: StatementKind) -> bool:
    if kind in _ALWAYS_OURS:
        return True
    if kind is StatementKind.SHOW:
        return "transaction_isolation" in statement.words or "isolation" in statement.words
    if kind is StatementKind.SET:
        return not statement.words.isdisjoint(("client_encoding", "names"))
    if kind is StatementKind.CALL:
        state.lake_names = None  # PostgreSQL's, but it may define tables
        return False
    if kind is StatementKind.PREPARE and state.prepared_here(parse_prepare(statement.text).name) is not None:
        return True  # the name is taken
    if kind is StatementKind.EXPLAIN and "execute" in statement.words and state.prepared:
        inner = split(parse_explain(statement.text).inner)
        if inner and classify(inner[0]) is StatementKind.EXECUTE:
            return _names_ours(state, inner[0], StatementKind.EXECUTE)
    if kind is StatementKind.SELECT and calls_maintain(statement) and maintain_arguments(statement.text) is not None:
        return not state.transaction.failed
    if kind is StatementKind.VACUUM and not parse_vacuum(statement.text).targets:
        return not state.transaction.failed
    if kind in OURS_WHEN_NAMED:
        return await names_lake(state, statement) or (kind in _WHOLE_DATABASE and len(statement.words) == 1)
    return _names_ours(state, statement, kind)


def _names_ours(state: SessionState, statement: Statement, kind: StatementKind) -> bool:
    """Prepared statements and cursors are looked up by name: each lives either here or in PostgreSQL."""
    match kind:
        case StatementKind.EXECUTE:
            return bool(state.prepared) and state.prepared_here(parse_execute(statement.text).name) is not None
        case StatementKind.DEALLOCATE:
            name = parse_deallocate(statement.text)
            return name is None or state.prepared_here(name) is not None
        case StatementKind.CLOSE:
            name = parse_deallocate(statement.text) if state.cursors else None
            return name in state.cursors or (name is None and bool(state.cursors))
        case StatementKind.FETCH | StatementKind.MOVE:
            return bool(state.cursors) and parse_fetch(statement.text).cursor in state.cursors
    return False


async def names_lake(state: SessionState, statement: Statement) -> bool:
    """Whether any word of the statement is the name of a lake table or of a view that reads one."""
    if state.transaction.failed:
        return False  # PostgreSQL answers 25P02 to everything
    if asks_for_names(state, statement):
        await _look_up_names(state)
    return state.lake_names is not None and not state.lake_names.isdisjoint(statement.words)


def asks_for_names(state: SessionState, statement: Statement) -> bool:
    """Whether it takes a look at the catalog to tell what the statement names. Of what a standby follows nobody here
    hears: there a statement is PostgreSQL's only if it still is after another look."""
    if state.lake_names is None or state.names_version != state.database.names_version:
        return True
    return state.backend.in_recovery and state.lake_names.isdisjoint(statement.words)


async def _look_up_names(state: SessionState) -> None:
    version, schema_version = state.database.names_version, state.database.schema_version
    fresh = state.lake_names is not None and state.names_version == version
    # The position is asked for first, so the names are those at that position or later.
    known = state.names_position if fresh else None
    position, names = await state.backend.pipeline([Fetch(_POSITION), Fetch(_NAMES, [known])])
    assert isinstance(position, CommandResult) and isinstance(names, CommandResult)
    if names.rows:
        state.lake_names = frozenset(row[0] for row in names.rows if row[0] is not None)
    state.names_position = position.rows[0][0]
    state.names_version = version
    if state.lake_names is not None and not state.transaction.definitions:
        state.database.names = Names(version, schema_version, state.lake_names)


def begin_with_names(state: SessionState) -> None:
    """A new session takes the names that another has looked up, if nothing has been defined since. What it does not
    hear of, as what PostgreSQL's own functions define, it learns as every session does: by the tripwire."""
    known, database = state.database.names, state.database
    if known is None or state.backend.in_recovery:
        return
    if (known.names_version, known.schema_version) == (database.names_version, database.schema_version):
        state.lake_names, state.names_version = known.names, known.names_version


class NotOurs(Exception):
    """A closer look says that the statement is PostgreSQL's after all: a word was an alias, not a lake table's name,
    or (`reason`) its syntax is beyond the binder, and the tripwire will tell if it reads a lake table."""

    def __init__(self, reason: MereError | None = None) -> None:
        super().__init__()
        self.reason = reason


def is_tripwire(error: MereError) -> bool:
    """PostgreSQL was about to read a shell: the routing knew too few names."""
    return error.sqlstate == "0A000" and error.message.endswith(_TRIPWIRE)
