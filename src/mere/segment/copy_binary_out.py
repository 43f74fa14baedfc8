"""COPY TO in binary: record batches to CopyData messages. Runs on the engine's threads, one batch after another."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from mere.segment.binary import encode_binary
from mere.segment.binary_rows import HEADER, TRAILER
from mere.segment.native import kernels, kinds
from mere.segment.native.encode import Column, Messages, write_batch
from mere.wire.datarow import copy_message, data_rows


@dataclass(slots=True)
class CopyBinaryEncoder:
    """One message a row, with the header in the first one, as PostgreSQL sends it. `types` are the columns' oids."""

    types: tuple[int, ...]
    started: bool = False

    def __call__(self, batch: pa.RecordBatch) -> bytes | memoryview:
        rows = self._rows(batch)
        if self.started or not rows:
            return rows
        self.started = True
        size = int.from_bytes(rows[1:5], "big") + len(HEADER)
        return b"".join((b"d", size.to_bytes(4, "big"), HEADER, rows[5:]))

    def _rows(self, batch: pa.RecordBatch) -> bytes | memoryview:
        kernel = kernels.write_rows()
        if kernel is not None:
            return write_batch(kernel, batch, [Column(oid) for oid in self.types], Messages(kinds.COPY_BINARY))
        columns = [encode_binary(column, oid) for column, oid in zip(batch.columns, self.types, strict=True)]
        return data_rows(columns, batch.num_rows, b"d")

    def end(self) -> bytes:
        """The end mark, behind the last row."""
        return copy_message(TRAILER if self.started else HEADER + TRAILER)
