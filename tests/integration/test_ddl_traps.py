"""The traps between PostgreSQL, DuckLake and Mere, each one tried once by hand: none may open again."""

from __future__ import annotations

import pytest
from harness.client import Client
from harness.workspace import Workspace


@pytest.fixture
def lake(client: Client) -> Client:
    client.ok("CREATE TABLE t (a int, b text)")
    client.ok("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    return client


# Trap 8: PostgreSQL itself must never read the empty shell.
SHELL_READERS = [
    "DO $$ BEGIN PERFORM count(*) FROM t; END $$",
    "DO $$ BEGIN PERFORM * FROM t WHERE false; END $$",
    "DO $$ DECLARE n int; BEGIN EXECUTE 'SELECT count(*) FROM t' INTO n; END $$",
    "DO $$ BEGIN INSERT INTO t VALUES (3, 'z'); END $$",
    "DO $$ BEGIN UPDATE t SET a = 1; END $$",
    "DO $$ BEGIN DELETE FROM t; END $$",
    "DO $$ BEGIN TRUNCATE t; END $$",
    "DO $$ BEGIN MERGE INTO t USING (SELECT 1 AS a) s ON s.a = t.a WHEN MATCHED THEN DELETE; END $$",
    "DO $$ DECLARE c CURSOR FOR SELECT * FROM t; BEGIN OPEN c; END $$",
    "CREATE FUNCTION g() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM t); END'; SELECT g()",
    "CREATE FUNCTION h() RETURNS void LANGUAGE sql AS 'INSERT INTO t SELECT 1'; SELECT h()",
]


@pytest.mark.parametrize("sql", SHELL_READERS)
def test_postgres_never_reads_or_writes_the_empty_shell(lake: Client, sql: str) -> None:
    outcomes = lake.simple(sql)
    assert outcomes[-1].sqlstate == "0A000", outcomes[-1]
    assert lake.ok("SELECT count(*), sum(a) FROM t").text == [("2", "3")]


def test_foreign_key_checks_and_triggers_of_heap_tables_do_not_see_the_shell(lake: Client) -> None:
    outcomes = lake.simple(
        "CREATE TABLE h (a int) USING heap;"
        "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN IF NOT EXISTS (SELECT FROM t WHERE a = new.a) THEN RETURN NULL; END IF; RETURN new; END';"
        "CREATE TRIGGER look BEFORE INSERT ON h FOR EACH ROW EXECUTE FUNCTION look()"
    )
    assert outcomes[-1].sqlstate is None
    lake.fails("INSERT INTO h VALUES (1)", "0A000")


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TRIGGER IF EXISTS {trigger} ON t",
        "ALTER TABLE t DISABLE TRIGGER ALL",
        "ALTER TABLE t DISABLE TRIGGER USER",
        "DROP STATISTICS mere.lake_{oid}",
        "DROP FUNCTION mere.shell(oid)",
        "ALTER TABLE t SET ACCESS METHOD heap",
        "ALTER TABLE t SET UNLOGGED",
        "CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING",
        "CREATE POLICY p ON t USING (true)",
        "CREATE TABLE child () INHERITS (t)",
        "CREATE TRIGGER mine BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ],
)
def test_an_owner_cannot_take_the_tripwire_away(lake: Client, sql: str) -> None:
    oid = lake.ok("SELECT 't'::regclass::oid").value
    trigger = lake.ok("SELECT min(tgname::text) FROM pg_trigger WHERE tgrelid = 't'::regclass").value or "none"
    outcome = lake.run(sql.format(oid=oid, trigger=trigger))
    assert outcome.sqlstate is not None, sql
    lake.fails("DO $$ BEGIN PERFORM count(*) FROM t; END $$", "0A000")
    lake.fails("DO $$ BEGIN INSERT INTO t VALUES (1); END $$", "0A000")
    assert lake.ok("SELECT count(*) FROM t").value == "2"


@pytest.mark.parametrize(
    "sql", ["ANALYZE t", "VACUUM t", "VACUUM ANALYZE t", "VACUUM FULL t", "REINDEX TABLE t", "CLUSTER t", "ANALYZE"]
)
def test_maintenance_commands_are_answered_or_refused_by_name(lake: Client, sql: str) -> None:
    outcome = lake.run(sql)
    assert outcome.sqlstate in (None, "0A000", "42704"), outcome
    assert lake.ok("SELECT count(*) FROM t").value == "2"


def test_create_table_like_including_all_is_a_table_of_its_own(lake: Client) -> None:
    lake.ok("CREATE TABLE twin (LIKE t INCLUDING ALL)")
    lake.ok("INSERT INTO twin VALUES (9, 'twin')")
    assert lake.ok("SELECT a FROM twin").value == "9"
    lake.fails("DO $$ BEGIN PERFORM count(*) FROM twin; END $$", "0A000")
    lake.ok("DROP TABLE t")
    assert lake.ok("SELECT a FROM twin").value == "9"


# Trap 3: commits that slip past the commit function.
def test_commit_inside_a_do_block_cannot_make_a_table_unseen(lake: Client) -> None:
    outcome = lake.run("DO $$ BEGIN CREATE TABLE sneaky (a int); COMMIT; END $$")
    seen = lake.run("SELECT count(*) FROM sneaky")
    assert (outcome.sqlstate is None) == (seen.sqlstate is None), (outcome, seen)
    if seen.sqlstate is None:
        lake.ok("INSERT INTO sneaky VALUES (1)")
        assert lake.ok("SELECT count(*) FROM sneaky").value == "1"
    else:
        assert seen.sqlstate == "42P01"


def test_deferred_trigger_that_makes_a_table_at_commit(lake: Client) -> None:
    outcomes = lake.simple(
        "CREATE TABLE h (a int) USING heap;"
        "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN CREATE TABLE made_late (x int); RETURN NULL; END';"
        "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON h DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION late()"
    )
    assert outcomes[-1].sqlstate is None
    outcome = lake.run("INSERT INTO h VALUES (1)")
    seen = lake.run("SELECT count(*) FROM made_late")
    assert (outcome.sqlstate is None) == (seen.sqlstate is None), (outcome, seen)
    if seen.sqlstate is None:
        lake.ok("INSERT INTO made_late VALUES (5)")
        assert lake.ok("SELECT x FROM made_late").value == "5"


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_isolation_set_by_function_does_not_break_commits(lake: Client, level: str) -> None:
    lake.ok(f"SELECT set_config('default_transaction_isolation', '{level}', false)")
    lake.ok("INSERT INTO t VALUES (3, 'z')")
    lake.ok("BEGIN")
    lake.ok("CREATE TABLE more (a int)")
    lake.ok("INSERT INTO more VALUES (1)")
    lake.ok("COMMIT")
    assert lake.ok("SELECT (SELECT count(*) FROM t) + (SELECT count(*) FROM more)").value == "4"


# Trap 4: definer functions without search_path give superuser away.
def test_every_definer_function_pins_its_search_path(lake: Client) -> None:
    loose = lake.ok(
        "SELECT p.oid::regprocedure FROM pg_proc p WHERE prosecdef AND NOT coalesce("
        "(SELECT bool_or(c IN ('search_path=pg_catalog, pg_temp')) FROM unnest(proconfig) c), false)"
    )
    assert loose.text == []


def test_functions_of_the_service_are_not_open_to_everybody_by_default(lake: Client) -> None:
    writable = lake.ok(
        "SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname IN ('mere', 'mere_lake') AND relkind = 'r' AND (has_table_privilege(c.oid, 'INSERT')"
        " OR has_table_privilege(c.oid, 'UPDATE') OR has_table_privilege(c.oid, 'DELETE'))"
    )
    assert writable.text == []


# Trap 6: a user's lock must not block commits.
def test_no_lock_of_a_user_blocks_commits(space: Workspace, lake: Client) -> None:
    rude = space.client(user=space.role("rude"))
    rude.ok("BEGIN")
    for key in range(64):
        rude.ok(f"SELECT pg_advisory_lock({key}), pg_advisory_xact_lock(hashtext('mere{key}'))")
    for mode in ("ACCESS SHARE", "EXCLUSIVE", "ACCESS EXCLUSIVE"):
        rude.ok("SAVEPOINT s")
        rude.fails(f"LOCK TABLE mere.commit_lock IN {mode} MODE", "42501")
        rude.ok("ROLLBACK TO s")
    lake.ok("INSERT INTO t VALUES (3, 'z')")
    assert lake.ok("SELECT count(*) FROM t").value == "3"


# Trap 5: what the durability of a commit hangs on is not the client's to weaken.
def test_synchronous_commit_off_does_not_weaken_lake_commits(lake: Client) -> None:
    lake.ok("SET synchronous_commit = off")
    lake.ok("BEGIN")
    lake.ok("SET LOCAL synchronous_commit = local")
    lake.ok("INSERT INTO t VALUES (3, 'z')")
    lake.ok("COMMIT")
    assert lake.ok("SELECT count(*) FROM t").value == "3"


# Trap 9: what the event triggers do not log.
def test_changes_that_event_triggers_miss_still_reach_the_lake(space: Workspace, lake: Client) -> None:
    heir = space.role("heir")
    lake.ok(f"GRANT CREATE ON SCHEMA {space.schema} TO {heir}")
    lake.ok("CREATE TYPE pair AS (x int, y int)")
    assert lake.run("CREATE TABLE typed OF pair").sqlstate in (None, "0A000")
    if lake.run("SELECT * FROM typed").sqlstate is None:
        lake.ok("INSERT INTO typed VALUES (1, 2)")
        outcome = lake.run("ALTER TYPE pair ADD ATTRIBUTE z int CASCADE")
        assert outcome.sqlstate in (None, "0A000")
        lake.ok("SELECT * FROM typed")
    lake.ok(f"REASSIGN OWNED BY {heir} TO mere")
    assert lake.ok("SELECT count(*) FROM t").value == "2"


def test_temporary_tables_are_not_taken_for_lake_tables(lake: Client) -> None:
    lake.ok("CREATE TEMP TABLE tmp (a int)")
    lake.ok("INSERT INTO tmp VALUES (1), (2)")
    assert lake.ok("SELECT sum(a) FROM tmp").value == "3"
    assert lake.ok("SELECT count(*) FROM tmp JOIN t USING (a)").value == "2"
    lake.ok("DO $$ BEGIN INSERT INTO tmp VALUES (3); END $$")
    assert lake.ok("SELECT sum(a) FROM tmp").value == "6"


# Trap 10: databases and the superuser.
def test_the_administrator_is_no_superuser(lake: Client) -> None:
    assert lake.ok(
        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = 'mere'"
    ).text == [("f", "t", "t", "f", "f")]
    assert lake.ok("SELECT count(*) FROM pg_roles WHERE rolsuper AND pg_has_role('mere', oid, 'MEMBER')").value == "0"
    for role in ("pg_read_server_files", "pg_write_server_files", "pg_execute_server_program"):
        assert lake.ok(f"SELECT pg_has_role('mere', '{role}', 'USAGE')").value == "f"


# Trap 2: statistics are correctness.
def test_bounds_stay_wide_enough_over_types_and_writes(lake: Client) -> None:
    lake.ok("CREATE TABLE s (k int, t text, d numeric(10,2), day date)")
    for low in (1, 7000, 9, -5):
        lake.ok(
            f"INSERT INTO s SELECT g, 'k' || g, g / 4.0, date '2024-01-01' + g FROM generate_series({low}, {low} + 9) g"
        )
    assert lake.ok("SELECT count(*) FROM s WHERE k >= 5000").value == "10"
    assert lake.ok("SELECT count(*) FROM s WHERE k < 0").value == "5"
    assert lake.ok("SELECT count(*) FROM s WHERE d >= 1000").value == "10"
    assert lake.ok("SELECT count(*) FROM s WHERE t = 'k7003'").value == "1"
    assert lake.ok("SELECT count(*) FROM s WHERE day > '2030-01-01'").value == "10"
    lake.ok("UPDATE s SET k = 100000, t = NULL WHERE k = 9")
    assert lake.ok("SELECT count(*) FROM s WHERE k > 50000 AND t IS NULL").value == "2"
