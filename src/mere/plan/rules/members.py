"""Members of FROM, grounded: a scan, a shared WITH query, a derived table, or a function. Coordinator process."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from mere.plan.block import Member
from mere.plan.builder import REPLICATED
from mere.plan.columns import outer_refs
from mere.plan.group import Group, leaf
from mere.plan.planning import Planning
from mere.plan.rules.derived import prune, push_into
from mere.plan.undivided import Undivided

_FUNCTION_ROWS = 1000.0


def grounded(
    planning: Planning, member: Member, own: Sequence[exp.Expression], used: set[str]
) -> tuple[Group, list[exp.Expression]]:
    """The member as a group, and those of its `own` conditions that are still to be tested on it."""
    from mere.plan.query import plan_query, shared_table

    tree, alias = member.tree, member.alias
    if isinstance(tree, exp.Table):
        if tree.name in planning.facts.scans and isinstance(tree.this, exp.Identifier):
            return planning.scan(tree.name, alias), list(own)
        if tree.name in planning.common.shared and isinstance(tree.this, exp.Identifier):
            return planning.derived(shared_table(planning, tree.name), alias), list(own)
        if planning.reads(tree) or outer_refs(tree):
            raise Undivided("a function in FROM that reads other rows")
        return leaf(tree, alias, REPLICATED, _FUNCTION_ROWS), list(own)
    assert isinstance(tree, exp.Subquery)
    query = tree.this
    if outer_refs(query):
        raise Undivided("a derived table that reads the query around it")
    left = [condition for condition in own if not push_into(query, alias, condition)]
    prune(query, used)
    return planning.derived(plan_query(planning, query), alias), left


def one_row(planning: Planning) -> Group:
    """What a FROM of lateral members alone begins with."""
    alias = planning.known.alias()
    row = exp.Select(expressions=[exp.Alias(this=exp.Literal.number(1), alias=exp.to_identifier("mere_nothing"))])
    tree = exp.Subquery(this=row, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
    group = leaf(tree, alias, REPLICATED, 1.0)
    group.aliases = frozenset()
    return group
