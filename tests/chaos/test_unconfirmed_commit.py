"""Who cancels the wait for the standby gets no COMMIT for what the standby may not have: PostgreSQL would only warn."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from harness.mere import MereProcess

WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND usename = 'mere'"


@pytest.fixture(scope="module")
def server(session_scratch: Path) -> Iterator[MereProcess]:
    server = MereProcess(session_scratch / "unconfirmed")
    try:
        server.start()
        with server.client() as client:
            client.ok("CREATE TABLE t (n int)")
        yield server
    finally:
        server.destroy()


def superuser(server: MereProcess) -> psycopg.Connection:
    directory, port = server.backing_socket()
    role, password = server.secret()
    return psycopg.connect(host=str(directory), port=port, user=role, password=password, dbname="mere", autocommit=True)


def wait_for_standby(server: MereProcess, name: str) -> None:
    """From now on commits wait for a standby of that name; for none, if it is empty."""
    settings = server.data / "postgres" / "postgresql.auto.conf"
    settings.write_text(f"synchronous_standby_names = '{name}'\n")
    with superuser(server) as connection:
        connection.execute("SELECT pg_reload_conf()")


def cancel_the_wait(server: MereProcess, then: str | None) -> None:
    with superuser(server) as connection:
        deadline = time.monotonic() + 15
        while (found := connection.execute(WAITING).fetchone()) is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        connection.execute("SELECT pg_cancel_backend(%s)", [found[0]])
    if then is not None:
        time.sleep(0.5)
        wait_for_standby(server, then)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("then", "told"), [(None, "08007"), ("", None)], ids=["never confirmed", "confirmed later"])
def test_a_cancelled_wait_is_no_acknowledgement(server: MereProcess, then: str | None, told: str | None) -> None:
    wait_for_standby(server, "nobody")
    canceller = threading.Thread(target=cancel_the_wait, args=(server, then))
    try:
        with server.client(deadline=40) as client:
            canceller.start()
            assert client.run("INSERT INTO t VALUES (1)").sqlstate == told
    finally:
        canceller.join()
        wait_for_standby(server, "")
    with server.client() as client:
        assert client.ok("SELECT count(*) > 0 FROM t").value == "t"
