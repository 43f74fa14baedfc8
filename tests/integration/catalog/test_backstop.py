"""Trap 3: no COMMIT with definitions of lake tables passes by mere.commit()."""

from __future__ import annotations

import asyncpg
import pytest
from harness.catalog import LakeDatabase

from mere.catalog.bootstrap import BACKSTOP


async def refused(lake: LakeDatabase, statement: str) -> None:
    with pytest.raises(asyncpg.FeatureNotSupportedError, match=BACKSTOP):
        await lake.user.execute(statement)
    assert await lake.user.fetchval("SELECT to_regclass('sneaky')") is None
    assert await lake.root.fetchval("SELECT count(*) FROM mere.shell") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE sneaky (a int)",
        "DO $$ BEGIN CREATE TABLE sneaky (a int); COMMIT; END $$",
        "DO $$ BEGIN CREATE TABLE sneaky (a int); END $$",
        "BEGIN; CREATE TABLE sneaky (a int); COMMIT",
        "BEGIN; CREATE TABLE sneaky (a int); SAVEPOINT s; RELEASE s; COMMIT",
        "BEGIN; CREATE TABLE sneaky (a int); SET CONSTRAINTS mere.mere_backstop DEFERRED; COMMIT",
        "CREATE SCHEMA elsewhere CREATE TABLE sneaky (a int)",
    ],
)
async def test_a_commit_of_its_own_is_refused(lake: LakeDatabase, statement: str) -> None:
    await refused(lake, statement)
    if lake.user.is_in_transaction():
        await lake.user.execute("ROLLBACK")


async def test_a_users_deferred_trigger_that_defines(lake: LakeDatabase) -> None:
    await lake.user.execute(
        "CREATE TABLE h (a int) USING heap; CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN CREATE TABLE sneaky (a int); RETURN NULL; END'; CREATE CONSTRAINT TRIGGER late AFTER INSERT ON h "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()"
    )
    await refused(lake, "INSERT INTO h VALUES (1)")
    await lake.run("INSERT INTO h VALUES (1)")  # the gateway makes such triggers fire before mere.commit()
    assert await lake.root.fetchval("SELECT table_id IS NOT NULL FROM mere.shell") is True


async def test_set_constraints_of_a_user_is_no_commit(lake: LakeDatabase) -> None:
    await lake.user.execute("BEGIN")
    await lake.user.execute("CREATE TABLE t (a int)")
    assert await lake.user.fetchval("SELECT mere.ddl_pending()") is True
    for _ in range(3):
        await lake.user.execute("SET CONSTRAINTS ALL IMMEDIATE")
    await lake.user.execute("CREATE TABLE u (a int)")
    await lake.commit()
    assert await lake.root.fetchval("SELECT count(*) FROM mere.shell WHERE table_id IS NOT NULL") == 2
    assert await lake.user.fetchval("SELECT mere.ddl_pending()") is False


async def test_set_constraints_does_not_open_the_way(lake: LakeDatabase) -> None:
    await lake.user.execute("BEGIN")
    await lake.user.execute("CREATE TABLE sneaky (a int)")
    await lake.user.execute("SET CONSTRAINTS ALL IMMEDIATE")
    await refused(lake, "COMMIT")


async def test_other_definitions_commit_by_themselves(lake: LakeDatabase) -> None:
    for statement in (
        "CREATE TEMP TABLE a (x int)",
        "CREATE TABLE b (x int) USING heap",
        "CREATE VIEW c AS SELECT 1 AS x",
        "CREATE FUNCTION d() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "COMMENT ON SCHEMA public IS 'x'",
        "DROP VIEW c",
    ):
        await lake.user.execute(statement)


async def test_nobody_but_the_gateway_commits(lake: LakeDatabase) -> None:
    await lake.fails("42501", "CREATE TABLE t (a int)", "SELECT mere.commit()")
    await lake.fails("42501", "INSERT INTO mere.ticket VALUES (pg_current_xact_id(), '{}')")
    await lake.fails("42501", "DELETE FROM mere.pending")
    await lake.fails("42501", "LOCK TABLE mere.commit_lock")
