"""Aggregates in DuckDB with PostgreSQL's result types. Coordinator process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp

from mere.errors import DataError, FeatureNotSupported
from mere.sql.expressions.build import call, cast, number, string
from mere.sql.expressions.numeric import QUOTIENT_SCALE, WIDE_QUOTIENT_SCALE
from mere.sql.expressions.typed import QUOTIENT, Typed
from mere.sql.functions.json_values import NULL_KEY, to_json_text, to_jsonb_text
from mere.sql.types import (
    BPCHAR,
    BYTEA,
    FLOAT4,
    INT2,
    INT4,
    INT8,
    INTERVAL,
    NUMERIC,
    PgType,
    array_of,
    duckdb_type,
    element_of,
)

if TYPE_CHECKING:
    from mere.sql.expressions.aggregates import Aggregate

AggregateBuilder = Callable[["Aggregate"], Typed]


def _count(aggregate: Aggregate) -> Typed:
    if not aggregate.arguments:
        return aggregate.result(aggregate.attach(exp.Anonymous(this="count", expressions=[exp.Star()])))
    return aggregate.result(aggregate.make("count", *(argument.sql for argument in aggregate.arguments), order=[]))


def _sum(aggregate: Aggregate) -> Typed:
    value = aggregate.arguments[0]
    made = aggregate.make("sum", value.sql, order=[])
    oid = value.type.oid
    if oid in (INT2, INT4):
        return aggregate.result(cast(made, "BIGINT"))
    if oid == INT8:
        return Typed(cast(made, "DECIMAL(38,0)"), PgType(NUMERIC), aggregate.marks, (38, 0))
    if oid == FLOAT4:
        return aggregate.result(cast(made, "FLOAT"))
    if oid == NUMERIC:
        carrier = None if value.decimal is None else (38, value.decimal[1])
        return Typed(made, PgType(NUMERIC), aggregate.marks, carrier, value.display, value.minimum_scale)
    if oid == INTERVAL:
        return aggregate.result(_interval_sum(aggregate))
    return aggregate.result(made)


def _interval_sum(aggregate: Aggregate) -> exp.Expression:
    """DuckDB sums no intervals: months, days and microseconds each by itself."""
    value = aggregate.arguments[0].sql
    parts = [
        aggregate.make("sum", call(name, value), order=[])
        for name in ("mere_interval_months", "mere_interval_days", "mere_interval_us")
    ]
    return call("mere_interval_of", *parts)


def _avg(aggregate: Aggregate) -> Typed:
    """Exact for integers and decimals: the exact sum divided by the count, to 20 decimals."""
    value = aggregate.arguments[0]
    oid = value.type.oid
    if oid == INTERVAL:
        return aggregate.result(call("mere_avg_interval", _interval_sum(aggregate), _counted(aggregate)))
    if oid not in (INT2, INT4, INT8, NUMERIC) or (oid == NUMERIC and value.decimal is None):
        made = aggregate.make("avg", value.sql, order=[])
        return aggregate.result(made)
    if value.display == QUOTIENT:  # twenty decimals each: their exact sum may not fit
        return aggregate.result(aggregate.make("avg", cast(value.sql, "DOUBLE"), order=[]))
    total = aggregate.make("sum", value.sql, order=[])
    scale = value.decimal[1] if oid == NUMERIC and value.decimal is not None else 0
    wide = oid == INT8
    if oid != NUMERIC:
        total = cast(total, "DECIMAL(38,0)")
    sql = call("mere_avg_wide" if wide else "mere_avg", total, _counted(aggregate))
    quotient = (38, WIDE_QUOTIENT_SCALE if wide else QUOTIENT_SCALE)
    minimum = value.minimum_scale if value.display == QUOTIENT else scale
    return Typed(sql, PgType(NUMERIC), aggregate.marks, quotient, QUOTIENT, minimum)


def _counted(aggregate: Aggregate) -> exp.Expression:
    return aggregate.make("count", aggregate.arguments[0].sql, order=[])


def _extreme(name: str) -> AggregateBuilder:
    def build(aggregate: Aggregate) -> Typed:
        value = aggregate.arguments[0]
        made = aggregate.make(name, value.sql, order=[])
        modifier = value.type.typmod if value.type.oid == BPCHAR else -1
        pg_type = PgType(aggregate.resolved.result, modifier)
        return Typed(made, pg_type, aggregate.marks, value.decimal, value.display, value.minimum_scale)

    return build


def _plain(name: str, duckdb: str = "") -> AggregateBuilder:
    def build(aggregate: Aggregate) -> Typed:
        made = aggregate.make(name, *(argument.sql for argument in aggregate.arguments), order=[])
        return aggregate.result(cast(made, duckdb) if duckdb else made)

    return build


def _of_a_line(name: str) -> AggregateBuilder:
    """NULL, not NaN, where the points have no spread."""

    def build(aggregate: Aggregate) -> Typed:
        made = aggregate.make(name, *(argument.sql for argument in aggregate.arguments), order=[])
        return aggregate.result(call("mere_unless_nan", made))

    return build


def _statistic(name: str) -> AggregateBuilder:
    """Variance and its kin: DuckDB computes in double precision; of exact numbers PostgreSQL's result is numeric,
    which then shows 15 to 17 digits rather than its own number of decimals."""

    def build(aggregate: Aggregate) -> Typed:
        value = aggregate.arguments[0]
        made = aggregate.make(name, cast(value.sql, "DOUBLE"), order=[])
        return aggregate.result(made)

    return build


def _ordered_values(aggregate: Aggregate) -> list[exp.Expression]:
    return [
        exp.Ordered(this=typed.sql, desc=item.args.get("desc"), nulls_first=item.args.get("nulls_first"))
        for typed, item in aggregate.within
    ]


def _percentile(name: str) -> AggregateBuilder:
    def build(aggregate: Aggregate) -> Typed:
        if not aggregate.within:
            raise FeatureNotSupported(f"WITHIN GROUP is required for ordered-set aggregate {name}")
        fraction, value = aggregate.arguments[0], aggregate.within[0][0]
        if name == "percentile_cont" and value.type.oid == INTERVAL:
            raise FeatureNotSupported("percentile_cont over interval is not supported")
        descending = bool(aggregate.within[0][1].args.get("desc"))
        quantile = "quantile_cont" if name == "percentile_cont" else "quantile_disc"
        inner = aggregate.make(quantile, value.sql, _fraction(fraction, descending), order=[])
        many = bool(element_of(fraction.type.oid))
        pg_type = PgType(array_of(value.type.oid)) if many else PgType(value.type.oid)
        return Typed(inner, pg_type, aggregate.marks, value.decimal, value.display)

    return build


def _fraction(fraction: Typed, descending: bool) -> exp.Expression:
    """DuckDB wants a constant, and a negative one for a descending order."""
    if not isinstance(fraction.value, float):
        if descending or not fraction.is_constant:
            raise FeatureNotSupported("percentiles of a fraction that is no constant are not supported")
        return fraction.sql
    if not 0 <= fraction.value <= 1:
        raise DataError(f"percentile value {fraction.value:g} is not between 0 and 1", sqlstate="22003")
    if not descending:
        return cast(number(repr(fraction.value)), "DOUBLE")
    return cast(number(repr(-fraction.value if fraction.value else 1.0)), "DOUBLE")


def _mode(aggregate: Aggregate) -> Typed:
    if not aggregate.within:
        raise FeatureNotSupported("WITHIN GROUP is required for ordered-set aggregate mode")
    value = aggregate.within[0][0]
    made = aggregate.make("mode", value.sql, order=_ordered_values(aggregate))
    return Typed(made, value.type, aggregate.marks, value.decimal, value.display)


def _string_agg(aggregate: Aggregate) -> Typed:
    value, separator = aggregate.arguments
    if not separator.is_constant:
        raise FeatureNotSupported("string_agg with a delimiter that is no constant is not supported")
    if aggregate.resolved.arguments[0] == BYTEA:
        between = call("coalesce", call("hex", separator.sql), string(""))
        return aggregate.result(call("unhex", aggregate.make("string_agg", call("hex", value.sql), between)))
    text = separator.sql if not separator.is_null else string("")
    return aggregate.result(aggregate.make("string_agg", value.sql, text))


def _array_agg(aggregate: Aggregate) -> Typed:
    value = aggregate.arguments[0]
    if element_of(value.type.oid) or value.fields:
        raise FeatureNotSupported("array_agg over arrays or rows is not supported")
    pg_type = PgType(array_of(value.type.oid), value.type.typmod)
    return Typed(aggregate.make("list", value.sql), pg_type, aggregate.marks, value.decimal, value.display)


def _any_value(aggregate: Aggregate) -> Typed:
    value = aggregate.arguments[0]
    made = aggregate.make("any_value", value.sql, order=[])
    return Typed(made, value.type, aggregate.marks, value.decimal, value.display, value.minimum_scale)


def _json_agg(aggregate: Aggregate) -> Typed:
    value = aggregate.arguments[0]
    maker = to_jsonb_text if aggregate.node.name == "jsonb_agg" else to_json_text
    text = maker(aggregate.context, value)
    nested = bool(value.fields) or bool(element_of(value.type.oid))
    separator = ", \n " if nested and aggregate.node.name == "json_agg" else ", "
    if aggregate.distinct and not value.fields:
        # Distinct are the values, in their own order; their texts are made of what is left.
        element = Typed(exp.column("e"), value.type, value.marks, value.decimal, value.display)
        body = call("coalesce", maker(aggregate.context, element), string("null"))
        items = exp.Lambda(this=body, expressions=[exp.to_identifier("e")])
        texts = call("list_transform", aggregate.make("list", value.sql), items)
        joined = call("array_to_string", texts, string(separator))
    else:
        joined = aggregate.make("string_agg", call("coalesce", text, string("null")), string(separator))
    return aggregate.result(call("mere_json_wrap", string("["), joined, string("]")))


def _json_object_agg(aggregate: Aggregate) -> Typed:
    from mere.sql.coercion import as_text

    key = as_text(aggregate.arguments[0], aggregate.context.env)
    jsonb = aggregate.node.name.startswith("jsonb_")
    text = (to_jsonb_text if jsonb else to_json_text)(aggregate.context, aggregate.arguments[1])
    colon = " : " if aggregate.node.name.startswith("json_") else ": "
    problem = NULL_KEY if colon == " : " else "22023:field name must not be null"
    name = call("mere_json_key", key.sql, string(problem))
    if aggregate.filter is not None:  # DuckDB computes the arguments of rows that the filter drops, too
        name = exp.Case(ifs=[exp.If(this=aggregate.filter.copy(), true=name)])
    pair = call("concat", call("to_json", name), string(colon), call("coalesce", text, string("null")))
    by_key: list[exp.Expression] | None = None
    if colon == ": ":  # jsonb keeps keys by length, then bytes
        by_key = [exp.Ordered(this=call("strlen", key.sql)), exp.Ordered(this=key.sql)]
    joined = aggregate.make("string_agg", pair, string(", "), order=by_key)
    spaces = ("{ ", " }") if aggregate.node.name.startswith("json_") else ("{", "}")
    return aggregate.result(call("mere_json_wrap", string(spaces[0]), joined, string(spaces[1])))


def _bits(name: str) -> AggregateBuilder:
    def build(aggregate: Aggregate) -> Typed:
        value = aggregate.arguments[0]
        made = aggregate.make(name, value.sql, order=[])
        return aggregate.result(cast(made, duckdb_type(value.type)))

    return build


AGGREGATES: dict[str, AggregateBuilder] = {
    "count": _count,
    "sum": _sum,
    "avg": _avg,
    "min": _extreme("min"),
    "max": _extreme("max"),
    "any_value": _any_value,
    "bool_and": _plain("bool_and"),
    "bool_or": _plain("bool_or"),
    "every": _plain("bool_and"),
    "bit_and": _bits("bit_and"),
    "bit_or": _bits("bit_or"),
    "bit_xor": _bits("bit_xor"),
    "stddev": _statistic("stddev_samp"),
    "stddev_samp": _statistic("stddev_samp"),
    "stddev_pop": _statistic("stddev_pop"),
    "variance": _statistic("var_samp"),
    "var_samp": _statistic("var_samp"),
    "var_pop": _statistic("var_pop"),
    "corr": _of_a_line("corr"),
    "covar_pop": _plain("covar_pop"),
    "covar_samp": _plain("covar_samp"),
    "regr_avgx": _plain("regr_avgx"),
    "regr_avgy": _plain("regr_avgy"),
    "regr_count": _plain("regr_count", "BIGINT"),
    "regr_intercept": _of_a_line("regr_intercept"),
    "regr_r2": _of_a_line("regr_r2"),
    "regr_slope": _of_a_line("regr_slope"),
    "regr_sxx": _plain("regr_sxx"),
    "regr_sxy": _plain("regr_sxy"),
    "regr_syy": _plain("regr_syy"),
    "percentile_cont": _percentile("percentile_cont"),
    "percentile_disc": _percentile("percentile_disc"),
    "mode": _mode,
    "string_agg": _string_agg,
    "array_agg": _array_agg,
    "json_agg": _json_agg,
    "jsonb_agg": _json_agg,
    "json_object_agg": _json_object_agg,
    "jsonb_object_agg": _json_object_agg,
}
