"""Files that Mere writes, read by DuckDB and by the ducklake extension itself."""

from __future__ import annotations

import uuid
from pathlib import Path

import duckdb
import pytest

from mere.errors import IntegrityError, MereError
from mere.segment.connect import extension_file
from mere.segment.deletes import FILES, LosingFile, Lost, file_table, numbered, write_deletes
from mere.segment.engine import Engine
from mere.segment.storage import Storage
from mere.segment.workspace import Workspace
from mere.segment.write import WriteColumn, WriteTarget, bucket_expression, write_query
from mere.sql import types as pg

COLUMNS = (
    WriteColumn("k", pg.INT8, 1, not_null=True),
    WriteColumn("bucket", pg.TEXT, 2),
    WriteColumn('odd "name"', 1007, 3, 4, not_null=True),
    WriteColumn("during", pg.INTERVAL, 5),
    WriteColumn("f", pg.FLOAT8, 6),
)
ROWS = "SELECT i, 'v' || i, [i::INT, NULL], INTERVAL 1 day, (i * 1.5)::DOUBLE FROM range(1000) t(i)"


def target_of(storage: Storage, *, buckets: int = 0) -> WriteTarget:
    prefix = f"{storage.url}main/t-{uuid.uuid4().hex[:8]}/"
    return WriteTarget("t", prefix, COLUMNS, "k" if buckets else None, buckets)


def read(target: WriteTarget, paths: list[str]) -> str:
    """By field id, as scans read."""
    files = ", ".join(f"'{target.prefix}{path}'" for path in paths)
    fields = "1: {name: 'k', type: 'BIGINT', default_value: NULL}, 2: {name: 'b', type: 'VARCHAR', default_value: NULL}"
    return f"read_parquet([{files}], schema => MAP {{{fields}}})"


@pytest.mark.parametrize("buckets", [0, 4])
async def test_files_and_statistics(engine: Engine, storage: Storage, buckets: int) -> None:
    target = target_of(storage, buckets=buckets)
    async with engine.workspace() as workspace:
        files = await write_query(workspace, ROWS, target)
        assert sum(file.rows for file in files) == 1000
        assert {file.bucket for file in files} == (set(range(4)) if buckets else {None})
        source = read(target, [file.path for file in files])
        assert await workspace.rows(f"SELECT count(*), sum(k), max(b) FROM {source}") == [(1000, 499500, "v999")]
        for file in files:
            found = await storage.head(target.prefix + file.path)
            assert found is not None and found.size == file.size
            key, text, array, interval, number = file.stats
            low, high = (
                await workspace.rows(f"SELECT min(k)::VARCHAR, max(k)::VARCHAR FROM {read(target, [file.path])}")
            )[0]
            assert (key.column_id, key.min, key.max, key.nulls, key.values) == (1, low, high, 0, file.rows)
            assert text.column_id == 2 and text.min is not None
            assert (array.column_id, array.nulls, array.values) == (4, file.rows, 2 * file.rows)
            assert (interval.column_id, interval.min) == (5, None)
            assert number.has_nan is False
            if buckets:
                assert file.path.startswith(f"bucket={file.bucket}/mere-")
                bucket = bucket_expression("k", 4)
                ((wrong,),) = await workspace.rows(
                    f"SELECT count(*) FROM {read(target, [file.path])} WHERE {bucket} <> {file.bucket}"
                )
                assert wrong == 0


async def test_nothing_to_write(engine: Engine, storage: Storage) -> None:
    async with engine.workspace() as workspace:
        for buckets in (0, 3):
            assert await write_query(workspace, ROWS + " WHERE false", target_of(storage, buckets=buckets)) == ()


@pytest.mark.parametrize(
    "row",
    ["NULL::BIGINT, 'x', [1], NULL, 1.0::DOUBLE", "1, 'x', NULL::INT[], NULL, 1.0::DOUBLE"],
)
async def test_not_null(engine: Engine, storage: Storage, row: str) -> None:
    async with engine.workspace() as workspace:
        with pytest.raises(IntegrityError) as error:
            await write_query(workspace, f"SELECT {row}", target_of(storage))
    assert error.value.sqlstate == "23502"
    assert "violates not-null constraint" in error.value.message


async def test_null_has_a_bucket_of_its_own(engine: Engine, storage: Storage) -> None:
    target = WriteTarget("t", f"{storage.url}nulls/", (WriteColumn("k", pg.INT8, 1),), "k", 4)
    async with engine.workspace() as workspace:
        (file,) = await write_query(workspace, "SELECT NULL::BIGINT", target)
    assert file.bucket is None and file.path.startswith("bucket=__HIVE_DEFAULT_PARTITION__/")


async def test_bounds_are_sound(engine: Engine, storage: Storage) -> None:
    """Of long strings, NaN and zero bytes."""
    columns = (WriteColumn("s", pg.TEXT, 1), WriteColumn("f", pg.FLOAT8, 2), WriteColumn("z", pg.TEXT, 3))
    target = WriteTarget("t", f"{storage.url}bounds/", columns)
    async with engine.workspace() as workspace:
        rows = "SELECT repeat('x', 300) || i, 'nan'::DOUBLE, chr(0) || i FROM range(5) t(i)"
        (file,) = await write_query(workspace, rows, target)
    long, nan, zero = file.stats
    assert long.min is not None and long.max is not None
    assert long.min <= "x" * 300 and long.max >= "x" * 300 + "4"
    assert (nan.min, nan.max, nan.has_nan) == (None, None, True)
    assert (zero.min, zero.max) == (None, None)


async def gone(
    workspace: Workspace, storage: Storage, prefix: str, files: list[LosingFile], rows: str, *, once: bool = False
) -> list[Lost]:
    """The rows of a relation with mere_file and mere_pos are removed."""
    await workspace.execute(f"DROP TABLE IF EXISTS {FILES}")
    await workspace.load(FILES, file_table(files))
    return await write_deletes(workspace, storage, numbered(rows), prefix, once=once)


async def test_delete_files(engine: Engine, storage: Storage) -> None:
    target = target_of(storage, buckets=2)
    async with engine.workspace() as workspace:
        files = await write_query(workspace, ROWS, target)
        urls = [target.prefix + file.path for file in files]
        every = " UNION ALL ".join(f"SELECT '{url}' AS mere_file, i AS mere_pos FROM range(3) t(i)" for url in urls)
        twice = f"({every} UNION ALL {every})"
        first = await gone(workspace, storage, target.prefix, [LosingFile(url) for url in urls], twice)
        assert sorted((lost.number, lost.count) for lost in first) == [(0, 3), (1, 3)]
        assert first[0].path is not None
        again = LosingFile(urls[0], target.prefix + first[0].path)
        more = f"(SELECT '{urls[0]}' AS mere_file, i AS mere_pos FROM range(2, 5) t(i))"
        (second,) = await gone(workspace, storage, target.prefix, [LosingFile(urls[1]), again], more)
        assert second.path is not None
        assert (second.number, second.count) == (1, 5)
        found = await workspace.rows(f"SELECT file_path, pos FROM read_parquet('{target.prefix}{second.path}')")
        assert found == [(urls[0], position) for position in range(5)]
        fields = {2147483646: ("f", "VARCHAR"), 2147483645: ("p", "BIGINT")}
        entries = (f"{key}: {{name: '{n}', type: '{t}', default_value: NULL}}" for key, (n, t) in fields.items())
        schema = f"MAP {{{', '.join(entries)}}}"
        (row,) = await workspace.rows(
            f"SELECT count(f), sum(p) FROM read_parquet('{target.prefix}{second.path}', schema => {schema})"
        )
        assert row == (5, 10)
        object_ = await storage.head(target.prefix + second.path)
        assert object_ is not None and object_.size == second.size


async def test_a_file_without_rows_goes_as_a_whole(engine: Engine, storage: Storage) -> None:
    target = target_of(storage)
    async with engine.workspace() as workspace:
        rows = "(SELECT 'a' AS mere_file, i AS mere_pos FROM range({0}) t(i) UNION ALL SELECT NULL, NULL)"
        (part,) = await gone(workspace, storage, target.prefix, [LosingFile("a", None, 5)], rows.format(4))
        assert part.path is not None and part.count == 4
        rest = [LosingFile("a", target.prefix + part.path, 5)]
        last = "(SELECT 'a' AS mere_file, 4 AS mere_pos)"
        assert await gone(workspace, storage, target.prefix, rest, last) == [Lost(0)]
        (never,) = await gone(workspace, storage, target.prefix, [LosingFile("a", None, None)], rows.format(5))
        assert never.count == 5


async def test_rows_in_postgresql_are_only_named(engine: Engine, storage: Storage) -> None:
    async with engine.workspace() as workspace:
        rows = "(SELECT 'inlined:x' AS mere_file, unnest([7, 3, 7]) AS mere_pos)"
        found = await gone(workspace, storage, target_of(storage).prefix, [LosingFile("inlined:x")], rows)
        assert found == [Lost(0, positions=(3, 7))]


async def test_what_no_file_is_known_for_is_never_passed_over(engine: Engine, storage: Storage) -> None:
    async with engine.workspace() as workspace:
        with pytest.raises(MereError):
            await gone(workspace, storage, target_of(storage).prefix, [], "(SELECT 'a' AS mere_file, 1 AS mere_pos)")


async def test_a_second_match_is_merges_error(engine: Engine, storage: Storage) -> None:
    async with engine.workspace() as workspace:
        rows = "(SELECT 'a' AS mere_file, unnest([1, 2, 1]) AS mere_pos)"
        with pytest.raises(MereError) as caught:
            await gone(workspace, storage, target_of(storage).prefix, [LosingFile("a")], rows, once=True)
        assert caught.value.sqlstate == "21000"


async def test_positions_of_many_batches_are_one_file(engine: Engine, storage: Storage) -> None:
    """Also where a file's positions end at the very end of a batch."""
    async with engine.workspace() as workspace:
        rows = "(SELECT chr((97 + i % 3)::INTEGER) AS mere_file, i // 3 AS mere_pos FROM range(3 * 122880) t(i))"
        prefix = target_of(storage).prefix
        found = await gone(workspace, storage, prefix, [LosingFile(name) for name in "abc"], rows)
        assert [(lost.number, lost.count) for lost in found] == [(0, 122880), (1, 122880), (2, 122880)]
        for lost in found:
            asked = f"SELECT count(DISTINCT pos), min(pos), max(pos) FROM read_parquet('{prefix}{lost.path}')"
            assert await workspace.rows(asked) == [(122880, 0, 122879)]


async def test_the_extension_reads_them(local_engine: Engine, lake_directory: Path, tmp_path: Path) -> None:
    """Rows of ours and positions of ours, named in the catalog of a plain DuckLake."""
    storage = Storage(str(lake_directory), {})
    with duckdb.connect() as plain:
        plain.execute(f"LOAD '{extension_file('ducklake')}'")
        plain.execute(
            f"ATTACH 'ducklake:{tmp_path}/meta.db' AS l (DATA_PATH '{lake_directory}/', DATA_INLINING_ROW_LIMIT 0)"
        )
        plain.execute("CREATE TABLE l.t (k BIGINT, v VARCHAR); ALTER TABLE l.t SET PARTITIONED BY (bucket(4, k))")
        plain.execute("INSERT INTO l.t SELECT i, 'theirs' FROM range(100) t(i)")
        meta = "__ducklake_metadata_l"
        their_files = plain.execute(f"SELECT data_file_id, path FROM {meta}.ducklake_data_file").fetchall()
        columns = (WriteColumn("k", pg.INT8, 1), WriteColumn("v", pg.TEXT, 2))
        target = WriteTarget("t", f"{lake_directory}/main/t/", columns, "k", 4)
        async with local_engine.workspace() as workspace:
            ours = await write_query(workspace, "SELECT i, 'ours' FROM range(100, 300) t(i)", target)
            url = f"{target.prefix}{their_files[0][1]}"
            first_row = f"(SELECT '{url}' AS mere_file, 0 AS mere_pos)"
            (delete,) = await gone(workspace, storage, target.prefix, [LosingFile(url)], first_row)
        rows_before = 100
        plain.execute(
            f"BEGIN; INSERT INTO {meta}.ducklake_snapshot SELECT snapshot_id + 1, now(), schema_version, "
            f"next_catalog_id, next_file_id + 100 FROM {meta}.ducklake_snapshot ORDER BY 1 DESC LIMIT 1"
        )
        ((snapshot,),) = plain.execute(f"SELECT max(snapshot_id) FROM {meta}.ducklake_snapshot").fetchall()
        for number, file in enumerate(ours, 50):
            plain.execute(
                f"INSERT INTO {meta}.ducklake_data_file (data_file_id, table_id, begin_snapshot, path,"
                " path_is_relative, file_format, record_count, file_size_bytes, footer_size, row_id_start,"
                f" partition_id) SELECT {number}, 1, {snapshot}, '{file.path}', true, 'parquet', {file.rows},"
                f" {file.size}, {file.footer_size}, {rows_before}, max(partition_id) FROM {meta}.ducklake_data_file"
            )
            plain.execute(f"INSERT INTO {meta}.ducklake_file_partition_value VALUES ({number}, 1, 0, '{file.bucket}')")
            rows_before += file.rows
        plain.execute(
            f"INSERT INTO {meta}.ducklake_delete_file (delete_file_id, table_id, begin_snapshot, data_file_id, path,"
            " path_is_relative, format, delete_count, file_size_bytes, footer_size) VALUES"
            f" (99, 1, {snapshot}, {their_files[0][0]}, '{delete.path}', true, 'parquet', {delete.count},"
            f" {delete.size}, {delete.footer_size})"
        )
        plain.execute(f"UPDATE {meta}.ducklake_table_column_stats SET max_value = '299' WHERE column_id = 1")
        plain.execute(f"UPDATE {meta}.ducklake_table_column_stats SET min_value = 'ours' WHERE column_id = 2")
        plain.execute("COMMIT")
        assert plain.execute("SELECT count(*), count(DISTINCT k) FROM (SELECT k, v FROM l.t)").fetchall() == [
            (299, 299)
        ]
        lost = [k for k in range(300) if plain.execute("SELECT v FROM l.t WHERE k = ?", [k]).fetchall() == []]
        assert len(lost) == 1 and lost[0] < 100
        plain.execute("DELETE FROM l.t WHERE k >= 290")
        assert plain.execute("SELECT count(v) FROM l.t").fetchall() == [(289,)]
