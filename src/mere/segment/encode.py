"""Record batches to protocol messages: DataRow for queries, CopyData for COPY TO STDOUT. Runs on the engine's threads.

The kernels of `native` do it, and then the query may leave most columns in text format to them unrendered. Until they
are compiled Arrow's do: columns in text format then arrive rendered as VARCHAR, char(n) padded, by the query itself.
Columns in binary format arrive typed.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mere.segment.binary import encode_binary
from mere.segment.native import kernels, kinds
from mere.segment.native.encode import Column, Messages, write_batch
from mere.sql.types import BPCHAR, PgType
from mere.wire.datarow import ByteArray, as_bytes, copy_message, copy_rows, data_rows

# What values of a type other than text may consist of: COPY's marks must be none of these.
_PLAIN = (string.ascii_letters + string.digits + "+-:.\\ ").encode()
_CONTROLS = {b"\b": b"\\b", b"\t": b"\\t", b"\n": b"\\n", b"\v": b"\\v", b"\f": b"\\f", b"\r": b"\\r"}


@dataclass(frozen=True, slots=True)
class RowEncoder:
    """DataRow messages."""

    columns: tuple[Column, ...]

    def __call__(self, batch: pa.RecordBatch) -> bytes | memoryview:
        kernel = kernels.write_rows()
        if kernel is not None:
            return write_batch(kernel, batch, self.columns, _DATA_ROWS)
        columns = [
            text_bytes(array) if column.binary is None else encode_binary(array, column.binary)
            for array, column in zip(batch.columns, self.columns, strict=True)
        ]
        return data_rows(columns, batch.num_rows)


_DATA_ROWS = Messages()


def row_encoder(types: Sequence[PgType], formats: Sequence[int]) -> RowEncoder:
    """For columns of these types, each in text (0) or binary (1)."""
    return RowEncoder(
        tuple(column_form(kind, binary=bool(code)) for kind, code in zip(types, formats, strict=True)),
    )


@lru_cache(maxsize=1024)
def column_form(kind: PgType, *, binary: bool = False, forced: bool = False) -> Column:
    """char(n) is its text in binary, too."""
    if kind.oid == BPCHAR and kind.typmod >= 4:
        return Column(width=kind.typmod - 4, forced=forced)
    return Column(kind.oid if binary else None, forced=forced)


@dataclass(frozen=True, slots=True)
class CopyTextEncoder:
    """COPY TO in text format: one CopyData message a row. `columns` are needed where they come unrendered."""

    delimiter: bytes = b"\t"
    null: bytes = b"\\N"
    columns: tuple[Column, ...] = ()

    @property
    def prints(self) -> bool:
        """Whether columns may come unrendered."""
        return kernels.ready() and self.delimiter not in _PLAIN

    def header(self, names: Sequence[str]) -> bytes:
        values = [self._escaped(as_bytes(pa.array([name.encode()], pa.binary())))[0].as_py() for name in names]
        return copy_message(self.delimiter.join(values) + b"\n")

    def __call__(self, batch: pa.RecordBatch) -> bytes | memoryview:
        kernel = kernels.write_rows()
        if kernel is not None:
            messages = Messages(kinds.COPY_TEXT, self.delimiter, self.null)
            return write_batch(kernel, batch, self.columns or _as_they_come(batch), messages)
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
    """COPY TO in csv format. `columns` are needed where they come unrendered, or are always quoted."""

    delimiter: bytes = b","
    null: bytes = b""
    quote: bytes = b'"'
    escape: bytes = b'"'
    columns: tuple[Column, ...] = ()

    @property
    def prints(self) -> bool:
        """Whether columns may come unrendered: then they need no quotes, and none of them looks like NULL."""
        marks = (self.delimiter, self.quote, self.escape)
        return kernels.ready() and not any(mark in _PLAIN for mark in marks) and self.null == b""

    def header(self, names: Sequence[str]) -> bytes:
        single = len(names) == 1
        values = [self._quoted(pa.array([n.encode()], pa.binary()), False, single)[0].as_py() for n in names]
        return copy_message(self.delimiter.join(values) + b"\n")

    def __call__(self, batch: pa.RecordBatch) -> bytes | memoryview:
        single = batch.num_columns == 1
        forms = self.columns or _as_they_come(batch)
        kernel = kernels.write_rows()
        if kernel is not None:
            messages = Messages(kinds.COPY_CSV, self.delimiter, self.null, self.quote, self.escape, single)
            return write_batch(kernel, batch, forms, messages)
        columns = [
            self._quoted(text_bytes(array), form.forced, single)
            for array, form in zip(batch.columns, forms, strict=True)
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


def _as_they_come(batch: pa.RecordBatch) -> tuple[Column, ...]:
    return (Column(),) * len(batch.columns)


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
