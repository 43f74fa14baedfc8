"""Cuts the bytes of COPY FROM STDIN into chunks of whole rows that DuckDB's csv reader takes as they are.

Knows the formats byte by byte, but never loops over rows: it counts quotes and looks for line ends. Runs on threads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from mere.errors import DataError, FeatureNotSupported
from mere.segment.copy_format import CopyFormat

# DuckDB gives each thread 8,000,000 bytes of a file: smaller files start at a row for certain, also within quotes.
CHUNK_BYTES = 7_500_000
STAND_INS = tuple(bytes([code]) for code in (1, 2, 3, 4, 5, 6, 7, 14, 15, 16, 17, 18, 19, 20))


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole rows in UTF-8. `first_line` counts the input's lines from 1.

    `escaped` says that values contain backslash escapes (text format); `stand_ins` are control characters that do not
    occur in it, the second of which stands for an escaped delimiter.
    """

    data: bytes
    first_line: int
    eol: bytes
    escaped: bool = False
    stand_ins: frozenset[bytes] = frozenset(STAND_INS)


@dataclass(slots=True)
class Cutter:
    """`cut` takes what has come; what is left of an unfinished row is kept for the next time."""

    format: CopyFormat
    columns: tuple[str, ...]
    eol: bytes = b""
    ended: bool = False  # the text format's end mark has come: what follows is not looked at
    _rest: bytes = b""
    _line: int = 1
    _header_due: bool = field(init=False)
    _delimiter: bytes = field(init=False)
    _quote: bytes = field(init=False)

    def __post_init__(self) -> None:
        self._header_due = self.format.header != "no"
        self._delimiter = self.format.delimiter.encode()
        self._quote = self.format.quote.encode()

    def cut(self, pieces: list[bytes], *, last: bool = False) -> Chunk | None:
        """The whole rows of what was left over and the pieces; None where there is none yet."""
        data = b"".join((self._rest, *pieces))
        self._rest = b""
        if self.ended or not data:
            return None
        if not self.eol:
            self.eol = _line_end(data)
        if not last:
            end = self._row_end(data)
            data, self._rest = data[:end], data[end:]
        elif not data.endswith(self.eol):
            data += self.eol
        if not data:
            return None
        return self._chunk(data, last)

    def _chunk(self, data: bytes, last: bool) -> Chunk | None:
        first_line = self._line
        if self.format.encoding != "utf-8":
            data = self._decoded(data)
        self._line += data.count(self.eol)
        if self._header_due:
            self._header_due = False
            data = self._without_header(data)
            first_line += 1
        if b"\0" in data:
            raise DataError('invalid byte sequence for encoding "UTF8": 0x00', sqlstate="22021")
        chunk = self._csv(data, first_line, last) if self.format.is_csv else self._text(data, first_line)
        return chunk if chunk.data else None

    def _decoded(self, data: bytes) -> bytes:
        try:
            return data.decode(self.format.encoding).encode()
        except UnicodeDecodeError as error:
            bad = data[error.start : error.start + 1].hex()
            name = self.format.encoding.upper()
            raise DataError(f'invalid byte sequence for encoding "{name}": 0x{bad}', sqlstate="22021") from None

    def _row_end(self, data: bytes) -> int:
        """The position behind the last line end that ends a row."""
        eol, position = self.eol, len(data)
        if not self.format.is_csv:
            while (position := data.rfind(eol, 0, position)) >= 0 and _backslashes_before(data, position) % 2:
                pass
            return position + len(eol) if position >= 0 else 0
        inside = self._quotes(data) % 2
        while (found := data.rfind(eol, 0, position)) >= 0:
            inside ^= self._quotes(data[found:position]) % 2
            if not inside:
                return found + len(eol)
            position = found
        return 0

    def _quotes(self, data: bytes) -> int:
        """Quotes that open or close; an escape other than the quote hides what follows it."""
        if self.format.escape == self.format.quote:
            return data.count(self._quote)
        escape = self.format.escape.encode()
        plain = data.replace(escape + escape, b"")
        return plain.count(self._quote) - plain.count(escape + self._quote)

    def _without_header(self, data: bytes) -> bytes:
        end = data.index(self.eol) if not self.format.is_csv else self._first_row_end(data)
        if self.format.header == "match":
            self._check_header(data[:end].decode())
        return data[end + len(self.eol) :]

    def _first_row_end(self, data: bytes) -> int:
        end = data.index(self.eol)
        while self._quotes(data[:end]) % 2:
            end = data.index(self.eol, end + 1)
        return end

    def _check_header(self, line: str) -> None:
        names = [name.strip(self.format.quote) for name in line.split(self.format.delimiter)]
        if len(names) != len(self.columns):
            message = f"wrong number of fields in header line: got {len(names)}, expected {len(self.columns)}"
            raise DataError(message, sqlstate="22P04")
        for number, (got, expected) in enumerate(zip(names, self.columns, strict=True), 1):
            if got != expected:
                message = f'column name mismatch in header line field {number}: got "{got}", expected "{expected}"'
                raise DataError(message, sqlstate="22P04")

    def _csv(self, data: bytes, first_line: int, last: bool) -> Chunk:
        if last and self._quotes(data) % 2:
            raise DataError("unterminated CSV quoted field", sqlstate="22P04")
        if self.format.escape == self.format.quote and self._quote in data:
            self._check_quotes(data)
        if self.eol * 2 in data or data.startswith(self.eol):
            self._check_blank_lines(data, first_line)
        if self._delimiter + self.eol in data:
            self._check_width(data, first_line)
        return Chunk(data, first_line, self.eol)

    def _check_quotes(self, data: bytes) -> None:
        """A quote inside an unquoted value is legal to PostgreSQL; DuckDB would keep it in the value."""
        view = np.frombuffer(data, dtype=np.uint8)
        opening = np.flatnonzero(view == self._quote[0])[0::2]
        before = np.unique(view[opening[opening > 0] - 1])
        if not set(before.tolist()) <= {self._delimiter[0], self._quote[0], 10, 13}:
            raise FeatureNotSupported("COPY FROM does not support quotes inside an unquoted csv value")

    def _check_blank_lines(self, data: bytes, first_line: int) -> None:
        """DuckDB passes over them; to PostgreSQL they are rows of one empty value."""
        view = np.frombuffer(data, dtype=np.uint8)
        ends = np.flatnonzero(view == self.eol[-1])
        blank = ends[np.diff(ends, prepend=-1) == len(self.eol)]
        quotes = np.flatnonzero(view == self._quote[0])
        outside = blank[np.searchsorted(quotes, blank) % 2 == 0]
        if not len(outside):
            return
        if len(self.columns) > 1:
            line = first_line + int(np.searchsorted(ends, outside[0]))
            raise DataError(
                f'missing data for column "{self.columns[1]}"', sqlstate="22P04", context=f'line {line}: ""'
            )
        if self.format.null != "":
            raise FeatureNotSupported("COPY FROM does not support empty lines here unless NULL is ''")

    def _check_width(self, data: bytes, first_line: int) -> None:
        """DuckDB forgives a delimiter at a row's end; PostgreSQL does not. Shorter rows are left to DuckDB."""
        wanted = len(self.columns) - 1
        quoted = self.format.is_csv and self._quote in data
        if not quoted and data.count(self._delimiter) == wanted * data.count(b"\n"):
            return
        view = np.frombuffer(data, dtype=np.uint8)
        outside = np.ones(len(view), dtype=np.bool_)
        if quoted:
            outside = np.bitwise_xor.accumulate(view == self._quote[0]) == 0
        end = self.eol[-1] if self.format.is_csv else 10
        ends = np.flatnonzero((view == end) & outside)
        delimiters = np.flatnonzero((view == self._delimiter[0]) & outside)
        found = np.diff(np.searchsorted(delimiters, ends), prepend=0)
        wide = np.flatnonzero(found > wanted)
        if len(wide):
            start = int(ends[wide[0] - 1]) + 1 if wide[0] else 0
            row = data[start : int(ends[wide[0]])].rstrip(b"\r").decode(errors="replace")
            line = first_line + data.count(bytes([end]), 0, int(ends[wide[0]]))
            message = "extra data after last expected column"
            raise DataError(message, sqlstate="22P04", context=f'line {line}: "{row}"')

    def _text(self, data: bytes, first_line: int) -> Chunk:
        if self.eol != b"\n":
            data = data.replace(self.eol, b"\n")
        data = self._until_end_mark(data)
        stand_ins = frozenset(STAND_INS)
        escaped = data.count(b"\\") > (data.count(b"\\N") if self.format.null == "\\N" else 0)
        if escaped:
            stand_ins = frozenset(code for code in STAND_INS if code not in data)
            data = self._plain_escapes(data, stand_ins)
        if len(self.columns) == 1:
            if self._delimiter in data:
                self._check_width(data, first_line)
            # DuckDB passes over empty lines: an empty second value makes them rows.
            data = data.replace(b"\n", self._delimiter + b"\n")
        elif data.startswith(b"\n") or b"\n\n" in data:
            at = 0 if data.startswith(b"\n") else data.index(b"\n\n") + 1
            line = first_line + data.count(b"\n", 0, at)
            message = f'missing data for column "{self.columns[1]}"'
            raise DataError(message, sqlstate="22P04", context=f'line {line}: ""')
        elif self._delimiter + b"\n" in data:
            self._check_width(data, first_line)
        return Chunk(data, first_line, b"\n", escaped, stand_ins)

    def _until_end_mark(self, data: bytes) -> bytes:
        at = 0 if data.startswith(b"\\.\n") else data.find(b"\n\\.\n") + 1
        if at or data.startswith(b"\\.\n"):
            self.ended = True
            return data[:at]
        return data

    def _plain_escapes(self, data: bytes, stand_ins: frozenset[bytes]) -> bytes:
        """Numeric escapes and escaped line ends and delimiters, as what SQL can undo after the rows are parsed."""
        pattern = rb"\\(\\|\n|%s|[0-7]{1,3}|x[0-9A-Fa-f]{1,2})" % re.escape(self._delimiter)
        hidden = stand_in(stand_ins, 1)

        def plain(match: re.Match[bytes]) -> bytes:
            body = match[1]
            if body == b"\\":
                return match[0]
            if body == self._delimiter:
                return hidden
            if body == b"\n":
                return b"\\n"
            code = int(body[1:], 16) if body[:1] == b"x" else int(body, 8) & 0xFF
            value = bytes([code])
            if value == self._delimiter:
                return hidden
            return {b"\n": b"\\n", b"\r": b"\\r", b"\\": b"\\\\", b"\t": b"\\t"}.get(value, value)

        return re.sub(pattern, plain, data)


def stand_in(free: frozenset[bytes], number: int) -> bytes:
    """The number-th control character that the data does not use."""
    ordered = [code for code in STAND_INS if code in free]
    if number >= len(ordered):
        raise FeatureNotSupported("COPY FROM does not support escapes in data that uses all control characters")
    return ordered[number]


def _line_end(data: bytes) -> bytes:
    newline = data.find(b"\n")
    if newline > 0 and data[newline - 1 : newline] == b"\r":
        return b"\r\n"
    if newline < 0 and b"\r" in data[:-1]:
        return b"\r"
    return b"\n"


def _backslashes_before(data: bytes, position: int) -> int:
    start = position
    while start and data[start - 1] == 0x5C:
        start -= 1
    return position - start
