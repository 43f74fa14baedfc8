"""The binder's entry: one statement, whichever it is.

Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlglot import exp

from mere.errors import FeatureNotSupported, MereError
from mere.sql.bind.binding import Binding
from mere.sql.bind.bound import BindContext, BoundStatement
from mere.sql.bind.delete import bind_delete
from mere.sql.bind.finish import finish
from mere.sql.bind.insert import bind_insert
from mere.sql.bind.merge import bind_merge
from mere.sql.bind.query import bind_query
from mere.sql.bind.scope import CommonTable
from mere.sql.bind.update import bind_update
from mere.sql.relations import Resolved


def bind(
    tree: exp.Expression,
    resolved: Resolved,
    context: BindContext,
    held: Mapping[str, CommonTable] = MappingProxyType({}),
) -> BoundStatement:
    """A statement from `parse`, over what the catalog resolved. Raises MereError with PostgreSQL's SQLSTATE.

    `held` are WITH queries around the statement whose rows the engine has as tables.
    """
    binding = Binding(context, resolved, bind_query, held)
    try:
        return _bind(binding, tree)
    except RecursionError as error:
        raise MereError("stack depth limit exceeded", sqlstate="54001") from error


def _bind(binding: Binding, tree: exp.Expression) -> BoundStatement:
    binding.changes = isinstance(tree, exp.Insert | exp.Update | exp.Delete | exp.Merge)
    if isinstance(tree, exp.Insert):
        return bind_insert(binding, tree)
    if isinstance(tree, exp.Update):
        return bind_update(binding, tree)
    if isinstance(tree, exp.Delete):
        return bind_delete(binding, tree)
    if isinstance(tree, exp.Merge):
        return bind_merge(binding, tree)
    if isinstance(tree, exp.Query | exp.Values | exp.Subquery):
        block = binding.query(tree, None, binding.frame())
        bound = finish(binding, block)
        binding.check_privileges()
        return bound
    raise FeatureNotSupported(f"{tree.key.upper()} is not supported over lake tables")
