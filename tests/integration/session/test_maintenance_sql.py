"""VACUUM of lake tables and mere.maintain(): what they do, for whom, and where."""

from __future__ import annotations

import datetime

import psycopg
import pytest
from harness.client import Client
from harness.workspace import Workspace


@pytest.fixture
def worn(client: Client) -> Client:
    """A table of six small files."""
    client.ok("CREATE TABLE t (id int, v text)")
    for number in range(6):
        client.ok(f"INSERT INTO t SELECT g, 'v' FROM generate_series({number * 10 + 1}, {number * 10 + 10}) g")
    return client


def done(client: Client, space: Workspace) -> list[tuple[str | None, ...]]:
    return client.ok(
        "SELECT origin, kind, files_replaced, files_written, gave_way FROM mere.maintenance_log"
        f" WHERE relation LIKE '{space.schema}.%' ORDER BY started"
    ).text


def test_vacuum_makes_few_files_of_many_and_full_leaves_no_deleted_row(worn: Client, space: Workspace) -> None:
    worn.ok("VACUUM t")
    assert done(worn, space) == [("vacuum", "merge", "6", "1", "0")]
    worn.ok("DELETE FROM t WHERE id <= 5")
    worn.ok("VACUUM t")
    assert len(done(worn, space)) == 1, "five rows of sixty are not worth a new file"
    worn.ok("VACUUM (FULL, VERBOSE) t")
    assert done(worn, space)[1:] == [("vacuum", "rewrite", "1", "1", "0")]
    assert any("vacuuming: rewrite" in message for _, message in worn.notices)
    assert worn.ok("SELECT count(*), sum(id) FROM t").text == [("55", str(sum(range(6, 61))))]


def test_vacuum_of_lake_tables_beside_tables_of_postgres(worn: Client, space: Workspace) -> None:
    worn.ok("CREATE TABLE h (id int) USING heap")
    worn.ok("VACUUM (ANALYZE) h, t (id)")
    assert done(worn, space) == [("vacuum", "merge", "6", "1", "0")]
    worn.fails("VACUUM t, nowhere", "42P01")
    worn.ok("BEGIN")
    worn.fails("VACUUM t", "25001")
    worn.ok("ROLLBACK")


def test_vacuum_and_maintain_of_a_partitioned_table(client: Client, space: Workspace) -> None:
    client.ok("CREATE TABLE p (id int, v text) PARTITION BY LIST (v)")
    client.ok("CREATE TABLE p_a PARTITION OF p FOR VALUES IN ('a')")
    client.ok("CREATE TABLE p_b PARTITION OF p FOR VALUES IN ('b')")
    for number in range(5):
        client.ok(f"INSERT INTO p VALUES ({number}, 'a'), ({number}, 'b')")
    looked = client.ok("SELECT of_relation, files_replaced FROM mere.maintain('p', dry_run => true)").text
    assert looked == [(f"{space.schema}.p_a", "5"), (f"{space.schema}.p_b", "5")]
    client.ok("VACUUM p")
    assert [row[1:3] for row in done(client, space)] == [("merge", "5")] * 2
    assert client.ok("SELECT count(*), sum(id) FROM p").text == [("10", "20")]


def test_maintain_answers_like_any_table_function(worn: Client, space: Workspace) -> None:
    looked = "SELECT kind, of_relation, files_replaced FROM mere.maintain('t', dry_run => true)"
    assert worn.ok(looked).text == [("merge", f"{space.schema}.t", "6")]
    assert done(worn, space) == [], "looking does nothing"
    assert worn.ok("SELECT sum(files_written) FROM mere.maintain('t', ARRAY['flush', 'merge'])").value == "1"
    assert worn.ok("SELECT count(*) FROM mere.maintain('t')").value == "0"
    for number in range(6):
        worn.ok(f"INSERT INTO t VALUES ({number}, 'w')")
    with psycopg.connect(space.server.conninfo(), autocommit=True) as driver:
        driver.execute(f"SET search_path = {space.schema}")
        cursor = driver.cursor(binary=True)
        cursor.execute("SELECT kind, files_replaced, duration FROM mere.maintain(%s) WHERE gave_way = %s", ["t", 0])
        ((kind, files, duration),) = cursor.fetchall()
        assert (kind, files) == ("merge", 7)
        assert isinstance(duration, datetime.timedelta)
    assert worn.ok("SELECT count(*) FROM t").value == "66"


@pytest.mark.parametrize(
    ("sql", "sqlstate"),
    [
        ("SELECT * FROM mere.maintain('t', '{flush,polish}')", "22023"),
        ("SELECT * FROM mere.maintain('t', '{expire}')", "22023"),
        ("SELECT * FROM mere.maintain('pg_class')", "42809"),
        ("SELECT * FROM mere.maintain('nowhere')", "42P01"),
        ("SELECT * FROM mere.maintain('t'), mere.maintain('t') AS again", "0A000"),
        ("DO $$ BEGIN PERFORM * FROM mere.maintain('t'); END $$", "0A000"),
    ],
)
def test_what_maintain_refuses(worn: Client, sql: str, sqlstate: str) -> None:
    worn.fails(sql, sqlstate)


def test_maintain_is_not_for_transactions(worn: Client) -> None:
    worn.ok("BEGIN")
    worn.fails("SELECT * FROM mere.maintain('t')", "25001")
    worn.ok("ROLLBACK")


def test_who_may(worn: Client, space: Workspace) -> None:
    guest = space.client(space.role("guest"))
    guest.fails("SELECT * FROM mere.maintain('t')", "42501")
    guest.fails("SELECT * FROM mere.maintain()", "42501")
    guest.ok("VACUUM t")
    assert any("permission denied to vacuum" in message for _, message in guest.notices)
    assert done(worn, space) == []
    worn.ok("VACUUM t")
    assert done(guest, space) == []
    worn.ok(f"GRANT MAINTAIN ON t TO {guest.ok('SELECT current_user').value}")
    assert len(done(guest, space)) == 1
    assert guest.ok("SELECT count(*) FROM mere.maintain('t')").value == "0"


def test_a_transaction_that_takes_rows_is_not_made_to_fail(worn: Client, space: Workspace) -> None:
    writer = space.client()
    writer.ok("BEGIN")
    writer.ok("DELETE FROM t WHERE id = 1")
    worn.ok("VACUUM FULL t")
    assert done(worn, space) == [("vacuum", "merge", "0", "0", "1")]
    writer.ok("COMMIT")
    worn.ok("VACUUM FULL t")
    assert done(worn, space)[1:] == [("vacuum", "merge", "6", "1", "0")]
    assert worn.ok("SELECT count(*) FROM t").value == "59"
