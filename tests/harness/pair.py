"""A coordinator pair on this machine: an S3 server and two `mere serve --cluster`, each in a network of its own where
that is permitted, else all on loopback.

    with Pair(directory) as pair:
        pair.start()                    # the first node becomes primary, the second its synchronous standby
        primary, standby = pair.roles()
        primary.kill()
        pair.until_whole()              # starts what has ended, as any supervisor would
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from harness.hosts import HERE, Network, why_not
from harness.mere import PASSWORD, START_DEADLINE, StartFailed
from harness.pair_node import NODE_VARIABLE, Node
from mere.demo.seaweed import SeaweedFS

NAMES = ("alpha", "beta")
STORE = "store"
CLUSTER = "warehouse"
WHOLE_SECONDS = 90.0
SMALL = ("--threads", "1", "--memory-limit", "500MB")


class NotWhole(Exception):
    """The pair did not come back by itself; the text is what both nodes printed."""


class Pair:
    """Owns all of it; `close` in any case."""

    def __init__(
        self, directory: Path, settings: Mapping[str, str] | None = None, options: tuple[str, ...] = SMALL
    ) -> None:
        """`settings` are environment variables, `options` words for both nodes."""
        self.directory = directory
        self.network = Network(*NAMES, STORE) if why_not() is None else None
        hosts = self.network.hosts if self.network is not None else dict.fromkeys((*NAMES, STORE), HERE)
        self.store = SeaweedFS(directory / STORE, address=hosts[STORE].address, prefix=hosts[STORE].prefix)
        self.nodes: dict[str, Node] = {}
        self._hosts, self._options = hosts, options
        self._settings = {"MERE_BACKUP_INTERVAL": "1d", **(settings or {})}
        self._stack = ExitStack()

    # -- its life

    def start(self) -> Pair:
        """Returns when there is a primary with a synchronous standby."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o755)  # PostgreSQL's own user has to get through, whatever the umask is
        if self.network is not None:
            self._stack.callback(self.network.stop)
            self.network.start()
        self._stack.callback(self.store.stop)
        self.store.start()
        for name in NAMES:
            self.nodes[name] = self._make_node(name)
            self._stack.callback(self.nodes[name].destroy)
            self.nodes[name].start(wait=False)
            self._until_begun(self.nodes[name])
        self.until_whole()
        return self

    def _until_begun(self, node: Node) -> None:
        """Until its Patroni runs: then the cluster is known to the store, and the next node can join it."""
        until = time.monotonic() + START_DEADLINE
        while not (node.data / "node" / "patroni.pid").exists():
            if not node.running or time.monotonic() > until:
                raise StartFailed(node.tail())
            time.sleep(0.05)

    def _make_node(self, name: str) -> Node:
        host = self._hosts[name]
        mark = {NODE_VARIABLE: f"{name}-{os.getpid()}-{self.directory.name}"}
        return Node(
            self.directory / name,
            f"{self.store.url}/lake",
            {**self.store.environment, **self._settings, **mark},
            host=host,
            options=("--cluster", CLUSTER, "--cluster-listen", f"{host.address}:0", *self._options),
            name=name,
        )

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- who is what

    @property
    def conninfo(self) -> str:
        """libpq's own way to whoever takes writes."""
        return f"{self.any_conninfo} target_session_attrs=read-write"

    @property
    def any_conninfo(self) -> str:
        hosts = ",".join(node.host.address for node in self.nodes.values())
        ports = ",".join(str(node.port) for node in self.nodes.values())
        return f"host={hosts} port={ports} user=mere dbname=mere password={PASSWORD} connect_timeout=2"

    def roles(self) -> tuple[Node, Node]:
        """Primary and standby. NotWhole, if not exactly one is each."""
        told = {node.role(): node for node in self.nodes.values()}
        if set(told) != {"primary", "standby"}:
            raise NotWhole(f"roles: { {node.name: role for role, node in told.items()} }")
        return told["primary"], told["standby"]

    def whole(self) -> bool:
        """One primary, one standby, and commits wait for it."""
        try:
            primary, _ = self.roles()
        except NotWhole:
            return False
        return bool(primary.synchronous_standbys())

    def until_whole(self, seconds: float = WHOLE_SECONDS) -> float:
        """How long it took. A node that has ended is started again."""
        started = time.monotonic()
        while not self.whole():
            for node in self.nodes.values():
                if not node.running:
                    node.start(wait=False)
            if time.monotonic() > started + seconds:
                raise NotWhole(self.tail())
            time.sleep(0.1)
        return time.monotonic() - started

    def tail(self, characters: int = 3000) -> str:
        """The end of what both printed."""
        told = []
        for node in self.nodes.values():
            standbys = node.synchronous_standbys()
            told.append(f"--- {node.name}: {node.role()}, synchronous {standbys}\n{node.tail(characters)}")
        return "\n".join(told)

    # -- what can happen to what lies between them

    def part(self, one: str, other: str) -> None:
        """These two do not reach each other; clients and the third reach both. Needs `network`."""
        assert self.network is not None
        self.network.part(one, other)

    def join(self, one: str, other: str) -> None:
        assert self.network is not None
        self.network.join(one, other)

    def pause_store(self) -> None:
        os.kill(self.store.pid, signal.SIGSTOP)

    def resume_store(self) -> None:
        os.kill(self.store.pid, signal.SIGCONT)
