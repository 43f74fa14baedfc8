"""A long INSERT ... VALUES without being parsed here: PostgreSQL evaluates the rows, and they come as a scan.

A syntax tree of tens of megabytes of literals would take minutes and gigabytes; PostgreSQL reads the same text in a
second or two. Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlglot import exp

from mere.sql.bind.binding import Binding
from mere.sql.bind.block import Block, Output
from mere.sql.bind.scope import column_sql, quoted
from mere.sql.expressions.typed import stored_column
from mere.sql.lexer import Token, quote_identifier, split, tokens
from mere.sql.relations import Column, Kind, Relation
from mere.sql.types import BPCHAR, STRINGS, VARCHAR, PgType, format_type

LONG = 32 * 1024
_PLAIN_ONLY = frozenset({"select", "default", "returning", "conflict", "overriding", "with", "table"})


class PostgresValues(exp.Expression):
    """The text behind VALUES, and how many values its first row has."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "width": True}


def long_insert(text: str) -> exp.Insert | None:
    """The tree of a long INSERT INTO name [(columns)] VALUES ..., its rows as text; None for anything else."""
    if len(text) < LONG:
        return None
    head: list[Token] = []
    width = 0
    for token in tokens(text):
        if head and head[-1].is_word("values"):
            if token.is_mark(",") and token.depth == 1:
                width += 1
            if token.is_mark(")") and token.depth == 0:
                break
            continue
        head.append(token)
        if len(head) > 4096:
            return None
    target = _target(head)
    if target is None or not head[-1].is_word("values"):
        return None
    rows = text[head[-1].end :]
    statement = split(rows)
    if len(statement) != 1 or statement[0].words & _PLAIN_ONLY or statement[0].parameters:
        return None
    return exp.Insert(this=target, expression=PostgresValues(this=rows, width=width + 1))


def _target(head: Sequence[Token]) -> exp.Expression | None:
    """INTO name [AS alias] [(columns)], from the tokens before VALUES."""
    if len(head) < 4 or not (head[0].is_word("insert") and head[1].is_word("into")):
        return None
    parts, place = [], 2
    while place < len(head) and head[place].is_name:
        parts.append(quoted(head[place].value))
        place += 1
        if not head[place].is_mark("."):
            break
        place += 1
    keys = ("this", "db", "catalog")
    table = exp.Table(**dict(zip(keys, reversed(parts), strict=False)))
    rest = head[place:-1]
    if not rest:
        return table
    inside = rest[1:-1]
    if not (rest[0].is_mark("(") and rest[-1].is_mark(")")):
        return None
    if any(not (token.is_name if number % 2 == 0 else token.is_mark(",")) for number, token in enumerate(inside)):
        return None
    return exp.Schema(this=table, expressions=[quoted(token.value) for token in inside[::2]])


def bind_long_values(binding: Binding, node: PostgresValues, columns: Sequence[Column]) -> Block:
    """The rows as a scan of what PostgreSQL evaluates, each column already of its type."""
    carried = [Column(place + 1, column.name, _fetched_type(column.type)) for place, column in enumerate(columns)]
    rows = Relation(0, "pg_catalog", "VALUES", Kind.POSTGRES, tuple(carried), "", frozenset({"SELECT"}))
    access = binding.access(rows)
    alias = binding.alias("mere_values")
    builder = binding.scan(alias, access)
    builder.whole = True
    builder.postgres_sql = _rows_sql(str(node.this), carried)
    table = exp.Table(this=exp.Identifier(this=builder.name, quoted=False), alias=exp.TableAlias(this=quoted(alias)))
    outputs = [Output(column.name, stored_column(column_sql(alias, column.name), column.type)) for column in carried]
    return Block(exp.Select(from_=exp.From(this=table)), outputs)


def _fetched_type(pg_type: PgType) -> PgType:
    """varchar(n) is fetched without its length, which a cast would cut to in silence; the assignment checks it."""
    return PgType(pg_type.oid) if pg_type.oid in (VARCHAR, BPCHAR) else pg_type


def _rows_sql(rows: str, columns: Sequence[Column]) -> str:
    """A first row of typed NULLs gives the literals of each column their type, as INSERT itself would."""
    types = [format_type(column.type) for column in columns]
    typed = ", ".join(
        "NULL" if column.type.oid in STRINGS else f"NULL::{name}" for column, name in zip(columns, types, strict=True)
    )
    listed = ", ".join(
        f"column{place + 1}::{name} AS {quote_identifier(column.name)}"
        for place, (column, name) in enumerate(zip(columns, types, strict=True))
    )
    return f"SELECT {listed} FROM (VALUES ({typed}), {rows}\nOFFSET 1) AS mere_rows"
