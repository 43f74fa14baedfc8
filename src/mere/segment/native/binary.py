"""Values in PostgreSQL's binary format (its *_send functions). Kernels; compile time only.

Each function writes at an address and returns the address behind what it wrote.
"""

from __future__ import annotations

from mere.segment.native.language import (
    load16,
    load32s,
    load64,
    store16,
    store16be,
    store32be,
    store64be,
)

_DAYS_TO_2000 = 10_957
_MICROSECONDS_TO_2000 = 946_684_800_000_000
_INFINITE_DAY = 2**31 - 1
_INFINITE_TIME = 2**63 - 1
_TIMETZ_OFFSET = 16 * 3600 - 1  # DuckDB stores a zone as this minus the seconds east
_NEGATIVE = 0x4000
_GROUPS = 12  # of four digits: 38 digits and a part of a group on either side of the point


def put_date(out: int, days: int) -> int:
    if days == _INFINITE_DAY:
        store32be(out, days)
    elif days == -_INFINITE_DAY:
        store32be(out, -_INFINITE_DAY - 1)
    else:
        store32be(out, days - _DAYS_TO_2000)
    return out + 4


def put_timestamp(out: int, microseconds: int) -> int:
    if microseconds == _INFINITE_TIME:
        store64be(out, microseconds)
    elif microseconds == -_INFINITE_TIME:
        store64be(out, -_INFINITE_TIME - 1)
    else:
        store64be(out, microseconds - _MICROSECONDS_TO_2000)
    return out + 8


def put_timetz(out: int, raw: int) -> int:
    """DuckDB's 64 bits: microseconds above, the zone in the lower 24."""
    store64be(out, raw >> 24)
    store32be(out + 8, (raw & 0xFFFFFF) - _TIMETZ_OFFSET)
    return out + 12


def put_interval(out: int, source: int) -> int:
    """Arrow's months, days and nanoseconds."""
    nanoseconds = load64(source + 8)
    if nanoseconds >= 0:
        microseconds = nanoseconds // 1000
    else:
        microseconds = -((999 - nanoseconds) // 1000)
    store64be(out, microseconds)
    store32be(out + 8, load32s(source + 4))
    store32be(out + 12, load32s(source))
    return out + 16


def put_numeric(out: int, low: int, high: int, scale: int) -> int:
    """Base 10000, most significant first, without zeros at either end."""
    sign = 0
    if high < 0:
        sign = _NEGATIVE
        low = -low
        high = ~high + (1 if low == 0 else 0)
    end = out + 8 + 2 * _GROUPS
    place = end  # digits are found from the last
    groups = 0  # so many have been found, zeros at the end too
    fraction = (scale + 3) >> 2
    uneven = scale & 3
    while groups < fraction or low != 0 or high != 0:
        divisor, factor = 10_000, 1
        if groups == 0 and uneven:
            divisor = 10 if uneven == 1 else (100 if uneven == 2 else 1000)
            factor = 1000 if uneven == 1 else (100 if uneven == 2 else 10)
        if high == 0:
            quotient = low // divisor
            digit = low - quotient * divisor
            low = quotient
        else:
            a, b, c, d, digit = _divide(high >> 32, high & 0xFFFFFFFF, low >> 32, low & 0xFFFFFFFF, divisor)
            high, low = a << 32 | b, c << 32 | d
        groups += 1
        if digit or place != end:
            place -= 2
            store16be(place, digit * factor)
    while place != end and load16(place) == 0:
        place += 2
        groups -= 1
    count = (end - place) >> 1
    store16be(out, count)
    store16be(out + 2, groups - fraction - 1 if count else 0)
    store16be(out + 4, sign)
    store16be(out + 6, scale)
    out += 8
    for index in range(count):
        store16(out + 2 * index, load16(place + 2 * index))
    return out + 2 * count


def _divide(a: int, b: int, c: int, d: int, divisor: int) -> tuple[int, int, int, int, int]:
    """Four limbs of 32 bits, most significant first, and the remainder."""
    first = a // divisor
    rest = (a - first * divisor) << 32 | b
    second = rest // divisor
    rest = (rest - second * divisor) << 32 | c
    third = rest // divisor
    rest = (rest - third * divisor) << 32 | d
    fourth = rest // divisor
    return first, second, third, fourth, rest - fourth * divisor
