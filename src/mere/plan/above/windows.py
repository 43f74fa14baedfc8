"""Window functions: complete where each partition lies on one segment, else the rows below them move.

The rows move by keys that several windows have in common; a window without PARTITION BY needs them all in one place.
What lies below the windows (groups, columns, keys that are computed) becomes the columns of an inner query. Coordinator
process.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from mere.plan.above.calls import bare, call_of, clauses_above, is_grouping, windows_in
from mere.plan.above.carry import Carried, Replace, above, below, correlated, source_of, sources
from mere.plan.above.estimates import combinations, few, spread_by, together
from mere.plan.above.grouping import Grouping, plain_columns, read_grouping
from mere.plan.above.ranks import RANKS, rank_name
from mere.plan.above.stage import placed, raised
from mere.plan.builder import Builder
from mere.plan.local import Joined, Spread
from mere.plan.undivided import Undivided

_WORTH = 0.5  # of the rows may be left, or ranking them twice saves nothing


def complete_windows(builder: Builder, joined: Joined) -> Joined:
    """The same SELECT with every window complete on each segment, or on one. Its groups are complete already."""
    while joined.place.spread is Spread.PARTITIONED:
        windows = windows_in(clauses_above(joined.select))
        waiting = [window for window in windows if not together(joined.place, plain_columns(_partition(window)))]
        if not waiting:
            return joined
        joined = _step(builder, joined, windows, waiting)
    return joined


def _partition(window: exp.Window) -> list[exp.Expression]:
    return list(window.args.get("partition_by") or [])


def _step(builder: Builder, joined: Joined, windows: Sequence[exp.Window], waiting: Sequence[exp.Window]) -> Joined:
    """Windows that are complete become columns, and the rows move for those that wait, or for some of them."""
    select = joined.select
    keys = [] if few(joined.rows) else _keys(joined, waiting)
    carried = Carried("mere_windows")
    replace = _carrying(select, carried, [window for window in windows if window not in waiting], keys)
    for key in keys:
        carried.add(key, "mere_k")
    outer = above(select, exp.From(this=exp.to_table("mere_windows")), replace, without=("having",))
    inner = below(select, carried.projections(), "group", "having")
    if (best := _ranked_first(joined, windows)) is not None:
        inner.set("qualify", exp.Qualify(this=best))
    local = builder.local(inner, placed(joined.place, carried.items), joined.rows)
    if keys:
        named = [(key, carried.name(key)) for key in keys]
        moved = builder.redistribute(local, spread_by(joined, named, builder.facts.segments))
    else:
        moved = builder.gather(local)
    outer.set("from_", source_of(moved, carried.alias))
    return raised(joined, outer, moved, carried, joined.rows)


def _keys(joined: Joined, waiting: Sequence[exp.Window]) -> list[exp.Expression]:
    """The keys that serve most of the windows at once; none where a window has no partitions."""
    sets = [list(dict.fromkeys(_partition(window))) for window in waiting]
    if not all(sets):
        return []
    common = [key for key in sets[0] if all(key in other for other in sets)]
    if common:
        return common

    def served(keys: list[exp.Expression]) -> tuple[int, float]:
        return sum(all(key in other for key in keys) for other in sets), combinations(joined, keys)

    return max(sets, key=served)


def _carrying(
    select: exp.Select, carried: Carried, done: Sequence[exp.Window], keys: Sequence[exp.Expression]
) -> Replace:
    """Puts columns of the inner query for all that lies below the windows that wait."""
    names = sources(select)
    grouping = read_grouping(select)

    def replace(node: exp.Expression) -> exp.Expression | None:
        if isinstance(node, exp.Window):
            return carried.add(node) if node in done else None
        if node in keys or correlated(node, names):
            return carried.add(node)
        if grouping is not None and (node in grouping.keys or call_of(node) is not None or is_grouping(node)):
            return carried.add(node)
        if isinstance(node, exp.Column) and node.table in names:
            _check_ungrouped(node, grouping)
            return carried.add(node)
        return None

    return replace


def _check_ungrouped(node: exp.Column, grouping: Grouping | None) -> None:
    if grouping is not None:
        raise Undivided(f"column {node.name} outside of groups")


def _ranked_first(joined: Joined, windows: Sequence[exp.Window]) -> exp.Expression | None:
    """QUALIFY rank() OVER (... ORDER BY ...) <= n: who is behind on one segment is behind among all. That alone, for
    rows that are left out must not count in another window."""
    qualify = joined.select.args.get("qualify")
    if qualify is None:
        return None
    for part in map(bare, qualify.this.flatten() if isinstance(qualify.this, exp.And) else [qualify.this]):
        if not isinstance(part, exp.LTE | exp.LT | exp.EQ) or not isinstance(window := bare(part.this), exp.Window):
            continue
        limit = part.expression
        if limit.find(exp.Column, exp.Window, exp.Select) is not None or rank_name(window) not in RANKS:
            continue
        count = float(limit.this) if isinstance(limit, exp.Literal) else 100.0
        left = combinations(joined, _partition(window)) * count
        if left < _WORTH * joined.rows and all(other == window or _same_order(other, window) for other in windows):
            kind = exp.LT if isinstance(part, exp.LT) else exp.LTE
            return kind(this=window.copy(), expression=limit.copy())
    return None


def _same_order(other: exp.Window, window: exp.Window) -> bool:
    """Another rank in the same order, which rows behind it do not change."""
    same = other.args.get("order") == window.args.get("order") and _partition(other) == _partition(window)
    return rank_name(other) in RANKS and same
