"""ARRAY constructors, subscripts and slices. One dimension, counted from 1. Coordinator process."""

from __future__ import annotations

from sqlglot import exp

from mere.errors import DatatypeMismatch, FeatureNotSupported, UndefinedObject
from mere.sql.coercion import coerce
from mere.sql.expressions.build import call, cast, cast_node, cast_to, number
from mere.sql.expressions.context import Context, handles, marks_of
from mere.sql.expressions.typed import SUBQUERY, Coercion, Typed
from mere.sql.expressions.unify import unify
from mere.sql.types import INT4, JSONB, NUMERIC, TEXT, PgType, array_of, duckdb_type, element_of, type_name


def array_literal(context: Context, nodes: list[exp.Expression], element: PgType) -> Typed:
    members = [coerce(context.bind(node), element, Coercion.EXPLICIT, context.env) for node in nodes]
    return _array(members, element)


def _array(members: list[Typed], element: PgType) -> Typed:
    array = array_of(element.oid)
    if not array:
        raise UndefinedObject(f"could not find array type for data type {type_name(element.oid)}", sqlstate="42704")
    carrier = members[0].decimal if members else None
    kind = f"DECIMAL({carrier[0]},{carrier[1]})" if carrier else duckdb_type(element)
    sql = (
        cast(exp.Array(expressions=[member.sql for member in members]), f"{kind}[]")
        if not members
        else exp.Array(expressions=[member.sql for member in members])
    )
    return Typed(sql, PgType(array, element.typmod), marks_of(members), carrier)


@handles(exp.Array)
def bind_array(context: Context, node: exp.Expression) -> Typed:
    nodes = node.expressions
    if len(nodes) == 1 and isinstance(nodes[0], exp.Query):
        return _array_of_query(context, cast_node(nodes[0]))
    if not nodes:
        raise DatatypeMismatch(
            "cannot determine type of empty array",
            sqlstate="42P18",
            hint="Explicitly cast to the desired type, for example ARRAY[]::integer[].",
        )
    members = unify(context.bind_all(nodes), "ARRAY", context.env)
    if element_of(members[0].type.oid):
        raise FeatureNotSupported("arrays of more than one dimension are not supported")
    element = next((member.type for member in members if not member.is_null), members[0].type)
    if all(member.is_unknown for member in members):
        element = PgType(TEXT)
    first, *rest = members
    if element.oid not in (NUMERIC, TEXT):
        first = Typed(cast_to(first.sql, element), first.type, first.marks, first.decimal)
    return _array([first, *rest], element)


def _array_of_query(context: Context, query: exp.Expression) -> Typed:
    bound = context.env.subquery(query)
    column = bound.columns[0]
    sql = call("array", bound.sql)
    array = array_of(column.type.oid)
    return Typed(sql, PgType(array, column.type.typmod), bound.marks | SUBQUERY, column.decimal)


@handles(exp.Bracket)
def bind_subscript(context: Context, node: exp.Expression) -> Typed:
    operand = context.bind(node.this)
    index = node.expressions[0]
    if operand.type.oid == JSONB:
        return _json_subscript(context, operand, index)
    element = element_of(operand.type.oid)
    if not element:
        raise DatatypeMismatch(
            f"cannot subscript type {type_name(operand.type.oid)} because it does not support subscripting"
        )
    if isinstance(index, exp.Slice):
        low = _bound(context, index.this, number(1))
        high = _bound(context, index.expression, call("len", operand.sql.copy()))
        sql = call("mere_array_slice", operand.sql, low.sql, high.sql)
        return Typed(sql, operand.type, operand.marks | low.marks | high.marks, operand.decimal, operand.display)
    position = _bound(context, index, number(1))
    sql = call("mere_array_get", operand.sql, position.sql)
    pg_type = PgType(element, operand.type.typmod)
    return Typed(sql, pg_type, operand.marks | position.marks, operand.decimal, operand.display)


def _bound(context: Context, node: exp.Expression | None, default: exp.Expression) -> Typed:
    if node is None:
        return Typed(default, PgType(INT4))
    return coerce(context.bind(node), PgType(INT4), Coercion.ASSIGNMENT, context.env)


def _json_subscript(context: Context, operand: Typed, index: exp.Expression) -> Typed:
    key = context.bind(index)
    name = "mere_jsonb_get_index" if key.type.oid == INT4 else "mere_jsonb_get_key"
    text = key.sql if key.type.oid == INT4 else coerce(key, PgType(TEXT), Coercion.IMPLICIT, context.env).sql
    return Typed(call(name, operand.sql, text), PgType(JSONB), operand.marks | key.marks)


__all__ = ["array_literal", "bind_array", "bind_subscript"]
