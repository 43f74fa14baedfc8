"""One attempt of a slice in a real engine: what arrives, what leaves, and what a cancelled one leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import pytest_asyncio

from mere.errors import DataError
from mere.segment.engine import Engine, EngineSettings
from mere.segment.locations import parse_location
from mere.segment.partition import Leave
from mere.segment.task import Incoming, leave_parts, load_all

TYPES = """
    i::INTEGER AS "integer", (i * 7)::HUGEINT AS "hugeint", 'x' || i AS "text", (i % 3)::DECIMAL(9, 2) AS "d9",
    (i % 5)::DECIMAL(18, 3) AS "d18", i::DECIMAL(38, 3) AS "d38", uuid() AS "uuid", '12:00:00+02'::TIMETZ AS "timetz",
    '101'::BIT AS "bit", INTERVAL (i) DAY AS "interval", i % 2 = 0 AS "boolean", [i, NULL] AS "array",
    DATE '2020-01-01' + i::INTEGER AS "date", TIMESTAMP '2020-01-01' AS "timestamp", now() AS "timestamptz",
    TIME '12:00' AS "time", i::DOUBLE AS "double", '\\x01'::BLOB AS "bytea", '{"a": 1}'::JSON AS "json",
    [[true], NULL] AS "booleans", [uuid()] AS "uuids", NULL::INTEGER AS "null",
    CASE WHEN i % 3 > 0 THEN ['\\x01'::BLOB, NULL, repeat('long', 9)::BLOB] END AS "byteas",
    ['101'::BIT, NULL] AS "bits",
    [(i % 7)::DECIMAL(12, 2), NULL] AS "numerics", [[repeat('x', i % 20)::BLOB], NULL] AS "deeper"
"""


async def arriving(*tables: pa.Table) -> AsyncGenerator[pa.Table, None]:
    for table in tables:
        yield table


async def parts_of(engine: Engine, sql: str, leave: Leave, *incoming: Incoming) -> list[tuple[int, pa.Table]]:
    async with asyncio.timeout(30), engine.workspace() as workspace:
        return [part async for part in leave_parts(workspace, sql, incoming, leave)]


@pytest_asyncio.fixture(params=["wide", "narrow"])
async def sender(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    settings = EngineSettings(
        tmp_path, (parse_location(str(tmp_path / "lake")),), 1, 1 << 30, narrow=request.param == "narrow"
    )
    engine = Engine(settings)
    await engine.start()
    yield engine
    await engine.close()


@pytest.mark.parametrize("leave", [Leave(), Leave(3, 'hash("integer") % 1000')], ids=["one target", "three"])
async def test_rows_of_every_type_arrive_as_they_left(sender: Engine, leave: Leave) -> None:
    query = f"SELECT {TYPES} FROM range(10000) AS t(i)"
    async with sender.workspace() as workspace:
        columns = tuple((row[0], row[1]) for row in await workspace.rows(f"DESCRIBE {query}"))
        await workspace.execute(f"CREATE TEMP TABLE original AS {query}")
        async with asyncio.timeout(30):
            leaving = leave_parts(workspace, "SELECT * FROM original", (), leave)
            parts = [table async for _, table in leaving]
            moved = Incoming("moved", columns, arriving(*parts))
            differences = "(FROM original EXCEPT ALL FROM moved) UNION ALL (FROM moved EXCEPT ALL FROM original)"
            await load_all(workspace, [moved])
            assert await workspace.rows(f"SELECT count(*) FROM ({differences})") == [(0,)]
            assert {row[0] for row in await workspace.rows("SELECT count(*) FROM moved")} == {10000}


async def test_a_null_destination_is_the_first_target(local_engine: Engine) -> None:
    [(target, part)] = await parts_of(local_engine, "SELECT NULL::BIGINT AS a", Leave(4, "a"))
    assert (target, part.num_rows) == (0, 1)


async def test_a_destination_below_zero_is_an_error_and_never_a_wrong_place(local_engine: Engine) -> None:
    with pytest.raises(DataError):
        await parts_of(local_engine, "SELECT -1 AS a", Leave(4, "a"))


async def test_parts_of_the_coordinator_and_of_segments_fill_one_table(local_engine: Engine) -> None:
    """Whose decimals differ in width."""
    wide = pa.table({"a": pa.array([Decimal("1.00"), Decimal("2.00")], pa.decimal128(12, 2))})
    narrow = pa.table({"a": pa.array([Decimal("3.00")], pa.decimal64(12, 2))})
    mixed = Incoming("mixed", (("a", "DECIMAL(12,2)"),), arriving(wide, narrow, wide))
    [(_, part)] = await parts_of(local_engine, "SELECT sum(a)::INTEGER AS n FROM mixed", Leave(), mixed)
    assert part.to_pylist() == [{"n": 9}]


async def test_a_table_of_no_parts_has_its_types(local_engine: Engine) -> None:
    nothing = Incoming("nothing", (("a", "DECIMAL(12,2)"), ("b c", "VARCHAR")), arriving())
    [(_, part)] = await parts_of(
        local_engine, 'SELECT count("b c") AS n, typeof(any_value(a)) AS t FROM nothing', Leave(), nothing
    )
    assert part.to_pylist() == [{"n": 0, "t": "DECIMAL(12,2)"}]


async def test_more_than_fits_in_memory_is_written_to_disk(tmp_path: Path) -> None:
    engine = Engine(EngineSettings(tmp_path, (parse_location(str(tmp_path / "lake")),), 1, 100 << 20))
    await engine.start()
    try:
        part = pa.table({"a": pa.array(range(1_000_000)), "b": pa.array(range(1_000_000))})
        incoming = Incoming("many", (("a", "BIGINT"), ("b", "BIGINT")), arriving(*[part] * 15))
        sql = "SELECT sum(a) AS a, sum(hash(a, b) % 2) >= 0 AS b FROM many"
        [(_, answer)] = await parts_of(engine, sql, Leave(), incoming)
        assert answer.num_rows == 1
    finally:
        await engine.close()


async def test_a_cancelled_attempt_ends_within_a_second_and_leaves_nothing(local_engine: Engine) -> None:
    endless = "SELECT count(*) AS n FROM range(100000000000) AS t(i) WHERE hash(i) % 7 = 3"
    attempt = asyncio.ensure_future(parts_of(local_engine, endless, Leave()))
    await asyncio.sleep(0.2)
    attempt.cancel()
    async with asyncio.timeout(1):
        await asyncio.wait({attempt})
    assert attempt.cancelled()
