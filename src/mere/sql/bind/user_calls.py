"""Which function a call means where users have functions of that name, and what becomes of it.

Functions in SQL take the place of their calls; those in Python run in the engine; of other languages only PostgreSQL
can evaluate them, once, where no row has to do with it. Lives in the gateway's process.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from mere.errors import FeatureNotSupported, InsufficientPrivilege, SqlSyntaxError, UndefinedObject
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.python_call import python_call
from mere.sql.bind.user_function import FunctionRows, placed, rows_of, value_of
from mere.sql.expressions import Typed
from mere.sql.expressions.calls import apply
from mere.sql.expressions.context import Context, marks_of
from mere.sql.expressions.typed import PLACEHOLDER
from mere.sql.functions import catalog
from mere.sql.functions.resolution import AmbiguousName, Resolved
from mere.sql.functions.user import Meant, meant_by
from mere.sql.grammar.nodes import Call
from mere.sql.types import PgType, duckdb_type, type_name


@dataclass(frozen=True, slots=True)
class _Found:
    """What a call means, and its arguments as they are bound where it stands."""

    meant: Meant | Resolved
    bound: list[Typed]


def bind_user_call(context: Context, environment: ScopeEnvironment, node: Call) -> Typed | None:
    """A call where a value stands; None where no function of a user's can be meant."""
    found = _find(context, environment, node)
    if found is None:
        return None
    meant = found.meant
    if isinstance(meant, Resolved):
        return apply(context, node, meant, found.bound)
    if meant.function.language == "sql":
        return value_of(environment, node, meant, found.bound)
    if meant.function.in_python:
        return python_call(environment, meant, placed(environment, node, meant, found.bound))
    return _left_to_postgres(context, node, meant, found.bound)


def bind_user_rows(environment: ScopeEnvironment, node: exp.Expression) -> FunctionRows | None:
    """A call in FROM of a user's function that returns a set; None for any other."""
    if not isinstance(node, Call) or not environment.binding.resolved.functions or not _named(environment, node):
        return None
    context = Context(environment)
    found = _find(context, environment, node)
    if found is None or isinstance(found.meant, Resolved) or not found.meant.function.returns_set:
        return None
    function = found.meant.function
    if function.language != "sql":
        raise FeatureNotSupported(
            f"function {function.name}() is written in {function.language}, which returns no rows here"
        )
    return rows_of(environment, node, found.meant, found.bound)


def _named(environment: ScopeEnvironment, node: Call) -> bool:
    schema = node.args.get("schema") or ""
    if not schema and environment.scope.frame.printed:
        return False
    return (schema, node.name) in environment.binding.resolved.functions


def _find(context: Context, environment: ScopeEnvironment, node: Call) -> _Found | None:
    if not _named(environment, node):
        return None
    schema, name = node.args.get("schema") or "", node.name
    candidates = environment.binding.resolved.functions[schema, name]
    if not schema and name in catalog.AGGREGATES | catalog.WINDOWS | catalog.SETS:
        raise FeatureNotSupported(
            f"{name}() is a function of a user's, too: over lake data only one can be", hint="Name its schema."
        )
    if node.args.get("distinct") or node.args.get("order"):
        raise SqlSyntaxError(f"DISTINCT specified, but {name} is not an aggregate function", sqlstate="42809")
    written = [given.expression if isinstance(given, exp.Kwarg) else given for given in node.expressions]
    labels = [given.this.name if isinstance(given, exp.Kwarg) else None for given in node.expressions]
    bound = context.bind_all(written)
    types = tuple(argument.type.oid for argument in bound)
    spelled = f"{name}({', '.join(type_name(oid) for oid in types)})"
    try:
        meant = meant_by(name, candidates, types, labels, builtin=not schema)
    except AmbiguousName:
        raise UndefinedObject(f"function {spelled} is not unique", sqlstate="42725") from None
    if meant is None or node.args.get("variadic") or (isinstance(meant, Meant) and meant.function.kind != "f"):
        raise FeatureNotSupported(f"function {spelled} is not supported over lake data")
    return _Found(meant, bound)


def _left_to_postgres(context: Context, node: Call, meant: Meant, bound: list[Typed]) -> Typed:
    """Evaluated once, if it is one value for the whole statement."""
    function = meant.function
    if not function.executable:
        raise InsufficientPrivilege(f"permission denied for function {function.name}")
    target = PgType(meant.resolved.result)
    if marks_of(bound) & ~PLACEHOLDER or function.volatility == "v" or function.returns_set or not duckdb_type(target):
        raise FeatureNotSupported(
            f"function {function.name}() cannot run over lake data: it is written in {function.language}",
            hint="Functions in SQL and in Python can; others only with constants, if they are STABLE or IMMUTABLE.",
        )
    return context.env.constant(context.postgres_text(node), target)
