"""Every type at its edges, on the wire: text and binary, in and out, by parameters and by COPY, as PostgreSQL has it.

PostgreSQL's own bytes are what is sent and what must come back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from conformance.boundaries import BOUNDARIES, REFUSALS, REFUSED_TYPES, Boundary, Refusal
from harness.client import Client, Outcome
from harness.postgres import Peer
from harness.workspace import Workspace

TEXT, BINARY = 0, 1


@dataclass(frozen=True, slots=True)
class Wire:
    """What PostgreSQL sends for one value (and once for NULL) in each format."""

    oid: int
    text: tuple[bytes | None, ...]
    binary: tuple[bytes | None, ...]

    def of(self, form: int) -> tuple[bytes | None, ...]:
        return self.binary if form == BINARY else self.text


@pytest.fixture(scope="module")
def truth(peer: Peer) -> Iterator[Client]:
    with Client(peer.conninfo) as plain:
        plain.ok("SET timezone = 'UTC'")
        yield plain


def ask(client: Client, sql: str, values: list[bytes | None], forms: list[int], oid: int, result: int) -> Outcome:
    """One statement with parameters of the given formats and type."""
    connection = client.connection
    connection.send_query_params(
        sql.encode(), values, param_types=[oid] * len(values), param_formats=forms, result_format=result
    )
    return client.results()[-1]


def wire(truth: Client, type_name: str, values: tuple[str, ...]) -> Wire:
    """The values as PostgreSQL sends them, with a NULL at the end."""
    listed = ", ".join([*(f"(${number})" for number in range(1, len(values) + 1)), "(NULL)"])
    sql = f"SELECT v::{type_name} FROM (VALUES {listed}) AS s(v)"
    given: list[bytes | None] = [value.encode() for value in values]
    told = [ask(truth, sql, given, [TEXT] * len(given), 25, form) for form in (TEXT, BINARY)]
    assert told[0].sqlstate is None, told[0].message
    text, binary = (tuple(row[0] for row in outcome.rows) for outcome in told)
    return Wire(told[0].type_oids[0], text, binary)


def columns(boundary: Boundary) -> list[tuple[str, tuple[str, ...]]]:
    """The type and its array, each with its values."""
    arrays = ("{}", "{NULL}", boundary.array_literal)
    return [(boundary.type, boundary.values), (boundary.type + "[]", arrays)]


CASES = [
    pytest.param(type_name, values, id=boundary.name + ("[]" if number else ""))
    for boundary in BOUNDARIES
    for number, (type_name, values) in enumerate(columns(boundary))
]


@pytest.mark.parametrize(("type_name", "values"), CASES)
def test_parameters_go_in_and_come_out_as_postgres_sends_them(
    space: Workspace, truth: Client, type_name: str, values: tuple[str, ...]
) -> None:
    expected = wire(truth, type_name, values)
    client = space.client()
    client.ok(f"CREATE TABLE t (n int, v {type_name})")
    for form in (TEXT, BINARY):
        rows = expected.of(form)
        places = ", ".join(f"({number}, ${number + 1})" for number in range(len(rows)))
        stored = ask(client, f"INSERT INTO t VALUES {places}", list(rows), [form] * len(rows), expected.oid, TEXT)
        assert stored.tag == f"INSERT 0 {len(rows)}", stored.message
        for result in (TEXT, BINARY):
            read = ask(client, "SELECT v FROM t ORDER BY n", [], [], 0, result)
            assert read.sqlstate is None, read.message
            assert read.type_oids == [expected.oid]
            assert [row[0] for row in read.rows] == list(expected.of(result)), f"in {form}, out {result}"
        client.ok("TRUNCATE t")


@pytest.mark.parametrize(("type_name", "values"), CASES)
def test_copy_in_every_format_carries_the_same_bytes_as_postgres(
    space: Workspace, truth: Client, type_name: str, values: tuple[str, ...]
) -> None:
    client = space.client()
    expected = wire(truth, type_name, values)
    create = f"CREATE {{}}TABLE {{}} (n int, v {type_name})"
    client.ok(create.format("", "t"))
    truth.ok("DROP TABLE IF EXISTS pg_temp.t")
    truth.ok(create.format("TEMP ", "t"))
    places = ", ".join(f"({number}, ${number + 1})" for number in range(len(expected.text)))
    filled = ask(
        truth, f"INSERT INTO t VALUES {places}", list(expected.text), [TEXT] * len(expected.text), expected.oid, TEXT
    )
    assert filled.sqlstate is None, filled.message
    for form in ("text", "csv", "binary"):
        sent = truth.ok(f"COPY (SELECT * FROM t ORDER BY n) TO STDOUT (FORMAT {form})").copied
        assert client.ok(f"COPY t FROM STDIN (FORMAT {form})", sent).tag == f"COPY {len(expected.text)}"
        got = client.ok(f"COPY (SELECT * FROM t ORDER BY n) TO STDOUT (FORMAT {form})").copied
        assert got == sent, form
        client.ok("TRUNCATE t")


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: f"{refusal.type} {refusal.value}")
def test_a_value_that_the_lake_cannot_hold_is_refused_on_every_road(space: Workspace, refusal: Refusal) -> None:
    client = space.client()
    client.ok(f"CREATE TABLE t (v {refusal.type})")
    assert client.extended("INSERT INTO t VALUES ($1)", [refusal.value]).sqlstate == refusal.sqlstate
    assert client.run(f"INSERT INTO t VALUES ('{refusal.value}')").sqlstate == refusal.sqlstate
    assert client.ok("SELECT count(*) FROM t").value == "0"


def test_types_that_the_lake_does_not_have_are_refused_when_a_table_is_made(client: Client) -> None:
    for name in REFUSED_TYPES:
        client.fails(f"CREATE TABLE t (v {name})", "0A000")
        client.fails(f"CREATE TABLE t (v {name}[])", "0A000")


def test_fractions_of_as_many_digits_as_there_may_be(client: Client) -> None:
    """With the zero before the point they have one digit more than the engine's numbers."""
    values = ["-0." + 38 * "9", "0." + 37 * "0" + "1", "0.1" + 37 * "0"]
    client.ok("CREATE TABLE t (v numeric(38,38))")
    for value in values:
        assert client.extended("INSERT INTO t VALUES ($1)", [value]).sqlstate is None
        assert client.ok(f"SELECT v FROM t WHERE v = {value}").text == [(value,)]
    client.ok(f"INSERT INTO t VALUES {', '.join(f'({value})' for value in values)}")
    assert client.ok("SELECT DISTINCT v FROM t ORDER BY v").text == [(value,) for value in values]
