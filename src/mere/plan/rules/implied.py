"""(a.x = 1 AND b.y = 2) OR (a.x = 3 AND b.y = 4) demands of each member alone what any of its arms demands.

So that a table is filtered before it moves. Pure functions.
"""

from __future__ import annotations

from sqlglot import exp

from mere.plan.columns import aliases, arms, conjunction
from mere.sql.bind.pruning import conjuncts


def implied(condition: exp.Expression) -> list[exp.Expression]:
    """A condition for each member of which every arm says something."""
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if not isinstance(condition, exp.Or) or len(aliases(condition)) < 2:
        return []
    parts = [[(aliases(part), part) for part in conjuncts(arm)] for arm in arms(condition)]
    found = []
    for alias in sorted(aliases(condition)):
        own = [[part for names, part in arm if names == {alias}] for arm in parts]
        if all(own):
            found.append(_either([conjunction([part.copy() for part in arm]) for arm in own]))
    return found


def _either(conditions: list[exp.Expression | None]) -> exp.Expression:
    whole: exp.Expression | None = None
    for condition in conditions:
        assert condition is not None
        arm = exp.Paren(this=condition)
        whole = arm if whole is None else exp.Or(this=whole, expression=arm)
    assert whole is not None
    return whole
