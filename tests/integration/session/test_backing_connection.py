"""What PostgreSQL sees of a statement that segments run: it can be cancelled, watched, and is not idle."""

from __future__ import annotations

import asyncio
import time

import pytest
from harness.client import Client, ConnectionLost
from harness.mere import PASSWORD
from harness.raw import RawClient, kinds
from harness.workspace import Workspace

from mere.wire import requests

SLOW = (
    "SELECT count(*) FROM t, generate_series(1, 100000) x, generate_series(1, 100000) y"
    " WHERE (x::bigint * y) % 7 = t.id"
)


@pytest.fixture
def table(client: Client) -> Client:
    client.ok("CREATE TABLE t (id int)")
    client.ok("INSERT INTO t VALUES (1), (2), (3)")
    return client


def pid(client: Client) -> str:
    value = client.ok("SELECT pg_backend_pid()").value
    assert value is not None
    return value


def wait_until_active(observer: Client, backend: str) -> None:
    until = time.monotonic() + 10
    question = (
        f"SELECT count(*) FROM pg_stat_activity WHERE pid = {backend} AND state = 'active' AND query LIKE 'SELECT%'"
        " AND wait_event = 'MereSegments'"
    )
    while observer.ok(question).value != "1":
        assert time.monotonic() < until, "the statement is not seen"
        time.sleep(0.05)


@pytest.mark.parametrize("explicit", [False, True], ids=["autocommit", "block"])
def test_pg_cancel_backend_stops_the_engine(space: Workspace, table: Client, explicit: bool) -> None:
    victim = space.client()
    backend = pid(victim)
    if explicit:
        victim.ok("BEGIN")
        victim.ok("INSERT INTO t VALUES (4)")
    victim.send(SLOW)
    wait_until_active(table, backend)
    assert table.ok(f"SELECT pg_cancel_backend({backend})").value == "t"
    assert victim.results(deadline=10)[-1].sqlstate == "57014"
    assert victim.transaction == ("E" if explicit else "I")
    if explicit:
        victim.ok("ROLLBACK")
    assert victim.ok("SELECT count(*) FROM t").value == "3"


def test_pg_terminate_backend_ends_the_session_with_one_error(space: Workspace, table: Client) -> None:
    victim = space.client()
    backend = pid(victim)
    victim.send(SLOW)
    wait_until_active(table, backend)
    assert table.ok(f"SELECT pg_terminate_backend({backend})").value == "t"
    with pytest.raises(ConnectionLost, match="terminating connection due to administrator command"):
        victim.results(deadline=10)


def test_a_running_statement_is_not_idle_in_its_transaction(space: Workspace, table: Client) -> None:
    session = space.client()
    session.ok("SET idle_in_transaction_session_timeout = '600ms'")
    session.ok("SET statement_timeout = '1500ms'")
    session.ok("BEGIN")
    started = time.monotonic()
    assert session.fails(SLOW, "57014").message == "canceling statement due to statement timeout"
    assert time.monotonic() - started > 1.0
    session.ok("ROLLBACK")
    session.ok("BEGIN")
    session.ok("SELECT count(*) FROM t")
    time.sleep(1.2)
    with pytest.raises(ConnectionLost):
        session.ok("SELECT 1")


def test_savepoints_and_changes_survive_a_stand_in(space: Workspace, table: Client) -> None:
    """A statement of more than a moment leaves the transaction as it was."""
    session = space.client()
    session.ok("BEGIN")
    session.ok("SAVEPOINT a")
    session.ok("CREATE TABLE made (id int)")
    session.ok("INSERT INTO made SELECT x FROM generate_series(1, 3000000) x, t WHERE x % 1000 = 0 AND t.id = 1")
    session.ok("SELECT count(*) FROM generate_series(1, 5000) x, generate_series(1, 5000) y, t WHERE (x + y) % 7 = id")
    session.ok("ROLLBACK TO a")
    session.fails("SELECT * FROM made", "42P01")
    session.ok("ROLLBACK")


@pytest.mark.parametrize("using", ["lake", "heap"])
async def test_statement_timeout_reaches_a_waiting_copy(space: Workspace, client: Client, using: str) -> None:
    """The error comes while the client says nothing; what it sends after that is dropped."""
    client.ok(f"CREATE TABLE c (id int) USING {using}")
    async with await RawClient.connect(space.server.port) as raw:
        await raw.login("mere", PASSWORD, "mere")
        await raw.query(f"SET search_path = {space.schema}; SET statement_timeout = '300ms'")
        raw.send(requests.query("COPY c FROM STDIN"), requests.copy_data(b"1\n"))
        await raw.read_until(b"G")
        if using == "heap":  # PostgreSQL itself looks at the clock when data comes
            await asyncio.sleep(0.5)
            raw.send(requests.copy_data(b"2\n"))
        assert (await raw.error()).sqlstate == "57014"
        raw.send(requests.copy_data(b"3\n"), requests.COPY_DONE, requests.query("SELECT 1"))
        assert kinds(await raw.read_until()) == b"Z"
        assert kinds(await raw.read_until()) == b"TDCZ"
    assert client.ok("SELECT count(*) FROM c").value == "0"


async def test_an_error_of_postgresql_ends_a_copy_at_once(space: Workspace, client: Client) -> None:
    client.ok("CREATE TABLE c (id int) USING heap")
    async with await RawClient.connect(space.server.port) as raw:
        await raw.login("mere", PASSWORD, "mere")
        await raw.query(f"SET search_path = {space.schema}")
        raw.send(requests.query("COPY c FROM STDIN"), requests.copy_data(b"no number\n"))
        await raw.read_until(b"G")
        assert (await raw.error()).sqlstate == "22P02"
        raw.send(requests.COPY_DONE, requests.query("SELECT 1"))
        assert kinds(await raw.read_until()) == b"Z"
        assert kinds(await raw.read_until()) == b"TDCZ"
