"""DuckLake's bucket transform for single values: (murmur3_32(v) & 2147483647) % n, as Iceberg's specification has it.

Pure functions, coordinator process; segments hash columns with DuckDB's own murmur3_32, which gives the same.
"""

from __future__ import annotations

import re
from datetime import date
from struct import Struct, unpack_from

_LONG = Struct("<q")
_INTEGERS = frozenset({"int8", "int16", "int32", "int64"})
_INTEGER = re.compile(r"[+-]?\d+")
_MASK = 0xFFFFFFFF


def bucket_of(text: str, lake_type: str, buckets: int) -> int | None:
    """The bucket of a value, given as DuckDB prints it; None for types that are not hashed here."""
    if lake_type in _INTEGERS and _INTEGER.fullmatch(text):
        value = int(text)
        if not -(2**63) <= value < 2**63:
            return None
        return _bucket(_LONG.pack(value), buckets)
    if lake_type == "varchar":
        return _bucket(text.encode(), buckets)
    if lake_type == "date":
        try:
            days = date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal()
        except ValueError:
            return None
        return _bucket(_LONG.pack(days), buckets)
    return None


def _bucket(data: bytes, buckets: int) -> int:
    return (murmur3_32(data) & 0x7FFFFFFF) % buckets


def murmur3_32(data: bytes) -> int:
    """MurmurHash3, x86 variant, 32 bits, seed 0 (Appleby)."""
    state = 0
    blocks = len(data) // 4
    for (block,) in (unpack_from("<I", data, 4 * index) for index in range(blocks)):
        state ^= _mix(block)
        state = (_rotate(state, 13) * 5 + 0xE6546B64) & _MASK
    tail = data[4 * blocks :]
    if tail:
        state ^= _mix(int.from_bytes(tail, "little"))
    state ^= len(data)
    state = ((state ^ (state >> 16)) * 0x85EBCA6B) & _MASK
    state = ((state ^ (state >> 13)) * 0xC2B2AE35) & _MASK
    return state ^ (state >> 16)


def _mix(block: int) -> int:
    return (_rotate((block * 0xCC9E2D51) & _MASK, 15) * 0x1B873593) & _MASK


def _rotate(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (32 - bits))) & _MASK
