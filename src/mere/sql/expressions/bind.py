"""Entry: binds one parsed expression. Coordinator process."""

from __future__ import annotations

from sqlglot import exp

from mere.sql.expressions.typed import Environment, SetFunction, Typed


def bind_expression(node: exp.Expression, env: Environment) -> Typed:
    """The DuckDB form and PostgreSQL type of one scalar expression; raises MereError with PostgreSQL's SQLSTATE.

    Whether aggregates, windows or sets are allowed where the expression stands is the caller's to check by the marks.
    """
    raise NotImplementedError


def bind_set_function(node: exp.Expression, env: Environment) -> SetFunction:
    """A function call in FROM (generate_series, unnest, json_each, regexp_matches ...), arguments bound with `env`."""
    raise NotImplementedError
