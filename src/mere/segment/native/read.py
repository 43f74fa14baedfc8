"""COPY's input to record batches by the reading kernel: lays the columns out, calls, and wraps what was filled.

Runs on threads. Only for formats and types whose plain form the kernel knows.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mere.segment.copy_format import CopyFormat
from mere.segment.copy_sql import InputColumn
from mere.segment.native import fields
from mere.segment.native.kernels import ReadRows
from mere.sql import types as pg
from mere.sql.types import PgType

_NEWLINE = 10
_PADDING = b"\n" + b"\0" * 15
_ANY = 1 << 62
_LONGEST = 1 << 30  # offsets have 32 bits

Memory: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Form:
    """How one column is read. `size` of a value in memory: 0 for strings, which have offsets, and bits."""

    kind: int
    arrow: pa.DataType
    size: int = 0
    parameter: int = 0
    limit: int = _ANY


@dataclass(frozen=True, slots=True)
class Plain:
    """`batch` may be None where no row is whole. `consumed` bytes and `lines` line ends belong to its rows."""

    batch: pa.RecordBatch | None
    consumed: int
    lines: int


class Input:
    """What a call of the kernel reads, in memory that the next one uses again: fresh pages cost more than the copy."""

    def __init__(self) -> None:
        self._memory: Memory = np.empty(0, dtype=np.uint8)
        self._marks: Memory = np.empty(0, dtype=np.bool_)
        self._given = 0
        self.size = 0

    def fill(self, pieces: Sequence[bytes], *, ends_line: bool) -> None:
        """Takes the pieces as one. `ends_line`: their last line ends here, with a newline or without."""
        self._given = self.size = sum(map(len, pieces))
        if len(self._memory) < self._given + len(_PADDING) + 1:
            self._memory = np.empty(self._given + self._given // 4 + 64, dtype=np.uint8)
            self._marks = np.empty(len(self._memory), dtype=np.bool_)
        memory, place = self._memory.data, 0
        for piece in pieces:
            memory[place : place + len(piece)] = piece
            place += len(piece)
        if ends_line and self._given and memory[place - 1] != _NEWLINE:
            memory[place] = _NEWLINE
            self.size += 1
        memory[self.size : self.size + len(_PADDING)] = _PADDING

    @property
    def content(self) -> Memory:
        return self._memory[: self.size]

    @property
    def address(self) -> int:
        return int(self._memory.ctypes.data)

    def rest(self, start: int) -> bytes:
        """What was given, from there on."""
        return self._memory[start : self._given].tobytes()

    def lines(self) -> int:
        return int(np.count_nonzero(np.equal(self.content, _NEWLINE, out=self._marks[: self.size])))


@dataclass(frozen=True, slots=True)
class PlainReader:
    """Reads input that is written plainly."""

    format: CopyFormat
    names: tuple[str, ...]
    forms: tuple[Form, ...]

    @classmethod
    def of(cls, form: CopyFormat, columns: Sequence[InputColumn]) -> PlainReader | None:
        """None where the format or a type is not known to the kernel."""
        usual = form.null == ("" if form.is_csv else "\\N") and form.escape == form.quote and form.encoding == "utf-8"
        forms = [_form(column.type) for column in columns]
        if not usual or form.force_null or form.force_not_null or not columns:
            return None
        known = tuple(found for found in forms if found is not None)
        return cls(form, tuple(column.name for column in columns), known) if len(known) == len(forms) else None

    def read(self, kernel: ReadRows, data: Input) -> Plain | None:
        """The whole rows at the beginning of the data; None if anything in them is not written plainly."""
        if data.size > _LONGEST or not _is_text(data.content):
            return None
        most = data.lines()
        table = np.zeros((len(self.forms), fields.DESCRIPTION), dtype=np.int64)
        memory = [_laid_out(words, form, most, data.size) for words, form in zip(table, self.forms, strict=True)]
        options = np.zeros(fields.OPTIONS, dtype=np.int64)
        options[fields.DELIMITER] = ord(self.format.delimiter)
        options[fields.MARK] = ord(self.format.quote) if self.format.is_csv else ord("\\")
        options[fields.IS_CSV] = self.format.is_csv
        rows = kernel(data.address, data.size, table.ctypes.data, len(self.forms), most, options.ctypes.data)
        if rows == fields.REFUSED:
            return None
        arrays = [
            pa.Array.from_buffers(form.arrow, rows, _buffers(words, *kept))
            for words, form, kept in zip(table, self.forms, memory, strict=True)
        ]
        batch = pa.RecordBatch.from_arrays(arrays, names=list(self.names)) if rows else None
        return Plain(batch, int(options[fields.CONSUMED]), int(options[fields.LINES]))


def _is_text(data: Memory) -> bool:
    """Whether it is UTF-8 without a zero byte; at the end a character may be cut, in a row that is not whole."""
    if not len(data):
        return True
    if data.min() == 0:
        return False
    if data.max() < 128:
        return True
    try:
        codecs.utf_8_decode(data.data, "strict", False)
    except UnicodeDecodeError:
        return False
    return True


def _laid_out(words: Memory, form: Form, rows: int, size: int) -> tuple[Memory, Memory, Memory]:
    """Validity, offsets and values."""
    validity = np.full((rows + 7) // 8, 0xFF, dtype=np.uint8)
    strings = form.kind <= fields.PADDED
    offsets = np.empty(rows + 1 if strings else 1, dtype=np.int32)
    offsets[0] = 0
    if strings:
        values = np.empty(size, dtype=np.uint8)
    elif form.size:
        values = np.empty(rows * form.size, dtype=np.uint8)
    else:
        values = np.zeros((rows + 7) // 8, dtype=np.uint8)
    words[fields.KIND] = form.kind
    words[fields.VALUES] = values.ctypes.data
    words[fields.OFFSETS] = offsets.ctypes.data
    words[fields.VALIDITY] = validity.ctypes.data
    words[fields.PARAMETER] = form.parameter
    words[fields.LIMIT] = form.limit
    return validity, offsets, values


def _buffers(words: Memory, validity: Memory, offsets: Memory, values: Memory) -> list[pa.Buffer | None]:
    mask = pa.py_buffer(validity) if words[fields.NULLS] else None
    if words[fields.KIND] <= fields.PADDED:
        return [mask, pa.py_buffer(offsets), pa.py_buffer(values)]
    return [mask, pa.py_buffer(values)]


def _form(kind: PgType) -> Form | None:
    if kind.oid == pg.NUMERIC:
        parts = pg.numeric_parts(kind.typmod)
        if parts is None or not 0 <= parts[1] <= parts[0] <= 18:
            return None
        return Form(fields.DECIMAL, pa.decimal64(*parts), 8, parts[1], 10 ** parts[0])
    if kind.oid in (pg.VARCHAR, pg.BPCHAR) and kind.typmod >= 4:
        return Form(fields.PADDED if kind.oid == pg.BPCHAR else fields.STRING, pa.string(), limit=kind.typmod - 4)
    return _FORMS.get(kind.oid) if kind.typmod < 0 else None


_FORMS: dict[int, Form] = {
    pg.INT2: Form(fields.WHOLE_16, pa.int16(), 2, limit=2**15 - 1),
    pg.INT4: Form(fields.WHOLE_32, pa.int32(), 4, limit=2**31 - 1),
    pg.INT8: Form(fields.WHOLE_64, pa.int64(), 8),
    pg.DATE: Form(fields.DATE, pa.date32(), 4),
    pg.TIMESTAMP: Form(fields.TIMESTAMP, pa.timestamp("us"), 8),
    pg.BOOL: Form(fields.BOOLEAN, pa.bool_()),
    pg.TEXT: Form(fields.STRING, pa.string()),
    pg.VARCHAR: Form(fields.STRING, pa.string()),
}
