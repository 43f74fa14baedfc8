"""Partitioned tables: read as the union of their partitions, written by routing each row to the one that takes it.

Lives in the gateway's process.
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from mere.sql.bind.binding import Binding
from mere.sql.bind.bound import BoundCheck, Route
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.scope import Level, Namespace, Scope
from mere.sql.bind.target import bind_checks, expression_of, rows_item
from mere.sql.relations import Relation


def bind_routes(binding: Binding, relation: Relation) -> tuple[Route, ...]:
    """For each partition the condition, over a row of `mere_rows`, that the row is its; and its own constraints."""
    return tuple(_route(binding, leaf) for leaf in relation.partitions)


def _route(binding: Binding, leaf: Relation) -> Route:
    item = rows_item(leaf, leaf.name)
    scope = Scope(Level(), None, replace(binding.frame(), printed=True), Namespace([item], list(item.columns)))
    with binding.apart():
        condition = (
            ScopeEnvironment(binding, scope).boolean(expression_of(leaf.bounds), "CHECK").sql
            if leaf.bounds
            else exp.Boolean(this=True)
        )
    rules = bind_checks(binding, replace(leaf, bounds=None))
    return Route(leaf, condition, tuple(rule for rule in rules if isinstance(rule, BoundCheck)))
