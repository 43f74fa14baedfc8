"""DDL on lake tables: PostgreSQL's own, except that it must tell the truth about the rows in the lake."""

from __future__ import annotations

import pytest
from harness.client import Client
from harness.workspace import Workspace


@pytest.fixture
def filled(client: Client) -> Client:
    client.ok("CREATE TABLE t (a int, b text, c int)")
    client.ok("INSERT INTO t VALUES (1, 'one', 10), (2, NULL, 20), (NULL, 'three', -30)")
    return client


@pytest.mark.parametrize(
    ("sql", "sqlstate"),
    [
        ("ALTER TABLE t ALTER COLUMN a SET NOT NULL", "23502"),
        ("ALTER TABLE t ADD CONSTRAINT p CHECK (c > 0)", "23514"),
        ("ALTER TABLE t ADD COLUMN d int NOT NULL", "23502"),
        ("ALTER TABLE t ALTER COLUMN b TYPE int USING b::int", "22P02"),
        ("ALTER TABLE t ADD PRIMARY KEY (a)", "23502"),
    ],
)
def test_ddl_that_the_rows_contradict_is_refused(filled: Client, sql: str, sqlstate: str) -> None:
    outcome = filled.run(sql)
    assert outcome.sqlstate in (sqlstate, "0A000"), outcome
    assert filled.ok("SELECT count(*), sum(c) FROM t").text == [("3", "0")]
    filled.ok("INSERT INTO t VALUES (NULL, 'x', -1)")


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE t ALTER COLUMN c SET NOT NULL",
        "ALTER TABLE t ADD CONSTRAINT q CHECK (c < 100)",
        "ALTER TABLE t ADD COLUMN d int NOT NULL DEFAULT 4",
        "ALTER TABLE t ALTER COLUMN c TYPE bigint",
        "ALTER TABLE t ADD COLUMN e timestamptz DEFAULT now()",
        "ALTER TABLE t ALTER COLUMN a SET STATISTICS 100",
        "ALTER TABLE t ADD CONSTRAINT nv CHECK (c < -1000) NOT VALID",
    ],
)
def test_ddl_that_the_rows_allow_succeeds(filled: Client, sql: str) -> None:
    outcome = filled.run(sql)
    assert outcome.sqlstate in (None, "0A000"), outcome
    assert filled.ok("SELECT count(*), sum(c) FROM t").text == [("3", "0")]


def test_type_change_with_using_keeps_or_refuses_but_never_lies(filled: Client) -> None:
    for sql, check in (
        (
            "ALTER TABLE t ALTER COLUMN c TYPE text USING c::text || '!'",
            "SELECT string_agg(c::text, ',' ORDER BY c::text) FROM t",
        ),
        (
            "ALTER TABLE t ALTER COLUMN c TYPE numeric(10,2) USING rtrim(c::text, '!')::numeric",
            "SELECT sum(c::numeric) FROM t",
        ),
    ):
        before = filled.ok("SELECT c::text FROM t ORDER BY 1").text
        outcome = filled.run(sql)
        after = filled.ok("SELECT c::text FROM t ORDER BY 1").text
        assert outcome.sqlstate in (None, "0A000")
        if outcome.sqlstate == "0A000":
            assert after == before
        else:
            assert after != before
        filled.ok(check)


def test_renamed_dropped_and_added_columns_are_told_apart(filled: Client) -> None:
    filled.ok("ALTER TABLE t RENAME COLUMN b TO old_b")
    filled.ok("ALTER TABLE t ADD COLUMN b text DEFAULT 'fresh'")
    filled.ok("ALTER TABLE t DROP COLUMN a")
    filled.ok("ALTER TABLE t ADD COLUMN a int")
    filled.ok("INSERT INTO t (c, a) VALUES (40, 4)")
    assert filled.ok("SELECT c, old_b, b, a FROM t ORDER BY c").text == [
        ("-30", "three", "fresh", None),
        ("10", "one", "fresh", None),
        ("20", None, "fresh", None),
        ("40", None, "fresh", "4"),
    ]


def test_default_at_add_time_stays_with_old_rows(filled: Client) -> None:
    filled.ok("ALTER TABLE t ADD COLUMN d int DEFAULT 1")
    filled.ok("ALTER TABLE t ALTER COLUMN d SET DEFAULT 2")
    filled.ok("INSERT INTO t (a) VALUES (9)")
    filled.ok("ALTER TABLE t ALTER COLUMN d DROP DEFAULT")
    filled.ok("INSERT INTO t (a) VALUES (10)")
    assert filled.ok("SELECT d, count(*) FROM t GROUP BY d ORDER BY d").text == [("1", "3"), ("2", "1"), (None, "1")]
    filled.ok("UPDATE t SET b = 'u' WHERE a = 1")
    assert filled.ok("SELECT d FROM t WHERE a = 1").value == "1"


def test_views_follow_renames_and_hold_tables(filled: Client) -> None:
    filled.ok("CREATE VIEW v AS SELECT a, b FROM t WHERE c > 0")
    filled.fails("DROP TABLE t", "2BP01")
    filled.fails("ALTER TABLE t DROP COLUMN b", "2BP01")
    filled.ok("ALTER TABLE t RENAME TO moved")
    filled.ok("ALTER TABLE moved RENAME COLUMN b TO label")
    assert filled.ok("SELECT a, b FROM v ORDER BY a").text == [("1", "one"), ("2", None)]
    filled.ok("DROP TABLE moved CASCADE")
    filled.fails("SELECT * FROM v", "42P01")


def test_create_table_as_in_all_its_forms(filled: Client) -> None:
    assert filled.ok("CREATE TABLE x AS SELECT a, upper(b) AS u, c * 1.5 AS n FROM t").tag == "SELECT 3"
    assert filled.ok("SELECT sum(n) FROM x").value is not None
    assert filled.ok("CREATE TABLE y (k, v) AS SELECT a, b FROM t WITH NO DATA").tag == "CREATE TABLE AS"
    assert filled.ok("SELECT count(*) FROM y").value == "0"
    filled.ok("CREATE TEMP TABLE z AS SELECT * FROM t")
    assert filled.ok("SELECT count(*) FROM z").value == "3"
    filled.ok("CREATE TABLE h USING heap AS SELECT * FROM t")
    assert filled.ok("SELECT count(*) FROM h").value == "3"
    filled.ok("SELECT a INTO w FROM t WHERE a IS NOT NULL")
    assert filled.ok("SELECT sum(a) FROM w").value == "3"
    assert (
        filled.ok("SELECT amname FROM pg_class c JOIN pg_am m ON m.oid = relam WHERE c.oid = 'w'::regclass").value
        == "lake"
    )


def test_schemas_can_be_made_renamed_and_dropped(space: Workspace, client: Client) -> None:
    name = f"{space.schema}_two"
    client.ok(f"CREATE SCHEMA {name}")
    client.ok(f"CREATE TABLE {name}.t (a int)")
    client.ok(f"INSERT INTO {name}.t VALUES (1)")
    client.ok(f"ALTER SCHEMA {name} RENAME TO {name}_renamed")
    assert client.ok(f"SELECT a FROM {name}_renamed.t").value == "1"
    client.fails(f"DROP SCHEMA {name}_renamed", "2BP01")
    client.ok(f"DROP SCHEMA {name}_renamed CASCADE")
    client.fails(f"SELECT a FROM {name}_renamed.t", "42P01")


def test_ddl_inside_functions_and_do_blocks_is_noticed(client: Client) -> None:
    client.ok(
        "DO $$ BEGIN CREATE TABLE from_do (a int, b text DEFAULT 'd'); ALTER TABLE from_do ADD COLUMN c int; END $$"
    )
    client.ok("INSERT INTO from_do (a) VALUES (1)")
    assert client.ok("SELECT * FROM from_do").text == [("1", "d", None)]
    client.ok("CREATE FUNCTION make() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE made (x int); END $$")
    client.ok("SELECT make()")
    client.ok("INSERT INTO made VALUES (7)")
    assert client.ok("SELECT x FROM made").value == "7"
    client.ok("DO $$ BEGIN DROP TABLE made; END $$")
    client.fails("SELECT x FROM made", "42P01")


def test_other_databases_work_the_same(space: Workspace, client: Client) -> None:
    name = f"{space.schema}_db"
    client.ok(f"CREATE DATABASE {name}")
    try:
        with space.server.client(database=name) as other:
            other.ok("CREATE TABLE t (a int, b text)")
            other.ok("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
            other.ok("DELETE FROM t WHERE a = 1")
            assert other.ok("SELECT * FROM t").text == [("2", "y")]
            amname = "SELECT amname FROM pg_class c JOIN pg_am m ON m.oid = relam WHERE c.oid = 't'::regclass"
            assert other.ok(amname).value == "lake"
        client.fails("SELECT * FROM public.t", "42P01")
        copied = client.run(f"CREATE DATABASE {name}_copy TEMPLATE {name}")
        assert copied.sqlstate == "0A000", copied
    finally:
        client.simple(f"DROP DATABASE {name} WITH (FORCE)")
    with pytest.raises(Exception, match="does not exist"):
        space.server.client(database=name)


def test_many_tables_in_one_transaction(client: Client) -> None:
    client.ok("BEGIN")
    for number in range(12):
        client.ok(f"CREATE TABLE t{number} (a int)")
        client.ok(f"INSERT INTO t{number} SELECT * FROM generate_series(1, {number + 1})")
    client.ok("DROP TABLE t0")
    client.ok("COMMIT")
    total = " + ".join(f"(SELECT count(*) FROM t{number})" for number in range(1, 12))
    assert client.ok(f"SELECT {total}").value == str(sum(range(2, 13)))


def test_wide_table(client: Client) -> None:
    columns = ", ".join(f"c{number} int DEFAULT {number}" for number in range(300))
    client.ok(f"CREATE TABLE wide ({columns})")
    client.ok("INSERT INTO wide (c0) VALUES (1), (2)")
    assert client.ok("SELECT sum(c299), count(*) FROM wide").text == [("598", "2")]


def test_psql_commands_tell_access_method_and_distribution(client: Client) -> None:
    client.ok("CREATE TABLE d (k int, v text) DISTRIBUTED BY (k)")
    client.ok("INSERT INTO d SELECT g, 'v' FROM generate_series(1, 64) g")
    assert client.ok("SELECT count(*) FROM d WHERE k = 33").value == "1"
    client.ok("TRUNCATE d")
    assert client.ok("SELECT count(*) FROM d").value == "0"
