"""The rows of a table that UPDATE or DELETE changes: the target joined with FROM or USING, each row at most once.

Lives in the gateway's process.
"""

from __future__ import annotations

from sqlglot import exp

from mere.sql.bind.binding import Binding
from mere.sql.bind.block import Output
from mere.sql.bind.bound import BoundSelect
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.from_clause import FromPart
from mere.sql.bind.pruning import collect
from mere.sql.bind.scope import Namespace, Scope, column_sql
from mere.sql.bind.target import FILE, POSITION, TargetScan, bind_returning
from mere.sql.expressions import Typed
from mere.sql.expressions.typed import COLUMN
from mere.sql.types import INT8, TEXT, PgType


def changed_rows(
    binding: Binding,
    scan: TargetScan,
    others: FromPart | None,
    where: exp.Where | None,
    scope: Scope,
) -> exp.Select:
    """FROM and WHERE of the changing query; `scope` sees the target, then the other tables."""
    item = scan.item
    select = exp.Select(from_=exp.From(this=scan.tree))
    namespace = Namespace([item], list(item.columns))
    if others is not None:
        namespace = namespace + others.namespace
        select.set("joins", [exp.Join(this=others.tree), *others.joins])
        # Where several rows match, PostgreSQL takes any one of them.
        key = exp.Tuple(expressions=[column_sql(item.emitted, FILE), column_sql(item.emitted, POSITION)])
        select.set("distinct", exp.Distinct(on=key))
    scope.namespace = namespace
    condition = scan.condition
    if where is not None:
        own = ScopeEnvironment(binding, scope).boolean(where.this, "WHERE").sql
        condition = (
            own if condition is None else exp.And(this=exp.Paren(this=condition), expression=exp.Paren(this=own))
        )
    if condition is not None:
        select.set("where", exp.Where(this=condition))
        collect(binding, condition, {item.emitted}, strict_only=False)
        if others is not None:
            collect(binding, condition, others.scans - others.nullable, strict_only=False)
            collect(binding, condition, others.nullable, strict_only=True)
    return select


def identity(alias: str) -> list[Output]:
    """mere_file and mere_pos of the target's rows."""
    return [
        Output(FILE, Typed(column_sql(alias, FILE), PgType(TEXT), COLUMN)),
        Output(POSITION, Typed(column_sql(alias, POSITION), PgType(INT8), COLUMN)),
    ]


def returning_apart(binding: Binding, node: exp.Returning, scope: Scope) -> BoundSelect:
    """RETURNING while the changing query is still open: its scans and constants are its own."""
    scans, constants, reads_held = binding.scans, binding.constants, binding.reads_held
    binding.scans, binding.constants = {}, {}
    returning = bind_returning(binding, node, scope)
    binding.scans, binding.constants, binding.reads_held = scans, constants, reads_held
    return returning
