"""What a session needs of the process it lives in: one value, made once by `mere serve`, handed to every session."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from mere.catalog.postgres import Postgres
from mere.execute.dispatch import Dispatcher, DispatchOptions
from mere.lake.changing import Changing
from mere.lake.metadata import Metadata
from mere.lake.readers import Readers
from mere.runtime.base import Runtime
from mere.segment.engine import Engine
from mere.segment.storage import Storage
from mere.settings import Settings


@dataclass(frozen=True, slots=True)
class Names:
    """The lake's names as a session found them, when the versions were these."""

    names_version: int
    schema_version: int | None
    names: frozenset[str]


@dataclass(slots=True)
class Database:
    """One lake database as all its sessions share it. Not frozen: it counts, and remembers files in flight."""

    name: str
    data_url: str  # prefix of the lake's files, ends with /
    pool: asyncpg.Pool
    metadata: Metadata
    started: datetime | None = None  # when the PostgreSQL did from which `metadata` is
    names_version: int = 0  # grows when a session commits DDL, so that others look up the lake's names again
    schema_version: int | None = None  # of the lake, when the last session began: a plain DuckDB defines, too
    names: Names | None = None  # with which new sessions begin
    readers: Readers = field(default_factory=Readers)
    changing: Changing = field(default_factory=Changing)
    maintaining: asyncio.Lock = field(default_factory=asyncio.Lock)  # maintenance does one step at a time
    in_flight: set[str] = field(default_factory=set)  # absolute paths written by open transactions


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    engine: Engine
    runtime: Runtime
    database: Callable[[str], Awaitable[Database]]  # opened at its first session, kept
    forget_database: Callable[[str], Awaitable[None]]  # before it is dropped: nothing of ours holds it open
    postgres: Postgres
    storage: Storage
    restored: Callable[[], Awaitable[datetime | None]]  # when the warehouse was last brought back from its backups
    dispatcher: Dispatcher = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dispatcher", Dispatcher(self.runtime, dispatch_options(self.settings)))


def dispatch_options(settings: Settings) -> DispatchOptions:
    return DispatchOptions(
        rows=settings.distribute_rows,
        read_everywhere_rows=settings.read_everywhere_rows,
        attempts=settings.slice_attempts,
        patience=settings.segment_patience.total_seconds(),
        running=settings.active_statements,
        waiting=settings.waiting_statements,
    )
