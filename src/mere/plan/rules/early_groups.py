"""Rows that are to be summed anyway are summed in part before they move to where they are joined.

`SELECT c.k, sum(o.v) FROM c LEFT JOIN o ON c.k = o.k GROUP BY c.k`: what moves of `o` is one row for each k and segment
instead of every row. Right whatever the join does: rows of one part that agree in every column which is read elsewhere
meet the same partners, so their partial value meets them as often as each of them would have. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from mere.plan.above.calls import Call, call_of, calls_in, clauses_above
from mere.plan.above.carry import rewritten
from mere.plan.above.merging import Split, split
from mere.plan.columns import Ref, column, named, queries_in, refs, substitute
from mere.plan.group import Group, closed
from mere.plan.local import Local, Spread
from mere.plan.planning import Planning

_MERGED = frozenset({"avg", "bit_and", "bit_or", "bool_and", "bool_or", "count", "max", "min", "sum"})
_WORTH = 0.5  # of the rows may be left, or the step saves nothing
_LARGE = 50_000.0  # fewer rows move as they are


@dataclass(slots=True)
class EarlyGroups:
    """The aggregates of a SELECT that may be computed in part below a join. `rest` is what it reads beside their
    arguments; `parts` are the columns that hold their partial values, once they are."""

    splits: dict[exp.Expression, Split]
    arguments: dict[Ref, None]
    rest: dict[Ref, None]
    counts_rows: bool
    parts: dict[exp.Expression, list[Ref]] = field(default_factory=dict)

    @property
    def aliases(self) -> set[str]:
        return {alias for alias, _ in self.arguments}


def early_groups(select: exp.Select) -> EarlyGroups | None:
    """None where the SELECT has no such aggregates, or has others too."""
    clauses = [*clauses_above(select)]
    if select.args.get("group") is not None:
        clauses.append(select.args["group"])
    calls = calls_in(iter(clauses))
    if not calls or not all(map(_merges, calls)) or any(True for clause in clauses for _ in queries_in(clause)):
        return None
    splits = {call.node: made for call in calls if (made := split(call)) is not None}
    arguments = refs(*(call.node for call in calls))
    if len(splits) < len(calls) or not arguments:
        return None
    counts_rows = any(not call.arguments for call in calls)
    return EarlyGroups(splits, arguments, refs(*_beside(clauses)), counts_rows)


def _merges(call: Call) -> bool:
    return call.name in _MERGED and not call.distinct and not call.order


def _beside(clauses: Sequence[exp.Expression]) -> list[exp.Expression]:
    """The columns that stand in no aggregate."""
    found: list[exp.Expression] = []
    stack = [*reversed(clauses)]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.Column):
            found.append(node)
        elif call_of(node) is None:
            stack += [child for child in node.iter_expressions() if isinstance(child, exp.Expression)]
    return found


def grouped(
    planning: Planning, early: EarlyGroups, group: Group, keys: Sequence[Ref]
) -> tuple[Local, dict[Ref, str]] | None:
    """What moves of a group: its `keys`, all that is read of it elsewhere, and partial values beside them. None where
    that is not much less."""
    if early.parts or not keys or not early.aliases <= group.aliases or group.place.spread is not Spread.PARTITIONED:
        return None
    rows = groups_of(planning, group.rows, keys)
    if group.rows < _LARGE or rows > _WORTH * group.rows:
        return None
    (alias, *_) = early.aliases
    mapping = group.mapping()
    projections: list[exp.Expression] = []
    for node, made in early.splits.items():
        early.parts[node] = []
        for part in made.partials:
            ref = (alias, f"mere_e{len(projections)}")
            early.parts[node].append(ref)
            projections.append(named(substitute(part.copy(), mapping), ref[1]))
    by = [column(group.at(ref)) for ref in keys]
    plain, given = closed(group, keys, planning.known, planning.builder)
    select = plain.tree.copy()
    select.set("expressions", [*select.expressions, *projections])
    select.set("group", exp.Group(expressions=by))
    local = planning.builder.local(select, plain.place, rows)
    given |= {ref: ref[1] for parts in early.parts.values() for ref in parts}
    planning.known.types |= {ref: each.duckdb_type for ref, each in zip(given, local.columns, strict=True)}
    return local, given


def groups_of(planning: Planning, rows: float, keys: Sequence[Ref]) -> float:
    """How many rows are left of so many."""
    combinations = float(planning.facts.segments)
    for ref in keys:
        known = planning.known.statistics.get(ref)
        combinations = min(combinations * (known.distinct if known is not None else rows), 1e15)
    return min(rows, combinations)


def merge_parts(select: exp.Select, early: EarlyGroups) -> None:
    """Puts the merging aggregates over the partial values, in place."""
    finals = {node: made.merge([column(ref) for ref in early.parts[node]], None) for node, made in early.splits.items()}

    def final(node: exp.Expression) -> exp.Expression | None:
        return finals[node].copy() if node in finals else None

    for key in ("expressions", "having", "qualify", "distinct", "order"):
        clause = select.args.get(key)
        if isinstance(clause, list):
            select.set(key, [rewritten(item, final) for item in clause])
        elif clause is not None:
            select.set(key, rewritten(clause, final))
