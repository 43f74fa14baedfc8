"""A statement's own DuckDB connection: temporary tables, registered Arrow data, and results as a stream.

Everything that blocks runs on the engine's threads; awaiting code may be cancelled at any point, and the call into
DuckDB is then interrupted and waited for, so that a connection is never used twice at once. Not for concurrent use.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Executor
from types import TracebackType
from typing import Any, Generic, TypeAlias, TypeVar

import duckdb
import pyarrow as pa

from mere.errors import QueryCanceled
from mere.lake.columns import LakeColumn
from mere.lake.files import DataFile
from mere.segment.errors import duckdb_error, translate
from mere.segment.guard import check_functions, check_query
from mere.segment.hot import HotFiles, Lease
from mere.segment.python_functions import PythonFunctions
from mere.segment.python_workers import Workers

T = TypeVar("T")
Rows: TypeAlias = "pa.Table | pa.RecordBatch | pa.RecordBatchReader"
_INTERRUPT_AGAIN = 0.02  # an interrupt that comes before the query has begun is lost, so it is repeated
BATCH_ROWS = 8192


class Workspace:
    """Made by `Engine.workspace()`; `async with` closes it, and with it all that it holds."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        executor: Executor,
        failed: Callable[[BaseException], None],
        hot: HotFiles | None = None,
        give_back: Callable[[duckdb.DuckDBPyConnection], bool] | None = None,
        workers: Workers | None = None,
    ) -> None:
        self._connection = connection
        self._executor = executor
        self._failed = failed
        self._hot = hot
        self._leases: list[Lease] = []
        self._give_back = give_back
        self._functions = PythonFunctions(workers) if workers is not None else None
        self._canceled = False
        self._closed = False
        self._holds_data = False
        self._used = False  # for more than streams, which leave nothing behind in the connection
        self._streaming = False
        self._running: asyncio.Future[Any] | None = None
        self._interrupter: asyncio.Task[None] | None = None

    def held(self, files: Sequence[DataFile], columns: Sequence[LakeColumn]) -> Mapping[str, str]:
        """The tables that hold files of a scan for as long as this workspace is open, by the files' addresses."""
        lease = self._hot.lease(files, columns) if self._hot is not None else None
        if lease is None:
            return {}
        self._leases.append(lease)
        return lease.tables

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> None:
        """A statement of Mere's own making: temporary tables and COPY. User SQL goes through `stream` and `table`."""
        self._holds_data = True
        check_functions(sql)
        await self.call(lambda: self._connection.execute(self._ready(sql), parameters))

    async def rows(
        self, sql: str, parameters: Sequence[object] = (), *, looks_around: bool = False
    ) -> list[tuple[Any, ...]]:
        """All rows of a statement of Mere's own making, as Python values. `looks_around`: nothing of the user's is in
        it but a quoted URL, so that it may call what no query may (see segment.guard)."""
        if not looks_around:
            check_functions(sql)
        return await self.call(lambda: self._connection.execute(self._ready(sql), parameters).fetchall())

    def describe(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a DESCRIBE, at once: it binds, which takes less time than a thread would."""
        check_functions(sql)
        try:
            return self._connection.execute(self._ready(sql)).fetchall()
        except duckdb.Error as error:
            raise translate(duckdb_error(error)) from error

    async def table(self, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        """A whole query result."""

        def run() -> pa.Table:
            statement = check_query(self._connection, self._ready(sql))
            return self._connection.execute(statement, parameters).to_arrow_table()

        return await self.call(run)

    async def register(self, name: str, rows: Rows) -> None:
        """Names Arrow data for this workspace's SQL. It is read where it lies: for small data, or read once."""
        await self.call(lambda: self._connection.register(name, rows))

    async def load(self, name: str, rows: Rows) -> None:
        """Copies Arrow data to a temporary table: DuckDB then knows how many rows there are, and can spill them."""

        self._holds_data = True

        def run() -> None:
            source = f"{name} arrow"
            self._connection.register(source, rows)
            try:
                self._connection.execute(f"CREATE TEMP TABLE {_quoted(name)} AS SELECT * FROM {_quoted(source)}")
            finally:
                self._connection.unregister(source)

        await self.call(run)

    async def insert(self, table: str, rows: Rows) -> None:
        """Adds Arrow data to a temporary table, by the position of the columns."""

        def run() -> None:
            source = f"{table} arrow"
            self._connection.register(source, rows)
            try:
                self._connection.execute(f"INSERT INTO {_quoted(table)} SELECT * FROM {_quoted(source)}")
            finally:
                self._connection.unregister(source)

        await self.call(run)

    async def stream(
        self, sql: str, parameters: Sequence[object] = (), *, batch_rows: int = BATCH_ROWS
    ) -> Stream[pa.RecordBatch]:
        """Starts a query; errors before the first batch are raised here. The stream must be closed or read out."""
        return await self.stream_as(_same, sql, parameters, batch_rows=batch_rows)

    async def stream_as(
        self,
        convert: Callable[[pa.RecordBatch], T],
        sql: str,
        parameters: Sequence[object] = (),
        *,
        batch_rows: int = BATCH_ROWS,
    ) -> Stream[T]:
        """Like `stream`, with each batch converted on the engine's thread."""

        def start() -> tuple[_Reader[T], T | None]:
            statement = check_query(self._connection, self._ready(sql))
            result = self._connection.execute(statement, parameters)
            reader = _Reader(result.to_arrow_reader(batch_rows), convert, batch_rows)
            return reader, reader.next()

        self._streaming = True  # until the reader is at its end
        reader, first = await self._call(start)
        self._streaming = not reader.ended
        return Stream(self, reader, first)

    def _ready(self, sql: str) -> str:
        """The text, with the functions in Python that it calls known to the engine."""
        return sql if self._functions is None else self._functions.ready(self._connection, sql)

    async def call(self, work: Callable[[], T]) -> T:
        """Runs blocking work on this connection. Cancelling the awaiting task interrupts it."""
        self._used = True
        return await self._call(work)

    async def _call(self, work: Callable[[], T]) -> T:
        if self._canceled:
            raise QueryCanceled("canceling statement due to user request")
        future = asyncio.get_running_loop().run_in_executor(self._executor, work)
        self._running = future
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await self._interrupt(future)
            raise
        except (duckdb.Error, pa.ArrowException, OSError, MemoryError, RuntimeError) as error:
            if self._functions is not None and (failure := self._functions.failure()) is not None:
                raise failure from error
            known = duckdb_error(error)
            self._failed(known)
            raise translate(known) from error
        finally:
            if future.done():
                self._running = None

    async def _interrupt(self, future: asyncio.Future[Any]) -> None:
        """Waits until the thread is back, through further cancellations of the waiting task."""
        while not future.done():
            self._connection.interrupt()
            if self._functions is not None:
                self._functions.stop()
            try:
                await asyncio.wait({future}, timeout=_INTERRUPT_AGAIN)
            except asyncio.CancelledError:
                continue
        future.exception()  # taken note of: it is the interrupt, or came too late to matter

    def cancel(self) -> None:
        """Ends what runs now and all that comes after with QueryCanceled. Callable from the event loop at any time."""
        self._canceled = True
        if self._running is not None and self._interrupter is None:
            self._interrupter = asyncio.ensure_future(self._interrupt(self._running))

    async def close(self) -> None:
        """Interrupts what still runs and frees everything. May be called twice."""
        clean = not (self._canceled or self._used or self._streaming)
        self._canceled = True
        if self._running is not None:
            await self._interrupt(self._running)
        if self._interrupter is not None:
            await asyncio.wait({self._interrupter})
        if self._closed:
            return
        self._closed = True
        if self._functions is not None:
            self._functions.close(self._connection)
        try:
            if self._holds_data:  # dropping temporary tables takes a while; a cancelled waiter does not stop it
                await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._executor, self._connection.close))
            elif not clean or self._give_back is None or not self._give_back(self._connection):
                self._connection.close()
        finally:
            self._release()

    def _release(self) -> None:
        leases, self._leases = self._leases, []
        for lease in leases:
            assert self._hot is not None
            self._hot.release(lease)

    async def __aenter__(self) -> Workspace:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class _Reader(Generic[T]):
    """Reads batches on the engine's thread. A short batch is most likely the last, so the end is looked for at once."""

    def __init__(self, batches: pa.RecordBatchReader, convert: Callable[[pa.RecordBatch], T], batch_rows: int) -> None:
        self.schema: pa.Schema = batches.schema
        self.ended = False
        self._batches = batches
        self._convert = convert
        self._batch_rows = batch_rows
        self._peeked: pa.RecordBatch | None = None

    def next(self) -> T | None:
        batch = self._read()
        if batch is None:
            return None
        if batch.num_rows < self._batch_rows:
            self._peeked = self._read()
        return self._convert(batch)

    def _read(self) -> pa.RecordBatch | None:
        batch, self._peeked = self._peeked, None
        if batch is None and not self.ended:
            try:
                batch = self._batches.read_next_batch()
            except StopIteration:
                self.ended = True
        return batch


class Stream(Generic[T]):
    """A result, one batch ahead of its reader: back-pressure is that DuckDB stops when nobody asks for more."""

    def __init__(self, workspace: Workspace, reader: _Reader[T], first: T | None) -> None:
        self.schema: pa.Schema = reader.schema
        self._workspace = workspace
        self._reader = reader
        self._first = first
        self._ahead: asyncio.Task[T | None] | None = None
        self._ended = first is None
        self._on_close: Callable[[], Any] | None = None

    def close_with(self, close: Callable[[], Any]) -> None:
        """Ties an async cleanup to the end of this stream."""
        self._on_close = close

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        if self._ended:
            await self.close()
            raise StopAsyncIteration
        if self._first is not None:
            batch: T | None = self._first
            self._first = None
        else:
            self._ahead = self._ahead or self._fetch_ahead()
            batch = await self._ahead
            self._ahead = None
        if batch is None:
            await self.close()
            raise StopAsyncIteration
        if self._reader.ended:
            self._ended = True
        else:
            self._ahead = self._fetch_ahead()
        return batch

    def _fetch_ahead(self) -> asyncio.Task[T | None]:
        task = asyncio.ensure_future(self._read())
        task.add_done_callback(_seen)
        return task

    async def _read(self) -> T | None:
        batch = await self._workspace._call(self._reader.next)
        self._workspace._streaming = not self._reader.ended
        return batch

    def cancel(self) -> None:
        self._workspace.cancel()

    async def close(self) -> None:
        """Stops the query if it still runs. May be called twice."""
        self._ended = True
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.cancel()
            await asyncio.wait({ahead})
            if not ahead.cancelled():
                ahead.exception()
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            await on_close()

    async def __aenter__(self) -> Stream[T]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _seen(task: asyncio.Task[T]) -> None:
    """An error in what nobody fetched any more is no news."""
    if not task.cancelled():
        task.exception()


def _same(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
