"""The engine of a segment: one sandboxed DuckDB in this process and the threads that its queries are driven from.

Knows files and SQL, never the catalog. A fatal error inside DuckDB costs the statements that run, not the process: the
next workspace gets a new instance.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import duckdb
import pyarrow as pa

from mere.errors import StartupError, StorageError
from mere.segment.connect import EngineSettings, connect
from mere.segment.errors import translate
from mere.segment.hot import HotFiles
from mere.segment.locations import Location
from mere.segment.python_workers import Workers
from mere.segment.storage import Storage
from mere.segment.workspace import BATCH_ROWS, Stream, Workspace
from mere.sql.macros import MACROS

log = logging.getLogger(__name__)
_SPARE = 16  # connections that wait for the next statement
_HOT_PART = 0.1  # of the memory limit, for small files
_DRIVERS = 64  # threads that wait for DuckDB on behalf of statements; DuckDB's own workers are settings.threads


class Engine:
    """`await start()`, then `workspace()` or `run()` per statement, `await close()` at the end."""

    def __init__(self, settings: EngineSettings, *, macros: Sequence[str] = MACROS, immutable: bool = True) -> None:
        self.settings = settings
        self._macros = tuple(macros)
        self._immutable = immutable
        self._executor = ThreadPoolExecutor(_DRIVERS, thread_name_prefix="mere-engine")
        self._root: duckdb.DuckDBPyConnection | None = None
        self._hot: HotFiles | None = None  # of this root, as are the spare connections
        self._spare: list[duckdb.DuckDBPyConnection] = []
        self._storages: dict[Location, Storage] = {}
        self._opening = threading.Lock()
        self._workers = Workers()

    async def start(self) -> None:
        """Opens DuckDB; leftovers in the temporary and spool directories are removed. StartupError if it cannot."""

        def open_clean() -> None:
            for directory in (self.settings.temp, self.settings.spool):
                shutil.rmtree(directory, ignore_errors=True)
            self._connection()

        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, open_clean)
        except (duckdb.Error, OSError) as error:
            raise StartupError(f"the engine does not start: {translate(error).message}") from error

    async def close(self) -> None:
        if self._hot is not None:
            await self._hot.close()

        def close() -> None:
            self._workers.close()
            with self._opening:
                root, self._root, self._hot = self._root, None, None
                self._spare.clear()
            if root is not None:
                root.close()

        await asyncio.get_running_loop().run_in_executor(self._executor, close)
        self._executor.shutdown(wait=False, cancel_futures=True)

    def workspace(self) -> Workspace:
        """A new connection; close it. Cheap (microseconds) unless DuckDB must be opened again after a fatal error."""
        root = self._connection()
        cursor = self._spare.pop() if self._spare else root.cursor()
        give_back = partial(self._take_back, root)
        return Workspace(cursor, self._executor, self._failed, self._hot, give_back, self._workers)

    async def run(
        self, sql: str, parameters: Sequence[object] = (), *, batch_rows: int = BATCH_ROWS
    ) -> Stream[pa.RecordBatch]:
        """Runs one query in a workspace of its own, which closes with the stream."""
        workspace = self.workspace()
        try:
            stream = await workspace.stream(sql, parameters, batch_rows=batch_rows)
        except BaseException:
            await workspace.close()
            raise
        stream.close_with(workspace.close)
        return stream

    def storage(self, url: str) -> Storage:
        """The place in the object store, of those that this engine may reach, that holds the URL."""
        place = next((place for place in self.settings.locations if url.startswith(place.url)), None)
        if place is None:
            raise StorageError(f'"{url}" is not below a place of this engine')
        if place not in self._storages:
            self._storages[place] = Storage(place, self.settings.environment)
        return self._storages[place]

    @asynccontextmanager
    async def external(self, locations: Sequence[Location]) -> AsyncIterator[Engine]:
        """A short-lived engine that also reaches these places, for one COPY from or to them.

        A second DuckDB, so that the walls of this one never open; it shares no cache, since foreign files change.
        """
        places = (*self.settings.locations, *locations)
        settings = replace(self.settings, locations=places, memory_limit=self._memory // 2)
        other = Engine(settings, macros=self._macros, immutable=False)
        try:
            await asyncio.get_running_loop().run_in_executor(other._executor, other._connection)
            yield other
        except duckdb.Error as error:
            raise translate(error) from error
        finally:
            await other.close()

    @property
    def _memory(self) -> int:
        """DuckDB's limit: ours, or its own 80 %."""
        return self.settings.memory_limit or int(0.8 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))

    def _take_back(self, root: duckdb.DuckDBPyConnection, cursor: duckdb.DuckDBPyConnection) -> bool:
        """Keeps a connection that nothing is left in: to open one takes as long as to plan a small query."""
        if root is not self._root or len(self._spare) >= _SPARE:
            return False
        self._spare.append(cursor)
        return True

    def _connection(self) -> duckdb.DuckDBPyConnection:
        with self._opening:
            if self._root is None:
                root = connect(self.settings, self._macros, immutable=self._immutable)
                budget = int(_HOT_PART * self._memory)
                self._hot = HotFiles(root, self._executor, budget, self._failed) if self._immutable else None
                self._root = root
            return self._root

    def _failed(self, error: BaseException) -> None:
        """After a fatal error DuckDB refuses everything, so its instance is given up."""
        fatal = isinstance(error, (duckdb.FatalException, duckdb.InternalException))
        if fatal or "database has been invalidated" in str(error):
            log.error("the engine failed and is opened again: %s", str(error).split("\n", 1)[0])
            with self._opening:
                if self._hot is not None:
                    self._hot.give_up()
                self._root = self._hot = None
                self._spare.clear()


__all__ = ["Engine", "EngineSettings", "Stream", "Workspace"]
