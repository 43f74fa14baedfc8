"""psycopg 3, sync and async, as its users use it against PostgreSQL."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from harness.workspace import Workspace
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def connection(space: Workspace) -> Iterator[Connection]:
    with psycopg.connect(space.server.conninfo(), options=f"-c search_path={space.schema}") as opened:
        opened.execute(
            "CREATE TABLE t (id int, name text, price numeric(10,2), at timestamptz, day date, ok boolean, u uuid,"
            " doc jsonb, tags text[], f float8, b bytea, big bigint, iv interval, tm time)"
        )
        opened.commit()
        yield opened


ROW = (
    1, "näme", Decimal("12.50"), dt.datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=dt.UTC),
    dt.date(2024, 2, 29), True, uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), {"a": [1, None]}, ["x", "y z", None],
    2.5, b"\x00\xff", 2**60, dt.timedelta(days=3, seconds=7), dt.time(1, 2, 3, 4),
)  # fmt: skip


def insert(connection: Connection, row: tuple[Any, ...] = ROW) -> None:
    adapted = [Jsonb(value) if isinstance(value, dict) else value for value in row]
    connection.execute(f"INSERT INTO t VALUES ({', '.join(['%s'] * len(row))})", adapted)


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_every_type_goes_in_and_comes_back(connection: Connection, binary: bool) -> None:
    insert(connection)
    insert(connection, (2, *[None] * 13))
    rows = connection.cursor(binary=binary).execute("SELECT * FROM t ORDER BY id").fetchall()
    assert rows == [ROW, (2, *[None] * 13)]


def test_parameters_in_every_clause(connection: Connection) -> None:
    insert(connection)
    query = (
        "SELECT %s::text || name, price * %s, id = ANY(%s) FROM t WHERE id = %s AND name LIKE %s AND day > %s"
        " AND ok = %s ORDER BY id LIMIT %s OFFSET %s"
    )
    row = connection.execute(query, ("x", Decimal(2), [1, 2], 1, "n%", dt.date(2020, 1, 1), True, 10, 0)).fetchone()
    assert row == ("xnäme", Decimal("25.00"), True)


def test_prepared_statements_run_many_times(connection: Connection) -> None:
    for number in range(20):
        connection.execute("INSERT INTO t (id, name) VALUES (%s, %s)", (number, f"n{number}"), prepare=True)
    for number in range(20):
        row = connection.execute("SELECT name FROM t WHERE id = %s", (number,), prepare=True).fetchone()
        assert row == (f"n{number}",)
    connection.execute("ALTER TABLE t ADD COLUMN late int DEFAULT 4")
    assert connection.execute("SELECT sum(late) FROM t").fetchone() == (80,)


def test_executemany_with_and_without_returning(connection: Connection) -> None:
    cursor = connection.cursor()
    cursor.executemany("INSERT INTO t (id, name) VALUES (%s, %s)", [(number, "many") for number in range(30)])
    assert cursor.rowcount == 30
    cursor.executemany("INSERT INTO t (id) VALUES (%s) RETURNING id", [(100,), (101,)], returning=True)
    got = [cursor.fetchone()]
    while cursor.nextset():
        got.append(cursor.fetchone())
    assert got == [(100,), (101,)]


def test_description_rowcount_and_status(connection: Connection) -> None:
    insert(connection)
    cursor = connection.execute("SELECT id, name AS label, price FROM t")
    assert cursor.description is not None
    assert [(column.name, column.type_code) for column in cursor.description] == [
        ("id", 23),
        ("label", 25),
        ("price", 1700),
    ]
    assert (cursor.description[2].precision, cursor.description[2].scale) == (10, 2)
    assert cursor.rowcount == 1
    assert connection.execute("UPDATE t SET id = 2").rowcount == 1
    assert connection.execute("DELETE FROM t WHERE id = 99").rowcount == 0
    assert connection.execute("DELETE FROM t").statusmessage == "DELETE 1"


def test_server_side_cursor_scrolls_through_many_rows(connection: Connection) -> None:
    connection.execute("INSERT INTO t (id) SELECT * FROM generate_series(1, 5000)")
    with connection.cursor("named") as cursor:
        cursor.itersize = 700
        cursor.execute("SELECT id FROM t ORDER BY id")
        assert [row[0] for row in cursor] == list(range(1, 5001))
    with connection.cursor("other") as cursor:
        cursor.execute("SELECT id FROM t WHERE id > %s ORDER BY id", (4000,))
        assert cursor.fetchone() == (4001,)
        assert len(cursor.fetchmany(10)) == 10
        assert cursor.fetchall()[-1] == (5000,)


def test_streaming_results(connection: Connection) -> None:
    connection.execute("INSERT INTO t (id) SELECT * FROM generate_series(1, 20000)")
    assert sum(row[0] for row in connection.cursor().stream("SELECT id FROM t")) == 200010000


def test_copy_in_and_out_with_types(connection: Connection) -> None:
    with connection.cursor().copy("COPY t (id, name, price, day, tags) FROM STDIN") as copy:
        for number in range(1000):
            copy.write_row((number, f"a\tb\n{number}", Decimal(number) / 4, dt.date(2024, 1, 1), ["x", None]))
    assert connection.execute("SELECT count(*), sum(price) FROM t").fetchone() == (1000, Decimal("124875.00"))
    with connection.cursor().copy("COPY (SELECT id, name, tags FROM t WHERE id < 3 ORDER BY id) TO STDOUT") as copy:
        copy.set_types(["int4", "text", "text[]"])
        assert list(copy.rows()) == [(number, f"a\tb\n{number}", ["x", None]) for number in range(3)]


def test_copy_in_binary_both_ways(connection: Connection) -> None:
    types = [
        "int4",
        "text",
        "numeric",
        "timestamptz",
        "date",
        "bool",
        "uuid",
        "jsonb",
        "text[]",
        "float8",
        "bytea",
        "int8",
    ]
    columns = "id, name, price, at, day, ok, u, doc, tags, f, b, big"
    row = [Jsonb(value) if isinstance(value, dict) else value for value in ROW[:12]]
    with connection.cursor().copy(f"COPY t ({columns}) FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(types)
        copy.write_row(row)
        copy.write_row([2, *[None] * 11])
    with connection.cursor().copy(f"COPY (SELECT {columns} FROM t ORDER BY id) TO STDOUT (FORMAT binary)") as copy:
        copy.set_types(types)
        assert list(copy.rows()) == [ROW[:12], (2, *[None] * 11)]


def test_transaction_blocks_and_nested_savepoints(connection: Connection) -> None:
    with connection.transaction():
        connection.execute("INSERT INTO t (id) VALUES (1)")
        with pytest.raises(ZeroDivisionError), connection.transaction():
            connection.execute("INSERT INTO t (id) VALUES (2)")
            raise ZeroDivisionError
        with pytest.raises(psycopg.errors.UndefinedColumn), connection.transaction():
            connection.execute("SELECT nosuch FROM t")
    assert connection.execute("SELECT array_agg(id) FROM t").fetchone() == ([1],)


def test_errors_carry_sqlstate_position_and_class(connection: Connection) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn) as caught:
        connection.execute("SELECT nosuch FROM t")
    assert caught.value.diag.statement_position == "8"
    connection.rollback()
    with pytest.raises(psycopg.errors.NotNullViolation) as null:
        connection.execute("CREATE TABLE n (a int NOT NULL)")
        connection.execute("INSERT INTO n VALUES (NULL)")
    assert (null.value.diag.table_name, null.value.diag.column_name) == ("n", "a")
    connection.rollback()
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_row_factories_and_notices(connection: Connection) -> None:
    insert(connection)
    row = connection.cursor(row_factory=dict_row).execute("SELECT id, name FROM t").fetchone()
    assert row == {"id": 1, "name": "näme"}
    notices: list[str | None] = []
    connection.add_notice_handler(lambda diagnostic: notices.append(diagnostic.message_primary))
    connection.execute("DROP TABLE IF EXISTS nosuch")
    connection.execute("CREATE TABLE keyed (id int PRIMARY KEY)")
    assert len(notices) >= 2


def test_session_parameters_and_info(connection: Connection, space: Workspace) -> None:
    assert connection.info.server_version // 10000 == 18
    assert connection.info.parameter_status("client_encoding") == "UTF8"
    connection.execute("SET TIME ZONE 'Asia/Tokyo'")
    assert connection.info.parameter_status("TimeZone") == "Asia/Tokyo"
    insert(connection)
    row = connection.execute("SELECT at, at::text FROM t").fetchone()
    assert row is not None
    assert row[1] == "2024-02-29 21:30:15.123456+09"
    assert row[0] == ROW[3]


def test_listen_and_notify(space: Workspace, connection: Connection) -> None:
    with psycopg.connect(space.server.conninfo(), autocommit=True) as listener:
        listener.execute("LISTEN channel_one")
        connection.execute("NOTIFY channel_one, 'payload'")
        connection.commit()
        got = next(listener.notifies(timeout=10, stop_after=1))
        assert (got.channel, got.payload) == ("channel_one", "payload")


def test_cancel_from_another_thread(space: Workspace, connection: Connection) -> None:
    insert(connection)
    connection.commit()
    import threading

    timer = threading.Timer(0.5, connection.cancel)
    timer.start()
    with pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute(
            "SELECT count(*) FROM t, generate_series(1, 100000) x, generate_series(1, 100000) y"
            " WHERE (x::bigint * y + id) % 7 = 3"
        )
    timer.join()
    connection.rollback()
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)


async def test_async_pipeline_and_concurrent_sessions(space: Workspace, connection: Connection) -> None:
    async with asyncio.timeout(60):

        async def writer(number: int) -> None:
            opened = await psycopg.AsyncConnection.connect(
                space.server.conninfo(), options=f"-c search_path={space.schema}", autocommit=True
            )
            async with opened, opened.pipeline():
                for step in range(5):
                    await opened.execute("INSERT INTO t (id, big) VALUES (%s, %s)", (number, step))

        await asyncio.gather(*(writer(number) for number in range(6)))
    assert connection.execute("SELECT count(*), count(DISTINCT id), sum(big) FROM t").fetchone() == (30, 6, 60)


def test_large_values_and_many_parameters(connection: Connection) -> None:
    large = "ü" * 3_000_000
    connection.execute("INSERT INTO t (id, name) VALUES (1, %s)", (large,))
    assert connection.execute("SELECT name, length(name) FROM t").fetchone() == (large, 3_000_000)
    ids = list(range(2000))
    query = f"SELECT count(*) FROM t WHERE id IN ({', '.join(['%s'] * 2000)})"
    assert connection.execute(query, ids).fetchone() == (1,)
