"""Operators by PostgreSQL's resolution: arithmetic and comparison in DuckDB's own operators, others by the table in
mere.sql.functions.operations. Coordinator process."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from sqlglot import exp

from mere.errors import DataError, FeatureNotSupported, UndefinedObject
from mere.sql.coercion import coerce
from mere.sql.expressions.build import binary, call, cast, number, paren
from mere.sql.expressions.context import Context, handles
from mere.sql.expressions.folding import fold
from mere.sql.expressions.numeric import (
    EXACT,
    QUOTIENT_SCALE,
    WIDE_QUOTIENT_SCALE,
    add_carrier,
    as_decimal,
    decimal_of,
    is_wide_dividend,
    multiply_carrier,
    product_operands,
)
from mere.sql.expressions.typed import QUOTIENT, TRIMMED, Coercion, Typed
from mere.sql.functions.resolution import AmbiguousName, Resolved, resolve_operator
from mere.sql.grammar.nodes import PgOperator
from mere.sql.literals import integer_literal, numeric_literal
from mere.sql.types import (
    BOOL,
    DATE,
    FLOAT4,
    FLOAT8,
    INT2,
    INT4,
    INT8,
    INTEGERS,
    JSONB,
    NUMBERS,
    NUMERIC,
    PgType,
    duckdb_type,
    type_name,
)

SYMBOLS: dict[type[exp.Expression], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.Pow: "^",
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.GT: ">",
    exp.LTE: "<=",
    exp.GTE: ">=",
}
COMPARISONS: dict[str, type[exp.Binary]] = {
    "=": exp.EQ,
    "<>": exp.NEQ,
    "<": exp.LT,
    ">": exp.GT,
    "<=": exp.LTE,
    ">=": exp.GTE,
}
_ARITHMETIC: dict[str, type[exp.Binary]] = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul, "/": exp.Div, "%": exp.Mod}
_FLOAT_MACROS = {"+": "mere_float_add", "-": "mere_float_subtract", "*": "mere_float_multiply", "/": "mere_float_div"}
_LIMITS = {INT2: 2**15, INT4: 2**31, INT8: 2**63}
_RANK = {INT2: 0, INT4: 1, INT8: 2}


def resolve(name: str, operands: list[Typed]) -> Resolved:
    """The operator's overload, or 42883 / 42725 in PostgreSQL's words."""
    types = tuple(operand.type.oid for operand in operands)
    try:
        found = resolve_operator(name, types)
    except AmbiguousName:
        raise UndefinedObject(f"operator is not unique: {_spelled(name, operands)}", sqlstate="42725") from None
    if found is None:
        raise UndefinedObject(
            f"operator does not exist: {_spelled(name, operands)}",
            sqlstate="42883",
            hint="No operator matches the given name and argument types. You might need to add explicit type casts.",
        )
    return found


def _spelled(name: str, operands: list[Typed]) -> str:
    names = [type_name(operand.type.oid) for operand in operands]
    return f"{name} {names[0]}" if len(names) == 1 else f"{names[0]} {name} {names[1]}"


@handles(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Pow)
def bind_arithmetic(context: Context, node: exp.Expression) -> Typed:
    operands = [context.bind(node.this), context.bind(node.expression)]
    return apply_operator(context, SYMBOLS[type(node)], operands, node)


@handles(exp.Neg)
def bind_negation(context: Context, node: exp.Expression) -> Typed:
    return apply_operator(context, "-", [context.bind(node.this)], node)


@handles(PgOperator)
def bind_operator(context: Context, node: exp.Expression) -> Typed:
    from mere.sql.expressions.predicates import bind_quantified

    right = node.args["expression"]
    name = str(node.args["operator"])
    if isinstance(right, exp.Any | exp.All):
        return bind_quantified(context, node.this, name, right)
    left = node.args.get("this")
    operands = [context.bind(right)] if left is None else [context.bind(left), context.bind(right)]
    return apply_operator(context, name, operands, node)


def apply_operator(context: Context, name: str, operands: list[Typed], node: exp.Expression) -> Typed:
    """One operator over bound operands; rows are the business of predicates."""
    found = resolve(name, operands)
    marks = 0
    for operand in operands:
        marks |= operand.marks
    numbers = all(oid in NUMBERS for oid in found.arguments)
    if name in COMPARISONS and found.result == BOOL:
        return compare(context, name, operands, found)
    if numbers and name in _ARITHMETIC:
        operands = [_known_number(context, o, t) for o, t in zip(operands, found.arguments, strict=True)]
        return _prefix_number(name, operands[0]) if len(operands) == 1 else _numbers(context, name, operands, found)
    from mere.sql.functions.operations import apply_other

    return apply_other(context, name, operands, found, node)


def _known_number(context: Context, operand: Typed, oid: int) -> Typed:
    if operand.is_unknown:
        return coerce(operand, PgType(oid), Coercion.IMPLICIT, context.env)
    return operand


def _prefix_number(name: str, operand: Typed) -> Typed:
    if name == "+":
        return operand
    if isinstance(operand.value, int) and operand.bare and operand.value != 0:
        return integer_literal(-operand.value, operand.type.oid)
    if isinstance(operand.value, Decimal) and operand.bare:
        return numeric_literal(-operand.value)
    return replace(operand, sql=exp.Neg(this=paren(operand.sql)), type=PgType(operand.type.oid), value=None, bare=False)


# -- comparison -------------------------------------------------------------------------------------------------------


def compare(context: Context, name: str, operands: list[Typed], found: Resolved) -> Typed:
    """A comparison in which no column is cast where DuckDB compares the two types as PostgreSQL does."""
    left, right = operands
    target_left, target_right = found.arguments
    if target_left in NUMBERS and target_right in NUMBERS:
        left, right = _known_number(context, left, target_left), _known_number(context, right, target_right)
        left, right = _comparable_numbers(context, left, right)
    elif target_left == DATE and isinstance(right.value, dt.datetime):
        left, right = _date_and_moment(left, right)
    elif target_right == DATE and isinstance(left.value, dt.datetime):
        right, left = _date_and_moment(right, left)
    else:
        left = coerce(left, PgType(target_left), Coercion.IMPLICIT, context.env)
        right = coerce(right, PgType(target_right), Coercion.IMPLICIT, context.env)
        if target_left != target_right:
            left, right = _mixed_times(context, left, right)
        elif target_left == JSONB:
            macro = "mere_jsonb_identity" if name in ("=", "<>") else "mere_jsonb_key"
            left, right = (replace(side, sql=call(macro, side.sql), value=None) for side in (left, right))
    sql = binary(COMPARISONS[name], left.sql, right.sql)
    return Typed(sql, PgType(BOOL), left.marks | right.marks)


def _comparable_numbers(context: Context, left: Typed, right: Typed) -> tuple[Typed, Typed]:
    """DuckDB compares integers, decimals and floats by their common type, like PostgreSQL; only a float against an
    exact numeric goes through double precision in both, and float4 against float8 too."""
    for first, second in ((left, right), (right, left)):
        if first.type.oid in (FLOAT4, FLOAT8) and second.type.oid not in (FLOAT4, FLOAT8) and second.value is not None:
            wide = coerce(second, PgType(FLOAT8), Coercion.EXPLICIT, context.env)
            first = first if first.type.oid == FLOAT8 else coerce(first, PgType(FLOAT8), Coercion.IMPLICIT, context.env)
            return (first, wide) if first.type.oid == left.type.oid or left is not second else (wide, first)
    return left, right


def _date_and_moment(date: Typed, moment: Typed) -> tuple[Typed, Typed]:
    """A date column against a timestamp constant at midnight is a comparison of dates, which scans can use."""
    value = moment.value
    assert isinstance(value, dt.datetime)
    if value.time() == dt.time(0):
        from mere.sql.literals import date_literal

        return date, replace(date_literal(value.date()), marks=moment.marks)
    return date, moment


def _mixed_times(context: Context, left: Typed, right: Typed) -> tuple[Typed, Typed]:
    """date, timestamp and timestamptz compared with each other: as the widest of them."""
    from mere.sql.types import TIMESTAMP, TIMESTAMPTZ

    order = {DATE: 0, TIMESTAMP: 1, TIMESTAMPTZ: 2}
    if left.type.oid not in order or right.type.oid not in order:
        return left, right
    target = max(left.type.oid, right.type.oid, key=lambda oid: order[oid])
    if isinstance(left.value, dt.date) and not isinstance(left.value, dt.datetime) and target == TIMESTAMP:
        return left, right
    return (
        coerce(left, PgType(target), Coercion.IMPLICIT, context.env),
        coerce(right, PgType(target), Coercion.IMPLICIT, context.env),
    )


# -- arithmetic on numbers --------------------------------------------------------------------------------------------


def _numbers(context: Context, name: str, operands: list[Typed], found: Resolved) -> Typed:
    folded = fold(name, operands[0], operands[1], found.result)
    if folded is not None:
        return folded
    marks = operands[0].marks | operands[1].marks
    if found.result in INTEGERS:
        return _integers(name, operands[0], operands[1], found.result, marks)
    if found.result in (FLOAT4, FLOAT8):
        return _floats(context, name, operands, found.result, marks)
    return _decimals(context, name, operands[0], operands[1], marks)


def _integers(name: str, left: Typed, right: Typed, result: int, marks: int) -> Typed:
    """DuckDB's own integer arithmetic raises on overflow; it needs one operand of the result's type and no bare
    number deciding it."""
    sized = [operand for operand in (left, right) if not operand.bare]
    if not any(operand.type.oid == result for operand in sized):
        wider = left if not left.bare or right.bare else right
        widened = replace(wider, sql=cast(wider.sql, duckdb_type(PgType(result))), bare=False)
        left, right = (widened, right) if wider is left else (left, widened)
    pg_type = PgType(result)
    if name in ("/", "%"):
        if isinstance(right.value, int) and right.value not in (0, -1):
            kind = exp.IntDiv if name == "/" else exp.Mod
            return Typed(binary(kind, left.sql, right.sql), pg_type, marks)
        return Typed(call("mere_int_div" if name == "/" else "mere_mod", left.sql, right.sql), pg_type, marks)
    return Typed(binary(_ARITHMETIC[name], left.sql, right.sql), pg_type, marks)


def _floats(context: Context, name: str, operands: list[Typed], result: int, marks: int) -> Typed:
    left, right = (coerce(o, PgType(result), Coercion.IMPLICIT, context.env) for o in operands)
    pg_type = PgType(result)
    if name == "%":
        raise FeatureNotSupported("operator % on floats is not supported")
    return Typed(call(_FLOAT_MACROS[name], left.sql, right.sql), pg_type, marks)


def _decimals(context: Context, name: str, left: Typed, right: Typed, marks: int) -> Typed:
    if _is_double(left) or _is_double(right) or _outgrows(name, left, right):
        return _double_numerics(name, left, right, marks)
    if name == "/":
        return divide(left, right, marks)
    if context.wide_decimals:
        left, right = _widened(left), _widened(right)
    if name == "*":
        left, right = product_operands(left, right)
    first, second = decimal_of(left), decimal_of(right)
    assert first is not None and second is not None
    display, minimum = _display_of(left, right)
    pg_type = PgType(NUMERIC)
    if name == "%":
        carrier = add_carrier(first, second)
        sql = _modulo(left, right)
        return Typed(sql, pg_type, marks, carrier, display, minimum)
    carrier = multiply_carrier(first, second) if name == "*" else add_carrier(first, second)
    sql = binary(_ARITHMETIC[name], _decimal_operand(left), _decimal_operand(right))
    return Typed(sql, pg_type, marks, carrier, display, minimum)


def _modulo(left: Typed, right: Typed) -> exp.Expression:
    if isinstance(right.value, int | Decimal) and right.value != 0:
        return binary(exp.Mod, _decimal_operand(left), _decimal_operand(right))
    return call("mere_mod", _decimal_operand(left), _decimal_operand(right))


def _decimal_operand(operand: Typed) -> exp.Expression:
    """As it is: DuckDB makes a decimal of an integer by itself. A number that stands for a decimal needs its point."""
    if operand.type.oid == NUMERIC or operand.bare:
        return operand.sql
    return operand.sql


def _widened(operand: Typed) -> Typed:
    carrier = decimal_of(operand)
    if carrier is None or operand.value is not None:
        return operand
    wide = (38, carrier[1])
    return Typed(
        as_decimal(operand, wide), PgType(NUMERIC), operand.marks, wide, operand.display, operand.minimum_scale
    )


def _display_of(left: Typed, right: Typed) -> tuple[int, int]:
    if QUOTIENT in (left.display, right.display):
        scales = [0]
        for operand in (left, right):
            carrier = decimal_of(operand)
            if operand.display == QUOTIENT:
                scales.append(operand.minimum_scale)
            elif carrier is not None:
                scales.append(carrier[1])
        return QUOTIENT, max(scales)
    return (TRIMMED, 0) if TRIMMED in (left.display, right.display) else (0, 0)


def _is_double(operand: Typed) -> bool:
    return operand.type.oid == NUMERIC and operand.decimal is None


def _outgrows(name: str, left: Typed, right: Typed) -> bool:
    """A quotient has twenty decimals already: divided again, or multiplied by more than a whole number that is
    written out, its digits would not fit in 38. A double has as many digits as PostgreSQL promises of a quotient."""
    quotients = [operand for operand in (left, right) if operand.display == QUOTIENT]
    if name == "/":
        return bool(quotients)
    whole = [operand for operand in (left, right) if isinstance(operand.value, int)]
    return name == "*" and bool(quotients) and not (len(quotients) == 1 and whole)


def _double_numerics(name: str, left: Typed, right: Typed, marks: int) -> Typed:
    """Numerics that DuckDB can only carry as DOUBLE (sqrt, ln, power ... of a numeric)."""
    first, second = cast(left.sql, "DOUBLE"), cast(right.sql, "DOUBLE")
    if name == "/":
        sql = call("mere_float_div", first, second)
    elif name == "%":
        sql = call("mere_mod", first, second)
    else:
        sql = binary(_ARITHMETIC[name], first, second)
    return Typed(sql, PgType(NUMERIC), marks)


def divide(left: Typed, right: Typed, marks: int) -> Typed:
    """numeric / numeric to 20 decimals: a quotient in double precision, then its exact remainder divided likewise,
    which is some 20 times the speed of long division of 128-bit integers."""
    first, second = decimal_of(left), decimal_of(right)
    assert first is not None and second is not None
    wide = is_wide_dividend(first)
    name = "mere_div_wide" if wide else "mere_div_fine" if second[1] > 6 else "mere_div"
    sql = call(name, left.sql, right.sql)
    minimum = max(
        operand.minimum_scale if operand.display == QUOTIENT else carrier[1] if operand.display != TRIMMED else 0
        for operand, carrier in ((left, first), (right, second))
    )
    quotient = (38, WIDE_QUOTIENT_SCALE if wide else QUOTIENT_SCALE)
    return Typed(sql, PgType(NUMERIC), marks, quotient, QUOTIENT, minimum)


def scaled(operand: Typed, scale: int) -> exp.Expression:
    """The number times 10^scale as a HUGEINT, exact."""
    carrier = decimal_of(operand)
    assert carrier is not None
    if isinstance(operand.value, int | Decimal):
        shifted = int(Decimal(operand.value).scaleb(scale, context=EXACT))
        return cast(number(shifted), "HUGEINT")
    if scale == 0:
        return cast(operand.sql, "HUGEINT")
    factor = cast(number(10**scale), f"DECIMAL({scale + 1},0)")
    if operand.type.oid != NUMERIC:
        return binary(exp.Mul, cast(operand.sql, "HUGEINT"), cast(number(10**scale), "HUGEINT"))
    width = min(carrier[0] + scale + 1, 38)
    wide = cast(operand.sql, f"DECIMAL({max(width, carrier[0], min(19 + carrier[1], 38))},{carrier[1]})")
    return cast(binary(exp.Mul, wide, factor), "HUGEINT")


def overflow(oid: int) -> DataError:
    return DataError(f"{type_name(oid)} out of range", sqlstate="22003")


Apply = Callable[[Context, list[Typed]], Typed]
