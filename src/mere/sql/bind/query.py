"""A query of any shape to a block: the one function that every other part of the binder calls for a nested query.

Lives in the gateway's process.
"""

from __future__ import annotations

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.bind.binding import Binding
from mere.sql.bind.block import Block, Output
from mere.sql.bind.ordering import apply_limit, order_outputs
from mere.sql.bind.scope import Frame, Level, Scope
from mere.sql.bind.select import bind_select
from mere.sql.bind.set_operation import bind_set_operation
from mere.sql.bind.values import bind_values
from mere.sql.bind.with_clause import attach, bind_with


def bind_query(binding: Binding, node: exp.Expression, outer: Scope | None, frame: Frame) -> Block:
    """Binds SELECT, a set operation, VALUES, or one of them in parentheses. The block is open where it can be."""
    if isinstance(node, exp.Insert | exp.Update | exp.Delete | exp.Merge):
        raise FeatureNotSupported("a WITH query that changes a table is not supported here")
    tables = bind_with(binding, node, outer, frame)
    frame = tables.frame
    if isinstance(node, exp.Select):
        block = bind_select(binding, node, outer, frame)
    elif isinstance(node, exp.SetOperation):
        block = bind_set_operation(binding, node, outer, frame)
    elif isinstance(node, exp.Values):
        block = bind_values(binding, node, outer, frame)
    elif isinstance(node, exp.Subquery):
        block = _bind_parenthesized(binding, node, outer, frame)
    else:
        raise FeatureNotSupported(f"{node.key.upper()} is not supported as a query over lake tables")
    attach(block, tables)
    return block


def _bind_parenthesized(binding: Binding, node: exp.Subquery, outer: Scope | None, frame: Frame) -> Block:
    """(query), which may have its own ORDER BY and LIMIT behind the parentheses."""
    if binding.is_open(node):
        binding.leave_open(node.this)
    block = binding.query(node.this, outer, frame)
    if not any(node.args.get(key) for key in ("order", "limit", "offset")):
        return block
    inner = block.close()
    wrapper = binding.alias("mere_parenthesized")
    outputs = [
        Output(name, typed, output.origin)
        for (name, typed), output in zip(block.references(wrapper), block.outputs, strict=True)
    ]
    tree = exp.Select(
        from_=exp.From(
            this=exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.Identifier(this=wrapper, quoted=True)))
        )
    )
    level = Level(block.marks, block.correlated)
    scope = Scope(level, outer, frame)
    result = Block(tree, outputs)
    if node.args.get("order") is not None:
        tree.set("order", order_outputs(node.args["order"], result))
    apply_limit(binding, node, result, scope)
    result.marks, result.correlated = level.marks, level.correlated
    return result
