"""Functions that return sets, in FROM and in a select list. Coordinator process."""

from __future__ import annotations

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.expressions.context import Context
from mere.sql.expressions.typed import SetFunction, Typed
from mere.sql.grammar.nodes import Call


def bind_set_in_list(context: Context, node: Call) -> Typed:
    raise FeatureNotSupported(f"{node.name} is not supported")


def bind_set(context: Context, node: exp.Expression) -> SetFunction:
    raise FeatureNotSupported("set-returning functions are not supported")
