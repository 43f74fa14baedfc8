"""What the right answers are: DuckDB's own, on the same Parquet files, and how two answers are compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

Rows = Sequence[Sequence[Any]]
RELATIVE_ERROR = 1e-9  # DuckDB divides decimals, and averages, in doubles; PostgreSQL in numeric


def open_reference(directory: Path, tables: Iterable[str]) -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own with a view over each table's Parquet file."""
    connection = duckdb.connect()
    for table in tables:
        file = str(directory / f"{table}.parquet").replace("'", "''")
        connection.execute(f"CREATE VIEW {table} AS FROM read_parquet('{file}')")
    return connection


def first_difference(found: Rows, expected: Rows) -> str | None:
    """None when both have the same rows in the same order; else where they part."""
    if len(found) != len(expected):
        return f"{len(found)} rows instead of {len(expected)}"
    for number, (row, wanted) in enumerate(zip(found, expected, strict=True), start=1):
        if len(row) != len(wanted) or not all(map(same_value, row, wanted)):
            return f"row {number} is {tuple(row)} instead of {tuple(wanted)}"
    return None


def same_value(found: object, expected: object) -> bool:
    """Equal as values: a char(n) is blank-padded in PostgreSQL, and doubles are compared as doubles."""
    if isinstance(found, str) and isinstance(expected, str):
        return found.rstrip(" ") == expected.rstrip(" ")
    if isinstance(found, float) or isinstance(expected, float):
        if not isinstance(found, int | float | Decimal) or not isinstance(expected, int | float | Decimal):
            return False
        return math.isclose(float(found), float(expected), rel_tol=RELATIVE_ERROR)
    return found == expected
