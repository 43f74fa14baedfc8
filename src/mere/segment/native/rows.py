"""Rows to protocol messages: DataRow, and CopyData in the text and csv formats. The kernel; compile time only."""

from __future__ import annotations

from mere.segment.native import binary, floats, kinds, text
from mere.segment.native.language import (
    load8,
    load8s,
    load16,
    load16s,
    load32,
    load32s,
    load64,
    store8,
    store16be,
    store32be,
    store64be,
)

_DATA_ROW, _COPY_DATA = ord("D"), ord("d")
_BACKSLASH, _NEWLINE, _RETURN, _BLANK = 92, 10, 13, 32
_END_MARK = 0x2E5C  # a backslash and a point
_ONES = 0x0101010101010101
_HIGHS = -0x7F7F7F7F7F7F7F80  # 0x80 in every byte


def put_value(out: int, column: int, row: int) -> int:
    """One value that is not NULL, without escapes."""
    kind = load64(column + 8 * kinds.KIND)
    values = load64(column + 8 * kinds.VALUES)
    if kind < kinds.STRINGS_END or kind == kinds.RAW_32 or kind == kinds.RAW_64:
        source, size = string_at(column, kind, row)
        return put_string(out, column, kind, source, size)
    if kind == kinds.INT_32:
        return text.put_integer(out, load32s(values + 4 * row))
    if kind == kinds.INT_64:
        return text.put_integer(out, load64(values + 8 * row))
    if kind == kinds.FLOAT_8 or kind == kinds.FLOAT_4:
        is_double = kind == kinds.FLOAT_8
        return floats.put_float(out, load64(values + 8 * row) if is_double else load32(values + 4 * row), is_double)
    if kind == kinds.DECIMAL:
        place = values + 16 * row
        return text.put_decimal(out, load64(place), load64(place + 8), load64(column + 8 * kinds.PARAMETER))
    if kind == kinds.DATE:
        return text.put_date(out, load32s(values + 4 * row))
    if kind == kinds.TIMESTAMP or kind == kinds.TIMESTAMPTZ:
        return text.put_timestamp(out, load64(values + 8 * row), kind == kinds.TIMESTAMPTZ)
    if kind >= kinds.RAW_32:
        return put_binary(out, column, kind, values, row)
    return put_rare(out, column, kind, values, row)


def put_rare(out: int, column: int, kind: int, values: int, row: int) -> int:
    if kind == kinds.BOOL_BYTES:
        store8(out, 116 if load8(values + row) else 102)
        return out + 1
    if kind == kinds.BOOL_BITS:
        place = row + load64(column + 8 * kinds.FIRST_BIT)
        store8(out, 116 if load8(values + (place >> 3)) >> (place & 7) & 1 else 102)
        return out + 1
    if kind == kinds.INT_8:
        return text.put_integer(out, load8s(values + row))
    if kind == kinds.INT_16:
        return text.put_integer(out, load16s(values + 2 * row))
    if kind == kinds.UNSIGNED_8:
        return text.put_integer(out, load8(values + row))
    if kind == kinds.UNSIGNED_16:
        return text.put_integer(out, load16(values + 2 * row))
    if kind == kinds.UNSIGNED_32:
        return text.put_integer(out, load32(values + 4 * row))
    if kind == kinds.UNSIGNED_64:
        return text.put_decimal(out, load64(values + 8 * row), 0, 0)
    if kind == kinds.TIME:
        return text.put_time(out, load64(values + 8 * row))
    if kind == kinds.UUID:
        return text.put_uuid(out, values + 16 * row)
    source, size = string_at(column, kind, row)  # bytea
    return text.put_hex(out, source, size)


def put_binary(out: int, column: int, kind: int, values: int, row: int) -> int:
    if kind == kinds.BIG_32:
        store32be(out, load32(values + 4 * row))
        return out + 4
    if kind == kinds.BIG_64:
        store64be(out, load64(values + 8 * row))
        return out + 8
    if kind == kinds.NUMERIC:
        place = values + 16 * row
        return binary.put_numeric(out, load64(place), load64(place + 8), load64(column + 8 * kinds.PARAMETER))
    if kind == kinds.NUMERIC_64:
        value = load64(values + 8 * row)
        return binary.put_numeric(out, value, -1 if value < 0 else 0, 0)
    if kind == kinds.DATE_BINARY:
        return binary.put_date(out, load32s(values + 4 * row))
    if kind == kinds.TIMESTAMP_BINARY:
        return binary.put_timestamp(out, load64(values + 8 * row))
    if kind == kinds.BIG_16:
        store16be(out, load16(values + 2 * row))
        return out + 2
    if kind == kinds.BYTE:
        store8(out, 1 if load8(values + row) else 0)
        return out + 1
    if kind == kinds.BIT:
        place = row + load64(column + 8 * kinds.FIRST_BIT)
        store8(out, load8(values + (place >> 3)) >> (place & 7) & 1)
        return out + 1
    if kind == kinds.TIMETZ_BINARY:
        return binary.put_timetz(out, load64(values + 8 * row))
    if kind == kinds.INTERVAL_BINARY:
        return binary.put_interval(out, values + 16 * row)
    if kind == kinds.UUID_BINARY:
        text.copy_bytes(out, values + 16 * row, 16)
        return out + 16
    store8(out, 1)  # jsonb
    source, size = string_at(column, kind, row)
    text.copy_bytes(out + 1, source, size)
    return out + 1 + size


def string_at(column: int, kind: int, row: int) -> tuple[int, int]:
    """Address and size of a string. The kinds with 32-bit offsets are the even ones."""
    values, offsets = load64(column + 8 * kinds.VALUES), load64(column + 8 * kinds.OFFSETS)
    if kind & 1:
        first, end = load64(offsets + 8 * row), load64(offsets + 8 * row + 8)
    else:
        first, end = load32(offsets + 4 * row), load32(offsets + 4 * row + 4)
    return values + first, end - first


def put_string(out: int, column: int, kind: int, source: int, size: int) -> int:
    if kind == kinds.PADDED_32 or kind == kinds.PADDED_64:
        return text.put_padded(out, source, size, load64(column + 8 * kinds.PARAMETER))
    text.copy_bytes(out, source, size)
    return out + size


def is_null(column: int, row: int) -> bool:
    validity = load64(column + 8 * kinds.VALIDITY)
    if validity == 0:
        return False
    place = row + load64(column + 8 * kinds.FIRST_BIT)
    return load8(validity + (place >> 3)) >> (place & 7) & 1 == 0


def data_row(out: int, columns: int, width: int, row: int) -> int:
    for number in range(width):
        column = columns + 8 * kinds.DESCRIPTION * number
        if is_null(column, row):
            store32be(out, -1)
            out += 4
        else:
            end = put_value(out + 4, column, row)
            store32be(out, end - out - 4)
            out = end
    return out


def _low_or(word: int, first: int, second: int) -> int:
    """Not zero if one of the eight bytes is below 32, or is one of the two (given in every byte of a word)."""
    low = (word - 32 * _ONES) & ~word
    one = word ^ first
    two = word ^ second
    return (low | ((one - _ONES) & ~one) | ((two - _ONES) & ~two)) & _HIGHS


def is_special(source: int, size: int, first: int, second: int) -> bool:
    """Whether any byte is a control character or one of the two."""
    if size >= 8:
        one, two = first * _ONES, second * _ONES
        place = 0
        while place + 8 <= size:
            if _low_or(load64(source + place), one, two):
                return True
            place += 8
        return _low_or(load64(source + size - 8), one, two) != 0
    for index in range(size):
        code = load8(source + index)
        if code < 32 or code in (first, second):
            return True
    return False


def put_escaped(out: int, source: int, size: int, delimiter: int) -> int:
    """COPY's text format: backslashes, and letters for control characters."""
    for index in range(size):
        code = load8(source + index)
        if code == _BACKSLASH:
            store8(out, _BACKSLASH)
            out += 1
        elif 8 <= code <= 13:
            store8(out, _BACKSLASH)
            out += 1
            if code == 8:
                code = 98
            elif code == 9:
                code = 116
            elif code == 10:
                code = 110
            elif code == 11:
                code = 118
            elif code == 12:
                code = 102
            else:
                code = 114
        elif code == delimiter:
            store8(out, _BACKSLASH)
            out += 1
        store8(out, code)
        out += 1
    return out


def copy_text_row(out: int, columns: int, width: int, row: int, options: int) -> int:
    delimiter = load64(options + 8 * kinds.DELIMITER)
    for number in range(width):
        if number:
            store8(out, delimiter)
            out += 1
        column = columns + 8 * kinds.DESCRIPTION * number
        if is_null(column, row):
            size = load64(options + 8 * kinds.NULL_SIZE)
            text.copy_bytes(out, load64(options + 8 * kinds.NULL), size)
            out += size
            continue
        kind = load64(column + 8 * kinds.KIND)
        if kind >= kinds.STRINGS_END:
            if kind < kinds.BOOL_BITS:  # the backslash of bytea
                store8(out, _BACKSLASH)
                out += 1
            out = put_value(out, column, row)
            continue
        source, size = string_at(column, kind, row)
        end = put_string(out, column, kind, source, size)
        if is_special(out, end - out, _BACKSLASH, delimiter):
            missing = 0
            if kind >= kinds.PADDED_32:
                size, missing = text.characters(source, size, load64(column + 8 * kinds.PARAMETER))
            end = put_escaped(out, source, size, delimiter)
            for _ in range(missing):
                end = put_blank(end, delimiter)
        out = end
    store8(out, _NEWLINE)
    return out + 1


def put_blank(out: int, delimiter: int) -> int:
    if delimiter == _BLANK:
        store8(out, _BACKSLASH)
        out += 1
    store8(out, _BLANK)
    return out + 1


def is_same(source: int, size: int, other: int, other_size: int) -> bool:
    if size != other_size:
        return False
    index = 0
    while index < size and load8(source + index) == load8(other + index):
        index += 1
    return index == size


def needs_quotes(source: int, size: int, options: int) -> bool:
    """What would read as NULL or as the end, delimiters, quotes and line ends."""
    if is_same(source, size, load64(options + 8 * kinds.NULL), load64(options + 8 * kinds.NULL_SIZE)):
        return True
    if load64(options + 8 * kinds.SINGLE) and size == 2 and load16(source) == _END_MARK:
        return True
    delimiter, quote = load64(options + 8 * kinds.DELIMITER), load64(options + 8 * kinds.QUOTE)
    if not is_special(source, size, delimiter, quote):
        return False
    for index in range(size):
        code = load8(source + index)
        if code in (delimiter, quote, _NEWLINE, _RETURN):
            return True
    return False


def put_quoted(out: int, source: int, size: int, missing: int, options: int) -> int:
    quote, escape = load64(options + 8 * kinds.QUOTE), load64(options + 8 * kinds.ESCAPE)
    store8(out, quote)
    out += 1
    for index in range(size):
        code = load8(source + index)
        if code in (quote, escape):
            store8(out, escape)
            out += 1
        store8(out, code)
        out += 1
    for _ in range(missing):
        if quote == _BLANK or escape == _BLANK:
            store8(out, escape)
            out += 1
        store8(out, _BLANK)
        out += 1
    store8(out, quote)
    return out + 1


def copy_csv_row(out: int, columns: int, width: int, row: int, options: int) -> int:
    for number in range(width):
        if number:
            store8(out, load64(options + 8 * kinds.DELIMITER))
            out += 1
        column = columns + 8 * kinds.DESCRIPTION * number
        if is_null(column, row):
            size = load64(options + 8 * kinds.NULL_SIZE)
            text.copy_bytes(out, load64(options + 8 * kinds.NULL), size)
            out += size
            continue
        kind, forced = load64(column + 8 * kinds.KIND), load64(column + 8 * kinds.FORCED)
        if kind < kinds.STRINGS_END:
            source, size = string_at(column, kind, row)
            end = put_string(out, column, kind, source, size)
            if forced or needs_quotes(out, end - out, options):
                missing = 0
                if kind >= kinds.PADDED_32:
                    size, missing = text.characters(source, size, load64(column + 8 * kinds.PARAMETER))
                end = put_quoted(out, source, size, missing, options)
            out = end
        elif forced:
            quote = load64(options + 8 * kinds.QUOTE)
            store8(out, quote)
            out = put_value(out + 1, column, row)
            store8(out, quote)
            out += 1
        else:
            out = put_value(out, column, row)
    store8(out, _NEWLINE)
    return out + 1


def write_rows(out: int, columns: int, width: int, first: int, count: int, options: int) -> int:
    """The messages of `count` rows from row `first` on, at `out`. Returns the address behind them.

    `columns` and `options` are the addresses of what `kinds` describes.
    """
    mode = load64(options + 8 * kinds.MODE)
    for row in range(first, first + count):
        start = out
        if mode in (kinds.ROWS, kinds.COPY_BINARY):
            store8(out, _DATA_ROW if mode == kinds.ROWS else _COPY_DATA)
            store16be(out + 5, width)
            out = data_row(out + 7, columns, width, row)
        elif mode == kinds.COPY_TEXT:
            store8(out, _COPY_DATA)
            out = copy_text_row(out + 5, columns, width, row, options)
        else:
            store8(out, _COPY_DATA)
            out = copy_csv_row(out + 5, columns, width, row, options)
        store32be(start + 1, out - start - 1)
    return out
