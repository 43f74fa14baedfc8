"""Protocol messages from Arrow, compared with a plain loop over the same values."""

from __future__ import annotations

import csv
import io
import struct
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mere.errors import MereError
from mere.segment.encode import CopyCsvEncoder, CopyTextEncoder, RowEncoder
from mere.segment.native import encode as native_encode
from mere.segment.native import kernels
from mere.segment.native.encode import Column
from mere.wire import datarow

TEXT = st.none() | st.text(alphabet="aé\t\n\r\\\"', ;N\b\v", max_size=6)
ROWS = st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=20)
KINDS = st.sampled_from([pa.string(), pa.large_string()])


THREE = RowEncoder((Column(),) * 3)


@pytest.fixture(scope="module", params=["kernels", "arrow"], autouse=True)
def ways(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both ways to encode promise the same."""
    assert kernels.wait()
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "arrow":
            patch.setattr(kernels, "_write_rows", None)
        yield


def batch_of(rows: Sequence[tuple[str | None, ...]], kind: pa.DataType, skip: int = 0) -> pa.RecordBatch:
    columns = [pa.array([row[number] for row in rows], kind) for number in range(3)]
    return pa.RecordBatch.from_arrays(columns, names=["a", "b", "c"]).slice(skip)


def data_row(values: tuple[str | None, ...]) -> bytes:
    body = struct.pack(">h", len(values))
    for value in values:
        body += b"\xff\xff\xff\xff" if value is None else struct.pack(">i", len(value.encode())) + value.encode()
    return b"D" + struct.pack(">i", len(body) + 4) + body


def lines_of(messages: bytes) -> list[bytes]:
    """One CopyData message a row."""
    lines = []
    while messages:
        assert messages[:1] == b"d"
        (length,) = struct.unpack(">i", messages[1:5])
        lines.append(messages[5 : length + 1])
        messages = messages[length + 1 :]
    return lines


@given(ROWS, KINDS, st.integers(0, 3))
def test_data_rows(rows: list[tuple[str | None, ...]], kind: pa.DataType, skip: int) -> None:
    encoded = bytes(THREE(batch_of(rows, kind, skip)))
    assert encoded == b"".join(data_row(row) for row in rows[skip:])


def test_rows_without_columns() -> None:
    assert bytes(datarow.data_rows([], 2)) == b"D\0\0\0\x06\0\0" * 2


def test_large_batches_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(str(number) * 10, None, "x") for number in range(100)]
    whole = bytes(THREE(batch_of(rows, pa.string())))
    monkeypatch.setattr(datarow, "_LIMIT", 500)
    monkeypatch.setattr(native_encode, "_LIMIT", 500)
    assert bytes(THREE(batch_of(rows, pa.string()))) == whole
    monkeypatch.setattr(datarow, "_LIMIT", 5)
    monkeypatch.setattr(native_encode, "_LIMIT", 5)
    with pytest.raises(MereError):
        THREE(batch_of(rows, pa.string()))


def copy_text(value: str | None) -> str:
    if value is None:
        return "\\N"
    for plain, escape in (("\\", "\\\\"), ("\b", "\\b"), ("\t", "\\t"), ("\n", "\\n"), ("\v", "\\v"), ("\r", "\\r")):
        value = value.replace(plain, escape)
    return value


@given(ROWS, KINDS)
def test_copy_text(rows: list[tuple[str | None, ...]], kind: pa.DataType) -> None:
    lines = lines_of(bytes(CopyTextEncoder()(batch_of(rows, kind))))
    assert lines == [("\t".join(map(copy_text, row)) + "\n").encode() for row in rows]


def test_copy_text_with_another_delimiter() -> None:
    batch = batch_of([("a;b\t", None, "")], pa.string())
    assert lines_of(bytes(CopyTextEncoder(b";", b"")(batch))) == [b"a\\;b\\t;;\n"]


@given(ROWS, KINDS)
def test_copy_csv_reads_back(rows: list[tuple[str | None, ...]], kind: pa.DataType) -> None:
    data = b"".join(lines_of(bytes(CopyCsvEncoder()(batch_of(rows, kind))))).decode()
    found = list(csv.reader(io.StringIO(data, newline="")))
    assert found == [["" if value is None else value for value in row] for row in rows]


def test_copy_csv_quotes_what_postgresql_quotes() -> None:
    batch = batch_of([("", None, "plain"), ("a,b", 'q"', "x\ny")], pa.string())
    assert lines_of(bytes(CopyCsvEncoder()(batch))) == [b'"",,plain\n', b'"a,b","q""","x\ny"\n']
    forced = CopyCsvEncoder(columns=(Column(), Column(), Column(forced=True)), null=b"NULL", escape=b"\\")
    assert lines_of(bytes(forced(batch))) == [b',NULL,"plain"\n', b'"a,b","q\\"","x\ny"\n']
    single = pa.RecordBatch.from_arrays([pa.array(["\\.", "x"])], names=["a"])
    assert lines_of(bytes(CopyCsvEncoder()(single))) == [b'"\\."\n', b"x\n"]


def test_headers() -> None:
    assert lines_of(CopyCsvEncoder().header(["a", 'b"c'])) == [b'a,"b""c"\n']
    assert lines_of(CopyTextEncoder().header(["a", "b\tc"])) == [b"a\tb\\tc\n"]
