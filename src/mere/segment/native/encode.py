"""Record batches to messages by the kernels: describes where the columns lie, sizes the output, and calls.

Runs on the engine's threads. A text column may come as its own Arrow type, to be printed, or already rendered as text.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mere.errors import MereError
from mere.segment.binary import encode_binary
from mere.segment.native import kinds
from mere.segment.native.kernels import WriteRows
from mere.sql import types as pg

_LIMIT = 1 << 30  # PostgreSQL's own limit of a message
_ROW = 16  # the most that a message's own header and end take


@dataclass(frozen=True, slots=True)
class Column:
    """`binary` is the oid of a column that goes out in binary. `width` is that of char(n), which is padded."""

    binary: int | None = None
    width: int = 0
    forced: bool = False  # FORCE_QUOTE


@dataclass(frozen=True, slots=True)
class Layout:
    """How a column's values lie and what they become. `longest` bytes a row at most, besides the string's own."""

    kind: int
    size: int  # of a value in memory, 0 where it has an offset
    longest: int
    parameter: int = 0


@dataclass(frozen=True, slots=True)
class Messages:
    """What the kernel is to write. `null`, `delimiter` and so on are COPY's."""

    mode: int = kinds.ROWS
    delimiter: bytes = b"\t"
    null: bytes = b""
    quote: bytes = b'"'
    escape: bytes = b'"'
    single: bool = False

    @property
    def growth(self) -> int:
        """How many bytes a byte of a string can become."""
        return 2 if self.mode in (kinds.COPY_TEXT, kinds.COPY_CSV) else 1


def write_batch(
    kernel: WriteRows, batch: pa.RecordBatch, columns: Sequence[Column], messages: Messages
) -> bytes | memoryview:
    """The batch as messages, one a row."""
    if batch.num_rows == 0:
        return b""
    arrays, words = [], array("q")
    bound = _ROW * batch.num_rows
    for column, values in zip(columns, batch.columns, strict=True):
        kept, size = _describe(words, values, column, messages)
        arrays.append(kept)
        bound += size
    if bound > _LIMIT and batch.num_rows > 1:
        half = batch.num_rows // 2
        parts = (batch.slice(0, half), batch.slice(half))
        return b"".join(write_batch(kernel, part, columns, messages) for part in parts)
    out = np.empty(bound, dtype=np.uint8)
    null = ctypes.create_string_buffer(messages.null)
    options = _options(messages, ctypes.addressof(null))
    start = out.ctypes.data
    end = kernel(start, words.buffer_info()[0], len(columns), 0, batch.num_rows, options.buffer_info()[0])
    if end - start > _LIMIT and batch.num_rows == 1:
        raise MereError("row is too large: a message holds at most 1 GB", sqlstate="54000")
    return out.data[: end - start]


def _options(messages: Messages, null: int) -> array[int]:
    """As `kinds` numbers them."""
    marks = (messages.quote[0], messages.escape[0], int(messages.single), 0)
    return array("q", (messages.mode, messages.delimiter[0], null, len(messages.null), *marks))


def _describe(words: array[int], values: pa.Array, column: Column, messages: Messages) -> tuple[object, int]:
    """Adds a column's description. Returns what must stay alive meanwhile, and the most bytes it can become."""
    values, layout = _laid_out(values, column)
    rows, start = len(values), values.offset
    validity, *buffers = values.buffers()
    valid = validity.address if validity is not None and values.null_count else 0
    longest = max(layout.longest, len(messages.null)) + 4
    if layout.size:
        first, offsets, most = buffers[0].address + layout.size * start, 0, rows * longest
    elif layout.kind in (kinds.BOOL_BITS, kinds.BIT):
        first, offsets, most = buffers[0].address, 0, rows * longest
    else:
        width = 8 if layout.kind & 1 else 4
        first = 0 if buffers[1] is None else buffers[1].address
        offsets = buffers[0].address + width * start
        bounds = memoryview(buffers[0]).cast("B").cast("q" if width == 8 else "i")
        grown = 2 if layout.kind in (kinds.BYTEA_32, kinds.BYTEA_64) else messages.growth
        most = rows * (longest + layout.parameter * messages.growth) + grown * (bounds[start + rows] - bounds[start])
    words.extend((layout.kind, valid, start, first, offsets, layout.parameter, int(column.forced), 0))
    return values, most


def _laid_out(values: pa.Array, column: Column) -> tuple[pa.Array, Layout]:
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        name, values = kind.extension_name, values.storage
        layout = _extension(name, kind, column)
        if layout is not None:
            return values, layout
        kind = values.type
    if column.binary is not None:
        return _binary(values, column.binary)
    if column.width and (wide := _PADDED.get(kind)) is not None:
        return values, Layout(wide, 0, 0, column.width)
    if pa.types.is_decimal128(kind):
        return values, Layout(kinds.DECIMAL, 16, 24 if kind.precision <= 18 else 64, kind.scale)
    if pa.types.is_null(kind):
        return values.cast(pa.binary()), _TEXT[pa.binary()]
    layout = _TEXT.get(kind)
    if layout is None:
        raise MereError(f"the engine gave a column of an unexpected type: {kind}", sqlstate="XX000")
    return values, layout


def _extension(name: str, kind: pa.BaseExtensionType, column: Column) -> Layout | None:
    """Types of Arrow's own and of DuckDB's, where the storage alone does not tell."""
    if name == "arrow.bool8":
        return Layout(kinds.BOOL_BYTES if column.binary is None else kinds.BYTE, 1, 1)
    if name == "arrow.uuid":
        return Layout(kinds.UUID, 16, 36) if column.binary is None else Layout(kinds.UUID_BINARY, 16, 16)
    if name == "arrow.opaque" and kind.type_name == "hugeint":
        if column.binary is None:
            return Layout(kinds.DECIMAL, 16, 64)
        return Layout(kinds.NUMERIC, 16, 32) if column.binary == pg.NUMERIC else None
    if name == "arrow.opaque" and kind.type_name == "time_tz" and column.binary == pg.TIMETZ:
        return Layout(kinds.TIMETZ_BINARY, 8, 12)
    return None


def _binary(values: pa.Array, oid: int) -> tuple[pa.Array, Layout]:
    """As the kernel writes it; where it does not know the type, the values are encoded first."""
    kind = values.type
    layout = _BINARY.get((oid, kind))
    if layout is not None:
        return values, layout
    if oid == pg.NUMERIC and pa.types.is_decimal128(kind):
        return values, Layout(kinds.NUMERIC, 16, 48, kind.scale)
    return encode_binary(values, oid), Layout(kinds.RAW_32, 0, 0)


_TEXT: dict[pa.DataType, Layout] = {
    pa.string(): Layout(kinds.TEXT_32, 0, 0),
    pa.large_string(): Layout(kinds.TEXT_64, 0, 0),
    pa.binary(): Layout(kinds.BYTEA_32, 0, 3),
    pa.large_binary(): Layout(kinds.BYTEA_64, 0, 3),
    pa.bool_(): Layout(kinds.BOOL_BITS, 0, 1),
    pa.int8(): Layout(kinds.INT_8, 1, 4),
    pa.int16(): Layout(kinds.INT_16, 2, 6),
    pa.int32(): Layout(kinds.INT_32, 4, 11),
    pa.int64(): Layout(kinds.INT_64, 8, 20),
    pa.uint8(): Layout(kinds.UNSIGNED_8, 1, 3),
    pa.uint16(): Layout(kinds.UNSIGNED_16, 2, 5),
    pa.uint32(): Layout(kinds.UNSIGNED_32, 4, 10),
    pa.uint64(): Layout(kinds.UNSIGNED_64, 8, 20),
    pa.float32(): Layout(kinds.FLOAT_4, 4, 24),
    pa.float64(): Layout(kinds.FLOAT_8, 8, 24),
    pa.date32(): Layout(kinds.DATE, 4, 24),
    pa.time64("us"): Layout(kinds.TIME, 8, 20),
    pa.timestamp("us"): Layout(kinds.TIMESTAMP, 8, 48),
    pa.timestamp("us", "UTC"): Layout(kinds.TIMESTAMPTZ, 8, 48),
}
_PADDED = {
    pa.string(): kinds.PADDED_32,
    pa.large_string(): kinds.PADDED_64,
}
_BINARY: dict[tuple[int, pa.DataType], Layout] = {
    (pg.INT2, pa.int16()): Layout(kinds.BIG_16, 2, 2),
    (pg.INT4, pa.int32()): Layout(kinds.BIG_32, 4, 4),
    (pg.INT8, pa.int64()): Layout(kinds.BIG_64, 8, 8),
    (pg.FLOAT4, pa.float32()): Layout(kinds.BIG_32, 4, 4),
    (pg.FLOAT8, pa.float64()): Layout(kinds.BIG_64, 8, 8),
    (pg.BOOL, pa.bool_()): Layout(kinds.BIT, 0, 1),
    (pg.DATE, pa.date32()): Layout(kinds.DATE_BINARY, 4, 4),
    (pg.TIME, pa.time64("us")): Layout(kinds.BIG_64, 8, 8),
    (pg.TIMESTAMP, pa.timestamp("us")): Layout(kinds.TIMESTAMP_BINARY, 8, 8),
    (pg.TIMESTAMPTZ, pa.timestamp("us", "UTC")): Layout(kinds.TIMESTAMP_BINARY, 8, 8),
    (pg.INTERVAL, pa.month_day_nano_interval()): Layout(kinds.INTERVAL_BINARY, 16, 16),
    (pg.NUMERIC, pa.int64()): Layout(kinds.NUMERIC_64, 8, 48),
    **{(oid, pa.uint32()): Layout(kinds.BIG_32, 4, 4) for oid in pg.OID_LIKE},
    **{(oid, pa.string()): Layout(kinds.RAW_32, 0, 0) for oid in (*pg.STRINGS, pg.BYTEA, pg.JSON, pg.VOID)},
    **{(oid, pa.large_string()): Layout(kinds.RAW_64, 0, 0) for oid in (*pg.STRINGS, pg.BYTEA, pg.JSON, pg.VOID)},
    (pg.BYTEA, pa.binary()): Layout(kinds.RAW_32, 0, 0),
    (pg.BYTEA, pa.large_binary()): Layout(kinds.RAW_64, 0, 0),
    (pg.JSONB, pa.string()): Layout(kinds.VERSIONED_32, 0, 1),
    (pg.JSONB, pa.large_string()): Layout(kinds.VERSIONED_64, 0, 1),
}
