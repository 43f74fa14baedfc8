"""Answers what expression binding asks: columns, subqueries, parameters, constants, named windows.

One per scope; lives in the gateway's process.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from mere.errors import FeatureNotSupported, SqlSyntaxError, UndefinedObject
from mere.sql.bind.binding import Binding
from mere.sql.bind.scope import RangeColumn, RangeItem, Scope, identifier_name, mark_correlated, refer
from mere.sql.coercion import coerce, to_boolean
from mere.sql.expressions import Coercion, Subquery, Typed, bind_expression
from mere.sql.expressions.typed import COLUMN, PLACEHOLDER, VOLATILE
from mere.sql.literals import literal
from mere.sql.types import INT8, RECORD, TEXT, TYPES, PgType, format_type

if TYPE_CHECKING:
    from mere.sql.bind.user_function import Called
    from mere.sql.expressions.context import Context
    from mere.sql.grammar.nodes import Call


def column_parts(node: exp.Column) -> tuple[str, ...]:
    """The one to four parts of a column reference, outermost first."""
    return tuple(
        identifier_name(node.args[key]) for key in ("catalog", "db", "table", "this") if node.args.get(key) is not None
    )


class ScopeEnvironment:
    """`Environment` over one scope."""

    def __init__(self, binding: Binding, scope: Scope, *, evaluated_once: bool = False) -> None:
        self.binding = binding
        self.scope = scope
        self.evaluated_once = evaluated_once  # a cell of VALUES: there is no row for which it would be taken again

    @property
    def time_zone(self) -> str:
        return self.binding.context.time_zone

    @property
    def wide_decimals(self) -> bool:
        return self.binding.context.wide_decimals

    def column(self, node: exp.Column) -> Typed:
        if not isinstance(node.this, exp.Star):
            column = self.scope.try_resolve(column_parts(node))
            if column is not None:
                return column.read()
        members = self.whole_row(node)
        if members is not None and len(members) == 1 and self._is_value(node):
            return replace(members[0], label="")
        if members is not None:
            row = exp.Anonymous(this="row", expressions=[member.sql.copy() for member in members])
            return Typed(row, PgType(RECORD), COLUMN, fields=members)
        return self.scope.resolve(column_parts(node)).read()

    def _is_value(self, node: exp.Column) -> bool:
        """Whether the name is that of a function in FROM whose rows are plain values."""
        found = None if isinstance(node.this, exp.Star) else self.scope.find_item(column_parts(node))
        return found is not None and found[0].scalar

    def whole_row(self, node: exp.Column | exp.Identifier) -> tuple[Typed, ...] | None:
        """The columns of the range item that `t` or `t.*` means; None where no item is called so."""
        if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
            parts = column_parts(node)
            if self.scope.try_resolve(parts) is not None:
                return None
        elif isinstance(node, exp.Column):
            parts = column_parts(node)[:-1]
        else:
            parts = (identifier_name(node),)
        found = self.scope.find_item(parts)
        if found is None:
            return None
        item, crossed = found
        mark_correlated(crossed)
        return tuple(replace(column.read(), label=column.name) for column in item.columns)

    def star_item(self, parts: tuple[str, ...]) -> RangeItem:
        found = self.scope.find_item(parts)
        if found is None:
            raise UndefinedObject(f'missing FROM-clause entry for table "{parts[-1]}"')
        mark_correlated(found[1])
        return found[0]

    def subquery(self, node: exp.Expression) -> Subquery:
        block = self.binding.query(node, self.scope, self.scope.frame)
        tree = block.close()
        names = tuple(output.name for output in block.outputs)
        columns = tuple(
            replace(refer(output.typed, exp.Column(this=exp.Identifier(this=output.alias, quoted=True))), fields=())
            for output in block.outputs
        )
        marks = block.marks & (VOLATILE | PLACEHOLDER) | (COLUMN if block.correlated else 0)
        return Subquery(tree, columns, names, marks)

    def parameter(self, number: int) -> Typed:
        if self.scope.frame.called is not None:
            return self._argument(self.scope.frame.called, number)
        parameters = self.binding.context.parameters
        if not 0 < number <= len(parameters):
            raise UndefinedObject(f"there is no parameter ${number}", sqlstate="42P02")
        value = parameters[number - 1]
        if self.binding.context.any_values:
            constant = self.binding.parameter(number, value.type)
            return Typed(exp.Placeholder(this=constant.name), value.type, PLACEHOLDER)
        return literal(value.text, value.type)

    def _argument(self, called: Called, number: int) -> Typed:
        argument = called.argument(number)
        if argument is None:
            raise UndefinedObject(f"there is no parameter ${number}", sqlstate="42P02")
        scope: Scope | None = self.scope if argument.typed.marks & COLUMN else None
        while scope is not None:
            scope.level.correlated = True
            scope = scope.parent
        return argument.read()

    def call(self, context: Context, node: Call) -> Typed | None:
        from mere.sql.bind.user_calls import bind_user_call

        return bind_user_call(context, self, node) if self.binding.resolved.functions else None

    def written(self, node: exp.Expression) -> exp.Expression:
        return node.transform(self._given if self.scope.frame.called is not None else self._value)

    def _value(self, node: exp.Expression) -> exp.Expression:
        """The value of a parameter, where the node is one."""
        if not isinstance(node, exp.Parameter):
            return node
        if self.binding.context.any_values:
            raise FeatureNotSupported("PostgreSQL evaluates an expression with this parameter")
        value = self.binding.context.parameters[int(node.this.name) - 1]
        if value.text is None:
            text = "NULL"
        else:  # E'' means the same whatever standard_conforming_strings says
            text = "E'" + value.text.replace("\\", "\\\\").replace("'", "''") + "'"
        return exp.Var(this=f"({text}::{format_type(value.type)})" if value.type.oid in TYPES else text)

    def _given(self, node: exp.Expression) -> exp.Expression:
        """The syntax of an argument of the function around, where it is one."""
        called = self.scope.frame.called
        assert called is not None
        argument: RangeColumn | None = None
        if isinstance(node, exp.Parameter):
            argument = called.argument(int(node.this.name))
        elif isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
            argument = self.scope.try_resolve(column_parts(node))
        found = argument is not None and next((one for one in called.arguments if one is argument), None)
        return found.node.copy() if found and found.node is not None else node

    def constant(self, sql: str, type: PgType) -> Typed:
        constant = self.binding.constant(sql, type)
        return Typed(exp.Placeholder(this=constant.name), type, PLACEHOLDER)

    def once(self, sql: str, type: PgType) -> Typed | None:
        """What PostgreSQL evaluates anew wherever it is written (nextval); None where that were once for every row."""
        if not self.evaluated_once:
            return None
        constant = self.binding.constant(sql, type, shared=False)
        return Typed(exp.Placeholder(this=constant.name), type, PLACEHOLDER)

    def window(self, name: str) -> exp.Window | None:
        found = self.scope.windows.get(name)
        return found if isinstance(found, exp.Window) else None

    # What the binder itself asks.

    def expression(self, node: exp.Expression) -> Typed:
        if node.find(exp.Dot) is not None:
            node = node.transform(self._member)
        typed = bind_expression(node, self)
        self.scope.level.marks |= typed.marks
        return typed

    def _member(self, node: exp.Expression) -> exp.Expression:
        """(t).column is t.column."""
        if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Identifier):
            row = node.this.this if isinstance(node.this, exp.Paren) else node.this
            if isinstance(row, exp.Column) and not isinstance(row.this, exp.Star) and row.args.get("table") is None:
                found = self.scope.find_item(column_parts(row))
                if found is not None and self.scope.try_resolve(column_parts(row)) is None:
                    return exp.Column(this=node.expression.copy(), table=row.this.copy())
        return node

    def boolean(self, node: exp.Expression, context: str) -> Typed:
        return to_boolean(self.expression(node), context, self)

    def known(self, typed: Typed) -> Typed:
        """A literal of unknown type as text, which a query's output column is in the end."""
        return coerce(typed, PgType(TEXT), Coercion.IMPLICIT, self) if typed.is_unknown else typed

    def row_count(self, node: exp.Expression, context: str) -> Typed:
        """The argument of LIMIT or OFFSET: a bigint without columns of its level."""
        typed = self.expression(node)
        if typed.contains_aggregate:
            raise SqlSyntaxError(f"aggregate functions are not allowed in {context}", sqlstate="42803")
        if typed.marks & COLUMN and self.scope.frame.called is not None:
            raise FeatureNotSupported(f"an argument in {context} of a function has to be a constant over lake data")
        return coerce(typed, PgType(INT8), Coercion.ASSIGNMENT, self)
