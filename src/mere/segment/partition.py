"""How rows leave a slice: split by destination into parts of bounded size. Runs on the engine's threads.

One stable sort of the destinations and one Arrow take for each batch; no Python loop over rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

PART_BYTES = 32 * 2**20
_HELD_BYTES = 4 * PART_BYTES  # of all targets together
_SMALLEST = 2**20


@dataclass(frozen=True, slots=True)
class Leave:
    """`destination` is SQL over the slice's columns giving an integer from 0, taken modulo `targets`; NULL counts as 0.
    None: all rows are for target 0."""

    targets: int = 1
    destination: str | None = None


def with_target(sql: str, leave: Leave) -> str:
    """The query with the number of the target as its last column, where there is a choice."""
    if leave.destination is None or leave.targets == 1:
        return sql
    target = f"CAST(coalesce({leave.destination}, 0) % {leave.targets} AS USMALLINT)"
    return f"SELECT mere_rows.*, {target} AS mere_target FROM ({sql}) AS mere_rows"


class Partitioner:
    """Takes the batches of a query made by `with_target`; gives finished parts, then what is left.

    Rows keep their order within a target.
    """

    def __init__(self, leave: Leave) -> None:
        self._split = leave.destination is not None and leave.targets > 1
        self._targets = leave.targets if self._split else 1
        self._limit = max(_SMALLEST, min(PART_BYTES, _HELD_BYTES // self._targets))
        self._held: list[list[pa.RecordBatch]] = [[] for _ in range(self._targets)]
        self._bytes = [0] * self._targets

    def add(self, batch: pa.RecordBatch) -> list[tuple[int, pa.Table]]:
        """Parts that are full now."""
        if not batch.num_rows:
            return []
        batch = _without_views(batch)
        full = []
        for target, rows in self._by_target(batch):
            self._held[target].append(rows)
            self._bytes[target] += rows.nbytes
            if self._bytes[target] >= self._limit:
                full.append((target, self._part(target)))
        return full

    def finish(self) -> list[tuple[int, pa.Table]]:
        return [(target, self._part(target)) for target in range(self._targets) if self._held[target]]

    def _by_target(self, batch: pa.RecordBatch) -> list[tuple[int, pa.RecordBatch]]:
        if not self._split:
            return [(0, batch)]
        targets = batch.column(batch.num_columns - 1).to_numpy(zero_copy_only=False)
        rows = batch.select(list(range(batch.num_columns - 1)))
        counts = np.bincount(targets, minlength=self._targets)
        if counts[targets[0]] == len(targets):
            return [(int(targets[0]), rows)]
        taken = rows.take(pa.array(np.argsort(targets, kind="stable")))
        ends = np.cumsum(counts)
        return [
            (target, taken.slice(int(ends[target] - counts[target]), int(counts[target])))
            for target in np.flatnonzero(counts).tolist()
        ]

    def _part(self, target: int) -> pa.Table:
        """In one piece, since a slice would drag the memory of its whole batch along."""
        held, self._held[target], self._bytes[target] = self._held[target], [], 0
        if len(held) == 1 and held[0].get_total_buffer_size() > 2 * held[0].nbytes:
            held = [held[0].take(pa.array(np.arange(held[0].num_rows)))]  # one piece would not be copied
        return pa.Table.from_batches(held).combine_chunks()


def _without_views(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [_takeable(column) for column in batch.columns]
    if all(new.type == old.type for new, old in zip(columns, batch.columns, strict=True)):
        return batch
    return pa.record_batch(columns, names=batch.schema.names)


def _takeable(column: pa.Array) -> pa.Array:
    """Arrow cannot take from arrays of views, which is how a narrow engine gives bytea and bit."""
    if isinstance(column, pa.ExtensionArray):
        storage = _takeable(column.storage)
        if storage.type == column.type.storage_type:
            return column
        kind = pa.opaque(storage.type, column.type.type_name, column.type.vendor_name)
        return pa.ExtensionArray.from_storage(kind, storage)
    if pa.types.is_binary_view(column.type):
        return column.cast(pa.large_binary())
    if pa.types.is_large_list(column.type):
        values = _takeable(column.values)
        if values.type != column.type.value_type:
            kind = pa.large_list(values.type)
            return pa.Array.from_buffers(
                kind, len(column), column.buffers()[:2], offset=column.offset, children=[values]
            )
    return column
