"""Definitions, heap and temporary tables beside the lake, and what PostgreSQL must not run over shells."""

from __future__ import annotations

import pytest
from harness.client import Client
from harness.workspace import Workspace


@pytest.fixture
def table(client: Client) -> Client:
    client.ok("CREATE TABLE t (id int, s text)")
    client.ok("INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, NULL)")
    client.ok("CREATE TABLE h (id int, n int DEFAULT 5) USING heap")
    client.ok("INSERT INTO h VALUES (1, 100), (4, 400)")
    return client


def test_rows_go_from_the_lake_to_heap_and_temporary_tables_and_back(table: Client) -> None:
    assert table.ok("INSERT INTO h (id) SELECT id FROM t WHERE id > 1").tag == "INSERT 0 2"
    assert table.ok("SELECT id, n FROM h ORDER BY id").text == [("1", "100"), ("2", "5"), ("3", "5"), ("4", "400")]
    assert table.ok("CREATE TEMP TABLE tmp AS SELECT * FROM t").tag == "SELECT 3"
    table.ok("UPDATE tmp SET s = 'temporary' WHERE id = 3")
    assert table.ok("INSERT INTO t SELECT id + 10, s FROM tmp").tag == "INSERT 0 3"
    assert table.ok("SELECT s FROM t WHERE id = 13").value == "temporary"
    assert table.ok("SELECT count(*) FROM t JOIN h USING (id) JOIN tmp USING (id)").value == "3"
    assert table.ok("UPDATE t SET s = n::text FROM h WHERE t.id = h.id AND h.id = 1 RETURNING s").value == "100"


def test_lake_and_catalog(table: Client) -> None:
    table.ok("INSERT INTO t VALUES (9, 'pg_class')")
    assert table.ok("SELECT t.id FROM pg_class c JOIN t ON t.s = c.relname").value == "9"


def test_create_as_in_all_its_forms(table: Client) -> None:
    assert table.ok("CREATE TABLE a AS SELECT id * 2 AS twice, s FROM t").tag == "SELECT 3"
    assert table.ok("CREATE TABLE IF NOT EXISTS a AS SELECT 1").tag == "CREATE TABLE AS"
    table.fails("CREATE TABLE a AS SELECT 1", "42P07")
    table.ok("CREATE TABLE b (x, y) AS TABLE t WITH NO DATA")
    assert table.ok("SELECT count(y) FROM b").value == "0"
    assert table.ok("SELECT id, s INTO c FROM t WHERE id < 3").tag == "SELECT 2"
    table.ok("CREATE TABLE d DISTRIBUTED BY (g) AS SELECT g FROM generate_series(1, 100) g")
    assert table.ok("SELECT count(*) FROM d WHERE g = 42").value == "1"
    table.fails("CREATE TABLE e AS SELECT 1 / (id - 1) FROM t", "22012")
    table.fails("SELECT * FROM e", "42P01")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT p()",
        "DO $$ BEGIN PERFORM count(*) FROM t; END $$",
        "DO $$ BEGIN INSERT INTO t VALUES (5, 'x'); END $$",
        "DO $$ BEGIN EXECUTE 'DELETE FROM t'; END $$",
        "INSERT INTO h VALUES (f(), 1)",
        "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION g()",
        "CREATE RULE r AS ON INSERT TO t DO NOTHING",
        "UPDATE h SET n = 1 FROM t WHERE t.id = h.id",
        "CREATE VIEW v AS SELECT * FROM t AT (VERSION => 1)",
        "PREPARE TRANSACTION 'x'",
        "SELECT nextval('q'), id FROM t",
        "SELECT id, (SELECT nextval('q')) FROM t",
    ],
)
def test_what_would_read_the_empty_shell_or_lie_is_refused(table: Client, text: str) -> None:
    table.ok("CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM t'")
    table.ok("CREATE FUNCTION p() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM t); END'")
    table.ok("CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'")
    table.ok("CREATE SEQUENCE q")
    table.fails(text, "0A000")
    assert table.ok("SELECT count(*) FROM t").value == "3"


@pytest.mark.parametrize("style", ["SQL, DMY", "German", "Postgres, MDY", "ISO, DMY"])
def test_the_sessions_styles_change_no_value(table: Client, style: str) -> None:
    table.ok("CREATE TABLE d (day date DEFAULT '2020-02-03', at timestamptz DEFAULT now(), f float8, b bytea)")
    table.ok("CREATE TABLE hd (day date, i interval, f float8, b bytea) USING heap")
    table.ok("INSERT INTO hd VALUES ('2021-03-04', '1 day 2 hours', 0.1, '\\x00ff')")
    table.ok(f"SET datestyle = '{style}'")
    table.ok("SET intervalstyle = 'sql_standard'")
    table.ok("SET bytea_output = 'escape'")
    table.ok("INSERT INTO d DEFAULT VALUES")
    table.ok("INSERT INTO d (day, f, b) SELECT day, f, b FROM hd")
    table.ok("RESET datestyle")
    table.ok("RESET bytea_output")
    assert table.ok("SELECT day, f, b FROM d ORDER BY day").text == [
        ("2020-02-03", None, None),
        ("2021-03-04", "0.1", "\\x00ff"),
    ]


def test_values_are_shown_in_the_sessions_styles(table: Client) -> None:
    table.ok("CREATE TABLE d (day date, i interval, b bytea)")
    table.ok("INSERT INTO d VALUES ('2020-02-03', '1 day 02:03:04', '\\x00ff')")
    table.ok("SET datestyle = 'German'")
    table.ok("SET intervalstyle = 'iso_8601'")
    table.ok("SET bytea_output = 'escape'")
    assert table.ok("SELECT * FROM d").text == [("03.02.2020", "P1DT2H3M4S", "\\000\\377")]


@pytest.mark.parametrize(
    ("digits", "shown"),
    [
        (3, ("0.3333333333333333", "0.33333334", "{0.1,1e+20,NaN}")),
        (0, ("0.333333333333333", "0.333333", "{0.1,1e+20,NaN}")),
        (-12, ("0.333", "0.3", "{0.1,1e+20,NaN}")),
    ],
)
def test_floats_are_shown_with_the_sessions_digits(table: Client, digits: int, shown: tuple[str, ...]) -> None:
    table.ok("CREATE TABLE f (d double precision, r real, a double precision[])")
    table.ok("INSERT INTO f VALUES (1/3.0::float8, 1/3.0::real, '{0.1,1e20,NaN}')")
    table.ok(f"SET extra_float_digits = {digits}")
    assert table.ok("SELECT * FROM f").text == [shown]
    assert table.ok("COPY f TO STDOUT").copied == "\t".join(shown).encode() + b"\n"


def test_dates_of_statements_are_read_in_the_sessions_style(table: Client) -> None:
    table.ok("CREATE TABLE d (day date)")
    table.ok("SET datestyle = 'ISO, DMY'")
    table.ok("INSERT INTO d VALUES ('03/02/2020')")
    assert table.extended("SELECT count(*) FROM d WHERE day = $1", ["03/02/2020"]).value == "1"
    table.ok("PREPARE p (date) AS SELECT count(*) FROM d WHERE day = $1")
    assert table.ok("EXECUTE p ('3.2.2020')").value == "1"
    assert table.ok("SELECT day FROM d").value == "2020-02-03"


def test_read_only_transactions(table: Client) -> None:
    for statement in ("INSERT INTO t VALUES (1, 'x')", "TRUNCATE t", "CREATE TABLE n (a int)", "COPY t FROM STDIN"):
        table.ok("BEGIN READ ONLY")
        assert table.ok("SELECT count(*) FROM t").value == "3"
        table.fails(statement, "25006")
        table.ok("ROLLBACK AND CHAIN")
        table.fails(statement, "25006")
        table.ok("ROLLBACK")


def test_isolation_is_told_as_asked_for(space: Workspace, table: Client) -> None:
    table.ok("BEGIN ISOLATION LEVEL REPEATABLE READ")
    assert table.ok("SELECT count(*) FROM t").value == "3"
    space.client().ok("INSERT INTO t VALUES (4, 'x')")
    assert table.ok("SELECT count(*) FROM t").value == "3"
    assert table.ok("SHOW transaction_isolation").value == "repeatable read"
    table.fails("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "25001")
    table.ok("ROLLBACK")
    table.fails("SET TRANSACTION SNAPSHOT '00000003-0000001B-1'", "0A000")


@pytest.mark.parametrize(
    "text",
    ["SET client_encoding TO latin1", "SET LOCAL client_encoding = 'LATIN1'", "SET NAMES 'win1252'"],
)
def test_other_encodings_are_refused(table: Client, text: str) -> None:
    table.fails(text, "0A000")
    table.ok("SET client_encoding = 'UTF8'")
    table.ok("SET NAMES DEFAULT")
    assert table.ok("SELECT 'ä' FROM t LIMIT 1").value == "ä"


def test_savepoints_need_a_transaction_block(table: Client) -> None:
    assert table.simple("INSERT INTO t VALUES (4, 'x'); SAVEPOINT a")[-1].sqlstate == "25P01"
    assert table.ok("SELECT count(*) FROM t").value == "3"


def test_several_statements_and_their_positions(table: Client) -> None:
    outcomes = table.simple("INSERT INTO t VALUES (4, 'x'); SELECT nothing FROM t; INSERT INTO t VALUES (5, 'y')")
    assert [outcome.sqlstate for outcome in outcomes] == [None, "42703"]
    assert table.ok("SELECT count(*) FROM t").value == "3"


def test_time_travel_through_views_and_into_tables(table: Client) -> None:
    version = table.ok("SELECT max(snapshot_id) FROM mere.snapshots").value
    table.ok("CREATE VIEW v AS SELECT t.id, h.n FROM t LEFT JOIN h USING (id)")
    table.ok("DELETE FROM t WHERE id = 1")
    assert table.ok(f"SELECT count(*) FROM v AT (VERSION => {version})").value == "3"
    assert table.ok("SELECT count(*) FROM v").value == "2"
    table.ok(f"CREATE TABLE old AS SELECT * FROM t AT (VERSION => {version})")
    assert table.ok("SELECT count(*) FROM old").value == "3"
    table.fails(f"SELECT * FROM old AT (VERSION => {version})", "42P01")
    assert table.ok("SELECT count(*) FROM t AT (TIMESTAMP => now() - interval '0 seconds')").value == "2"
    table.fails(f"WITH q AS (SELECT id FROM t) SELECT * FROM q AT (VERSION => {version})", "0A000")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM t WHERE id = 1",
        "INSERT INTO t SELECT id + 1, s FROM t",
        "UPDATE t SET s = 'x' WHERE id = 1 RETURNING *",
        "DELETE FROM t USING h WHERE h.id = t.id",
        "MERGE INTO t USING h ON t.id = h.id WHEN MATCHED THEN DELETE",
        "CREATE TABLE x AS SELECT * FROM t",
        "DECLARE c CURSOR FOR SELECT * FROM t",
    ],
)
@pytest.mark.parametrize("options", ["", "(FORMAT JSON)", "VERBOSE"])
def test_explain_changes_nothing(table: Client, query: str, options: str) -> None:
    assert table.ok(f"EXPLAIN {options} {query}").rows
    assert table.ok("SELECT count(*), sum(id) FROM t").text == [("3", "6")]


def test_explain_analyze_carries_writes_out(table: Client) -> None:
    assert table.ok("EXPLAIN ANALYZE DELETE FROM t WHERE id = 1").rows
    assert table.ok("SELECT count(*) FROM t").value == "2"
