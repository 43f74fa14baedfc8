"""How rows of ordinary PostgreSQL tables reach a query: the text of the query that fetches them.

Lives in the gateway's process; the session runs the text on the user's own backing connection.
"""

from __future__ import annotations

from collections.abc import Sequence

from mere.sql.lexer import quote_identifier
from mere.sql.relations import Column, Relation
from mere.sql.types import TEXT, PgType, duckdb_type


def carried_type(column: Column) -> PgType:
    """The type that a fetched column has for the binder: its own, or text where DuckDB has none like it."""
    return column.type if duckdb_type(column.type) else PgType(TEXT)


def fetch_sql(relation: Relation, columns: Sequence[Column]) -> str:
    """SELECT of the columns that the statement reads; none, for a count, as one NULL a row."""
    listed = [
        quote_identifier(column.name) + ("" if duckdb_type(column.type) else "::pg_catalog.text") for column in columns
    ]
    table = f"{quote_identifier(relation.schema)}.{quote_identifier(relation.name)}"
    return f"SELECT {', '.join(listed) or 'NULL'} FROM {table}"
