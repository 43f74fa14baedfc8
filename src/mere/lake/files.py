"""A table's files at a snapshot: plain dataclasses, and the columnar list that picks the live ones with numpy.

Pure data in the coordinator process: `metadata` fills it, `prune` narrows it, `scan` reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

# v2 halves DuckDB's time to read against v1 and writes faster; zstd level 1 takes 15 % off snappy's size. DuckDB hashes
# each value of a column twice for its dictionary; above a few thousand values that costs more than it saves.
PARQUET = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 4096"

FOREVER = np.iinfo(np.int64).max
NONE = -1

Int64s = NDArray[np.int64]
Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class DeleteFile:
    """Deleted positions of one data file. `snapshot_filter`: only rows deleted up to that snapshot count."""

    id: int | None
    url: str
    count: int
    snapshot_filter: int | None = None
    format: str = "parquet"


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file. `id` is None while uncommitted. `mapping_id`: columns are found by name, not by field id.
    `snapshot_filter`: the file was merged from several snapshots and only rows up to that one count.
    `inlined_deletes`: positions whose deletion a plain DuckDB noted in PostgreSQL."""

    id: int | None
    url: str
    rows: int
    size: int
    bucket: int | None = None
    delete: DeleteFile | None = None
    begin_snapshot: int | None = None
    mapping_id: int | None = None
    snapshot_filter: int | None = None
    inlined_deletes: tuple[int, ...] = ()
    other_delete: DeleteFile | None = None  # committed by others since this transaction deleted from the file
    layout: int | None = None  # of what `bucket` is the number (see `layout_of`); a NULL key has no bucket
    positions: tuple[int, int] | None = None  # only the rows from the first to before the second are read

    @property
    def live_rows(self) -> int:
        deleted = self.delete.count if self.delete is not None else 0
        rows = self.rows if self.positions is None else self.positions[1] - self.positions[0]
        return max(0, rows - deleted - len(self.inlined_deletes))


def layout_of(column_id: int, buckets: int) -> int:
    """One number for the bucketing of a table's files: by which column, into how many."""
    return column_id * 65536 + buckets


@dataclass(frozen=True, slots=True)
class InlinedTable:
    """A table in PostgreSQL where a plain DuckDB keeps small inserts, with how many rows are live."""

    name: str
    schema_version: int
    rows: int


@dataclass(frozen=True, slots=True)
class TableFiles:
    """All that a scan of one table reads at one snapshot; `positions` index the file list it came from.
    `rows`: live ones, for the planner."""

    table_id: int
    snapshot_id: int
    files: tuple[DataFile, ...]
    inlined: tuple[InlinedTable, ...] = ()
    rows: int = 0
    positions: Int64s = field(default_factory=lambda: np.zeros(0, dtype=np.int64), compare=False)


@dataclass(frozen=True, slots=True)
class FileColumns:
    """The file list of one table, column by column, in the order of loading: what ended is kept for older snapshots.
    `files` are without deletes and filters, which depend on the snapshot."""

    ids: Int64s
    begin: Int64s
    end: Int64s
    bucket: Int64s
    partial_max: Int64s
    layout: Int64s
    files: Objects

    @classmethod
    def of(cls, columns: Sequence[Sequence[Any]]) -> FileColumns:
        """`columns`: id, begin, end, rows, size, bucket, mapping, partial_max, url, layout; NONE and FOREVER for
        nulls."""
        ids, begin, end, rows, size, bucket, mapping, partial_max, urls, layout = columns if columns[0] else [[]] * 10
        files = np.empty(len(ids), dtype=object)
        files[:] = [
            DataFile(
                file_id,
                url,
                file_rows,
                file_size,
                None if file_bucket == NONE else file_bucket,
                None,
                file_begin,
                None if file_mapping == NONE else file_mapping,
                layout=None if file_layout == NONE else file_layout,
            )
            for file_id, url, file_rows, file_size, file_bucket, file_begin, file_mapping, file_layout in zip(
                ids, urls, rows, size, bucket, begin, mapping, layout, strict=True
            )
        ]
        numbers = [np.array(column, dtype=np.int64) for column in (ids, begin, end, bucket, partial_max, layout)]
        return cls(*numbers, files)  # type: ignore[arg-type, call-arg]

    def extended(self, later: FileColumns) -> FileColumns:
        """With the files of `later` added, or their ends updated where they are already known."""
        known = np.isin(later.ids, self.ids)
        end = self.end
        if known.any():
            order = np.argsort(self.ids)
            end = end.copy()
            end[order[np.searchsorted(self.ids, later.ids[known], sorter=order)]] = later.end[known]
        fresh = ~known
        return FileColumns(
            np.concatenate([self.ids, later.ids[fresh]]),
            np.concatenate([self.begin, later.begin[fresh]]),
            np.concatenate([end, later.end[fresh]]),
            np.concatenate([self.bucket, later.bucket[fresh]]),
            np.concatenate([self.partial_max, later.partial_max[fresh]]),
            np.concatenate([self.layout, later.layout[fresh]]),
            np.concatenate([self.files, later.files[fresh]]),
        )

    def live_at(self, snapshot_id: int) -> Int64s:
        return np.flatnonzero((self.begin <= snapshot_id) & (self.end > snapshot_id)).astype(np.int64)

    def data_files(
        self,
        positions: Int64s,
        snapshot_id: int,
        deletes: dict[int, DeleteFile],
        inlined_deletes: dict[int, tuple[int, ...]],
    ) -> tuple[DataFile, ...]:
        """The files at `positions` as they are at a snapshot."""
        files = self.files[positions]
        special = self.partial_max[positions] > snapshot_id
        if deletes or inlined_deletes:
            touched = np.array([*deletes, *inlined_deletes], dtype=np.int64)
            special |= np.isin(self.ids[positions], touched)
        for at in np.flatnonzero(special).tolist():
            file = files[at]
            merged = self.partial_max[positions[at]] > snapshot_id
            files[at] = replace(
                file,
                delete=deletes.get(file.id),
                inlined_deletes=inlined_deletes.get(file.id, ()),
                snapshot_filter=snapshot_id if merged else None,
            )
        return tuple(files.tolist())
