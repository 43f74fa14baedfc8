"""Output: the DuckDB expression that yields PostgreSQL's text of a value. Coordinator process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from mere.sql.expressions.build import call, cast, number, string
from mere.sql.expressions.typed import COLUMN, FIXED, QUOTIENT, TRIMMED, Typed
from mere.sql.expressions.zones import zone
from mere.sql.types import (
    BIT,
    BOOL,
    BPCHAR,
    BYTEA,
    DATE,
    FLOAT4,
    FLOAT8,
    INT2,
    INT4,
    INT8,
    INTERVAL,
    JSONB,
    NUMERIC,
    REGTYPE,
    STRINGS,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    TIMETZ,
    TYPES,
    UNKNOWN,
    UUID,
    VARBIT,
    PgType,
    duckdb_type,
    element_of,
    format_type,
    numeric_parts,
)


@dataclass(frozen=True, slots=True)
class SessionFormat:
    """The session's settings that change how values are printed."""

    time_zone: str = "UTC"
    date_style: str = "ISO, MDY"
    interval_style: str = "postgres"
    bytea_output: str = "hex"
    extra_float_digits: int = 1  # above 0 all mean the same: as many digits as are needed


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


def binary_value(typed: Typed) -> exp.Expression:
    """The value as the binary format is made of it: typed; char(n), arrays of it and jsonb are their text."""
    if typed.type.oid == JSONB and not typed.is_null:
        return call("mere_jsonb_out", typed.sql.copy())
    if typed.type.oid in (BIT, VARBIT) and not typed.is_null:
        return call("mere_bit_send", typed.sql.copy())
    if typed.type.typmod < 4 or typed.is_null:
        return typed.sql.copy()
    if typed.type.oid == BPCHAR:
        return cast(_padded(typed.sql.copy(), typed.type), "VARCHAR")
    if element_of(typed.type.oid) == BPCHAR:
        text = _padded(exp.column("e"), typed.type)
        return call("list_transform", typed.sql.copy(), exp.Lambda(this=text, expressions=[exp.to_identifier("e")]))
    return typed.sql.copy()


def _padded(sql: exp.Expression, pg_type: PgType) -> exp.Expression:
    return call("rpad", sql, number(pg_type.typmod - 4), string(" "))


def with_blanks(typed: Typed) -> exp.Expression:
    """char(n) as a pattern sees it: filled up with blanks, without which it is kept."""
    if typed.type.oid == BPCHAR and typed.type.typmod >= 4:
        return _padded(typed.sql, typed.type)
    return typed.sql


def plain_value(typed: Typed, fmt: SessionFormat) -> exp.Expression | None:
    """The value itself, for one who prints it: where its text depends on nothing but the value (and, for char(n), n).
    A cast that changes nothing holds DuckDB to the type; None where the text must be rendered."""
    kind = typed.type
    if typed.is_null or not typed.marks & COLUMN:
        return None
    if kind.oid == NUMERIC:
        fixed = typed.decimal is not None and (typed.display == FIXED or numeric_parts(kind.typmod) is not None)
        return typed.sql.copy() if fixed else None
    if kind.oid == BPCHAR:
        return typed.sql.copy()
    if (
        kind.oid in _PLAIN
        or (kind.oid in (DATE, TIMESTAMP) and _style(fmt)[0] == "iso")
        or (kind.oid == TIMESTAMPTZ and _style(fmt)[0] == "iso" and fmt.time_zone.upper() in _UTC)
        or (kind.oid in (FLOAT4, FLOAT8) and fmt.extra_float_digits > 0)
        or (kind.oid == BYTEA and fmt.bytea_output != "escape")
    ):
        return cast(typed.sql, duckdb_type(PgType(kind.oid)))
    return None


def _scalar(sql: exp.Expression, pg_type: PgType, fmt: SessionFormat) -> exp.Expression:
    if pg_type.oid == BPCHAR and pg_type.typmod >= 4:
        return _padded(sql, pg_type)
    if pg_type.oid in STRINGS or pg_type.oid == UNKNOWN:
        return sql
    maker = _MAKERS.get(pg_type.oid)
    return cast(sql, "VARCHAR") if maker is None else maker(sql, fmt)


def _numeric(typed: Typed) -> exp.Expression:
    parts = numeric_parts(typed.type.typmod)
    if typed.decimal is None:
        return call("mere_float8_out", typed.sql)
    if parts is not None or typed.display == FIXED:
        text = cast(typed.sql, "VARCHAR")
        bare = typed.decimal[0] <= typed.decimal[1]  # then DuckDB writes .5
        return call("regexp_replace", text, string(r"^(-?)\."), string(r"\10.")) if bare else text
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


# By DateStyle and whether days come first: strftime of a date, and of a timestamp's day.
_DAYS = {
    ("german", True): "%d.%m.%Y",
    ("german", False): "%d.%m.%Y",
    ("sql", True): "%d/%m/%Y",
    ("sql", False): "%m/%d/%Y",
    ("postgres", True): "%d-%m-%Y",
    ("postgres", False): "%m-%d-%Y",
}
_UTC = frozenset({"UTC", "ETC/UTC", "GMT", "ZULU", "UCT"})
_PLAIN = frozenset({INT2, INT4, INT8, BOOL, TIME, UUID})
_INTERVAL_MACROS = {
    "iso_8601": "mere_interval_out_iso",
    "postgres_verbose": "mere_interval_out_verbose",
    "sql_standard": "mere_interval_out_sql",
}


def _style(fmt: SessionFormat) -> tuple[str, bool]:
    """DateStyle's output half, and whether the day stands before the month."""
    style, _, order = fmt.date_style.lower().partition(",")
    return style.strip(), order.strip() == "dmy"


def _date(sql: exp.Expression, fmt: SessionFormat) -> exp.Expression:
    style, day_first = _style(fmt)
    days = _DAYS.get((style, day_first))
    return call("mere_date_out", sql) if days is None else call("mere_styled_date", sql, string(days))


def _timestamp(sql: exp.Expression, fmt: SessionFormat) -> exp.Expression:
    style, day_first = _style(fmt)
    if style == "postgres":
        return call("mere_worded_timestamp", sql, string("%a %d %b" if day_first else "%a %b %d"))
    days = _DAYS.get((style, day_first))
    return call("mere_date_out", sql) if days is None else call("mere_styled_timestamp", sql, string(days))


def _timestamptz(sql: exp.Expression, fmt: SessionFormat) -> exp.Expression:
    if _style(fmt)[0] in ("german", "sql", "postgres"):
        where = zone(fmt.time_zone)
        local = _timestamp(call("timezone", where, sql), fmt)
        return exp.DPipe(this=local, expression=call("mere_zone_suffix", sql.copy(), where.copy()))
    if fmt.time_zone.upper() in _UTC:
        return call("mere_timestamptz_out_utc", sql)
    return call("mere_timestamptz_out", sql, zone(fmt.time_zone))


def _float(sql: exp.Expression, shortest: str, digits: int, fmt: SessionFormat) -> exp.Expression:
    if fmt.extra_float_digits > 0:
        return call(shortest, sql)
    return call("mere_float_rounded_out", sql, string(f"%.{max(digits, 1)}g"))


def _regtype(sql: exp.Expression, fmt: SessionFormat) -> exp.Expression:
    names = [
        exp.If(this=number(oid), true=string("character" if oid == BPCHAR else format_type(PgType(oid))))
        for oid in TYPES
    ]
    return exp.Case(this=sql, ifs=names, default=cast(sql.copy(), "VARCHAR"))


_QUOTED = frozenset({DATE, TIMESTAMP, TIMESTAMPTZ, INTERVAL, BYTEA, 114, JSONB})
_Maker = Callable[[exp.Expression, SessionFormat], exp.Expression]
_MAKERS: dict[int, _Maker] = {
    BOOL: lambda sql, fmt: call("mere_bool_out", sql),
    FLOAT4: lambda sql, fmt: _float(sql, "mere_float4_out", 6 + fmt.extra_float_digits, fmt),
    FLOAT8: lambda sql, fmt: _float(sql, "mere_float8_out", 15 + fmt.extra_float_digits, fmt),
    BYTEA: lambda sql, fmt: call("mere_encode_escape" if fmt.bytea_output == "escape" else "mere_bytea_out", sql),
    DATE: _date,
    TIME: lambda sql, fmt: cast(sql, "VARCHAR"),
    TIMETZ: lambda sql, fmt: call("mere_timetz_out", sql),
    TIMESTAMP: _timestamp,
    TIMESTAMPTZ: _timestamptz,
    INTERVAL: lambda sql, fmt: call(_INTERVAL_MACROS.get(fmt.interval_style.lower(), "mere_interval_out"), sql),
    REGTYPE: _regtype,
    JSONB: lambda sql, fmt: call("mere_jsonb_out", sql),
}
