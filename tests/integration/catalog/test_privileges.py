"""Traps 4, 7 and 10: who may do what with the catalog's own things."""

from __future__ import annotations

import asyncpg
import pytest
from harness.catalog import PASSWORD, LakeDatabase

# All of mere that users may call.
FOR_EVERYBODY = {"shell", "set_policy", "lake_names", "map_facts", "resolve", "column_rights", "ddl_pending", "commit"}


async def test_every_definer_function_pins_its_search_path(lake: LakeDatabase) -> None:
    loose = await lake.root.fetch(
        "SELECT oid::regprocedure FROM pg_proc WHERE prosecdef "
        "AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)"
    )
    assert [row[0] for row in loose] == []


async def test_users_reach_only_what_is_meant_for_them(lake: LakeDatabase) -> None:
    rows = await lake.user.fetch(
        "SELECT p.proname FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = pronamespace "
        "WHERE nspname IN ('mere', 'mere_lake') AND has_function_privilege(p.oid, 'EXECUTE')"
    )
    unexpected = {row[0] for row in rows} - FOR_EVERYBODY
    definers = await lake.root.fetch(
        "SELECT proname FROM pg_proc WHERE prosecdef AND proname = ANY ($1)", list(unexpected)
    )
    assert [row[0] for row in definers if row[0] not in KNOWN_TO_THE_LAKE] == []
    tables = await lake.user.fetch(
        "SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace "
        "WHERE nspname IN ('mere', 'mere_lake') AND relkind IN ('r', 'v') AND (has_table_privilege(c.oid, 'SELECT') "
        "OR has_table_privilege(c.oid, 'INSERT') OR has_table_privilege(c.oid, 'UPDATE') "
        "OR has_table_privilege(c.oid, 'DELETE') OR has_table_privilege(c.oid, 'TRUNCATE'))"
    )
    assert [row[0] for row in tables if row[0] not in VIEWS_FOR_USERS] == []
    assert await lake.user.fetchval("SELECT has_schema_privilege('mere_lake', 'USAGE')") is False
    assert await lake.user.fetchval("SELECT has_schema_privilege('mere', 'CREATE')") is False


# Functions and views for users: of the lake, of REFRESH and maintenance (which ask for MAINTAIN), and of the segments
# (whose number only the administrator may change).
KNOWN_TO_THE_LAKE = {"newest_snapshot", "list_snapshots", "start_refresh", "set_populated", "segment_file", "resize"}
KNOWN_TO_THE_LAKE |= {"maintain", "maintenance_request", "vacuumed", "list_maintenance"}
VIEWS_FOR_USERS = {"mere.snapshots", "mere.segment_configuration", "mere.maintenance_log"}


async def test_the_administrator_is_no_superuser(lake: LakeDatabase) -> None:
    row = await lake.user.fetchrow(
        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication FROM pg_roles WHERE rolname = 'mere'"
    )
    assert tuple(row) == (False, True, True, False, False)
    for statement in (
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "COPY (SELECT 1) TO '/tmp/x'",
        "ALTER ROLE mere_gateway PASSWORD 'x'",
        "GRANT mere_gateway TO mere",
        "GRANT mere_super TO mere",
        "GRANT pg_execute_server_program TO mere",
        "SET ROLE mere_gateway",
        "SET SESSION AUTHORIZATION mere_super",
        "ALTER ROLE mere SUPERUSER",
        "ALTER DATABASE postgres OWNER TO mere",
    ):
        await lake.fails("42501", statement)


async def test_a_users_operator_is_not_run_by_the_superuser(lake: LakeDatabase) -> None:
    await lake.user.execute(
        "CREATE FUNCTION public.take(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN "
        "EXECUTE 'ALTER ROLE mere SUPERUSER'; RETURN $1; END $$;"
        "CREATE OPERATOR public.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = public.take);"
        "CREATE FUNCTION public.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS $$ BEGIN "
        "EXECUTE 'ALTER ROLE mere SUPERUSER'; RETURN $1; END $$;"
        "SET search_path = public, pg_catalog"
    )
    await lake.run(
        "CREATE TABLE t (a numeric, b text DEFAULT 'x', PRIMARY KEY (a))", "ALTER TABLE t ADD c int DEFAULT 3"
    )
    await lake.user.fetchval("SELECT mere.lake_names()")
    assert await lake.user.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = 'mere'") is False


async def test_databases_without_a_lake_are_closed(lake: LakeDatabase) -> None:
    for name in ("postgres", "template1", "mere_template"):
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ObjectNotInPrerequisiteStateError)):
            await asyncpg.connect(host=str(lake.server.socket_directory), user="mere", password=PASSWORD, database=name)


async def test_the_gateway_role_reads_metadata_and_writes_tickets_only(lake: LakeDatabase) -> None:
    await lake.run("CREATE TABLE t (a int)")
    assert await lake.gateway.fetchval("SELECT count(*) FROM mere_lake.ducklake_table") == 1
    for statement in (
        "DELETE FROM mere_lake.ducklake_table",
        "UPDATE mere.shell SET path = 'x/'",
        "INSERT INTO mere.pending VALUES ('3')",
        "CREATE TABLE public.x (a int)",
        "ALTER ROLE mere PASSWORD 'x'",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await lake.gateway.execute(statement)


async def test_only_the_owner_distributes(lake: LakeDatabase) -> None:
    await lake.run(
        "CREATE ROLE guest LOGIN PASSWORD 'a-test-password'", "CREATE TABLE t (a int)", "GRANT ALL ON t TO guest"
    )
    guest = await lake.connect("guest")
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="must be owner"):
            await guest.execute("SELECT mere.set_policy('t', 'hash', '{a}', 4)")
        await lake.fails("42501", "SET LOCAL ROLE guest", "SELECT mere.set_policy('t', 'hash', '{a}', 4)")
    finally:
        await guest.close()
        await lake.run("DROP OWNED BY guest", "DROP ROLE guest")


async def test_an_administrator_may_act_as_a_role_it_made(lake: LakeDatabase) -> None:
    await lake.run("CREATE ROLE clerk")
    try:
        await lake.user.execute("SET ROLE clerk")
        assert await lake.user.fetchval("SELECT current_user") == "clerk"
    finally:
        await lake.user.execute("RESET ROLE")
        await lake.run("DROP ROLE clerk")
