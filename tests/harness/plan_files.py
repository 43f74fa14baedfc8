"""The tables of a `Warehouse` as Parquet files, spread as their policies say: what a dispatcher needs to run plans."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from harness.plan_warehouse import Table, Warehouse
from mere.execute.scans import LakeSource
from mere.lake.columns import LakeColumn, quote_identifier
from mere.lake.files import DataFile, TableFiles, layout_of
from mere.lake.metadata import Snapshot
from mere.sql.bind import BoundSelect, Scan
from mere.sql.types import duckdb_type

_FILES = 2  # of a table without a key


class WarehouseFiles:
    def __init__(self, warehouse: Warehouse, directory: Path) -> None:
        self._files = {name: _write(warehouse, table, directory / name) for name, table in warehouse.tables.items()}

    def sources(self, bound: BoundSelect) -> dict[str, LakeSource]:
        return {scan.name: self._source(scan) for scan in bound.scans}

    def _source(self, scan: Scan) -> LakeSource:
        relation = scan.relation
        numbered = tuple(replace(column, field_id=column.attnum) for column in relation.columns)
        by_name = {column.name: column for column in numbered}
        lake = [
            LakeColumn(by_name[column.name].attnum, column.name, "", duckdb_type(column.type) or "VARCHAR")
            for column in scan.columns
        ]
        files = self._files[relation.name]
        held = TableFiles(relation.oid, 1, files, (), sum(file.rows for file in files))
        scan = replace(scan, relation=replace(relation, columns=numbered))
        return LakeSource(scan, Snapshot(1, 1, datetime.now(UTC)), tuple(lake), (), held, held, None, {})


def _write(warehouse: Warehouse, table: Table, directory: Path) -> tuple[DataFile, ...]:
    directory.mkdir(parents=True)
    buckets = table.buckets if table.hash_column else 0
    fields = ", ".join(f"{quote_identifier(column.name)}: {column.attnum}" for column in table.described)
    key = next((column.attnum for column in table.described if column.name == table.hash_column), 0)
    found = []
    for number in range(buckets or _FILES):
        path = directory / f"{number}.parquet"
        hashed = f"(murmur3_32({quote_identifier(table.hash_column or '')}) & 2147483647) % {buckets}"
        mine = f"coalesce({hashed}, 0) = {number}" if buckets else f"rowid % {_FILES} = {number}"
        options = f"FORMAT parquet, FIELD_IDS {{{fields}}}, ROW_GROUP_SIZE 2048"
        query = f"COPY (SELECT * FROM {table.name} WHERE {mine}) TO '{path}' ({options})"
        count = warehouse.connection.execute(query).fetchall()[0][0]
        layout = layout_of(key, buckets) if buckets else None
        bucket = number if buckets else None
        found.append(DataFile(number, str(path), count, path.stat().st_size, bucket, layout=layout))
    return tuple(found)
