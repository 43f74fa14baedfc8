"""Casts: which PostgreSQL allows where, and what DuckDB expression does each. Coordinator process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from sqlglot import exp

from mere.errors import DatatypeMismatch, FeatureNotSupported
from mere.sql.dialect import quote_string
from mere.sql.expressions.build import call, cast, cast_to, number, string
from mere.sql.expressions.numeric import decimal_of
from mere.sql.expressions.typed import PLACEHOLDER, TRIMMED, Coercion, Environment, Typed
from mere.sql.expressions.zones import zone
from mere.sql.functions.bit_strings import bits_of_number, sized_bits
from mere.sql.functions.catalog import cast_context
from mere.sql.literals import fit_numeric, integer_literal, invalid_text, null_literal, numeric_literal, parse_literal
from mere.sql.render import SessionFormat, render_text
from mere.sql.types import (
    BIT,
    BOOL,
    BPCHAR,
    BYTEA,
    CHAR,
    DATE,
    FLOAT4,
    FLOAT8,
    INT2,
    INT4,
    INT8,
    INTEGERS,
    INTERVAL,
    INTERVAL_FULL_PRECISION,
    INTERVAL_FULL_RANGE,
    JSON,
    JSONB,
    MAX_PRECISION,
    NAME,
    NUMBERS,
    NUMERIC,
    OID_LIKE,
    RECORD,
    STRINGS,
    TEXT,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    TIMETZ,
    UNKNOWN,
    UUID,
    VARBIT,
    VARCHAR,
    PgType,
    duckdb_type,
    element_of,
    format_type,
    numeric_parts,
    type_name,
)

_TRIMMED_CARRIER = (38, 15)
_TEXT_CARRIER = (38, 16)
_SHORT_TYPES = {INT2: "int2", INT4: "int4", INT8: "int8", FLOAT4: "float4", FLOAT8: "float8"}


def coerce(typed: Typed, target: PgType, how: Coercion, env: Environment, column: str | None = None) -> Typed:
    """The value as `target`, or DatatypeMismatch 42804 ('column "x" is of type a but expression is of type b' when
    `column` is given, for INSERT and UPDATE) or 42846 'cannot cast type a to b'."""
    if typed.is_unknown:
        return _from_unknown(typed, target, how, env)
    source = typed.type
    if source == target:
        return typed
    if source.oid == target.oid:
        return _modify(typed, target, how)
    context = cast_context(source.oid, target.oid)
    if context is None or context > how:
        raise _mismatch(source, target, column)
    if typed.is_null:
        return replace(null_literal(target), marks=typed.marks)
    converted = _convert(typed, target, env)
    return _modify(converted, target, how) if converted.type != target else converted


def _mismatch(source: PgType, target: PgType, column: str | None) -> DatatypeMismatch:
    if column is not None:
        return DatatypeMismatch(
            f'column "{column}" is of type {type_name(target.oid)} but expression is of type {type_name(source.oid)}',
            hint="You will need to rewrite or cast the expression.",
        )
    return DatatypeMismatch(
        f"cannot cast type {type_name(source.oid)} to {format_type(PgType(target.oid))}", sqlstate="42846"
    )


def to_boolean(typed: Typed, context: str, env: Environment) -> Typed:
    """For WHERE, HAVING, JOIN/ON, FILTER: 42804 'argument of WHERE must be type boolean, not type integer'."""
    if typed.is_unknown:
        return coerce(typed, PgType(BOOL), Coercion.IMPLICIT, env)
    if typed.type.oid != BOOL:
        raise DatatypeMismatch(f"argument of {context} must be type boolean, not type {type_name(typed.type.oid)}")
    return typed


def as_text(typed: Typed, env: Environment) -> Typed:
    """The value's output text, as "any" arguments of concat() and format() take it."""
    if typed.is_unknown:
        return coerce(typed, PgType(TEXT), Coercion.IMPLICIT, env)
    if typed.type.oid in (TEXT, VARCHAR, NAME):
        return replace(typed, type=PgType(TEXT))
    return replace(_plain(typed), sql=render_text(typed, SessionFormat(env.time_zone)), type=PgType(TEXT))


def _plain(typed: Typed) -> Typed:
    """The facts of a literal do not hold for what is computed from it."""
    return Typed(typed.sql, typed.type, typed.marks)


def _from_unknown(typed: Typed, target: PgType, how: Coercion, env: Environment) -> Typed:
    if typed.is_null:
        return replace(null_literal(target), marks=typed.marks)
    if not isinstance(typed.value, str):
        text = replace(typed, type=PgType(TEXT))
        return text if target.oid == TEXT else coerce(text, target, Coercion.EXPLICIT, env)
    if target.oid in (RECORD, UNKNOWN):
        return typed
    length = target.typmod - 4
    if target.oid in (VARCHAR, BPCHAR) and target.typmod >= 4 and how < Coercion.EXPLICIT:
        return _assigned_string(typed, target, length)
    known = parse_literal(typed.value, target)
    if known is not None:
        return known
    if target.oid in _SHORT_TYPES or target.oid == BOOL:
        raise invalid_text(target.oid, typed.value)
    return env.constant(f"{quote_string(typed.value)}::{format_type(target)}", target)


def _assigned_string(typed: Typed, target: PgType, length: int) -> Typed:
    text = str(typed.value)
    if len(text) > length and text[length:].strip(" "):
        name = "character varying" if target.oid == VARCHAR else "character"
        raise DatatypeMismatch(f"value too long for type {name}({length})", sqlstate="22001")
    known = parse_literal(text, target)
    assert known is not None
    return known


# -- the same type, another modifier ----------------------------------------------------------------------------------


def _modify(typed: Typed, target: PgType, how: Coercion) -> Typed:
    """Applies a type modifier: numeric(p,s), varchar(n), timestamp(p) ..."""
    if target.typmod < 0 or typed.type.typmod == target.typmod:
        return replace(typed, type=target) if typed.type != target else typed
    if typed.is_null:
        return replace(null_literal(target), marks=typed.marks)
    element = element_of(target.oid)
    if element:
        return _modify_array(typed, target, PgType(element, target.typmod), how)
    handler = _MODIFIERS.get(target.oid)
    return handler(typed, target, how) if handler is not None else replace(typed, type=target)


def _modify_array(typed: Typed, target: PgType, element: PgType, how: Coercion) -> Typed:
    if element.oid != NUMERIC:
        return replace(typed, type=target)
    return Typed(cast_to(typed.sql, target), target, typed.marks)


def _modify_numeric(typed: Typed, target: PgType, how: Coercion) -> Typed:
    parts = numeric_parts(target.typmod)
    assert parts is not None
    if isinstance(typed.value, Decimal) and parts[1] >= 0:
        return fit_numeric(typed.value, parts, target)
    precision, scale = parts
    if max(precision, scale) > MAX_PRECISION:
        raise FeatureNotSupported(f"numeric({precision},{scale}) is not supported: numeric has at most 38 digits")
    if scale < 0:
        rounded = call("round", cast(typed.sql, f"DECIMAL({MAX_PRECISION},0)"), number(scale))
        return Typed(cast(rounded, f"DECIMAL({precision - scale},0)"), target, typed.marks, (precision - scale, 0))
    width = max(precision, scale)
    if typed.decimal == (width, scale):
        return Typed(typed.sql, target, typed.marks, typed.decimal)
    sql = typed.sql
    if typed.decimal is None:
        sql = call("mere_float_text", sql)
    return Typed(cast(sql, f"DECIMAL({width},{scale})"), target, typed.marks, (width, scale))


def _modify_string(typed: Typed, target: PgType, how: Coercion) -> Typed:
    length = target.typmod - 4
    if 4 <= typed.type.typmod <= target.typmod:
        return replace(typed, type=target)
    if isinstance(typed.value, str):
        if how < Coercion.EXPLICIT:
            return _assigned_string(typed, target, length)
        return parse_literal(typed.value, target) or typed
    if how == Coercion.EXPLICIT:
        sql = call("left", typed.sql, number(length))
        if target.oid == BPCHAR:
            sql = call("rtrim", sql, string(" "))
    else:
        name = "character varying" if target.oid == VARCHAR else "character"
        sql = call("mere_fit_text", typed.sql, number(length), string(f"{name}({length})"))
        if target.oid == BPCHAR:
            sql = call("rtrim", sql, string(" "))
    return Typed(sql, target, typed.marks)


def _modify_time(typed: Typed, target: PgType, how: Coercion) -> Typed:
    if target.typmod >= 6:
        return replace(typed, type=target)
    name = {TIME: "mere_round_time", TIMESTAMP: "mere_round_timestamp", TIMESTAMPTZ: "mere_round_timestamptz"}
    if target.oid == TIMETZ:
        raise FeatureNotSupported("time with time zone of a precision below 6 is not supported")
    return Typed(call(name[target.oid], typed.sql, number(10 ** (6 - target.typmod))), target, typed.marks)


def _modify_interval(typed: Typed, target: PgType, how: Coercion) -> Typed:
    mask, precision = (target.typmod >> 16) & 0x7FFF, target.typmod & 0xFFFF
    if mask == INTERVAL_FULL_RANGE and precision in (6, INTERVAL_FULL_PRECISION):
        return replace(typed, type=target)
    raise FeatureNotSupported(f"cast to {format_type(target)} is not supported")


def _modify_bits(typed: Typed, target: PgType, how: Coercion) -> Typed:
    if how < Coercion.EXPLICIT:
        raise FeatureNotSupported("assigning bit strings is not supported over lake data")
    return sized_bits(typed, target)


_MODIFIERS: dict[int, Callable[[Typed, PgType, Coercion], Typed]] = {
    NUMERIC: _modify_numeric,
    VARCHAR: _modify_string,
    BPCHAR: _modify_string,
    TIME: _modify_time,
    TIMETZ: _modify_time,
    TIMESTAMP: _modify_time,
    TIMESTAMPTZ: _modify_time,
    INTERVAL: _modify_interval,
    BIT: _modify_bits,
    VARBIT: _modify_bits,
}


# -- from one type to another -------------------------------------------------------------------------------------


def _convert(typed: Typed, target: PgType, env: Environment) -> Typed:
    """The value in the other type, mostly without its modifier."""
    source, oid = typed.type.oid, target.oid
    if oid in STRINGS:
        return _to_string(typed, oid, env)
    if source in STRINGS:
        return _from_string(typed, target, env)
    if source in NUMBERS and oid in NUMBERS:
        return _number(typed, target)
    if element_of(source) and element_of(oid):
        return _convert_array(typed, target, env)
    if oid == BIT and source in (INT4, INT8):
        return bits_of_number(typed, target)
    if source == JSONB and oid == NUMERIC:
        text = call("mere_json_number", typed.sql, string("numeric"))
        return Typed(cast(text, "DECIMAL(38,16)"), PgType(oid), typed.marks, _TEXT_CARRIER, TRIMMED)
    special = _SPECIAL.get((source, oid))
    if special is None:
        if source in OID_LIKE or oid in OID_LIKE:
            return Typed(cast_to(typed.sql, target), PgType(oid), typed.marks)
        raise FeatureNotSupported(f"cast from {type_name(source)} to {type_name(oid)} is not supported")
    return Typed(special(typed.sql, env), PgType(oid), typed.marks)


def _convert_array(typed: Typed, target: PgType, env: Environment) -> Typed:
    source = element_of(typed.type.oid)
    digits = {INT2: 5, INT4: 10, INT8: 19}.get(source)
    if source not in NUMBERS or element_of(target.oid) not in NUMBERS:
        return _each(typed.sql, PgType(source, typed.type.typmod), target, typed.marks, env)
    if element_of(target.oid) == NUMERIC and target.typmod < 0 and digits:
        return Typed(cast(typed.sql, f"DECIMAL({digits},0)[]"), target, typed.marks, (digits, 0))
    return Typed(cast_to(typed.sql, target), target, typed.marks)


def _each(array: exp.Expression, source: PgType, target: PgType, marks: int, env: Environment) -> Typed:
    """Every element by the cast of its type."""
    item = Typed(exp.column("mere_item"), source)
    made = coerce(item, PgType(element_of(target.oid), target.typmod), Coercion.EXPLICIT, env)
    if made.sql is not item.sql:
        array = call("list_transform", array, exp.Lambda(this=made.sql, expressions=[exp.to_identifier("mere_item")]))
    return Typed(array, target, marks, made.decimal, made.display)


def _to_string(typed: Typed, oid: int, env: Environment) -> Typed:
    source = typed.type.oid
    if source == CHAR or source in STRINGS:
        if oid == NAME:
            return Typed(call("left", typed.sql, number(63)), PgType(NAME), typed.marks)
        if oid == BPCHAR and source != BPCHAR:
            if isinstance(typed.value, str):
                return replace(
                    typed, sql=string(typed.value.rstrip(" ")), value=typed.value.rstrip(" "), type=PgType(oid)
                )
            return Typed(call("rtrim", typed.sql, string(" ")), PgType(BPCHAR), typed.marks)
        modifier = typed.type.typmod if oid in (VARCHAR, BPCHAR) else -1
        return replace(typed, type=PgType(oid, modifier))
    if source == BOOL:
        return Typed(cast(typed.sql, "VARCHAR"), PgType(oid), typed.marks)
    return Typed(render_text(typed, SessionFormat(env.time_zone)), PgType(oid), typed.marks)


def _from_string(typed: Typed, target: PgType, env: Environment) -> Typed:
    oid = target.oid
    if oid == NUMERIC:
        parts = numeric_parts(target.typmod)
        if parts is not None and parts[1] >= 0 and max(parts) <= MAX_PRECISION:
            width = max(parts)
            sql = cast(call("mere_numeric_text", typed.sql), f"DECIMAL({width},{parts[1]})")
            return Typed(sql, target, typed.marks, (width, parts[1]))
        sql = cast(call("mere_numeric_text", typed.sql), "DECIMAL(38,16)")
        return Typed(sql, PgType(oid), typed.marks, _TEXT_CARRIER, TRIMMED)
    if oid == TIMESTAMPTZ:
        sql = call("mere_text_to_timestamptz", typed.sql, zone(env.time_zone))
        return Typed(sql, PgType(oid), typed.marks)
    if oid == TIMETZ:
        return Typed(call("mere_text_to_timetz", typed.sql, zone(env.time_zone)), PgType(oid), typed.marks)
    if oid in (JSON, JSONB):
        macro = "mere_to_jsonb" if oid == JSONB else "mere_text_to_json"
        return Typed(call(macro, typed.sql), PgType(oid), typed.marks)
    if element_of(oid):
        return _each(call("mere_text_to_array", typed.sql), PgType(TEXT), target, typed.marks, env)
    name = _TEXT_MACROS.get(oid)
    if name is None:
        if typed.is_constant and not typed.marks & PLACEHOLDER and isinstance(typed.value, str):
            return env.constant(f"{quote_string(typed.value)}::{format_type(target)}", target)
        raise FeatureNotSupported(f"cast from text to {type_name(oid)} is not supported")
    return Typed(call(name, typed.sql), PgType(oid), typed.marks)


_TEXT_MACROS = {
    INT2: "mere_text_to_int2",
    INT4: "mere_text_to_int4",
    INT8: "mere_text_to_int8",
    FLOAT4: "mere_text_to_float4",
    FLOAT8: "mere_text_to_float8",
    BOOL: "mere_text_to_bool",
    DATE: "mere_text_to_date",
    TIME: "mere_text_to_time",
    TIMESTAMP: "mere_text_to_timestamp",
    INTERVAL: "mere_text_to_interval",
    UUID: "mere_text_to_uuid",
    BIT: "mere_text_to_bits",
    VARBIT: "mere_text_to_bits",
    BYTEA: "mere_text_to_bytea",
}


def _number(typed: Typed, target: PgType) -> Typed:
    source, oid = typed.type.oid, target.oid
    if oid == NUMERIC:
        return _to_numeric(typed)
    if oid in (FLOAT4, FLOAT8):
        constant = isinstance(typed.value, int | Decimal) and not isinstance(typed.value, bool)
        value = float(typed.value) if constant else None  # type: ignore[arg-type]
        return Typed(_to_float(typed, oid), PgType(oid), typed.marks, value=value)
    if isinstance(typed.value, int) and source in INTEGERS and -(2**31) <= typed.value < 2**31 and oid != INT2:
        return replace(integer_literal(typed.value, oid), marks=typed.marks)
    if source in (FLOAT4, FLOAT8):
        return Typed(call(f"mere_float_to_{_SHORT_TYPES[oid]}", typed.sql), PgType(oid), typed.marks)
    if source == NUMERIC and typed.decimal is None:
        return Typed(cast(call("mere_float_text", typed.sql), duckdb_type(PgType(oid))), PgType(oid), typed.marks)
    return Typed(cast(typed.sql, duckdb_type(PgType(oid))), PgType(oid), typed.marks)


def _to_numeric(typed: Typed) -> Typed:
    if isinstance(typed.value, int) and not isinstance(typed.value, bool):
        return replace(numeric_literal(Decimal(typed.value)), marks=typed.marks)
    carrier = decimal_of(typed)
    if carrier is not None:
        return Typed(cast(typed.sql, f"DECIMAL({carrier[0]},{carrier[1]})"), PgType(NUMERIC), typed.marks, carrier)
    name = "mere_float_text" if typed.type.oid == FLOAT8 else "mere_real_text"
    sql = cast(call(name, typed.sql), f"DECIMAL({_TRIMMED_CARRIER[0]},{_TRIMMED_CARRIER[1]})")
    return Typed(sql, PgType(NUMERIC), typed.marks, _TRIMMED_CARRIER, TRIMMED)


def _to_float(typed: Typed, oid: int) -> exp.Expression:
    kind = duckdb_type(PgType(oid))
    if typed.type.oid == NUMERIC and typed.decimal is None and oid == FLOAT8:
        return typed.sql
    if oid == FLOAT4 and typed.type.oid == FLOAT8:
        return call("mere_float8_to_float4", typed.sql)
    if isinstance(typed.value, Decimal | int) and not isinstance(typed.value, bool):
        return cast(string(str(typed.value)), kind)
    return cast(typed.sql, kind)


def _zone(env: Environment) -> exp.Expression:
    return zone(env.time_zone)


_Maker = Callable[[exp.Expression, Environment], exp.Expression]


def _simple(duckdb: str) -> _Maker:
    return lambda sql, env: cast(sql, duckdb)


_SPECIAL: dict[tuple[int, int], _Maker] = {
    (BIT, INT4): lambda sql, env: call("mere_bits_to_int4", sql),
    (BIT, INT8): lambda sql, env: call("mere_bits_to_int8", sql),
    (BIT, VARBIT): lambda sql, env: sql,
    (VARBIT, BIT): lambda sql, env: sql,
    (INT4, BOOL): lambda sql, env: cast(sql, "BOOLEAN"),
    (BOOL, INT4): _simple("INTEGER"),
    (DATE, TIMESTAMP): _simple("TIMESTAMP"),
    (DATE, TIMESTAMPTZ): lambda sql, env: call("timezone", _zone(env), cast(sql, "TIMESTAMP")),
    (TIME, INTERVAL): lambda sql, env: call("to_microseconds", call("mere_time_us", sql)),
    (TIME, TIMETZ): lambda sql, env: call("mere_time_to_timetz", sql, _zone(env)),
    (TIMESTAMP, DATE): _simple("DATE"),
    (TIMESTAMP, TIME): _simple("TIME"),
    (TIMESTAMP, TIMESTAMPTZ): lambda sql, env: call("timezone", _zone(env), sql),
    (TIMESTAMPTZ, TIMESTAMP): lambda sql, env: call("timezone", _zone(env), sql),
    (TIMESTAMPTZ, DATE): lambda sql, env: cast(call("timezone", _zone(env), sql), "DATE"),
    (TIMESTAMPTZ, TIME): lambda sql, env: cast(call("timezone", _zone(env), sql), "TIME"),
    (INTERVAL, TIME): lambda sql, env: call("mere_interval_to_time", sql),
    (TIMETZ, TIME): _simple("TIME"),
    (JSON, JSONB): lambda sql, env: call("mere_to_jsonb", sql),
    (TIMESTAMPTZ, TIMETZ): lambda sql, env: call("mere_timestamptz_to_timetz", sql, _zone(env)),
    (JSONB, JSON): lambda sql, env: sql,
    (JSONB, BOOL): lambda sql, env: call("mere_json_to_bool", sql),
    (JSONB, INT2): lambda sql, env: cast(call("mere_json_number", sql, string("smallint")), "SMALLINT"),
    (JSONB, INT4): lambda sql, env: cast(call("mere_json_number", sql, string("integer")), "INTEGER"),
    (JSONB, INT8): lambda sql, env: cast(call("mere_json_number", sql, string("bigint")), "BIGINT"),
    (JSONB, FLOAT4): lambda sql, env: cast(call("mere_json_number", sql, string("real")), "FLOAT"),
    (JSONB, FLOAT8): lambda sql, env: cast(call("mere_json_number", sql, string("double precision")), "DOUBLE"),
}
