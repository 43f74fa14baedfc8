"""Columns as DuckLake keeps them, and the DuckDB types that read them.

Pure data and text; used by metadata queries, scans and pruning in the coordinator process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_DUCKDB_TYPES: Mapping[str, str] = {
    "boolean": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "int128": "HUGEINT",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "uint128": "UHUGEINT",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "varchar": "VARCHAR",
    "json": "JSON",
    "blob": "BLOB",
    "uuid": "UUID",
    "date": "DATE",
    "time": "TIME",
    "time_ns": "TIME_NS",
    "timetz": "TIMETZ",
    "timestamp": "TIMESTAMP",
    "timestamp_us": "TIMESTAMP",
    "timestamp_ms": "TIMESTAMP_MS",
    "timestamp_ns": "TIMESTAMP_NS",
    "timestamp_s": "TIMESTAMP_S",
    "timestamptz": "TIMESTAMPTZ",
    "interval": "INTERVAL",
    "variant": "VARIANT",
    "geometry": "GEOMETRY",
}


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """One row of ducklake_column; nested types are rows that name their parent."""

    column_id: int
    parent_column: int | None
    name: str
    type: str
    initial_default: str | None
    nulls_allowed: bool


@dataclass(frozen=True, slots=True)
class LakeColumn:
    """A top-level column: its id is the field id in Parquet; `initial_default` is what older files have, as text."""

    column_id: int
    name: str
    type: str  # DuckLake's
    duckdb_type: str
    initial_default: str | None = None
    nulls_allowed: bool = True


def quote_identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def scalar_type(lake_type: str) -> str:
    """The DuckDB type of a DuckLake type that has no children."""
    return lake_type.upper() if lake_type.startswith("decimal(") else _DUCKDB_TYPES[lake_type]


def assemble_columns(rows: Iterable[ColumnRow]) -> tuple[LakeColumn, ...]:
    """Top-level columns, in order, of one table at one snapshot."""
    children: dict[int | None, list[ColumnRow]] = {}
    for row in rows:
        children.setdefault(row.parent_column, []).append(row)

    def duckdb_type(row: ColumnRow) -> str:
        inner = sorted(children.get(row.column_id, ()), key=lambda child: child.column_id)
        match row.type:
            case "list":
                return f"{duckdb_type(inner[0])}[]"
            case "struct":
                return f"STRUCT({', '.join(f'{quote_identifier(c.name)} {duckdb_type(c)}' for c in inner)})"
            case "map":
                return f"MAP({duckdb_type(inner[0])}, {duckdb_type(inner[1])})"
            case scalar:
                return scalar_type(scalar)

    return tuple(
        LakeColumn(row.column_id, row.name, row.type, duckdb_type(row), row.initial_default, row.nulls_allowed)
        for row in sorted(children.get(None, ()), key=lambda row: row.column_id)
    )
