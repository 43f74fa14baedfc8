"""ADBC's PostgreSQL driver: Arrow in and out. It reads by COPY binary, and ingests by it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from harness.client import Client
from harness.workspace import Workspace

dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi", reason="ADBC's PostgreSQL driver is not installed")


@pytest.fixture
def connection(space: Workspace, client: Client) -> Iterator[Any]:
    client.ok(
        "CREATE TABLE t (id int, big bigint, name text, price numeric(10,2), at timestamptz, ts timestamp, day date,"
        " tm time, ok boolean, f float8, r real, b bytea, tags text[], nums int[], doc jsonb, iv interval,"
        " small smallint)"
    )
    client.ok(
        "INSERT INTO t VALUES (1, 9223372036854775807, 'näme', 12.50, '2024-02-29 12:30:15.123456+00',"
        " '1999-12-31 23:59:59.999999', '2024-02-29', '01:02:03.000004', true, 2.5, 1.5, '\\x00ff', '{x,\"y z\",NULL}',"
        " '{1,NULL,3}', '{\"a\": 1}', '3 days 00:00:07', -7)"
    )
    client.ok("INSERT INTO t (id) VALUES (2)")
    with dbapi.connect(f"{space.server.url()}?options=-csearch_path%3D{space.schema}") as opened:
        yield opened


def test_every_type_arrives_in_arrow(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM t ORDER BY id")
        table = cursor.fetch_arrow_table()
    row, nulls = table.to_pylist()
    assert row["id"] == 1
    assert row["big"] == 2**63 - 1
    assert (row["name"], row["ok"], row["f"], row["r"], row["b"]) == ("näme", True, 2.5, 1.5, b"\x00\xff")
    assert str(row["price"]) == "12.50"
    assert row["at"] == dt.datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=dt.UTC)
    assert row["ts"] == dt.datetime(1999, 12, 31, 23, 59, 59, 999999)
    assert (row["day"], row["tm"]) == (dt.date(2024, 2, 29), dt.time(1, 2, 3, 4))
    assert (row["tags"], row["nums"]) == (["x", "y z", None], [1, None, 3])
    assert (row["doc"], row["small"]) == ('{"a": 1}', -7)
    assert (nulls.pop("id"), set(nulls.values())) == (2, {None})


def test_parameters_and_transactions(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM t WHERE id = $1 AND price < $2 AND ok = $3", (1, 20.0, True))
        assert cursor.fetchall() == [("näme",)]
        cursor.executemany(
            "INSERT INTO t (id, name) VALUES ($1, $2)", [(number, f"n{number}") for number in range(10, 15)]
        )
        cursor.execute("SELECT count(*) FROM t")
        assert cursor.fetchone() == (7,)
    connection.rollback()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM t")
        assert cursor.fetchone() == (2,)


def test_bulk_ingest_creates_appends_and_replaces(connection: Any) -> None:
    table = pa.table(
        {
            "id": pa.array(range(20_000), pa.int32()),
            "name": pa.array([None if n % 7 == 0 else f"n{n}" for n in range(20_000)]),
            "day": pa.array([dt.date(2024, 1, 1)] * 20_000),
            "price": pa.array([Decimal(n) / 4 for n in range(20_000)], pa.decimal128(12, 2)),
            "at": pa.array([dt.datetime(2024, 1, 1, tzinfo=dt.UTC)] * 20_000, pa.timestamp("us", "UTC")),
            "f": pa.array([n / 2 for n in range(20_000)]),
            "ok": pa.array([n % 2 == 0 for n in range(20_000)]),
        }
    )
    with connection.cursor() as cursor:
        assert cursor.adbc_ingest("made", table, mode="create") in (-1, 20_000)
        cursor.adbc_ingest("made", table.slice(0, 10), mode="append")
        cursor.execute(
            "SELECT count(*), sum(id), count(name), sum(price), sum(f), count(*) FILTER (WHERE ok) FROM made"
        )
        count, ids, names, price, floats, oks = cursor.fetchone()
        assert (count, ids, names, floats, oks) == (20_010, 199_990_045, 17_150, 99_995_022.5, 10_005)
        assert Decimal(str(price)) == Decimal("49997511.25")
        cursor.adbc_ingest("made", table.slice(0, 5), mode="replace")
        cursor.execute("SELECT count(*) FROM made")
        assert cursor.fetchone() == (5,)
    connection.commit()


def test_large_results_stream_in_batches(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT g AS id, 'v' || g AS v FROM t, generate_series(1, 50000) g WHERE id = 1")
        reader = cursor.fetch_record_batch()
        assert sum(pa.compute.sum(batch.column(0)).as_py() for batch in reader) == 1_250_025_000


def test_metadata(connection: Any, space: Workspace) -> None:
    assert connection.adbc_get_table_schema("t", db_schema_filter=space.schema).names[:3] == ["id", "big", "name"]
    objects = connection.adbc_get_objects(depth="tables", db_schema_filter=space.schema).read_all().to_pylist()
    found = [
        table["table_name"]
        for catalog in objects
        for schema in catalog["catalog_db_schemas"] or []
        for table in schema["db_schema_tables"] or []
    ]
    assert found == ["t"]
    assert connection.adbc_get_info()["vendor_name"] == "PostgreSQL"
