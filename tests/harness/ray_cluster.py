"""A Ray cluster of several nodes on this machine, beside any server: started by Ray's own command, lost by signals.

The nodes are on loopback, or each on a host of its own (harness.hosts).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from harness.hosts import HERE, Host
from harness.postgres import free_port
from harness.processes import descendants, tree


class RayCluster:
    """`environment` is what a driver needs to join; `address` is for `--ray`; `settings` are for Ray on the nodes."""

    def __init__(
        self, directory: Path, hosts: Sequence[Host] = (), settings: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.directory = directory
        self.address = f"{hosts[0].address if hosts else '127.0.0.1'}:{free_port()}"
        self.environment = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self._hosts = hosts
        self._settings = settings
        self._nodes: list[subprocess.Popen[bytes]] = []

    def start(self, nodes: int = 0, head_cpus: int = 2) -> None:
        """One on each host, or so many on loopback. The head comes first."""
        hosts = self._hosts or [HERE] * nodes
        port = self.address.rsplit(":", 1)[1]
        head = ("--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={self.directory}")
        self._nodes.append(self._start(hosts[0], f"--num-cpus={head_cpus}", *head))
        for host in hosts[1:]:
            self._nodes.append(self._start(host, "--num-cpus=2", f"--address={self.address}"))

    def restart_ended(self) -> None:
        """What a supervisor of each host would do. The head's end is the end of the cluster."""
        for number, node in enumerate(self._nodes):
            if number and node.poll() is not None:
                self._nodes[number] = self._start(self._hosts[number], "--num-cpus=2", f"--address={self.address}")

    def _start(self, host: Host, *options: str) -> subprocess.Popen[bytes]:
        """With --block the node stays our child."""
        command = [*host.prefix, str(Path(sys.executable).parent / "ray"), "start", "--block", "--disable-usage-stats"]
        command += ["--object-store-memory=200000000", f"--node-ip-address={host.address}", *options]
        file = self.directory / f"node-{time.monotonic_ns()}.log"
        log = file.open("wb")
        # Not what an earlier test of this process has told Ray.
        own = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        environment = {**own, **self.environment, "RAY_worker_niceness": "0", **self._settings}
        node = subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        log.close()
        deadline = time.monotonic() + 60
        try:
            while "Ray runtime started" not in file.read_text():
                assert node.poll() is None and time.monotonic() < deadline, file.read_text()
                time.sleep(0.1)
        except BaseException:
            _end(node.pid, signal.SIGKILL)
            raise
        return node

    def buried(self) -> int:
        """How many nodes Ray itself has found dead, because they were silent."""
        log = self.directory / "session_latest" / "logs" / "gcs_server.out"
        return log.read_text(errors="replace").count("Node is dead because the health check failed")

    def pids(self, node: int, command: str) -> list[int]:
        """Processes of a node whose command line has this in it."""
        return descendants(self._nodes[node].pid, command)

    def signal(self, node: int, number: signal.Signals) -> None:
        """All processes of a node at once: its power, or its network."""
        _end(self._nodes[node].pid, number)

    def stop(self) -> None:
        for node in range(len(self._nodes)):
            self.signal(node, signal.SIGKILL)
        for process in self._nodes:
            process.wait(10)


def _end(pid: int, number: signal.Signals) -> None:
    for each in tree(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, number)
