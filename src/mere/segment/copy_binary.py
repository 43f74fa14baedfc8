"""COPY FROM STDIN in binary: bytes come in, rows stand in a temporary table that DuckDB spills, Parquet files go out.

Lives in the coordinator process. The same face as `copy_in.CopyIn`. Not for concurrent use.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from mere.errors import DataError, MereError
from mere.lake.message import NewFile
from mere.segment.binary_in import arrives_as, decode
from mere.segment.binary_rows import RowFinder
from mere.segment.copy_in import CopyResult, Write
from mere.segment.copy_sql import InputColumn
from mere.segment.engine import Engine
from mere.segment.workspace import Workspace
from mere.sql.expressions import coerce
from mere.sql.expressions.typed import COLUMN, Coercion, Environment, Typed
from mere.sql.lexer import quote_identifier
from mere.sql.types import STRINGS, PgType

_CHUNK_BYTES = 4_000_000
_GROUP_BYTES = 512 * 1024 * 1024  # of input that become files at once
_ROWS = "mere_copied"


@dataclass(frozen=True, slots=True)
class BinaryReader:
    """The SELECT over decoded rows. `environment` is the session's."""

    columns: tuple[InputColumn, ...]
    environment: Environment

    def table(self, values: list[pa.Array]) -> pa.Table:
        return pa.table(values, names=[f"c{number}" for number in range(len(values))])

    def select(self, source: str) -> str:
        selected = (
            f"{self._value(number)} AS {quote_identifier(column.name)}" for number, column in enumerate(self.columns)
        )
        return f"SELECT {', '.join(selected)} FROM {source}"

    def _value(self, number: int) -> str:
        kind = self.columns[number].type
        source = Typed(exp.column(f"c{number}"), PgType(arrives_as(kind.oid)), COLUMN)
        how = Coercion.ASSIGNMENT if kind.oid in STRINGS else Coercion.EXPLICIT
        return coerce(source, kind, how, self.environment).sql.sql(dialect="duckdb")


class BinaryCopyIn:
    """`await feed(data)` for each CopyData, then `finish()`; `abort()` if anything goes wrong."""

    def __init__(self, engine: Engine, reader: BinaryReader, relation: str, write: Write) -> None:
        self._engine = engine
        self._reader = reader
        self._relation = relation
        self._write = write
        self._finder = RowFinder(len(reader.columns))
        self._pieces: list[bytes] = []
        self._size = 0
        self._loaded = 0
        self._workspace: Workspace | None = None
        self._files: list[NewFile] = []

    async def feed(self, data: bytes) -> None:
        """Takes a message's data."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= _CHUNK_BYTES:
            await self._load()

    async def finish(self) -> CopyResult:
        """All rows are written, or an error is raised and none of them counts."""
        await self._load(last=True)
        await self._write_group()
        return CopyResult(tuple(self._files), sum(file.rows for file in self._files), 0)

    async def abort(self) -> None:
        """Files written so far are garbage. May be called twice."""
        workspace, self._workspace = self._workspace, None
        if workspace is not None:
            await workspace.close()

    async def _load(self, *, last: bool = False) -> None:
        pieces, self._pieces, size, self._size = self._pieces, [], self._size, 0
        if self._finder.ended:
            if pieces:
                raise self._in_context(DataError("received copy data after EOF marker", sqlstate="22P04"))
            return
        try:
            table = await asyncio.to_thread(self._decoded, pieces, last)
            if table is None:
                return
            if self._workspace is None:
                self._workspace = self._engine.workspace()
                await self._workspace.load(_ROWS, table)
            else:
                await self._workspace.insert(_ROWS, table)
        except MereError as error:
            raise self._in_context(error) from None
        self._loaded += size
        if self._loaded >= _GROUP_BYTES:
            await self._write_group()

    def _decoded(self, pieces: list[bytes], last: bool) -> pa.Table | None:
        before = self._finder.rows
        fields = self._finder.find(pieces, last=last)
        if self._finder.rows == before:
            return None
        columns = zip(fields, self._reader.columns, strict=True)
        return self._reader.table([decode(values, column.type.oid) for values, column in columns])

    async def _write_group(self) -> None:
        workspace, self._workspace, self._loaded = self._workspace, None, 0
        if workspace is None:
            return
        try:
            self._files.extend(await self._write(workspace, self._reader.select(_ROWS)))
        except MereError as error:
            raise self._in_context(error) from error
        finally:
            await workspace.close()

    def _in_context(self, error: MereError) -> MereError:
        error.context = f"COPY {self._relation}"
        return error
