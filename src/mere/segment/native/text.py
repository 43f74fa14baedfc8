"""Values as PostgreSQL prints them: whole numbers, decimals, dates and times, uuid. Kernels; compile time only.

Each function writes at an address and returns the address behind what it wrote.
"""

from __future__ import annotations

from mere.segment.native.language import below, bits_in, copy, load8, load64, store8, store16, store64

LONGEST = 64  # of any value here, scratch included

_PAIRS = tuple(0x3030 + number // 10 + (number % 10 << 8) for number in range(100))
_HEX = tuple(int.from_bytes(f"{code:02x}".encode(), "little") for code in range(256))
_POWERS = tuple(10**power for power in range(20))

_MINUS, _POINT, _DASH, _COLON, _BLANK, _PLUS, _ZERO = 45, 46, 45, 58, 32, 43, 48
_INFINITE_DAY = 2**31 - 1
_INFINITE_TIME = 2**63 - 1
_INFINITY = int.from_bytes(b"infinity", "little")
_DAY = 86_400_000_000
_ERAS = 20_000  # of 400 years: moves every date that there is above zero
_ERA_DAYS = 146_097


def copy_bytes(to: int, source: int, size: int) -> None:
    """Most values are short: words in line, and a call only for what is long."""
    if size > 128:
        copy(to, source, size)
    elif size >= 8:
        done = 0
        while done + 8 <= size:
            store64(to + done, load64(source + done))
            done += 8
        store64(to + size - 8, load64(source + size - 8))
    else:
        for index in range(size):
            store8(to + index, load8(source + index))


def digits_of(value: int) -> int:
    """How many decimal digits an unsigned number has."""
    guess = bits_in(value) * 1233 >> 12
    return guess if guess > 0 and below(value, _POWERS[guess]) else guess + 1


def put_digits(out: int, value: int, count: int) -> None:
    """Exactly so many digits, with zeros in front."""
    place = out + count
    while count >= 2:
        rest = value // 100
        place -= 2
        store16(place, _PAIRS[value - rest * 100])
        value = rest
        count -= 2
    if count:
        store8(place - 1, _ZERO + value)


def put_integer(out: int, value: int) -> int:
    if value < 0:
        store8(out, _MINUS)
        out += 1
        value = -value
    count = digits_of(value)
    put_digits(out, value, count)
    return out + count


def _point(out: int, source: int, count: int, scale: int) -> int:
    """Moves `count` digits from `source` to `out`, which is before it, and sets the point between them."""
    whole = count - scale
    for index in range(whole):
        store8(out + index, load8(source + index))
    out += whole
    if scale:
        store8(out, _POINT)
        for index in range(scale):
            store8(out + 1 + index, load8(source + whole + index))
        out += 1 + scale
    return out


def _put_small(out: int, value: int, scale: int) -> int:
    """A decimal whose digits fit in 64 bits."""
    if scale == 2:
        whole = value // 100
        count = digits_of(whole)
        put_digits(out, whole, count)
        store8(out + count, _POINT)
        store16(out + count + 1, _PAIRS[value - whole * 100])
        return out + count + 3
    count = digits_of(value)
    if count <= scale:
        count = scale + 1
    if scale == 0:
        put_digits(out, value, count)
        return out + count
    put_digits(out + 1, value, count)
    whole = count - scale
    for index in range(whole):
        store8(out + index, load8(out + index + 1))
    store8(out + whole, _POINT)
    return out + count + 1


def put_decimal(out: int, low: int, high: int, scale: int) -> int:
    """A decimal of 128 bits, two's complement."""
    if high < 0:
        store8(out, _MINUS)
        out += 1
        low = -low
        high = ~high + (1 if low == 0 else 0)
    if high == 0:
        return _put_small(out, low, scale)
    mask = 0xFFFFFFFF
    a, b, c, d = high >> 32, high & mask, low >> 32, low & mask
    place = out + 1 + 45  # five times nine digits, behind where they will stand
    for _ in range(5):
        quotient = a // 1_000_000_000
        rest = (a - quotient * 1_000_000_000) << 32 | b
        a = quotient
        quotient = rest // 1_000_000_000
        rest = (rest - quotient * 1_000_000_000) << 32 | c
        b = quotient
        quotient = rest // 1_000_000_000
        rest = (rest - quotient * 1_000_000_000) << 32 | d
        c = quotient
        d = rest // 1_000_000_000
        place -= 9
        put_digits(place, rest - d * 1_000_000_000, 9)
    count = 45
    while count > scale + 1 and load8(out + 1 + 45 - count) == _ZERO:
        count -= 1
    return _point(out, out + 1 + 45 - count, count, scale)


def _put_infinity(out: int, negative: bool) -> int:
    if negative:
        store8(out, _MINUS)
        out += 1
    store64(out, _INFINITY)
    return out + 8


def _put_day(out: int, days: int) -> tuple[int, bool]:
    """Days since 1970 as YYYY-MM-DD, and whether BC is to follow (Hinnant's civil_from_days)."""
    moved = days + 719_468 + _ERAS * _ERA_DAYS
    era = moved // _ERA_DAYS
    of_era = moved - era * _ERA_DAYS
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * of_year + 2) // 153
    day = of_year - (153 * from_march + 2) // 5 + 1
    month = from_march + 3 if from_march < 10 else from_march - 9
    year = year_of_era + (era - _ERAS) * 400 + (1 if month <= 2 else 0)
    before_christ = year <= 0
    if before_christ:
        year = 1 - year
    if year < 10_000:
        century = year // 100
        store16(out, _PAIRS[century])
        store16(out + 2, _PAIRS[year - century * 100])
        out += 4
    else:
        out = put_integer(out, year)
    store8(out, _DASH)
    store16(out + 1, _PAIRS[month])
    store8(out + 3, _DASH)
    store16(out + 4, _PAIRS[day])
    return out + 6, before_christ


def _put_era(out: int, before_christ: bool) -> int:
    if before_christ:
        store8(out, _BLANK)
        store8(out + 1, 66)
        store8(out + 2, 67)
        out += 3
    return out


def put_date(out: int, days: int) -> int:
    if days == _INFINITE_DAY or days == -_INFINITE_DAY:
        return _put_infinity(out, days < 0)
    out, before_christ = _put_day(out, days)
    return _put_era(out, before_christ)


def put_time(out: int, microseconds: int) -> int:
    """HH:MM:SS, and as much of a fraction as is not zero."""
    seconds = microseconds // 1_000_000
    fraction = microseconds - seconds * 1_000_000
    minutes = seconds // 60
    hours = minutes // 60
    store16(out, _PAIRS[hours])
    store8(out + 2, _COLON)
    store16(out + 3, _PAIRS[minutes - hours * 60])
    store8(out + 5, _COLON)
    store16(out + 6, _PAIRS[seconds - minutes * 60])
    out += 8
    if fraction:
        store8(out, _POINT)
        put_digits(out + 1, fraction, 6)
        out += 7
        while load8(out - 1) == _ZERO:
            out -= 1
    return out


def put_timestamp(out: int, microseconds: int, with_zone: bool) -> int:
    """In the ISO style, UTC where it has a zone."""
    if microseconds == _INFINITE_TIME or microseconds == -_INFINITE_TIME:
        return _put_infinity(out, microseconds < 0)
    if microseconds >= 0:
        days = microseconds // _DAY
    else:
        days = -((_DAY - 1 - microseconds) // _DAY)
    out, before_christ = _put_day(out, days)
    store8(out, _BLANK)
    out = put_time(out + 1, microseconds - days * _DAY)
    if with_zone:
        store8(out, _PLUS)
        store16(out + 1, _PAIRS[0])
        out += 3
    return _put_era(out, before_christ)


def put_uuid(out: int, source: int) -> int:
    for index in range(16):
        if index == 4 or index == 6 or index == 8 or index == 10:
            store8(out, _DASH)
            out += 1
        store16(out, _HEX[load8(source + index)])
        out += 2
    return out


def put_hex(out: int, source: int, size: int) -> int:
    """bytea: \\x and two digits a byte."""
    store8(out, 92)
    store8(out + 1, 120)
    out += 2
    for index in range(size):
        store16(out + 2 * index, _HEX[load8(source + index)])
    return out + 2 * size


def characters(source: int, size: int, wanted: int) -> tuple[int, int]:
    """How many of the bytes the first `wanted` characters take, and how many characters are missing to that."""
    found = 0
    for index in range(size):
        if load8(source + index) & 0xC0 != 0x80:
            if found == wanted:
                return index, 0
            found += 1
    return size, wanted - found


def put_padded(out: int, source: int, size: int, wanted: int) -> int:
    """char(n): blanks up to so many characters, and no more than those."""
    size, missing = characters(source, size, wanted)
    copy_bytes(out, source, size)
    out += size
    for index in range(missing):
        store8(out + index, _BLANK)
    return out + missing
