"""Columns of double precision and real to columns of their texts, for text that is made inside of queries.

Runs on the engine's threads. The kernel is compiled from a function of Python, which does the same until then.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mere.segment.native import floats, kernels


def float_texts(column: pa.Array[Any]) -> pa.Array[Any]:
    """Each value as PostgreSQL prints it; NULL stays NULL."""
    count, is_double = len(column), pa.types.is_float64(column.type)
    values = np.ascontiguousarray(column.fill_null(0.0).to_numpy(zero_copy_only=False))
    ends = np.zeros(count + 1, dtype=np.int32)
    out = np.empty(floats.LONGEST * count, dtype=np.uint8)
    print_floats = kernels.print_floats() or floats.print_floats
    size = print_floats(out.ctypes.data, ends.ctypes.data + 4, values.ctypes.data, count, int(is_double))
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(out[:size])]
    texts = pa.Array.from_buffers(pa.string(), count, buffers)
    return pc.if_else(column.is_valid(), texts, pa.scalar(None, pa.string())) if column.null_count else texts
