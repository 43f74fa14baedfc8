"""One SELECT: its clauses in the order in which PostgreSQL gives them meaning.

Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.bind.binding import Binding
from mere.sql.bind.block import Block
from mere.sql.bind.dependent import add_dependent
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.from_clause import bind_from
from mere.sql.bind.grouping import bind_group
from mere.sql.bind.ordering import apply_limit, bind_distinct, bind_order
from mere.sql.bind.pruning import collect
from mere.sql.bind.scope import Frame, Level, Scope, identifier_name
from mere.sql.bind.targets import Target, bind_targets
from mere.sql.expressions import Typed
from mere.sql.types import UNKNOWN, PgType


def bind_select(binding: Binding, node: exp.Select, outer: Scope | None, frame: Frame) -> Block:
    if node.args.get("into") is not None:
        raise FeatureNotSupported("SELECT ... INTO is not supported here")
    level = Level()
    scope = Scope(level, outer, frame)
    tree = exp.Select()
    part = bind_from(binding, node, scope)
    environment = ScopeEnvironment(binding, scope)
    if part is not None:
        tree.set("from_", exp.From(this=part.tree))
        tree.set("joins", part.joins)
    _bind_windows(node, scope)
    if node.args.get("where") is not None:
        condition = environment.boolean(node.args["where"].this, "WHERE").sql
        tree.set("where", exp.Where(this=condition))
        if part is not None:
            collect(binding, condition, part.scans - part.nullable, strict_only=False)
            collect(binding, condition, part.nullable, strict_only=True)
    outputs = bind_targets(environment, node.expressions, resolve=not binding.is_open(node))
    block = Block(tree, [target.output for target in outputs])
    if node.args.get("group") is not None:
        tree.set("group", bind_group(environment, node.args["group"], outputs))
    if node.args.get("having") is not None:
        tree.set("having", exp.Having(this=environment.boolean(node.args["having"].this, "HAVING").sql))
    if node.args.get("qualify") is not None:
        raise FeatureNotSupported("QUALIFY is not PostgreSQL's")
    if node.args.get("distinct") is not None:
        tree.set("distinct", bind_distinct(environment, node.args["distinct"], outputs))
    if node.args.get("order") is not None:
        tree.set("order", bind_order(environment, node.args["order"], outputs, node.args.get("distinct") is not None))
    if tree.args.get("group") is not None:
        _let_dependent_through(tree, outputs, scope)
    apply_limit(binding, node, block, scope)
    block.marks, block.correlated = level.marks, level.correlated
    return block


def _let_dependent_through(tree: exp.Select, targets: Sequence[Target], scope: Scope) -> None:
    aliases = frozenset(item.emitted for item in scope.namespace.items)
    values = [target.output.typed for target in targets]
    order = tree.args.get("order")
    for item in order.expressions if order is not None else []:
        if isinstance(item.this, exp.Column):
            values.append(Typed(item.this, PgType(UNKNOWN)))
    add_dependent(tree.args["group"], values, aliases)


def _bind_windows(node: exp.Select, scope: Scope) -> None:
    for window in node.args.get("windows") or []:
        scope.windows[identifier_name(window.this)] = window
