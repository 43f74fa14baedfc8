"""Names of unaliased output columns, as parse_target.c's FigureColname gives them. Coordinator process."""

from __future__ import annotations

from sqlglot import exp


def figure_name(node: exp.Expression) -> str:
    """The column name PostgreSQL gives to this expression in a select list: 'sum', 'case', '?column?' ..."""
    raise NotImplementedError
