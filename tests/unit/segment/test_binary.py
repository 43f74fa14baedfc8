"""Binary column values, read back by psycopg's own loaders of each type, and by hand where it has none."""

from __future__ import annotations

import datetime as dt
import math
import struct
import uuid
from decimal import Decimal
from typing import Any

import duckdb
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.adapt import Transformer
from psycopg.pq import Format

from mere.segment.binary import encode_binary
from mere.sql import types as pg


def arrow(kind: str, literals: list[str]) -> Any:
    with duckdb.connect() as connection:
        connection.execute("SET arrow_lossless_conversion = true; SET arrow_large_buffer_size = true")
        connection.execute("SET TimeZone = 'UTC'")
        query = " UNION ALL ".join(f"SELECT ({literal})::{kind} AS x" for literal in literals)
        return connection.execute(query).to_arrow_table().column("x").combine_chunks()


def loaded(kind: str, oid: int, literals: list[str]) -> list[Any]:
    load = Transformer().get_loader(oid, Format.BINARY).load
    values = encode_binary(arrow(kind, literals), oid).to_pylist()
    return [None if value is None else load(value) for value in values]


UTC = dt.UTC


@pytest.mark.parametrize(
    ("kind", "oid", "literals", "expected"),
    [
        ("SMALLINT", pg.INT2, ["1", "-32768", "NULL"], [1, -32768, None]),
        ("INTEGER", pg.INT4, ["1", "NULL", "-5"], [1, None, -5]),
        ("BIGINT", pg.INT8, ["9223372036854775807", "NULL"], [2**63 - 1, None]),
        ("UINTEGER", pg.OID, ["4294967295", "NULL"], [2**32 - 1, None]),
        ("DOUBLE", pg.FLOAT8, ["1.5", "'-inf'", "NULL"], [1.5, -math.inf, None]),
        ("FLOAT", pg.FLOAT4, ["0.5", "NULL"], [0.5, None]),
        ("BOOLEAN", pg.BOOL, ["true", "NULL", "false"], [True, None, False]),
        ("VARCHAR", pg.TEXT, ["'é'", "''", "NULL"], ["é", "", None]),
        ("BLOB", pg.BYTEA, ["'\\x00\\xff'", "NULL"], [b"\0\xff", None]),
        ("JSON", pg.JSON, ["'{\"a\":1}'", "NULL"], [{"a": 1}, None]),
        ("JSON", pg.JSONB, ["'[1]'", "NULL"], [[1], None]),
        (
            "DATE",
            pg.DATE,
            ["'2020-02-29'", "'1999-12-31'", "NULL"],
            [dt.date(2020, 2, 29), dt.date(1999, 12, 31), None],
        ),
        ("TIME", pg.TIME, ["'12:34:56.789012'", "NULL"], [dt.time(12, 34, 56, 789012), None]),
        ("TIMESTAMP", pg.TIMESTAMP, ["'1970-01-01 00:00:01'", "NULL"], [dt.datetime(1970, 1, 1, 0, 0, 1), None]),
        ("TIMESTAMPTZ", pg.TIMESTAMPTZ, ["'2020-01-01 00:00:00+00'"], [dt.datetime(2020, 1, 1, tzinfo=UTC)]),
        ("INTERVAL", pg.INTERVAL, ["'2 days 00:00:01.5'", "NULL"], [dt.timedelta(days=2, seconds=1.5), None]),
        ("UUID", pg.UUID, [f"'{uuid.UUID(int=7)}'", "NULL"], [uuid.UUID(int=7), None]),
        ("INTEGER[]", 1007, ["[1, NULL, 3]", "[]", "NULL", "[4]"], [[1, None, 3], [], None, [4]]),
        ("VARCHAR[]", 1009, ["['a', '']", "NULL"], [["a", ""], None]),
        ("DECIMAL(5,2)[]", 1231, ["[1.5, 2]"], [[Decimal("1.50"), Decimal("2.00")]]),
    ],
)
def test_values(kind: str, oid: int, literals: list[str], expected: list[Any]) -> None:
    assert loaded(kind, oid, literals) == expected


def test_timetz_keeps_its_zone() -> None:
    (value,) = loaded("TIMETZ", pg.TIMETZ, ["'01:02:03+05:30'"])
    assert value == dt.time(1, 2, 3, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30)))


def test_infinity() -> None:
    date = encode_binary(arrow("DATE", ["'infinity'", "'-infinity'"]), pg.DATE).to_pylist()
    assert [struct.unpack(">i", value)[0] for value in date] == [2**31 - 1, -(2**31)]
    stamp = encode_binary(arrow("TIMESTAMP", ["'infinity'", "'-infinity'"]), pg.TIMESTAMP).to_pylist()
    assert [struct.unpack(">q", value)[0] for value in stamp] == [2**63 - 1, -(2**63)]


@given(st.integers(-(10**38) + 1, 10**38 - 1), st.integers(0, 38))
def test_numeric(unscaled: int, scale: int) -> None:
    value = Decimal(unscaled).scaleb(-scale, context=None if abs(unscaled) < 10**28 else _wide())
    assert loaded(f"DECIMAL(38,{scale})", pg.NUMERIC, [f"'{value:f}'", "NULL", "0"])[:2] == [value, None]


def _wide() -> Any:
    from decimal import Context

    return Context(prec=60)


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_small_numeric_has_postgresqls_digits(unscaled: int) -> None:
    value = Decimal(unscaled).scaleb(-2)
    encoded = encode_binary(arrow("DECIMAL(15,2)", [f"{value:f}"]), pg.NUMERIC).to_pylist()[0]
    dumper = Transformer().get_dumper(value, psycopg.adapt.PyFormat.BINARY)
    assert Transformer().get_loader(pg.NUMERIC, Format.BINARY).load(encoded) == value
    if value:  # the dumper keeps trailing zero digits that PostgreSQL strips; the number is the same
        assert struct.unpack(">h", encoded[6:8])[0] == 2
        assert dumper.dump(value) is not None


def test_sliced_columns() -> None:
    column = arrow("DECIMAL(10,1)", ["1.5", "2.5", "NULL", "3.5"]).slice(1)
    load = Transformer().get_loader(pg.NUMERIC, Format.BINARY).load
    assert [None if v is None else load(v) for v in encode_binary(column, pg.NUMERIC).to_pylist()] == [
        Decimal("2.5"),
        None,
        Decimal("3.5"),
    ]
    assert encode_binary(arrow("INTERVAL", ["'1 day'", "'2 days'"]).slice(1), pg.INTERVAL).to_pylist() == [
        struct.pack(">qii", 0, 2, 0)
    ]


def test_unknown_types_are_named() -> None:
    with pytest.raises(Exception, match="no binary output function"):
        encode_binary(arrow("VARCHAR", ["'x'"]), pg.MONEY)
