"""ALTER TABLE on lake tables with rows. Coordinator process.

PostgreSQL runs the statement first, as it is. Only where its event triggers say that rows must bear it out does the
gateway step in: checks (SET NOT NULL, CHECK) by a query, changes of type by writing the rows again.
"""

from __future__ import annotations

from collections.abc import Mapping

from mere.catalog.backend import PgError
from mere.errors import FeatureNotSupported, IntegrityError, UndefinedObject
from mere.session.bounds import attached_partition, define_bounds, wants_rows
from mere.session.rewrite import LockedTable, count_where, lock_tables, look_up, note_written, rewrite_rows, vouch
from mere.session.state import SessionState
from mere.sql.lexer import Statement, quote_identifier
from mere.sql.relations import Kind, Relation
from mere.sql.token_cursor import Cursor, Name

_SAVEPOINT = "mere_alter"
_PROMOTIONS = frozenset({(21, 23), (21, 20), (23, 20), (25, 1043), (1043, 25), (1043, 1043)})


async def alter_with_data(state: SessionState, statement: Statement) -> str:
    """Runs an ALTER TABLE and returns its tag; the transaction is open already."""
    await note_written(state)
    await state.backend.simple(f"SAVEPOINT {_SAVEPOINT}")
    if await _is_vouched_for(state, statement):
        await _alter_under_lock(state, statement)
        return "ALTER TABLE"
    try:
        results = await state.backend.simple(statement.text)
    except PgError as error:
        if not wants_rows(error):
            raise
        return await _again_under_lock(state, statement)
    if {"add", "default"} <= statement.words and await _adds_list_with_default(state, statement):
        return await _again_under_lock(state, statement)
    await state.backend.simple(f"RELEASE SAVEPOINT {_SAVEPOINT}")
    return results[-1].tag if results else ""


async def _again_under_lock(state: SessionState, statement: Statement) -> str:
    await state.backend.simple(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
    await _alter_under_lock(state, statement)
    return "ALTER TABLE"


async def _adds_list_with_default(state: SessionState, statement: Statement) -> bool:
    """Whether a new column is an array that old rows have a value of: files have no such defaults."""
    try:
        relation, _ = await look_up(state, altered_table(statement.text))
    except UndefinedObject:
        return False  # IF EXISTS
    relation = relation.partitions[0] if relation.partitions else relation
    fresh = await state.backend.fetch(
        "SELECT attnum FROM pg_catalog.pg_attribute WHERE attrelid = $1::oid AND atthasmissing", [str(relation.oid)]
    )
    missing = {int(row[0] or 0) for row in fresh}
    return any(column.element_id is not None and column.attnum in missing for column in relation.columns)


async def _is_vouched_for(state: SessionState, statement: Statement) -> bool:
    """Whether an earlier change in this transaction has silenced the event triggers for this table."""
    if not state.transaction.vouched:
        return False
    try:
        relation, _ = await look_up(state, altered_table(statement.text))
    except UndefinedObject:
        return False  # PostgreSQL's to say, or IF EXISTS
    named = relation.partitions if relation.kind is Kind.PARTITIONED else (relation,)
    return any(table.oid in state.transaction.vouched for table in named)


async def _alter_under_lock(state: SessionState, statement: Statement) -> None:
    name = altered_table(statement.text)
    child = attached_partition(statement)
    if child is not None:
        await define_bounds(state, statement.text, name, child)
        await state.backend.simple(f"RELEASE SAVEPOINT {_SAVEPOINT}")
        return
    tables = await lock_tables(state, name)
    if not tables:
        raise FeatureNotSupported("this change of stored rows is not supported for lake tables")
    for table in tables:
        await vouch(state, table.relation)
    await state.backend.simple(statement.text)
    await state.backend.simple(f"RELEASE SAVEPOINT {_SAVEPOINT}")
    for table in tables:
        await _bear_out(state, statement, table)


async def _bear_out(state: SessionState, statement: Statement, table: LockedTable) -> None:
    """Checks the rows against the definition that the table has now, and writes them again where they must change."""
    changed, _ = await look_up(state, (table.relation.schema, table.relation.name))
    using = using_expressions(statement.text)
    old = {column.attnum: column for column in table.relation.columns}
    expressions: dict[int, str] = {}
    rewrite = False
    for column in changed.columns:
        before = old.get(column.attnum)
        if before is None:
            old_rows_have_it = column.initial_default is not None and column.element_id is None
            rewrite = rewrite or (column.default is not None and not old_rows_have_it)
        elif before.type != column.type:
            expression = using.get(column.name)
            if expression is not None:
                expressions[column.attnum] = expression
            rewrite = rewrite or expression is not None or not _promotes(before.type.oid, column.type.oid)
    await _check_nulls(state, table, changed)
    await _check_constraints(state, table, changed)
    if rewrite:
        await rewrite_rows(state, table, changed, expressions)


def _promotes(old: int, new: int) -> bool:
    """Changes of type that readers of the old files make by themselves."""
    return (old, new) in _PROMOTIONS


async def _check_nulls(state: SessionState, table: LockedTable, changed: Relation) -> None:
    old = {column.attnum: column for column in table.relation.columns}
    for column in changed.columns:
        before = old.get(column.attnum)
        if before is None or not column.not_null or before.not_null:
            continue
        if await count_where(state, table, f"{quote_identifier(before.name)} IS NULL"):
            raise IntegrityError(
                f'column "{column.name}" of relation "{changed.name}" contains null values',
                sqlstate="23502",
                schema=changed.schema,
                table=changed.name,
                column=column.name,
            )


async def _check_constraints(state: SessionState, table: LockedTable, changed: Relation) -> None:
    known = {check.name for check in table.relation.checks}
    for check in changed.checks:
        if check.name not in known and await count_where(state, table, f"NOT ({check.expression})"):
            raise IntegrityError(
                f'check constraint "{check.name}" of relation "{changed.name}" is violated by some row',
                sqlstate="23514",
                schema=changed.schema,
                table=changed.name,
                constraint=check.name,
            )


def altered_table(text: str) -> Name:
    """The table that ALTER TABLE [IF EXISTS] [ONLY] names."""
    cursor = Cursor(text)
    cursor.words("alter", "table")
    cursor.words("if", "exists")
    cursor.word("only")
    return cursor.qualified_name()


def using_expressions(text: str) -> Mapping[str, str]:
    """The USING expressions of ALTER [COLUMN] c [SET DATA] TYPE t USING x, by column name."""
    cursor = Cursor(text)
    cursor.words("alter", "table")
    found: dict[str, str] = {}
    column = ""
    start: int | None = None
    for index, token in enumerate(cursor.tokens):
        if token.depth == 0 and start is None and token.is_word("type"):
            column = _column_before(cursor, index)
        if token.depth == 0 and token.is_word("using") and column:
            start = token.end
        elif token.depth == 0 and token.is_mark(",") and start is not None:
            found[column], start, column = text[start : token.start].strip(), None, ""
    if start is not None:
        found[column] = text[start:].strip()
    return found


def _column_before(cursor: Cursor, index: int) -> str:
    """The column's name in front of [SET DATA] TYPE."""
    before = index - 1
    if cursor.tokens[before].is_word("data") and cursor.tokens[before - 1].is_word("set"):
        before -= 2
    return cursor.tokens[before].value
