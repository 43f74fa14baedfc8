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
    """Binds a chain to the left in a loop, since it may be a thousand members long."""
    chain = [node]
    while isinstance(inner := chain[-1].this, exp.SetOperation) and not _has_clauses(inner):
        chain.append(inner)
    first = chain[-1].this
    binding.leave_open(first)
    block = binding.query(first, outer, frame)
    for member in reversed(chain):
        binding.leave_open(member.expression)
        block = _combine(binding, member, block, binding.query(member.expression, outer, frame), outer, frame)
    scope = Scope(Level(block.marks, block.correlated), outer, frame)
    if node.args.get("limit") or node.args.get("offset"):
        block.lineage = {}
    if node.args.get("order") is not None:
        block.tree.set("order", order_outputs(node.args["order"], block))
    apply_limit(binding, node, block, scope)
    block.marks, block.correlated = scope.level.marks, scope.level.correlated
    return block


def _combine(
    binding: Binding, node: exp.SetOperation, left: Block, right: Block, outer: Scope | None, frame: Frame
) -> Block:
    """The columns take the left side's names; types are resolved pair by pair, as PostgreSQL does."""
    operator = _NAMES[type(node)]
    if len(left.outputs) != len(right.outputs):
        raise SqlSyntaxError(f"each {operator} query must have the same number of columns")
    environment = ScopeEnvironment(binding, Scope(Level(), outer, frame))
    ours, theirs = unify_columns([left.typed, right.typed], operator, environment)
    left.coerce([environment.known(typed) for typed in ours])
    right.coerce([environment.known(typed) for typed in theirs])
    tree = type(node)(
        this=_operand(left.close(), type(node)),
        expression=_operand(right.close()),
        distinct=bool(node.args.get("distinct")),
    )
    wrapper = binding.alias("mere_set")
    outputs = [
        Output(output.name, refer(output.typed, column_sql(wrapper, output.alias)), alias=output.alias)
        for output in left.outputs
    ]
    marks, correlated = left.marks | right.marks, left.correlated or right.correlated
    lineage = _lineage(left, right, operator)
    return Block(tree, outputs, True, wrapper, marks, correlated, lineage=lineage)


def _has_clauses(node: exp.Expression) -> bool:
    return any(node.args.get(key) for key in ("with_", "order", "limit", "offset"))


def _operand(tree: exp.Expression, left_of: type[exp.Expression] | None = None) -> exp.Expression:
    """A member with clauses of its own, or a set operation, stands in parentheses; a chain to the left needs none."""
    if _has_clauses(tree):
        return exp.Subquery(this=tree)
    if not isinstance(tree, exp.SetOperation):
        return tree
    chain = left_of is not None and (left_of is not exp.Intersect or isinstance(tree, exp.Intersect))
    return tree if chain else exp.Subquery(this=tree)


def _lineage(left: Block, right: Block, operator: str) -> dict[str, list[ColumnOf]]:
    """A filter on a column is one on both sides' columns; EXCEPT takes no rows from its right side."""
    found = {alias: list(columns) for alias, columns in left.lineage.items()}
    if operator != "EXCEPT":
        for own, other in zip(left.outputs, right.outputs, strict=True):
            found.setdefault(own.alias, []).extend(right.lineage.get(other.alias, []))
    return found
