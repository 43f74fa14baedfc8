"""Splits CREATE TABLE AS, SELECT INTO and CREATE MATERIALIZED VIEW: what PostgreSQL makes, and the query to fill it.

PostgreSQL runs `create_text` (WITH NO DATA: it makes the columns, empty); segments run the query. Pure functions in
the gateway's process.
"""

from __future__ import annotations

from dataclasses import dataclass

from mere.sql.distribution import Distribution, strip_distribution
from mere.sql.lexer import quote_identifier
from mere.sql.statements import into_position
from mere.sql.token_cursor import Cursor, Name


@dataclass(frozen=True, slots=True)
class CreateTableAs:
    """`query` is None for AS EXECUTE; `query_start` is its offset in the client's text (with_data=False: no rows)."""

    target: Name
    create_text: str
    query: str | None
    query_start: int
    if_not_exists: bool
    temporary: bool
    using: str | None
    with_data: bool
    distribution: Distribution | None


def parse_create_table_as(text: str) -> CreateTableAs:
    clean = strip_distribution(text)
    cursor = Cursor(clean.text)
    cursor.word("create")
    temporary = False
    while not cursor.word("table", "view"):
        temporary = temporary or (cursor.token is not None and cursor.token.is_word("temp", "temporary"))
        cursor.name()
    if_not_exists = cursor.words("if", "not", "exists")
    target = cursor.qualified_name()
    using = None
    while not cursor.word("as"):
        if cursor.word("using"):
            using = cursor.name()
        else:
            cursor.index += 1
            if cursor.done:
                raise cursor.error()
    body = cursor.token
    if body is None:
        raise cursor.error()
    end, with_data = _data_clause(cursor)
    query = clean.text[body.start : end]
    return CreateTableAs(
        target,
        clean.text[:end].rstrip() + " WITH NO DATA",
        None if body.is_word("execute") else query.rstrip(),
        body.start,
        if_not_exists,
        temporary or target[0] == "pg_temp",
        using,
        with_data,
        clean.distribution,
    )


def _data_clause(cursor: Cursor) -> tuple[int, bool]:
    """Where the query ends, and whether WITH NO DATA follows it."""
    last = [token.value for token in cursor.tokens[-3:] if token.kind == "word"]
    if last == ["with", "no", "data"]:
        return cursor.tokens[-3].start, False
    if last[-2:] == ["with", "data"]:
        return cursor.tokens[-2].start, True
    return len(cursor.text), True


def parse_select_into(text: str) -> CreateTableAs:
    """SELECT list INTO [TEMP | UNLOGGED] [TABLE] target FROM ... as the CREATE TABLE AS that it means."""
    start = into_position(text)
    cursor = Cursor(text)
    while cursor.token is not None and cursor.token.start != start:
        cursor.index += 1
    if not cursor.word("into"):
        raise cursor.error()
    temporary, modifier = False, ""
    cursor.word("local", "global")
    if cursor.word("temp", "temporary"):
        temporary, modifier = True, "TEMPORARY "
    elif cursor.word("unlogged"):
        modifier = "UNLOGGED "
    cursor.word("table")
    target = cursor.qualified_name()
    end = cursor.tokens[cursor.index - 1].end
    assert start is not None
    query = text[:start] + " " * (end - start) + text[end:]
    name = ".".join(quote_identifier(part) for part in target)
    create = f"CREATE {modifier}TABLE {name} AS {query} WITH NO DATA"
    temporary = temporary or target[0] == "pg_temp"
    return CreateTableAs(target, create, query, 0, False, temporary, None, True, None)
