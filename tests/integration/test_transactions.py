"""Transactions as PostgreSQL users know them: isolation, own writes, savepoints, failures, conflicts, atomic DDL."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from harness.client import Client
from harness.workspace import Workspace


@pytest.fixture
def accounts(client: Client) -> Client:
    client.ok("CREATE TABLE accounts (id int, owner text, balance numeric(12,2))")
    client.ok("INSERT INTO accounts VALUES (1, 'ann', 100), (2, 'bob', 50), (3, 'cid', 0)")
    return client


def balances(client: Client) -> list[tuple[str | None, ...]]:
    return client.ok("SELECT id, balance FROM accounts ORDER BY id").text


def test_own_writes_are_read_and_others_wait_for_commit(space: Workspace, accounts: Client) -> None:
    other = space.client()
    accounts.ok("BEGIN")
    accounts.ok("INSERT INTO accounts VALUES (4, 'dan', 7)")
    accounts.ok("UPDATE accounts SET balance = 1 WHERE id = 1")
    accounts.ok("DELETE FROM accounts WHERE id = 2")
    assert balances(accounts) == [("1", "1.00"), ("3", "0.00"), ("4", "7.00")]
    assert balances(other) == [("1", "100.00"), ("2", "50.00"), ("3", "0.00")]
    accounts.ok("COMMIT")
    assert balances(other) == balances(accounts)


def test_own_uncommitted_rows_can_be_updated_and_deleted(accounts: Client) -> None:
    accounts.ok("BEGIN")
    accounts.ok("INSERT INTO accounts SELECT g, 'new', g FROM generate_series(10, 20) g")
    accounts.ok("UPDATE accounts SET balance = balance * 2 WHERE id BETWEEN 10 AND 12")
    accounts.ok("DELETE FROM accounts WHERE id > 15")
    accounts.ok("UPDATE accounts SET balance = balance + 1 WHERE id >= 12")
    assert accounts.ok("SELECT count(*), sum(balance) FROM accounts WHERE id >= 10").text == [("6", "112.00")]
    accounts.ok("COMMIT")
    assert accounts.ok("SELECT count(*), sum(balance) FROM accounts WHERE id >= 10").text == [("6", "112.00")]


def test_read_committed_sees_what_others_commit(space: Workspace, accounts: Client) -> None:
    other = space.client()
    accounts.ok("BEGIN")
    assert accounts.ok("SELECT count(*) FROM accounts").value == "3"
    other.ok("INSERT INTO accounts VALUES (9, 'eve', 9)")
    assert accounts.ok("SELECT count(*) FROM accounts").value == "4"
    accounts.ok("COMMIT")


def test_repeatable_read_keeps_its_snapshot(space: Workspace, accounts: Client) -> None:
    other = space.client()
    accounts.ok("BEGIN ISOLATION LEVEL REPEATABLE READ")
    assert accounts.ok("SELECT count(*) FROM accounts").value == "3"
    other.ok("INSERT INTO accounts VALUES (9, 'eve', 9)")
    other.ok("DELETE FROM accounts WHERE id = 1")
    assert accounts.ok("SELECT count(*), min(id) FROM accounts").text == [("3", "1")]
    assert accounts.ok("SHOW transaction_isolation").value == "repeatable read"
    accounts.ok("COMMIT")
    assert accounts.ok("SELECT count(*), min(id) FROM accounts").text == [("3", "2")]


def test_repeatable_read_by_set_transaction_and_by_default(space: Workspace, accounts: Client) -> None:
    other = space.client()
    for begin in (("BEGIN", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"), ("BEGIN",)):
        if len(begin) == 1:
            accounts.ok("SET default_transaction_isolation = 'repeatable read'")
        for word in begin:
            accounts.ok(word)
        before = accounts.ok("SELECT count(*) FROM accounts").value
        other.ok("INSERT INTO accounts VALUES (9, 'eve', 9)")
        assert accounts.ok("SELECT count(*) FROM accounts").value == before
        accounts.ok("COMMIT")


def test_repeatable_read_writer_that_lost_gets_40001(space: Workspace, accounts: Client) -> None:
    other = space.client()
    accounts.ok("BEGIN ISOLATION LEVEL REPEATABLE READ")
    accounts.ok("SELECT count(*) FROM accounts")
    other.ok("UPDATE accounts SET balance = 5 WHERE id = 1")
    first = accounts.run("UPDATE accounts SET balance = balance + 1 WHERE id = 1")
    outcome = first if first.sqlstate else accounts.run("COMMIT")
    assert outcome.sqlstate == "40001"
    accounts.simple("ROLLBACK")
    assert balances(accounts)[0] == ("1", "5.00")


def test_conflicting_writers_one_wins_the_other_gets_40001(space: Workspace, accounts: Client) -> None:
    other = space.client()
    accounts.ok("BEGIN")
    other.ok("BEGIN")
    accounts.ok("UPDATE accounts SET balance = balance + 1 WHERE id = 1")
    second = other.run("UPDATE accounts SET balance = balance + 10 WHERE id = 1", deadline=10)
    accounts.ok("COMMIT")
    if second.sqlstate is None:
        second = other.run("COMMIT")
    assert second.sqlstate == "40001"
    other.simple("ROLLBACK")
    assert other.transaction == "I"
    assert balances(other)[0] == ("1", "101.00")


def test_blind_inserts_of_two_sessions_do_not_conflict(space: Workspace, accounts: Client) -> None:
    other = space.client()
    accounts.ok("BEGIN")
    other.ok("BEGIN")
    accounts.ok("INSERT INTO accounts VALUES (4, 'x', 1)")
    other.ok("INSERT INTO accounts VALUES (5, 'y', 1)")
    accounts.ok("COMMIT")
    other.ok("COMMIT")
    assert accounts.ok("SELECT count(*) FROM accounts").value == "5"


def test_failed_statement_fails_the_transaction_until_rollback(accounts: Client) -> None:
    accounts.ok("BEGIN")
    accounts.ok("INSERT INTO accounts VALUES (4, 'x', 1)")
    accounts.fails("SELECT 1 / (id - id) FROM accounts", "22012")
    assert accounts.transaction == "E"
    for sql in ("SELECT count(*) FROM accounts", "INSERT INTO accounts VALUES (5, 'y', 1)", "SELECT 1", "BEGIN"):
        accounts.fails(sql, "25P02")
    assert accounts.ok("COMMIT").tag == "ROLLBACK"
    assert accounts.ok("SELECT count(*) FROM accounts").value == "3"


@pytest.mark.parametrize(
    ("bad", "sqlstate"),
    [
        ("SELECT nosuch FROM accounts", "42703"),
        ("SELECT * FROM nosuch", "42P01"),
        ("SELEC", "42601"),
        ("INSERT INTO accounts VALUES ('x')", "22P02"),
        ("SELECT owner::int FROM accounts", "22P02"),
    ],
)
def test_every_kind_of_error_leaves_the_transaction_failed(accounts: Client, bad: str, sqlstate: str) -> None:
    accounts.ok("BEGIN")
    accounts.fails(bad, sqlstate)
    assert accounts.transaction == "E"
    accounts.fails("SELECT count(*) FROM accounts", "25P02")
    accounts.ok("ROLLBACK")
    assert accounts.transaction == "I"


def test_savepoints_undo_rows_ddl_and_errors(accounts: Client) -> None:
    accounts.ok("BEGIN")
    accounts.ok("UPDATE accounts SET balance = 1 WHERE id = 1")
    accounts.ok("SAVEPOINT a")
    accounts.ok("DELETE FROM accounts")
    accounts.ok("CREATE TABLE inside (x int)")
    accounts.ok("INSERT INTO inside VALUES (1)")
    accounts.ok("SAVEPOINT b")
    accounts.fails("SELECT nosuch FROM accounts", "42703")
    accounts.ok("ROLLBACK TO b")
    assert accounts.ok("SELECT count(*) FROM inside").value == "1"
    accounts.ok("ROLLBACK TO a")
    accounts.ok("SAVEPOINT c")
    accounts.ok("INSERT INTO accounts VALUES (4, 'kept', 4)")
    accounts.ok("RELEASE c")
    accounts.ok("COMMIT")
    accounts.fails("SELECT * FROM inside", "42P01")
    assert balances(accounts) == [("1", "1.00"), ("2", "50.00"), ("3", "0.00"), ("4", "4.00")]


def test_ddl_dml_and_grant_commit_or_vanish_together(space: Workspace, accounts: Client) -> None:
    reader = space.role("reader")
    for end, seen in (("ROLLBACK", "42P01"), ("COMMIT", None)):
        accounts.ok("BEGIN")
        accounts.ok("CREATE TABLE fresh (id int, v text)")
        accounts.ok("INSERT INTO fresh SELECT id, owner FROM accounts")
        accounts.ok("ALTER TABLE fresh ADD COLUMN extra int DEFAULT 3")
        accounts.ok("UPDATE fresh SET extra = 4 WHERE id = 1")
        accounts.ok(f"GRANT SELECT ON fresh TO {reader}")
        accounts.ok("ALTER TABLE accounts ADD COLUMN more int DEFAULT 9")
        accounts.ok("UPDATE accounts SET more = 10 WHERE id = 1")
        accounts.ok(end)
        other = space.client(user=reader)
        assert other.run("SELECT sum(extra) FROM fresh").sqlstate == seen
    assert accounts.ok("SELECT sum(extra) FROM fresh").value == "10"
    assert accounts.ok("SELECT sum(more) FROM accounts").value == "28"


def test_transaction_over_several_tables_is_atomic(space: Workspace, accounts: Client) -> None:
    accounts.ok("CREATE TABLE ledger (id int, amount numeric(12,2))")
    other = space.client()
    accounts.ok("BEGIN")
    accounts.ok("UPDATE accounts SET balance = balance - 10 WHERE id = 1")
    accounts.ok("INSERT INTO ledger VALUES (1, -10)")
    assert other.ok("SELECT (SELECT balance FROM accounts WHERE id = 1), (SELECT count(*) FROM ledger)").text == [
        ("100.00", "0")
    ]
    accounts.ok("COMMIT")
    assert other.ok("SELECT (SELECT balance FROM accounts WHERE id = 1), (SELECT count(*) FROM ledger)").text == [
        ("90.00", "1")
    ]


def test_constraint_failure_leaves_no_row_of_the_statement(client: Client) -> None:
    client.ok("CREATE TABLE strict (a int NOT NULL CHECK (a < 1000))")
    client.fails("INSERT INTO strict SELECT g FROM generate_series(1, 5000) g", "23514")
    client.fails("INSERT INTO strict SELECT nullif(g, 50) FROM generate_series(1, 60) g", "23502")
    assert client.ok("SELECT count(*) FROM strict").value == "0"


def test_several_statements_in_one_simple_query_are_one_transaction(accounts: Client) -> None:
    outcomes = accounts.simple("INSERT INTO accounts VALUES (4, 'x', 1); SELECT count(*) FROM accounts; SELECT 1")
    assert [outcome.tag for outcome in outcomes] == ["INSERT 0 1", "SELECT 1", "SELECT 1"]
    assert outcomes[1].value == "4"
    failed = accounts.simple("INSERT INTO accounts VALUES (5, 'y', 1); SELECT 1 / (id - id) FROM accounts; SELECT 1")
    assert [outcome.sqlstate for outcome in failed] == [None, "22012"]
    assert accounts.ok("SELECT count(*) FROM accounts").value == "4"
    outcomes = accounts.simple(
        "BEGIN; INSERT INTO accounts VALUES (6, 'z', 1); COMMIT; INSERT INTO accounts VALUES (7, 'w', 1); SELECT nosuch"
    )
    assert outcomes[-1].sqlstate == "42703"
    assert accounts.ok("SELECT count(*) FROM accounts WHERE id IN (6, 7)").value == "1"


def test_empty_queries_and_comments_are_harmless(accounts: Client) -> None:
    for nothing in ("", ";", " -- only a comment", "/* one /* nested */ */"):
        assert [outcome.tag for outcome in accounts.simple(nothing)] == [""]
    outcomes = accounts.simple("/* first */ -- a comment\n; ;SELECT count(*) FROM accounts;;")
    assert [outcome.tag for outcome in outcomes] == ["SELECT 1"]
    assert accounts.transaction == "I"


async def test_pipeline_is_one_transaction_per_sync(space: Workspace, accounts: Client) -> None:
    async with asyncio.timeout(30):
        connection = await psycopg.AsyncConnection.connect(space.server.conninfo(), autocommit=True)
        async with connection:
            await connection.execute(f"SET search_path = {space.schema}")
            async with connection.pipeline() as pipeline:
                for number in range(10, 20):
                    await connection.execute("INSERT INTO accounts VALUES (%s, 'p', %s)", (number, number))
                counted = await connection.execute("SELECT count(*) FROM accounts WHERE owner = 'p'")
                await pipeline.sync()
                assert await counted.fetchone() == (10,)
            with pytest.raises(psycopg.errors.DivisionByZero):
                async with connection.pipeline():
                    await connection.execute("INSERT INTO accounts VALUES (30, 'q', 1)")
                    await connection.execute("SELECT 1 / (id - id) FROM accounts")
                    await connection.execute("INSERT INTO accounts VALUES (31, 'q', 1)")
            rows = await (await connection.execute("SELECT count(*) FROM accounts WHERE owner = 'q'")).fetchone()
            assert rows == (0,)


def test_read_only_transaction_refuses_writes(accounts: Client) -> None:
    accounts.ok("BEGIN READ ONLY")
    assert accounts.ok("SELECT count(*) FROM accounts").value == "3"
    for sql in ("INSERT INTO accounts VALUES (4)", "DELETE FROM accounts", "UPDATE accounts SET id = 1"):
        accounts.ok("SAVEPOINT s")
        accounts.fails(sql, "25006")
        accounts.ok("ROLLBACK TO s")
    accounts.ok("COMMIT")
    accounts.ok("SET default_transaction_read_only = on")
    accounts.fails("TRUNCATE accounts", "25006")


def test_two_phase_commit_is_refused(accounts: Client) -> None:
    accounts.ok("BEGIN")
    accounts.ok("INSERT INTO accounts VALUES (4, 'x', 1)")
    outcome = accounts.run("PREPARE TRANSACTION 'two'")
    assert outcome.sqlstate in ("0A000", "55000")
    accounts.simple("ROLLBACK")
    assert accounts.ok("SELECT count(*) FROM accounts").value == "3"


def test_cancel_ends_the_statement_and_spares_the_session(space: Workspace, accounts: Client) -> None:
    accounts.ok("BEGIN")
    accounts.send(
        "SELECT count(*) FROM accounts a, generate_series(1, 100000) x, generate_series(1, 100000) y"
        " WHERE (x::bigint * y + a.id) % 7 = 3"
    )
    accounts.cancel()
    outcomes = accounts.results(deadline=20)
    assert outcomes[-1].sqlstate == "57014"
    assert accounts.transaction == "E"
    accounts.ok("ROLLBACK")
    assert balances(accounts)[0] == ("1", "100.00")


def test_statement_timeout_reaches_the_engine(accounts: Client) -> None:
    accounts.ok("SET statement_timeout = '300ms'")
    slow = (
        "SELECT count(*) FROM accounts a, generate_series(1, 100000) x, generate_series(1, 100000) y"
        " WHERE (x::bigint * y) % 7 = a.id"
    )
    accounts.fails(slow, "57014")
    accounts.ok("RESET statement_timeout")
    assert accounts.ok("SELECT count(*) FROM accounts").value == "3"


def test_disconnect_in_a_transaction_rolls_it_back(space: Workspace, accounts: Client) -> None:
    doomed = space.client()
    doomed.ok("BEGIN")
    doomed.ok("INSERT INTO accounts VALUES (4, 'x', 1)")
    doomed.close()
    assert accounts.ok("SELECT count(*) FROM accounts").value == "3"


def test_sequences_do_not_roll_back_and_serial_values_do_not_repeat(client: Client) -> None:
    client.ok("CREATE TABLE s (id serial, v int)")
    client.ok("BEGIN")
    client.ok("INSERT INTO s (v) VALUES (1), (2)")
    client.ok("ROLLBACK")
    client.ok("INSERT INTO s (v) SELECT g FROM generate_series(1, 50) g")
    assert client.ok("SELECT count(DISTINCT id), min(id) > 2 FROM s").text == [("50", "t")]
