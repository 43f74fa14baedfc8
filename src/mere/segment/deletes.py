"""Delete files: which rows of a data file are gone, in DuckLake's Parquet form, one file for each data file touched.

Runs where all positions of a data file are: on the segment that they were sent to, or on the coordinator's engine. The
files that may lose rows stand in a table beside the positions, which name them by number: a few bytes a row, no URL.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mere.errors import MereError
from mere.lake.scan import INLINED_PREFIX
from mere.segment.credentials import quote
from mere.segment.storage import Storage
from mere.segment.workspace import Workspace

FILES = "mere_files"
FILE_COLUMNS = (("mere_number", "INTEGER"), ("mere_url", "VARCHAR"), ("mere_old", "VARCHAR"), ("mere_rows", "BIGINT"))
POSITION_COLUMNS = (("mere_number", "INTEGER"), ("mere_pos", "BIGINT"))
LOST_COLUMNS = (
    ("mere_number", "INTEGER"),
    ("mere_pos", "BIGINT"),
    ("mere_path", "VARCHAR"),
    ("mere_count", "BIGINT"),
    ("mere_size", "BIGINT"),
    ("mere_footer", "BIGINT"),
)
# The field ids by which DuckLake and Iceberg know the two columns.
_SCHEMA = pa.schema(
    [
        pa.field("file_path", pa.string(), metadata={"PARQUET:field_id": "2147483646"}),
        pa.field("pos", pa.int64(), metadata={"PARQUET:field_id": "2147483645"}),
    ]
)
_FILES_SCHEMA = pa.schema(
    [("mere_number", pa.int32()), ("mere_url", pa.string()), ("mere_old", pa.string()), ("mere_rows", pa.int64())]
)
_LOST_SCHEMA = pa.schema(
    [
        ("mere_number", pa.int32()),
        ("mere_pos", pa.int64()),
        ("mere_path", pa.string()),
        ("mere_count", pa.int64()),
        ("mere_size", pa.int64()),
        ("mere_footer", pa.int64()),
    ]
)
_PUTS_AT_ONCE = 16
_BATCH_ROWS = 122_880
Int64s = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LosingFile:
    """A data file that may lose rows; its number is its place in the list. `old_url` is its delete file so far, which
    the new one holds too. `rows`: a file that has lost that many gets no delete file, it goes as a whole; None: never.
    Rows that a plain DuckDB left in PostgreSQL are a file too, of which positions are only collected."""

    url: str
    old_url: str | None = None
    rows: int | None = None

    @property
    def inlined(self) -> bool:
        return self.url.startswith(INLINED_PREFIX)


@dataclass(frozen=True, slots=True)
class Lost:
    """What became of a file. `path`: the delete file, relative to the prefix, `count` positions long. Else `positions`
    of an inlined table, or neither: no row is left."""

    number: int
    path: str | None = None
    count: int = 0
    size: int = 0
    footer_size: int = 0
    positions: tuple[int, ...] = ()


def file_table(files: Sequence[LosingFile]) -> pa.Table:
    """The rows of the table FILES."""
    return _table([(number, file.url, file.old_url, file.rows) for number, file in enumerate(files)], _FILES_SCHEMA)


def numbered(rows: str) -> str:
    """The positions of a relation with mere_file and mere_pos; a row that names no file is none."""
    known = "CASE WHEN mere_number IS NULL THEN error('XX000:rows of an unknown file are gone') ELSE mere_number END"
    return (
        f"SELECT {known} AS mere_number, mere_pos FROM {rows} AS mere_gone LEFT JOIN {FILES} ON mere_url = mere_file"
        " WHERE mere_file IS NOT NULL"
    )


async def write_deletes(
    workspace: Workspace, storage: Storage, positions: str, prefix: str, *, once: bool = False
) -> list[Lost]:
    """`positions` is a query of POSITION_COLUMNS; the table FILES has every file that it names.

    `prefix` is the table's absolute URL. `once`: a position that comes twice is MERGE's error.
    """
    if once:
        await _refuse_second_match(workspace, positions)
    asked = f"SELECT * FROM {FILES} WHERE mere_number IN (SELECT mere_number FROM ({positions}) AS mere_gone)"
    known = {number: LosingFile(url, old, rows) for number, url, old, rows in await workspace.rows(asked)}
    found: list[Lost] = []
    writing: list[asyncio.Task[Lost]] = []
    try:
        async for number, gone in _by_file(workspace, _merged(positions, known)):
            file = known[number]
            if file.inlined:
                found.append(Lost(number, positions=tuple(gone.tolist())))
            elif file.rows is not None and len(gone) >= file.rows:
                found.append(Lost(number))
            else:
                if len(writing) == _PUTS_AT_ONCE:
                    found.append(await writing.pop(0))
                writing.append(asyncio.ensure_future(_write(storage, prefix, number, file.url, gone)))
        while writing:
            found.append(await writing.pop(0))
    finally:
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
    return found


async def _refuse_second_match(workspace: Workspace, positions: str) -> None:
    twice = f"SELECT 1 FROM ({positions}) AS mere_gone GROUP BY mere_number, mere_pos HAVING count(*) > 1 LIMIT 1"
    if await workspace.rows(twice):
        raise MereError(
            "MERGE command cannot affect row a second time",
            sqlstate="21000",
            hint="Ensure that not more than one source row matches any one target row.",
        )


def _merged(positions: str, known: dict[int, LosingFile]) -> str:
    """New positions and those of the delete files so far, in order; some may come twice."""
    fresh = f"SELECT mere_number, mere_pos FROM ({positions}) AS mere_fresh"
    old = {file.old_url: number for number, file in known.items() if file.old_url is not None}
    if old:
        urls = ", ".join(quote(url) for url in old)
        owners = ", ".join(f"{quote(url)}: {number}" for url, number in old.items())
        fresh += f" UNION ALL SELECT MAP {{{owners}}}[filename], pos FROM read_parquet([{urls}], filename => true)"
    return f"SELECT mere_number, mere_pos FROM ({fresh}) AS mere_deleted ORDER BY mere_number, mere_pos"


async def _by_file(workspace: Workspace, query: str) -> AsyncIterator[tuple[int, Int64s]]:
    """Each file's positions, in order and once; no more than one file's are held."""
    current: int | None = None
    held: list[Int64s] = []
    async with await workspace.stream(query, batch_rows=_BATCH_ROWS) as stream:
        async for batch in stream:
            numbers = batch.column(0).to_numpy(zero_copy_only=False)
            values = batch.column(1).to_numpy(zero_copy_only=False)
            bounds = np.flatnonzero(np.diff(numbers, prepend=-1, append=-1))
            for start, end in pairwise(bounds.tolist()):
                if current is not None and numbers[start] != current:
                    yield current, _once(held)
                    held = []
                current = int(numbers[start])
                held.append(values[start:end])
    if current is not None:
        yield current, _once(held)


def _once(held: Sequence[Int64s]) -> Int64s:
    values: Int64s = np.concatenate(held)
    fresh: Int64s = values[np.diff(values, prepend=-1) != 0]
    return fresh


async def _write(storage: Storage, prefix: str, number: int, url: str, positions: Int64s) -> Lost:
    data, footer = _parquet(url, positions)
    path = f"mere-{uuid.uuid4()}-delete.parquet"
    await storage.put(prefix + path, data)
    return Lost(number, path, len(positions), len(data), footer)


def _parquet(url: str, positions: Int64s) -> tuple[bytes, int]:
    """The file and the length of its footer, which stands before the closing magic."""
    paths = pc.cast(pa.DictionaryArray.from_arrays(np.zeros(len(positions), np.int32), pa.array([url])), pa.string())
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table([paths, pa.array(positions)], schema=_SCHEMA), sink, compression="zstd")
    data = sink.getvalue().to_pybytes()
    return data, int.from_bytes(data[-8:-4], "little")


def lost_rows(found: Sequence[Lost], changed: int) -> pa.Table:
    """LOST_COLUMNS for the way to the coordinator; `changed` rows in all, which is a row of its own."""
    rows: list[tuple[object, ...]] = [(None, None, None, changed, 0, 0)]
    for lost in found:
        rows += [(lost.number, position, None, 0, 0, 0) for position in lost.positions]
        if not lost.positions:
            rows.append((lost.number, None, lost.path, lost.count, lost.size, lost.footer_size))
    return _table(rows, _LOST_SCHEMA)


def _table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)


async def read_lost(workspace: Workspace, table: str) -> tuple[list[Lost], int]:
    """The inverse of `lost_rows`, of all segments together."""
    found: list[Lost] = []
    inlined: dict[int, list[int]] = {}
    changed = 0
    for number, position, path, count, size, footer in await workspace.rows(f"SELECT * FROM {table}"):
        if number is None:
            changed += count
        elif position is not None:
            inlined.setdefault(number, []).append(position)
        else:
            found.append(Lost(number, path, count, size, footer))
    return found + [Lost(number, positions=tuple(gone)) for number, gone in inlined.items()], changed
