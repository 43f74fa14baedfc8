"""COPY from and to URLs, through an engine of its own."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mere.errors import MereError
from mere.segment.copy_format import parse_copy_options
from mere.segment.copy_sql import InputColumn, Reader
from mere.segment.engine import Engine
from mere.segment.external import external_file, external_workspace, read_query, write_statement
from mere.segment.storage import Storage
from mere.sql import types as pg
from mere.sql.types import PgType

COLUMNS = (
    InputColumn("a", PgType(pg.INT4)),
    InputColumn("b", PgType(pg.TEXT)),
    InputColumn("n", PgType(pg.NUMERIC, pg.numeric_typmod(10, 2))),
)
ROWS = [(0, "x", Decimal("0.00")), (1, None, Decimal("1.50")), (2, "", Decimal("3.00")), (3, 'q"', Decimal("4.50"))]
QUERY = (
    "SELECT i, CASE i WHEN 0 THEN 'x' WHEN 2 THEN '' WHEN 3 THEN 'q\"' END, (i * 1.5)::DECIMAL(10,2) FROM range(4) t(i)"
)


class Session:
    time_zone = "UTC"


@pytest.fixture(scope="module")
def exchange(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Path]]:
    """Beside the lake, in the same store."""
    if storage.location.is_local:
        directory = tmp_path_factory.mktemp("exchange")
        return f"{directory}/", [directory]
    return f"s3://{storage.location.bucket}/exchange-{tmp_path_factory.mktemp('x').name}/", []


@pytest.mark.parametrize("name", ["r.parquet", "r.csv", "r.csv.gz", "r.json"])
async def test_round_trip(engine: Engine, storage: Storage, exchange: tuple[str, list[Path]], name: str) -> None:
    base, allowed = exchange
    kind = name.split(".")[1]
    options: list[tuple[str, Any]] = [("format", kind)] + ([("header", True)] if kind == "csv" else [])
    query = QUERY if kind != "csv" else f"SELECT COLUMNS(*)::VARCHAR FROM ({QUERY})"
    target = external_file(base + name, [storage.location], allowed)
    async with external_workspace(engine, target) as workspace:
        form = parse_copy_options(options, is_from=False, remote=True)
        await workspace.execute(write_statement(query, target, form, ["a", "b", "n"]))
        source = external_file(base + f"*{name[1:]}", [storage.location], allowed)
        form = parse_copy_options(options, is_from=True, remote=True)
        sql = await read_query(workspace, source, Reader(form, COLUMNS, Session()))  # type: ignore[arg-type]
        assert await workspace.rows(sql) == ROWS


async def test_parquet_columns_by_name_else_by_position(
    engine: Engine, storage: Storage, exchange: tuple[str, list[Path]]
) -> None:
    base, allowed = exchange
    file = external_file(base + "named.parquet", [storage.location], allowed)
    form = parse_copy_options([("format", "parquet")], is_from=True, remote=True)
    async with external_workspace(engine, file) as workspace:
        await workspace.execute(f"COPY (SELECT 'x' AS B, 7 AS extra, 1.5 AS n, 1 AS a) TO '{file.url}'")
        sql = await read_query(workspace, file, Reader(form, COLUMNS, Session()))  # type: ignore[arg-type]
        assert await workspace.rows(sql) == [(1, "x", Decimal("1.50"))]
        other = external_file(base + "other.parquet", [storage.location], allowed)
        await workspace.execute(f"COPY (SELECT '7' AS x, 5 AS y, 1.256 AS z) TO '{other.url}'")
        sql = await read_query(workspace, other, Reader(form, COLUMNS, Session()))  # type: ignore[arg-type]
        assert await workspace.rows(sql) == [(7, "5", Decimal("1.26"))]
        with pytest.raises(MereError) as error:
            await read_query(workspace, other, Reader(form, COLUMNS[:2], Session()))  # type: ignore[arg-type]
        assert error.value.sqlstate == "22P04"


async def test_values_are_read_as_postgresql_reads_them(
    engine: Engine, storage: Storage, exchange: tuple[str, list[Path]]
) -> None:
    base, allowed = exchange
    file = external_file(base + "bad.csv", [storage.location], allowed)
    form = parse_copy_options([("format", "csv")], is_from=True, remote=True)
    async with external_workspace(engine, file) as workspace:
        for row, sqlstate in (("1.5,x,1", "22P02"), ("1,x", "22P04"), ("1,x,1,2", "22P04")):
            await workspace.execute(f"COPY (SELECT '{row}') TO '{file.url}' (HEADER false, QUOTE '', DELIMITER '|')")
            sql = await read_query(workspace, file, Reader(form, COLUMNS, Session()))  # type: ignore[arg-type]
            with pytest.raises(MereError) as error:
                await workspace.rows(sql)
            assert error.value.sqlstate == sqlstate


async def test_an_absent_file(engine: Engine, storage: Storage, exchange: tuple[str, list[Path]]) -> None:
    base, allowed = exchange
    form = parse_copy_options([("format", "parquet")], is_from=True, remote=True)
    file = external_file(base + "absent.parquet", [storage.location], allowed)
    async with external_workspace(engine, file) as workspace:
        with pytest.raises(MereError) as error:
            await read_query(workspace, file, Reader(form, COLUMNS, Session()))  # type: ignore[arg-type]
    assert error.value.sqlstate in ("58030", "58P01")
