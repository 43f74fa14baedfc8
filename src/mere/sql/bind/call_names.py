"""Which functions a statement calls, and what functions and views name in turn, for the session to look up.

Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.bind.function_body import body_query
from mere.sql.bind.parse import parse
from mere.sql.bind.relation_names import relation_names
from mere.sql.bind.scope import Name
from mere.sql.functions.user import UserFunction
from mere.sql.grammar.nodes import Call
from mere.sql.relations import Resolved

CallName = tuple[str, str]  # schema or "", name


def call_names(tree: exp.Expression) -> frozenset[CallName]:
    """What a query calls by name, PostgreSQL's own functions among it."""
    return frozenset(_calls(tree))


def _calls(tree: exp.Expression) -> Iterator[CallName]:
    for node in tree.find_all(Call):
        schema = node.args.get("schema") or ""
        if not node.args.get("keyword") and schema != "pg_catalog":
            yield schema, node.name


@lru_cache(maxsize=512)
def named_inside(function: UserFunction) -> tuple[tuple[Name, ...], frozenset[CallName]]:
    """The relations and functions that its body names, and its defaults; nothing for what is not run here."""
    if function.language != "sql" or function.kind != "f":
        return (), frozenset()
    try:
        tree = body_query(function)
    except FeatureNotSupported:  # raised again where the function is called
        return (), frozenset()
    calls = call_names(tree)
    for given in function.inputs:
        if given.default is not None:
            calls |= call_names(parse(f"SELECT {given.default}"))
    return relation_names(tree), calls


@lru_cache(maxsize=512)
def called_by_view(sql: str) -> frozenset[CallName]:
    """The functions of users that a view calls: PostgreSQL prints their schemas."""
    return frozenset(call for call in call_names(parse(sql.rstrip().rstrip(";"))) if call[0])


def called_by_views(resolved: Resolved) -> frozenset[CallName]:
    views = [relation for relation in resolved.by_name.values() if relation.view_sql is not None]
    views += [r for inside in resolved.in_views.values() for r in inside.values() if r.view_sql is not None]
    return frozenset(call for view in views for call in called_by_view(view.view_sql or ""))
