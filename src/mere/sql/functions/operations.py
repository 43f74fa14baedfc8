"""Operators other than comparison and number arithmetic: strings, dates, patterns, json, arrays, bits.

Keyed by the overload as PostgreSQL resolves it. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.coercion import as_text, coerce
from mere.sql.expressions.build import binary, call, cast, null, paren, string
from mere.sql.expressions.context import Context, marks_of
from mere.sql.expressions.folding import fold_times
from mere.sql.expressions.typed import PLACEHOLDER, Coercion, Typed
from mere.sql.expressions.unify import unify
from mere.sql.expressions.zones import zone
from mere.sql.functions import patterns
from mere.sql.functions.resolution import Resolved
from mere.sql.types import (
    BOOL,
    FLOAT8,
    INT2,
    INT4,
    INT8,
    INTERVAL,
    NUMERIC,
    PgType,
    duckdb_type,
    element_of,
    type_name,
)

Apply = Callable[[Context, list[Typed], Resolved], "Typed | exp.Expression"]


def apply_other(context: Context, name: str, operands: list[Typed], found: Resolved, node: exp.Expression) -> Typed:
    key = str(found.signature)
    handler = OPERATIONS.get(key) or OPERATIONS.get(name)
    marks = marks_of(operands)
    if handler is None:
        if not marks & ~PLACEHOLDER and not isinstance(node, exp.Null):
            return context.env.constant(context.postgres_text(node), PgType(found.result))
        raise FeatureNotSupported(f"operator {_spelled(name, operands)} is not supported over lake data")
    known = [
        coerce(operand, PgType(target), Coercion.IMPLICIT, context.env) if operand.type.oid != target else operand
        for operand, target in zip(operands, found.arguments, strict=True)
    ]
    made = handler(context, known, found)
    return made if isinstance(made, Typed) else Typed(made, PgType(found.result), marks)


def _spelled(name: str, operands: list[Typed]) -> str:
    names = [type_name(operand.type.oid) for operand in operands]
    return f"{name} {names[0]}" if len(names) == 1 else f"{names[0]} {name} {names[1]}"


def _calls(name: str) -> Apply:
    return lambda context, operands, found: call(name, *(operand.sql for operand in operands))


def _swapped(name: str) -> Apply:
    return lambda context, operands, found: call(name, operands[1].sql, operands[0].sql)


def _infix(kind: type[exp.Binary]) -> Apply:
    return lambda context, operands, found: binary(kind, operands[0].sql, operands[1].sql)


# -- dates and times ------------------------------------------------------------------------------------------------


def _times(kind: type[exp.Binary], symbol: str, duckdb: str = "") -> Apply:
    """DuckDB's own + and -, constants folded; `duckdb` where its result type differs."""

    def build(context: Context, operands: list[Typed], found: Resolved) -> Typed | exp.Expression:
        folded = fold_times(symbol, operands[0], operands[1])
        if folded is not None:
            return folded
        sql = binary(kind, operands[0].sql, operands[1].sql)
        return cast(sql, duckdb) if duckdb else sql

    return build


def _zoned(kind: type[exp.Binary]) -> Apply:
    """timestamptz +- interval: days and months in the session's time zone."""

    def build(context: Context, operands: list[Typed], found: Resolved) -> exp.Expression:
        if operands[0].type.oid == INTERVAL:
            operands = [operands[1], operands[0]]
        name = "mere_timestamptz_add" if kind is exp.Add else "mere_timestamptz_subtract"
        return call(name, operands[0].sql, operands[1].sql, zone(context.env.time_zone))

    return build


def _interval_product(context: Context, operands: list[Typed], found: Resolved) -> exp.Expression:
    if operands[0].type.oid == FLOAT8:
        operands = [operands[1], operands[0]]
    return call("mere_interval_multiply", operands[0].sql, operands[1].sql)


# -- strings --------------------------------------------------------------------------------------------------------


def _concat(context: Context, operands: list[Typed], found: Resolved) -> exp.Expression:
    """text || anything: the other side as its text."""
    parts = []
    if any(operand.is_null for operand in operands):  # DuckDB would give it the type of NULL
        return null("VARCHAR")
    for operand in operands:
        if operand.type.oid == BOOL:  # a cast to text says true, output says t
            parts.append(cast(operand.sql, "VARCHAR"))
        else:
            parts.append(as_text(operand, context.env).sql)
    return exp.DPipe(this=paren(parts[0]), expression=paren(parts[1]))


def _array_concat(context: Context, operands: list[Typed], found: Resolved) -> Typed:
    left, right = operands
    first, second = (bool(element_of(operand.type.oid)) for operand in operands)
    decimal = left.decimal or right.decimal
    if first and second:
        sql = call("mere_array_cat", left.sql, right.sql)
    elif first:
        sql = call("list_append", left.sql, right.sql)
    else:
        sql = call("list_prepend", left.sql, right.sql)
    return Typed(sql, PgType(found.result), left.marks | right.marks, decimal)


# -- numbers --------------------------------------------------------------------------------------------------------


def _numeric_power(context: Context, operands: list[Typed], found: Resolved) -> Typed:
    sql = call("mere_power", *(cast(operand.sql, "DOUBLE") for operand in operands))
    return Typed(sql, PgType(NUMERIC), marks_of(operands))


def _absolute(context: Context, operands: list[Typed], found: Resolved) -> Typed:
    value = operands[0]
    return Typed(call("abs", value.sql), PgType(found.result), value.marks, value.decimal, value.display)


def _bit(kind: type[exp.Binary]) -> Apply:
    def build(context: Context, operands: list[Typed], found: Resolved) -> exp.Expression:
        return cast(binary(kind, operands[0].sql, operands[1].sql), duckdb_type(PgType(found.result)))

    return build


def _bit_xor(context: Context, operands: list[Typed], found: Resolved) -> exp.Expression:
    return cast(call("xor", operands[0].sql, operands[1].sql), duckdb_type(PgType(found.result)))


def _shift(name: str) -> Apply:
    def build(context: Context, operands: list[Typed], found: Resolved) -> exp.Expression:
        bits = {INT2: 16, INT4: 32, INT8: 64}[found.result]
        made = call(f"{name}{bits}", operands[0].sql, operands[1].sql)
        return cast(made, duckdb_type(PgType(found.result)))

    return build


# -- arrays ---------------------------------------------------------------------------------------------------------


def _alike(name: str, swap: bool = False) -> Apply:
    """An operator over two arrays of one DuckDB type."""

    def build(context: Context, operands: list[Typed], found: Resolved) -> exp.Expression:
        left, right = unify(operands, "ARRAY", context.env)
        return call(name, right.sql, left.sql) if swap else call(name, left.sql, right.sql)

    return build


# -- json -----------------------------------------------------------------------------------------------------------


def _member(name: str) -> Apply:
    """-> and ->>: a chain of constant keys is one path, so that what lies between is never made."""
    _, kind, what, _ = name.split("_")
    at = f"mere_{kind}_text_at" if what == "text" else f"mere_{kind}_at"

    def build(context: Context, operands: list[Typed], found: Resolved) -> exp.Expression:
        step = _path_step(kind, operands[1].value)
        if step is None:
            return call(name, operands[0].sql, operands[1].sql)
        document, path = operands[0].sql, "$"
        if isinstance(document, exp.Anonymous) and document.name == f"mere_{kind}_at":
            document, before = document.expressions
            path = before.name
        return call(at, document, string(path + step))

    return build


def _path_step(kind: str, key: object) -> str | None:
    """The step in DuckDB's spelling; None where it is not known, or means more: a scalar of jsonb has itself at 0."""
    if key == "":
        raise FeatureNotSupported("the empty key of a json value is not supported over lake data")
    if isinstance(key, str):
        escaped = key.replace("\\", "\\\\").replace('"', '\\"')
        return f'."{escaped}"'
    if not isinstance(key, int) or isinstance(key, bool) or (kind == "jsonb" and key in (0, -1)):
        return None
    return f"[{key}]" if key >= 0 else f"[#{key}]"


def _jsonpath(name: str) -> Apply:
    """@? and @@ hide the errors of a path."""
    return lambda context, operands, found: call(
        name, operands[0].sql, operands[1].sql, string("{}"), exp.Boolean(this=True)
    )


OPERATIONS: dict[str, Apply] = {
    "||(text,text)": _concat,
    "||(text,anynonarray)": _concat,
    "||(anynonarray,text)": _concat,
    "||(bytea,bytea)": _infix(exp.DPipe),
    "||(anycompatiblearray,anycompatiblearray)": _array_concat,
    "||(anycompatiblearray,anycompatible)": _array_concat,
    "||(anycompatible,anycompatiblearray)": _array_concat,
    "||(jsonb,jsonb)": _calls("mere_jsonb_concat"),
    "+(date,int4)": _times(exp.Add, "+"),
    "+(int4,date)": _times(exp.Add, "+"),
    "-(date,int4)": _times(exp.Sub, "-"),
    "-(date,date)": _times(exp.Sub, "-", "INTEGER"),
    "+(date,interval)": _times(exp.Add, "+"),
    "+(interval,date)": _times(exp.Add, "+"),
    "-(date,interval)": _times(exp.Sub, "-"),
    "+(timestamp,interval)": _times(exp.Add, "+"),
    "+(interval,timestamp)": _times(exp.Add, "+"),
    "-(timestamp,interval)": _times(exp.Sub, "-"),
    "-(timestamp,timestamp)": _infix(exp.Sub),
    "-(timestamptz,timestamptz)": _infix(exp.Sub),
    "+(timestamptz,interval)": _zoned(exp.Add),
    "+(interval,timestamptz)": _zoned(exp.Add),
    "-(timestamptz,interval)": _zoned(exp.Sub),
    "+(date,time)": _times(exp.Add, "+"),
    "+(time,date)": _times(exp.Add, "+"),
    "+(time,interval)": _calls("mere_time_add"),
    "+(interval,time)": _swapped("mere_time_add"),
    "-(time,interval)": _calls("mere_time_subtract"),
    "-(time,time)": _calls("mere_time_difference"),
    "+(interval,interval)": _times(exp.Add, "+"),
    "-(interval,interval)": _times(exp.Sub, "-"),
    "-(interval)": _calls("mere_interval_negate"),
    "*(interval,float8)": _interval_product,
    "*(float8,interval)": _interval_product,
    "/(interval,float8)": _calls("mere_interval_divide"),
    "^(float8,float8)": _calls("mere_power"),
    "^(numeric,numeric)": _numeric_power,
    "@": _absolute,
    "|/": _calls("mere_sqrt"),
    "||/": _calls("cbrt"),
    "&": _bit(exp.BitwiseAnd),
    "|": _bit(exp.BitwiseOr),
    "&(bit,bit)": _calls("mere_bit_and"),
    "|(bit,bit)": _calls("mere_bit_or"),
    "#(bit,bit)": _calls("mere_bit_xor"),
    "~(bit)": _calls("mere_bit_not"),
    "<<(bit,int4)": _calls("mere_bit_left"),
    ">>(bit,int4)": _calls("mere_bit_right"),
    "||(varbit,varbit)": _calls("mere_text_concat"),
    "#(int2,int2)": _bit_xor,
    "#(int4,int4)": _bit_xor,
    "#(int8,int8)": _bit_xor,
    "~(int2)": lambda context, operands, found: exp.BitwiseNot(this=paren(operands[0].sql)),
    "~(int4)": lambda context, operands, found: exp.BitwiseNot(this=paren(operands[0].sql)),
    "~(int8)": lambda context, operands, found: exp.BitwiseNot(this=paren(operands[0].sql)),
    "<<": _shift("mere_shift_left_"),
    ">>": _shift("mere_shift_right_"),
    "~~": patterns.like,
    "!~~": patterns.negated(patterns.like),
    "~~*": patterns.ilike,
    "!~~*": patterns.negated(patterns.ilike),
    "~(text,text)": patterns.matches(""),
    "~(name,text)": patterns.matches(""),
    "~(bpchar,text)": patterns.matches(""),
    "~*": patterns.matches("i"),
    "!~": patterns.negated(patterns.matches("")),
    "!~*": patterns.negated(patterns.matches("i")),
    "^@": _calls("starts_with"),
    "->(json,int4)": _member("mere_json_get_index"),
    "->(jsonb,int4)": _member("mere_jsonb_get_index"),
    "->(json,text)": _member("mere_json_get_key"),
    "->(jsonb,text)": _member("mere_jsonb_get_key"),
    "->>(json,int4)": _member("mere_json_text_index"),
    "->>(jsonb,int4)": _member("mere_jsonb_text_index"),
    "->>(json,text)": _member("mere_json_text_key"),
    "->>(jsonb,text)": _member("mere_jsonb_text_key"),
    "#>(json,_text)": _calls("mere_json_get_path"),
    "#>(jsonb,_text)": _calls("mere_jsonb_get_path"),
    "#>>(json,_text)": _calls("mere_json_text_path"),
    "#>>(jsonb,_text)": _calls("mere_jsonb_text_path"),
    "@>(jsonb,jsonb)": _calls("mere_jsonb_contains"),
    "<@(jsonb,jsonb)": _swapped("mere_jsonb_contains"),
    "?": _calls("mere_jsonb_exists"),
    "?|": _calls("mere_jsonb_exists_any"),
    "?&": _calls("mere_jsonb_exists_all"),
    "-(jsonb,text)": _calls("mere_jsonb_delete_key"),
    "-(jsonb,_text)": _calls("mere_jsonb_delete_keys"),
    "-(jsonb,int4)": _calls("mere_jsonb_delete_index"),
    "#-(jsonb,_text)": _calls("mere_jsonb_delete_path"),
    "@?(jsonb,jsonpath)": _jsonpath("mere_jsonpath_exists"),
    "@@(jsonb,jsonpath)": _jsonpath("mere_jsonpath_match"),
    "@>(anyarray,anyarray)": _alike("mere_array_contains"),
    "<@(anyarray,anyarray)": _alike("mere_array_contains", swap=True),
    "&&": _alike("list_has_any"),
}
