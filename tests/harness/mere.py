"""A real `mere serve` in a process of its own: start, wait until it answers, kill -9, start again, stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.client import Client, ConnectionLost, DeadlinePassed
from harness.hosts import HERE, Host
from harness.postgres import free_port

PASSWORD = "a-test-password"
START_DEADLINE = 45.0
COMMAND = (sys.executable, "-m", "mere")


class StartFailed(Exception):
    """`mere serve` ended, or did not answer in time; the text is what it printed."""


@dataclass(slots=True)
class MereProcess:
    """One server on one data directory. The same object may be started many times."""

    directory: Path
    storage: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    host: Host = HERE
    options: Sequence[str] = ()

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def log(self) -> Path:
        return self.directory / "serve.log"

    def conninfo(self, user: str = "mere", database: str = "mere", password: str = PASSWORD) -> str:
        return (
            f"host={self.host.address} port={self.port} user={user} dbname={database} password={password}"
            " sslmode=prefer connect_timeout=30"
        )

    def url(self, scheme: str = "postgresql", user: str = "mere", database: str = "mere") -> str:
        return f"{scheme}://{user}:{PASSWORD}@{self.host.address}:{self.port}/{database}"

    def client(self, user: str = "mere", database: str = "mere", deadline: float = 30.0) -> Client:
        return Client(self.conninfo(user, database), deadline)

    def start(self, wait: bool = True) -> MereProcess:
        """Start; return when a login succeeds."""
        self.directory.mkdir(parents=True, exist_ok=True)
        command = [*self.host.prefix, *COMMAND, "serve", "--data", str(self.data)]
        command += ["--listen", f"{self.host.address}:{self.port}"]
        if self.storage is not None:
            command += ["--storage", self.storage]
        command += self.options
        environment = self._environment()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self, deadline: float = START_DEADLINE) -> None:
        until = time.monotonic() + deadline
        while True:
            try:
                client = self.client(deadline=10)
            except (ConnectionLost, DeadlinePassed) as error:
                if self.process is None or self.process.poll() is not None:
                    raise StartFailed(self.tail()) from error
                if time.monotonic() > until:
                    raise StartFailed(f"no answer after {deadline:g} s: {error}\n{self.tail()}") from error
                time.sleep(0.05)
                continue
            client.close()
            return

    def tail(self, characters: int = 4000) -> str:
        """The end of what the server printed."""
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""

    def postmaster(self) -> int | None:
        """The process id of this server's own PostgreSQL, if it runs."""
        for file in self.data.rglob("postmaster.pid"):
            pid = int(file.read_text().split("\n", 1)[0])
            if Path(f"/proc/{pid}").exists():
                return pid
        return None

    def kill_server(self) -> None:
        """kill -9 of `mere serve` alone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def kill_postgres(self) -> None:
        """kill -9 of the postmaster alone; its children notice and leave."""
        pid = self.postmaster()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    def stop(self, deadline: float = 20.0) -> int:
        """SIGTERM, and the exit status. Nothing of it may be left behind."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process is not None else 0
        self.process.terminate()
        try:
            return self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            self.destroy()
            raise

    def destroy(self) -> None:
        """Whatever is left of it ends now; for the end of a test that may have failed."""
        postmaster = self.postmaster()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        if postmaster is not None and Path(f"/proc/{postmaster}").exists():
            os.kill(postmaster, signal.SIGQUIT)

    def backing_socket(self) -> tuple[Path, str]:
        """The directory and port of PostgreSQL's Unix socket."""
        private = self.data / "socket.private"
        return Path(private.read_text()) if private.exists() else self.data / "socket", "5432"

    def secret(self) -> tuple[str, str]:
        """The superuser of the catalog server and its password, from the file that only the owner can read."""
        return "mere_super", (self.data / "secrets" / "mere_super").read_text().strip()

    def maintain(self, *options: str, deadline: float = 60.0) -> str:
        """`mere maintain` on this data directory, and what it printed."""
        done = subprocess.run(
            [*COMMAND, "maintain", "--data", str(self.data), *options],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=deadline,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def _environment(self) -> dict[str, str]:
        source = str(Path(__file__).parents[2] / "src")
        path = os.pathsep.join(part for part in (source, os.environ.get("PYTHONPATH", "")) if part)
        own = {
            "PYTHONPATH": path,
            "MERE_PASSWORD": PASSWORD,
            "MERE_MAINTENANCE_INTERVAL": "0",
            "MERE_BACKUP_INTERVAL": "0",
        }
        return {**os.environ, **own, **self.environment}
