"""The select list: stars in PostgreSQL's order, names of output columns, and how other clauses refer to them.

Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from mere.errors import FeatureNotSupported, SqlSyntaxError, UndefinedObject
from mere.sql.bind.block import Output
from mere.sql.bind.environment import ScopeEnvironment, column_parts
from mere.sql.bind.scope import RangeColumn, identifier_name
from mere.sql.expressions import figure_name


@dataclass(frozen=True, slots=True)
class Target:
    """An output column with the syntax it was made from (None for a column of a star)."""

    output: Output
    node: exp.Expression | None


def bind_targets(environment: ScopeEnvironment, nodes: Sequence[exp.Expression], resolve: bool = True) -> list[Target]:
    """`resolve` makes text of literals without a type."""
    return [target for node in nodes for target in _bind_target(environment, node, resolve)]


def _bind_target(environment: ScopeEnvironment, node: exp.Expression, resolve: bool) -> Iterator[Target]:
    star = _star_columns(environment, node)
    if star is not None:
        for column in star:
            yield Target(Output(column.name, column.read(), column.origin), None)
        return
    inner = node.this if isinstance(node, exp.Alias) else node
    name = identifier_name(node.args["alias"]) if isinstance(node, exp.Alias) else figure_name(inner)
    typed = environment.expression(inner)
    if resolve:
        typed = environment.known(typed)
    yield Target(Output(name, typed, _origin(environment, inner)), inner)


def _star_columns(environment: ScopeEnvironment, node: exp.Expression) -> list[RangeColumn] | None:
    if isinstance(node, exp.Star):
        if not environment.scope.namespace.items:
            raise SqlSyntaxError("SELECT * with no tables specified is not valid")
        return environment.scope.namespace.columns
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
        parts = tuple(
            identifier_name(node.args[key]) for key in ("catalog", "db", "table") if node.args.get(key) is not None
        )
        return environment.star_item(parts).columns
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Star):
        inner = node.this.this if isinstance(node.this, exp.Paren) else node.this
        if isinstance(inner, exp.Column):
            found = environment.scope.find_item(column_parts(inner))
            if found is not None:
                return found[0].columns
        raise FeatureNotSupported("expanding a composite value with .* is not supported over lake tables")
    return None


def _origin(environment: ScopeEnvironment, node: exp.Expression) -> tuple[int, int]:
    if isinstance(node, exp.Column):
        column = environment.scope.try_resolve(column_parts(node))
        if column is not None:
            return column.origin
    return (0, 0)


def bare_name(node: exp.Expression) -> str | None:
    """The name of an unqualified column reference, which GROUP BY and ORDER BY may mean an output column by."""
    if isinstance(node, exp.Column) and len([key for key in node.args if node.args[key] is not None]) == 1:
        return identifier_name(node.this) if isinstance(node.this, exp.Identifier) else None
    return None


def ordinal(node: exp.Expression, count: int, clause: str) -> int | None:
    """The place (from 0) that an integer constant in ORDER BY or GROUP BY means."""
    if not isinstance(node, exp.Literal):
        return None
    if node.is_string or not str(node.this).isdigit():
        raise SqlSyntaxError(f"non-integer constant in {clause}")
    place = int(node.this)
    if not 1 <= place <= count:
        raise UndefinedObject(f"{clause} position {place} is not in select list", sqlstate="42P10")
    return place - 1


def by_output_name(name: str, targets: Sequence[Target], clause: str) -> int | None:
    """The output column of that name; several are one where they are the same expression."""
    found = [place for place, target in enumerate(targets) if target.output.name == name]
    if not found:
        return None
    first = targets[found[0]].output.typed.sql
    if any(targets[place].output.typed.sql != first for place in found[1:]):
        raise UndefinedObject(f'{clause} "{name}" is ambiguous', sqlstate="42702")
    return found[0]
