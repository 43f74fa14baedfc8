"""The data directory: claim it, know it as ours, keep its secrets. Lives in the `mere serve` process.

    mere.json     marker: format version, an id, and whether the first start came to its end
    lock          flock held by the serving process; a second `serve` is refused by it
    secrets/      generated passwords, one 0600 file each
    postgres/     the catalog (owned by the PostgreSQL operating-system user when serving as root)
    postgres.log  what PostgreSQL writes
    node/         in a cluster: postgres/, and what Patroni needs beside it; patroni.log is what both write
    duckdb/       DuckDB's extension directory and its spill files

The directory is 0700: nobody but the server has business in it.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
import uuid
from pathlib import Path
from typing import Any

from mere.errors import StartupError

FORMAT = 1
MARKER = "mere.json"


class DataDirectory:
    """A claimed data directory. `claim` is the only way to get one; `release` (or process death) gives it up."""

    def __init__(self, path: Path, lock: int, marker: dict[str, Any]) -> None:
        self.path = path
        self._lock = lock
        self._marker = marker

    @classmethod
    def claim(cls, path: Path) -> DataDirectory:
        """Create or recognise the directory and lock it. StartupError, and nothing touched, when it is not ours."""
        path = path.expanduser().absolute()
        try:
            _create_or_recognise(path)
            lock = _lock(path)
            try:
                return cls(path, lock, _read_or_write_marker(path))
            except BaseException:
                os.close(lock)
                raise
        except OSError as error:
            raise StartupError(f"cannot use data directory {path}: {error.strerror}") from error

    def release(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @property
    def id(self) -> str:
        """A random id of this installation; names its prefix where several share a bucket."""
        return str(self._marker["id"])

    @property
    def warehouse(self) -> str:
        """The id of the warehouse, which the coordinators of a cluster share; the storage is marked with it."""
        return str(self._marker.get("warehouse", self.id))

    @property
    def cluster(self) -> str | None:
        """The cluster that this directory is a node of."""
        name = self._marker.get("cluster")
        return None if name is None else str(name)

    def join(self, cluster: str, warehouse: str) -> None:
        """From now on this directory is a node of that cluster, and of nothing else. A lone catalog moves along."""
        if self.cluster == cluster and self.warehouse == warehouse:
            return
        lone = self.path / "postgres"
        if lone.exists():
            self.node.mkdir(mode=0o700, exist_ok=True)
            lone.rename(self.node / "postgres")
        self._marker |= {"cluster": cluster, "warehouse": warehouse}
        _write_marker(self.path, self._marker)

    @property
    def node(self) -> Path:
        """What Patroni and PostgreSQL own in a cluster."""
        return self.path / "node"

    @property
    def initialized(self) -> bool:
        return bool(self._marker["initialized"])

    def mark_initialized(self) -> None:
        """The catalog is complete: from now on a missing `postgres/` is damage, not a first start."""
        if not self.initialized:
            self._marker["initialized"] = True
            _write_marker(self.path, self._marker)

    @property
    def postgres(self) -> Path:
        return (self.path if self.cluster is None else self.node) / "postgres"

    @property
    def duckdb(self) -> Path:
        return self.path / "duckdb"

    def has_secret(self, name: str) -> bool:
        return (self.path / "secrets" / name).exists()

    def secret(self, name: str, value: str | None = None) -> str:
        """The password kept under this name; `value`, else a generated one, is kept at the first call."""
        directory = self.path / "secrets"
        file = directory / name
        try:
            return file.read_text().strip()
        except FileNotFoundError:
            pass
        password = value or secrets.token_urlsafe(24)
        directory.mkdir(mode=0o700, exist_ok=True)
        _write_durably(file, password + "\n")
        return password


def _create_or_recognise(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.is_dir():
        raise StartupError(f"{path} is not a directory")
    if (path / MARKER).exists():
        return
    # A first start that was killed before it wrote the marker leaves the lock file alone.
    strangers = [entry for entry in path.iterdir() if entry.name not in ("lock", "mere.toml", MARKER + ".new")]
    if strangers:
        raise StartupError(f"{path} is not empty and not a Mere data directory; nothing was changed")


def _lock(path: Path) -> int:
    lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(lock, 32).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        raise StartupError(f"data directory {path} is in use by another mere (process {owner})") from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def _read_or_write_marker(path: Path) -> dict[str, Any]:
    file = path / MARKER
    if not file.exists():
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o700)
        marker: dict[str, Any] = {"format": FORMAT, "id": str(uuid.uuid4()), "initialized": False}
        _write_marker(path, marker)
        return marker
    try:
        marker = json.loads(file.read_text())
        found = int(marker["format"])
        complete = isinstance(marker["id"], str) and isinstance(marker["initialized"], bool)
    except (ValueError, KeyError, TypeError) as error:
        raise StartupError(f"{file} is damaged; nothing was changed") from error
    if found != FORMAT or not complete:
        raise StartupError(f"{path} has data format {found}; this mere reads format {FORMAT}; nothing was changed")
    return marker


def _write_marker(path: Path, marker: dict[str, Any]) -> None:
    _write_durably(path / MARKER, json.dumps(marker, indent=2) + "\n")


def _write_durably(file: Path, text: str) -> None:
    """All or nothing, also when power fails: a new file, fsync, rename, fsync of the directory."""
    fresh = file.with_name(file.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    directory = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
