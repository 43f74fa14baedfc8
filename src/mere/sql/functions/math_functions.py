"""Mathematical functions. Coordinator process."""

from __future__ import annotations

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.expressions.build import call, cast, number
from mere.sql.expressions.numeric import decimal_of
from mere.sql.expressions.operators import apply_operator
from mere.sql.expressions.typed import TRIMMED, VOLATILE, Typed
from mere.sql.functions.registry import BoundCall, same, scalar
from mere.sql.literals import integer_literal
from mere.sql.types import INT4, MAX_PRECISION, NUMERIC, PgType

same(
    """
    int2abs abs; int4abs abs; int8abs abs; float4abs abs; float8abs abs
    abs(int2) abs; abs(int4) abs; abs(int8) abs; abs(float4) abs; abs(float8) abs
    ceil(float8) ceil; ceiling(float8) ceil; floor(float8) floor
    round(float8) mere_round_half_even; trunc(float8) mere_trunc_float; sign(float8) mere_float_sign
    sqrt(float8) mere_sqrt; cbrt; exp(float8) mere_exp; ln(float8) mere_ln; log(float8) mere_log10
    log10(float8) mere_log10; power(float8,float8) mere_power; pow(float8,float8) mere_power
    mod(int2,int2) mere_mod; mod(int4,int4) mere_mod; mod(int8,int8) mere_mod
    gcd(int4,int4) mere_gcd; gcd(int8,int8) mere_gcd; lcm(int4,int4) mere_lcm; lcm(int8,int8) mere_lcm
    pi; degrees; radians; sin; cos; tan; cot; atan; atan2; sinh; cosh; tanh; asinh
    sind mere_sind; cosd mere_cosd; tand mere_tand; cotd mere_cotd
    asind mere_asind; acosd mere_acosd; atand mere_atand; atan2d mere_atan2d
    erf mere_kernel_erf; erfc mere_kernel_erfc
    random() random; setseed; gamma; lgamma
    width_bucket(float8,float8,float8,int4) mere_width_bucket
    width_bucket(numeric,numeric,numeric,int4) mere_width_bucket
    width_bucket(anycompatible,anycompatiblearray) mere_width_bucket_array
    """
)


@scalar("random(int4,int4)", "random(int8,int8)", "random_normal")
def _random(bound: BoundCall) -> exp.Expression:
    if any(argument.marks & VOLATILE for argument in bound.arguments):  # each is read more than once
        raise FeatureNotSupported(f"a volatile argument of {bound.node.name}() is not supported over lake data")
    if bound.node.name == "random_normal":
        return call("mere_random_normal", bound.sql(0), bound.sql(1))
    whole = call("mere_random_between", bound.sql(0), bound.sql(1))
    return cast(whole, "INTEGER" if bound.resolved.result == INT4 else "BIGINT")


def _like_argument(call_: BoundCall, sql: exp.Expression) -> Typed:
    value = call_.arguments[0]
    return Typed(sql, PgType(NUMERIC), call_.marks, value.decimal, value.display, value.minimum_scale)


@scalar("abs(numeric)", "numeric_abs")
def _abs(bound: BoundCall) -> Typed:
    return _like_argument(bound, call("abs", bound.sql(0)))


@scalar("numeric_inc")
def _increment(bound: BoundCall) -> Typed:
    return apply_operator(bound.context, "+", [bound.arguments[0], integer_literal(1, INT4)], exp.Null())


@scalar("sign(numeric)")
def _sign(bound: BoundCall) -> Typed:
    sql = cast(call("sign", bound.sql(0)), "DECIMAL(3,0)")
    return Typed(sql, PgType(NUMERIC), bound.marks, (3, 0))


def _whole(name: str, bound: BoundCall) -> Typed:
    value = bound.arguments[0]
    if value.decimal is None:
        return Typed(call(name, value.sql), PgType(NUMERIC), bound.marks)
    return Typed(call(name, value.sql), PgType(NUMERIC), bound.marks, (value.decimal[0], 0))


@scalar("ceil(numeric)", "ceiling(numeric)")
def _ceil(bound: BoundCall) -> Typed:
    return _whole("ceil", bound)


@scalar("floor(numeric)")
def _floor(bound: BoundCall) -> Typed:
    return _whole("floor", bound)


@scalar("round(numeric)")
def _round(bound: BoundCall) -> Typed:
    return _whole("round", bound)


@scalar("trunc(numeric)")
def _trunc(bound: BoundCall) -> Typed:
    return _whole("trunc", bound)


@scalar("round(numeric,int4)")
def _round_to(bound: BoundCall) -> Typed:
    return _to_scale("round", bound)


@scalar("trunc(numeric,int4)")
def _trunc_to(bound: BoundCall) -> Typed:
    return _to_scale("trunc", bound)


def _to_scale(name: str, bound: BoundCall) -> Typed:
    """A constant number of decimals makes an exact DECIMAL of that scale; a column of them, a DOUBLE."""
    value, digits = bound.arguments[0], bound.constant_int(1)
    if digits is None or value.decimal is None:
        sql = call(name, cast(value.sql, "DOUBLE"), bound.sql(1))
        return Typed(sql, PgType(NUMERIC), bound.marks)
    precision, scale = value.decimal
    if digits < 0:
        if -digits >= precision - scale:
            return Typed(cast(number(0), "DECIMAL(1,0)"), PgType(NUMERIC), bound.marks, (1, 0))
        return Typed(call(name, value.sql, number(digits)), PgType(NUMERIC), bound.marks, (precision, 0))
    wanted = min(digits, MAX_PRECISION)
    sql = value.sql
    if value.bare:
        sql = cast(value.sql, f"DECIMAL({precision},{scale})")
    if digits < scale:
        sql = call(name, sql, number(digits))
    width = min(max(precision - scale + wanted + (1 if digits < scale else 0), 1), MAX_PRECISION)
    width = max(width, precision) if digits < scale else width
    return Typed(cast(sql, f"DECIMAL({width},{wanted})"), PgType(NUMERIC), bound.marks, (width, wanted))


@scalar("sqrt(numeric)", "exp(numeric)", "ln(numeric)", "log(numeric)", "log10(numeric)")
def _inexact(bound: BoundCall) -> Typed:
    """Computed in double precision: 15 to 17 digits, where PostgreSQL computes at least 16."""
    name = {"log": "log10"}.get(bound.node.name, bound.node.name)
    return Typed(call(f"mere_{name}", cast(bound.sql(0), "DOUBLE")), PgType(NUMERIC), bound.marks)


@scalar("power(numeric,numeric)", "pow(numeric,numeric)")
def _power(bound: BoundCall) -> Typed:
    sql = call("mere_power", cast(bound.sql(0), "DOUBLE"), cast(bound.sql(1), "DOUBLE"))
    return Typed(sql, PgType(NUMERIC), bound.marks)


@scalar("log(numeric,numeric)")
def _log(bound: BoundCall) -> Typed:
    sql = call("mere_log", cast(bound.sql(0), "DOUBLE"), cast(bound.sql(1), "DOUBLE"))
    return Typed(sql, PgType(NUMERIC), bound.marks)


@scalar("mod(numeric,numeric)")
def _mod(bound: BoundCall) -> Typed:
    return apply_operator(bound.context, "%", list(bound.raw), bound.node)


@scalar("div(numeric,numeric)")
def _div(bound: BoundCall) -> Typed:
    quotient = apply_operator(bound.context, "/", list(bound.arguments), bound.node)
    sql = cast(call("trunc", quotient.sql), "DECIMAL(38,0)")
    return Typed(sql, PgType(NUMERIC), bound.marks, (38, 0))


@scalar("factorial(int8)")
def _factorial(bound: BoundCall) -> Typed:
    sql = cast(call("mere_factorial", bound.sql(0)), "DECIMAL(38,0)")
    return Typed(sql, PgType(NUMERIC), bound.marks, (38, 0))


@scalar("scale(numeric)")
def _scale(bound: BoundCall) -> Typed:
    carrier = decimal_of(bound.arguments[0])
    if carrier is None or bound.arguments[0].display:
        raise FeatureNotSupported("scale() of a computed numeric is not supported")
    sql = exp.Case(
        ifs=[exp.If(this=exp.Is(this=bound.sql(0), expression=exp.Null()), true=exp.Null())], default=number(carrier[1])
    )
    return Typed(sql, PgType(INT4), bound.marks)


@scalar("min_scale(numeric)")
def _min_scale(bound: BoundCall) -> exp.Expression:
    return call("mere_min_scale", bound.sql(0))


@scalar("trim_scale(numeric)")
def _trim_scale(bound: BoundCall) -> Typed:
    value = bound.arguments[0]
    if value.decimal is None:
        return Typed(value.sql, PgType(NUMERIC), bound.marks)
    return Typed(value.sql, PgType(NUMERIC), bound.marks, value.decimal, TRIMMED)


@scalar("asin", "acos")
def _arc(bound: BoundCall) -> exp.Expression:
    return call(bound.node.name, call("mere_unit_range", bound.sql(0)))


@scalar("acosh", "atanh")
def _arc_hyperbolic(bound: BoundCall) -> exp.Expression:
    return call(f"mere_{bound.node.name}", bound.sql(0))
