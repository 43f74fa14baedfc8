"""Leaves: literals, columns, parameters, casts, parentheses, subqueries, rows. Coordinator process."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from sqlglot import exp

from mere.errors import FeatureNotSupported, SqlSyntaxError, UndefinedObject
from mere.sql.coercion import coerce
from mere.sql.dialect import Mere
from mere.sql.expressions.build import call, paren, string
from mere.sql.expressions.context import Context, handles, marks_of
from mere.sql.expressions.typed import PLACEHOLDER, SUBQUERY, Coercion, Typed
from mere.sql.grammar.type_names import parse_type
from mere.sql.literals import boolean_literal, integer_literal, null_literal, numeric_literal, unknown_literal
from mere.sql.types import BIT, BOOL, INT4, INT8, RECORD, UNKNOWN, PgType, array_of, duckdb_type


def postgres_text(node: exp.Expression) -> str:
    """The node as PostgreSQL's own text, for what PostgreSQL evaluates."""
    return node.sql(dialect=Mere)


@handles(exp.Literal)
def bind_literal(context: Context, node: exp.Expression) -> Typed:
    assert isinstance(node, exp.Literal)
    text: str = node.this
    if node.is_string:
        return unknown_literal(text)
    if text.lstrip("-").isdigit():
        value = int(text)
        if -(2**31) <= value < 2**31:
            return integer_literal(value, INT4)
        if -(2**63) <= value < 2**63:
            return integer_literal(value, INT8)
    return numeric_literal(Decimal(text))


@handles(exp.Null)
def bind_null(context: Context, node: exp.Expression) -> Typed:
    return Typed(exp.Null(), PgType(UNKNOWN), is_null=True)


@handles(exp.Boolean)
def bind_boolean(context: Context, node: exp.Expression) -> Typed:
    return boolean_literal(bool(node.this))


@handles(exp.Column)
def bind_column(context: Context, node: exp.Expression) -> Typed:
    assert isinstance(node, exp.Column)
    return context.env.column(node)


@handles(exp.Parameter)
def bind_parameter(context: Context, node: exp.Expression) -> Typed:
    return context.env.parameter(int(node.this.name))


@handles(exp.Paren)
def bind_paren(context: Context, node: exp.Expression) -> Typed:
    inner = context.bind(node.this)
    if isinstance(inner.sql, exp.Binary | exp.Case | exp.Not | exp.Between | exp.In):
        return replace(inner, sql=paren(inner.sql))
    return inner


@handles(exp.Cast)
def bind_cast(context: Context, node: exp.Expression) -> Typed:
    if "bits" in node.meta:
        return Typed(string(node.meta["bits"]), PgType(BIT))
    target = parse_type(node.args["to"].args["kind"])
    operand = node.this
    if isinstance(operand, exp.Array) and array_of(0) != target.oid:
        typed = _array_of_type(context, operand, target)
        if typed is not None:
            return typed
    value = context.bind(operand)
    try:
        return coerce(value, target, Coercion.EXPLICIT, context.env)
    except FeatureNotSupported:
        if value.marks & ~PLACEHOLDER or not duckdb_type(target):
            raise
        return context.env.constant(context.postgres_text(node), target)


def _array_of_type(context: Context, node: exp.Array, target: PgType) -> Typed | None:
    """ARRAY[...]::type[] gives the element type to the members (transformArrayExpr)."""
    from mere.sql.expressions.arrays import array_literal
    from mere.sql.types import element_of

    element = element_of(target.oid)
    members = node.expressions
    if not element or (len(members) == 1 and isinstance(members[0], exp.Query)):
        return None
    if any(isinstance(member, exp.Array) for member in members):
        return None
    return array_literal(context, members, PgType(element, target.typmod))


@handles(exp.Collate)
def bind_collate(context: Context, node: exp.Expression) -> Typed:
    name = node.expression.name
    if name.split(".")[-1] not in ("C", "POSIX", "default", "ucs_basic", "C.UTF-8", "pg_c_utf8"):
        raise UndefinedObject(f'collation "{name}" is not supported over lake data', sqlstate="0A000")
    return context.bind(node.this)


@handles(exp.Subquery)
def bind_scalar_subquery(context: Context, node: exp.Expression) -> Typed:
    bound = context.env.subquery(node.this)
    if len(bound.columns) != 1:
        if len(bound.columns) > 1:
            raise SqlSyntaxError("subquery must return only one column")
        raise SqlSyntaxError("subquery must return a column")
    column = bound.columns[0]
    marks = bound.marks | SUBQUERY
    return replace(column, sql=exp.Subquery(this=bound.sql), marks=marks, value=None, bare=False)


@handles(exp.Exists)
def bind_exists(context: Context, node: exp.Expression) -> Typed:
    query = node.this.this if isinstance(node.this, exp.Subquery) else node.this
    bound = context.env.subquery(query)
    return Typed(exp.Exists(this=bound.sql), PgType(BOOL), bound.marks | SUBQUERY)


@handles(exp.Tuple)
def bind_row(context: Context, node: exp.Expression) -> Typed:
    fields = tuple(_row_field(context, member) for member in node.expressions)
    sql = call("row", *(field.sql for field in fields))
    return Typed(sql, PgType(RECORD), marks_of(fields), fields=fields, row_constructor=True)


def _row_field(context: Context, node: exp.Expression) -> Typed:
    return context.bind(node)


def null_of(pg_type: PgType) -> Typed:
    return null_literal(pg_type)
