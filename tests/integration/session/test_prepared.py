"""Prepared statements, portals and cursors over the lake: one room of names, whichever way they were made."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from harness.client import Client
from harness.mere import PASSWORD
from harness.raw import RawClient, kinds
from harness.workspace import Workspace

from mere.wire import requests
from mere.wire.backend import read_data_row, read_error, read_tag

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def table(client: Client) -> Client:
    client.ok("CREATE TABLE t (id int, s text)")
    client.ok("INSERT INTO t SELECT g, 's' || g FROM generate_series(1, 10) g")
    return client


@pytest.fixture
def connection(space: Workspace, table: Client) -> Iterator[Connection]:
    with psycopg.connect(space.server.conninfo(), autocommit=True) as connection:
        connection.execute(f"SET search_path = {space.schema}")
        yield connection


def test_prepare_execute_deallocate(table: Client) -> None:
    table.ok("PREPARE p (int) AS SELECT s FROM t WHERE id = $1")
    assert table.ok("EXECUTE p (3)").value == "s3"
    assert table.ok("EXPLAIN EXECUTE p (3)").rows
    table.fails("PREPARE p AS SELECT 1", "42P05")
    table.fails("EXECUTE p (1, 2)", "42601")
    table.fails("EXECUTE p ('x')", "22P02")
    table.ok("DEALLOCATE p")
    table.fails("EXECUTE p (3)", "26000")
    table.ok("PREPARE p AS SELECT 1")
    assert table.ok("EXECUTE p").value == "1"
    table.ok("PREPARE w AS INSERT INTO t VALUES ($1, $2)")
    assert table.ok("EXECUTE w (11, NULL)").tag == "INSERT 0 1"
    table.ok("DEALLOCATE ALL")
    table.fails("EXECUTE w (11, NULL)", "26000")


def test_sql_drops_what_the_protocol_prepared(connection: Connection) -> None:
    for value in (1, 2):
        connection.execute("SELECT s FROM t WHERE id = %s", (value,), prepare=True)
    names = [name for name in ("_pg3_0", "_pg3_1") if _deallocates(connection, name)]
    assert names == ["_pg3_0"]


def _deallocates(connection: Connection, name: str) -> bool:
    try:
        connection.execute(f"DEALLOCATE {name}".encode())
    except psycopg.errors.InvalidSqlStatementName:
        return False
    return True


async def test_a_plan_whose_columns_changed_says_so_as_postgresql_does(space: Workspace, table: Client) -> None:
    async with await RawClient.connect(space.server.port) as raw:
        await raw.login("mere", PASSWORD, "mere")
        await raw.query(f"SET search_path = {space.schema}")
        raw.send(requests.parse("p", "SELECT * FROM t"), requests.SYNC)
        await raw.read_until()
        table.ok("ALTER TABLE t ADD COLUMN extra int")
        raw.send(requests.bind("", "p"), requests.execute(""), requests.SYNC)
        error = read_error(next(piece for piece in await raw.read_until() if piece[:1] == b"E"))
        assert (error.sqlstate, error.fields["R"]) == ("0A000", "RevalidateCachedQuery")


async def test_portals_in_portions_within_a_pipeline_of_both_kinds(space: Workspace, table: Client) -> None:
    async with await RawClient.connect(space.server.port) as raw:
        await raw.login("mere", PASSWORD, "mere")
        await raw.query(f"SET search_path = {space.schema}")
        raw.send(
            requests.parse("", "SELECT id FROM t ORDER BY id"),
            requests.bind("lake", ""),
            requests.parse("", "SELECT generate_series(1, 3)"),
            requests.bind("heap", ""),
            requests.execute("lake", 4),
            requests.execute("heap", 2),
            requests.execute("lake", 4),
            requests.execute("heap", 2),
            requests.execute("lake", 4),
            requests.SYNC,
        )
        received = await raw.read_until()
        assert kinds(received) == b"1212" + b"DDDDs" + b"DDs" + b"DDDDs" + b"DC" + b"DDC" + b"Z"
        assert read_tag(received[-2]) == "SELECT 2"
        raw.send(requests.execute("lake", 1), requests.SYNC)
        assert read_error((await raw.read_until())[0]).sqlstate == "34000"


async def test_an_error_undoes_the_whole_pipeline(space: Workspace, table: Client) -> None:
    async with await RawClient.connect(space.server.port) as raw:
        await raw.login("mere", PASSWORD, "mere")
        await raw.query(f"SET search_path = {space.schema}; CREATE TEMP TABLE h (a int) USING heap")
        for statement in ("INSERT INTO h VALUES (1)", "INSERT INTO t VALUES (20, 'x')", "SELECT 1 / 0 FROM t"):
            raw.send(requests.parse("", statement), requests.bind("", ""), requests.execute(""))
        raw.send(requests.parse("", "INSERT INTO t VALUES (21, 'y')"), requests.bind("", ""), requests.execute(""))
        raw.send(requests.SYNC)
        received = await raw.read_until()
        assert kinds(received) == b"12C12C12EZ"
        assert received[-1][5:] == b"I"
        received = await raw.query("SELECT count(*) FROM h")
        assert read_data_row(received[1]) == ("0",)
    assert table.ok("SELECT count(*) FROM t").value == "10"


def test_server_side_cursors_of_psycopg(connection: Connection) -> None:
    with connection.transaction(), connection.cursor("sc") as cursor:
        cursor.itersize = 3
        cursor.execute("SELECT id FROM t WHERE id < %s ORDER BY id", (8,))
        assert cursor.fetchmany(2) == [(1,), (2,)]
        cursor.scroll(1)
        assert cursor.fetchall() == [(4,), (5,), (6,), (7,)]
    with connection.transaction(), connection.cursor("held", withhold=True) as cursor:
        cursor.execute("SELECT id FROM t ORDER BY id")
        assert cursor.fetchone() == (1,)


def test_cursors(table: Client) -> None:
    table.ok("BEGIN")
    table.ok("DECLARE c CURSOR FOR SELECT id FROM t ORDER BY id")
    assert table.ok("FETCH 3 FROM c").text == [("1",), ("2",), ("3",)]
    assert table.ok("MOVE 2 IN c").tag == "MOVE 2"
    assert table.ok("FETCH c").text == [("6",)]
    assert table.ok("FETCH ALL FROM c").tag == "FETCH 4"
    assert table.ok("FETCH c").rows == []
    table.fails("FETCH BACKWARD 1 FROM c", "55000")
    table.ok("ROLLBACK")
    table.fails("FETCH c", "34000")
    table.fails("DECLARE c CURSOR FOR SELECT id FROM t", "25P01")


def test_held_cursors_live_on_after_commit_only(table: Client) -> None:
    declare = "DECLARE c CURSOR WITH HOLD FOR SELECT id FROM t ORDER BY id"
    table.ok("BEGIN")
    table.ok(declare)
    table.ok("COMMIT")
    table.ok("DELETE FROM t")
    assert table.ok("FETCH 2 FROM c").text == [("1",), ("2",)]
    table.ok("BEGIN")
    table.fails("SELECT 1/0", "22012")
    table.ok("ROLLBACK")
    assert table.ok("FETCH c").text == [("3",)]
    table.ok("CLOSE c")
    table.ok("BEGIN")
    table.ok(declare)
    table.ok("ROLLBACK")
    table.fails("FETCH c", "34000")


def test_parameters_of_statements_that_hold_a_query(connection: Connection) -> None:
    assert connection.execute("EXPLAIN SELECT * FROM t WHERE id = %s", (3,)).fetchone()
    connection.execute("CREATE TABLE few AS SELECT * FROM t WHERE id <= %s", (4,))
    assert connection.execute("SELECT count(*) FROM few").fetchone() == (4,)
    with connection.transaction():
        connection.execute("DECLARE c CURSOR FOR SELECT s FROM t WHERE id = %s", (5,))
        assert connection.execute("FETCH c").fetchone() == ("s5",)


QUESTIONS = {
    "bigint": ("k = $1", ["1", "4711", "-3", "9223372036854775807", "0", "-9223372036854775808", None]),
    "integer": ("5 - $1 < i AND i <> -$1", ["1", "-3", "0", "2147483647", None]),
    "text": ("s = $1", ["x1", "it's", "", "--", "-- x", None, "(1)", '"', "\\", "x-3"]),
    "list": ("k IN ($1, 7, -1)", ["1", "-3", None, "9"]),
    "between": ("i BETWEEN -2 AND ($1)", ["1", "-3", None, "2147483647"]),
    "uuid": ("u = $1", ["00000000-0000-0000-0000-000000000007", "FFFFFFFF-ffff-ffff-ffff-ffffffffffff", None]),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_values_that_change_from_one_execution_to_the_next(client: Client, question: str) -> None:
    """After the first few the statement is not bound again: it means the same."""
    client.ok("CREATE TABLE t (k bigint, i int, s text, u uuid)")
    client.ok("INSERT INTO t SELECT g, g, 'x' || g, lpad(to_hex(abs(g)), 32, '0')::uuid FROM generate_series(-5, 20) g")
    client.ok("INSERT INTO t VALUES (9223372036854775807, 2147483647, 'it''s', 'ffffffffffffffffffffffffffffffff')")
    client.ok("INSERT INTO t VALUES (-9223372036854775808, -2147483648, '--', NULL), (NULL, NULL, '', NULL)")
    condition, values = QUESTIONS[question]
    sql = f"SELECT k, s FROM t WHERE {condition} ORDER BY k, s"
    kind = {"text": "text", "uuid": "uuid", "integer": "int", "between": "int"}.get(question, "bigint")
    for value in [*values, *values]:
        literal = "NULL" if value is None else "'" + value.replace("'", "''") + "'"
        expected = client.ok(sql.replace("$1", f"({literal}::{kind})"))
        assert client.extended(sql, [value]).rows == expected.rows, value
        assert client.extended(sql, [value], binary=True).sqlstate is None
    found = client.extended(sql.replace("$1", "$1::int") if kind == "bigint" else sql, [values[0]])
    assert found.sqlstate is None


def test_a_value_that_is_none_of_the_type(client: Client) -> None:
    client.ok("CREATE TABLE t (k bigint)")
    for value in ("1", "2", "3"):
        assert client.extended("SELECT k FROM t WHERE k = $1", [value]).sqlstate is None
    assert client.extended("SELECT k FROM t WHERE k = $1", ["three"]).sqlstate == "22P02"
    assert client.extended("SELECT k FROM t WHERE k = $1", ["9223372036854775808"]).sqlstate == "22003"
