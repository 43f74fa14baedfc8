"""Two writers of one table: who gets 40001, and who never does."""

from __future__ import annotations

import pytest
from harness.client import Client
from harness.workspace import Workspace


@pytest.fixture
def table(client: Client) -> Client:
    client.ok("CREATE TABLE t (id int, v int)")
    client.ok("INSERT INTO t SELECT g, 0 FROM generate_series(1, 10) g")
    return client


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("UPDATE t SET v = 1 WHERE id = 1", "UPDATE t SET v = 2 WHERE id = 2"),
        ("UPDATE t SET v = 1 WHERE id = 1", "DELETE FROM t WHERE id = 1"),
        ("DELETE FROM t", "UPDATE t SET v = 2 WHERE id = 2"),
        ("DELETE FROM t WHERE id = 1", "DELETE FROM t"),
        (
            "MERGE INTO t USING (VALUES (1)) s (id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = 7",
            "DELETE FROM t WHERE id = 1",
        ),
    ],
)
def test_the_later_commit_loses(space: Workspace, table: Client, isolation: str, first: str, second: str) -> None:
    winner, loser = space.client(), space.client()
    for writer in (winner, loser):
        writer.ok(f"BEGIN ISOLATION LEVEL {isolation}")
    winner.ok(first)
    loser.ok(second)
    winner.ok("COMMIT")
    expected = table.ok("SELECT id, v FROM t ORDER BY id").text
    loser.fails("COMMIT", "40001")
    assert loser.transaction == "I"
    assert table.ok("SELECT id, v FROM t ORDER BY id").text == expected


def test_appends_conflict_with_nothing_but_alter(space: Workspace, table: Client) -> None:
    writers = [space.client() for _ in range(3)]
    for writer in writers:
        writer.ok("BEGIN")
        writer.ok("INSERT INTO t VALUES (100, 1)")
    table.ok("UPDATE t SET v = 5 WHERE id <= 10")
    for writer in writers:
        writer.ok("COMMIT")
    assert table.ok("SELECT count(*), sum(v) FROM t").text == [("13", "53")]


def test_a_pinned_append_after_alter_is_refused(space: Workspace, table: Client) -> None:
    writer = space.client()
    writer.ok("BEGIN ISOLATION LEVEL REPEATABLE READ")
    writer.ok("SELECT 1 FROM pg_class LIMIT 1")
    other = space.client()
    other.ok("CREATE TABLE u (a int)")
    writer.ok("SELECT count(*) FROM u")  # pins the snapshot
    table.ok("ALTER TABLE t ADD COLUMN extra int")
    writer.ok("INSERT INTO t (id) VALUES (50)")
    writer.fails("COMMIT", "40001")


def test_what_others_change_between_two_statements_is_noticed(space: Workspace, table: Client) -> None:
    """The first statement takes the file away whole; the second reads a newer snapshot, in which it lost a row."""
    writer = space.client()
    writer.ok("BEGIN")
    writer.ok("UPDATE t SET v = v + 1")
    table.ok("UPDATE t SET v = 100 WHERE id = 1")
    outcome = writer.run("UPDATE t SET v = 0 WHERE id = 2")
    if outcome.sqlstate is None:
        outcome = writer.run("COMMIT")
    assert outcome.sqlstate == "40001"
    writer.run("ROLLBACK")
    assert table.ok("SELECT count(*), sum(v) FROM t").text == [("10", "100")]


def test_truncate_waits_for_writers_and_takes_their_rows(space: Workspace, table: Client) -> None:
    writer, cleaner = space.client(), space.client()
    writer.ok("BEGIN")
    writer.ok("DELETE FROM t WHERE id = 1")
    writer.ok("INSERT INTO t VALUES (11, 1)")
    cleaner.send("TRUNCATE t")
    writer.ok("COMMIT")
    assert cleaner.results()[-1].sqlstate is None
    assert table.ok("SELECT count(*) FROM t").value == "0"


def test_a_second_begin_keeps_what_was_written(table: Client) -> None:
    table.ok("BEGIN")
    table.ok("INSERT INTO t VALUES (11, 1)")
    table.ok("BEGIN")
    assert table.notices[-1][0] == "25001"
    table.ok("COMMIT")
    assert table.ok("SELECT count(*) FROM t").value == "11"


@pytest.mark.parametrize("action", ["NOTHING", "UPDATE SET v = excluded.v"])
def test_a_key_is_inserted_once_by_two_with_on_conflict(space: Workspace, client: Client, action: str) -> None:
    client.ok("CREATE TABLE keyed (id int PRIMARY KEY, v int)")
    first, second = space.client(), space.client()
    first.ok("BEGIN")
    second.ok("BEGIN")
    first.ok(f"INSERT INTO keyed VALUES (1, 1) ON CONFLICT (id) DO {action}")
    second.send(f"WITH v AS (SELECT 1) INSERT INTO keyed SELECT 1, 2 ON CONFLICT (id) DO {action}")
    first.ok("COMMIT")
    (outcome,) = second.results()
    assert outcome.sqlstate is None, outcome.message
    second.ok("COMMIT")
    kept = "1" if action == "NOTHING" else "2"
    assert client.ok("SELECT id, v FROM keyed").text == [("1", kept)]


def test_a_statement_that_waits_for_another_with_on_conflict_can_be_cancelled(space: Workspace, client: Client) -> None:
    client.ok("CREATE TABLE keyed (id int PRIMARY KEY, v int)")
    first, second = space.client(), space.client()
    first.ok("BEGIN")
    first.ok("INSERT INTO keyed VALUES (1, 1) ON CONFLICT (id) DO NOTHING")
    second.ok("SET statement_timeout = '200ms'")
    second.fails("INSERT INTO keyed VALUES (1, 2) ON CONFLICT (id) DO NOTHING", "57014")
    first.ok("ROLLBACK")
    second.ok("INSERT INTO keyed VALUES (1, 2) ON CONFLICT (id) DO NOTHING")
