"""A Ray cluster of several nodes on this machine, beside any server: started by Ray's own command, lost by signals."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from harness.postgres import free_port


class RayCluster:
    """`environment` is what a driver needs to join; `address` is for `--ray`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.address = f"127.0.0.1:{free_port()}"
        self.environment = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self._nodes: list[subprocess.Popen[bytes]] = []

    def start(self, nodes: int) -> None:
        port = self.address.rsplit(":", 1)[1]
        self._start("--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={self.directory}")
        for _ in range(nodes - 1):
            self._start(f"--address={self.address}")

    def _start(self, *options: str) -> None:
        """With --block the node stays our child."""
        command = [str(Path(sys.executable).parent / "ray"), "start", "--block", "--disable-usage-stats"]
        command += ["--num-cpus=2", "--object-store-memory=200000000", "--node-ip-address=127.0.0.1", *options]
        file = self.directory / f"node-{len(self._nodes)}.log"
        log = file.open("wb")
        # Not what an earlier test of this process has told Ray.
        own = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        environment = {**own, **self.environment, "RAY_worker_niceness": "0"}
        node = subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self._nodes.append(node)
        log.close()
        deadline = time.monotonic() + 60
        while "Ray runtime started" not in file.read_text():
            assert node.poll() is None and time.monotonic() < deadline, file.read_text()
            time.sleep(0.1)

    def signal(self, node: int, number: signal.Signals) -> None:
        """All processes of a node at once: its power, or its network."""
        for pid in _tree(self._nodes[node].pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self) -> None:
        for node in range(len(self._nodes)):
            self.signal(node, signal.SIGKILL)
        for process in self._nodes:
            process.wait(10)


def _tree(pid: int) -> Iterator[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (process / "stat").read_text()
                parent = int(stat[stat.rindex(")") + 2 :].split()[1])
                children.setdefault(parent, []).append(int(process.name))
    waiting = [pid]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += children.get(found, [])
