"""Cutting COPY's bytes into chunks of whole rows."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mere.errors import DataError, FeatureNotSupported
from mere.segment.copy_chunks import Cutter
from mere.segment.copy_format import CopyFormat

CSV = CopyFormat(format="csv", delimiter=",", null="")
TEXT = CopyFormat()


def cut_all(data: bytes, form: CopyFormat, columns: tuple[str, ...], pieces: int) -> list[bytes]:
    cutter = Cutter(form, columns)
    size = max(1, len(data) // pieces)
    chunks = []
    for start in range(0, len(data), size):
        chunk = cutter.cut([data[start : start + size]])
        if chunk is not None:
            chunks.append(chunk.data)
    last = cutter.cut([], last=True)
    return chunks + ([last.data] if last is not None else [])


VALUES = st.text(alphabet='ab",\n\\', max_size=6)


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=12), st.integers(1, 40))
def test_csv_chunks_hold_whole_rows(rows: list[tuple[str, str]], pieces: int) -> None:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    chunks = cut_all(written.getvalue().encode(), CSV, ("a", "b"), pieces)
    found = [tuple(row) for chunk in chunks for row in csv.reader(io.StringIO(chunk.decode(), newline=""))]
    assert found == rows


@given(st.lists(st.text(alphabet="ab\t\n\\", min_size=1, max_size=6), min_size=1, max_size=12), st.integers(1, 40))
def test_text_rows_do_not_end_at_an_escaped_newline(values: list[str], pieces: int) -> None:
    escaped = [value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\\n") for value in values]
    data = "".join(f"{value}\tx\n" for value in escaped).encode()
    chunks = cut_all(data, TEXT, ("a", "b"), pieces)
    assert sum(chunk.count(b"\n") for chunk in chunks) == len(values)
    assert all(chunk.endswith(b"\tx\n") for chunk in chunks)


def test_last_row_needs_no_line_end() -> None:
    assert cut_all(b"1,a", CSV, ("a", "b"), 1) == [b"1,a\n"]


def test_line_numbers_run_on() -> None:
    cutter = Cutter(CSV, ("a", "b"))
    first = cutter.cut([b'1,"x\ny"\n2,'])
    second = cutter.cut([b"z\n"], last=True)
    assert first is not None and second is not None
    assert (first.first_line, second.first_line) == (1, 3)


def test_header() -> None:
    assert cut_all(b"a,b\n1,x\n", CopyFormat(format="csv", delimiter=",", header="yes"), ("a", "b"), 1) == [b"1,x\n"]
    with pytest.raises(DataError, match="column name mismatch in header line field 2"):
        cut_all(b"a,c\n1,x\n", CopyFormat(format="csv", delimiter=",", header="match"), ("a", "b"), 1)


def test_end_mark() -> None:
    cutter = Cutter(TEXT, ("a", "b"))
    chunk = cutter.cut([b"1\tx\n\\.\ngarbage\n"])
    assert chunk is not None and chunk.data == b"1\tx\n" and cutter.ended
    assert cutter.cut([b"more\n"], last=True) is None


def test_encodings_become_utf8() -> None:
    assert cut_all(
        "é,x\n".encode("latin-1"), CopyFormat(format="csv", delimiter=",", encoding="latin-1"), ("a", "b"), 1
    ) == ["é,x\n".encode()]


@pytest.mark.parametrize(
    ("data", "form", "sqlstate"),
    [
        (b'1,"x\n', CSV, "22P04"),
        (b"1,x,\n", CSV, "22P04"),
        (b'"1","x",\n', CSV, "22P04"),
        (b"1\tx\t\n", TEXT, "22P04"),
        (b"1,x\n\n2,y\n", CSV, "22P04"),
        (b"1\tx\n\n", TEXT, "22P04"),
        (b"1,\0\n", CSV, "22021"),
        (b'1,a"b"\n', CSV, "0A000"),
    ],
)
def test_what_duckdb_would_take_silently(data: bytes, form: CopyFormat, sqlstate: str) -> None:
    with pytest.raises((DataError, FeatureNotSupported)) as error:
        cut_all(data, form, ("a", "b"), 1)
    assert error.value.sqlstate == sqlstate


def test_blank_lines_and_trailing_delimiters_within_quotes_are_data() -> None:
    data = b'1,"a\n\nb,\n"\n'
    assert cut_all(data, CSV, ("a", "b"), 1) == [data]
