"""SET of UPDATE and MERGE: which column gets which value.

Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from mere.errors import FeatureNotSupported, SqlSyntaxError
from mere.sql.bind.bound import DefaultColumn
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.scope import column_sql, identifier_name, quoted
from mere.sql.bind.target import TargetTable, assign, bind_default, is_default
from mere.sql.expressions import Coercion, Typed, coerce
from mere.sql.expressions.build import call, cast_to
from mere.sql.expressions.typed import COLUMN
from mere.sql.relations import Column
from mere.sql.types import INT4, PgType, element_of

Value = exp.Expression | DefaultColumn


@dataclass(frozen=True, slots=True)
class Assignment:
    column: Column
    value: Value


def bind_assignments(
    environment: ScopeEnvironment, target: TargetTable, nodes: Sequence[exp.Expression]
) -> list[Assignment]:
    """The assignments in the order of SET. A column may be set once."""
    found: list[Assignment] = []
    for node in nodes:
        if not isinstance(node, exp.EQ):
            raise FeatureNotSupported("this form of SET is not supported over lake tables")
        names, value = node.this, node.expression
        if isinstance(names, exp.Bracket):
            found = _with_element(environment, target, found, names, value)
            continue
        if isinstance(names, exp.Tuple | exp.Paren):
            listed = names.expressions if isinstance(names, exp.Tuple) else [names.this]
            columns = [_column(target, name) for name in listed]
            values = _row_values(environment, target, columns, value)
        else:
            columns = [_column(target, names)]
            values = [bind_value(environment, target, columns[0], value)]
        found += [Assignment(column, bound) for column, bound in zip(columns, values, strict=True)]
    seen: set[int] = set()
    for assignment in found:
        if assignment.column.attnum in seen:
            message = f'multiple assignments to same column "{assignment.column.name}"'
            raise SqlSyntaxError(message)
        seen.add(assignment.column.attnum)
    return found


def _with_element(
    environment: ScopeEnvironment,
    target: TargetTable,
    found: list[Assignment],
    place: exp.Bracket,
    value: exp.Expression,
) -> list[Assignment]:
    """SET a[i] = value: the array with that element, over what an earlier a[j] = ... made of it."""
    column = _column(target, place.this)
    element, index = element_of(column.type.oid), place.expressions[0]
    if not element or isinstance(index, exp.Slice) or len(place.expressions) != 1 or is_default(value):
        raise FeatureNotSupported("assigning to a part of a column is not supported on lake tables")
    earlier = next((assignment for assignment in found if assignment.column.attnum == column.attnum), None)
    if earlier is not None and not _is_element(earlier.value):
        raise SqlSyntaxError(f'multiple assignments to same column "{column.name}"')
    old = environment.expression(place.this).sql if earlier is None else earlier.value
    assert isinstance(old, exp.Expression)
    at = coerce(environment.expression(index), PgType(INT4), Coercion.ASSIGNMENT, environment)
    kind = PgType(element, column.type.typmod)
    new = coerce(environment.expression(value), kind, Coercion.ASSIGNMENT, environment, column.name)
    made = Assignment(column, call(_ELEMENT, old, at.sql, cast_to(new.sql, kind)))
    return [*(assignment for assignment in found if assignment is not earlier), made]


_ELEMENT = "mere_array_assign"


def _is_element(value: Value) -> bool:
    return isinstance(value, exp.Anonymous) and value.name == _ELEMENT


def _column(target: TargetTable, node: exp.Expression) -> Column:
    if isinstance(node, exp.Column) and node.args.get("table") is None:
        return target.column(identifier_name(node.this))
    if isinstance(node, exp.Identifier):
        return target.column(identifier_name(node))
    raise FeatureNotSupported("assigning to a part of a column is not supported on lake tables")


def bind_value(environment: ScopeEnvironment, target: TargetTable, column: Column, node: exp.Expression) -> Value:
    if is_default(node):
        return bind_default(environment, target.relation, column)
    return assign(environment, environment.expression(node), column)


def _row_values(
    environment: ScopeEnvironment, target: TargetTable, columns: Sequence[Column], node: exp.Expression
) -> list[Value]:
    """(a, b) = (x, y), ROW(x, y) or a subquery of as many columns."""
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query | exp.Values | exp.Subquery):
        return [
            _subquery_column(environment, column, node, place, len(columns)) for place, column in enumerate(columns)
        ]
    members = node.expressions if isinstance(node, exp.Tuple) else [node.this if isinstance(node, exp.Paren) else node]
    if len(members) != len(columns):
        raise SqlSyntaxError("number of columns does not match number of values")
    return [bind_value(environment, target, column, member) for member, column in zip(members, columns, strict=True)]


def _subquery_column(
    environment: ScopeEnvironment, column: Column, node: exp.Subquery, place: int, width: int
) -> exp.Expression:
    """One column of the subquery as a scalar subquery of its own."""
    bound = environment.subquery(node.this)
    if len(bound.columns) != width:
        raise SqlSyntaxError("number of columns does not match number of values")
    alias = environment.binding.alias("mere_row")
    name = str(bound.columns[place].sql.this.this)
    derived = exp.Subquery(this=bound.sql, alias=exp.TableAlias(this=quoted(alias)))
    select = exp.Select(expressions=[column_sql(alias, name)], from_=exp.From(this=derived))
    value = bound.columns[place]
    typed = Typed(exp.Subquery(this=select), value.type, COLUMN, value.decimal)
    return assign(environment, typed, column)
