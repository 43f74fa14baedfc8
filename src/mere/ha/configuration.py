"""Patroni's configuration, made from ours. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from mere.catalog.archiving import archive_settings
from mere.catalog.server import SETTINGS, SUPERUSER
from mere.errors import StartupError
from mere.ha.secrets import REPLICATION, REST, REWIND
from mere.options import Address

NAMESPACE = "mere-cluster"  # below the storage: <storage>/mere-cluster/<cluster>/
ALWAYS = timedelta.max  # of the time to wait for a standby
_TTL = 20  # the least that Patroni takes; the object store has a lease of its own
_LOOP_WAIT = 1
_RETRY_TIMEOUT = 3
_START_SECONDS = 60

# Patroni hands these to PostgreSQL itself, from what all members agree on.
_AGREED = ("max_connections", "max_locks_per_transaction", "max_prepared_transactions", "wal_level")
_PATRONIS = ("listen_addresses", "port")


@dataclass(frozen=True, slots=True)
class Node:
    """One coordinator, as Patroni has to know it."""

    cluster: str
    name: str
    directory: Path  # PostgreSQL's own user may write here
    binaries: Path
    sockets: Path
    postgres: Address
    rest: Address
    storage: str
    store: str | None  # etcd3://... or kubernetes://...; None: the object store
    lease: int
    standby_wait: timedelta
    connections: int
    encrypted: bool  # whether this PostgreSQL can do TLS
    archive_seconds: float = 0  # after this time at most WAL is archived; 0: none is


def lease_file(directory: Path) -> Path:
    return directory / "lease"


def heartbeat_file(directory: Path) -> Path:
    return directory / "heartbeat"


def removed_file(directory: Path) -> Path:
    """There when the primary has removed this node."""
    return directory / "removed"


def configuration(node: Node, passwords: Mapping[str, str]) -> dict[str, Any]:
    """The whole document; JSON is YAML too."""
    directory = node.directory
    rest_login = {"username": REST, "password": passwords[REST]}
    certificate = {"certfile": str(directory / "node.crt"), "keyfile": str(directory / "node.key")}
    return {
        "scope": node.cluster,
        "name": node.name,
        "namespace": f"/{NAMESPACE}/",
        "restapi": {
            "listen": str(node.rest),
            "connect_address": str(node.rest),
            **certificate,
            "cafile": str(directory / "ca.crt"),
            "authentication": rest_login,
        },
        "ctl": {"cacert": str(directory / "ca.crt"), "authentication": rest_login},
        "log": {"level": "INFO", "format": "%(asctime)s %(levelname)s: %(message)s"},
        **store_section(node),
        "bootstrap": {
            "dcs": agreement(node),
            "initdb": [
                {"encoding": "UTF8"},
                {"locale": "C"},
                {"locale-provider": "builtin"},
                {"builtin-locale": "C.UTF-8"},
                {"auth": "scram-sha-256"},
                "data-checksums",
            ],
        },
        "postgresql": _postgresql(node, passwords),
    }


def store_section(node: Node) -> dict[str, Any]:
    """Where the leader's lease lies."""
    if node.store is None:
        return {
            "object_store": {
                "url": node.storage,
                "lease_seconds": node.lease,
                "watch_seconds": 0.5,
                "proved": True,
                "lease_file": str(lease_file(node.directory)),
                "heartbeat_file": str(heartbeat_file(node.directory)),
                "removed_file": str(removed_file(node.directory)),
            }
        }
    kind, _, rest = node.store.partition("://")
    if kind == "etcd3" and rest:
        return {"etcd3": {"hosts": rest.split(",")}}
    if kind == "kubernetes" and rest:
        return {"kubernetes": {"namespace": rest, "labels": {"application": "mere"}, "scope_label": "mere-cluster"}}
    raise StartupError(f"--cluster-store: expected etcd3://host:port,... or kubernetes://namespace, not {node.store!r}")


def agreement(node: Node) -> dict[str, Any]:
    """What all members have to agree on: it lies in the store, and the primary keeps it up to date."""
    agreed = {name: SETTINGS[name] for name in _AGREED if name in SETTINGS}
    return {
        "ttl": _TTL,
        "loop_wait": _LOOP_WAIT,
        "retry_timeout": _RETRY_TIMEOUT,
        "primary_start_timeout": _START_SECONDS,
        "synchronous_mode": True,
        "synchronous_mode_strict": node.standby_wait == ALWAYS,
        "postgresql": {
            "use_pg_rewind": True,
            "use_slots": True,
            "parameters": {
                **agreed,
                "max_connections": node.connections,
                "max_wal_senders": 10,
                "max_replication_slots": 10,
                "hot_standby": "on",
                "wal_log_hints": "on",
            },
        },
    }


def differs(wanted: Mapping[str, Any], current: Mapping[str, Any]) -> bool:
    """Does the agreement lack something that is wanted? What else stands there is left alone."""
    for name, value in wanted.items():
        known = current.get(name)
        if isinstance(value, Mapping):
            if not isinstance(known, Mapping) or differs(value, known):
                return True
        elif str(known) != str(value):
            return True
    return False


def _postgresql(node: Node, passwords: Mapping[str, str]) -> dict[str, Any]:
    directory = node.directory
    remote: dict[str, str] = {}
    if node.encrypted:
        remote = {"sslmode": "verify-ca", "sslrootcert": str(directory / "ca.crt")}
    return {
        "listen": str(node.postgres),
        "connect_address": str(node.postgres),
        "data_dir": str(directory / "postgres"),
        "bin_dir": str(node.binaries),
        "pgpass": str(directory / "pgpass"),
        "use_unix_socket": True,
        "use_unix_socket_repl": True,
        "authentication": {
            "superuser": {"username": SUPERUSER, "password": passwords[SUPERUSER]},
            "replication": {"username": REPLICATION, "password": passwords[REPLICATION], **remote},
            "rewind": {"username": REWIND, "password": passwords[REWIND], **remote},
        },
        "remove_data_directory_on_rewind_failure": True,
        "remove_data_directory_on_diverged_timelines": True,
        "basebackup": [{"checkpoint": "fast"}],
        "parameters": _parameters(node),
        "pg_hba": _host_based(node.encrypted),
    }


def _parameters(node: Node) -> dict[str, str]:
    own = {name: value for name, value in SETTINGS.items() if name not in (*_AGREED, *_PATRONIS)}
    own["unix_socket_directories"] = str(node.sockets)
    own["recovery_init_sync_method"] = "syncfs"  # file by file, a thousand of each database, takes many seconds
    own |= archive_settings(node.directory / "postgres", node.binaries, node.archive_seconds)
    own["wal_keep_size"] = "256MB"
    own["max_slot_wal_keep_size"] = "4GB"  # a standby that is away for long is made anew
    own["wal_receiver_status_interval"] = "1s"
    # Who reads on a standby keeps what he sees from being cleaned up, instead of being in the way of what is replayed;
    # where he is in its way all the same, by a lock, he is cancelled before a promotion would have to wait for him.
    own["hot_standby_feedback"] = "on"
    own["max_standby_streaming_delay"] = "3s"
    silence = timedelta(seconds=60) if node.standby_wait == ALWAYS else node.standby_wait
    for name in ("wal_sender_timeout", "wal_receiver_timeout"):
        own[name] = f"{max(2000, round(silence.total_seconds() * 1000))}ms"
    if node.encrypted:
        own |= {
            "ssl": "on",
            "ssl_ca_file": str(node.directory / "ca.crt"),
            "ssl_cert_file": str(node.directory / "node.crt"),
            "ssl_key_file": str(node.directory / "node.key"),
        }
    return own


def _host_based(encrypted: bool) -> list[str]:
    """By the network only the other coordinator comes in, and only to replicate and to rewind."""
    remote = "hostssl" if encrypted else "host"
    return [
        "local all all scram-sha-256",
        f"local replication {REPLICATION} scram-sha-256",
        f"{remote} replication {REPLICATION} all scram-sha-256",
        f"{remote} postgres {REWIND} all scram-sha-256",
    ]
