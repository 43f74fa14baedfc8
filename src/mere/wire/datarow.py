"""Rows as DataRow and CopyData messages without a loop over rows: one Arrow kernel joins lengths and values per row.

Only for a handful of rows, which most answers to small statements are, a loop is faster. Sans-IO; used on the engine's
threads. Values are Arrow columns of bytes, text or binary format alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mere.errors import MereError

ByteArray: TypeAlias = "pa.BinaryArray | pa.LargeBinaryArray | pa.StringArray | pa.LargeStringArray"
Lengths: TypeAlias = npt.NDArray[np.int64]

_HANDFUL = 16  # rows
_LIMIT = 1 << 30  # PostgreSQL's own limit of a message; Arrow's offsets end at twice that
_EMPTY = pa.scalar(b"", pa.binary())
_KEEP_GOING = pc.JoinOptions(null_handling="replace", null_replacement="")
_ROW_HEADER = np.dtype([("type", "u1"), ("length", ">i4"), ("columns", ">i2")])
_COPY_HEADER = np.dtype([("type", "u1"), ("length", ">i4")])


def data_rows(columns: Sequence[ByteArray], rows: int, kind: bytes = b"D") -> bytes | memoryview:
    """DataRow messages, one a row; of kind 'd' they are COPY's binary format. A row without columns is legal SQL."""
    if rows == 0:
        return b""
    if rows <= _HANDFUL and sum(column.nbytes for column in columns) < _LIMIT:
        return _handful(columns, rows, kind)
    lengths = [value_lengths(column) for column in columns]
    body = row_lengths(lengths, rows, fixed=2 + 4 * len(columns))
    if int(body.sum()) + 5 * rows > _LIMIT:
        return _halves(lambda part, count: data_rows(part, count, kind), columns, rows)
    header = np.empty(rows, dtype=_ROW_HEADER)
    header["type"] = ord(kind)
    header["length"] = body + 4
    header["columns"] = len(columns)
    parts: list[Any] = [fixed_width(header, rows)]
    for column, length in zip(columns, lengths, strict=True):
        parts.append(fixed_width(length.astype(">i4"), rows))
        parts.append(as_bytes(column))
    return join(parts)


def _handful(columns: Sequence[ByteArray], rows: int, kind: bytes) -> bytes:
    count = len(columns).to_bytes(2, "big")
    values = [_python_bytes(column) for column in columns]
    messages = []
    for row in zip(*values, strict=True) if values else ((),) * rows:
        pieces = [count]
        for value in row:
            if value is None:
                pieces.append(b"\xff\xff\xff\xff")
            else:
                pieces += (len(value).to_bytes(4, "big"), value)
        body = b"".join(pieces)
        messages.append(kind + (len(body) + 4).to_bytes(4, "big") + body)
    return b"".join(messages)


def _python_bytes(column: ByteArray) -> list[bytes | None]:
    is_bytes = pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)
    values: list[bytes | None] = (column if is_bytes else as_bytes(column)).to_pylist()
    return values


def copy_rows(columns: Sequence[ByteArray], rows: int, *, null: bytes, delimiter: bytes) -> bytes | memoryview:
    """CopyData messages of one line each. The values are escaped already."""
    if rows == 0:
        return b""
    lengths = [value_lengths(column, null=len(null)) for column in columns]
    body = row_lengths(lengths, rows, fixed=max(len(columns) - 1, 0) * len(delimiter) + 1)
    if int(body.sum()) + 5 * rows > _LIMIT:
        return _halves(lambda part, count: copy_rows(part, count, null=null, delimiter=delimiter), columns, rows)
    header = np.empty(rows, dtype=_COPY_HEADER)
    header["type"] = ord("d")
    header["length"] = body + 4
    parts: list[Any] = [fixed_width(header, rows)]
    for number, column in enumerate(columns):
        if number:
            parts.append(pa.scalar(delimiter, pa.binary()))
        parts.append(as_bytes(column))
    parts.append(pa.scalar(b"\n", pa.binary()))
    return join(parts, null=null.decode("latin-1"))


def copy_message(data: bytes) -> bytes:
    return b"d" + (len(data) + 4).to_bytes(4, "big") + data


def value_lengths(column: ByteArray, *, null: int = -1) -> Lengths:
    """The number of bytes of each value, `null` for NULL."""
    lengths = pc.binary_length(column)
    if lengths.null_count:
        lengths = lengths.fill_null(pa.scalar(null, lengths.type))
    result: Lengths = lengths.to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    return result


def row_lengths(lengths: Sequence[Lengths], rows: int, *, fixed: int) -> Lengths:
    total = np.full(rows, fixed, dtype=np.int64)
    for length in lengths:
        total += np.maximum(length, 0)
    return total


def fixed_width(values: npt.NDArray[Any], rows: int) -> pa.BinaryArray:
    """A contiguous numpy array, seen as byte strings of its item size (times its second dimension)."""
    width = values.nbytes // rows
    offsets = np.arange(0, width * (rows + 1), width, dtype=np.int32) if width else np.zeros(rows + 1, dtype=np.int32)
    return pa.Array.from_buffers(pa.binary(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(values)])


def as_bytes(column: ByteArray) -> pa.BinaryArray:
    """Without copying values: 32-bit offsets, which is what the joining kernel wants of all its inputs."""
    return column if column.type == pa.binary() else column.cast(pa.binary())


def join(parts: Sequence[Any], null: str = "") -> memoryview:
    """The rows of the parts side by side, one after another, as one piece of memory."""
    options = pc.JoinOptions(null_handling="replace", null_replacement=null) if null else _KEEP_GOING
    joined = pc.binary_join_element_wise(*parts, _EMPTY, options=options)
    offsets = np.frombuffer(joined.buffers()[1], dtype=np.int32, count=len(joined) + 1, offset=4 * joined.offset)
    return memoryview(joined.buffers()[2])[int(offsets[0]) : int(offsets[-1])]


def _halves(encode: Any, columns: Sequence[ByteArray], rows: int) -> bytes:
    if rows == 1:
        raise MereError("row is too large: a message holds at most 1 GB", sqlstate="54000")
    half = rows // 2
    first = encode([column.slice(0, half) for column in columns], half)
    return b"".join((first, encode([column.slice(half) for column in columns], rows - half)))
