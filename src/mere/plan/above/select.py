"""A SELECT whose FROM and WHERE run on segments already: everything above them, as one local query.

Each rule makes one clause complete on every segment, or on one, and hands on a SELECT that still says the rest:
groups, then windows, then DISTINCT, then LIMIT. Coordinator process.
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from mere.plan.above.calls import calls_in, clauses_above, windows_in
from mere.plan.above.carry import aliased
from mere.plan.above.distinct import complete_distinct
from mere.plan.above.estimates import combinations
from mere.plan.above.grouping import read_grouping
from mere.plan.above.groups import complete_groups
from mere.plan.above.order import Ending, limited, take_ending
from mere.plan.above.ranks import forget_rank_limit, rank_name
from mere.plan.above.stage import placed
from mere.plan.above.windows import complete_windows
from mere.plan.builder import Builder
from mere.plan.local import Joined, Local, Spread

# Aggregates that may give another answer on each segment over the same rows, in another order.
_BY_ORDER = frozenset({"any_value", "arbitrary", "arg_max", "arg_min", "array_agg", "first", "last", "list", "mode"})

_LEFT_BY_HAVING = 0.1  # of the groups: most look for what is rare

_BY_VALUE = frozenset({"avg", "count", "cume_dist", "dense_rank", "max", "min", "percent_rank", "rank", "sum"})


def finish_select(builder: Builder, joined: Joined) -> Local:
    """`joined.select` as a closed query. Its ORDER BY counts only with LIMIT or DISTINCT ON."""
    select = _named(joined.select)
    tree, ending = take_ending(select)
    if not ending.limited and ending.hidden:
        tree = select.copy()
        tree.set("order", tree.args.get("order") if _is_distinct_on(tree) else None)
        ending = Ending()
    assert isinstance(tree, exp.Select)
    joined = replace(joined, select=tree)
    if joined.place.spread is not Spread.PARTITIONED:
        forget_rank_limit(tree)
        return _undivided(builder, joined, ending)
    joined = complete_groups(builder, joined)
    joined = complete_windows(builder, joined)
    forget_rank_limit(joined.select)
    joined = complete_distinct(builder, joined)
    return limited(builder, _closed(builder, joined), ending)


def _named(select: exp.Select) -> exp.Select:
    """Every column under an alias, as the binder gives them."""
    if all(isinstance(item, exp.Alias) for item in select.expressions):
        return select
    made = select.copy()
    items = [item if isinstance(item, exp.Alias) else aliased(item, item.alias_or_name) for item in made.expressions]
    made.set("expressions", items)
    return made


def _is_distinct_on(select: exp.Select) -> bool:
    distinct = select.args.get("distinct")
    return distinct is not None and distinct.args.get("on") is not None


def _undivided(builder: Builder, joined: Joined, ending: Ending) -> Local:
    """All rows are on one segment, or on every one: nothing has to move.

    Where every segment might choose other rows, or give them other numbers, one of them does it for all.
    """
    grouping = read_grouping(joined.select)
    if grouping is not None:
        rows = sum(combinations(joined, members) for members in grouping.sets)
        joined = replace(joined, rows=min(rows, joined.rows * len(grouping.sets)))
    local = _closed(builder, joined)
    if joined.place.spread is Spread.REPLICATED and _arbitrary(joined.select):
        local = builder.gather(local)
    return limited(builder, local, ending)


def _arbitrary(select: exp.Select) -> bool:
    calls = calls_in(clauses_above(select))
    return (
        _is_distinct_on(select)
        or any(map(_by_place, windows_in(clauses_above(select))))
        or any(call.name in _BY_ORDER or call.name == "string_agg" for call in calls)
    )


def _by_place(window: exp.Window) -> bool:
    """A window function whose value depends on how equal rows follow each other."""
    spec = window.args.get("spec")
    rows = spec is not None and str(spec.args.get("kind")).upper() != "RANGE"
    return rows or rank_name(window) not in _BY_VALUE


def _closed(builder: Builder, joined: Joined) -> Local:
    items = [(item.this, str(item.alias)) for item in joined.select.expressions if isinstance(item, exp.Alias)]
    rows = joined.rows * _LEFT_BY_HAVING if joined.select.args.get("having") is not None else joined.rows
    return builder.local(joined.select, placed(joined.place, items), max(rows, 1.0))
