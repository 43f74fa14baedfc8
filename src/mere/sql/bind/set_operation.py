"""UNION, INTERSECT and EXCEPT: two queries of one column list, of one type each.

Lives in the gateway's process.
"""

from __future__ import annotations

from sqlglot import exp

from mere.errors import SqlSyntaxError
from mere.sql.bind.binding import Binding
from mere.sql.bind.block import Block, ColumnOf, Output
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.ordering import apply_limit, order_outputs
from mere.sql.bind.scope import Frame, Level, Scope, column_sql, refer
from mere.sql.expressions import unify_columns

_NAMES: dict[type[exp.Expression], str] = {exp.Union: "UNION", exp.Intersect: "INTERSECT", exp.Except: "EXCEPT"}


def bind_set_operation(binding: Binding, node: exp.SetOperation, outer: Scope | None, frame: Frame) -> Block:
    """The columns take the left side's names; types are resolved pair by pair, as PostgreSQL does."""
    operator = _NAMES[type(node)]
    binding.leave_open(node.this)
    binding.leave_open(node.expression)
    left = binding.query(node.this, outer, frame)
    right = binding.query(node.expression, outer, frame)
    if len(left.outputs) != len(right.outputs):
        raise SqlSyntaxError(f"each {operator} query must have the same number of columns")
    level = Level(left.marks | right.marks, left.correlated or right.correlated)
    scope = Scope(level, outer, frame)
    environment = ScopeEnvironment(binding, scope)
    ours, theirs = unify_columns([left.typed, right.typed], operator, environment)
    ours, theirs = tuple(map(environment.known, ours)), tuple(map(environment.known, theirs))
    left.coerce(ours)
    right.coerce(theirs)
    tree = type(node)(
        this=_operand(left.close()), expression=_operand(right.close()), distinct=bool(node.args.get("distinct"))
    )
    wrapper = binding.alias("mere_set")
    outputs = [
        Output(output.name, refer(typed, column_sql(wrapper, output.alias)), alias=output.alias)
        for output, typed in zip(left.outputs, ours, strict=True)
    ]
    block = Block(tree, outputs, closed=True, wrapper=wrapper)
    if not (node.args.get("limit") or node.args.get("offset")):
        block.lineage = _lineage(left, right, operator)
    if node.args.get("order") is not None:
        tree.set("order", order_outputs(node.args["order"], block))
    apply_limit(binding, node, block, scope)
    block.marks, block.correlated = level.marks, level.correlated
    return block


def _operand(tree: exp.Expression) -> exp.Expression:
    """A member with clauses of its own, or a set operation itself, stands in parentheses."""
    own = any(tree.args.get(key) for key in ("with_", "order", "limit", "offset"))
    return exp.Subquery(this=tree) if own or isinstance(tree, exp.SetOperation) else tree


def _lineage(left: Block, right: Block, operator: str) -> dict[str, list[ColumnOf]]:
    """A filter on a column is one on both sides' columns; EXCEPT takes no rows from its right side."""
    found = {alias: list(columns) for alias, columns in left.lineage.items()}
    if operator != "EXCEPT":
        for own, other in zip(left.outputs, right.outputs, strict=True):
            found.setdefault(own.alias, []).extend(right.lineage.get(other.alias, []))
    return found
