"""DDL that gives rows new bounds: ATTACH PARTITION, and a partition made beside a default one. Coordinator process.

PostgreSQL would look into empty shells, so the rows are looked at here, under lock.
"""

from __future__ import annotations

from mere.catalog.backend import PgError
from mere.errors import IntegrityError
from mere.session.rewrite import LockedTable, count_where, lock_table, lock_tables, look_up, vouch
from mere.session.state import SessionState
from mere.sql.lexer import Statement
from mere.sql.token_cursor import Cursor, Name

_SAVEPOINT = "mere_bounds"
_DEFAULTS = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_partitioned_table AS t
CROSS JOIN LATERAL pg_catalog.pg_partition_tree(t.partdefid) AS d
JOIN pg_catalog.pg_class AS c ON c.oid = d.relid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE t.partrelid = $1::oid AND d.isleaf
"""


def wants_rows(error: PgError) -> bool:
    """The event triggers' refusal of what only the rows can tell."""
    return error.sqlstate == "0A000" and "inside PostgreSQL is not supported for lake tables" in error.message


async def create_partition(state: SessionState, text: str, parent: Name) -> None:
    """CREATE TABLE ... PARTITION OF, whose rows may so far have gone to a default partition."""
    await state.backend.simple(f"SAVEPOINT {_SAVEPOINT}")
    try:
        await state.backend.simple(text)
    except PgError as error:
        if not wants_rows(error):
            raise
        await state.backend.simple(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        await define_bounds(state, text, parent, None)
    await state.backend.simple(f"RELEASE SAVEPOINT {_SAVEPOINT}")


async def define_bounds(state: SessionState, text: str, parent: Name, child: Name | None) -> None:
    """Runs DDL on a partitioned table, then looks whether the rows of `child` and of default partitions bear it out."""
    attached = await lock_tables(state, child) if child is not None else []
    defaults = await _defaults(state, parent)
    for table in (*attached, *defaults):
        await vouch(state, table.relation)
    await state.backend.simple(text)
    for table in attached:
        await _check(state, table, 'partition constraint of relation "{}" is violated by some row')
    for table in defaults:
        message = 'updated partition constraint for default partition "{}" would be violated by some row'
        await _check(state, table, message)


async def _check(state: SessionState, table: LockedTable, message: str) -> None:
    changed, _ = await look_up(state, (table.relation.schema, table.relation.name))
    if changed.bounds and await count_where(state, table, f"NOT ({changed.bounds})"):
        raise IntegrityError(message.format(changed.name), sqlstate="23514", schema=changed.schema, table=changed.name)


async def _defaults(state: SessionState, parent: Name) -> list[LockedTable]:
    relation, _ = await look_up(state, parent)
    rows = await state.backend.fetch(_DEFAULTS, [str(relation.oid)])
    found = [await lock_table(state, (row[0] or "", row[1] or "")) for row in rows]
    return [table for table in found if table is not None]


def attached_partition(statement: Statement) -> Name | None:
    """The table that ALTER TABLE parent ATTACH PARTITION table names."""
    cursor = Cursor(statement.text)
    while not cursor.done:
        if cursor.words("attach", "partition"):
            return cursor.qualified_name()
        cursor.index += 1
    return None


def partition_parent(text: str) -> Name | None:
    """The table in CREATE TABLE ... PARTITION OF table."""
    cursor = Cursor(text)
    while not cursor.done:
        token = cursor.token
        if token is not None and token.depth == 0 and cursor.words("partition", "of"):
            return cursor.qualified_name()
        cursor.index += 1
    return None
