"""Small members first: what every segment has joins a larger member at once, and free filters are applied.

So that the search has fewer units to order. Coordinator process.
"""

from __future__ import annotations

from mere.plan.assemble import Assembly
from mere.plan.group import Group
from mere.plan.parts import Parts
from mere.plan.units import FILTER, JOIN, Unit


def fold(parts: Parts, assembly: Assembly) -> None:
    """A member that every segment has joins a larger one at once, and free filters are applied."""
    changed = True
    while changed:
        changed = _fold_filter(parts, assembly) or _fold_member(parts, assembly)


def _fold_filter(parts: Parts, assembly: Assembly) -> bool:
    for unit in parts.units:
        if unit.kind == FILTER and all(operand.group.replicated for operand in unit.operands):
            for target in parts.units:
                if target.kind == JOIN and unit.requires <= target.aliases:
                    _replace(
                        parts, [target, unit], assembly.filter(target.group, unit, [o.group for o in unit.operands])
                    )
                    return True
    return False


def _fold_member(parts: Parts, assembly: Assembly) -> bool:
    best: tuple[float, Unit, Unit] | None = None
    divided = any(one.kind == JOIN and not one.group.replicated for one in parts.units)
    for small in parts.units:
        if small.kind != JOIN or not small.group.replicated:
            continue
        for large in parts.units:
            if large is small or large.kind != JOIN or not parts.linked(large.aliases, small.aliases):
                continue
            if divided and large.group.replicated and large.group.rows < small.group.rows:
                continue
            factor = parts.factor(large, small)
            if factor > 1.5 and not large.group.replicated:
                continue
            gain = large.group.rows * (1.0 - factor)
            if best is None or gain > best[0]:
                best = gain, large, small
    if best is None:
        return False
    _, large, small = best
    rows = large.group.rows * parts.factor(large, small)
    _replace(parts, [large, small], assembly.join(large.group, small.group, rows))
    return True


def _replace(parts: Parts, old: list[Unit], group: Group) -> None:
    parts.units = [unit for unit in parts.units if not any(unit is one for one in old)]
    parts.units.insert(0, Unit(JOIN, [parts.operand(group)], group.aliases))
