"""Output: the DuckDB expression that yields PostgreSQL's text of a value. Coordinator process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from mere.sql.expressions.build import call, cast, number, string
from mere.sql.expressions.typed import FIXED, QUOTIENT, TRIMMED, Typed
from mere.sql.types import (
    BOOL,
    BPCHAR,
    BYTEA,
    DATE,
    FLOAT4,
    FLOAT8,
    INTERVAL,
    JSONB,
    NUMERIC,
    STRINGS,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    TIMETZ,
    UNKNOWN,
    PgType,
    element_of,
    numeric_parts,
)


@dataclass(frozen=True, slots=True)
class SessionFormat:
    """The session's settings that change how values are printed."""

    time_zone: str = "UTC"
    date_style: str = "ISO, MDY"
    interval_style: str = "postgres"
    bytea_output: str = "hex"
    extra_float_digits: int = 1


def render_text(typed: Typed, fmt: SessionFormat) -> exp.Expression:
    """A VARCHAR expression with the value's text as PostgreSQL prints it; NULL stays NULL.

    Integers, dates, fixed decimals and strings are a plain CAST, since this runs over every row that is returned.
    """
    oid = typed.type.oid
    if typed.is_null:
        return cast(exp.Null(), "VARCHAR")
    if oid == NUMERIC:
        return _numeric(typed)
    if element_of(oid):
        return _array(typed, fmt)
    if typed.fields:
        return _row(typed, fmt)
    return _scalar(typed.sql, typed.type, fmt)


def _scalar(sql: exp.Expression, pg_type: PgType, fmt: SessionFormat) -> exp.Expression:
    if pg_type.oid == BPCHAR and pg_type.typmod >= 4:
        return call("rpad", sql, number(pg_type.typmod - 4), string(" "))
    if pg_type.oid in STRINGS or pg_type.oid == UNKNOWN:
        return sql
    maker = _MAKERS.get(pg_type.oid)
    return cast(sql, "VARCHAR") if maker is None else maker(sql, fmt)


def _numeric(typed: Typed) -> exp.Expression:
    parts = numeric_parts(typed.type.typmod)
    if typed.decimal is None:
        return call("mere_float8_out", typed.sql)
    if parts is not None or typed.display == FIXED:
        return cast(typed.sql, "VARCHAR")
    if typed.display == QUOTIENT:
        return call("mere_quotient_out", typed.sql, number(typed.minimum_scale))
    assert typed.display == TRIMMED
    return call("mere_trimmed_out", typed.sql)


def _array(typed: Typed, fmt: SessionFormat) -> exp.Expression:
    """{1,NULL,"a b"}: elements rendered, then quoted where their type can need it."""
    element = PgType(element_of(typed.type.oid), typed.type.typmod)
    variable = exp.to_identifier("e")
    inner = Typed(exp.column("e"), element, decimal=typed.decimal)
    if element.oid == NUMERIC and typed.decimal is None:
        text: exp.Expression = cast(exp.column("e"), "VARCHAR")
    else:
        text = render_text(inner, fmt)
    rendered = call("list_transform", typed.sql, exp.Lambda(this=text, expressions=[variable]))
    quoted = element.oid in STRINGS or element.oid in _QUOTED
    return call("mere_array_out" if quoted else "mere_plain_array_out", rendered)


def _row(typed: Typed, fmt: SessionFormat) -> exp.Expression:
    fields = [call("mere_row_field_out", render_text(field, fmt)) for field in typed.fields]
    return call("concat", string("("), call("array_to_string", exp.Array(expressions=fields), string(",")), string(")"))


def _timestamptz(sql: exp.Expression, fmt: SessionFormat) -> exp.Expression:
    if fmt.time_zone.upper() in ("UTC", "ETC/UTC", "GMT", "ZULU", "UCT"):
        return call("mere_timestamptz_out_utc", sql)
    return call("mere_timestamptz_out", sql, string(fmt.time_zone))


_QUOTED = frozenset({TIMESTAMP, TIMESTAMPTZ, INTERVAL, BYTEA, 114, JSONB})
_Maker = Callable[[exp.Expression, SessionFormat], exp.Expression]
_MAKERS: dict[int, _Maker] = {
    BOOL: lambda sql, fmt: call("mere_bool_out", sql),
    FLOAT4: lambda sql, fmt: call("mere_float4_out", sql),
    FLOAT8: lambda sql, fmt: call("mere_float8_out", sql),
    BYTEA: lambda sql, fmt: call("mere_bytea_out", sql),
    DATE: lambda sql, fmt: call("mere_date_out", sql),
    TIME: lambda sql, fmt: cast(sql, "VARCHAR"),
    TIMETZ: lambda sql, fmt: call("mere_timetz_out", sql),
    TIMESTAMP: lambda sql, fmt: call("mere_date_out", sql),
    TIMESTAMPTZ: _timestamptz,
    INTERVAL: lambda sql, fmt: call("mere_interval_out", sql),
    JSONB: lambda sql, fmt: call("mere_jsonb_out", sql),
}
