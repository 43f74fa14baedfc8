"""Every option of a warehouse, declared once: its name, type, default and help.

Owns where a value comes from: flag, then MERE_* environment variable, then mere.toml in the data directory, then
default. The command line's help and docs/settings.md are made from the same declarations. Used in every process.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from mere.errors import StartupError
from mere.options import (
    LOG_LEVELS,
    OPTION,
    Address,
    Option,
    available_cores,
    default_data,
    option,
    parse_address,
    parse_count,
    parse_duration,
    parse_log_level,
    parse_name,
    parse_number,
    parse_path,
    parse_paths,
    parse_patience,
    parse_ray,
    parse_size,
    parse_storage,
    parse_switch,
)

FILE_NAME = "mere.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One warehouse's settings; `Settings(data=directory)` has the default of everything else."""

    data: Path = option(
        "the directory of the catalog: everything that is not in the storage",
        "DIR",
        parse_path,
        "mere in the user's data home",
        default_factory=default_data,
    )
    storage: str = option(
        "where the rows live: a folder, s3://bucket/prefix (credentials in the standard AWS_* variables,"
        " AWS_ENDPOINT_URL among them), gs://bucket/prefix or az://container/prefix; fixed at the first start",
        "URL",
        parse_storage,
        "the folder storage in the data directory",
        default="",
    )
    listen: Address = option(
        "the address that clients connect to",
        "HOST:PORT",
        parse_address,
        "127.0.0.1:5432",
        default=Address("127.0.0.1", 5432),
    )
    password: str | None = option(
        "the password of the role mere, used at the first start only",
        "TEXT",
        str,
        "generated, and kept in the file password in the data directory",
        default=None,
        flag=False,
    )
    postgres_bin: Path | None = option(
        "the bin directory of another PostgreSQL 18 to use",
        "DIR",
        parse_path,
        "the one that comes with Mere",
        default=None,
    )
    retention: timedelta = option(
        "how long old snapshots stay readable before maintenance removes them",
        "TIME",
        parse_duration,
        "7d",
        default=timedelta(days=7),
    )
    maintenance_interval: timedelta = option(
        "how often the server looks for what maintenance has to do; 0: only mere maintain and SQL do it",
        "TIME",
        parse_duration,
        "15min",
        default=timedelta(minutes=15),
    )
    copy_directories: tuple[str, ...] = option(
        "local folders, separated by commas, that COPY may read and write on the server's side",
        "LIST",
        parse_paths,
        "none: COPY reaches the client and object storage",
        default=(),
    )
    python_functions: bool = option(
        "whether functions in Python may run; who may write them acts with the rights of the server's and the segments'"
        " processes",
        "on|off",
        parse_switch,
        "off",
        default=False,
    )
    log_level: str = option(
        "how much goes to the log on standard error",
        "LEVEL",
        parse_log_level,
        "warning",
        default="warning",
        choices=LOG_LEVELS,
    )
    backup_interval: timedelta = option(
        "how often the whole catalog is backed up to the storage; in between its WAL goes there; 0: no backups at all",
        "TIME",
        parse_duration,
        "1d",
        default=timedelta(days=1),
        group="backup",
    )
    backup_keep: timedelta | None = option(
        "how far back mere restore can go; no less than retention, which is how long the data files stay",
        "TIME",
        parse_duration,
        "as long as retention",
        default=None,
        group="backup",
    )
    archive_timeout: timedelta = option(
        "how much of the last work is lost at most when the disks of all coordinators are: after this time the WAL goes"
        " to the storage, full or not",
        "TIME",
        parse_duration,
        "60s",
        default=timedelta(seconds=60),
        group="backup",
    )
    tls_certificate: Path | None = option(
        "a PEM file with the certificate chain; clients may then use TLS",
        "FILE",
        parse_path,
        "none: no TLS",
        default=None,
        group="connections",
    )
    tls_key: Path | None = option(
        "a PEM file with the certificate's private key",
        "FILE",
        parse_path,
        "none",
        default=None,
        group="connections",
    )
    max_connections: int = option(
        "how many clients may be connected at a time",
        "N",
        parse_count,
        "100",
        default=100,
        group="connections",
    )
    authentication_timeout: timedelta = option(
        "how long a client may take to log in",
        "TIME",
        parse_duration,
        "60s",
        default=timedelta(seconds=60),
        group="connections",
    )
    statement_timeout: timedelta = option(
        "ends a statement that takes longer, unless the session sets statement_timeout itself",
        "TIME",
        parse_duration,
        "0: none",
        default=timedelta(0),
        group="connections",
    )
    idle_in_transaction_timeout: timedelta = option(
        "ends a session that leaves a transaction open for longer, unless it sets"
        " idle_in_transaction_session_timeout itself",
        "TIME",
        parse_duration,
        "0: none",
        default=timedelta(0),
        group="connections",
    )
    backing_socket: Path | None = option(
        "the directory of another Unix socket through which sessions reach the catalog, such as a pooler's or a"
        " test's proxy",
        "DIR",
        parse_path,
        "the catalog's own",
        default=None,
        group="connections",
        flag=False,
    )
    threads: int = option(
        "how many threads the engine uses",
        "N",
        parse_count,
        "one per core",
        default_factory=available_cores,
        group="engine",
    )
    memory_limit: int | None = option(
        "how much memory the engine may use before it writes to the temporary directory",
        "SIZE",
        parse_size,
        "80% of the machine's; 15% beside segments on the same machine",
        default=None,
        group="engine",
    )
    temp_directory: Path = option(
        "where the engine puts what does not fit in memory",
        "DIR",
        parse_path,
        "the folder temp in the data directory",
        default=Path(),
        group="engine",
    )

    distribute_rows: int = option(
        "a query that reads fewer rows than this runs on the coordinator, since sending it around would take longer",
        "N",
        parse_number,
        "100000",
        default=100_000,
        group="distributed queries",
    )
    read_everywhere_rows: int = option(
        "a table of no more rows than this is read by every segment that needs it, straight from the storage,"
        " instead of being sent from one to the others",
        "N",
        parse_number,
        "50000",
        default=50_000,
        group="distributed queries",
    )
    active_statements: int = option(
        "how many statements may use the segments at a time; others wait, first come, first served",
        "N",
        parse_count,
        "8",
        default=8,
        group="distributed queries",
    )
    waiting_statements: int = option(
        "how many statements may wait for the segments; one more fails at once, with SQLSTATE 53300",
        "N",
        parse_number,
        "256",
        default=256,
        group="distributed queries",
    )
    slice_attempts: int = option(
        "how often a segment's part of a query is started anew after a segment was lost, before the query fails",
        "N",
        parse_count,
        "4",
        default=4,
        group="distributed queries",
    )
    segment_patience: timedelta = option(
        "how long a query waits for a segment to answer when none does, before it fails with SQLSTATE 57P03",
        "TIME",
        parse_duration,
        "30s",
        default=timedelta(seconds=30),
        group="distributed queries",
    )
    segments: int | None = option(
        "how many segments share the work of large queries, each a process of its own, on this machine or on the"
        " cluster that ray names",
        "N",
        parse_count,
        "none: everything runs in the server's process; on a cluster, one for each node",
        default=None,
        group="segments",
    )
    ray: str | None = option(
        "the address of a Ray cluster (a node of which must run on this machine) whose nodes hold the segments, such as"
        " 10.0.0.5:6379, or auto",
        "ADDRESS",
        parse_ray,
        "none: the segments run on this machine",
        default=None,
        group="segments",
    )
    segment_threads: int | None = option(
        "how many threads a segment uses",
        "N",
        parse_count,
        "the cores of its machine, divided by the segments there",
        default=None,
        group="segments",
    )
    segment_memory: int | None = option(
        "how much memory a segment's engine may use before it writes to the temporary directory",
        "SIZE",
        parse_size,
        "45% of the machine's, divided by the segments",
        default=None,
        group="segments",
    )
    object_store_memory: int | None = option(
        "how much memory holds rows on their way between segments before they are written to the temporary directory",
        "SIZE",
        parse_size,
        "25% of the machine's; a cluster has its own",
        default=None,
        group="segments",
    )
    spare_segments: int = option(
        "how many processes stand by on each machine to take the place of a segment that is lost",
        "N",
        parse_number,
        "1",
        default=1,
        group="segments",
    )
    segment_timeout: timedelta = option(
        "a segment or machine that is silent for longer is given up; one that died or was stopped is noticed at once",
        "TIME",
        parse_duration,
        "10s",
        default=timedelta(seconds=10),
        group="segments",
    )

    cluster: str | None = option(
        "the name of the pair of coordinators that this one belongs to; the two share the storage, and nothing else",
        "NAME",
        parse_name,
        "none: a single coordinator",
        default=None,
        group="cluster",
    )
    cluster_listen: Address = option(
        "the address that the other coordinator reaches this one's PostgreSQL by; Patroni listens at the next port",
        "HOST:PORT",
        parse_address,
        "127.0.0.1 and free ports: both coordinators on one host",
        default=Address("127.0.0.1", 0),
        group="cluster",
    )
    cluster_store: str | None = option(
        "where the leader's lease lies: etcd3://HOST:PORT,... or kubernetes://NAMESPACE",
        "URL",
        str,
        "the storage",
        default=None,
        group="cluster",
    )
    standby_wait: timedelta = option(
        "how long commits wait for a standby that falls silent before the primary goes on alone; always: until it is"
        " back, so that nothing that was acknowledged can be lost, even with both the primary and its disk",
        "TIME",
        parse_patience,
        "10s",
        default=timedelta(seconds=10),
        group="cluster",
    )
    leader_lease: timedelta = option(
        "how long the primary may go on without renewing its lease in the storage; the other waits that long",
        "TIME",
        parse_duration,
        "5s",
        default=timedelta(seconds=5),
        group="cluster",
    )
    standby_grace: timedelta = option(
        "how long, in a cluster, a file stays at least after the last snapshot that reads it was removed: time for"
        " queries on the standby to end",
        "TIME",
        parse_duration,
        "1h",
        default=timedelta(hours=1),
        group="cluster",
    )

    def __post_init__(self) -> None:
        """The defaults that depend on `data`."""
        if not self.storage:
            object.__setattr__(self, "storage", str(self.data / "storage"))
        if self.temp_directory == Path():
            object.__setattr__(self, "temp_directory", self.data / "temp")

    @classmethod
    def load(cls, flags: Mapping[str, str | None], environment: Mapping[str, str] = os.environ) -> Settings:
        """The settings of this process; raises StartupError that names the setting and where it was given."""
        data = _pick("data", flags, environment, {})
        values: dict[str, Any] = {} if data is None else {"data": data}
        file = read_file((data or default_data()) / FILE_NAME)
        for name in OPTIONS:
            value = _pick(name, flags, environment, file)
            if value is not None:
                values[name] = value
        settings = cls(**values)
        if (settings.tls_certificate is None) != (settings.tls_key is None):
            raise StartupError("tls_certificate and tls_key go together: one of them is missing")
        if settings.backup_keep is not None and settings.backup_keep < settings.retention:
            raise StartupError("backup_keep must be no less than retention: the files stay for so long to be restored")
        if not settings.archive_timeout:
            raise StartupError("archive_timeout: WAL must go to the storage after some time; give a time")
        if not settings.segment_timeout:
            raise StartupError("segment_timeout: a segment that is silent for ever must be noticed; give a time")
        if not 2 <= settings.leader_lease.total_seconds() <= 60:
            raise StartupError("leader_lease: expected a time from 2s to 60s")
        return settings

    @property
    def clustered(self) -> bool:
        """Whether there are segments beside the server's own process."""
        return self.segments is not None or self.ray is not None


OPTIONS: Mapping[str, Option] = {field.name: field.metadata[OPTION] for field in dataclasses.fields(Settings)}


def flag_of(name: str) -> str:
    return "--" + name.replace("_", "-")


def variable_of(name: str) -> str:
    return "MERE_" + name.upper()


def add_arguments(parser: argparse.ArgumentParser, names: Iterable[str] = tuple(OPTIONS)) -> None:
    """The flags of these settings, in groups; the values stay text until `Settings.load`."""
    groups: dict[str, argparse._ArgumentGroup] = {}
    for name in names:
        declared = OPTIONS[name]
        if not declared.flag:
            continue
        if declared.group not in groups:
            groups[declared.group] = parser.add_argument_group(declared.group)
        text = f"{declared.help} (default: {declared.shown_default}; environment: {variable_of(name)})"
        groups[declared.group].add_argument(
            flag_of(name), dest=name, metavar=declared.metavar, help=text.replace("%", "%%")
        )


def read_file(path: Path) -> Mapping[str, str]:
    """The settings in a mere.toml, as text; no file is no settings."""
    try:
        content = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise StartupError(f"cannot read {path}: {error}") from error
    unknown = sorted(set(content) - (set(OPTIONS) - {"data"}))
    if unknown:
        raise StartupError(f"{path}: there is no setting named {unknown[0]}")
    return {name: _as_text(value) for name, value in content.items()}


def _as_text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _pick(name: str, flags: Mapping[str, str | None], environment: Mapping[str, str], file: Mapping[str, str]) -> Any:
    """The first place that gives this setting, parsed; None where none does. An empty variable counts as unset."""
    places = (
        (flag_of(name), flags.get(name)),
        (variable_of(name), environment.get(variable_of(name)) or None),
        (f"{name} in {FILE_NAME}", file.get(name)),
    )
    for place, text in places:
        if text is not None:
            try:
                return OPTIONS[name].parse(text)
            except ValueError as error:
                raise StartupError(f"{place}: {error}, not {text!r}") from error
    return None
