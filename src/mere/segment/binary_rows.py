"""COPY's binary format: where rows and their values stand in the bytes. numpy, without a loop over rows. Pure.

Rows follow one another by their lengths, so that a row's place is known only from the row before. But every row begins
with its number of values: all places that read so are candidates, each candidate tells where the next row would
begin, and the true rows are those that the first one leads to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mere.errors import DataError

SIGNATURE = b"PGCOPY\n\xff\r\n\0"
HEADER = SIGNATURE + bytes(8)  # no flags, no extension
TRAILER = b"\xff\xff"
Positions: TypeAlias = npt.NDArray[np.int64]
_COMPLETE, _CUT_OFF, _WRONG = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Values:
    """A column's values in `data`: where each starts, and how many bytes it has (-1: NULL)."""

    data: npt.NDArray[np.uint8]
    starts: Positions
    lengths: Positions

    @property
    def null(self) -> npt.NDArray[np.bool_]:
        result: npt.NDArray[np.bool_] = self.lengths < 0
        return result

    def words(self, offset: int, dtype: str) -> npt.NDArray[Any]:
        """The number at an offset into each value, 0 where it is NULL; values must be long enough."""
        width = np.dtype(dtype).itemsize
        starts = np.where(self.null, 0, self.starts + offset)
        if len(self.data) < width:
            return np.zeros(len(starts), dtype=dtype)
        return np.where(
            self.null, 0, self.data[starts[:, None] + np.arange(width)].reshape(-1, width).view(dtype)[:, 0]
        )

    def behind(self, offset: int) -> Values:
        """The values without their first bytes."""
        return Values(self.data, self.starts + offset, np.where(self.null, -1, self.lengths - offset))


@dataclass(slots=True)
class RowFinder:
    """`find` takes what has come; what is left of an unfinished row is kept for the next time."""

    columns: int
    ended: bool = False
    rows: int = 0
    _rest: bytes = b""
    _header_due: bool = True
    _needed: int = field(default=0)

    def find(self, pieces: list[bytes], *, last: bool = False) -> list[Values]:
        """The values of all whole rows, a column each; none where there is no row yet."""
        data = b"".join((self._rest, *pieces))
        if len(data) < self._needed and not last:  # a long row is not looked through again for every piece of it
            self._rest = data
            return []
        start = self._skip_header(data, last)
        if start is None:
            self._rest = data
            return []
        view = np.frombuffer(data, dtype=np.uint8)
        starts, fields = _rows(view, start, self.columns)
        end = self._end(data, starts, fields, start)
        self.rows += len(starts)
        self._rest = data[end:]
        self._needed = 2 * len(self._rest)
        if last and self._rest and not self.ended:
            raise _bad("unexpected EOF in COPY data")
        return [Values(view, *field) for field in fields]

    def _skip_header(self, data: bytes, last: bool) -> int | None:
        if not self._header_due:
            return 0
        if not SIGNATURE.startswith(data[: len(SIGNATURE)]):
            raise _bad("COPY file signature not recognized")
        if len(data) < len(HEADER):
            if last:
                raise _bad(
                    "COPY file signature not recognized"
                    if len(data) < 11
                    else "invalid COPY file header (missing flags)"
                )
            return None
        flags, extension = (int.from_bytes(data[at : at + 4], "big") for at in (11, 15))
        if flags & 0xFFFF0000:
            raise _bad("unrecognized critical flags in COPY file header")
        if extension >= 2**31:
            raise _bad("invalid COPY file header (missing length)")
        if len(data) < len(HEADER) + extension:
            if last:
                raise _bad("invalid COPY file header (wrong length)")
            return None
        self._header_due = False
        return len(HEADER) + extension

    def _end(self, data: bytes, starts: Positions, fields: list[tuple[Positions, Positions]], start: int) -> int:
        """The position behind the last whole row; raises for what cannot follow there."""
        if len(starts):
            begins, lengths = fields[-1] if fields else (starts, np.full(len(starts), 2))
            start = int(begins[-1] + max(int(lengths[-1]), 0))
        if len(data) < start + 2:
            return start
        count = int.from_bytes(data[start : start + 2], "big", signed=True)
        if count == -1:
            self.ended = True
            if len(data) > start + 2:
                raise _bad("received copy data after EOF marker")
            return start + 2
        if count != self.columns:
            raise _bad(f"row field count is {count}, expected {self.columns}")
        position = start + 2
        for _ in range(count):
            if len(data) < position + 4:
                return start
            length = int.from_bytes(data[position : position + 4], "big", signed=True)
            if length < -1:
                raise _bad("invalid field size")
            position += 4 + max(length, 0)
        return start


def _bad(message: str) -> DataError:
    return DataError(message, sqlstate="22P04")


def _rows(view: npt.NDArray[np.uint8], start: int, columns: int) -> tuple[Positions, list[tuple[Positions, Positions]]]:
    """Where whole rows begin, and for each column where its values begin and how long they are."""
    high, low = columns >> 8, columns & 255
    found = np.flatnonzero((view[start:-1] == high) & (view[start + 1 :] == low)).astype(np.int64) + start
    state = np.zeros(len(found), dtype=np.int8)
    position = found + 2
    fields: list[tuple[Positions, Positions]] = []
    for _ in range(columns):
        state[(position + 4 > len(view)) & (state == _COMPLETE)] = _CUT_OFF
        lengths = _word(view, np.where(state == _COMPLETE, position, 0))
        state[(lengths < -1) & (state == _COMPLETE)] = _WRONG
        begins = position + 4
        position = begins + np.maximum(lengths, 0)
        state[(position > len(view)) & (state == _COMPLETE)] = _CUT_OFF
        fields.append((begins, lengths))
    true = _led_to(found, np.where(state == _COMPLETE, position, -1), start)
    return found[true], [(begins[true], lengths[true]) for begins, lengths in fields]


def _word(view: npt.NDArray[np.uint8], at: Positions) -> Positions:
    if len(view) < 4:
        return np.zeros(len(at), dtype=np.int64)
    result: Positions = view[at[:, None] + np.arange(4)].reshape(-1, 4).view(">i4")[:, 0].astype(np.int64)
    return result


def _led_to(places: Positions, following: Positions, start: int) -> Positions:
    """The indexes of the complete rows among `places` that `start` leads to, each `following` the one before."""
    if not len(places) or places[0] != start or following[0] < 0:
        return np.zeros(0, dtype=np.int64)
    count = len(places)
    jump = np.searchsorted(places, following)
    known = jump < count
    known[known] = places[jump[known]] == following[known]
    known[known] = following[jump[known]] >= 0  # an unfinished row is nobody's next
    jump = np.append(np.where(known, jump, count), count)
    reached = np.zeros(count + 1, dtype=np.bool_)
    reached[0] = True
    steps = 1
    while steps < count:  # after each turn: the rows up to twice as far away
        reached[jump[reached]] = True
        jump = jump[jump]
        steps *= 2
    return np.flatnonzero(reached[:count])
