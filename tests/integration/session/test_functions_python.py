"""Functions in Python: who may write them, what they see and give, how they fail and are stopped."""

from __future__ import annotations

import threading
import time

import pytest
from harness.client import Client
from harness.workspace import Workspace


@pytest.fixture
def lake(client: Client) -> Client:
    client.ok("CREATE TABLE t (a int, b text, n numeric(8,2), d date)")
    client.ok("INSERT INTO t VALUES (1, 'x', 1.50, '2024-02-28'), (2, 'y', 2.25, '2024-12-31'), (3, NULL, NULL, NULL)")
    return client


def define(client: Client, head: str, body: str, language: str = "python") -> None:
    client.ok(f"CREATE FUNCTION {head} LANGUAGE {language} IMMUTABLE AS $py${body}$py$")


def test_a_function_is_a_body_over_its_arguments(lake: Client) -> None:
    define(
        lake,
        "shout(word text, times int) RETURNS text",
        "if word is None:\n    return '-'\nreturn word.upper() * times",
    )
    assert lake.ok("SELECT shout(b, a) FROM t ORDER BY a").text == [("X",), ("YY",), ("-",)]
    assert lake.ok("SELECT a FROM t WHERE shout(b, 1) = 'Y'").text == [("2",)]
    assert lake.ok("SELECT shout(times => 3, word => 'ab')").text == [("ABABAB",)]
    assert lake.ok("SELECT shout(min(b), count(*)::int) FROM t").text == [("XXX",)]


def test_it_runs_without_lake_tables_and_over_ordinary_ones(lake: Client) -> None:
    define(lake, "plus(int, int) RETURNS int", "return args[0] + args[1]")
    assert lake.ok("SELECT plus(20, 22)").text == [("42",)]
    lake.ok("CREATE TABLE h (n int) USING heap")
    lake.ok("INSERT INTO h VALUES (1), (2)")
    assert lake.ok("SELECT plus(n, 1) FROM h ORDER BY 1").text == [("2",), ("3",)]
    lake.ok("INSERT INTO t (a, b) SELECT plus(a, 10), 'new' FROM t WHERE a = 1")
    lake.ok("UPDATE t SET a = plus(a, 100) WHERE b = 'new'")
    assert lake.ok("SELECT a FROM t WHERE b = 'new'").text == [("111",)]


def test_a_strict_function_is_not_called_for_null(lake: Client) -> None:
    define(lake, "size(word text) RETURNS int STRICT", "return len(word)")
    assert lake.ok("SELECT size(b) FROM t ORDER BY a").text == [("1",), ("1",), (None,)]


VALUES = {
    "boolean": ("true", "bool"),
    "smallint": ("-3", "int"),
    "integer": ("2147483647", "int"),
    "bigint": ("'-9223372036854775808'", "int"),
    "real": ("1.5", "float"),
    "double precision": ("-2.25", "float"),
    "numeric": ("12345.67", "Decimal"),
    "text": ("'é'", "str"),
    "varchar": ("'a b'", "str"),
    "bytea": (r"'\x00ff'", "bytes"),
    "date": ("'2024-02-29'", "date"),
    "time": ("'10:11:12.5'", "time"),
    "timestamp": ("'2024-02-29 10:11:12.123456'", "datetime"),
    "timestamptz": ("'2024-02-29 10:11:12+00'", "datetime"),
    "uuid": ("'11111111-2222-3333-4444-555555555555'", "UUID"),
    "jsonb": ("""'{"a": [1, 2]}'""", "str"),
    "int[]": ("'{1,2}'", "list"),
    "text[]": ("'{a,NULL}'", "list"),
}


@pytest.mark.parametrize("kind", VALUES)
def test_values_cross_both_ways(client: Client, kind: str) -> None:
    text, seen = VALUES[kind]
    define(client, f"same(v {kind}) RETURNS {kind}", "return v")
    define(client, f"kind_of(v {kind}) RETURNS text", "return type(v).__name__")
    value = f"{text}::{kind}"
    assert client.ok(f"SELECT same({value}) = {value}, kind_of({value}), same(NULL::{kind}) IS NULL").text == [
        ("t", seen, "t")
    ]


def test_it_is_called_for_rows_that_are_there_and_no_others(lake: Client) -> None:
    lake.ok("CREATE TABLE few (k int, n int)")  # a file with dictionaries
    lake.ok("INSERT INTO few SELECT i % 10, nullif(i % 7, 3) FROM generate_series(1, 20000) AS i")
    define(lake, "careful(a int) RETURNS bigint", "return 10 // (a - 5)")
    assert lake.ok("SELECT count(careful(k)) FROM few WHERE k <> 5").text == [("18000",)]
    assert lake.ok("SELECT count(CASE WHEN k <> 5 THEN careful(k) END) FROM few").text == [("18000",)]
    assert lake.ok("SELECT count(*) FROM few WHERE n <> 5 AND careful(n) < 0").text == [("11429",)]


def test_an_error_names_the_function_and_the_line(lake: Client) -> None:
    define(lake, "fails(a int) RETURNS int", "if a == 2:\n    raise ValueError('not two')\nreturn a")
    outcome = lake.fails("SELECT fails(a) FROM t", "38000")
    assert outcome.message == "ValueError: not two"
    define(lake, "wrong(a int) RETURNS int", "return 'abc'")
    lake.fails("SELECT wrong(a) FROM t", "38000")
    define(lake, "broken(a int) RETURNS int", "return a +")
    lake.fails("SELECT broken(a) FROM t", "42601")
    define(lake, "dies(a int) RETURNS int", "import os\nos._exit(1)")
    lake.fails("SELECT dies(a) FROM t", "38000")
    assert lake.ok("SELECT count(*) FROM t").text == [("3",)]


def test_arrays_at_a_time(lake: Client) -> None:
    body = "import pyarrow.compute as pc\nreturn pc.multiply(pc.add(a, 1), 10)"
    define(lake, "tens(a bigint) RETURNS bigint STRICT", body, "python_arrow")
    assert lake.ok("SELECT tens(a), tens(NULL) FROM t ORDER BY a").text == [("20", None), ("30", None), ("40", None)]
    define(lake, "short(a bigint) RETURNS bigint", "return a[:0]", "python_arrow")
    lake.fails("SELECT short(a) FROM t", "38000")


def test_what_is_kept_in_sd_lives_on_in_the_process(lake: Client) -> None:
    define(lake, "calls(a int) RETURNS int", "SD['n'] = SD.get('n', 0) + 1\nreturn SD['n']")
    assert lake.ok("SELECT max(calls(a)) FROM t").text == [("3",)]


def test_the_keys_of_the_storage_are_not_in_its_environment(lake: Client) -> None:
    define(
        lake, "names() RETURNS text", "import os\nreturn ' '.join(n for n in os.environ if 'AWS' in n or 'MERE' in n)"
    )
    assert lake.ok("SELECT names()").text == [("",)]


def test_a_new_body_is_the_one_that_runs(lake: Client) -> None:
    define(lake, "which() RETURNS int", "return 1")
    assert lake.ok("SELECT which() FROM t WHERE a = 1").text == [("1",)]
    lake.ok("CREATE OR REPLACE FUNCTION which() RETURNS int LANGUAGE python IMMUTABLE AS 'return 2'")
    assert lake.ok("SELECT which() FROM t WHERE a = 1").text == [("2",)]
    lake.ok("DROP FUNCTION which()")
    lake.fails("SELECT which() FROM t", "42883")


def test_statement_timeout_and_cancel_end_an_endless_function(lake: Client) -> None:
    define(lake, "endless(a int) RETURNS int", "while True: pass")
    lake.ok("SET statement_timeout = '500ms'")
    began = time.monotonic()
    lake.fails("SELECT endless(a) FROM t", "57014")
    assert time.monotonic() - began < 10
    lake.ok("RESET statement_timeout")
    canceller = threading.Timer(0.5, lake.cancel)
    canceller.start()
    lake.fails("SELECT endless(a) FROM t", "57014")
    canceller.join()
    assert lake.ok("SELECT count(*) FROM t").text == [("3",)]


def test_only_members_of_mere_python_may_write_them_and_execute_is_a_right(lake: Client, space: Workspace) -> None:
    role = space.role("coder")
    lake.ok(f"GRANT CREATE ON SCHEMA {space.schema} TO {role}")
    coder = space.client(user=role)
    coder.fails("CREATE FUNCTION mine() RETURNS int LANGUAGE python AS 'return 1'", "42501")
    define(lake, "ours() RETURNS int", "return 1")
    assert coder.ok("SELECT ours()").text == [("1",)]
    lake.ok("REVOKE EXECUTE ON FUNCTION ours FROM PUBLIC")
    coder.fails("SELECT ours()", "42501")
    lake.ok(f"GRANT mere_python TO {role}")
    coder.ok("CREATE FUNCTION mine() RETURNS int LANGUAGE python AS 'return 1'")
    lake.ok(f"REVOKE mere_python FROM {role}")


def test_what_python_cannot_be_is_refused_when_it_is_written(client: Client) -> None:
    client.fails("CREATE FUNCTION f() RETURNS SETOF int LANGUAGE python AS 'return 1'", "0A000")
    client.fails("CREATE FUNCTION f(v interval) RETURNS int LANGUAGE python AS 'return 1'", "0A000")
    client.fails("CREATE FUNCTION f() RETURNS trigger LANGUAGE python AS 'return 1'", "0A000")
    client.fails("CREATE PROCEDURE p() LANGUAGE python AS 'pass'", "0A000")
    client.fails("DO LANGUAGE python 'pass'", "0A000")


def test_postgres_itself_does_not_run_them(lake: Client) -> None:
    define(lake, "one() RETURNS int", "return 1")
    lake.fails("DO $$ BEGIN PERFORM one(); END $$", "0A000")
    lake.ok("CREATE TABLE h (n int DEFAULT one()) USING heap")
    lake.fails("INSERT INTO h DEFAULT VALUES", "0A000")
