"""COPY FROM STDIN: bytes come in, Parquet files go out, with bounded memory and disk.

Lives in the coordinator process. Rows that are written plainly are read by a kernel into record batches; a chunk of
rows with anything else in it is spooled to local disk as it came, for DuckDB and all of PostgreSQL's rules. A group of
either is written by one DuckDB statement while the next group arrives. Not for concurrent use.
"""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from mere.errors import DataError, MereError
from mere.lake.message import NewFile
from mere.segment.copy_chunks import CHUNK_BYTES, Chunk, Cutter
from mere.segment.copy_diagnosis import find_bad_row
from mere.segment.copy_sql import CATCHABLE_ERRORS, Reader
from mere.segment.engine import Engine
from mere.segment.native import kernels
from mere.segment.native.kernels import ReadRows
from mere.segment.native.read import Input, PlainReader
from mere.segment.workspace import Workspace
from mere.sql.lexer import quote_identifier

_FIRST_GROUP = 128 * 1024 * 1024
_LARGEST_GROUP = 1024 * 1024 * 1024  # groups double up to this: few files, and at most two groups on disk
_LARGEST_IN_MEMORY = 256 * 1024 * 1024  # of plain rows
_REFUSALS = 3  # so many chunks in a row with something that is not plain: the next ones will be no better
_PLAIN = "mere_plain"

Write = Callable[[Workspace, str], Awaitable[Sequence[NewFile]]]


@dataclass(slots=True)
class Group:
    """Rows that are written at once: batches of them, and chunks on disk that one statement reads."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    chunks: list[tuple[int, int]] = field(default_factory=list)  # first line, bytes
    size: int = 0
    escaped: bool = False
    free: frozenset[bytes] | None = None
    eol: bytes = b"\n"

    def add(self, file: Path, chunk: Chunk) -> None:
        self.files.append(file)
        self.chunks.append((chunk.first_line, len(chunk.data)))
        self.size += len(chunk.data)
        self.escaped |= chunk.escaped
        self.free = chunk.stand_ins if self.free is None else self.free & chunk.stand_ins
        self.eol = chunk.eol

    def select(self, reader: Reader) -> str:
        return reader.select(
            [str(file) for file in self.files],
            eol=self.eol,
            escaped=self.escaped,
            free=self.free or frozenset(),
            longest=max(size for _, size in self.chunks),
        )


@dataclass(frozen=True, slots=True)
class CopyResult:
    files: tuple[NewFile, ...]
    rows: int
    skipped: int


class CopyIn:
    """`await feed(data)` for each CopyData, then `finish()`; `abort()` if anything goes wrong.

    `write` gets a SELECT of the input's columns, by their names, and writes what becomes of it to the lake: with
    defaults, checks and the columns in the table's order.
    """

    def __init__(self, engine: Engine, reader: Reader, relation: str, write: Write) -> None:
        self._engine = engine
        self._reader = reader
        self._relation = relation
        self._write = write
        self._directory = engine.settings.spool / f"copy-{uuid.uuid4().hex}"
        self._cutter = Cutter(reader.format, tuple(column.name for column in reader.columns))
        self._plain = PlainReader.of(reader.format, reader.columns)
        self._input = Input()
        self._refusals = 0
        self._pieces: list[bytes] = []
        self._size = 0
        self._group = Group()
        self._target = _FIRST_GROUP
        self._number = 0
        self._task: asyncio.Task[None] | None = None
        self._files: list[NewFile] = []
        self._skipped = 0

    async def feed(self, data: bytes) -> None:
        """Takes a message's data; waits while two groups are on disk."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= CHUNK_BYTES:
            await self._cut()

    async def finish(self) -> CopyResult:
        """All rows are written, or an error is raised and none of them counts."""
        try:
            await self._cut(last=True)
            await self._next_group()
            await self._settled()
        except BaseException:
            await self.abort()
            raise
        await self._clean()
        return CopyResult(tuple(self._files), sum(file.rows for file in self._files), self._skipped)

    async def abort(self) -> None:
        """Stops and removes what is spooled; files written so far are garbage. May be called twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()
        self._pieces.clear()
        await self._clean()

    async def _cut(self, *, last: bool = False) -> None:
        pieces, self._pieces, self._size = self._pieces, [], 0
        if self._task is not None and self._task.done():
            await self._settled()
        try:
            await asyncio.to_thread(self._take, pieces, last)
        except MereError as error:
            raise self._in_context(error) from None
        if self._group.size >= (min(self._target, _LARGEST_IN_MEMORY) if self._group.batches else self._target):
            await self._next_group()

    def _take(self, pieces: list[bytes], last: bool) -> None:
        kernel = kernels.read_rows()
        if kernel is None or self._plain is None or self._cutter.ended:
            self._spool(pieces, last)
            return
        pieces = [self._cutter.take_rest(), *pieces]
        if self._cutter.awaits_header():
            data = b"".join(pieces)
            first = data.find(b"\n") + 1
            self._spool([data[:first]], False)
            pieces = [data[first:]]
        waits = self._cutter.awaits_header()
        left = b"".join(pieces) if waits else self._read_plain(kernel, self._plain, pieces, last)
        if left or last:
            self._spool([left], last)

    def _read_plain(self, kernel: ReadRows, plain: PlainReader, pieces: list[bytes], last: bool) -> bytes:
        """Takes the rows that are written plainly; returns what others must look at."""
        self._input.fill(pieces, ends_line=last)
        found = plain.read(kernel, self._input)
        if found is None or found.batch is None:
            self._refusals += 1
            self._plain = None if self._refusals == _REFUSALS else plain
            return self._input.rest(0)
        self._refusals = 0
        self._group.batches.append(found.batch)
        self._group.size += found.consumed
        rest = self._input.rest(found.consumed)
        self._cutter.passed(found.lines, b"" if last else rest)
        return rest if last else b""

    def _spool(self, pieces: list[bytes], last: bool) -> None:
        chunk = self._cutter.cut(pieces, last=last)
        if chunk is None:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        file = self._directory / f"{self._number}.csv"
        self._number += 1
        try:
            file.write_bytes(chunk.data)
        except OSError as error:
            raise MereError(f"could not spool input: {error.strerror}", sqlstate="53100") from error
        self._group.add(file, chunk)

    async def _next_group(self) -> None:
        """Hands the group over, once the one before it is written."""
        await self._settled()
        if self._group.files or self._group.batches:
            self._task = asyncio.create_task(self._load(self._group))
            self._group = Group()
            self._target = min(2 * self._target, _LARGEST_GROUP)

    async def _settled(self) -> None:
        if self._task is not None:
            task = self._task
            await asyncio.wait({task})
            self._task = None
            task.result()

    async def _load(self, group: Group) -> None:
        try:
            if group.batches:
                async with self._engine.workspace() as workspace:
                    self._files += await self._write_batches(workspace, group)
            if group.files:
                async with self._engine.workspace() as workspace:
                    files = await self._write_group(workspace, group)
                    if self._reader.format.skip_bad_rows:
                        await self._count_skipped(workspace, group, sum(file.rows for file in files))
                    self._files += files
        except MereError as error:
            raise self._in_context(error) from error
        await asyncio.to_thread(_remove, group.files)

    async def _write_batches(self, workspace: Workspace, group: Group) -> Sequence[NewFile]:
        await workspace.register(_PLAIN, pa.Table.from_batches(group.batches))
        group.batches.clear()
        names = ", ".join(quote_identifier(column.name) for column in self._reader.columns)
        return await self._write(workspace, f"SELECT {names} FROM {_PLAIN}")

    async def _write_group(self, workspace: Workspace, group: Group) -> Sequence[NewFile]:
        try:
            if self._reader.format.skip_bad_rows:
                await workspace.execute(CATCHABLE_ERRORS)
            return await self._write(workspace, group.select(self._reader))
        except DataError as error:
            async with self._engine.workspace() as other:
                raise await find_bad_row(other, self._reader, self._relation, group, error) from error

    async def _count_skipped(self, workspace: Workspace, group: Group, written: int) -> None:
        scan = self._reader.scan([str(file) for file in group.files], eol=group.eol)
        ((total,),) = await workspace.rows(f"SELECT count(*) FROM {scan}")
        self._skipped += total - written
        limit = self._reader.format.reject_limit
        if limit is not None and self._skipped > limit:
            raise DataError(
                f"skipped more than REJECT_LIMIT ({limit}) rows due to data type incompatibility", sqlstate="22P02"
            )

    def _in_context(self, error: MereError) -> MereError:
        """PostgreSQL's CONTEXT line begins with the command."""
        if not (error.context or "").startswith("COPY "):
            error.context = f"COPY {self._relation}, {error.context}" if error.context else f"COPY {self._relation}"
        return error

    async def _clean(self) -> None:
        await asyncio.to_thread(shutil.rmtree, self._directory, True)


def _remove(files: Sequence[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
