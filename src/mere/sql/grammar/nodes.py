"""Syntax nodes that sqlglot lacks, as PostgreSQL's grammar needs them. Coordinator process."""

from __future__ import annotations

from typing import ClassVar

from sqlglot import exp


class Call(exp.Anonymous):
    """A function call by name: `schema` as written or '', DISTINCT, ORDER BY inside, VARIADIC before the last argument.

    `count(*)` has one exp.Star. Named arguments are exp.Kwarg. `keyword` marks what the grammar spells without
    parentheses (current_date) or as a construct (coalesce) and must be printed so.
    """

    arg_types: ClassVar[dict[str, bool]] = {
        "this": True,
        "expressions": False,
        "schema": False,
        "distinct": False,
        "order": False,
        "variadic": False,
        "keyword": False,
    }


class PgOperator(exp.Expression, exp.Condition):
    """An operator that has no node of its own in sqlglot; `this` is absent for a prefix operator."""

    arg_types: ClassVar[dict[str, bool]] = {"this": False, "operator": True, "expression": True}
