"""How rows of ordinary PostgreSQL tables reach a query: the text of the query that fetches them.

Lives in the gateway's process; the session runs the text on the user's own backing connection.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from mere.sql.bind.bound import Predicate
from mere.sql.lexer import quote_identifier
from mere.sql.relations import Column, Relation
from mere.sql.types import CHAR, STRINGS, TEXT, PgType, duckdb_type


def carried_type(column: Column) -> PgType:
    """The type that a fetched column has for the binder: its own, or text where DuckDB has none like it. The catalog's
    one-letter "char" is compared as text."""
    return column.type if duckdb_type(column.type) and column.type.oid != CHAR else PgType(TEXT)


def fetch_sql(relation: Relation, columns: Sequence[Column], predicates: Sequence[Predicate] = ()) -> str:
    """SELECT of the columns that the statement reads; none, for a count, as one NULL a row.

    Of the predicates, those with plain values go along: DuckDB applies all of them again.
    """
    listed = [
        quote_identifier(column.name) + ("" if duckdb_type(column.type) else "::pg_catalog.text") for column in columns
    ]
    table = f"{quote_identifier(relation.schema)}.{quote_identifier(relation.name)}"
    tests = [test for predicate in predicates if (test := _test(predicate)) is not None]
    where = f" WHERE {' AND '.join(tests)}" if tests else ""
    return f"SELECT {', '.join(listed) or 'NULL'} FROM {table}{where}"


def _test(predicate: Predicate) -> str | None:
    name = quote_identifier(predicate.column.name)
    if predicate.op in ("is null", "is not null"):
        return f"{name} {predicate.op.upper()}"
    if not duckdb_type(predicate.column.type):
        return None
    if predicate.column.type.oid in STRINGS and predicate.op not in ("=", "in"):
        return None  # the column's collation may order otherwise
    values = [_value(value) for value in predicate.values]
    if not values or any(value is None for value in values):
        return None
    if predicate.op == "in":
        return f"{name} IN ({', '.join(value for value in values if value is not None)})"
    return f"{name} {predicate.op} {values[0]}"


def _value(node: exp.Expression) -> str | None:
    """PostgreSQL's text of a plain constant."""
    if isinstance(node, exp.Cast) and node.to.is_type("date", "timestamp"):
        inner = _value(node.this)
        return None if inner is None else f"{inner}::{node.to.sql(dialect='postgres')}"
    if not isinstance(node, exp.Literal):
        return None
    if node.is_string:
        text = str(node.this).replace("'", "''")
        return None if "\\" in text else f"'{text}'"
    return str(node.this)
