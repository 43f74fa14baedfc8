"""Motions that bring a small part of a table, told to the segment's engine. Pure; coordinator process.

DuckDB takes the smallest count of distinct values among joined relations for their common domain. A motion holds
nothing but the rows that its sender let through, so to DuckDB every row of the other side finds its partner there, and
the join that would leave out most of them is done last. A filter, even one that every row passes, makes DuckDB count on
a fifth of the rows out of an unchanged domain: so it estimates the same query over the whole table.
"""

from __future__ import annotations

from sqlglot import exp

from mere.plan.nodes import Motion
from mere.sql.lexer import quote_identifier

_LARGEST_SHARE = 0.5  # of the rows that the sender's scans could bring


def is_sparse(tree: exp.Expression, rows: float, whole: float) -> bool:
    """Are `rows` of a slice's tree a selection out of relations of up to `whole` rows? Groups are no selection: there
    is one for every key."""
    if not isinstance(tree, exp.Select) or not tree.args.get("where"):
        return False
    grouped = any(tree.args.get(part) for part in ("group", "distinct", "limit"))
    return (
        not grouped and not any(each.find(exp.AggFunc) for each in tree.expressions) and rows <= _LARGEST_SHARE * whole
    )


def filtered(motion: Motion) -> str:
    """The motion's table behind a filter that all of its rows pass. It stands in a query under the table's own name."""
    return f"SELECT * FROM temp.main.{quote_identifier(motion.table)} WHERE rowid >= 0"
