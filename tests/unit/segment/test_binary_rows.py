"""Rows of COPY's binary format are found wherever the bytes are cut, and whatever values look like."""

from __future__ import annotations

from itertools import pairwise
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mere.errors import DataError
from mere.segment.binary_rows import HEADER, TRAILER, RowFinder

Row = tuple[bytes | None, ...]


def encoded(rows: list[Row]) -> bytes:
    def value(one: bytes | None) -> bytes:
        return b"\xff\xff\xff\xff" if one is None else pack("!i", len(one)) + one

    return b"".join(pack("!h", len(row)) + b"".join(map(value, row)) for row in rows)


def found(pieces: list[bytes], columns: int) -> list[Row]:
    """All rows, read piece by piece."""
    finder = RowFinder(columns)
    rows: list[Row] = []
    for number, piece in enumerate(pieces):
        before = finder.rows
        fields = finder.find([piece], last=number == len(pieces) - 1)
        for row in range(finder.rows - before):
            places = [(int(field.starts[row]), int(field.lengths[row]), field.data) for field in fields]
            rows.append(tuple(None if size < 0 else data[at : at + size].tobytes() for at, size, data in places))
    return rows


# Values that look like the beginning of rows and like lengths.
VALUES = (
    st.none()
    | st.binary(max_size=9)
    | st.sampled_from([b"\0\2", b"\0\2\0\0\0\1", encoded([(b"x", None)]), b"\xff\xff"])
)


@given(st.lists(st.tuples(VALUES, VALUES), max_size=40), st.lists(st.integers(0, 2000), max_size=6), st.booleans())
def test_rows_are_found_however_they_are_cut(rows: list[Row], cuts: list[int], trailer: bool) -> None:
    data = HEADER + encoded(rows) + (TRAILER if trailer else b"")
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(places)]
    assert found(pieces, 2) == rows


@pytest.mark.parametrize("columns", [1, 3, 300])
def test_any_number_of_columns(columns: int) -> None:
    rows: list[Row] = [tuple(bytes([n % 251]) for n in range(columns)), (None,) * columns]
    assert found([HEADER + encoded(rows) + TRAILER], columns) == rows


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"1\tx\n" + bytes(20), "signature not recognized"),
        (b"PGCOPY", "signature not recognized"),
        (HEADER[:11] + b"\0\1\0\0" + bytes(4), "unrecognized critical flags"),
        (HEADER + encoded([(b"a", b"b", b"c")]), "row field count is 3, expected 2"),
        (HEADER + encoded([(b"a", b"b")]) + b"\0\2\0\0\0\5ab", "unexpected EOF"),
        (HEADER + b"\0\2\xff\xff\xff\xfe", "invalid field size"),
        (HEADER + TRAILER + b"more", "after EOF marker"),
    ],
)
def test_what_is_no_copy_data_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        found([data], 2)
