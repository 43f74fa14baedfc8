"""Upkeep keeps every row, of every remaining snapshot, and deletes no file that somebody needs."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from integration.lake.lake_catalog import LakeCatalog, LakeSession, writing_engine

from mere.lake.maintenance import Maintenance, MaintenancePolicy
from mere.lake.rewrite import RewritePolicy
from mere.segment.storage import Storage


class TestEngine:
    __test__ = False

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    async def load(self, name: str, rows: pa.Table) -> None:
        self.connection.register(name, rows)


@asynccontextmanager
async def engine() -> AsyncIterator[TestEngine]:
    yield TestEngine(writing_engine())


@asynccontextmanager
async def maintenance(lake: LakeCatalog, **policy: Any) -> AsyncIterator[Maintenance]:
    settings = {"retention": NOW, "safety": NOW, "grace": NOW, "rewrite": RewritePolicy(least=2), **policy}
    async with lake.metadata() as metadata:
        yield Maintenance(
            pool=metadata._pool,
            metadata=metadata,
            data_url=f"{lake.data_path}/",
            store=Storage(str(lake.data_path)),
            engine=engine,
            policy=MaintenancePolicy(**settings),
        )


def files(lake: LakeCatalog) -> set[str]:
    return {str(path) for path in lake.data_path.rglob("*.parquet")}


NOW = timedelta(0)
CONTENT = "SELECT * FROM l.public.t ORDER BY ALL"
ROW_IDS = "SELECT rowid, k FROM l.public.t ORDER BY k"


@pytest.mark.parametrize("hashed", [False, True])
async def test_small_and_worn_files(lake: LakeCatalog, session: LakeSession, hashed: bool) -> None:
    distribution = "SELECT mere.set_policy('t', 'hash', '{k}', 3)" if hashed else "SELECT 1"
    session.run("CREATE TABLE t (k int8, v text, l int[]) USING lake", distribution)
    for start in range(0, 60, 10):
        session.load("t", f"SELECT i k, 'v'||i v, [i::INT] l FROM range({start}, {start + 10}) r(i)")
    session.run("ALTER TABLE t ADD COLUMN d date DEFAULT '2020-01-01'", "ALTER TABLE t RENAME v TO w")
    session.load("t", "SELECT NULL::BIGINT k, NULL w, NULL::INT[] l, NULL::DATE d")
    plain = lake.duckdb(inlining=20)
    plain.execute("DELETE FROM l.public.t WHERE k % 7 = 3")
    plain.execute("INSERT INTO l.public.t VALUES (100, 'x', [1, 2], NULL), (101, NULL, NULL, '2021-01-01')")
    plain.execute("UPDATE l.public.t SET w = 'u' WHERE k = 5")
    version = lake.one("SELECT max(snapshot_id) FROM mere_lake.ducklake_snapshot")
    content, row_ids = plain.execute(CONTENT).fetchall(), plain.execute(ROW_IDS).fetchall()
    before = len(files(lake))
    async with maintenance(lake, retention=timedelta(days=1)) as upkeep:
        await upkeep.run()
        report = upkeep.report
        assert report.flushed_rows == 3
        assert report.written_files < report.rewritten_files
        assert report.given_up == report.expired_snapshots == report.deleted_files == 0
        assert plain.execute(CONTENT).fetchall() == content
        assert plain.execute(ROW_IDS).fetchall() == row_ids
        live = lake.one("SELECT count(*) FROM mere_lake.ducklake_data_file WHERE end_snapshot IS NULL")
        assert live == (4 if hashed else 1)
        for old in range(2, version + 1):
            at = f"AT (VERSION => {old})"
            expected = plain.execute(f"SELECT * FROM l.public.t {at} ORDER BY ALL").fetchall()
            assert await lake.scan(upkeep.metadata, lake.table_id("t"), old, suffix="ORDER BY ALL") == expected
        upkeep.policy = MaintenancePolicy(NOW, NOW, NOW, RewritePolicy(least=2))
        await upkeep.run()
        assert report.expired_snapshots > 8
        assert len(files(lake)) == live < before
        assert await lake.scan(upkeep.metadata, lake.table_id("t"), suffix="ORDER BY ALL") == content
    again = lake.duckdb()
    assert again.execute(CONTENT).fetchall() == content
    for k in (0, 5, 100, 101):
        assert again.execute(f"SELECT count(*) FROM l.public.t WHERE k = {k}").fetchone() == (1,)
    again.execute("INSERT INTO l.public.t VALUES (200, 'y', [], NULL)")
    session.load("t", "SELECT 300 k, NULL w, NULL::INT[] l, NULL::DATE d")
    ids = [row[0] for row in again.execute(ROW_IDS).fetchall()]
    assert len(ids) == len(set(ids)) == len(content) + 2


async def test_files_with_nothing_left(lake: LakeCatalog, session: LakeSession) -> None:
    session.run("CREATE TABLE t (k int8) USING lake")
    session.load("t", "SELECT i k FROM range(10) r(i)")
    lake.duckdb().execute("DELETE FROM l.public.t")
    async with maintenance(lake) as upkeep:
        await upkeep.run()
    assert lake.duckdb().execute("SELECT count(*) FROM l.public.t").fetchone() == (0,)
    assert not files(lake)


async def test_writers_are_faster(lake: LakeCatalog, session: LakeSession) -> None:
    session.run("CREATE TABLE t (k int8) USING lake")
    for start in (0, 10):
        session.load("t", f"SELECT i k FROM range({start}, {start + 10}) r(i)")
    file_id, path = lake.rows("SELECT data_file_id, path FROM mere_lake.ducklake_data_file ORDER BY 1")[0]

    @asynccontextmanager
    async def slow_engine() -> AsyncIterator[TestEngine]:
        async with engine() as inner:
            yield inner
        session.begin()
        session.delete_positions("t", 3, {file_id: (path, [4], None)})
        session.commit()

    async with maintenance(lake) as upkeep:
        upkeep.engine = slow_engine
        await upkeep.run()
        assert upkeep.report.given_up == 1
        assert upkeep.report.deleted_files == 1
    assert lake.duckdb().execute("SELECT count(*) FROM l.public.t").fetchone() == (19,)


async def test_orphans(lake: LakeCatalog, session: LakeSession) -> None:
    session.run("CREATE TABLE t (k int8) USING lake")
    session.load("t", "SELECT 1::BIGINT k")
    session.begin()
    flying = session.write("t", "SELECT 2::BIGINT k")
    lost = session.write("t", "SELECT 3::BIGINT k")
    prefix = lake.data_path / session.shell("t")[0]
    other = prefix / "notes.txt"
    other.write_text("not ours")
    kept = files(lake) - {str(prefix / lost[0].path)}
    async with maintenance(lake, safety=timedelta(hours=1)) as upkeep:
        upkeep.in_flight.add(str(prefix / flying[0].path))
        await upkeep.run()
        assert upkeep.report.deleted_files == 0
        hours_ago = time.time() - 7200
        for path in (flying, lost):
            os.utime(prefix / path[0].path, (hours_ago, hours_ago))
        await upkeep.run()
        assert upkeep.report.deleted_files == 1
        assert files(lake) == kept
    session.change("t", 2, files=flying)
    session.commit()
    assert Path(other).exists()
    assert lake.duckdb().execute("SELECT sum(k) FROM l.public.t").fetchone() == (3,)


async def test_snapshots_that_are_read_stay(lake: LakeCatalog, session: LakeSession) -> None:
    session.run("CREATE TABLE t (k int8) USING lake", "CREATE TABLE gone (k int8) USING lake")
    session.load("t", "SELECT 1::BIGINT k")
    session.load("gone", "SELECT 7::BIGINT k")
    session.begin()
    session.change("t", 2, truncated=True, files=session.write("t", "SELECT 5::BIGINT k"))
    session.commit()
    session.run("DROP TABLE gone")
    gone = lake.one("SELECT max(table_id) FROM mere_lake.ducklake_table")
    async with maintenance(lake) as upkeep:
        release = upkeep.readers.hold(3)
        await upkeep.run()
        assert lake.rows("SELECT min(snapshot_id), max(snapshot_id) FROM mere_lake.ducklake_snapshot") == [(3, 5)]
        table_id = lake.table_id("t")
        assert await lake.scan(upkeep.metadata, table_id, 3) == [(1,)]
        assert await lake.scan(upkeep.metadata, gone, 3) == [(7,)]
        release()
        await upkeep.run()
        assert lake.rows("SELECT snapshot_id FROM mere_lake.ducklake_snapshot") == [(5,)]
        assert await lake.scan(upkeep.metadata, table_id) == [(5,)]
    assert len(files(lake)) == 1
    assert lake.duckdb().execute("FROM l.public.t").fetchall() == [(5,)]
    assert not lake.rows("SELECT FROM mere_lake.ducklake_column WHERE table_id = %s", gone)
