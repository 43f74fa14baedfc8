"""Floats are printed with the fewest digits that read back, in PostgreSQL's form; compiled or not, it is the same."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mere.segment.native import floats, kernels
from mere.segment.native.float_texts import float_texts

ANY_BITS = st.integers(0, 2**64 - 1)


def printed(values: list[float | None], kind: pa.DataType | None = None) -> list[str | None]:
    texts: list[str | None] = float_texts(pa.array(values, kind or pa.float64())).to_pylist()
    return texts


def double(bits: int) -> float:
    value: float = struct.unpack("<d", bits.to_bytes(8, "little"))[0]
    return value


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    assert kernels.wait()


def test_forms_of_a_double_precision() -> None:
    assert printed([0.0, -0.0, 1.0, -1.5, 0.1, 1e14, 123456789012345.0, 1e15, 1e16 - 2, 1 / 7]) == [
        *("0", "-0", "1", "-1.5", "0.1", "100000000000000", "123456789012345", "1e+15", "9.999999999999998e+15"),
        "0.14285714285714285",
    ]
    assert printed([1e-4, 9.999e-5, 1e-5, -1.25e-7, 1e100, 1.5e-300, 5e-324, 1.7976931348623157e308]) == [
        *("0.0001", "9.999e-05", "1e-05", "-1.25e-07", "1e+100", "1.5e-300", "5e-324", "1.7976931348623157e+308"),
    ]
    assert printed([math.inf, -math.inf, math.nan, -math.nan, None]) == ["Infinity", "-Infinity", "NaN", "NaN", None]


def test_forms_of_a_real() -> None:
    real = pa.float32()
    assert printed([0.0, -0.0, 1.5, 99999.0, 1e6, 1234567.0, 16777216.0, 414324.12], real) == [
        *("0", "-0", "1.5", "99999", "1e+06", "1.234567e+06", "1.6777216e+07", "414324.12"),
    ]
    assert printed([1e-4, 1e-5, 1e-45, 3.4028235e38, math.inf, math.nan, None], real) == [
        *("0.0001", "1e-05", "1e-45", "3.4028235e+38", "Infinity", "NaN", None),
    ]


def test_a_halfway_point_between_two_values_does_not_stand_for_either() -> None:
    """As in PostgreSQL, and unlike in most others: 1e23 lies halfway to a neighbour."""
    assert printed([1e23, 9007199254740993.0 * 2, 2.0**81]) == [
        *("9.999999999999999e+22", "1.8014398509481984e+16", "2.4178516392292583e+24"),
    ]


@given(st.lists(ANY_BITS, min_size=1, max_size=50))
def test_no_shorter_text_reads_back(bits: list[int]) -> None:
    """Python's own text is the shortest too, but may be a halfway point."""
    values = [value for value in map(double, bits) if math.isfinite(value)]
    for value, text in zip(values, printed(list(values)), strict=True):
        assert text is not None
        assert float(text) == value
        if Fraction(text) != Fraction(repr(value)):
            other = Fraction(repr(value))
            neighbours = (Fraction(math.nextafter(value, way)) for way in (-math.inf, math.inf))
            assert other in {(Fraction(value) + each) / 2 for each in neighbours}


@given(ANY_BITS)
def test_the_function_compiled_and_not_compiled(bits: int) -> None:
    values = np.array([bits], dtype=np.uint64)
    for count, is_double in ((1, 1), (2, 0)):
        results = []
        for print_floats in (kernels.print_floats(), floats.print_floats):
            assert print_floats is not None
            out, ends = np.zeros(count * floats.LONGEST, np.uint8), np.zeros(count, np.int32)
            print_floats(out.ctypes.data, ends.ctypes.data, values.ctypes.data, count, is_double)
            results.append((bytes(out[: ends[-1]]), list(ends)))
        assert results[0] == results[1]
