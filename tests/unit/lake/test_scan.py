"""The text of scans, run by DuckDB over real files: one read_parquet a branch, filters pushed into each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from mere.errors import FeatureNotSupported
from mere.lake.columns import LakeColumn
from mere.lake.files import DataFile, DeleteFile
from mere.lake.scan import InlinedRelation, MappedColumn, scan_sql

K = LakeColumn(1, "k", "int64", "BIGINT")
V = LakeColumn(2, 'v "q"', "varchar", "VARCHAR", "it's")


def write(path: Path, first: int, count: int) -> DataFile:
    duckdb.execute(
        f"COPY (SELECT i AS k FROM range({first}, {first + count}) r(i)) TO '{path}'"
        " (FORMAT parquet, FIELD_IDS {k: 1}, ROW_GROUP_SIZE 2048)"
    )
    return DataFile(first, str(path), count, path.stat().st_size)


def delete(path: Path, file: DataFile, positions: list[int], snapshots: list[int] | None = None) -> DeleteFile:
    columns = f"unnest({positions}) AS pos" + (
        f", unnest({snapshots}) AS _ducklake_internal_snapshot_id" if snapshots else ""
    )
    duckdb.execute(f"COPY (SELECT '{file.url}' AS file_path, {columns}) TO '{path}' (FORMAT parquet)")
    return DeleteFile(1, str(path), len(positions))


def test_nothing_and_no_columns(tmp_path: Path) -> None:
    relation = duckdb.sql(scan_sql((), [K, V], row_identity=True))
    assert relation.columns == ["k", 'v "q"', "mere_file", "mere_pos"]
    assert [str(kind) for kind in relation.types] == ["BIGINT", "VARCHAR", "VARCHAR", "BIGINT"]
    assert relation.fetchall() == []
    file = write(tmp_path / "a.parquet", 0, 5)
    assert duckdb.sql(f"SELECT count(*) FROM ({scan_sql([file], [])})").fetchall() == [(5,)]


def test_defaults_and_deletes(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{n}.parquet", n * 10, 10) for n in range(4)]
    files[1] = replace(files[1], delete=delete(tmp_path / "d1.parquet", files[1], [0, 1]))
    files[3] = replace(files[3], delete=delete(tmp_path / "d3.parquet", files[3], [9]), inlined_deletes=(8,))
    rows = duckdb.sql(f"{scan_sql(files, [K, V], True)} ORDER BY k").fetchall()
    assert [row[0] for row in rows] == [*range(10), *range(12, 38)]
    assert {row[1] for row in rows} == {"it's"}
    assert all(row[2] == files[row[0] // 10].url and row[3] == row[0] % 10 for row in rows)
    # a filter on the file's name must not disturb which deletes belong to which file
    sql = f"SELECT k FROM ({scan_sql(files, [K], True)}) WHERE mere_file = '{files[3].url}'"
    assert len(duckdb.sql(sql).fetchall()) == 8


def test_deletes_of_later_snapshots(tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", 0, 10)
    later = delete(tmp_path / "d.parquet", file, [1, 2, 3], [5, 6, 7])
    for seen, expected in ((None, 7), (7, 7), (6, 8), (4, 10)):
        read = replace(file, delete=replace(later, snapshot_filter=seen))
        assert len(duckdb.sql(scan_sql([read], [K])).fetchall()) == expected


def test_filters_reach_the_files(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{n}.parquet", n * 20000, 20000) for n in range(2)]
    files[1] = replace(files[1], delete=delete(tmp_path / "d.parquet", files[1], [7]))
    plan = duckdb.sql(
        f"EXPLAIN ANALYZE SELECT sum(k) FROM ({scan_sql(files, [K, V])}) WHERE k BETWEEN 19990 AND 20010"
    ).fetchall()
    text = plan[0][1]
    assert "FILTER" not in text.replace("Filters:", "")
    assert "HUGEINT" not in text
    assert "40,000" not in text and "20,000" not in text


def test_files_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "year=2020"
    folder.mkdir()
    duckdb.execute(f"COPY (SELECT 1::INTEGER AS key) TO '{folder}/a.parquet' (FORMAT parquet)")
    file = replace(DataFile(1, f"{folder}/a.parquet", 1, 1), mapping_id=3)
    year = LakeColumn(5, "y", "int32", "INTEGER")
    mapping = {3: {1: MappedColumn("key", False), 5: MappedColumn("year", True)}}
    assert duckdb.sql(scan_sql([file], [K, year, V], mappings=mapping)).fetchall() == [(1, 2020, "it's")]


def test_inlined_rows() -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE r AS SELECT '7' AS c1, 3 AS mere_pos")
    sql = scan_sql((), [K, V], True, [InlinedRelation("r", "t_1", frozenset({1}))])
    assert connection.execute(sql).fetchall() == [(7, "it's", "inlined:t_1", 3)]


def test_deletion_vectors_are_named() -> None:
    file = DataFile(1, "a", 1, 1, delete=DeleteFile(1, "a.puffin", 1, format="puffin"))
    with pytest.raises(FeatureNotSupported, match="puffin"):
        scan_sql([file], [K])


def test_a_range_of_positions(tmp_path: Path) -> None:
    """A share of a large file: every row is in one of the ranges, deletes count by their place in the whole file."""
    file = write(tmp_path / "a.parquet", 0, 10_000)
    file = replace(file, delete=delete(tmp_path / "d.parquet", file, [0, 4_095, 4_096, 9_999]))
    found: list[int] = []
    for low, high in ((0, 4_096), (4_096, 6_000), (6_000, 10_000)):
        rows = duckdb.sql(scan_sql([replace(file, positions=(low, high))], [K], True)).fetchall()
        assert all(low <= row[2] < high for row in rows)
        found += [row[0] for row in rows]
    assert sorted(found) == sorted(set(range(10_000)) - {0, 4_095, 4_096, 9_999})
    plan = duckdb.sql(f"EXPLAIN {scan_sql([replace(file, positions=(0, 10))], [K])}").fetchall()[0][1]
    assert "file_row_number" in plan and "FILTER" not in plan.replace("Filters", "")
