"""Running queries: streams, back-pressure, cancellation, errors, recovery."""

from __future__ import annotations

import asyncio
import threading
import time

import pyarrow as pa
import pytest

from mere.errors import DataError, MereError, QueryCanceled
from mere.segment.engine import Engine

ENDLESS = "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b"


async def values(engine: Engine, sql: str) -> list[tuple[object, ...]]:
    stream = await engine.run(sql)
    found: list[tuple[object, ...]] = []
    async for batch in stream:
        found.extend(tuple(row.values()) for row in batch.to_pylist())
    return found


async def test_settings_have_postgresqls_meaning(engine: Engine) -> None:
    assert await values(engine, "SELECT 7 / 2, typeof(7 / 2)") == [(3, "INTEGER")]
    assert await values(engine, "FROM (VALUES (1), (NULL)) t(a) ORDER BY a") == [(1,), (None,)]
    assert await values(engine, "FROM (VALUES (1), (NULL)) t(a) ORDER BY a DESC") == [(None,), (1,)]
    assert await values(engine, "SELECT '2020-01-01 12:00:00+02'::TIMESTAMPTZ::VARCHAR") == [
        ("2020-01-01 10:00:00+00",)
    ]


async def test_a_stream_waits_for_its_reader(local_engine: Engine) -> None:
    """A result far larger than the memory limit, with nobody reading."""
    stream = await local_engine.run("SELECT repeat('x', 1000) AS x FROM range(10000000)")
    first = await anext(aiter(stream))
    await asyncio.sleep(0.3)
    await stream.close()
    assert first.num_rows > 0
    assert await values(local_engine, "SELECT 1") == [(1,)]


async def test_many_batches_arrive_in_order(local_engine: Engine) -> None:
    stream = await local_engine.run("SELECT i FROM range(100000) t(i) ORDER BY i", batch_rows=2048)
    found = pa.Table.from_batches([batch async for batch in stream])
    assert found.column(0).to_pylist() == list(range(100000))


@pytest.mark.parametrize("delay", [0, 0.001, 0.2])
async def test_cancelling_the_task_interrupts(local_engine: Engine, delay: float) -> None:
    task = asyncio.create_task(local_engine.run(ENDLESS))
    await asyncio.sleep(delay)
    start = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - start < 1
    assert await values(local_engine, "SELECT 1") == [(1,)]


async def test_cancel_of_a_workspace(local_engine: Engine) -> None:
    async with local_engine.workspace() as workspace:
        task = asyncio.create_task(workspace.stream(ENDLESS))
        await asyncio.sleep(0.1)
        workspace.cancel()
        with pytest.raises(QueryCanceled) as error:
            await task
        assert error.value.sqlstate == "57014"
        with pytest.raises(QueryCanceled):
            await workspace.rows("SELECT 1")


async def test_closing_a_stream_stops_its_query(local_engine: Engine) -> None:
    stream = await local_engine.run("SELECT a.range + b.range AS x FROM range(1000000) a, range(1000000) b")
    await anext(aiter(stream))
    start = time.monotonic()
    await stream.close()
    await stream.close()
    assert time.monotonic() - start < 1


async def test_errors_in_the_middle(local_engine: Engine) -> None:
    failing = "CASE WHEN i = 900000 THEN error('22012:division by zero') ELSE i END"
    with pytest.raises(DataError) as error:
        await values(local_engine, f"SELECT {failing} AS x FROM range(1000000) t(i)")
    assert (error.value.sqlstate, error.value.message) == ("22012", "division by zero")
    assert await values(local_engine, "SELECT 1") == [(1,)]


async def test_tables_of_a_workspace_are_its_own(local_engine: Engine) -> None:
    rows = pa.table({"a": [1, 2, None], "b": ["x", None, "z"]})
    async with local_engine.workspace() as one, local_engine.workspace() as other:
        await one.load("mine", rows)
        await one.register("seen", rows)
        assert await one.rows("SELECT count(a), count(b) FROM mine") == [(2, 2)]
        assert (await one.table("SELECT * FROM seen")).num_rows == 3
        for name in ("mine", "seen", "rows"):
            with pytest.raises(MereError):
                await other.rows(f"SELECT * FROM {name}")


async def test_memory_limit_is_53200(local_engine: Engine) -> None:
    with pytest.raises(MereError) as error:
        await values(local_engine, "SELECT length(string_agg(repeat('x', 1000000), '')) FROM range(3000)")
    assert error.value.sqlstate in ("53200", "22003")


async def test_large_sorts_spill(local_engine: Engine) -> None:
    source = "SELECT md5(i::VARCHAR) AS x FROM range(3000000) t(i)"
    sql = f"SELECT sum(length(x))::BIGINT FROM (SELECT x FROM ({source}) ORDER BY x LIMIT 2999999)"
    assert await values(local_engine, sql) == [(32 * 2999999,)]


async def test_a_fatal_error_costs_one_instance(local_engine: Engine) -> None:
    before = local_engine._root
    local_engine._failed(RuntimeError("the database has been invalidated because of a previous fatal error"))
    assert await values(local_engine, "SELECT 2") == [(2,)]
    assert local_engine._root is not before


async def test_many_statements_at_once(local_engine: Engine) -> None:
    results = await asyncio.gather(
        *(values(local_engine, f"SELECT {n} + count(*) FROM range(1000)") for n in range(50))
    )
    assert results == [[(n + 1000,)] for n in range(50)]
    assert threading.active_count() < 200


async def test_a_connection_goes_on_to_the_next_statement_when_nothing_is_left_in_it(local_engine: Engine) -> None:
    await values(local_engine, "SELECT 1")
    first = local_engine.workspace()
    connection = first._connection
    stream = await first.stream("SELECT 2 AS x")
    assert [batch.num_rows async for batch in stream] == [1]
    await first.close()
    await first.close()
    second = local_engine.workspace()
    assert second._connection is connection
    third = local_engine.workspace()
    assert third._connection is not connection
    await second.close()
    await third.close()


@pytest.mark.parametrize("left", ["a table", "a result", "an error", "a cancel", "data"])
async def test_a_connection_in_which_something_is_left_goes_to_nobody(local_engine: Engine, left: str) -> None:
    workspace = local_engine.workspace()
    connection = workspace._connection
    match left:
        case "a table":
            await workspace.execute("CREATE TEMP TABLE mine (x INTEGER)")
        case "a result":
            await workspace.stream("SELECT * FROM range(1000000)")
        case "an error":
            with pytest.raises(MereError):
                await workspace.stream("SELECT error('22012:division by zero')")
        case "a cancel":
            await workspace.stream("SELECT 1")
            workspace.cancel()
        case _:
            await workspace.register("mine", pa.table({"x": [1]}))
    await workspace.close()
    others = [local_engine.workspace() for _ in range(20)]
    assert all(other._connection is not connection for other in others)
    for other in others:
        await other.close()
