"""PostgreSQL's numeric in base 10000 from 128-bit decimals, vectorised. Runs on the engine's threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_HEADER = np.dtype([("digits", ">i2"), ("weight", ">i2"), ("sign", ">u2"), ("scale", ">i2")])
_NEGATIVE = 0x4000
_BASE = 10_000
_LIMBS = 4
Unsigned = npt.NDArray[np.uint64]


def numeric_digits(column: pa.Array) -> tuple[npt.NDArray[Any], pa.BinaryArray]:
    """For numeric_send: the fixed headers, and the digits as byte strings. What stands at a NULL has no meaning."""
    low, high, scale = _unscaled(column)
    negative = high < 0
    groups, fraction = _groups(low, high, negative, scale)
    present = groups != 0
    any_digit = present.any(axis=1)
    first = present.argmax(axis=1)
    last = groups.shape[1] - 1 - present[:, ::-1].argmax(axis=1)
    count = np.where(any_digit, last - first + 1, 0)
    header = np.empty(len(column), dtype=_HEADER)
    header["digits"] = count
    header["weight"] = np.where(any_digit, groups.shape[1] - fraction - 1 - first, 0)
    header["sign"] = np.where(negative, _NEGATIVE, 0)
    header["scale"] = scale
    places = np.arange(groups.shape[1])[None, :]
    kept = groups[(places >= first[:, None]) & (places < (first + count)[:, None])]
    offsets = np.zeros(len(column) + 1, dtype=np.int32)
    np.cumsum(2 * count, out=offsets[1:])
    digits = pa.Array.from_buffers(
        pa.binary(), len(column), [None, pa.py_buffer(offsets), pa.py_buffer(kept.astype(">i2"))]
    )
    return header, digits


def _unscaled(column: pa.Array) -> tuple[Unsigned, npt.NDArray[np.int64], int]:
    """Low and high 64 bits of the integer behind each value, and the number of decimals."""
    kind = column.type
    if pa.types.is_decimal128(kind):
        scale = int(kind.scale)
    elif pa.types.is_fixed_size_binary(kind):  # HUGEINT, lossless
        scale = 0
    else:
        scale = int(kind.scale) if pa.types.is_decimal(kind) else 0
        column = column.cast(pa.decimal128(38, scale))
    layout = np.dtype([("low", "<u8"), ("high", "<i8")])
    raw = np.frombuffer(column.buffers()[1], dtype=layout, count=len(column), offset=16 * column.offset)
    return raw["low"].astype(np.uint64), raw["high"].astype(np.int64), scale


def _groups(
    low: Unsigned, high: npt.NDArray[np.int64], negative: npt.NDArray[np.bool_], scale: int
) -> tuple[npt.NDArray[np.int16], int]:
    """Base-10000 digits, most significant first, and how many of them stand behind the point."""
    low = np.where(negative, ~low + np.uint64(1), low)
    upper = high.astype(np.uint64)
    upper = np.where(negative, ~upper + (low == 0).astype(np.uint64), upper)
    value: list[Unsigned] = [low] if not upper.any() else _limbs(low, upper)
    digits: list[npt.NDArray[np.int16]] = []
    if rest := scale % 4:
        value, remainder = _divide(value, 10**rest)
        digits.append((remainder * 10 ** (4 - rest)).astype(np.int16))
    fraction = (scale + 3) // 4
    while len(digits) < fraction or any(bool(limb.any()) for limb in value):
        value, remainder = _divide(value, _BASE)
        digits.append(remainder.astype(np.int16))
    if not digits:
        digits.append(np.zeros(len(low), dtype=np.int16))
    return np.stack(digits[::-1], axis=1), fraction


def _limbs(low: Unsigned, high: Unsigned) -> list[Unsigned]:
    """32 bits each, most significant first, so that a remainder and a limb fit in 64."""
    mask, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    return [high >> shift, high & mask, low >> shift, low & mask]


def _divide(value: list[Unsigned], divisor: int) -> tuple[list[Unsigned], Unsigned]:
    by = np.uint64(divisor)
    if len(value) == 1:
        quotient = value[0] // by
        return [quotient], value[0] - quotient * by
    remainder = np.zeros(len(value[0]), dtype=np.uint64)
    quotients = []
    for limb in value:
        current = (remainder << np.uint64(32)) | limb
        quotient = current // by
        quotients.append(quotient)
        remainder = current - quotient * by
    return quotients, remainder
