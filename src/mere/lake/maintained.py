"""One lake as its maintenance sees it: where everything is, what is worth doing, and the count of what was done.

Pure data and the ports that maintenance works through. Lives in the coordinator process.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

import asyncpg
import pyarrow as pa

from mere.lake.changing import Changing
from mere.lake.metadata import Metadata
from mere.lake.readers import Readers
from mere.lake.rewrite import RewritePolicy


class Kind(StrEnum):
    """Of maintenance, in the order in which it is done: the first three table by table, the others for a whole lake."""

    FLUSH = "flush"  # rows that a plain DuckDB keeps in PostgreSQL move to files
    MERGE = "merge"  # small files become large ones
    REWRITE = "rewrite"  # files lose the rows that were deleted from them
    EXPIRE = "expire"  # snapshots past the retention are forgotten
    DELETE = "delete"  # files that only forgotten snapshots read go
    ORPHANS = "orphans"  # files that no snapshot ever read go


OF_TABLES = (Kind.FLUSH, Kind.MERGE, Kind.REWRITE)
OF_LAKES = (Kind.EXPIRE, Kind.DELETE, Kind.ORPHANS)


class Store(Protocol):
    """The object store below `url`, in which all the lake's own files are."""

    @property
    def url(self) -> str: ...
    def list(self, prefix: str = "") -> AsyncIterator[Any]: ...  # of objects with path, size, modified
    async def head(self, path: str) -> Any: ...  # such an object, or None
    async def delete(self, paths: Sequence[str]) -> None: ...


class Engine(Protocol):
    """One DuckDB connection."""

    async def rows(self, sql: str) -> list[tuple[Any, ...]]: ...
    async def load(self, name: str, rows: pa.Table) -> None: ...


@dataclass(frozen=True, slots=True)
class MaintenancePolicy:
    """`retention`: how long a snapshot stays after a newer one took its place. `safety`: how old a file nobody knows
    must be before it is deleted. `grace`: how long a file stays after the last snapshot that reads it was forgotten."""

    retention: timedelta = timedelta(days=7)
    safety: timedelta = timedelta(hours=24)
    grace: timedelta = timedelta(hours=24)
    rewrite: RewritePolicy = field(default_factory=RewritePolicy)


@dataclass(slots=True)
class MaintenanceReport:
    flushed_rows: int = 0
    rewritten_files: int = 0
    written_files: int = 0
    given_up: int = 0  # rewrites that a writer made void, or that would have made a writer's work void
    expired_snapshots: int = 0
    deleted_files: int = 0
    deleted_bytes: int = 0


@dataclass(slots=True, kw_only=True)
class MaintainedLake:
    """`data_url` is the prefix of the lake's files and ends with /; `in_flight` are the absolute paths that open
    transactions of this process have written. `dry`: what would be done is counted, and nothing done."""

    pool: asyncpg.Pool
    metadata: Metadata
    data_url: str
    store: Store
    engine: Callable[[], AbstractAsyncContextManager[Engine]]
    readers: Readers = field(default_factory=Readers)
    changing: Changing = field(default_factory=Changing)
    in_flight: set[str] = field(default_factory=set)
    policy: MaintenancePolicy = field(default_factory=MaintenancePolicy)
    report: MaintenanceReport = field(default_factory=MaintenanceReport)
    dry: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # runs take turns, step by step

    def url_of(self, path: str) -> str:
        """The address of a file by what the metadata call it."""
        return path if path.startswith("/") or "://" in path else self.data_url + path
