"""Entry: binds one parsed expression. Importing it fills the tables of handlers and functions. Coordinator process."""

from __future__ import annotations

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.expressions import (
    aggregates,
    arrays,
    calls,
    conditionals,
    constants,
    operators,
    predicates,
)
from mere.sql.expressions.context import Context
from mere.sql.expressions.sets import bind_set
from mere.sql.expressions.typed import Environment, SetFunction, Typed
from mere.sql.functions import (
    array_functions,
    bit_strings,
    date_formats,
    date_functions,
    json_functions,
    math_functions,
    number_formats,
    text_functions,
)


def bind_expression(node: exp.Expression, env: Environment) -> Typed:
    """The DuckDB form and PostgreSQL type of one scalar expression; raises MereError with PostgreSQL's SQLSTATE.

    Whether aggregates, windows or sets are allowed where the expression stands is the caller's to check by the marks.
    """
    return Context(env).bind(node)


def bind_set_function(node: exp.Expression, env: Environment) -> SetFunction:
    """A function call in FROM (generate_series, unnest, json_each, regexp_matches ...), arguments bound with `env`."""
    if not isinstance(node, exp.Anonymous):
        raise FeatureNotSupported("only function calls can stand in FROM")
    return bind_set(Context(env), node)


REGISTERED = (
    aggregates,
    arrays,
    calls,
    conditionals,
    constants,
    operators,
    predicates,
    array_functions,
    bit_strings,
    date_formats,
    date_functions,
    json_functions,
    math_functions,
    number_formats,
    text_functions,
)
