"""A parameter's value is written for each execution: at once, as the generator of SQL would write it."""

from __future__ import annotations

import pytest

from mere.execute import compose
from mere.sql import types as pg
from mere.sql.bind import duckdb_text
from mere.sql.literals import literal
from mere.sql.types import PgType

VALUES = {
    pg.INT2: ("5", "-5"),
    pg.INT4: ("5", "-5"),
    pg.INT8: ("0", "9223372036854775807", "-9223372036854775808"),
    pg.NUMERIC: ("1.50", "-1.50"),
    pg.FLOAT8: ("1.5", "-1e-300", "NaN", "-Infinity"),
    pg.FLOAT4: ("1.5",),
    pg.TEXT: ("", "it's", "a\\b"),
    pg.DATE: ("2020-01-01",),
    pg.TIMESTAMP: ("2020-01-01 00:00:00",),
    pg.TIMESTAMPTZ: ("2020-01-01 00:00:00+00",),
    pg.TIME: ("10:00:00",),
    pg.UUID: ("123e4567-e89b-12d3-a456-42661417ffff",),
    pg.BOOL: ("true",),
}


@pytest.mark.parametrize("oid", VALUES)
def test_a_value_is_written_as_the_generator_does(oid: int) -> None:
    for value in (*VALUES[oid], None):
        node = literal(value, PgType(oid)).sql
        assert compose._value_text(node) == duckdb_text(node)


@pytest.mark.parametrize("oid", [pg.INT8, pg.INT4, pg.TEXT, pg.DATE, pg.UUID, pg.FLOAT8, pg.NUMERIC])
def test_the_commonest_values_need_no_generator(oid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(compose, "duckdb_text")
    for value in VALUES[oid]:
        assert compose._value_text(literal(value, PgType(oid)).sql)
