"""Where quotes and line ends stand in csv bytes, and what they say about rows. numpy over bytes; pure.

Finds what DuckDB's csv reader would take silently and PostgreSQL does not: quotes inside unquoted values, empty lines,
a delimiter too many at a row's end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mere.errors import DataError, FeatureNotSupported
from mere.segment.copy_format import CopyFormat

Positions = npt.NDArray[np.int64]
_NEARBY = 64


@dataclass(frozen=True, slots=True)
class Marks:
    """Of some bytes: `quotes` are those that open or close, `ends` the last bytes of line ends, in quotes too."""

    data: bytes
    view: npt.NDArray[np.uint8]
    quotes: Positions
    ends: Positions
    format: CopyFormat
    eol: bytes

    @classmethod
    def of(cls, data: bytes, form: CopyFormat, eol: bytes) -> Marks:
        view = np.frombuffer(data, dtype=np.uint8)
        marked = view
        if form.escape != form.quote:
            escape, quote = form.escape.encode(), form.quote.encode()
            hidden = data.replace(escape + escape, b"\0\0").replace(escape + quote, b"\0\0")
            marked = np.frombuffer(hidden, dtype=np.uint8)
        quotes = np.flatnonzero(marked == ord(form.quote))
        return cls(data, view, quotes, np.flatnonzero(view == eol[-1]), form, eol)

    def part(self, start: int, end: int) -> Marks:
        quotes = self.quotes[slice(*np.searchsorted(self.quotes, (start, end)))] - start
        ends = self.ends[slice(*np.searchsorted(self.ends, (start, end)))] - start
        return Marks(self.data[start:end], self.view[start:end], quotes, ends, self.format, self.eol)

    @property
    def unterminated(self) -> bool:
        return bool(len(self.quotes) % 2)

    def _outside(self, positions: Positions) -> npt.NDArray[np.bool_]:
        before: Positions = np.searchsorted(self.quotes, positions)
        outside: npt.NDArray[np.bool_] = before % 2 == 0
        return outside

    def last_row_end(self) -> int:
        """The position behind the last line end outside of quotes, 0 where there is none."""
        for ends in (self.ends[-_NEARBY:], self.ends):
            found = ends[self._outside(ends)]
            if len(found):
                return int(found[-1]) + 1
        return 0

    def first_row_end(self) -> int:
        for ends in (self.ends[:_NEARBY], self.ends):
            found = ends[self._outside(ends)]
            if len(found):
                return int(found[0]) + 1
        return len(self.data)

    def check(self, columns: tuple[str, ...], first_line: int) -> None:
        """Raises for what PostgreSQL would read otherwise than DuckDB."""
        self._check_quotes()
        blank = self.ends[np.diff(self.ends, prepend=-1) == len(self.eol)]
        if len(blank) and len(blank := blank[self._outside(blank)]):
            self._refuse_blank(columns, first_line + int(np.searchsorted(self.ends, blank[0])))
        before = self.ends - len(self.eol)
        trailing = self.view[before[before >= 0]] == ord(self.format.delimiter)
        if trailing.any():
            self._check_width(len(columns) - 1, first_line)

    def _check_quotes(self) -> None:
        """A quote inside an unquoted value is legal to PostgreSQL; DuckDB would keep it in the value."""
        opening = self.quotes[0::2]
        before = self.view[opening[opening > 0] - 1]
        seen = np.bincount(before, minlength=256)
        for allowed in (ord(self.format.delimiter), ord(self.format.quote), 10, 13):
            seen[allowed] = 0
        if seen.any():
            raise FeatureNotSupported("COPY FROM does not support quotes inside an unquoted csv value")

    def _refuse_blank(self, columns: tuple[str, ...], line: int) -> None:
        """DuckDB passes over empty lines; to PostgreSQL they are rows of one empty value."""
        if len(columns) > 1:
            raise DataError(f'missing data for column "{columns[1]}"', sqlstate="22P04", context=f'line {line}: ""')
        if self.format.null != "":
            raise FeatureNotSupported("COPY FROM does not support empty lines here unless NULL is ''")

    def _check_width(self, wanted: int, first_line: int) -> None:
        """DuckDB forgives a delimiter at a row's end. Rows that are too short are left to it."""
        ends = self.ends[self._outside(self.ends)]
        delimiters = np.flatnonzero(self.view == ord(self.format.delimiter))
        delimiters = delimiters[self._outside(delimiters)]
        check_width(self.data, ends, delimiters, wanted, first_line, self.ends)


def check_width(
    data: bytes, ends: Positions, delimiters: Positions, wanted: int, first_line: int, lines: Positions
) -> None:
    """Raises for the first row with more delimiters than wanted; `lines` are all line ends, in quotes too."""
    wide = np.flatnonzero(np.diff(np.searchsorted(delimiters, ends), prepend=0) > wanted)
    if len(wide):
        start = int(ends[wide[0] - 1]) + 1 if wide[0] else 0
        end = int(ends[wide[0]])
        row = data[start:end].rstrip(b"\r").decode(errors="replace")
        line = first_line + int(np.searchsorted(lines, end))
        raise DataError("extra data after last expected column", sqlstate="22P04", context=f'line {line}: "{row}"')
