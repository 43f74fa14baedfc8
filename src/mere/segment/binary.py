"""PostgreSQL's binary format of each type (its *_send functions), a column at a time in numpy and Arrow.

Runs on the engine's threads. Columns arrive with the Arrow types that DuckDB gives with arrow_lossless_conversion.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mere.errors import FeatureNotSupported
from mere.segment.numeric import numeric_digits
from mere.sql import types as pg
from mere.wire.datarow import as_bytes, fixed_width, join, value_lengths

Encoder: TypeAlias = Callable[[Any], "pa.BinaryArray"]

_DAYS_TO_2000 = 10957
_MICROSECONDS_TO_2000 = 946_684_800_000_000
_TIMETZ_OFFSET = 16 * 3600 - 1  # DuckDB stores a zone as this minus the seconds east


def encode_binary(column: pa.Array, oid: int) -> pa.BinaryArray:
    """The column's values in binary format; NULL stays NULL."""
    encoder = _ENCODERS.get(oid)
    if encoder is not None:
        return encoder(_storage(column))
    facts = pg.TYPES.get(oid)
    if facts is not None and facts.element:
        return _array(_storage(column), facts.element)
    name = facts.sql_name if facts is not None else str(oid)
    raise FeatureNotSupported(f"no binary output function available for type {name}", sqlstate="42883")


def _storage(column: pa.Array) -> pa.Array:
    return column.storage if isinstance(column, pa.ExtensionArray) else column


def _masked(source: pa.Array, values: pa.BinaryArray) -> pa.BinaryArray:
    return pc.if_else(source.is_valid(), values, pa.scalar(None, pa.binary())) if source.null_count else values


def _numbers(column: pa.Array, arrow: pa.DataType, dtype: str) -> npt.NDArray[Any]:
    """The values as numpy, zero where NULL."""
    if column.type != arrow:
        column = column.cast(arrow)
    if column.null_count:
        column = column.fill_null(pa.scalar(0, pa.int64()).cast(arrow) if pa.types.is_integer(arrow) else 0)
    values: npt.NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return values.astype(dtype, copy=False)


def _fixed(arrow: pa.DataType, dtype: str) -> Encoder:
    def encode(column: pa.Array) -> pa.BinaryArray:
        return _masked(column, fixed_width(np.ascontiguousarray(_numbers(column, arrow, dtype)), len(column)))

    return _not_empty(encode)


def _not_empty(encode: Encoder) -> Encoder:
    return lambda column: encode(column) if len(column) else pa.array([], pa.binary())


def _boolean(column: pa.Array) -> pa.BinaryArray:
    values = column.cast(pa.uint8()).fill_null(0).to_numpy(zero_copy_only=False)
    return _masked(column, fixed_width(np.ascontiguousarray(values), len(column)))


def _bytes(column: pa.Array) -> pa.BinaryArray:
    return as_bytes(column)


def _bits(column: pa.Array) -> pa.BinaryArray:
    """Made by the query already; within an array they are text still."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        raise FeatureNotSupported("no binary output function available for type bit[]", sqlstate="42883")
    return as_bytes(column)


def _jsonb(column: pa.Array) -> pa.BinaryArray:
    """A version byte, then the text."""
    version = pa.scalar(b"\x01", pa.binary())
    return pc.binary_join_element_wise(version, as_bytes(column), pa.scalar(b"", pa.binary()))


def _date(column: pa.Array) -> pa.BinaryArray:
    days = _numbers(column.view(pa.int32()), pa.int32(), "i8")
    moved = days - _DAYS_TO_2000
    moved[days == 2**31 - 1] = 2**31 - 1  # infinity
    moved[days == -(2**31 - 1)] = -(2**31)
    return _masked(column, fixed_width(moved.astype(">i4"), len(column)))


def _timestamp(column: pa.Array) -> pa.BinaryArray:
    if column.type.unit != "us":
        column = column.cast(pa.timestamp("us", column.type.tz))
    stored = _numbers(column.view(pa.int64()), pa.int64(), "i8")
    infinite, minus_infinite = stored == 2**63 - 1, stored == -(2**63 - 1)
    moved = np.where(infinite | minus_infinite, 0, stored) - _MICROSECONDS_TO_2000
    moved[infinite] = 2**63 - 1
    moved[minus_infinite] = -(2**63)
    return _masked(column, fixed_width(moved.astype(">i8"), len(column)))


def _time(column: pa.Array) -> pa.BinaryArray:
    values = _numbers(column.cast(pa.time64("us")).view(pa.int64()), pa.int64(), ">i8")
    return _masked(column, fixed_width(np.ascontiguousarray(values), len(column)))


def _timetz(column: pa.Array) -> pa.BinaryArray:
    """Lossless DuckDB gives its own 64 bits: microseconds above, the zone in the lower 24."""
    raw = np.frombuffer(column.buffers()[1], dtype="<u8", count=len(column), offset=8 * column.offset)
    result = np.empty(len(column), dtype=[("time", ">i8"), ("west", ">i4")])
    result["time"] = raw >> 24
    result["west"] = (raw & 0xFFFFFF).astype(np.int64) - _TIMETZ_OFFSET
    return _masked(column, fixed_width(result, len(column)))


def _interval(column: pa.Array) -> pa.BinaryArray:
    layout = np.dtype([("months", "<i4"), ("days", "<i4"), ("nanoseconds", "<i8")])
    raw = np.frombuffer(column.buffers()[1], dtype=layout, count=len(column), offset=16 * column.offset)
    result = np.empty(len(column), dtype=[("microseconds", ">i8"), ("days", ">i4"), ("months", ">i4")])
    result["microseconds"] = raw["nanoseconds"] // 1000
    result["days"] = raw["days"]
    result["months"] = raw["months"]
    return _masked(column, fixed_width(result, len(column)))


def _uuid(column: pa.Array) -> pa.BinaryArray:
    raw = np.frombuffer(column.buffers()[1], dtype="V16", count=len(column), offset=16 * column.offset)
    return _masked(column, fixed_width(raw, len(column)))


def _numeric(column: pa.Array) -> pa.BinaryArray:
    header, digits = numeric_digits(column)
    empty = pa.scalar(b"", pa.binary())
    return _masked(column, pc.binary_join_element_wise(fixed_width(header, len(column)), digits, empty))


def _array(column: pa.Array, element: int) -> pa.BinaryArray:
    """One dimension from 1, or none where the array is empty; each element with its length before it."""
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        raise FeatureNotSupported("binary output of an array that the engine does not hold as a list", sqlstate="42883")
    if not len(column):
        return pa.array([], pa.binary())
    if isinstance(column.type.value_type, pa.BaseExtensionType):
        column = column.cast(pa.list_(column.type.value_type.storage_type))
    lists = column.fill_null(pa.scalar([], column.type)) if column.null_count else column
    counts = pc.list_value_length(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    values = lists.flatten()
    nulls = np.zeros(len(column), dtype=np.int64)
    if values.null_count:
        owners = np.repeat(np.arange(len(column)), counts)
        nulls = np.bincount(owners[values.is_null().to_numpy(zero_copy_only=False)], minlength=len(column))
    header = np.empty((len(column), 5), dtype=">i4")
    header[:, 0] = counts > 0
    header[:, 1] = nulls > 0
    header[:, 2] = element
    header[:, 3] = counts
    header[:, 4] = 1
    prefix = _prefixes(header, np.where(counts > 0, 20, 12))
    body = _array_bodies(values, element, counts)
    return _masked(column, pc.binary_join_element_wise(prefix, body, pa.scalar(b"", pa.binary())))


def _array_bodies(values: pa.Array, element: int, counts: npt.NDArray[np.int64]) -> pa.BinaryArray:
    """All elements' bytes in one piece of memory; the arrays are slices of it."""
    ends = np.zeros(len(counts) + 1, dtype=np.int64)
    data: bytes | memoryview = b""
    if len(values):
        encoded = encode_binary(values, element)
        lengths = value_lengths(encoded)
        data = join([fixed_width(lengths.astype(">i4"), len(encoded)), encoded])
        per_element = np.zeros(len(values) + 1, dtype=np.int64)
        np.cumsum(np.maximum(lengths, 0) + 4, out=per_element[1:])
        ends[1:] = np.cumsum(counts)
        ends = per_element[ends]
    return pa.Array.from_buffers(
        pa.binary(), len(counts), [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(data)]
    )


def _prefixes(rows: npt.NDArray[Any], widths: npt.NDArray[np.int64]) -> pa.BinaryArray:
    """The first `widths` bytes of each row of a matrix."""
    flat = rows.view(np.uint8).reshape(len(rows), -1)
    kept = flat[np.arange(flat.shape[1])[None, :] < widths[:, None]]
    offsets = np.zeros(len(rows) + 1, dtype=np.int32)
    np.cumsum(widths, out=offsets[1:])
    return pa.Array.from_buffers(pa.binary(), len(rows), [None, pa.py_buffer(offsets), pa.py_buffer(kept)])


_ENCODERS: dict[int, Encoder] = {
    pg.INT2: _fixed(pa.int16(), ">i2"),
    pg.INT4: _fixed(pa.int32(), ">i4"),
    pg.INT8: _fixed(pa.int64(), ">i8"),
    pg.FLOAT4: _fixed(pa.float32(), ">f4"),
    pg.FLOAT8: _fixed(pa.float64(), ">f8"),
    pg.BOOL: _not_empty(_boolean),
    pg.DATE: _not_empty(_date),
    pg.TIMESTAMP: _not_empty(_timestamp),
    pg.TIMESTAMPTZ: _not_empty(_timestamp),
    pg.TIME: _not_empty(_time),
    pg.TIMETZ: _not_empty(_timetz),
    pg.INTERVAL: _not_empty(_interval),
    pg.UUID: _not_empty(_uuid),
    pg.BIT: _bits,
    pg.VARBIT: _bits,
    pg.NUMERIC: _not_empty(_numeric),
    pg.JSONB: _jsonb,
    **dict.fromkeys((*pg.STRINGS, pg.BYTEA, pg.JSON, pg.VOID), _bytes),
    **dict.fromkeys(pg.OID_LIKE, _fixed(pa.uint32(), ">u4")),
}
