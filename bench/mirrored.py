"""A mirrored plain PostgreSQL 18: a primary and a synchronous standby made from it, on loopback."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from harness.postgres import BINARIES, PEER_USER, Peer, free_port, start_peer

from bench.place import PEER_SETTINGS

START_SECONDS = 60.0


@contextmanager
def mirrored_postgres(place: Path) -> Iterator[Peer]:
    """The primary, once it waits for its standby at each commit."""
    primary = start_peer(place / "mirrored", PEER_SETTINGS)
    try:
        standby = _start_standby(primary)
        try:
            with psycopg.connect(primary.superuser_conninfo, autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
                connection.execute("SELECT pg_reload_conf()")
                _until_synchronous(connection)
            yield primary
        finally:
            standby.terminate()
            standby.wait(30)
    finally:
        primary.stop()


def _start_standby(primary: Peer) -> subprocess.Popen[bytes]:
    data = primary.directory / "standby"
    as_user = ["setpriv", f"--reuid={PEER_USER}", f"--regid={PEER_USER}", "--clear-groups"] if _is_root() else []
    copying = [str(BINARIES / "pg_basebackup"), "-D", str(data), "-R", "-X", "stream", "-c", "fast"]
    copying += ["-d", f"host=127.0.0.1 port={primary.port} user=postgres"]
    subprocess.run([*as_user, *copying], check=True, capture_output=True, cwd=primary.directory)
    settings = {**PEER_SETTINGS, "port": str(free_port()), "listen_addresses": "127.0.0.1"}
    settings["unix_socket_directories"] = ""
    command = [str(BINARIES / "postgres"), "-D", str(data)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    with (primary.directory / "standby.log").open("wb") as log:
        return subprocess.Popen([*as_user, *command], stdout=log, stderr=log, cwd=primary.directory)


def _is_root() -> bool:
    return os.geteuid() == 0


def _until_synchronous(connection: psycopg.Connection) -> None:
    until = time.monotonic() + START_SECONDS
    while connection.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone() is None:
        if time.monotonic() > until:
            raise SystemExit("the mirror of PostgreSQL does not come")
        time.sleep(0.1)
