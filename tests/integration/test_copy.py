"""COPY from and to the client and object storage, as psql, drivers and pg_dump scripts use it."""

from __future__ import annotations

import psycopg
import pytest
from harness.client import Client
from harness.workspace import Workspace

from mere.demo.seaweed import SeaweedFS


@pytest.fixture
def table(client: Client) -> Client:
    client.ok("CREATE TABLE t (id int, s text, n numeric(10,2), d date)")
    return client


def test_a_large_copy_in_keeps_every_row(table: Client) -> None:
    lines = b"".join(
        f"{number}\tvalue {number}\t{number}.25\t2024-01-{number % 28 + 1:02}\n".encode() for number in range(200_000)
    )
    assert table.ok("COPY t FROM STDIN", lines).tag == "COPY 200000"
    assert table.ok("SELECT count(*), sum(id), min(n), max(s) FROM t").text == [
        ("200000", "19999900000", "0.25", "value 99999")
    ]


def test_a_large_copy_out_gives_back_what_went_in(table: Client) -> None:
    table.ok("INSERT INTO t SELECT g, 'line ' || g || E'\\ttab', g / 4.0, NULL FROM generate_series(1, 50000) g")
    copied = table.ok("COPY (SELECT * FROM t ORDER BY id) TO STDOUT").copied
    assert copied.count(b"\n") == 50_000
    table.ok("TRUNCATE t")
    assert table.ok("COPY t FROM STDIN", copied).tag == "COPY 50000"
    assert table.ok("COPY (SELECT * FROM t ORDER BY id) TO STDOUT").copied == copied


def test_rows_split_anywhere_between_messages(space: Workspace, table: Client) -> None:
    """CopyData may cut rows, quotes and characters wherever it likes."""
    text = 'id,s\r\n1,"a ""q"" ü,\n second line"\r\n2,"€uro"\r\n3,plain\r\n'.encode()
    with psycopg.connect(space.server.conninfo(), autocommit=True) as connection:
        connection.execute(f"SET search_path = {space.schema}")
        with connection.cursor().copy("COPY t (id, s) FROM STDIN (FORMAT csv, HEADER)") as copy:
            for byte in text:
                copy.write(bytes([byte]))
    assert table.ok("SELECT id, s FROM t ORDER BY id").text == [
        ("1", 'a "q" ü,\n second line'),
        ("2", "€uro"),
        ("3", "plain"),
    ]


def test_a_bad_row_late_in_the_stream_leaves_nothing(table: Client) -> None:
    lines = b"".join(f"{number}\tx\t1\t2024-01-01\n".encode() for number in range(50_000)) + b"oops\tx\t1\t2024-01-01\n"
    outcome = table.run("COPY t FROM STDIN", lines)
    assert outcome.sqlstate == "22P02", outcome
    assert table.ok("SELECT count(*) FROM t").value == "0"
    assert table.transaction == "I"


def test_copy_fail_from_the_client_leaves_nothing(space: Workspace, table: Client) -> None:
    with psycopg.connect(space.server.conninfo(), autocommit=True) as connection:
        connection.execute(f"SET search_path = {space.schema}")
        with pytest.raises(RuntimeError), connection.cursor().copy("COPY t (id) FROM STDIN") as copy:
            copy.write("1\n2\n")
            raise RuntimeError("the client changed its mind")
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
    assert table.ok("SELECT count(*) FROM t").value == "0"


def test_copy_in_a_transaction_is_part_of_it(table: Client) -> None:
    table.ok("BEGIN")
    table.ok("COPY t (id) FROM STDIN", b"1\n2\n")
    assert table.ok("SELECT count(*) FROM t").value == "2"
    table.ok("ROLLBACK")
    assert table.ok("SELECT count(*) FROM t").value == "0"


def test_defaults_generated_values_and_column_lists(client: Client) -> None:
    client.ok("CREATE TABLE g (id serial, v text DEFAULT 'dflt', w int)")
    client.ok("COPY g (w) FROM STDIN", b"10\n20\n30\n")
    assert client.ok("SELECT count(DISTINCT id), min(v), sum(w) FROM g").text == [("3", "dflt", "60")]


def test_text_format_escapes(table: Client) -> None:
    table.ok("COPY t (id, s) FROM STDIN", b"1\ta\\tb\\nc\\\\d\\x41\\101\n2\t\\N\n3\t\n4\t\\.x\n")
    assert table.ok("SELECT s FROM t WHERE id = 1").value == "a\tb\nc\\dAA"
    assert table.ok("SELECT id FROM t WHERE s IS NULL").value == "2"
    assert table.ok("SELECT id FROM t WHERE s = ''").value == "3"


def test_end_marker_and_line_endings(table: Client) -> None:
    table.ok("COPY t (id, s) FROM STDIN", b"1\tx\r\n2\ty\r\n\\.\r\n")
    assert table.ok("SELECT id, s FROM t ORDER BY id").text == [("1", "x"), ("2", "y")]
    table.ok("COPY t (id, s) FROM STDIN CSV", b'3,"no newline at the end"')
    assert table.ok("SELECT s FROM t WHERE id = 3").value == "no newline at the end"


def test_invalid_utf8_and_zero_bytes_are_refused(table: Client) -> None:
    for data in (b"1\t\xff\xfe\n", b"1\ta\x00b\n", b"1\t\xe2\x82\n"):
        outcome = table.run("COPY t (id, s) FROM STDIN", data)
        assert outcome.sqlstate == "22021", (data, outcome)
    assert table.ok("SELECT count(*) FROM t").value == "0"


def test_copy_of_heap_and_temp_tables_goes_to_postgres(client: Client) -> None:
    client.ok("CREATE TEMP TABLE tmp (a int, b text)")
    client.ok("COPY tmp FROM STDIN", b"1\tx\n2\ty\n")
    assert client.ok("COPY tmp TO STDOUT").copied == b"1\tx\n2\ty\n"
    client.ok("CREATE TABLE h (a int) USING heap")
    client.ok("COPY h FROM STDIN", b"5\n")
    assert client.ok("SELECT a FROM h").value == "5"


def test_object_storage_round_trip(space: Workspace, table: Client, object_store: SeaweedFS) -> None:
    table.ok("INSERT INTO t SELECT g, 'v' || g, g / 4.0, date '2024-01-01' + g FROM generate_series(1, 1000) g")
    for kind, name in (("parquet", "t.parquet"), ("csv", "t.csv"), ("json", "t.jsonl")):
        url = f"{object_store.url}/exchange/{space.schema}/{name}"
        header = ", HEADER" if kind == "csv" else ""
        assert table.ok(f"COPY t TO '{url}' (FORMAT {kind}{header})").tag == "COPY 1000"
        table.ok(f"CREATE TABLE back_{kind} (LIKE t)")
        assert table.ok(f"COPY back_{kind} FROM '{url}' (FORMAT {kind}{header})").tag == "COPY 1000"
        assert table.ok(f"SELECT count(*) FROM (SELECT * FROM t EXCEPT SELECT * FROM back_{kind}) x").value == "0"


def test_binary_copy_has_a_header_and_an_end(space: Workspace, table: Client) -> None:
    table.ok("INSERT INTO t VALUES (1, 'x', 1.5, '2024-01-01')")
    copied = table.ok("COPY t TO STDOUT (FORMAT binary)").copied
    assert copied.startswith(b"PGCOPY\n\xff\r\n\0") and copied.endswith(b"\xff\xff")
