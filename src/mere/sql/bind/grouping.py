"""GROUP BY: input columns first, then output names, ordinals, and grouping sets.

Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.targets import Target, bare_name, by_output_name, ordinal
from mere.sql.types import duckdb_type

_SETS = (exp.Rollup, exp.Cube, exp.GroupingSets)


def bind_group(environment: ScopeEnvironment, node: exp.Group, targets: Sequence[Target]) -> exp.Group:
    expressions: list[exp.Expression] = []
    for item in node.expressions:
        if isinstance(item, exp.Tuple) and not item.expressions:
            expressions.append(exp.GroupingSets(expressions=[exp.Tuple(expressions=[])]))
        elif isinstance(item, exp.Tuple) and not item.meta.get("row"):
            expressions += [_element(environment, member, targets) for member in item.expressions]
        else:
            expressions.append(_element(environment, item, targets))
    if node.args.get("all") is False:  # GROUP BY DISTINCT
        return exp.Group(expressions=[_distinct_sets(expressions)])
    return exp.Group(expressions=expressions)


def _distinct_sets(items: Sequence[exp.Expression]) -> exp.GroupingSets:
    """The product of all items' grouping sets, each once."""
    products: list[list[exp.Expression]] = [[]]
    for item in items:
        products = [[*known, *more] for known in products for more in _sets_of(item)]
    unique: dict[frozenset[str], list[exp.Expression]] = {}
    for members in products:
        by_text = {member.sql(dialect="duckdb"): member for member in members}
        unique.setdefault(frozenset(by_text), list(by_text.values()))
    sets = [exp.Tuple(expressions=[member.copy() for member in members]) for members in unique.values()]
    return exp.GroupingSets(expressions=sets)


def _sets_of(item: exp.Expression) -> list[list[exp.Expression]]:
    members = [list(member.expressions) if isinstance(member, exp.Tuple) else [member] for member in item.expressions]
    if isinstance(item, exp.Rollup):
        return [[part for member in members[:count] for part in member] for count in range(len(members), -1, -1)]
    if isinstance(item, exp.Cube):
        return [
            [part for place, member in enumerate(members) if mask >> place & 1 for part in member]
            for mask in range(2 ** len(members) - 1, -1, -1)
        ]
    if isinstance(item, exp.GroupingSets):
        sets: list[list[exp.Expression]] = []
        for member, parts in zip(item.expressions, members, strict=True):
            sets += _sets_of(member) if isinstance(member, _SETS) else [parts]
        return sets
    return [[item]]


def _element(environment: ScopeEnvironment, node: exp.Expression, targets: Sequence[Target]) -> exp.Expression:
    if isinstance(node, _SETS):
        return type(node)(expressions=[_element(environment, member, targets) for member in node.expressions])
    if isinstance(node, exp.Tuple):
        return exp.Tuple(expressions=[_element(environment, member, targets) for member in node.expressions])
    if isinstance(node, exp.Paren):
        return exp.Tuple(expressions=[_element(environment, node.this, targets)])
    place = ordinal(node, len(targets), "GROUP BY")
    name = bare_name(node)
    # SQL92: an output name counts only where no input column of this level has it.
    if name is not None and environment.scope.namespace.unqualified(name) is None:
        place = by_output_name(name, targets, "GROUP BY")
    if place is None:
        place = _same_query(node, targets)
    if place is not None:
        typed = targets[place].output.typed
        sql = typed.sql.copy()
    else:
        typed = environment.expression(node)
        sql = typed.sql
    bare = sql.unnest()
    while isinstance(bare, exp.Neg):
        bare = bare.this.unnest()
    if isinstance(bare, exp.Literal | exp.Null | exp.Boolean):
        # DuckDB would take a bare number for a place in the select list.
        sql = exp.Cast(this=sql, to=exp.DataType.build(duckdb_type(typed.type) or "VARCHAR", dialect="duckdb"))
    return sql


def _same_query(node: exp.Expression, targets: Sequence[Target]) -> int | None:
    """The output column of the same words, where it holds a query: bound once more, it would be another one."""
    for place, target in enumerate(targets):
        if target.node == node and target.output.typed.contains_subquery:
            return place
    return None
