"""Columns that GROUP BY lets through because a primary key determines them: they join the GROUP BY.

PostgreSQL has checked the query, so a column outside of aggregates that is not grouped depends on a key that is.
Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlglot import exp

from mere.sql.expressions import Typed


def add_dependent(group: exp.Group, values: Iterable[Typed], aliases: frozenset[str]) -> None:
    """`values` are what the query computes for each group; `aliases` those of its own FROM."""
    if any(isinstance(member, exp.Rollup | exp.Cube | exp.GroupingSets) for member in group.expressions):
        return
    grouped = list(group.expressions)
    for typed in values:
        if typed.contains_aggregate or typed.contains_window:
            continue
        for column in _ungrouped(typed.sql, grouped, aliases):
            grouped.append(column.copy())
            group.append("expressions", column.copy())


def _ungrouped(
    node: exp.Expression, grouped: list[exp.Expression], aliases: frozenset[str]
) -> Iterator[exp.Expression]:
    if any(node == member for member in grouped) or isinstance(node, exp.Subquery | exp.Query):
        return
    if isinstance(node, exp.Column):
        table = node.args.get("table")
        if isinstance(table, exp.Identifier) and table.this in aliases:
            yield node
        return
    for child in node.iter_expressions():
        if isinstance(child, exp.Expression):
            yield from _ungrouped(child, grouped, aliases)
