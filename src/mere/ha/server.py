"""The catalog's PostgreSQL in a cluster: Patroni runs it, and decides with the other coordinator's who is primary.

    server = PatroniServer(data, settings)
    await server.start()      # returns when Patroni runs; PostgreSQL may take a while to get its role
    role = await server.look()
    await server.stop()       # PostgreSQL too, in order; the role goes to the other coordinator

Lives in the coordinator process and stands where PostgresServer stands without a cluster.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg

from mere.catalog import orphan
from mere.catalog.binaries import Account, find_account, find_binaries, reachable_binaries
from mere.catalog.datadir import DataDirectory
from mere.catalog.postgres import SERVICE_ERRORS, Role
from mere.catalog.server import GATEWAY_ROLE, OWN_CONNECTIONS, SUPERUSER, connect_to, exited
from mere.errors import StartupError
from mere.ha import place
from mere.ha.configuration import (
    ALWAYS,
    NAMESPACE,
    Node,
    agreement,
    configuration,
    differs,
    heartbeat_file,
    lease_file,
    removed_file,
)
from mere.ha.guard import Guard
from mere.ha.objects import Unreachable, open_objects
from mere.ha.process import ACCOUNT, PARENT
from mere.ha.records import boot_clock
from mere.ha.rest import PatroniSilent, Rest
from mere.ha.secrets import REPLICATION, REST, REWIND, ClusterSecrets, make_secrets, shared_secrets
from mere.ha.standing import Standing
from mere.ha.watchword import read_lease, write_heartbeat
from mere.settings import Settings

log = logging.getLogger(__name__)

ADMINISTRATOR = "mere"
_STORE_SECONDS = 5.0  # of one request before the start
_LOOK_SECONDS = 2.0
_BEAT_SECONDS = 0.5
_STOP_SECONDS = 40.0
_AGREE_SECONDS = 1.0
REMOVED = "{} was removed from the cluster {}: a new data directory joins as a new standby"
_SHARED = (SUPERUSER, GATEWAY_ROLE, ADMINISTRATOR, REPLICATION, REWIND, REST)
# Of a primary the timeline that it writes, of a standby the one that it is being sent; and since when it runs.
_LOOK = """
    SELECT pg_is_in_recovery(),
           CASE WHEN pg_is_in_recovery()
                THEN (SELECT received_tli FROM pg_stat_wal_receiver WHERE status = 'streaming')
                ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int END,
           pg_postmaster_start_time()
"""


class PatroniServer:
    """One node's Patroni and PostgreSQL. Belongs to one asyncio loop, on the main thread."""

    def __init__(self, data: DataDirectory, settings: Settings) -> None:
        self.data = data
        self._settings = settings
        self._account: Account | None = None
        self._node: Node | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None
        self._looking: asyncpg.Connection | None = None
        self._beating: asyncio.Task[None] | None = None
        self._spawned = 0.0
        self._role: Role = "none"
        self._standing = Standing(data.node / "primary_timeline")

    # -- what the house uses

    @property
    def role(self) -> Role:
        """As the last look found it."""
        return self._role

    @property
    def follows(self) -> bool:
        """Whether a standby may be read: all that it has is the primary's too, as of the last look."""
        return self._standing.follows

    @property
    def node(self) -> Node:
        if self._node is None:
            raise StartupError("this node of the cluster was not started")
        return self._node

    @property
    def port(self) -> int:
        return self.node.postgres.port

    @property
    def socket_directory(self) -> Path:
        return self.node.sockets

    @property
    def socket_path(self) -> Path:
        return self.socket_directory / f".s.PGSQL.{self.port}"

    @property
    def superuser_password(self) -> str:
        return self.data.secret(SUPERUSER)

    @property
    def gateway_password(self) -> str:
        return self.data.secret(GATEWAY_ROLE)

    @property
    def rest(self) -> Rest:
        return Rest(self.data.secret(REST), self.data.node / "ca.crt")

    async def connect(self, database: str = "postgres", role: str = SUPERUSER) -> asyncpg.Connection:
        return await connect_to(self, database, role)

    # -- start

    async def join(self) -> None:
        """Take part in the cluster's secrets, or make them. Before anything else touches the storage."""
        secrets = await asyncio.to_thread(self._shared_secrets)
        if self.data.initialized and self.data.warehouse != secrets.warehouse:
            raise StartupError(
                f"the cluster {self._settings.cluster} in {self._settings.storage} is another warehouse than "
                f"{self.data.path}: join it with a new data directory"
            )
        for name, password in secrets.passwords.items():
            if self.data.secret(name, password) != password:
                raise StartupError(f"{self.data.path}/secrets does not fit the cluster: use a new data directory")
        assert self._settings.cluster is not None
        self.data.join(self._settings.cluster, secrets.warehouse)
        self._account = find_account()
        place.prepare(self.data, self._account)
        if self.removed:
            raise StartupError(REMOVED.format(self.data.path, self.data.cluster))
        node = self._describe()
        await asyncio.to_thread(place.write_keys, node.directory, secrets.authority, node.postgres.host, self._account)
        place.write_private(
            node.directory / "patroni.json", json.dumps(configuration(node, secrets.passwords)), self._account
        )
        self._node = node

    async def start(self) -> None:
        """After `join`. Ends what an earlier coordinator left, then starts Patroni and the guard of its lease."""
        directory = self.data.node
        await _end_leftover(directory / "patroni.pid", str(directory / "patroni.json"))
        await orphan.stop_leftover(self.data.postgres)
        lease_file(directory).unlink(missing_ok=True)
        self._beat()
        self._beating = asyncio.create_task(self._keep_beating())
        self.spawn()
        self._guard = Guard(self.data.postgres, lease_file(directory))
        self._guard.start()

    def spawn(self) -> None:
        """Start Patroni, which adopts a PostgreSQL that runs."""
        directory = self.data.node
        log_file = self.data.path / "patroni.log"
        if log_file.exists() and log_file.stat().st_size > 10_000_000:
            log_file.replace(log_file.with_suffix(".log.old"))
        environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC", "HOME": str(directory), PARENT: str(os.getpid())}
        if self._account is not None:
            environment[ACCOUNT] = f"{self._account.uid}:{self._account.gid}"
        with open(log_file, "ab", opener=lambda name, flags: os.open(name, flags, 0o600)) as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mere.ha.patroni_main", str(directory / "patroni.json")],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=environment,
                start_new_session=True,  # Ctrl-C on a terminal is for us; we stop Patroni in our own time
                umask=0o077,
            )
        self._spawned = boot_clock()
        (directory / "patroni.pid").write_text(str(self._process.pid))

    def _shared_secrets(self) -> ClusterSecrets:
        settings, data = self._settings, self.data
        prefix = f"{NAMESPACE}/{settings.cluster}/"
        objects = open_objects(settings.storage, prefix, os.environ, _STORE_SECONDS)
        try:
            objects.prove()
        except Unreachable as error:
            raise StartupError(f"the cluster's storage does not answer: {error.message}") from error

        def make() -> ClusterSecrets:
            known = {name: data.secret(name) for name in _SHARED if data.has_secret(name)}
            if settings.password is not None:
                known.setdefault(ADMINISTRATOR, settings.password)
            return make_secrets(data.warehouse, known, _SHARED)

        return shared_secrets(objects, make)

    def _describe(self) -> Node:
        settings = self._settings
        assert settings.cluster is not None
        binaries = reachable_binaries(find_binaries(settings.postgres_bin), self._account)
        postgres, rest = place.addresses(self.data.node, settings.cluster_listen)
        return Node(
            cluster=settings.cluster,
            name=place.node_name(self.data),
            directory=self.data.node,
            binaries=binaries,
            sockets=place.socket_directory(self.data, self._account),
            postgres=postgres,
            rest=rest,
            storage=settings.storage,
            store=settings.cluster_store,
            lease=max(2, round(settings.leader_lease.total_seconds())),
            standby_wait=settings.standby_wait,
            connections=settings.max_connections + OWN_CONNECTIONS,
            encrypted=_does_tls(binaries),
            archive_seconds=settings.archive_timeout.total_seconds() if settings.backup_interval else 0,
        )

    # -- while it runs

    @property
    def patroni_lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def silence(self) -> float | None:
        """Seconds since Patroni last looked at its store; one that was just started has not looked yet."""
        lease = read_lease(lease_file(self.data.node))
        return None if lease is None else boot_clock() - max(lease.looked, self._spawned)

    @property
    def lease_left(self) -> float | None:
        """Seconds that this node's lease still lasts; None: it is not the leader."""
        lease = read_lease(lease_file(self.data.node))
        left = None if lease is None or lease.until is None else lease.until - boot_clock()
        return left if left is not None and left > 0 else None

    @property
    def removed(self) -> bool:
        """Whether the primary has removed this node from the cluster."""
        return removed_file(self.data.node).exists()

    @property
    def waits_always(self) -> bool:
        return self.node.standby_wait == ALWAYS

    def _beat(self) -> None:
        write_heartbeat(heartbeat_file(self.data.node), boot_clock())

    async def _keep_beating(self) -> None:
        """Tell Patroni that this process is alive: without it the node loses its role."""
        while True:
            self._beat()
            await asyncio.sleep(_BEAT_SECONDS)

    async def look(self) -> Role:
        """Ask PostgreSQL what it is now."""
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                if self._looking is None or self._looking.is_closed():
                    self._looking = await self.connect()
                in_recovery, timeline, started = await self._looking.fetchrow(_LOOK)
                if in_recovery:
                    self._standing.as_standby(timeline, started)
                else:
                    self._standing.as_primary(timeline)
                self._role = "standby" if in_recovery else "primary"
        except (OSError, TimeoutError, *SERVICE_ERRORS):
            self._role = "none"
            if self._looking is not None:
                self._looking.terminate()
                self._looking = None
        return self._role

    async def agree(self) -> None:
        """As the primary: what all members have to agree on follows this node's settings."""
        wanted = agreement(self.node)
        while True:
            try:
                current = await self.rest.get(self.node.rest, "/config")
                if differs(wanted, current):
                    log.warning("the cluster's agreed settings follow this coordinator's")
                    await self.rest.change("PATCH", self.node.rest, "/config", wanted)
                else:
                    return
            except (PatroniSilent, ValueError) as error:  # it is busy making the cluster, and has none yet
                log.info("the cluster's settings are not known yet: %s", error)
            await asyncio.sleep(_AGREE_SECONDS)

    def kill_patroni(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    # -- stop

    async def stop(self) -> None:
        """PostgreSQL first hands over what the standby lacks; returns when no process is left."""
        if self._looking is not None:
            self._looking.terminate()
            self._looking = None
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(exited(process), _STOP_SECONDS)
            if process.poll() is None:
                process.kill()
                process.wait()
            await orphan.stop_leftover(self.data.postgres)
        if self._guard is not None:
            self._guard.stop()
            self._guard = None
        if self._beating is not None:
            self._beating.cancel()
            self._beating = None


def _does_tls(binaries: Path) -> bool:
    """The PostgreSQL that comes with Mere is built without."""
    try:
        told = subprocess.run(
            [binaries / "pg_config", "--configure"], capture_output=True, text=True, check=False
        ).stdout
    except FileNotFoundError:
        return False
    return "--with-ssl=openssl" in told or "--with-openssl" in told


async def _end_leftover(file: Path, configuration: str) -> None:
    """A Patroni of a killed coordinator has been told to stop by then; wait for it."""
    try:
        pid = int(file.read_text())
    except (FileNotFoundError, ValueError):
        return
    for attempt in range(1500):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except FileNotFoundError:
            break
        if configuration.encode() not in command:
            break
        if attempt in (0, 1000):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if attempt else signal.SIGTERM)
        await asyncio.sleep(0.02)
    file.unlink(missing_ok=True)
