"""What a plain DuckDB defines in the lake gets a shell, and follows its changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from harness.catalog import LakeDatabase


@dataclass(slots=True)
class Plain:
    connection: duckdb.DuckDBPyConnection

    async def run(self, *statements: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        for statement in statements:
            rows = await asyncio.to_thread(self._run, statement)
        return rows

    def _run(self, statement: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement).fetchall()


@pytest.fixture
async def plain(lake: LakeDatabase, scratch: Path) -> AsyncIterator[Plain]:
    connection = await asyncio.to_thread(lake.duckdb, scratch)
    yield Plain(connection)
    connection.close()


async def columns(lake: LakeDatabase, table: str) -> list[tuple[str, str, bool]]:
    rows = await lake.user.fetch(
        "SELECT attname::text, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute "
        "WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        table,
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def test_a_table_comes_changes_and_goes(lake: LakeDatabase, plain: Plain) -> None:
    await plain.run(
        "CREATE SCHEMA l.s",
        "CREATE TABLE l.s.t (i INTEGER NOT NULL, j BIGINT DEFAULT 7, d DECIMAL(10,2), a INTEGER[],"
        " x VARCHAR DEFAULT 'it''s')",
    )
    assert await columns(lake, "s.t") == [
        ("i", "integer", True),
        ("j", "bigint", False),
        ("d", "numeric(10,2)", False),
        ("a", "integer[]", False),
        ("x", "text", False),
    ]
    owner = "SELECT tableowner FROM pg_tables WHERE schemaname = 's'"
    assert await lake.user.fetchval(owner) == "mere"
    await lake.fails("0A000", "SELECT * FROM s.t")

    await plain.run(
        "ALTER TABLE l.s.t RENAME COLUMN i TO k",
        "ALTER TABLE l.s.t DROP COLUMN j",
        "ALTER TABLE l.s.t ADD COLUMN n VARCHAR DEFAULT 'q'",
        "ALTER TABLE l.s.t ALTER COLUMN k SET TYPE BIGINT",
        "ALTER TABLE l.s.t ALTER COLUMN k DROP NOT NULL",
        "ALTER TABLE l.s.t SET PARTITIONED BY (bucket(4, k))",
        "ALTER TABLE l.s.t RENAME TO u",
    )
    assert await columns(lake, "s.u") == [
        ("k", "bigint", False),
        ("d", "numeric(10,2)", False),
        ("a", "integer[]", False),
        ("x", "text", False),
        ("n", "text", False),
    ]
    row = await lake.root.fetchrow("SELECT policy, keys, buckets, column_ids FROM mere.shell")
    assert tuple(row) == ("hash", [1], 4, 7)

    await lake.run("ALTER TABLE s.u ADD COLUMN m int DEFAULT 5", "CREATE TABLE s.mine (a int)")
    await plain.run("INSERT INTO l.s.u (k) VALUES (1)")
    assert await plain.run("SELECT k, n, m FROM l.s.u") == [(1, "q", 5)]
    await plain.run("DROP TABLE l.s.u", "DROP TABLE l.s.mine", "DROP SCHEMA l.s")
    assert await lake.root.fetchval("SELECT count(*) FROM mere.shell") == 0
    assert await lake.user.fetchval("SELECT to_regnamespace('s')") is None


async def test_several_changes_in_one_transaction(lake: LakeDatabase, plain: Plain) -> None:
    await plain.run(
        "CREATE TABLE l.t (a INTEGER, b INTEGER)",
        "BEGIN",
        "ALTER TABLE l.t RENAME COLUMN a TO c",
        "ALTER TABLE l.t ADD COLUMN a VARCHAR",
        "CREATE TABLE l.other (x DATE)",
        "COMMIT",
    )
    assert await columns(lake, "main.t") == [("c", "integer", False), ("b", "integer", False), ("a", "text", False)]
    assert await columns(lake, "main.other") == [("x", "date", False)]


async def test_types_that_mere_lacks_stay_ducklakes(lake: LakeDatabase, plain: Plain) -> None:
    await plain.run(
        "CREATE TABLE l.odd (h HUGEINT, s STRUCT(a INTEGER))",
        "INSERT INTO l.odd VALUES (1, {'a': 2})",
    )
    assert await lake.user.fetchval("SELECT to_regclass('main.odd')") is None
    await lake.run("CREATE TABLE mine (a int)")
    assert await plain.run("SELECT h, s.a FROM l.odd") == [(1, 2)]
    await plain.run("CREATE TABLE l.even (a INTEGER)")
    with pytest.raises(duckdb.Error, match="type that Mere does not have"):
        await plain.run("ALTER TABLE l.even ADD COLUMN s STRUCT(a INTEGER)")
    assert await columns(lake, "main.even") == [("a", "integer", False)]


async def test_a_view_keeps_its_table(lake: LakeDatabase, plain: Plain) -> None:
    await plain.run("CREATE TABLE l.t (a INTEGER)")
    await lake.run("CREATE VIEW v AS SELECT a FROM main.t")
    with pytest.raises(duckdb.Error, match="other objects depend on it"):
        await plain.run("DROP TABLE l.t")
    assert await columns(lake, "main.t") == [("a", "integer", False)]


async def test_its_inlined_rows_are_ordinary_tables(lake: LakeDatabase, plain: Plain) -> None:
    await plain.run("CREATE TABLE l.t (a INTEGER)", "INSERT INTO l.t VALUES (1), (2)")
    inlined = await lake.root.fetchval("SELECT table_name FROM mere_lake.ducklake_inlined_data_tables")
    assert await lake.root.fetchval(f"SELECT count(*) FROM mere_lake.{inlined}") == 2
    assert await lake.gateway.fetchval(f"SELECT count(*) FROM mere_lake.{inlined}") == 2
    await lake.fails("0A000", "ALTER TABLE main.t ALTER a SET NOT NULL")  # those rows count
    names = await lake.user.fetchval("SELECT mere.lake_names()")
    assert names == ["t"]
