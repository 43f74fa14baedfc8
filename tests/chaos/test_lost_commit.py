"""When the reply to COMMIT is lost, the client gets the truth or a clear 08007, and no committed file is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness.client import ConnectionLost, DeadlinePassed, Outcome
from harness.mere import MereProcess

from .proxy import Mode, SocketProxy


@dataclass(slots=True)
class Proxied:
    """A server whose sessions reach PostgreSQL through a proxy."""

    server: MereProcess
    proxy: SocketProxy


@pytest.fixture(scope="module")
def behind_proxy(session_scratch: Path) -> Iterator[Proxied]:
    directory = session_scratch / "proxy"
    server = MereProcess(session_scratch / "proxied", environment={"MERE_BACKING_SOCKET": str(directory)})
    proxy = SocketProxy(directory, server.data / "socket" / ".s.PGSQL.5432")
    try:
        server.start()
        yield Proxied(server, proxy)
    finally:
        server.destroy()
        proxy.close()


@pytest.fixture
def proxied(behind_proxy: Proxied) -> Proxied:
    behind_proxy.proxy.mode = Mode.PASS
    with behind_proxy.server.client() as client:
        client.ok("DROP TABLE IF EXISTS t")
        client.ok("CREATE TABLE t (id int, s text)")
        client.ok("INSERT INTO t SELECT g, 'before' FROM generate_series(1, 100) g")
    return behind_proxy


STATEMENTS = {
    "insert": ("INSERT INTO t VALUES (1000, 'new')", "SELECT count(*) FROM t WHERE id = 1000", "1"),
    "delete": ("DELETE FROM t WHERE id <= 10", "SELECT count(*) FROM t WHERE id <= 10", "0"),
    "update": (
        "UPDATE t SET s = 'changed' WHERE id BETWEEN 21 AND 27",
        "SELECT count(*) FROM t WHERE s = 'changed'",
        "7",
    ),
    "ddl": (
        "ALTER TABLE t ADD COLUMN extra int DEFAULT 5",
        "SELECT count(*) FROM pg_attribute WHERE attname = 'extra'",
        "1",
    ),
}


def commit(proxied: Proxied, sql: str, explicit: bool) -> Outcome:
    """The outcome of the statement that commits; a connection that ends without a word is an outcome too."""
    client = proxied.server.client(deadline=25)
    try:
        if not explicit:
            return client.run(sql)
        client.ok("BEGIN")
        client.ok(sql)
        return client.run("COMMIT")
    except ConnectionLost as error:
        return Outcome(sqlstate="LOST", message=str(error))
    except DeadlinePassed:
        return Outcome(sqlstate="HANGS")
    finally:
        client.close()


@pytest.mark.timeout(90)
@pytest.mark.parametrize("mode", [Mode.LOSE_REPLY, Mode.LOSE_COMMIT], ids=["reply", "commit"])
@pytest.mark.parametrize("explicit", [True, False], ids=["block", "autocommit"])
def test_lost_messages_around_commit(proxied: Proxied, mode: Mode, explicit: bool) -> None:
    for name, (sql, question, changed) in STATEMENTS.items():
        proxied.proxy.mode = mode
        cuts = proxied.proxy.cuts
        outcome = commit(proxied, sql, explicit)
        proxied.proxy.mode = Mode.PASS
        assert proxied.proxy.cuts > cuts, "the proxy saw no COMMIT"
        assert outcome.sqlstate != "HANGS"
        with proxied.server.client() as client:
            is_there = client.ok(question).value == changed
            if outcome.sqlstate is None:
                assert is_there, f"{name}: acknowledged, and lost"
            elif outcome.sqlstate not in ("08007", "LOST"):
                told_committed = "was committed" in outcome.message or "is committed" in outcome.message
                assert told_committed == is_there, f"{name}: {outcome} but committed is {is_there}"
            assert is_there == (mode is Mode.LOSE_REPLY), name
            assert client.ok("SELECT sum(length(s)) > 0 FROM t").value == "t", "a committed file is gone"
            if not is_there:
                client.ok(sql)
    proxied.server.maintain()
    with proxied.server.client() as client:
        assert client.ok("SELECT count(*), count(s) FROM t").text == [("91", "91")]


@pytest.mark.timeout(60)
def test_the_session_after_a_lost_reply_is_usable_or_ends(proxied: Proxied) -> None:
    client = proxied.server.client(deadline=20)
    client.ok("BEGIN")
    client.ok("INSERT INTO t VALUES (5000, 'x')")
    proxied.proxy.mode = Mode.LOSE_REPLY
    ended = False
    try:
        client.run("COMMIT")
    except ConnectionLost:
        ended = True
    proxied.proxy.mode = Mode.PASS
    if not ended:
        try:
            assert client.run("SELECT count(*) FROM t WHERE id = 5000").text in ([("1",)], [])
        except ConnectionLost:
            ended = True
    client.close()
    with proxied.server.client() as fresh:
        assert fresh.ok("SELECT count(*) FROM t WHERE id = 5000").value == "1"
