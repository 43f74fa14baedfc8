"""Expressions: from a parsed PostgreSQL expression to a DuckDB expression with its exact PostgreSQL type.

The binder gives names and subqueries through `Environment`; everything else is resolved here. Lives in the
coordinator process; pure functions over syntax trees.
"""

from __future__ import annotations

from mere.sql.coercion import coerce, to_boolean
from mere.sql.expressions.bind import bind_expression, bind_set_function
from mere.sql.expressions.names import figure_name
from mere.sql.expressions.typed import (
    Coercion,
    Environment,
    SetColumn,
    SetFunction,
    Subquery,
    Typed,
    WindowSpec,
)
from mere.sql.expressions.unify import common_type, unify, unify_columns

__all__ = [
    "Coercion",
    "Environment",
    "SetColumn",
    "SetFunction",
    "Subquery",
    "Typed",
    "WindowSpec",
    "bind_expression",
    "bind_set_function",
    "coerce",
    "common_type",
    "figure_name",
    "to_boolean",
    "unify",
    "unify_columns",
]
