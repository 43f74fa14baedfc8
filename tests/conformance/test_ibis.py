"""ibis over its PostgreSQL backend: tables, expressions compiled to SQL, results as frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from harness.client import Client
from harness.mere import PASSWORD
from harness.workspace import Workspace

ibis = pytest.importorskip("ibis", reason="ibis is not installed")
pd = pytest.importorskip("pandas", reason="pandas is not installed")


@pytest.fixture
def connection(space: Workspace, client: Client) -> Iterator[Any]:
    client.ok("CREATE TABLE t (id int, kind text, price numeric(10,2), day date, tags text[])")
    client.ok(
        "INSERT INTO t SELECT g, 'k' || g % 3, g / 4.0, date '2024-01-01' + g, array['a', 'b' || g]"
        " FROM generate_series(1, 100) g"
    )
    opened = ibis.postgres.connect(
        host="127.0.0.1", port=space.server.port, user="mere", password=PASSWORD, database="mere", schema=space.schema
    )
    yield opened
    opened.disconnect()


def test_tables_and_schemas_are_listed(connection: Any, space: Workspace) -> None:
    assert "t" in connection.list_tables()
    assert connection.table("t").schema().names == ("id", "kind", "price", "day", "tags")
    assert str(connection.table("t").schema()["price"]) == "decimal(10, 2)"
    assert space.schema in connection.list_databases()


def test_expressions_run(connection: Any) -> None:
    t = connection.table("t")
    grouped = t.group_by("kind").aggregate(n=t.count(), total=t.price.sum(), last=t.day.max()).order_by("kind")
    frame = grouped.execute()
    assert list(frame.n) == [33, 34, 33]
    assert float(frame.total.sum()) == 1262.5
    joined = t.join(t.view(), "id").filter(t.id < 10).select("id", "kind")
    assert len(joined.execute()) == 9
    windowed = t.mutate(place=ibis.row_number().over(group_by="kind", order_by=ibis.desc("price")))
    assert windowed.filter(windowed.place == 0).count().execute() == 3
    assert t.day.month().nunique().execute() == 4


def test_tables_are_made_and_inserted_into(connection: Any) -> None:
    made = connection.create_table("made", connection.table("t").filter(ibis._.id <= 10).select("id", "kind"))
    assert made.count().execute() == 10
    connection.insert("made", made.limit(3))
    assert made.count().execute() == 13
    connection.create_view("v", made.filter(made.id > 5))
    assert "v" in connection.list_tables()
    connection.truncate_table("made")
    assert made.count().execute() == 0
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert connection.create_table("frame", frame).count().execute() == 2
