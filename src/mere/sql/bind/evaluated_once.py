"""Queries inside of a statement that may give other rows each time they run, so that they must run once.

An UPDATE or DELETE of a partitioned table runs once for each partition: what PostgreSQL evaluates once must then be the
same for all of them. Pure functions over syntax trees, in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlglot import exp

from mere.sql.bind.scope import identifier_name
from mere.sql.functions import catalog
from mere.sql.grammar.nodes import Call


def picks_inside(tree: exp.Expression, target: str, volatile: Collection[str]) -> bool:
    """Whether the statement that changes `target`, so called, holds a query that `picks`. One that reads the target's
    row is another query for each row anyway."""
    if tree.find(exp.TableSample) is not None:
        return True
    return any(picks(query, volatile) and not _reads_row(query, target) for query in _outermost(tree))


def picks(query: exp.Expression, volatile: Collection[str]) -> bool:
    """`volatile`: the names of the users' functions that are."""
    for node in query.walk():
        if isinstance(node, exp.TableSample) or (isinstance(node, exp.Distinct) and node.args.get("on") is not None):
            return True
        if isinstance(node, Call) and (node.name in catalog.VOLATILE or node.name in volatile):
            return True
        if isinstance(node, exp.Limit | exp.Fetch | exp.Offset) and not _are_all_keys(node.parent):
            return True
    return False


def _are_all_keys(query: object) -> bool:
    """Whether the rows are ordered by all that they show: then it does not matter which of equal ones are taken."""
    if not isinstance(query, exp.Select) or query.args.get("order") is None:
        return False
    order = query.args["order"]
    keys = {ordered.this.sql() for ordered in order.expressions}
    shown = [item.unalias() for item in query.expressions]
    return not any(item.is_star for item in shown) and all(item.sql() in keys for item in shown)


def _outermost(tree: exp.Expression) -> Iterator[exp.Expression]:
    for child in tree.iter_expressions():
        if isinstance(child, exp.Query):
            yield child
        else:
            yield from _outermost(child)


def _reads_row(query: exp.Expression, target: str) -> bool:
    for table in query.find_all(exp.Table):
        alias = table.args.get("alias")
        shown = alias.this if alias is not None and alias.this is not None else table.this
        if isinstance(shown, exp.Identifier) and identifier_name(shown) == target:
            return False  # the name means another table there
    return any(
        isinstance(column.args.get("table"), exp.Identifier) and identifier_name(column.args["table"]) == target
        for column in query.find_all(exp.Column)
    )
