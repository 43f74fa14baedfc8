"""psycopg2, as its users use it: no server-side parameters, everything is text in simple queries."""

from __future__ import annotations

import datetime as dt
import io
import threading
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from harness.mere import PASSWORD
from harness.workspace import Workspace

psycopg2 = pytest.importorskip("psycopg2", reason="psycopg2 is not installed")
errors = pytest.importorskip("psycopg2.errors")
extensions = pytest.importorskip("psycopg2.extensions")
extras = pytest.importorskip("psycopg2.extras")


@pytest.fixture
def connection(space: Workspace) -> Iterator[Any]:
    extras.register_uuid()
    opened = psycopg2.connect(
        host="127.0.0.1", port=space.server.port, user="mere", password=PASSWORD, dbname="mere", sslmode="prefer",
        options=f"-c search_path={space.schema}",
    )  # fmt: skip
    with opened.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE t (id int, name text, price numeric(10,2), at timestamptz, day date, ok boolean, u uuid,"
            " doc jsonb, tags text[], f float8, b bytea, iv interval, tm time)"
        )
    opened.commit()
    yield opened
    opened.close()


ROW = (
    1, "nä'm\\e", Decimal("12.50"), dt.datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=dt.UTC), dt.date(2024, 2, 29),
    True, uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), {"a": [1, None]}, ["x", "y z", None], 2.5, b"\x00\xff",
    dt.timedelta(days=3, seconds=7), dt.time(1, 2, 3, 4),
)  # fmt: skip


def test_every_type_goes_in_and_comes_back(connection: Any) -> None:
    with connection, connection.cursor() as cursor:
        adapted = [extras.Json(value) if isinstance(value, dict) else value for value in ROW]
        cursor.execute(f"INSERT INTO t VALUES ({', '.join(['%s'] * len(ROW))})", adapted)
        cursor.execute("INSERT INTO t (id) VALUES (%s)", (None,))
        cursor.execute("SELECT * FROM t ORDER BY id")
        first, second = cursor.fetchall()
        assert tuple(bytes(value) if isinstance(value, memoryview) else value for value in first) == ROW
        assert second == (None,) * len(ROW)
        assert [column.name for column in cursor.description][:3] == ["id", "name", "price"]


def test_batches_by_execute_values_and_execute_batch(connection: Any) -> None:
    with connection, connection.cursor() as cursor:
        got = extras.execute_values(
            cursor, "INSERT INTO t (id, name) VALUES %s RETURNING id", [(n, f"n{n}") for n in range(250)], fetch=True
        )
        assert len(got) == 250
        extras.execute_batch(cursor, "UPDATE t SET name = %s WHERE id = %s", [("x", 1), ("y", 2), ("z", 3)])
        cursor.execute("SELECT string_agg(name, '' ORDER BY id) FROM t WHERE id IN %s", ((1, 2, 3),))
        assert cursor.fetchone() == ("xyz",)


def test_transactions_savepoints_and_autocommit(connection: Any) -> None:
    with pytest.raises(errors.UndefinedColumn), connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO t (id) VALUES (1)")
        cursor.execute("SELECT nosuch FROM t")
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO t (id) VALUES (2)")
        cursor.execute("SAVEPOINT a")
        cursor.execute("INSERT INTO t (id) VALUES (3)")
        cursor.execute("ROLLBACK TO a")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(id) FROM t")
        assert cursor.fetchone() == ([2],)
    connection.autocommit = False
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    with pytest.raises(errors.ReadOnlySqlTransaction), connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM t")


def test_named_cursor_streams(connection: Any) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO t (id) SELECT * FROM generate_series(1, 5000)")
        with connection.cursor("named", cursor_factory=extras.DictCursor) as named:
            named.itersize = 600
            named.execute("SELECT id FROM t ORDER BY id")
            assert [row["id"] for row in named] == list(range(1, 5001))


def test_scrolling_cursor_goes_back(connection: Any) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO t (id) SELECT * FROM generate_series(1, 10)")
        with connection.cursor("scrolls", scrollable=True) as named:
            named.execute("SELECT id FROM t ORDER BY id")
            named.scroll(5)
            assert named.fetchone() == (6,)
            named.scroll(-3)
            assert named.fetchone() == (4,)
            named.scroll(0, mode="absolute")
            assert named.fetchmany(2) == [(1,), (2,)]


def test_copy_both_ways(connection: Any) -> None:
    with connection, connection.cursor() as cursor:
        cursor.copy_expert("COPY t (id, name) FROM STDIN WITH CSV HEADER", io.StringIO('id,name\n1,"a,b"\n2,\n'))
        cursor.copy_from(io.StringIO("3\tc\n4\t\\N\n"), "t", columns=("id", "name"))
        out = io.StringIO()
        cursor.copy_expert("COPY (SELECT id, name FROM t ORDER BY id) TO STDOUT WITH CSV", out)
        assert out.getvalue() == '1,"a,b"\n2,\n3,c\n4,\n'


def test_cancel_and_the_session_lives_on(connection: Any) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO t (id) VALUES (1)")
    timer = threading.Timer(0.3, connection.cancel)
    timer.start()
    with pytest.raises(extensions.QueryCanceledError), connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM t, generate_series(1, 100000) x, generate_series(1, 100000) y"
            " WHERE (x::bigint * y + id) % 7 = 3"
        )
    timer.join()
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM t")
        assert cursor.fetchone() == (1,)
