"""What all readers of a shared WITH query leave out is left out of it: rows that fail every reader's conditions, and
equal rows where nobody counts them.

Works on trees, in place, before they are planned. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from mere.plan.above.calls import windows_in
from mere.plan.columns import Ref, aliases, column, conjunction, every, output_names, queries_in, substitute
from mere.plan.rules.common_tables import CommonTable, CommonTables, readers_first
from mere.plan.rules.derived import aggregated, push_into, takes
from mere.sql.bind.pruning import conjuncts

_MANY = 8  # readers' conditions that are worth one OR
_HARMLESS = (
    exp.Column | exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE | exp.In | exp.Between | exp.Is
    | exp.And | exp.Or | exp.Not | exp.Paren
)  # fmt: skip


def narrow(tree: exp.Expression, common: CommonTables) -> None:
    """Narrows every shared query by what its readers ask of it."""
    for each in readers_first(common):
        readers = [*_readers(tree, common, each.name)]
        if each.recursive or not readers:
            continue
        if list(each.columns) == output_names(each.query):
            _filter(each, readers)
        each.once = all(_asks_whether(table, common) for table in readers)


def _readers(tree: exp.Expression, common: CommonTables, name: str) -> Iterator[exp.Table]:
    for root in (tree, *(each.query for each in common.shared.values())):
        yield from (table for table in every(root, exp.Table) if table.name == name)


# Rows


def _filter(common: CommonTable, readers: list[exp.Table]) -> None:
    """A row counts where it passes the conditions of one reader at least. What the query does not take of a reader's
    conditions, on a sum of its own maybe, stays with the reader alone."""
    arms: dict[exp.Expression, None] = {}
    for table in readers:
        conditions = _conditions(table, common.name)
        taken = [each for each in conditions if takes(common.query, common.name, each)]
        if len(taken) < len(conditions):
            taken = [each for each in taken if _harmless(each)]
        condition = conjunction(taken)
        if condition is None:
            return
        arms[condition] = None
    if len(arms) > _MANY:
        return
    whole: exp.Expression | None = None
    for condition in arms:
        arm = exp.Paren(this=condition) if len(arms) > 1 else condition
        whole = arm if whole is None else exp.Or(this=whole, expression=arm)
    assert whole is not None
    push_into(common.query, common.name, exp.Paren(this=whole) if len(arms) > 1 else whole)


def _harmless(condition: exp.Expression) -> bool:
    """Does it only compare columns with values? It fails for no row then, also for one that another condition, left
    behind, would have kept from it."""
    return all(isinstance(node, _HARMLESS) or node.find(exp.Column) is None for node in condition.walk())


def _conditions(table: exp.Table, name: str) -> list[exp.Expression]:
    """What a reader's WHERE says of this table alone, with the table's name for its alias."""
    select = _select_of(table)
    if select is None or not _preserved(select, table):
        return []
    where = select.args.get("where")
    alias = table.alias_or_name
    own = [
        each
        for each in (conjuncts(where.this) if where is not None else ())
        if aliases(each) == {alias} and not any(True for _ in queries_in(each))
    ]
    mapping: dict[Ref, exp.Expression] = {}
    for each in own:
        mapping |= {(alias, node.name): column((name, node.name)) for node in every(each, exp.Column)}
    return [substitute(each.copy(), mapping) for each in own]


def _select_of(table: exp.Table) -> exp.Select | None:
    """The SELECT in whose FROM the table stands by itself."""
    item = table.parent
    if not isinstance(item, exp.From | exp.Join) or table.args.get("joins") or table.args.get("sample"):
        return None
    return item.parent if isinstance(item.parent, exp.Select) else None


def _preserved(select: exp.Select, table: exp.Table) -> bool:
    """Does no outer join put NULLs for the table's rows, so that WHERE sees them as they are?"""
    joins = select.args.get("joins") or []
    if any(join.args.get("side") not in (None, "", "LEFT") or join.args.get("method") for join in joins):
        return False
    return not (isinstance(table.parent, exp.Join) and table.parent.args.get("side"))


# Equal rows


def _asks_whether(table: exp.Table, common: CommonTables) -> bool:
    """Does the table only serve a condition IN or EXISTS, or a DISTINCT, which equal rows do not change?"""
    select = _select_of(table)
    while select is not None:
        if any(select.args.get(key) for key in ("group", "having", "qualify", "limit", "offset")):
            return False
        if aggregated(select) or windows_in(iter(select.expressions)):
            return False
        distinct = select.args.get("distinct")
        if distinct is not None:
            return distinct.args.get("on") is None
        standing: exp.Expression = select
        if isinstance(select.parent, exp.Subquery):
            standing = select.parent
        place = standing.parent
        if isinstance(place, exp.Exists | exp.Any | exp.All):
            return True
        if isinstance(place, exp.In):
            return standing.arg_key == "query"
        if isinstance(place, exp.CTE):
            return place.alias in common.shared and common.shared[place.alias].once
        select = (
            place.parent if isinstance(place, exp.From | exp.Join) and isinstance(place.parent, exp.Select) else None
        )
    return False
