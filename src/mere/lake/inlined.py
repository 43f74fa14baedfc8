"""Rows that a plain DuckDB keeps in PostgreSQL, read as Arrow in the form that `scan` expects.

The extension stores a value natively where PostgreSQL has its type, text as bytea, and the rest as DuckDB's text.
"""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg
import pyarrow as pa

from mere.lake.columns import ColumnRow, assemble_columns
from mere.lake.files import InlinedTable
from mere.lake.scan import POSITION, InlinedRelation

_VERSION_COLUMNS = """
SELECT column_id, parent_column, column_name, column_type, initial_default, nulls_allowed
FROM mere_lake.ducklake_column AS c,
     (SELECT begin_snapshot AS at FROM mere_lake.ducklake_schema_versions WHERE table_id = $1 AND schema_version <= $2
      ORDER BY schema_version DESC LIMIT 1) AS v
WHERE c.table_id = $1 AND c.begin_snapshot <= v.at AND (c.end_snapshot IS NULL OR c.end_snapshot > v.at)
"""


@dataclass(frozen=True, slots=True)
class InlinedRows:
    """`data` has a text column c<id> per column (bytes for blobs) and mere_pos, the row id."""

    table: InlinedTable
    column_ids: frozenset[int]
    data: pa.Table

    def relation(self, registered_as: str) -> InlinedRelation:
        return InlinedRelation(registered_as, self.table.name, self.column_ids)


async def read_inlined(
    connection: asyncpg.Connection, table: InlinedTable, table_id: int, snapshot_id: int
) -> InlinedRows:
    rows = await connection.fetch(_VERSION_COLUMNS, table_id, table.schema_version)
    columns = assemble_columns(ColumnRow(*row) for row in rows)
    selected = ["row_id"]
    for column in columns:
        name = '"' + column.name.replace('"', '""') + '"'
        match column.type:
            case "varchar" | "json":
                selected.append(f"pg_catalog.convert_from({name}, 'UTF8')")
            case "blob":
                selected.append(name)
            case _:
                selected.append(f"{name}::text")
    fetched = await connection.fetch(
        f'SELECT {", ".join(selected)} FROM mere_lake."{table.name}"'
        " WHERE begin_snapshot <= $1 AND (end_snapshot IS NULL OR end_snapshot > $1) ORDER BY row_id",
        snapshot_id,
    )
    values = list(zip(*fetched, strict=True)) or [()] * len(selected)
    arrays = [pa.array(values[0], pa.int64())]
    for column, column_values in zip(columns, values[1:], strict=True):
        arrays.append(pa.array(column_values, pa.binary() if column.type == "blob" else pa.string()))
    names = [POSITION, *(f"c{column.column_id}" for column in columns)]
    return InlinedRows(table, frozenset(column.column_id for column in columns), pa.table(arrays, names=names))
