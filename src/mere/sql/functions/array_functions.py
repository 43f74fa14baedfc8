"""Array functions. Coordinator process."""

from __future__ import annotations

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.expressions.build import call
from mere.sql.expressions.typed import Typed
from mere.sql.functions.registry import SCALARS, BoundCall, Builder, same, scalar
from mere.sql.render import SessionFormat, render_text
from mere.sql.types import PgType, array_of, element_of

same(
    """
    array_length mere_array_length; array_upper mere_array_length; array_lower mere_array_lower
    array_ndims mere_array_ndims; array_dims mere_array_dims
    array_positions mere_array_positions; array_position(anycompatiblearray,anycompatible) mere_array_position
    array_position(anycompatiblearray,anycompatible,int4) mere_array_position_from
    """
)


def _same_array(name: str) -> Builder:
    """The result is an array like the first argument."""

    def build(bound: BoundCall) -> Typed:
        array = next(argument for argument in bound.arguments if element_of(argument.type.oid))
        sql = call(name, *(argument.sql for argument in bound.arguments))
        return Typed(sql, PgType(bound.resolved.result), bound.marks, array.decimal, array.display)

    return build


for _name, _duckdb in {
    "array_append": "list_append",
    "array_cat": "mere_array_cat",
    "array_remove": "mere_array_remove",
    "array_replace": "mere_array_replace",
    "array_reverse": "list_reverse",
    "array_sort(anyarray)": "mere_array_sort",
    "array_sort(anyarray,bool)": "mere_array_sort_order",
    "array_sort(anyarray,bool,bool)": "mere_array_sort_nulls",
    "trim_array": "mere_trim_array",
    "array_prepend": "list_prepend",
}.items():
    SCALARS[_name] = _same_array(_duckdb)


@scalar("cardinality")
def _cardinality(bound: BoundCall) -> exp.Expression:
    return exp.Cast(this=call("len", bound.sql(0)), to=exp.DataType(this=exp.DType.USERDEFINED, kind="INTEGER"))


@scalar("array_to_string(anyarray,text)", "array_to_string(anyarray,text,text)")
def _array_to_string(bound: BoundCall) -> exp.Expression:
    array = bound.arguments[0]
    element = PgType(element_of(array.type.oid), array.type.typmod)
    item = Typed(exp.column("e"), element, decimal=array.decimal)
    text = render_text(item, SessionFormat(bound.context.env.time_zone))
    if len(bound.arguments) > 2:
        text = call("coalesce", text, bound.sql(2))
    texts = call("list_transform", array.sql, exp.Lambda(this=text, expressions=[exp.to_identifier("e")]))
    return call("array_to_string", texts, bound.sql(1))


@scalar("array_fill(anyelement,_int4)")
def _array_fill(bound: BoundCall) -> Typed:
    value, sizes = bound.arguments
    if not isinstance(sizes.sql, exp.Array) or len(sizes.sql.expressions) != 1:
        raise FeatureNotSupported("arrays of more than one dimension are not supported")
    sql = call("mere_array_fill", value.sql, sizes.sql.expressions[0])
    return Typed(sql, PgType(array_of(value.type.oid)), bound.marks, value.decimal)
