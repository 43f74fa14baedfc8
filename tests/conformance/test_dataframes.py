"""pandas and Polars: frames read and written through SQLAlchemy, psycopg and ADBC."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from harness.workspace import Workspace

pd = pytest.importorskip("pandas", reason="pandas is not installed")
pl = pytest.importorskip("polars", reason="Polars is not installed")


@pytest.fixture
def engine(space: Workspace) -> Iterator[sa.Engine]:
    made = sa.create_engine(
        space.server.url("postgresql+psycopg"), connect_args={"options": f"-c search_path={space.schema}"}
    )
    yield made
    made.dispose()


def frame(rows: int = 1000) -> Any:
    return pd.DataFrame(
        {
            "id": range(rows),
            "name": [None if number % 5 == 0 else f"n{number}" for number in range(rows)],
            "day": [dt.date(2024, 1, 1) + dt.timedelta(days=number % 30) for number in range(rows)],
            "at": pd.date_range("2024-01-01", periods=rows, freq="h", tz="UTC"),
            "price": [number / 4 for number in range(rows)],
            "ok": [number % 2 == 0 for number in range(rows)],
        }
    )


@pytest.mark.parametrize("method", [None, "multi"], ids=["executemany", "multi"])
def test_pandas_writes_and_reads(engine: sa.Engine, method: Any) -> None:
    frame(200).to_sql("t", engine, index=False, if_exists="replace", method=method, chunksize=50)
    frame(10).to_sql("t", engine, index=False, if_exists="append")
    back = pd.read_sql("SELECT * FROM t ORDER BY id, at", engine)
    assert len(back) == 210
    assert back.price.sum() == 4975.0 + 11.25
    assert str(back["at"].dtype).startswith("datetime64[") and str(back["at"].dtype).endswith("UTC]")
    assert back.name.isna().sum() == 42
    chunks = pd.read_sql_query(sa.text("SELECT id FROM t WHERE ok = :ok"), engine, params={"ok": True}, chunksize=100)
    assert sum(len(chunk) for chunk in chunks) == 105
    assert list(pd.read_sql_table("t", engine, columns=["id", "price"]).columns) == ["id", "price"]


def test_pandas_over_adbc(space: Workspace, engine: sa.Engine) -> None:
    adbc = pytest.importorskip("adbc_driver_postgresql.dbapi", reason="ADBC's PostgreSQL driver is not installed")
    with adbc.connect(f"{space.server.url()}?options=-csearch_path%3D{space.schema}") as connection:
        assert frame().drop(columns=["day"]).to_sql("t", connection, index=False, if_exists="replace") in (
            -1,
            1000,
            None,
        )
        back = pd.read_sql("SELECT * FROM t ORDER BY id", connection)
        assert (len(back), back.price.sum()) == (1000, 124875.0)


def test_polars_writes_and_reads(space: Workspace, engine: sa.Engine) -> None:
    written = pl.from_pandas(frame(200))
    written.write_database("t", engine, if_table_exists="replace")
    back = pl.read_database("SELECT * FROM t ORDER BY id", engine)
    assert back.shape == (200, 6)
    assert back["price"].sum() == 4975.0
    assert back["name"].null_count() == 40
    batches = pl.read_database("SELECT id FROM t", engine, iter_batches=True, batch_size=60)
    assert sum(batch.height for batch in batches) == 200


def test_polars_over_adbc(space: Workspace) -> None:
    pytest.importorskip("adbc_driver_postgresql", reason="ADBC's PostgreSQL driver is not installed")
    uri = f"{space.server.url()}?options=-csearch_path%3D{space.schema}"
    pl.from_pandas(frame()).write_database("t", uri, engine="adbc", if_table_exists="replace")
    back = pl.read_database_uri("SELECT * FROM t ORDER BY id", uri, engine="adbc")
    assert (back.height, back["price"].sum()) == (1000, 124875.0)
    assert back.schema["at"] == pl.Datetime("us", "UTC")
