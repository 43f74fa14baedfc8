"""Trap 8: PostgreSQL never reads or writes an empty shell as if it were the table. For the owner and the superuser."""

from __future__ import annotations

import asyncpg
import pytest
from harness.catalog import LakeDatabase

READS = [
    "SELECT * FROM empty",
    "SELECT * FROM empty WHERE false",
    "SELECT count(*) FROM v",
    "EXPLAIN SELECT * FROM empty",
    "UPDATE empty SET a = 1",
    "DELETE FROM empty",
    "DELETE FROM empty WHERE false",
    "MERGE INTO empty USING (SELECT 1 AS a) s ON s.a = empty.a WHEN MATCHED THEN DELETE",
    "INSERT INTO empty VALUES (1)",
    "INSERT INTO empty DEFAULT VALUES",
    "INSERT INTO empty SELECT 1 WHERE false",
    "TRUNCATE empty",
    "DO $$ BEGIN PERFORM * FROM empty; END $$",
    "DO $$ BEGIN EXECUTE 'SELECT count(*) FROM empty'; END $$",
    "DO $$ DECLARE c CURSOR FOR SELECT * FROM v; BEGIN OPEN c; END $$",
    "DO $$ BEGIN INSERT INTO empty VALUES (1); END $$",
    "SELECT f()",
    "SELECT g()",
    "CREATE TEMP TABLE x AS SELECT * FROM empty",
    "CREATE MATERIALIZED VIEW x AS SELECT * FROM v",
    "PREPARE p AS SELECT * FROM empty; EXECUTE p",
    "DECLARE c CURSOR FOR SELECT * FROM empty",
    "WITH w AS (DELETE FROM empty RETURNING *) SELECT count(*) FROM w",
    "SELECT 1 WHERE EXISTS (SELECT FROM empty)",
    "SELECT * FROM h JOIN empty USING (a)",
    "UPDATE h SET a = 2 FROM empty",
]


@pytest.mark.parametrize("statement", READS)
async def test_no_statement_sees_the_shell(shared_lake: LakeDatabase, statement: str) -> None:
    message = await shared_lake.fails("0A000", statement)
    assert "inside PostgreSQL" in message
    with pytest.raises(asyncpg.FeatureNotSupportedError):
        await shared_lake.root.execute(f"BEGIN; SET LOCAL search_path = public; {statement}")
    await shared_lake.root.execute("ROLLBACK")


async def test_a_cached_plan_meets_a_table_that_came_later(lake: LakeDatabase) -> None:
    await lake.user.execute("CREATE TABLE t (a int) USING heap")
    statement = await lake.user.prepare("SELECT count(*) FROM t")
    assert await statement.fetchval() == 0
    await lake.run("ALTER TABLE t SET ACCESS METHOD lake")
    with pytest.raises(asyncpg.FeatureNotSupportedError):
        await statement.fetchval()


async def test_a_replication_role_does_not_help(shared_lake: LakeDatabase) -> None:
    await shared_lake.root.execute("SET session_replication_role = replica")
    for statement in ("INSERT INTO {} VALUES (1)", "SELECT * FROM {}", "TRUNCATE {}"):
        with pytest.raises(asyncpg.FeatureNotSupportedError):
            await shared_lake.root.execute(statement.format("public.empty"))
    await shared_lake.root.execute("RESET session_replication_role")


@pytest.mark.parametrize(
    ("statement", "sqlstate"),
    [
        ("DROP TRIGGER mere_guard ON empty", "42501"),
        ("DROP TRIGGER mere_guard ON empty CASCADE", "42501"),
        ("ALTER TRIGGER mere_guard ON empty RENAME TO other", "0A000"),
        ("ALTER TABLE empty DISABLE TRIGGER mere_guard", "0A000"),
        ("ALTER TABLE empty DISABLE TRIGGER USER", "0A000"),
        ("ALTER TABLE empty ENABLE REPLICA TRIGGER mere_guard", "0A000"),
        ("DO $$ BEGIN EXECUTE 'DROP STATISTICS mere.lake_' || 'empty'::regclass::oid; END $$", "42501"),
        ("ALTER EVENT TRIGGER mere_ddl_end DISABLE", "42501"),
        ("DROP EVENT TRIGGER mere_ddl_end", "42501"),
        ("SET event_triggers = off", "42501"),
        ("SET session_replication_role = replica", "42501"),
        ("DROP FUNCTION mere.shell(oid) CASCADE", "42501"),
        ("DROP ACCESS METHOD lake CASCADE", "42501"),
        ("CREATE OR REPLACE FUNCTION mere.shell(o oid) RETURNS int LANGUAGE sql AS 'SELECT 1'", "42501"),
    ],
)
async def test_the_owner_cannot_take_it_away(shared_lake: LakeDatabase, statement: str, sqlstate: str) -> None:
    await shared_lake.fails(sqlstate, statement)


async def test_a_new_owner_does_not_either(lake: LakeDatabase) -> None:
    await lake.run(
        "CREATE TABLE t (a int)", "CREATE ROLE heir", "GRANT heir TO mere", "GRANT CREATE ON SCHEMA public TO heir"
    )
    try:
        await lake.run("ALTER TABLE t OWNER TO heir")
        await lake.fails("42501", "SET LOCAL ROLE heir", "DROP TRIGGER mere_guard ON t")
        await lake.fails("0A000", "SET LOCAL ROLE heir", "SELECT * FROM t")
    finally:
        await lake.run("DROP OWNED BY heir CASCADE")
        await lake.run("DROP ROLE heir")
    assert await lake.root.fetchval("SELECT count(*) FROM mere.shell") == 0


async def test_indexes_are_made_and_say_nothing(lake: LakeDatabase) -> None:
    await lake.run("CREATE TABLE t (a int)", "CREATE INDEX ON t (a)", "ALTER TABLE t ADD PRIMARY KEY (a)")
    await lake.fails("0A000", "SELECT * FROM t WHERE a = 1")
