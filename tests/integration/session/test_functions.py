"""Functions of users beside lake tables: what runs there, and what PostgreSQL alone has to refuse."""

from __future__ import annotations

import pytest
from harness.client import Client


@pytest.fixture
def lake(client: Client) -> Client:
    client.ok("CREATE TABLE t (a int, b text)")
    client.ok("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    return client


# What PostgreSQL runs by itself would find the table without rows: each of these is an error, and changes none.
READERS = {
    "a query in a block": "DO $$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM t; END $$",
    "a loop over rows": "DO $$ DECLARE r t; BEGIN FOR r IN SELECT * FROM t LOOP NULL; END LOOP; END $$",
    "dynamic SQL": "DO $$ BEGIN EXECUTE format('SELECT * FROM %I', 't'); END $$",
    "dynamic SQL in a loop": "DO $$ DECLARE r t; BEGIN FOR r IN EXECUTE 'SELECT * FROM t' LOOP NULL; END LOOP; END $$",
    "an IF": "DO $$ BEGIN IF EXISTS (SELECT FROM t) THEN RAISE NOTICE 'rows'; END IF; END $$",
    "an assignment": "DO $$ DECLARE n int := (SELECT max(a) FROM t); BEGIN NULL; END $$",
    "a handler of all errors that reads": (
        "DO $$ BEGIN PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN PERFORM * FROM t; END $$"
    ),
    "a dynamic cursor": "DO $$ DECLARE c refcursor; BEGIN OPEN c FOR EXECUTE 'SELECT * FROM t'; END $$",
    "INSERT from the table itself": "DO $$ BEGIN INSERT INTO t SELECT * FROM t; END $$",
    "a dynamic write": "DO $$ BEGIN EXECUTE 'INSERT INTO t VALUES ($1, $2)' USING 3, 'z'; END $$",
    "a write WITH": "DO $$ BEGIN WITH w AS (DELETE FROM t RETURNING a) INSERT INTO t SELECT a FROM w; END $$",
    "COPY in a block": "DO $$ BEGIN EXECUTE 'COPY t TO STDOUT'; END $$",
    "a table of rows made by a block": "DO $$ BEGIN CREATE TABLE u AS SELECT * FROM t; END $$",
    "plpgsql": (
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'DECLARE n int; BEGIN SELECT count(*) INTO n FROM t;"
        " RETURN n; END'; SELECT f()"
    ),
    "plpgsql that returns rows": (
        "CREATE FUNCTION f() RETURNS SETOF t LANGUAGE plpgsql AS 'BEGIN RETURN QUERY SELECT * FROM t; END';"
        " SELECT * FROM f()"
    ),
    "plpgsql over the table's own rows": (
        "CREATE FUNCTION f(n int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN n + 1; END'; SELECT f(a) FROM t"
    ),
    "plpgsql that is volatile, with a constant": (
        "CREATE FUNCTION f(n int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN n + 1; END'; SELECT f(1) FROM t"
    ),
    "a function in SQL that writes": (
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'INSERT INTO t VALUES (3)'; SELECT f()"
    ),
    "a function in SQL of two queries": (
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT 1; SELECT count(*) FROM t'; SELECT f()"
    ),
    "a function in SQL with its owner's rights": (
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM t'; SELECT f()"
    ),
    "a function in SQL with settings": (
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql SET work_mem = '8MB' AS 'SELECT count(*) FROM t'; SELECT f()"
    ),
    "a function that calls itself": (
        "CREATE FUNCTION f(n int) RETURNS bigint LANGUAGE sql AS 'SELECT 1'; "
        "CREATE OR REPLACE FUNCTION f(n int) RETURNS bigint LANGUAGE sql AS"
        " 'SELECT CASE WHEN n > 0 THEN f(n - 1) ELSE (SELECT count(*) FROM t) END'; SELECT f(2)"
    ),
    "a procedure": (
        "CREATE PROCEDURE p() LANGUAGE plpgsql AS 'DECLARE n int; BEGIN SELECT count(*) INTO n FROM t; END'; CALL p()"
    ),
    "a procedure in SQL": "CREATE PROCEDURE p() LANGUAGE sql AS 'DELETE FROM t'; CALL p()",
    "an aggregate of one's own": "CREATE AGGREGATE total (int) (sfunc = int4pl, stype = int); SELECT total(a) FROM t",
    "an aggregate's state function": (
        "CREATE FUNCTION s(bigint, int) RETURNS bigint LANGUAGE sql AS 'SELECT $1 + (SELECT count(*) FROM t)';"
        "CREATE AGGREGATE counted (int) (sfunc = s, stype = bigint, initcond = '0');"
        "SELECT counted(g) FROM generate_series(1, 2) g"
    ),
    "a default": (
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM t';"
        "CREATE TABLE h (n bigint DEFAULT f()) USING heap; INSERT INTO h DEFAULT VALUES"
    ),
    "a CHECK of a heap table": (
        "CREATE FUNCTION f(n int) RETURNS bool LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM t WHERE a = n)';"
        "CREATE TABLE h (n int CHECK (f(n))) USING heap; INSERT INTO h VALUES (1)"
    ),
    "a trigger": (
        "CREATE TABLE h (n int) USING heap; CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO t VALUES (new.n, null); RETURN new; END';"
        "CREATE TRIGGER tr AFTER INSERT ON h FOR EACH ROW EXECUTE FUNCTION tf(); INSERT INTO h VALUES (1)"
    ),
    "a rule": (
        "CREATE TABLE h (n int) USING heap; CREATE RULE r AS ON INSERT TO h DO ALSO INSERT INTO t VALUES (new.n, null);"
        "INSERT INTO h VALUES (1)"
    ),
    "a view over plpgsql": (
        "CREATE FUNCTION f() RETURNS SETOF t LANGUAGE plpgsql AS 'BEGIN RETURN QUERY SELECT * FROM t; END';"
        "CREATE VIEW v AS SELECT * FROM f(); SELECT * FROM v"
    ),
    "a heap table's rows through plpgsql": (
        "CREATE TABLE h (n int) USING heap; INSERT INTO h VALUES (1);"
        "CREATE FUNCTION f(n int) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM t); END';"
        "SELECT f(n) FROM h"
    ),
    "a prepared statement of a block": "PREPARE q AS SELECT 1; DO $$ BEGIN EXECUTE 'EXPLAIN SELECT * FROM t'; END $$",
    "query_to_xml and its kin": "SELECT query_to_xml('SELECT * FROM t', true, false, '')",
    "a VOLATILE function that looks while rows change": (
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM t'; UPDATE t SET a = f()"
    ),
}


@pytest.mark.parametrize("shape", READERS)
def test_what_postgres_runs_by_itself_is_refused_over_a_lake_table(lake: Client, shape: str) -> None:
    outcome = lake.simple(READERS[shape])[-1]
    assert outcome.sqlstate == "0A000", outcome
    lake.simple("ROLLBACK")
    assert lake.ok("SELECT a, b FROM t ORDER BY a").text == [("1", "x"), ("2", "y")]


def test_a_volatile_argument_is_evaluated_once_or_refused(lake: Client) -> None:
    lake.ok("CREATE FUNCTION once(x float8) RETURNS bool LANGUAGE sql AS 'SELECT x BETWEEN 0 AND 1'")
    lake.ok("CREATE FUNCTION twice(x float8) RETURNS bool LANGUAGE sql AS 'SELECT x = x'")
    assert lake.ok("SELECT once(random()) FROM t").text == [("t",), ("t",)]
    lake.fails("SELECT twice(random()) FROM t", "0A000")


def test_functions_mean_what_the_search_path_of_the_session_says(lake: Client) -> None:
    schema = lake.ok("SELECT current_schema").text[0][0]
    lake.ok(f"CREATE SCHEMA {schema}_other")
    try:
        lake.ok("CREATE FUNCTION where_am_i(a int) RETURNS text LANGUAGE sql AS $$ SELECT 'here' $$")
        lake.ok(f"CREATE FUNCTION {schema}_other.where_am_i(a int) RETURNS text LANGUAGE sql AS $$ SELECT 'there' $$")
        lake.ok(f"CREATE TABLE {schema}_other.seen (n int)")
        lake.ok(f"INSERT INTO {schema}_other.seen VALUES (5)")
        lake.ok("CREATE TABLE seen (n int)")
        lake.ok("CREATE FUNCTION sees() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM seen'")
        query = f"SELECT where_am_i(a), {schema}.sees() FROM {schema}.t WHERE a = 1"
        assert lake.ok(query).text == [("here", "0")]
        lake.ok(f"SET search_path = {schema}_other, {schema}")
        assert lake.ok(query).text == [("there", "1")]
        assert lake.ok(query).text == [("there", "1")]
    finally:
        lake.ok(f"SET search_path = {schema}")
        lake.ok(f"DROP SCHEMA {schema}_other CASCADE")


def test_a_function_sees_what_its_transaction_has_done(lake: Client) -> None:
    lake.ok("CREATE FUNCTION rows_now() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM t'")
    lake.ok("BEGIN")
    lake.ok("INSERT INTO t VALUES (3, 'z')")
    assert lake.ok("SELECT rows_now()").text == [("3",)]
    lake.ok("CREATE FUNCTION of_this_transaction() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT rows_now() * 2'")
    assert lake.ok("SELECT of_this_transaction()").text == [("6",)]
    lake.ok("ROLLBACK")
    assert lake.ok("SELECT rows_now()").text == [("2",)]
    lake.fails("SELECT of_this_transaction()", "42883")
