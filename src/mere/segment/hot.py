"""Small files that are read again and again, kept as tables in the engine's memory.

One per DuckDB instance. To open a Parquet file, bind it and decode its columns costs milliseconds: nothing for a large
scan, nearly all of a small statement's time. A table holds the live rows of one data file, some of its columns. Files
never change, so a table is never stale; it only goes to make room, and never while a statement reads it.

The event loop owns what is known here; one job at a time on the engine's threads makes and drops tables.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import TypeVar

import duckdb
import pyarrow as pa

from mere.lake.columns import LakeColumn
from mere.lake.files import DataFile
from mere.lake.scan import held_column, scan_sql
from mere.segment.errors import duckdb_error

log = logging.getLogger(__name__)
MOST_ROWS = 1 << 20  # of all files of a scan together: beyond, what is fixed in its costs does not count
MOST_FILES = 8  # of a scan: each is a branch of the query
SCANS = 2  # the scan of a file at whose end it is loaded
_REST = 4.0  # times a load's own time, after each: loading takes a fifth of one thread at most
_REMEMBERED = 4096  # files that were scanned once
_LARGEST = 4  # one table may take a quarter of all the room
_COMPRESSED = 4  # what a file's size in storage is multiplied by, before it is known what it takes in memory
_COLUMN_BYTES = 1 << 18  # DuckDB's own for each column of a table
_OVERHEAD = 1.5  # what a table takes, by the bytes of its values
_WIDE = {"VARCHAR": "strlen({})", "JSON": "strlen(CAST({} AS VARCHAR))", "BLOB": "octet_length({})"}
_FIXED = re.compile(
    r"BOOLEAN|U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(\d+, ?\d+\)|UUID|DATE|INTERVAL"
    r"|TIME(TZ|STAMP|STAMPTZ|STAMP_S|STAMP_MS)?|TIME(STAMP)? WITH TIME ZONE"
)
_FIXED_BYTES = 16  # at most
_SCHEMA = "mere_hot"

_Key = tuple[str, str | None]  # the data file, its delete file
A = TypeVar("A")
T = TypeVar("T")


@dataclass(slots=True)
class _Table:
    name: str
    columns: Mapping[int, LakeColumn]
    bytes: int
    readers: int = 0


@dataclass(slots=True)
class _Seen:
    """A file that was scanned lately, and with which columns."""

    file: DataFile
    columns: dict[int, LakeColumn] = field(default_factory=dict)
    scans: int = 0
    refused: bool = False  # too large, or it could not be loaded


@dataclass(frozen=True, slots=True)
class _Load:
    key: _Key
    table: str
    file: DataFile
    columns: tuple[LakeColumn, ...]


@dataclass(slots=True)
class Lease:
    """What a statement reads here, until `release`. `tables` gives, by a file's address, the table that holds it."""

    tables: dict[str, str] = field(default_factory=dict)
    _held: list[_Table] = field(default_factory=list)
    _missed: list[_Key] = field(default_factory=list)


class HotFiles:
    """`budget` is in bytes. `failed` hears of DuckDB's errors, as those of statements."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        executor: Executor,
        budget: int,
        failed: Callable[[BaseException], None],
    ) -> None:
        connection.execute(f"CREATE SCHEMA {_SCHEMA}")
        self._connection = connection.cursor()
        self._executor = executor
        self._budget = budget
        self._failed = failed
        self._numbers = itertools.count()
        self._tables: OrderedDict[_Key, _Table] = OrderedDict()
        self._retired: list[_Table] = []
        self._seen: OrderedDict[_Key, _Seen] = OrderedDict()
        self._job: asyncio.Future[None] | None = None
        self._rest_until = 0.0
        self._closed = False

    @property
    def bytes(self) -> int:
        """What the tables take, by a cautious estimate."""
        return sum(table.bytes for table in (*self._tables.values(), *self._retired))

    @property
    def idle(self) -> bool:
        """Nothing is being loaded, and what is asked for now would be."""
        return self._job is None and time.monotonic() >= self._rest_until

    def lease(self, files: Sequence[DataFile], columns: Sequence[LakeColumn]) -> Lease | None:
        """The files of one scan that are held here; None if there is nothing to hold or to learn from it."""
        if not 0 < len(files) <= MOST_FILES or sum(file.rows for file in files) > MOST_ROWS:
            return None
        if not all(_FIXED.fullmatch(c.duckdb_type) or c.duckdb_type in _WIDE for c in columns):
            return None
        lease = Lease()
        for file in files:
            key = _key(file)
            if key is None:
                continue
            table = self._tables.get(key)
            if table is not None and all(_holds(table, column) for column in columns):
                self._tables.move_to_end(key)
                table.readers += 1
                lease.tables[file.url] = f"{_SCHEMA}.{table.name}"
                lease._held.append(table)
            elif file.size * _COMPRESSED * _LARGEST <= self._budget:
                self._note(key, file, columns)
                lease._missed.append(key)
        return lease

    def release(self, lease: Lease) -> None:
        """The statement is over; what it missed may be loaded now."""
        for table in lease._held:
            table.readers -= 1
        lease._held.clear()
        missed, lease._missed = lease._missed, []
        if self._closed or self._job is not None:
            return
        wanted = [key for key in missed if self.idle and self._is_wanted(key)]
        drops = self._droppable()
        if wanted or drops:
            self._job = asyncio.ensure_future(self._work([self._planned(key) for key in wanted], drops))

    def give_up(self) -> None:
        """The instance has failed: nothing is loaded any more, and nothing said of it."""
        self._closed = True

    async def close(self) -> None:
        """Before the instance is closed."""
        self.give_up()
        if self._job is not None:
            self._connection.interrupt()
            await asyncio.wait({self._job})

    # What the event loop decides

    def _note(self, key: _Key, file: DataFile, columns: Iterable[LakeColumn]) -> None:
        seen = self._seen.setdefault(key, _Seen(file))
        seen.scans += 1
        seen.columns.update((column.column_id, column) for column in columns)
        self._seen.move_to_end(key)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    def _is_wanted(self, key: _Key) -> bool:
        seen = self._seen.get(key)
        return seen is not None and seen.scans >= SCANS and not seen.refused

    def _planned(self, key: _Key) -> _Load:
        """A table of all columns that scans have asked for, to replace one that has too few of them."""
        seen = self._seen[key]
        table = self._tables.get(key)
        columns = {**(table.columns if table is not None else {}), **seen.columns}
        return _Load(key, f"file_{next(self._numbers)}", seen.file, tuple(columns.values()))

    def _droppable(self) -> list[_Table]:
        """Takes out what nobody reads and is too much, the longest unread first."""
        gone = [table for table in self._retired if not table.readers]
        self._retired = [table for table in self._retired if table.readers]
        room = self._budget - self.bytes
        for key, table in list(self._tables.items()):
            if room >= 0:
                break
            if not table.readers:
                gone.append(self._tables.pop(key))
                room += table.bytes
        return gone

    async def _work(self, loads: Sequence[_Load], drops: Sequence[_Table]) -> None:
        """One job. Ends with no more in memory than there is room for, as far as nobody reads it."""
        started = time.monotonic()
        try:
            await self._run(self._drop, drops)
            for load in loads:
                if not self._closed:
                    self._keep(load, await self._run(self._load, load))
            await self._run(self._drop, self._droppable())
        except (duckdb.Error, pa.ArrowException, OSError, MemoryError, RuntimeError) as error:
            if not self._closed:
                known = duckdb_error(error)
                log.warning("small files are not kept in memory: %s", str(known).split("\n", 1)[0])
                self._failed(known)
            for load in loads:
                self._refuse(load.key)
        finally:
            ended = time.monotonic()
            self._rest_until = ended + _REST * (ended - started)
            self._job = None

    async def _run(self, work: Callable[[A], T], argument: A) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, argument)

    def _keep(self, load: _Load, taken: int) -> None:
        table = _Table(load.table, {column.column_id: column for column in load.columns}, taken)
        if taken * _LARGEST > self._budget:
            self._retired.append(table)
            self._refuse(load.key)
            return
        self._seen.pop(load.key, None)
        old = self._tables.pop(load.key, None)
        if old is not None:
            self._retired.append(old)
        self._tables[load.key] = table

    def _refuse(self, key: _Key) -> None:
        if key in self._seen:
            self._seen[key].refused = True

    # On the engine's threads

    def _load(self, load: _Load) -> int:
        """Makes the table; returns how much memory it takes at most."""
        columns = [replace(column, name=held_column(column)) for column in load.columns]
        table = f"{_SCHEMA}.{load.table}"
        lengths = [_WIDE[column.duckdb_type].format(column.name) for column in columns if column.duckdb_type in _WIDE]
        measured = ["count(*)", *(f"coalesce(sum({length}), 0)" for length in lengths)]
        self._connection.execute(f"CREATE TABLE {table} AS {scan_sql([load.file], columns)}")
        try:
            row = self._connection.execute(f"SELECT {', '.join(measured)} FROM {table}").fetchone()
        except duckdb.Error:
            self._connection.execute(f"DROP TABLE {table}")
            raise
        assert row is not None
        values = row[0] * _FIXED_BYTES * len(columns) + sum(row[1:])
        return int(_OVERHEAD * values) + _COLUMN_BYTES * (len(columns) + 1)

    def _drop(self, tables: Sequence[_Table]) -> None:
        for table in tables:
            self._connection.execute(f"DROP TABLE {_SCHEMA}.{table.name}")


def _key(file: DataFile) -> _Key | None:
    """None where the rows depend on more than the names of files."""
    if (
        file.positions is not None
        or file.mapping_id is not None
        or file.snapshot_filter is not None
        or file.inlined_deletes
        or file.other_delete
    ):
        return None
    if file.delete is None:
        return file.url, None
    return None if file.delete.snapshot_filter is not None else (file.url, file.delete.url)


def _holds(table: _Table, column: LakeColumn) -> bool:
    """Whether the table has the column as this scan reads it."""
    held = table.columns.get(column.column_id)
    return (
        held is not None and held.duckdb_type == column.duckdb_type and held.initial_default == column.initial_default
    )
