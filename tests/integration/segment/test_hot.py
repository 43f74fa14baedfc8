"""Small files kept in memory: when they are, what a statement then reads, and what makes them go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
import pytest_asyncio

from mere.lake.columns import LakeColumn
from mere.lake.files import DataFile, DeleteFile
from mere.lake.scan import scan_sql
from mere.segment.engine import Engine, EngineSettings
from mere.segment.hot import MOST_FILES, MOST_ROWS, HotFiles
from mere.segment.storage import Storage
from mere.segment.workspace import Workspace

K = LakeColumn(1, "k", "int64", "BIGINT")
V = LakeColumn(2, 'v "q"', "varchar", "VARCHAR", "it's")
SOON = 10.0


async def started(directory: Path) -> Engine:
    lake = Storage(str(directory / "lake"), {})
    await lake.probe()
    running = Engine(EngineSettings(directory / "engine", (lake.location,), 2, 250 << 20))
    await running.start()
    return running


@pytest_asyncio.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """Its room for small files is 25 MiB."""
    running = await started(tmp_path)
    yield running
    await running.close()


@pytest.fixture
def lake(engine: Engine) -> Path:
    return Path(engine.settings.locations[0].prefix)


def write(path: Path, select: str, fields: dict[str, int]) -> DataFile:
    ids = ", ".join(f'"{name}": {number}' for name, number in fields.items())
    duckdb.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet, FIELD_IDS {{{ids}}})")
    rows = duckdb.execute(f"SELECT count(*) FROM '{path}'").fetchall()[0][0]
    return DataFile(1, str(path), rows, path.stat().st_size)


def numbers(path: Path, count: int = 10) -> DataFile:
    return write(path, f"SELECT i AS k, 'v' || i AS v FROM range({count}) r(i)", {"k": 1, "v": 2})


def hot_of(engine: Engine) -> HotFiles:
    assert engine._hot is not None
    return engine._hot


async def ready(engine: Engine) -> None:
    for _ in range(1000):
        if hot_of(engine).idle:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


def scan(workspace: Workspace, files: Sequence[DataFile], columns: Sequence[LakeColumn]) -> str:
    return scan_sql(files, columns, held=workspace.held(files, columns))


async def read(engine: Engine, files: Sequence[DataFile], columns: Sequence[LakeColumn] = (K, V)) -> list[object]:
    """The rows of one statement, sorted; what it leaves to be loaded is loaded when this returns."""
    async with engine.workspace() as workspace:
        rows = await workspace.rows(f"SELECT * FROM ({scan(workspace, files, columns)}) ORDER BY ALL")
    await ready(engine)
    return list(rows)


async def is_held(engine: Engine, files: Sequence[DataFile], columns: Sequence[LakeColumn] = (K, V)) -> bool:
    async with engine.workspace() as workspace:
        return len(workspace.held(files, columns)) == len(files)


async def warm(engine: Engine, files: Sequence[DataFile], columns: Sequence[LakeColumn] = (K, V)) -> None:
    for _ in range(2):
        await read(engine, files, columns)


async def test_a_file_is_kept_from_its_second_scan_on(engine: Engine, lake: Path) -> None:
    file = numbers(lake / "a.parquet")
    first = await read(engine, [file])
    assert not await is_held(engine, [file])  # which is the second scan
    await ready(engine)
    Path(file.url).unlink()
    assert await read(engine, [file]) == first == [(i, f"v{i}") for i in range(10)]


async def test_every_type_comes_out_as_it_went_in(engine: Engine, lake: Path) -> None:
    types = {
        "BOOLEAN": "true", "SMALLINT": "-1", "INTEGER": "2", "BIGINT": "3", "FLOAT": "'NaN'", "DOUBLE": "'-0.0'",
        "DECIMAL(4,2)": "1.50", "DECIMAL(38,9)": "'12345678901234567890.123456789'", "VARCHAR": "'é\\x00 \t'",
        "JSON": "'{\"a\":  1}'", "BLOB": "'\\xFF\\x00'::BLOB", "UUID": "'00000000-0000-0000-0000-000000000001'",
        "DATE": "'infinity'", "TIME": "'24:00:00'", "TIMESTAMP": "'2024-02-29 12:34:56.789012'",
        "TIMESTAMP WITH TIME ZONE": "'2024-02-29 12:34:56+02'", "INTERVAL": "'1 month 2 days 3 seconds'::INTERVAL",
    }  # fmt: skip
    listed = ", ".join(f"CAST({value} AS {name}) AS c{n}" for n, (name, value) in enumerate(types.items()))
    nulls = ", ".join(f"NULL::{name}" for name in types)
    fields = {f"c{n}": n for n in range(len(types))}
    file = write(lake / "a.parquet", f"SELECT {listed} UNION ALL SELECT {nulls}", fields)
    columns = [LakeColumn(n, f"c{n}", "", name) for n, name in enumerate(types)]
    told = ", ".join(f"typeof(c{n}), c{n}::VARCHAR" for n in range(len(types)))
    found = []
    for _ in range(3):
        async with engine.workspace() as workspace:
            sql = f"SELECT {told} FROM ({scan(workspace, [file], columns)}) ORDER BY ALL"
            found.append((await workspace.rows(sql), "read_parquet" in sql))
        await ready(engine)
    assert [from_file for _, from_file in found] == [True, True, False]
    assert found[0][0] == found[1][0] == found[2][0]


async def test_deleted_rows_stay_deleted(engine: Engine, lake: Path) -> None:
    whole = numbers(lake / "a.parquet")
    deleted = lake / "d.parquet"
    duckdb.execute(f"COPY (SELECT '{whole.url}' AS file_path, unnest([0, 3]) AS pos) TO '{deleted}' (FORMAT parquet)")
    less = replace(whole, delete=DeleteFile(1, str(deleted), 2))
    await warm(engine, [whole])
    await warm(engine, [less])
    assert await is_held(engine, [less])
    assert [row[0] for row in await read(engine, [less])] == [1, 2, 4, 5, 6, 7, 8, 9]  # type: ignore[index]
    assert len(await read(engine, [whole])) == 10
    noted = replace(whole, inlined_deletes=(5,))
    await warm(engine, [noted])
    assert not await is_held(engine, [noted])
    assert len(await read(engine, [noted])) == 9


async def test_columns_are_known_by_their_ids_types_and_defaults(engine: Engine, lake: Path) -> None:
    file = write(lake / "a.parquet", "SELECT i AS k FROM range(3) r(i)", {"k": 1})
    await warm(engine, [file])
    assert await is_held(engine, [file])
    assert await read(engine, [file], [replace(K, name="renamed"), V]) == [(i, "it's") for i in range(3)]
    for other in (replace(V, initial_default="new"), replace(V, duckdb_type="BLOB", initial_default="x")):
        assert not await is_held(engine, [file], [K, other])
        expected = other.initial_default if other.duckdb_type == "VARCHAR" else b"x"
        assert await read(engine, [file], [K, other]) == [(i, expected) for i in range(3)]


async def test_a_table_grows_by_the_columns_that_are_asked_for(engine: Engine, lake: Path) -> None:
    file = numbers(lake / "a.parquet")
    await warm(engine, [file], [K])
    assert not await is_held(engine, [file], [V])
    assert await read(engine, [file], [V]) == [(f"v{i}",) for i in range(10)]
    assert await is_held(engine, [file], [K, V])
    assert await is_held(engine, [file], [])
    async with engine.workspace() as workspace:
        assert await workspace.rows("SELECT count(*)::BIGINT FROM information_schema.tables") == [(1,)]


async def test_counting_needs_no_column(engine: Engine, lake: Path) -> None:
    file = numbers(lake / "a.parquet")
    await warm(engine, [file], [])
    async with engine.workspace() as workspace:
        sql = scan(workspace, [file], [])
        assert "read_parquet" not in sql
        assert await workspace.rows(f"SELECT count(*)::BIGINT FROM ({sql})") == [(10,)]


async def test_several_files_of_a_scan(engine: Engine, lake: Path) -> None:
    files = [numbers(lake / f"{n}.parquet", n + 1) for n in range(3)]
    await warm(engine, files[:2])
    assert await is_held(engine, files[:2])
    expected = sorted((i, f"v{i}") for n in range(3) for i in range(n + 1))
    assert await read(engine, files) == expected  # the third is read from its file
    await read(engine, files)
    assert await is_held(engine, files)
    assert await read(engine, files) == expected


async def test_large_scans_are_left_alone(engine: Engine, lake: Path) -> None:
    file = numbers(lake / "a.parquet")
    for files in ([replace(file, rows=MOST_ROWS + 1)], [file] * (MOST_FILES + 1), [replace(file, size=25 << 20)]):
        await warm(engine, files)
        assert not await is_held(engine, files)
    nested = LakeColumn(3, "a", "list", "INTEGER[]")
    await warm(engine, [file], [nested])
    assert not await is_held(engine, [file], [nested])
    assert hot_of(engine).bytes == 0


async def test_memory_is_bounded_and_the_longest_unread_goes_first(engine: Engine, lake: Path) -> None:
    files = [numbers(lake / f"{n}.parquet", 40_000) for n in range(12)]
    for file in files:
        await warm(engine, [file])
        assert await is_held(engine, files[:1])
        assert hot_of(engine).bytes <= 25 << 20
    held = [await is_held(engine, [file]) for file in files]
    assert held[0] and held[-1] and not all(held)
    assert held[1:] == sorted(held[1:])


async def test_a_table_too_large_in_memory_is_given_up(engine: Engine, lake: Path) -> None:
    file = write(lake / "a.parquet", "SELECT i AS k, repeat('x', 5000) AS v FROM range(5000) r(i)", {"k": 1, "v": 2})
    assert file.size < 1 << 20
    for _ in range(4):
        await read(engine, [file])
    assert not await is_held(engine, [file])
    assert hot_of(engine).bytes == 0


async def test_what_a_statement_reads_stays_until_its_end(engine: Engine, lake: Path) -> None:
    files = [numbers(lake / f"{n}.parquet", 40_000) for n in range(12)]
    await warm(engine, files[:1])
    async with engine.workspace() as reader:
        sql = scan(reader, files[:1], [K, V])
        assert "read_parquet" not in sql
        stream = await reader.stream(sql, batch_rows=1000)
        for file in files[1:]:
            await warm(engine, [file])
        assert sum([batch.num_rows async for batch in stream]) == 40_000
        assert await reader.rows(f"SELECT count(*)::BIGINT FROM ({sql})") == [(40_000,)]


async def test_a_file_that_cannot_be_read_is_tried_once(
    engine: Engine, lake: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = numbers(lake / "a.parquet")
    async with engine.workspace() as workspace:
        workspace.held([file], [K])
        workspace.held([file], [K])
        Path(file.url).unlink()
    with caplog.at_level(logging.WARNING):
        await ready(engine)
        for _ in range(3):
            assert not await is_held(engine, [file])
            await ready(engine)
    assert len(caplog.records) == 1


async def test_a_fatal_error_costs_what_was_kept_and_no_more(engine: Engine, lake: Path) -> None:
    file = numbers(lake / "a.parquet")
    await warm(engine, [file])
    async with engine.workspace() as old:
        assert old.held([file], [K])
        engine._failed(RuntimeError("the database has been invalidated because of a previous fatal error"))
        assert len(await read(engine, [file])) == 10
        fresh = engine._root
    assert engine._root is fresh
    await warm(engine, [file])
    assert await is_held(engine, [file])


async def test_an_engine_closes_while_it_loads(tmp_path: Path) -> None:
    engine = await started(tmp_path)
    file = numbers(tmp_path / "lake" / "a.parquet", 500_000)
    for _ in range(2):
        async with engine.workspace() as workspace:
            workspace.held([file], [K, V])
    async with asyncio.timeout(SOON):
        await engine.close()
