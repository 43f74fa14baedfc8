"""DuckDB's own postgres extension attached to Mere: it reads by COPY binary in parallel, and writes by it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import duckdb
import duckdb_extensions
import pytest
from harness.client import Client
from harness.mere import PASSWORD
from harness.workspace import Workspace


@pytest.fixture
def attached(space: Workspace, client: Client) -> Iterator[duckdb.DuckDBPyConnection]:
    client.ok(
        "CREATE TABLE t (id int, name text, price numeric(10,2), day date, at timestamptz, ok boolean, u uuid,"
        " n bigint[])"
    )
    client.ok(
        "INSERT INTO t SELECT g, 'n' || g, g / 4.0, date '2024-01-01' + g % 30, timestamptz '2024-01-01 00:00:00+00',"
        " g % 2 = 0, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', array[g, NULL] FROM generate_series(1, 5000) g"
    )
    with duckdb.connect() as connection:
        duckdb_extensions.import_extension("postgres", con=connection)
        connection.execute(
            f"ATTACH 'host=127.0.0.1 port={space.server.port} user=mere password={PASSWORD} dbname=mere' AS m"
            f" (TYPE postgres, SCHEMA '{space.schema}')"
        )
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
        connection.execute("DETACH m")


def test_tables_are_read_with_filters_and_joins(attached: duckdb.DuckDBPyConnection, space: Workspace) -> None:
    row = attached.execute("SELECT count(*), sum(price), min(name), max(day), count(u), sum(n[1]) FROM m.t").fetchone()
    assert row == (5000, Decimal("3125625.00"), "n1", dt.date(2024, 1, 30), 5000, 12502500)
    found = attached.execute("SELECT name FROM m.t JOIN range(10) r(g) ON t.id = r.g WHERE ok ORDER BY id").fetchall()
    assert found == [("n2",), ("n4",), ("n6",), ("n8",)]
    query = f"SELECT * FROM postgres_query('m', 'SELECT max(id) FROM {space.schema}.t WHERE id < 77')"
    assert attached.execute(query).fetchall() == [(76,)]


def test_rows_are_written_and_transactions_hold(
    attached: duckdb.DuckDBPyConnection, client: Client, space: Workspace
) -> None:
    """The extension itself updates and deletes by ctid, which lake tables have not: there is postgres_execute."""
    attached.execute("CREATE TABLE m.made AS SELECT i AS id, 'x' || i AS v, i / 2 AS f FROM range(3000) r(i)")
    attached.execute("INSERT INTO m.t (id, name) SELECT 10000 + i, NULL FROM range(100) r(i)")
    assert client.ok("SELECT count(*), sum(id), count(v) FROM made").text == [("3000", "4498500", "3000")]
    assert client.ok("SELECT count(*) FROM t WHERE name IS NULL").value == "100"
    attached.execute("BEGIN")
    attached.execute(f"CALL postgres_execute('m', 'UPDATE {space.schema}.made SET v = ''y'' WHERE id < 10')")
    attached.execute("INSERT INTO m.made VALUES (5000, 'z', 1)")
    attached.execute("ROLLBACK")
    assert client.ok("SELECT count(*), count(*) FILTER (WHERE v = 'y') FROM made").text == [("3000", "0")]
    attached.execute("DROP TABLE m.made")
