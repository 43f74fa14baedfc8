"""Cuts the bytes of COPY FROM STDIN into chunks of whole rows that DuckDB's csv reader takes as they are.

Knows the formats byte by byte, but never loops over rows: it counts quotes and looks for line ends. Runs on threads.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

import numpy as np

from mere.errors import DataError, FeatureNotSupported
from mere.segment.copy_format import CopyFormat
from mere.segment.copy_marks import Marks, check_width

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
    _decoder: codecs.IncrementalDecoder | None = field(init=False)

    def __post_init__(self) -> None:
        self._header_due = self.format.header != "no"
        self._delimiter = self.format.delimiter.encode()
        encoding = self.format.encoding
        self._decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)()

    def cut(self, pieces: list[bytes], *, last: bool = False) -> Chunk | None:
        """The whole rows of what was left over and the pieces; None where there is none yet."""
        if self._decoder is not None:
            pieces = [self._decoded(self._decoder, b"".join(pieces), last)]
        data = b"".join((self._rest, *pieces))
        self._rest = b""
        if self.ended or not data:
            return None
        if b"\0" in data:
            raise DataError('invalid byte sequence for encoding "UTF8": 0x00', sqlstate="22021")
        if not self.eol:
            self.eol = _line_end(data)
        if last and not data.endswith(self.eol):
            data += self.eol
        return self._csv(data, last) if self.format.is_csv else self._text(data, last)

    def awaits_header(self) -> bool:
        return self._header_due

    def take_rest(self) -> bytes:
        """What is left of an unfinished row, to be given back in the next piece."""
        rest, self._rest = self._rest, b""
        return rest

    def passed(self, lines: int, rest: bytes) -> None:
        """Others have read so many lines, which end in newlines; the rest is the beginning of a row."""
        self._line += lines
        self._rest = rest
        self.eol = b"\n"

    def _decoded(self, decoder: codecs.IncrementalDecoder, data: bytes, last: bool) -> bytes:
        try:
            return decoder.decode(data, last).encode()
        except UnicodeDecodeError as error:
            bad = data[error.start : error.start + 1].hex()
            name = self.format.encoding.upper()
            raise DataError(f'invalid byte sequence for encoding "{name}": 0x{bad}', sqlstate="22021") from None

    def _csv(self, data: bytes, last: bool) -> Chunk | None:
        marks = Marks.of(data, self.format, self.eol)
        if last and marks.unterminated:
            raise DataError("unterminated CSV quoted field", sqlstate="22P04")
        start, end = 0, len(data) if last else marks.last_row_end()
        self._rest = data[end:]
        if self._header_due and end:
            start = marks.first_row_end()
            self._header(data[:start])
        first_line, self._line = self._line, self._line + int(np.searchsorted(marks.ends, end))
        if start == end:
            return None
        marks = marks.part(start, end)
        first_line = self._line - len(marks.ends)
        marks.check(self.columns, first_line)
        return Chunk(marks.data, first_line, self.eol)

    def _header(self, line: bytes) -> None:
        self._header_due = False
        if self.format.header != "match":
            return
        text = line.removesuffix(self.eol).decode(errors="replace")
        names = [name.strip(self.format.quote) for name in text.split(self.format.delimiter)]
        if len(names) != len(self.columns):
            message = f"wrong number of fields in header line: got {len(names)}, expected {len(self.columns)}"
            raise DataError(message, sqlstate="22P04")
        for number, (got, expected) in enumerate(zip(names, self.columns, strict=True), 1):
            if got != expected:
                message = f'column name mismatch in header line field {number}: got "{got}", expected "{expected}"'
                raise DataError(message, sqlstate="22P04")

    def _text(self, data: bytes, last: bool) -> Chunk | None:
        end = len(data) if last else self._text_row_end(data)
        data, self._rest = data[:end], data[end:]
        if self.eol != b"\n":
            data = data.replace(self.eol, b"\n")
        first_line, self._line = self._line, self._line + data.count(b"\n")
        if self._header_due and data:
            end = data.index(b"\n") + 1
            self._header(data[:end].replace(b"\n", self.eol))
            data, first_line = data[end:], first_line + 1
        free = frozenset(STAND_INS)
        escaped = b"\\" in data and self._has_escapes(data := self._until_end_mark(data))
        if escaped:
            free = frozenset(code for code in STAND_INS if code not in data)
            data = self._plain_escapes(data, free)
        self._check_text(data, first_line)
        if len(self.columns) == 1:  # DuckDB passes over empty lines: an empty second value makes them rows
            data = data.replace(b"\n", self._delimiter + b"\n")
        return Chunk(data, first_line, b"\n", escaped, free) if data else None

    def _has_escapes(self, data: bytes) -> bool:
        """Anything but the usual NULLs."""
        return data.count(b"\\") > (data.count(b"\\N") if self.format.null == "\\N" else 0)

    def _text_row_end(self, data: bytes) -> int:
        """The position behind the last line end that no backslash escapes."""
        position = len(data)
        while (position := data.rfind(self.eol, 0, position)) >= 0 and _backslashes_before(data, position) % 2:
            pass
        return position + len(self.eol) if position >= 0 else 0

    def _check_text(self, data: bytes, first_line: int) -> None:
        view = np.frombuffer(data, dtype=np.uint8)
        ends = np.flatnonzero(view == 10)
        if len(self.columns) > 1 and len(blank := np.flatnonzero(np.diff(ends, prepend=-1) == 1)):
            context = f'line {first_line + int(blank[0])}: ""'
            raise DataError(f'missing data for column "{self.columns[1]}"', sqlstate="22P04", context=context)
        wanted = len(self.columns) - 1
        if data.count(self._delimiter) != wanted * len(ends):
            check_width(data, ends, np.flatnonzero(view == self._delimiter[0]), wanted, first_line, ends)

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
