"""COPY's csv and text formats to columns: the kernel that reads what is written plainly, and refuses everything else.

What it takes means to PostgreSQL what it means here: whole numbers without blanks, decimals with no more digits than
the column has, ISO dates, quoted values, NULL in its usual form. Refused input is read again by those who know it all.
"""

from __future__ import annotations

from mere.segment.native import fields
from mere.segment.native.language import (
    load8,
    load16,
    load64,
    store8,
    store16,
    store32,
    store64,
    zeros_below,
)
from mere.segment.native.text import copy_bytes

_NEWLINE, _RETURN, _MINUS, _POINT, _COLON, _BLANK, _ZERO, _NINE = 10, 13, 45, 46, 58, 32, 48, 57
_NULL = 0x4E5C  # \N
_ONES = 0x0101010101010101
_HIGHS = -0x7F7F7F7F7F7F7F80
_BAD = -1
_DAYS_TO_1970 = 719_468
_MONTH_DAYS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_POWERS = tuple(10**power for power in range(19))
_TRUE, _FALSE = 116, 102


def _zero_bytes(word: int) -> int:
    """A bit for each byte that is zero; above the lowest of them others may be wrong."""
    return (word - _ONES) & ~word & _HIGHS


def value_end(place: int, delimiter: int, mark: int) -> int:
    """Where the next delimiter, line end, or mark (a quote, or a backslash) stands. The input ends with a newline."""
    one, two = delimiter * _ONES, mark * _ONES
    found = 0
    while found == 0:
        word = load64(place)
        found = _zero_bytes(word ^ one) | _zero_bytes(word ^ two)
        found = found | _zero_bytes(word ^ _NEWLINE * _ONES) | _zero_bytes(word ^ _RETURN * _ONES)
        place += 8
    return place - 8 + (zeros_below(found) >> 3)


def whole_number(place: int, end: int) -> tuple[int, int]:
    """The number, and 1 if that is what stands there: a sign and up to 18 digits."""
    negative = place < end and load8(place) == _MINUS
    if negative:
        place += 1
    if place == end or end - place > 18:
        return 0, 0
    value = 0
    while place < end:
        digit = load8(place) - _ZERO
        if digit < 0 or digit > 9:
            return 0, 0
        value = value * 10 + digit
        place += 1
    return -value if negative else value, 1


def decimal_number(place: int, end: int, scale: int) -> tuple[int, int]:
    """The decimal as a whole number of its last digit's worth, and 1 if it is one with no more digits than that."""
    negative = place < end and load8(place) == _MINUS
    if negative:
        place += 1
    if place == end or end - place > 19:
        return 0, 0
    value, digits, decimals, point = 0, 0, 0, 0
    while place < end:
        code = load8(place)
        if code == _POINT and point == 0 and digits > 0:
            point = 1
        elif code >= _ZERO and code <= _NINE:
            value = value * 10 + code - _ZERO
            digits += 1
            decimals += point
        else:
            return 0, 0
        place += 1
    missing = scale - decimals
    if (point and decimals == 0) or missing < 0 or digits + missing > 18:
        return 0, 0
    value = value * _POWERS[missing]
    return -value if negative else value, 1


def two_digits(place: int) -> int:
    """A number of two digits; 1000 if that is not what stands there."""
    tens, units = load8(place) - _ZERO, load8(place + 1) - _ZERO
    if tens < 0 or tens > 9 or units < 0 or units > 9:
        return 1000
    return tens * 10 + units


def calendar_day(place: int) -> tuple[int, int]:
    """Days since 1970 of YYYY-MM-DD, and 1 if it is a day (Hinnant's days_from_civil)."""
    high, low, month, day = two_digits(place), two_digits(place + 2), two_digits(place + 5), two_digits(place + 8)
    year = high * 100 + low
    if high > 99 or low > 99 or year == 0 or load8(place + 4) != _MINUS or load8(place + 7) != _MINUS:
        return 0, 0
    if month < 1 or month > 12 or day < 1 or day > _MONTH_DAYS[month]:
        return 0, 0
    if month == 2 and day == 29 and (year % 4 != 0 or (year % 100 == 0 and year % 400 != 0)):
        return 0, 0
    if month <= 2:
        year -= 1
        month += 12
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month - 3) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - _DAYS_TO_1970, 1


def moment(place: int, size: int) -> tuple[int, int]:
    """Microseconds since 1970 of YYYY-MM-DD HH:MM:SS with up to six decimals, and 1 if it is that."""
    if size < 19 or size == 20 or size > 26:
        return 0, 0
    day, good = calendar_day(place)
    hour, minute, second = two_digits(place + 11), two_digits(place + 14), two_digits(place + 17)
    if good == 0 or load8(place + 10) != _BLANK or load8(place + 13) != _COLON or load8(place + 16) != _COLON:
        return 0, 0
    if hour > 23 or minute > 59 or second > 59:
        return 0, 0
    fraction = 0
    if size > 19:
        if load8(place + 19) != _POINT:
            return 0, 0
        for index in range(20, size):
            digit = load8(place + index) - _ZERO
            if digit < 0 or digit > 9:
                return 0, 0
            fraction = fraction * 10 + digit
        fraction = fraction * _POWERS[26 - size]
    return (((day * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + fraction, 1


def set_bit(bits: int, row: int) -> None:
    place = bits + (row >> 3)
    store8(place, load8(place) | 1 << (row & 7))


def clear_bit(bits: int, row: int) -> None:
    place = bits + (row >> 3)
    store8(place, load8(place) & ~(1 << (row & 7)))


def keep_null(column: int, row: int) -> None:
    """The place of a NULL keeps what is in it, but that of a string must end where it begins."""
    clear_bit(load64(column + 8 * fields.VALIDITY), row)
    store64(column + 8 * fields.NULLS, load64(column + 8 * fields.NULLS) + 1)
    kind = load64(column + 8 * fields.KIND)
    if kind <= fields.PADDED:
        store32(load64(column + 8 * fields.OFFSETS) + 4 * row + 4, load64(column + 8 * fields.FILLED))


def keep_string(column: int, row: int, place: int, end: int, doubled: int) -> int:
    """The bytes, with each doubled mark as one. 0 if they are too many."""
    if load64(column + 8 * fields.KIND) == fields.PADDED:
        while end > place and load8(end - 1) == _BLANK:
            end -= 1
    filled = load64(column + 8 * fields.FILLED)
    to = load64(column + 8 * fields.VALUES) + filled
    size = end - place
    if doubled < 0:
        copy_bytes(to, place, size)
    else:
        size = 0
        while place < end:
            code = load8(place)
            store8(to + size, code)
            size += 1
            place += 2 if code == doubled else 1
    if size > load64(column + 8 * fields.LIMIT):
        return 0
    store64(column + 8 * fields.FILLED, filled + size)
    store32(load64(column + 8 * fields.OFFSETS) + 4 * row + 4, filled + size)
    return 1


def keep_value(column: int, row: int, place: int, end: int, doubled: int) -> int:
    """0 if it is not plainly a value of the column's type. `doubled` is the mark that stands doubled in it, or -1."""
    kind = load64(column + 8 * fields.KIND)
    if kind <= fields.PADDED:
        return keep_string(column, row, place, end, doubled)
    values = load64(column + 8 * fields.VALUES)
    if kind <= fields.WHOLE_64:
        value, good = whole_number(place, end)
        if kind == fields.WHOLE_64:
            store64(values + 8 * row, value)
        elif kind == fields.WHOLE_32:
            store32(values + 4 * row, value)
        else:
            store16(values + 2 * row, value)
        limit = load64(column + 8 * fields.LIMIT)
        return 1 if good and value <= limit and value >= -limit else 0
    if kind == fields.DECIMAL:
        value, good = decimal_number(place, end, load64(column + 8 * fields.PARAMETER))
        store64(values + 8 * row, value)
        limit = load64(column + 8 * fields.LIMIT)
        return 1 if good and value < limit and value > -limit else 0
    if kind == fields.DATE:
        if end - place != 10:
            return 0
        value, good = calendar_day(place)
        store32(values + 4 * row, value)
        return good
    if kind == fields.TIMESTAMP:
        value, good = moment(place, end - place)
        store64(values + 8 * row, value)
        return good
    code = load8(place)
    if code == _TRUE:
        set_bit(values, row)
    return 1 if end - place == 1 and code in (_TRUE, _FALSE) else 0


def quoted_end(place: int, end: int, quote: int) -> tuple[int, int, int]:
    """Of a quoted value from behind its quote: where it is closed (`end` if it is not), line ends, doubled quotes."""
    lines, doubled = 0, 0
    while place < end:
        code = load8(place)
        if code == quote:
            if place + 1 < end and load8(place + 1) == quote:
                doubled += 1
                place += 1
            else:
                return place, lines, doubled
        elif code == _NEWLINE:
            lines += 1
        place += 1
    return end, lines, doubled


def read_rows(data: int, size: int, columns: int, width: int, most: int, options: int) -> int:
    """Fills the columns with the whole rows of the data, at most so many; tells their number, or REFUSED.

    Behind the data stands a newline and at least eight more bytes.
    """
    delimiter, mark = load64(options + 8 * fields.DELIMITER), load64(options + 8 * fields.MARK)
    is_csv = load64(options + 8 * fields.IS_CSV)
    place, end, rows, lines = data, data + size, 0, 0
    while place < end and rows < most:
        row_lines = 1
        for number in range(width):
            column = columns + 8 * fields.DESCRIPTION * number
            wanted = delimiter if number + 1 < width else _NEWLINE
            if is_csv and load8(place) == mark:
                closed, inside, doubled = quoted_end(place + 1, end, mark)
                if closed + 1 >= end:
                    return finish(options, rows, lines)
                if doubled and load64(column + 8 * fields.KIND) > fields.PADDED:
                    return fields.REFUSED
                if keep_value(column, rows, place + 1, closed, mark if doubled else _BAD) == 0:
                    return fields.REFUSED
                row_lines += inside
                stop = closed + 1
            else:
                stop = value_end(place, delimiter, mark)
                if stop >= end or (is_csv == 0 and stop + 2 > end and load8(stop) == mark):
                    return finish(options, rows, lines)
                if is_csv == 0 and stop == place and load16(place) == _NULL:
                    keep_null(column, rows)
                    stop += 2
                elif is_csv and stop == place:
                    keep_null(column, rows)
                elif keep_value(column, rows, place, stop, _BAD) == 0:
                    return fields.REFUSED
            if stop >= end:
                return finish(options, rows, lines)
            if load8(stop) != wanted:
                return fields.REFUSED
            place = stop + 1
        rows += 1
        lines += row_lines
        store64(options + 8 * fields.CONSUMED, place - data)
    return finish(options, rows, lines)


def finish(options: int, rows: int, lines: int) -> int:
    store64(options + 8 * fields.LINES, lines)
    return rows
