"""One node of a coordinator pair: `mere serve --cluster`, with the Patroni and the PostgreSQL that belong to it.

All of them are killed, stopped and continued as if the machine were; each can be struck alone, too.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg

from harness.mere import COMMAND, MereProcess
from harness.processes import command_line, tree

Role = Literal["primary", "standby"]
Part = Literal["coordinator", "patroni", "postgres"]
NODE_VARIABLE = "MERE_TEST_NODE"  # marks what descends from a node, also where its parents are gone


@dataclass(slots=True)
class Node(MereProcess):
    """One coordinator of a pair."""

    name: str = ""

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def pids(self) -> set[int]:
        """Whatever lives of this node: below the coordinator, in its data directory, or marked as its own."""
        roots = {pid for pid in _alive() if self._owns(pid)}
        if self.process is not None and self.process.poll() is None:
            roots.add(self.process.pid)
        return {pid for pid in tree(*roots) if not _is_zombie(pid)}

    def patroni(self) -> int | None:
        """The process id of its Patroni."""
        return next((pid for pid in sorted(self.pids()) if b"mere.ha.patroni_main" in command_line(pid)), None)

    def kill(self) -> None:
        """kill -9 of everything, as a power cut: nobody gets to act on the death of another."""
        self.pause()
        for pid in self.pids():
            _send(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait(10)
        until = time.monotonic() + 10
        while self.pids():
            if time.monotonic() > until:
                raise TimeoutError(f"{self.name} does not die: {self.pids()}")
            time.sleep(0.01)

    def pause(self) -> None:
        """SIGSTOP of everything, also of what is being started in this moment."""
        stopped: set[int] = set()
        while fresh := self.pids() - stopped:
            for pid in fresh:
                _send(pid, signal.SIGSTOP)
            stopped |= fresh

    def resume(self) -> None:
        for pid in self.pids():
            _send(pid, signal.SIGCONT)

    def strike(self, part: Part, number: signal.Signals) -> None:
        """A signal to one process of it; nothing happens to a part that does not run."""
        found = {
            "coordinator": lambda: self.process.pid if self.process is not None and self.running else None,
            "patroni": self.patroni,
            "postgres": self.postmaster,
        }[part]()
        if found is not None:
            _send(found, number)

    def role(self, deadline: float = 3.0) -> Role | None:
        """What its gateway tells a client; None: nobody answers."""
        try:
            with self.client(deadline=deadline) as client:
                told = client.connection.parameter_status(b"in_hot_standby")
        except Exception:
            return None
        return "standby" if told == b"on" else "primary"

    def backing_socket(self) -> tuple[Path, str]:
        """The directory and port of PostgreSQL's Unix socket, which is named by the port."""
        found = next((self.data / "node" / "socket").glob(".s.PGSQL.*[0-9]"), None)
        if found is None:
            raise FileNotFoundError(f"{self.name} has no socket of PostgreSQL")
        return found.parent, found.name.rsplit(".", 1)[1]

    def catalog(self, database: str = "mere") -> psycopg.Connection:
        """Its PostgreSQL, as the superuser, past the gateway."""
        directory, port = self.backing_socket()
        user, password = self.secret()
        return psycopg.connect(
            host=str(directory), port=port, user=user, password=password, dbname=database, autocommit=True
        )

    def synchronous_standbys(self) -> list[str]:
        """The names of those that may take over, as its Patroni tells; empty also if it does not answer."""
        with suppress(OSError, ValueError, http.client.HTTPException):
            _, port = json.loads((self.data / "node" / "ports.json").read_text())
            context = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection(self.host.address, port, timeout=3, context=context)
            connection.request("GET", "/cluster")
            members = json.loads(connection.getresponse().read())["members"]
            connection.close()
            told = [member for member in members if member["role"] == "sync_standby"]
            return [member["name"] for member in told if member["state"] == "streaming"]
        return []

    def command(self, *words: str, deadline: float = 60.0) -> subprocess.CompletedProcess[str]:
        """`mere WORDS --data ...` on this node's data directory, in its network."""
        return subprocess.run(
            [*self.host.prefix, *COMMAND, *words, "--data", str(self.data)],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=deadline,
            check=False,
        )

    def destroy(self) -> None:
        """Nothing of it is left."""
        self.kill()

    def _owns(self, pid: int) -> bool:
        marker = f"{NODE_VARIABLE}={self.environment[NODE_VARIABLE]}\0".encode()
        with suppress(OSError):
            if marker in Path(f"/proc/{pid}/environ").read_bytes():
                return True
            if Path(f"/proc/{pid}/cwd").resolve().is_relative_to(self.data):
                return True
            return str(self.data).encode() in command_line(pid)
        return False


def _alive() -> Iterator[int]:
    own = {os.getpid(), os.getppid()}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) not in own:
            yield int(process.name)


def _is_zombie(pid: int) -> bool:
    """Ended, and only its parent has not heard of it; so is one that is not there at all."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat[stat.rindex(")") + 2] in "ZX"


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
