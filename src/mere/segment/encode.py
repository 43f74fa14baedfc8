"""Record batches to protocol messages: DataRow for queries, CopyData for COPY TO STDOUT. Runs on the engine's threads.

Columns in text format arrive already rendered as VARCHAR by the query itself; columns in binary format arrive typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mere.segment.binary import encode_binary
from mere.sql.types import PgType
from mere.wire.datarow import ByteArray, as_bytes, copy_message, copy_rows, data_rows

_CONTROLS = {b"\b": b"\\b", b"\t": b"\\t", b"\n": b"\\n", b"\v": b"\\v", b"\f": b"\\f", b"\r": b"\\r"}


@dataclass(frozen=True, slots=True)
class RowEncoder:
    """DataRow messages. `binary` has, for each column, the oid of its type if it goes out in binary, else None."""

    binary: tuple[int | None, ...]

    def __call__(self, batch: pa.RecordBatch) -> bytes | memoryview:
        columns = [
            text_bytes(column) if oid is None else encode_binary(column, oid)
            for column, oid in zip(batch.columns, self.binary, strict=True)
        ]
        return data_rows(columns, batch.num_rows)


def row_encoder(binary: Sequence[PgType | int | None]) -> RowEncoder:
    return RowEncoder(tuple(column.oid if isinstance(column, PgType) else column for column in binary))


@dataclass(frozen=True, slots=True)
class CopyTextEncoder:
    """COPY TO in text format: one CopyData message a row."""

    delimiter: bytes = b"\t"
    null: bytes = b"\\N"

    def header(self, names: Sequence[str]) -> bytes:
        values = [self._escaped(as_bytes(pa.array([name.encode()], pa.binary())))[0].as_py() for name in names]
        return copy_message(self.delimiter.join(values) + b"\n")

    def __call__(self, batch: pa.RecordBatch) -> bytes | memoryview:
        columns = [self._escaped(text_bytes(column)) for column in batch.columns]
        return copy_rows(columns, batch.num_rows, null=self.null, delimiter=self.delimiter)

    def _escaped(self, column: ByteArray) -> ByteArray:
        seen = _bytes_seen(column)
        if seen[ord("\\")]:
            column = pc.replace_substring(column, b"\\", b"\\\\")
        for character, escape in _CONTROLS.items():
            if seen[character[0]]:
                column = pc.replace_substring(column, character, escape)
        if seen[self.delimiter[0]] and self.delimiter not in _CONTROLS:
            column = pc.replace_substring(column, self.delimiter, b"\\" + self.delimiter)
        return column


@dataclass(frozen=True, slots=True)
class CopyCsvEncoder:
    """COPY TO in csv format. `force_quote` holds the numbers of the columns that are always quoted."""

    delimiter: bytes = b","
    null: bytes = b""
    quote: bytes = b'"'
    escape: bytes = b'"'
    force_quote: frozenset[int] = frozenset()

    def header(self, names: Sequence[str]) -> bytes:
        single = len(names) == 1
        values = [self._quoted(pa.array([n.encode()], pa.binary()), False, single)[0].as_py() for n in names]
        return copy_message(self.delimiter.join(values) + b"\n")

    def __call__(self, batch: pa.RecordBatch) -> bytes | memoryview:
        single = batch.num_columns == 1
        columns = [
            self._quoted(text_bytes(column), number in self.force_quote, single)
            for number, column in enumerate(batch.columns)
        ]
        return copy_rows(columns, batch.num_rows, null=self.null, delimiter=self.delimiter)

    def _quoted(self, column: ByteArray, force: bool, single: bool) -> ByteArray:
        """PostgreSQL quotes what it must: delimiters, quotes, line ends, and what would read as NULL or as the end."""
        seen = _bytes_seen(column)
        needs = pa.scalar(True) if force else pc.equal(column, pa.scalar(self.null, column.type))
        for special in {self.delimiter, self.quote, b"\n", b"\r"}:
            if not force and seen[special[0]]:
                needs = pc.or_(needs, pc.match_substring(column, special))
        if single and not force and seen[ord("\\")]:
            needs = pc.or_(needs, pc.equal(column, pa.scalar(b"\\.", column.type)))
        if not force and not pc.any(needs).as_py():
            return column
        escaped = column
        if self.escape != self.quote and seen[self.escape[0]]:
            escaped = pc.replace_substring(escaped, self.escape, self.escape * 2)
        if seen[self.quote[0]]:
            escaped = pc.replace_substring(escaped, self.quote, self.escape + self.quote)
        mark = pa.scalar(self.quote, column.type)
        quoted = pc.binary_join_element_wise(mark, escaped, mark, pa.scalar(b"", column.type))
        return quoted if force else pc.if_else(needs, quoted, column)


def text_bytes(column: pa.Array) -> ByteArray:
    """A rendered column as bytes."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_null(column.type):
        return column.cast(pa.binary())
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        column = column.view(pa.large_binary() if pa.types.is_large_string(column.type) else pa.binary())
    return column


def _bytes_seen(column: ByteArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of the 256 bytes occur in the column's memory: escaping is only for columns that need it."""
    seen = np.zeros(256, dtype=np.bool_)
    offsets, data = column.buffers()[1:3]
    if data is None or not len(column):
        return seen
    width = np.int64 if pa.types.is_large_binary(column.type) else np.int32
    bounds = np.frombuffer(offsets, dtype=width)[column.offset : column.offset + len(column) + 1]
    seen[np.frombuffer(data, dtype=np.uint8)[int(bounds[0]) : int(bounds[-1])]] = True
    return seen
