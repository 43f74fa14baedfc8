"""A hot standby of a running warehouse, made by pg_basebackup, with a gateway and an engine of its own; no Patroni.

    with Standby(directory, primary) as standby:     # primary: a MereProcess
        standby.start()
        standby.until_replayed()

Run as a module it is the server: python -m harness.standby DIRECTORY STORAGE ADDRESS
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
import uvloop

from harness.client import Client
from harness.mere import PASSWORD, MereProcess
from harness.postgres import BINARIES, free_port
from mere.catalog.datadir import DataDirectory
from mere.catalog.server import PostgresServer
from mere.options import Address
from mere.settings import Settings

_DEADLINE = 60.0
_SETTINGS = {"max_standby_streaming_delay": "200ms"}  # who is in the way of the replay is cancelled at once
_HELD = "postgres.held"  # while it is there, a PostgreSQL that ended is not started again


@dataclass(slots=True)
class Standby:
    """Owns its processes; `close` in any case."""

    directory: Path
    primary: MereProcess
    options: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def conninfo(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=mere dbname=mere password={PASSWORD} connect_timeout=30"

    def both(self, wanted: str) -> str:
        """A conninfo that names the primary and the standby."""
        ports = f"{self.primary.port},{self.port}"
        return (
            f"host=127.0.0.1,127.0.0.1 port={ports} user=mere dbname=mere password={PASSWORD}"
            f" target_session_attrs={wanted} connect_timeout=30"
        )

    def client(self, deadline: float = 30.0) -> Client:
        return Client(self.conninfo, deadline)

    def start(self) -> Standby:
        self.data.mkdir(parents=True, mode=0o700)
        for name in ("mere.json", "storage.url"):
            shutil.copy(self.primary.data / name, self.data / name)
        shutil.copytree(self.primary.data / "secrets", self.data / "secrets")
        self.back_up(self.data / "postgres")
        assert self.primary.storage is not None
        command = [sys.executable, "-m", "harness.standby", str(self.data), self.primary.storage]
        command += [f"127.0.0.1:{self.port}", *self.options]
        tests = Path(__file__).parents[1]
        path = os.pathsep.join((str(tests), str(tests.parent / "src"), os.environ.get("PYTHONPATH", "")))
        environment = {**os.environ, "PYTHONPATH": path}
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=environment)
        self.until_it_answers()
        return self

    def back_up(self, directory: Path) -> None:
        """A base backup of the primary's PostgreSQL that will follow it."""
        sockets, port = self.primary.backing_socket()
        user, password = self.primary.secret()
        command = [str(BINARIES / "pg_basebackup"), "-D", str(directory), "-R", "-X", "stream", "-c", "fast", "-N"]
        command += ["-d", f"host={sockets} port={port} user={user} password={password}"]
        subprocess.run(command, check=True, capture_output=True)
        for left in ("postmaster.opts", "socket"):
            path = directory / left
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        self.primary.data.chmod(0o711)  # PostgreSQL's own user has to get through to the primary's socket
        owner = (self.primary.data / "postgres" / "PG_VERSION").stat()
        for path in (directory, *directory.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)

    def until_it_answers(self) -> None:
        until = time.monotonic() + _DEADLINE
        while True:
            try:
                self.client().close()
                return
            except Exception:
                assert self.process is not None
                if self.process.poll() is not None or time.monotonic() > until:
                    raise AssertionError((self.directory / "log").read_text()[-3000:]) from None
                time.sleep(0.05)

    # -- what happens to it

    def until_replayed(self) -> None:
        """Until it shows what the primary has committed."""
        with self.primary_catalog() as catalog:
            position = catalog.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
        until = time.monotonic() + _DEADLINE
        with self.catalog() as catalog:
            while catalog.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", position).fetchone() != (True,):
                assert time.monotonic() < until, "the standby does not follow"
                time.sleep(0.01)

    def promote(self) -> None:
        with self.catalog() as catalog:
            catalog.execute("SELECT pg_promote()")

    def stop_postgres(self, number: signal.Signals) -> None:
        """Ends its PostgreSQL, which stays away until `start_postgres`. Returns when it is gone."""
        (self.data / _HELD).touch()
        pid = int((self.data / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, number)
        until = time.monotonic() + _DEADLINE
        while Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z":
            assert time.monotonic() < until, "PostgreSQL does not end"
            time.sleep(0.01)

    def start_postgres(self) -> None:
        (self.data / _HELD).unlink()

    def replace_postgres(self, directory: Path) -> None:
        """Another data directory in the place of its own, between `stop_postgres` and `start_postgres`."""
        (self.data / "postgres").rename(self.directory / "postgres.old")
        directory.rename(self.data / "postgres")

    def catalog(self) -> psycopg.Connection:
        """Its PostgreSQL, as the superuser, past the gateway."""
        return self._connect(self.data / "socket", "5432")

    def primary_catalog(self) -> psycopg.Connection:
        return self._connect(*self.primary.backing_socket())

    def _connect(self, sockets: Path, port: str) -> psycopg.Connection:
        user, password = self.primary.secret()
        return psycopg.connect(
            host=str(sockets), port=port, user=user, password=password, dbname="mere", autocommit=True
        )

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)

    def __enter__(self) -> Standby:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def serve(directory: Path, storage_url: str, address: str, *options: str) -> None:
    """What `mere serve` does for a node that is no primary."""
    from mere.cli.assembly import Databases, Storage, make_gateway, make_runtime, make_services
    from mere.cli.segments import segments_in_sql

    host, _, port = address.rpartition(":")
    data = DataDirectory.claim(directory)
    settings = replace(
        Settings(data=directory),
        listen=Address(host, int(port)),
        storage=storage_url,
        temp_directory=directory / "temporary",
        threads=1,
        segments=int(options[0]) if options else None,
    )
    async with AsyncExitStack() as stack:
        postgres = PostgresServer(data, settings=_SETTINGS)
        stack.push_async_callback(postgres.stop)
        await postgres.start()
        storage = Storage(storage_url)
        runtime = make_runtime(settings, data, storage)
        stack.push_async_callback(runtime.close)
        await runtime.start()
        databases = Databases(postgres)
        stack.push_async_callback(databases.close)
        services = make_services(settings, postgres, runtime, storage, databases)
        await stack.enter_async_context(segments_in_sql(runtime, postgres, settings))
        gateway = make_gateway(services)
        stack.push_async_callback(gateway.stop)
        await gateway.start()
        while True:
            await postgres.wait()
            await _until_released(directory / _HELD)
            await postgres.stop()
            await postgres.start()


async def _until_released(file: Path) -> None:
    while True:
        if not file.exists():
            return
        await asyncio.sleep(0.02)


def main() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        task = runner.get_loop().create_task(serve(Path(sys.argv[1]), *sys.argv[2:]))
        runner.get_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        with suppress(asyncio.CancelledError):
            runner.get_loop().run_until_complete(task)


if __name__ == "__main__":
    main()
