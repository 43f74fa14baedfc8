"""Maintenance that ends at any point has lost nothing, and the next run finds what it left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

import asyncpg
import pytest
from integration.lake.lake_catalog import LakeCatalog, LakeSession
from integration.lake.test_maintenance import CONTENT, TestEngine, engine, files, maintenance

from mere.lake.garbage import settle
from mere.lake.maintenance import Kind, Maintenance
from mere.segment.storage import Storage


class Died(BaseException):
    """The process is gone: nobody catches it."""


class DyingEngines:
    """The engine of the run's n-th rewrite writes its file, and then the process dies."""

    def __init__(self, last: int) -> None:
        self.left = last

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[TestEngine]:
        async with engine() as inner:
            yield inner
        self.left -= 1
        if not self.left:
            raise Died


class DyingStore(Storage):
    """Deletes some of the files, and then the process dies."""

    def __init__(self, url: str, share: float) -> None:
        super().__init__(url)
        self.share = share

    async def delete(self, paths: Sequence[str]) -> None:
        await super().delete(paths[: round(len(paths) * self.share)])
        raise Died


def die_at(point: str, upkeep: Maintenance, lake: LakeCatalog) -> None:
    match point:
        case "a file is written, but not committed":
            upkeep.engine = DyingEngines(1)
        case "one file is committed, the next is not":
            upkeep.engine = DyingEngines(2)
        case "snapshots are forgotten, no file is deleted":
            upkeep.store = DyingStore(str(lake.data_path), 0.0)
        case "half of the files are deleted":
            upkeep.store = DyingStore(str(lake.data_path), 0.5)
        case "all files are deleted, which nobody noted":
            upkeep.store = DyingStore(str(lake.data_path), 1.0)


@pytest.mark.parametrize(
    "point",
    [
        "a file is written, but not committed",
        "one file is committed, the next is not",
        "snapshots are forgotten, no file is deleted",
        "half of the files are deleted",
        "all files are deleted, which nobody noted",
    ],
)
async def test_it_dies_when(lake: LakeCatalog, session: LakeSession, point: str) -> None:
    session.run("CREATE TABLE t (k int8, v text) USING lake", "CREATE TABLE u (k int8) USING lake")
    for start in range(0, 40, 10):
        session.load("t", f"SELECT i k, 'v'||i v FROM range({start}, {start + 10}) r(i)")
        session.load("u", f"SELECT i k FROM range({start}, {start + 10}) r(i)")
    lake.duckdb().execute("DELETE FROM l.public.t WHERE k % 3 = 0")
    content = lake.duckdb().execute(CONTENT).fetchall()
    async with maintenance(lake) as upkeep:
        die_at(point, upkeep, lake)
        with pytest.raises(Died):
            await upkeep.run()
    assert lake.duckdb().execute(CONTENT).fetchall() == content
    async with maintenance(lake) as upkeep:
        await upkeep.run()
    assert lake.duckdb().execute(CONTENT).fetchall() == content
    known = "SELECT path FROM mere_lake.ducklake_data_file UNION ALL SELECT path FROM mere_lake.ducklake_delete_file"
    assert {path.rsplit("/", 1)[-1] for path in files(lake)} == {
        path.rsplit("/", 1)[-1] for (path,) in lake.rows(known)
    }
    assert len(files(lake)) == 2
    assert lake.one("SELECT count(*) FROM mere_lake.ducklake_files_scheduled_for_deletion") == 0


@contextmanager
def without_standby(lake: LakeCatalog) -> Iterator[None]:
    """Commits wait for a standby that never comes: so it is on a coordinator that was replaced without knowing it."""

    def wait_for(standby: str) -> None:
        lake.super.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{standby}'")
        lake.super.execute("SELECT pg_reload_conf()")

    wait_for("nobody")
    try:
        yield
    finally:
        wait_for("")


async def commit_that_waits(lake: LakeCatalog) -> int:
    """The process that waits for the standby."""
    question = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"
    async with asyncio.timeout(20):
        while True:
            if waiting := lake.rows(question):
                return int(waiting[0][0])
            await asyncio.sleep(0.02)


async def test_a_coordinator_that_was_replaced_deletes_nothing(lake: LakeCatalog, session: LakeSession) -> None:
    """Not before the standby has what was decided; and one that is cancelled in that wait does not know it."""
    session.run("CREATE TABLE t (k int8) USING lake")
    session.begin()
    session.write("t", "SELECT 1::BIGINT k")  # to this coordinator garbage; the new one may have committed it
    session.rollback()
    before = files(lake)
    assert len(before) == 1
    async with maintenance(lake) as upkeep:
        with without_standby(lake):
            run = asyncio.create_task(upkeep.run([Kind.ORPHANS]))
            pid = await commit_that_waits(lake)
            assert files(lake) == before
            lake.super.execute("SELECT pg_cancel_backend(%s)", [pid])
        async with asyncio.timeout(20):
            await run
    assert files(lake) == before
    error = lake.one("SELECT error FROM mere.maintenance_step")
    assert error.startswith("it is not known that the standby has what was decided"), error
    async with maintenance(lake) as upkeep:
        await upkeep.run([Kind.ORPHANS])
    assert not files(lake)


async def test_a_catalog_that_takes_no_writes_ends_the_run(lake: LakeCatalog, session: LakeSession) -> None:
    session.run("CREATE TABLE t (k int8) USING lake")
    for _ in range(2):
        session.load("t", "SELECT 1::BIGINT k")
    before = files(lake)
    lake.super.execute("ALTER ROLE mere_gateway SET default_transaction_read_only = on")
    try:
        async with maintenance(lake) as upkeep:
            with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
                await upkeep.run()
    finally:
        lake.super.execute("ALTER ROLE mere_gateway RESET default_transaction_read_only")
    assert before < files(lake)
    async with maintenance(lake) as upkeep:
        await upkeep.run()
        await settle(upkeep.pool)
    assert len(files(lake)) == 1


async def test_a_snapshot_stays_for_the_retention_after_it_was_superseded(
    lake: LakeCatalog, session: LakeSession
) -> None:
    """However old it is: a table that nobody changed for a month can be read as it was an hour ago."""
    session.run("CREATE TABLE t (k int8) USING lake")
    session.load("t", "SELECT 1::BIGINT k")
    lake.super.execute("UPDATE mere_lake.ducklake_snapshot SET snapshot_time = snapshot_time - interval '30 days'")
    hour_ago = lake.one("SELECT now() - interval '1 hour'")
    session.load("t", "SELECT 2::BIGINT k")
    async with maintenance(lake, retention=timedelta(days=7)) as upkeep:
        await upkeep.run()
        snapshot = await upkeep.metadata.snapshot_at(timestamp=hour_ago)
        assert await lake.scan(upkeep.metadata, lake.table_id("t"), snapshot.id) == [(1,)]
        assert upkeep.report.expired_snapshots == snapshot.id


@pytest.mark.parametrize("told", [True, False], ids=["heard of the changes", "slept through the changes"])
async def test_files_that_went_and_are_forgotten_are_gone_for_who_knew_them(
    lake: LakeCatalog, session: LakeSession, told: bool
) -> None:
    """What a coordinator keeps of a table is brought forward by what changed since, from which something is gone."""
    session.run("CREATE TABLE t (k int8) USING lake", "CREATE TABLE u (k int8) USING lake")
    session.load("t", "SELECT 1::BIGINT k")
    async with lake.metadata() as sleeper, maintenance(lake) as upkeep:
        table_id = lake.table_id("t")
        assert await lake.scan(sleeper, table_id) == [(1,)]
        session.begin()
        newest = lake.one("SELECT max(snapshot_id) FROM mere_lake.ducklake_snapshot")
        session.change("t", newest, truncated=True, files=session.write("t", "SELECT 2::BIGINT k"))
        session.commit()
        session.load("u", "SELECT 1::BIGINT k")
        if told:
            await sleeper.snapshot()
        await upkeep.run([Kind.EXPIRE])
        assert lake.one("SELECT count(*) FROM mere_lake.ducklake_snapshot_changes") == 1
        assert await lake.scan(sleeper, table_id) == [(2,)]
