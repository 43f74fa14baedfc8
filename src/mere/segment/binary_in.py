"""Values in PostgreSQL's binary format to Arrow, a column at a time (the types' *_recv functions). Pure; numpy.

What DuckDB's SQL casts better than numpy (numeric, uuid, json) comes out as text; `arrives_as` says as which type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mere.errors import DataError, FeatureNotSupported
from mere.segment.binary_rows import Positions, Values
from mere.sql import types as pg

Decoder: TypeAlias = Callable[[Values], "pa.Array"]

_DAYS_TO_2000 = 10_957
_MICROSECONDS_TO_2000 = 946_684_800_000_000
_DAY = 86_400_000_000
_INFINITE_DAY, _INFINITE_TIME = 2**31 - 1, 2**63 - 1
_GROUPS = 12  # of four digits on each side of the point: more than 38 digits
_FOURS = np.frombuffer("".join(f"{number:04d}" for number in range(10_000)).encode(), dtype="V4")
_HEX = np.frombuffer("".join(f"{number:02x}" for number in range(256)).encode(), dtype="V2")
_TEXTS = frozenset({*pg.STRINGS, pg.NUMERIC, pg.UUID, pg.JSON, pg.JSONB})


def arrives_as(oid: int) -> int:
    """The type of what `decode` gives for a column of type `oid`."""
    element = pg.element_of(oid)
    if element:
        return pg.array_of(arrives_as(element))
    return pg.TEXT if oid in _TEXTS else oid


def decode(values: Values, oid: int) -> pa.Array:
    """The column; raises DataError for bytes that are no value of the type."""
    element = pg.element_of(oid)
    if element:
        return _array(values, element)
    decoder = _DECODERS.get(oid)
    if decoder is None:
        name = pg.type_name(oid)
        raise FeatureNotSupported(f"no binary input function available for type {name}", sqlstate="42883")
    return decoder(values)


def _malformed() -> DataError:
    return DataError("incorrect binary data format", sqlstate="22P03")


def _require(values: Values, width: int) -> None:
    if not (values.null | (values.lengths == width)).all():
        raise _malformed()


def _of(numbers: npt.NDArray[Any], values: Values, kind: pa.DataType) -> pa.Array:
    """Numbers as they are, seen as an Arrow type of their width."""
    return pa.array(numbers, mask=values.null).view(kind)


def _fixed(dtype: str, kind: pa.DataType) -> Decoder:
    width = np.dtype(dtype).itemsize
    native = np.dtype(dtype).newbyteorder("=")

    def numbers(values: Values) -> pa.Array:
        _require(values, width)
        return _of(values.words(0, dtype).astype(native), values, kind)

    return numbers


def _boolean(values: Values) -> pa.Array:
    _require(values, 1)
    return pa.array(values.words(0, "u1") != 0, mask=values.null)


def _bytes(values: Values) -> pa.Array:
    """Values and the gaps between them as one array over the same memory, of which every second is taken."""
    starts = np.where(values.null, 0, values.starts)
    bounds = np.zeros(2 * len(starts) + 1, dtype=np.int64)
    bounds[0:-1:2], bounds[1::2] = starts, starts + np.maximum(values.lengths, 0)
    bounds = np.maximum.accumulate(bounds)  # where NULL stands, offsets must still not go back
    whole = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), 2 * len(starts), [None, pa.py_buffer(bounds), pa.py_buffer(values.data)]
    )
    wanted = pa.array(np.arange(0, 2 * len(starts), 2), mask=values.null)
    return whole.take(wanted)


def _text(values: Values) -> pa.Array:
    raw = _bytes(values)
    if pc.any(pc.match_substring(raw, b"\0")).as_py():
        raise DataError('invalid byte sequence for encoding "UTF8": 0x00', sqlstate="22021")
    try:
        return raw.cast(pa.large_string())
    except pa.ArrowInvalid as error:
        raise DataError('invalid byte sequence for encoding "UTF8"', sqlstate="22021") from error


def _jsonb(values: Values) -> pa.Array:
    if not (values.null | ((values.lengths >= 1) & (values.words(0, "u1") == 1))).all():
        raise DataError("unsupported jsonb version number", sqlstate="XX000")
    return _text(values.behind(1))


def _date(values: Values) -> pa.Array:
    _require(values, 4)
    days = values.words(0, ">i4").astype(np.int64)
    moved = days + _DAYS_TO_2000
    moved[days == 2**31 - 1] = _INFINITE_DAY
    moved[days == -(2**31)] = -_INFINITE_DAY
    return _of(moved.astype(np.int32), values, pa.date32())


def _moment(kind: pa.DataType) -> Decoder:
    def moments(values: Values) -> pa.Array:
        _require(values, 8)
        stored = values.words(0, ">i8").astype(np.int64)
        late, early = stored == _INFINITE_TIME, stored == -(2**63)
        if (stored[~(late | early)] > _INFINITE_TIME - _MICROSECONDS_TO_2000 - 1).any():
            raise DataError("timestamp out of range", sqlstate="22008")
        moved = np.where(late | early, 0, stored) + _MICROSECONDS_TO_2000
        moved[late], moved[early] = _INFINITE_TIME, -_INFINITE_TIME
        return _of(moved, values, kind)

    return moments


def _time(values: Values) -> pa.Array:
    _require(values, 8)
    stored = values.words(0, ">i8").astype(np.int64)
    if ((stored < 0) | (stored > _DAY)).any():
        raise DataError("time out of range", sqlstate="22008")
    return _of(stored, values, pa.time64("us"))


def _timetz(values: Values) -> pa.Array:
    """The time of day in UTC, which is how it is stored."""
    _require(values, 12)
    west = values.words(8, ">i4").astype(np.int64)
    return _of((values.words(0, ">i8").astype(np.int64) + west * 1_000_000) % _DAY, values, pa.time64("us"))


def _interval(values: Values) -> pa.Array:
    _require(values, 16)
    microseconds = values.words(0, ">i8").astype(np.int64)
    if (np.abs(microseconds) > _INFINITE_TIME // 1000).any():
        raise DataError("interval out of range", sqlstate="22008")
    result = np.zeros(len(microseconds), dtype=[("months", "<i4"), ("days", "<i4"), ("nanoseconds", "<i8")])
    result["months"] = values.words(12, ">i4")
    result["days"] = values.words(8, ">i4")
    result["nanoseconds"] = microseconds * 1000
    valid = pa.py_buffer(np.packbits(~values.null, bitorder="little"))
    return pa.Array.from_buffers(pa.month_day_nano_interval(), len(result), [valid, pa.py_buffer(result)])


def _uuid(values: Values) -> pa.Array:
    _require(values, 16)
    if not len(values.starts):
        return pa.array([], pa.string())
    raw = (
        values.data[np.where(values.null, 0, values.starts)[:, None] + np.arange(16)] if not values.null.all() else None
    )
    digits = np.zeros((len(values.starts), 16), dtype="V2") if raw is None else _HEX[raw]
    return _characters(digits.view("V32").reshape(-1), np.full(len(digits), 32), values.null)


def _characters(rows: npt.NDArray[Any], lengths: Positions, null: npt.NDArray[np.bool_]) -> pa.Array:
    """Text from rows of as many ASCII characters, of which the first `lengths` count."""
    width = rows.dtype.itemsize
    flat = np.frombuffer(rows.tobytes(), dtype=np.uint8).reshape(-1, width)
    kept = flat[np.arange(width)[None, :] < lengths[:, None]]
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    whole = pa.LargeStringArray.from_buffers(len(rows), pa.py_buffer(offsets), pa.py_buffer(kept))
    return pc.if_else(pa.array(null), pa.scalar(None, pa.large_string()), whole)


def _numeric(values: Values) -> pa.Array:
    """Sign, 48 digits, a point, and as many digits behind it as the value shows."""
    count = values.words(0, ">i2").astype(np.int64)
    weight = values.words(2, ">i2").astype(np.int64)
    sign = values.words(4, ">u2").astype(np.int64)
    scale = values.words(6, ">u2").astype(np.int64) & 0x3FFF
    if not (values.null | (values.lengths == 8 + 2 * count)).all() or (count < 0).any():
        raise _malformed()
    if (sign & 0xC000 == 0xC000).any():
        raise FeatureNotSupported("numeric NaN and infinity are not supported")
    weight[count == 0] = 0
    if (weight >= _GROUPS).any():
        raise DataError("numeric field overflow", sqlstate="22003")
    groups = np.zeros((len(count), 2 * _GROUPS), dtype=np.int64)
    rows = np.arange(len(count))
    for number in range(min(int(count.max(initial=0)), 2 * _GROUPS)):
        place = _GROUPS - 1 - weight + number
        has = (number < count) & (place < 2 * _GROUPS)
        some = Values(values.data, values.starts[has], values.lengths[has])
        groups[rows[has], place[has]] = some.words(8 + 2 * number, ">u2")
    if ((groups < 0) | (groups > 9999)).any():
        raise DataError('invalid digit in external "numeric" value', sqlstate="22P03")
    digits = np.frombuffer(_FOURS[groups].tobytes(), dtype=np.uint8).reshape(len(count), -1)
    text = np.empty((len(count), digits.shape[1] + 2), dtype=np.uint8)
    half = 4 * _GROUPS
    text[:, 0] = np.where(sign == 0x4000, ord("-"), ord("+"))
    text[:, 1 : half + 1], text[:, half + 1], text[:, half + 2 :] = digits[:, :half], ord("."), digits[:, half:]
    shown = half + 2 + np.minimum(scale, half)
    return _characters(np.frombuffer(text.tobytes(), dtype=f"V{text.shape[1]}"), shown, values.null)


def _array(values: Values, element: int) -> pa.Array:
    """One dimension, with elements that have their lengths before them."""
    if not (values.null | (values.lengths >= 12)).all():
        raise _malformed()
    dimensions = values.words(0, ">i4").astype(np.int64)
    if (dimensions > 1).any():
        raise FeatureNotSupported("arrays of more than one dimension are not supported")
    if ((dimensions < 0) | (~values.null & (values.words(8, ">u4") != element))).any():
        raise DataError("wrong element type", sqlstate="42804")
    filled = dimensions == 1
    if (values.lengths[filled] < 20).any():
        raise _malformed()
    some = Values(values.data, values.starts[filled], values.lengths[filled])
    counts = np.zeros(len(filled), dtype=np.int64)
    counts[filled] = some.words(12, ">i4")
    if (counts < 0).any() or (4 * counts > np.maximum(values.lengths, 0)).any():
        raise _malformed()
    elements = _elements(values, counts)
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=offsets[1:])
    lists = pa.LargeListArray.from_arrays(pa.array(offsets), decode(elements, element))
    return pc.if_else(pa.array(values.null), pa.scalar(None, lists.type), lists)


def _elements(values: Values, counts: Positions) -> Values:
    """All elements of all arrays, in their order; they are found as the first of each array, the second of each ..."""
    total = int(counts.sum())
    before = np.cumsum(counts) - counts
    starts, lengths = np.zeros(total, dtype=np.int64), np.zeros(total, dtype=np.int64)
    position = values.starts + 20
    end = values.starts + values.lengths
    number, alive = 0, np.flatnonzero(counts > 0)
    while len(alive):
        if (position[alive] + 4 > end[alive]).any():
            raise _malformed()
        length = Values(values.data, position[alive], np.full(len(alive), 4)).words(0, ">i4").astype(np.int64)
        starts[before[alive] + number], lengths[before[alive] + number] = position[alive] + 4, length
        position[alive] += 4 + np.maximum(length, 0)
        number += 1
        alive = alive[counts[alive] > number]
    if (lengths < -1).any() or (position > end)[counts > 0].any():
        raise _malformed()
    return Values(values.data, starts, lengths)


_DECODERS: dict[int, Decoder] = {
    pg.BOOL: _boolean,
    pg.INT2: _fixed(">i2", pa.int16()),
    pg.INT4: _fixed(">i4", pa.int32()),
    pg.INT8: _fixed(">i8", pa.int64()),
    pg.FLOAT4: _fixed(">f4", pa.float32()),
    pg.FLOAT8: _fixed(">f8", pa.float64()),
    pg.NUMERIC: _numeric,
    pg.DATE: _date,
    pg.TIME: _time,
    pg.TIMETZ: _timetz,
    pg.TIMESTAMP: _moment(pa.timestamp("us")),
    pg.TIMESTAMPTZ: _moment(pa.timestamp("us", "UTC")),
    pg.INTERVAL: _interval,
    pg.UUID: _uuid,
    pg.BYTEA: _bytes,
    pg.JSON: _text,
    pg.JSONB: _jsonb,
    **dict.fromkeys(pg.STRINGS, _text),
}
