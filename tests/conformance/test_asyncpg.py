"""asyncpg: binary everywhere, prepared statements, cursors, introspection, COPY."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from harness.mere import PASSWORD
from harness.workspace import Workspace


@pytest_asyncio.fixture
async def connection(space: Workspace) -> AsyncIterator[Any]:
    opened = await asyncpg.connect(
        host="127.0.0.1", port=space.server.port, user="mere", password=PASSWORD, database="mere", timeout=20,
        command_timeout=30, server_settings={"search_path": space.schema},
    )  # fmt: skip
    await opened.execute(
        "CREATE TABLE t (id int, name text, price numeric(10,2), at timestamptz, ts timestamp, day date, ok boolean,"
        " u uuid, doc jsonb, tags text[], nums int[], f float8, r real, b bytea, big bigint, small smallint,"
        " iv interval, tm time, c char(4), v varchar(5))"
    )
    yield opened
    await opened.close(timeout=5)


ROW = (
    1, "näme", Decimal("12.50"), dt.datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=dt.UTC),
    dt.datetime(1999, 12, 31, 23, 59, 59, 999999), dt.date(2024, 2, 29), True,
    uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), '{"a": [1, null]}', ["x", "y z", None], [1, None, 3], 2.5, 1.5,
    b"\x00\xff", -(2**62), -7, dt.timedelta(days=3, seconds=7), dt.time(1, 2, 3, 4), "ab  ", "var",
)  # fmt: skip
PLACES = ", ".join(f"${number}" for number in range(1, len(ROW) + 1))


async def test_every_type_goes_in_and_comes_back_in_binary(connection: Any) -> None:
    await connection.execute(f"INSERT INTO t VALUES ({PLACES})", *ROW)
    await connection.execute("INSERT INTO t (id) VALUES (2)")
    rows = await connection.fetch("SELECT * FROM t ORDER BY id")
    assert tuple(rows[0]) == ROW
    assert tuple(rows[1]) == (2, *[None] * 19)


async def test_prepared_statement_tells_its_types(connection: Any) -> None:
    statement = await connection.prepare("SELECT id, price, tags FROM t WHERE id = $1 AND name = $2 AND day > $3")
    assert [parameter.name for parameter in statement.get_parameters()] == ["int4", "text", "date"]
    assert [(column.name, column.type.name) for column in statement.get_attributes()] == [
        ("id", "int4"), ("price", "numeric"), ("tags", "text[]"),
    ]  # fmt: skip
    assert await statement.fetch(1, "x", dt.date(2020, 1, 1)) == []


async def test_executemany_transactions_and_cursors(connection: Any) -> None:
    await connection.executemany("INSERT INTO t (id, name) VALUES ($1, $2)", [(n, f"n{n}") for n in range(50)])
    async with connection.transaction():
        seen = [record["id"] async for record in connection.cursor("SELECT id FROM t ORDER BY id", prefetch=7)]
        assert seen == list(range(50))
        cursor = await connection.cursor("SELECT id FROM t ORDER BY id")
        assert len(await cursor.fetch(5)) == 5
        assert (await cursor.fetchrow())["id"] == 5
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with connection.transaction():
            await connection.execute("DELETE FROM t")
            await connection.fetch("SELECT 1 / (id - id) FROM t UNION ALL SELECT 1 / 0")
    assert await connection.fetchval("SELECT count(*) FROM t") == 50


async def test_nested_transactions_are_savepoints(connection: Any) -> None:
    async with connection.transaction():
        await connection.execute("INSERT INTO t (id) VALUES (1)")
        with pytest.raises(asyncpg.UndefinedColumnError):
            async with connection.transaction():
                await connection.execute("INSERT INTO t (id) VALUES (2)")
                await connection.execute("SELECT nosuch FROM t")
        await connection.execute("INSERT INTO t (id) VALUES (3)")
    assert await connection.fetchval("SELECT array_agg(id ORDER BY id) FROM t") == [1, 3]


async def test_repeatable_read_by_option(connection: Any) -> None:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        assert await connection.fetchval("SELECT count(*) FROM t") == 0
        assert await connection.fetchval("SHOW transaction_isolation") == "repeatable read"


async def test_copy_records_and_csv(connection: Any, tmp_path: Any) -> None:
    source = tmp_path / "in.csv"
    source.write_text("".join(f"{number},n{number}\n" for number in range(500)))
    assert await connection.copy_to_table("t", source=str(source), columns=["id", "name"], format="csv") == "COPY 500"
    out = tmp_path / "out.csv"
    await connection.copy_from_query("SELECT id, name FROM t ORDER BY id", output=str(out), format="csv")
    assert out.read_text() == source.read_text()
    assert await connection.fetchval("SELECT count(*) FROM t") == 500


async def test_records_are_copied_in_binary(connection: Any) -> None:
    await connection.copy_records_to_table("t", records=[ROW, (2, *[None] * 19)])
    rows = await connection.fetch("SELECT * FROM t ORDER BY id")
    assert [tuple(row) for row in rows] == [ROW, (2, *[None] * 19)]


async def test_errors_have_their_classes_and_the_session_lives_on(connection: Any) -> None:
    for sql, error in (
        ("SELECT * FROM nosuch", asyncpg.UndefinedTableError),
        ("SELECT 'x'::int FROM t UNION ALL SELECT name::int FROM t", asyncpg.InvalidTextRepresentationError),
        ("SELEC", asyncpg.PostgresSyntaxError),
        ("INSERT INTO t (id) VALUES (99999999999)", asyncpg.NumericValueOutOfRangeError),
    ):
        with pytest.raises(error):
            await connection.fetch(sql)
    assert await connection.fetchval("SELECT count(*) FROM t") == 0


async def test_timeouts_cancel_and_the_session_lives_on(connection: Any) -> None:
    await connection.execute("INSERT INTO t (id) VALUES (1)")
    with pytest.raises(asyncio.TimeoutError):
        await connection.fetch(
            "SELECT count(*) FROM t, generate_series(1, 100000) x, generate_series(1, 100000) y"
            " WHERE (x::bigint * y + id) % 7 = 3",
            timeout=0.5,
        )
    assert await connection.fetchval("SELECT count(*) FROM t") == 1


async def test_schema_changes_after_prepare(connection: Any) -> None:
    await connection.execute("INSERT INTO t (id) VALUES (1)")
    assert len(await connection.fetchrow("SELECT * FROM t")) == 20
    await connection.execute("ALTER TABLE t ADD COLUMN late int DEFAULT 5")
    assert (await connection.fetchrow("SELECT * FROM t"))["late"] == 5


async def test_pool_resets_sessions(space: Workspace, connection: Any) -> None:
    pool = await asyncpg.create_pool(
        host="127.0.0.1", port=space.server.port, user="mere", password=PASSWORD, database="mere", min_size=1,
        max_size=3, command_timeout=30,
    )  # fmt: skip
    async with asyncio.timeout(60), pool:

        async def work(number: int) -> None:
            async with pool.acquire() as one:
                await one.execute(f"INSERT INTO {space.schema}.t (id) VALUES ($1)", number)

        await asyncio.gather(*(work(number) for number in range(9)))
    assert await connection.fetchval("SELECT count(*) FROM t") == 9
