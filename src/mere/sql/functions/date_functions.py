"""Date and time functions. Coordinator process."""

from __future__ import annotations

from sqlglot import exp

from mere.errors import DataError, FeatureNotSupported
from mere.sql.expressions.build import binary, call, cast, number, string
from mere.sql.expressions.typed import Typed
from mere.sql.expressions.zones import offset_seconds, zone
from mere.sql.functions.registry import SCALARS, BoundCall, same, scalar
from mere.sql.types import (
    DATE,
    FLOAT8,
    INTERVAL,
    NUMERIC,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    PgType,
    type_name,
)

same(
    """
    age(timestamp,timestamp) age; justify_hours mere_justify_hours; justify_days mere_justify_days
    justify_interval mere_justify_interval; make_date mere_make_date; make_time mere_make_time
    make_timestamp mere_make_timestamp; make_interval mere_make_interval
    isfinite(date) isfinite; isfinite(timestamp) isfinite; isfinite(timestamptz) isfinite
    to_timestamp(float8) to_timestamp
    date_bin(interval,timestamp,timestamp) mere_date_bin; date_bin(interval,timestamptz,timestamptz) mere_date_bin_zoned
    overlaps(timestamp,timestamp,timestamp,timestamp) mere_overlaps
    overlaps(timestamptz,timestamptz,timestamptz,timestamptz) mere_overlaps
    overlaps(time,time,time,time) mere_overlaps
    clock_timestamp mere_clock
    """
)

_TRUNC_UNITS = frozenset(
    {
        "microseconds",
        "milliseconds",
        "second",
        "minute",
        "hour",
        "day",
        "week",
        "month",
        "quarter",
        "year",
        "decade",
        "century",
        "millennium",
    }
)
_WHOLE = {
    "year": "mere_year",
    "month": "month",
    "day": "day",
    "hour": "hour",
    "minute": "minute",
    "quarter": "quarter",
    "week": "weekofyear",
    "dow": "dayofweek",
    "isodow": "isodow",
    "doy": "dayofyear",
    "isoyear": "mere_isoyear",
    "century": "mere_century",
    "decade": "mere_decade",
    "millennium": "mere_millennium",
}
_DAY_PARTS = frozenset({"hour", "minute", "second", "microseconds", "milliseconds"})
_SYNONYMS = {
    "years": "year",
    "y": "year",
    "months": "month",
    "mon": "month",
    "days": "day",
    "d": "day",
    "hours": "hour",
    "h": "hour",
    "minutes": "minute",
    "min": "minute",
    "mins": "minute",
    "seconds": "second",
    "sec": "second",
    "secs": "second",
    "s": "second",
    "weeks": "week",
    "w": "week",
    "quarters": "quarter",
    "decades": "decade",
    "centuries": "century",
    "millennia": "millennium",
    "microsecond": "microseconds",
    "us": "microseconds",
    "millisecond": "milliseconds",
    "ms": "milliseconds",
}


def _unit(bound: BoundCall) -> str:
    text = bound.constant_text(0)
    if text is None:
        raise FeatureNotSupported(f"{bound.node.name}() with a field that is no constant is not supported")
    unit = text.lower().strip()
    return _SYNONYMS.get(unit, unit)


def _unknown_unit(unit: str, oid: int) -> DataError:
    return DataError(f'unit "{unit}" not recognized for type {type_name(oid)}', sqlstate="22023")


# -- extract and date_part --------------------------------------------------------------------------------------------


@scalar("extract")
def _extract(bound: BoundCall) -> Typed:
    sql, scale = _field(bound)
    return Typed(sql, PgType(NUMERIC), bound.marks, (18 if scale == 0 else 30, scale))


@scalar("date_part")
def _date_part(bound: BoundCall) -> Typed:
    sql, _scale = _field(bound)
    return Typed(cast(sql, "DOUBLE"), PgType(FLOAT8), bound.marks)


def _field(bound: BoundCall) -> tuple[exp.Expression, int]:
    """The field as a DECIMAL, and its number of decimals."""
    unit, value = _unit(bound), bound.arguments[1]
    oid = value.type.oid
    if oid == INTERVAL:
        return _interval_field(unit, value)
    if unit == "epoch":
        if oid == DATE:
            days = exp.Paren(this=exp.Sub(this=value.sql, expression=cast(string("1970-01-01"), "DATE")))
            return cast(exp.Mul(this=days, expression=number(86400)), "DECIMAL(18,0)"), 0
        if oid == TIME:
            return cast(call("mere_us_seconds", call("mere_time_us", value.sql)), "DECIMAL(30,6)"), 6
        return cast(call("mere_epoch", value.sql), "DECIMAL(30,6)"), 6
    local = value.sql
    if oid == TIMESTAMPTZ:
        if unit.startswith("timezone"):
            return _offset_field(unit, bound)
        local = call("timezone", zone(bound.context.env.time_zone), local)
    if (oid == DATE and unit in _DAY_PARTS) or (oid == TIME and unit not in _DAY_PARTS):
        raise FeatureNotSupported(f'unit "{unit}" not supported for type {type_name(oid)}')
    return _moment_field(unit, local, oid)


def _moment_field(unit: str, local: exp.Expression, oid: int) -> tuple[exp.Expression, int]:
    whole = _WHOLE.get(unit)
    if whole is not None:
        return cast(call(whole, local), "DECIMAL(18,0)"), 0
    if unit == "julian":
        return cast(call("mere_julian", local), "DECIMAL(18,0)"), 0
    microseconds = call("microsecond", local)
    if unit == "microseconds":
        return cast(microseconds, "DECIMAL(18,0)"), 0
    if unit == "milliseconds":
        return cast(call("mere_us_millis", microseconds), "DECIMAL(30,3)"), 3
    if unit == "second":
        return cast(call("mere_us_seconds", microseconds), "DECIMAL(30,6)"), 6
    raise _unknown_unit(unit, oid)


def _offset_field(unit: str, bound: BoundCall) -> tuple[exp.Expression, int]:
    offset = call("mere_zone_offset", bound.arguments[1].sql, zone(bound.context.env.time_zone))
    divisors = {"timezone": 1, "timezone_hour": 3600, "timezone_minute": 60}
    if unit not in divisors:
        raise _unknown_unit(unit, TIMESTAMPTZ)
    whole: exp.Expression = binary(exp.IntDiv, offset, number(divisors[unit]))
    if unit == "timezone_minute":
        whole = binary(exp.Mod, whole, number(60))
    return cast(whole, "DECIMAL(18,0)"), 0


def _interval_field(unit: str, value: Typed) -> tuple[exp.Expression, int]:
    months = call("mere_interval_months", value.sql)
    microseconds = call("mere_interval_us", value.sql)
    whole = {
        "year": binary(exp.IntDiv, months, number(12)),
        "month": binary(exp.Mod, months, number(12)),
        "quarter": exp.Add(
            this=binary(exp.IntDiv, binary(exp.Mod, months, number(12)), number(3)), expression=number(1)
        ),
        "decade": binary(exp.IntDiv, months, number(120)),
        "century": binary(exp.IntDiv, months, number(1200)),
        "millennium": binary(exp.IntDiv, months, number(12000)),
        "day": call("mere_interval_days", value.sql),
        "week": binary(exp.IntDiv, call("mere_interval_days", value.sql), number(7)),
        "hour": binary(exp.IntDiv, microseconds, number(3_600_000_000)),
        "minute": binary(exp.IntDiv, binary(exp.Mod, microseconds, number(3_600_000_000)), number(60_000_000)),
        "microseconds": binary(exp.Mod, microseconds, number(60_000_000)),
    }.get(unit)
    if whole is not None:
        return cast(whole, "DECIMAL(18,0)"), 0
    within_minute = binary(exp.Mod, microseconds, number(60_000_000))
    if unit == "second":
        return cast(call("mere_us_seconds", within_minute), "DECIMAL(30,6)"), 6
    if unit == "milliseconds":
        return cast(call("mere_us_millis", within_minute), "DECIMAL(30,3)"), 3
    if unit == "epoch":
        return call("mere_interval_epoch", value.sql), 6
    raise _unknown_unit(unit, INTERVAL)


# -- date_trunc, age, zones -------------------------------------------------------------------------------------------


@scalar("date_trunc(text,timestamp)", "date_trunc(text,timestamptz)", "date_trunc(text,timestamptz,text)")
def _date_trunc(bound: BoundCall) -> exp.Expression:
    unit, value = _unit(bound), bound.arguments[1]
    if unit not in _TRUNC_UNITS:
        raise _unknown_unit(unit, value.type.oid)
    if value.type.oid == TIMESTAMP:
        return _truncated(unit, value.sql)
    where = bound.sql(2) if len(bound.arguments) > 2 else zone(bound.context.env.time_zone)
    return call("timezone", where, _truncated(unit, call("timezone", where.copy(), value.sql)))


def _truncated(unit: str, local: exp.Expression) -> exp.Expression:
    if unit in ("decade", "century", "millennium"):
        return call(f"mere_{unit}_start", local)
    return cast(call("date_trunc", string(unit), local), "TIMESTAMP")


@scalar("date_trunc(text,interval)")
def _trunc_interval(bound: BoundCall) -> exp.Expression:
    return call("date_trunc", string(_unit(bound)), bound.sql(1))


@scalar("age(timestamptz,timestamptz)")
def _age_zoned(bound: BoundCall) -> exp.Expression:
    where = zone(bound.context.env.time_zone)
    return call("age", call("timezone", where, bound.sql(0)), call("timezone", where.copy(), bound.sql(1)))


@scalar("age(timestamp)")
def _age_today(bound: BoundCall) -> exp.Expression:
    today = bound.context.env.constant("current_date::timestamp", PgType(TIMESTAMP))
    return call("age", today.sql, bound.sql(0))


@scalar("age(timestamptz)")
def _age_today_zoned(bound: BoundCall) -> exp.Expression:
    today = bound.context.env.constant("current_date::timestamp", PgType(TIMESTAMP))
    return call("age", today.sql, call("timezone", zone(bound.context.env.time_zone), bound.sql(0)))


@scalar("timezone(timestamp)", "timezone(timestamptz)")
def _at_local(bound: BoundCall) -> exp.Expression:
    return call("timezone", zone(bound.context.env.time_zone), bound.sql(0))


@scalar("timezone(text,timestamp)", "timezone(text,timestamptz)")
def _at_zone(bound: BoundCall) -> exp.Expression:
    name = bound.constant_text(0)
    if name is None:
        return call("timezone", bound.sql(0), bound.sql(1))
    seconds = offset_seconds(name)
    if seconds is None or seconds % 3600 == 0:
        return call("timezone", zone(name), bound.sql(1))
    return _at_offset(call("to_seconds", number(seconds)), bound.arguments[1])


@scalar("timezone(interval,timestamp)", "timezone(interval,timestamptz)")
def _at_interval(bound: BoundCall) -> exp.Expression:
    return _at_offset(bound.sql(0), bound.arguments[1])


def _at_offset(offset: exp.Expression, value: Typed) -> exp.Expression:
    """A fixed distance from UTC."""
    if value.type.oid == TIMESTAMPTZ:
        return binary(exp.Add, call("timezone", string("UTC"), value.sql), offset)
    return call("timezone", string("UTC"), binary(exp.Sub, value.sql, offset))


@scalar("isfinite(interval)")
def _finite_interval(bound: BoundCall) -> exp.Expression:
    return binary(exp.EQ, bound.sql(0), bound.sql(0).copy())


@scalar("make_timestamptz")
def _make_timestamptz(bound: BoundCall) -> exp.Expression:
    where = bound.sql(6) if len(bound.arguments) > 6 else zone(bound.context.env.time_zone)
    return call("timezone", where, call("mere_make_timestamp", *(a.sql for a in bound.arguments[:6])))


@scalar(
    *(
        f"overlaps({kind},{first},{kind},{second})"
        for kind in ("time", "timestamp", "timestamptz")
        for first, second in (("interval", "interval"), ("interval", kind), (kind, "interval"))
    )
)
def _overlaps_lengths(bound: BoundCall) -> exp.Expression:
    """The end of a period may be given by its length."""
    first, second = (_period_end(bound, place) for place in (0, 2))
    return call("mere_overlaps", bound.sql(0), first, bound.sql(2), second)


def _period_end(bound: BoundCall, place: int) -> exp.Expression:
    kind, end = bound.arguments[place].type.oid, bound.arguments[place + 1]
    if end.type.oid != INTERVAL:
        return end.sql
    start = bound.sql(place).copy()
    if kind == TIMESTAMPTZ:
        return call("mere_timestamptz_add", start, end.sql, zone(bound.context.env.time_zone))
    return call("mere_time_add", start, end.sql) if kind == TIME else binary(exp.Add, start, end.sql)


@scalar("date_add(timestamptz,interval)", "date_subtract(timestamptz,interval)")
def _date_add(bound: BoundCall) -> exp.Expression:
    name = "mere_timestamptz_add" if bound.node.name == "date_add" else "mere_timestamptz_subtract"
    return call(name, bound.sql(0), bound.sql(1), zone(bound.context.env.time_zone))


SCALARS["date_add(timestamptz,interval,text)"] = "mere_timestamptz_add"
SCALARS["date_subtract(timestamptz,interval,text)"] = "mere_timestamptz_subtract"
