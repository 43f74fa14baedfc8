"""Floats as text: byte for byte what PostgreSQL prints, for random bits and where rounding is hardest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
import pyarrow as pa
import pytest
from harness.postgres import Peer

from mere.segment.binary_rows import HEADER, TRAILER
from mere.segment.native import kernels
from mere.segment.native.float_texts import float_texts

Floats = npt.NDArray[Any]
SEED = 18
RANDOM = 20_000


@pytest.fixture(scope="module")
def postgres(peer: Peer) -> Iterator[psycopg.Connection[Any]]:
    assert kernels.wait()
    with psycopg.connect(peer.conninfo) as connection:
        connection.execute("CREATE TEMP TABLE doubles (v double precision)")
        connection.execute("CREATE TEMP TABLE reals (v real)")
        yield connection


def printed_by(postgres: psycopg.Connection[Any], values: Floats) -> list[str]:
    size, table = values.dtype.itemsize, "doubles" if values.dtype.itemsize == 8 else "reals"
    rows = np.empty(len(values), dtype=[("columns", ">i2"), ("size", ">i4"), ("value", f">f{size}")])
    rows["columns"], rows["size"], rows["value"] = 1, size, values
    with postgres.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table}".encode())
        with cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)".encode()) as copy:
            copy.write(HEADER + rows.tobytes() + TRAILER)
        with cursor.copy(f"COPY {table} TO STDOUT".encode()) as copy:
            return b"".join(copy).decode().splitlines()


def samples(double: bool) -> dict[str, Floats]:
    """Chosen by their bits: a sign, an exponent and a fraction."""
    random = np.random.default_rng(SEED)
    bits, kind, fraction = (np.uint64, np.float64, 52) if double else (np.uint32, np.float32, 23)
    width = 8 * np.dtype(kind).itemsize
    powers: Floats = np.arange(2 ** (width - 1 - fraction), dtype=bits) << bits(fraction)
    steps: Floats = np.arange(-2, 3).astype(bits)
    decimals = np.array([float(f"1e{power}") for power in (range(-324, 309) if double else range(-45, 39))], kind)
    digits = random.integers(1, 10 ** random.integers(1, 18, RANDOM // 4))
    places = random.integers(-10, 20, RANDOM // 4)
    return {
        "random bits": random.integers(0, 2**width - 1, RANDOM, bits, endpoint=True).view(kind),
        "powers of two and their neighbours": (powers[:, None] + steps).ravel().view(kind),
        "powers of ten and their neighbours": (decimals.view(bits)[:, None] + steps).ravel().view(kind),
        "subnormal": random.integers(0, 2**fraction, RANDOM // 4, bits).view(kind),
        "the smallest": np.arange(2000, dtype=bits).view(kind),
        "decimals": (digits / 10.0**places).astype(kind),
        "whole": (random.integers(0, 2**62, RANDOM // 4) >> random.integers(0, 60, RANDOM // 4)).astype(kind),
        "where whole numbers end": np.arange(2 ** (fraction + 2) - 1000, 2 ** (fraction + 2) + 1000).astype(kind),
    }


@pytest.mark.parametrize("double", [True, False], ids=["double precision", "real"])
def test_texts_are_those_of_postgres(postgres: psycopg.Connection[Any], double: bool) -> None:
    for name, values in samples(double).items():
        values[np.isnan(values)] = np.nan
        expected, found = printed_by(postgres, values), float_texts(pa.array(values)).to_pylist()
        differing = [pair for pair in zip(found, expected, strict=True) if pair[0] != pair[1]]
        assert not differing, (name, len(differing), differing[:5])
