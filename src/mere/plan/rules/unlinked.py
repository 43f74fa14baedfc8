"""Keeps the engine from joining two relations by a condition that is no comparison of theirs, an OR mostly.

DuckDB takes every conjunct over two relations for an edge between them, and may then compare each row of the one with
each of the other before an equality has cut them down. A conjunct that names a third relation is no such edge: it is
tested where all of them are together. So the relations by which equalities lead from one to the other are named. Pure
functions.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from mere.plan.columns import Ref, aliases, column, queries_in, ref_of

_COMPARISON = exp.EQ | exp.NEQ | exp.LT | exp.LTE | exp.GT | exp.GTE


def held_back(conditions: Sequence[exp.Expression]) -> list[exp.Expression]:
    """The conjuncts of one WHERE, with those that would be bad edges naming columns that an equality proves not null:
    where the condition is NULL, `coalesce(condition, column IS NULL)` is false."""
    equalities = [pair for condition in conditions if (pair := _equality(condition)) is not None]
    linked = {frozenset((one[0], other[0])) for one, other in equalities}
    return [_held(condition, equalities, linked) for condition in conditions]


def _equality(condition: exp.Expression) -> tuple[Ref, Ref] | None:
    if not isinstance(condition, exp.EQ):
        return None
    one, other = ref_of(condition.this), ref_of(condition.expression)
    return None if one is None or other is None or one[0] == other[0] else (one, other)


def _held(
    condition: exp.Expression, equalities: Sequence[tuple[Ref, Ref]], linked: set[frozenset[str]]
) -> exp.Expression:
    inner = condition
    while isinstance(inner, exp.Paren):
        inner = inner.this
    names = aliases(condition)
    if len(names) != 2 or isinstance(inner, _COMPARISON) or frozenset(names) in linked:
        return condition
    if any(True for _ in queries_in(condition)):
        return condition
    one, other = sorted(names)
    between = _between(one, other, equalities)
    if not between:
        return condition
    missing: exp.Expression | None = None
    for ref in between:
        test = exp.Is(this=column(ref), expression=exp.Null())
        missing = test if missing is None else exp.Or(this=missing, expression=test)
    return exp.Coalesce(this=exp.Paren(this=inner), expressions=[missing])


def _between(one: str, other: str, equalities: Sequence[tuple[Ref, Ref]]) -> list[Ref]:
    """A column of each relation on the shortest way of equalities from one to the other."""
    steps: dict[str, list[Ref]] = {}
    for left, right in equalities:
        steps.setdefault(left[0], []).append(right)
        steps.setdefault(right[0], []).append(left)
    ways: list[list[Ref]] = [[]]
    seen = {one}
    for way in ways:
        here = way[-1][0] if way else one
        for ref in steps.get(here, ()):
            if ref[0] == other:
                return way
            if ref[0] not in seen:
                seen.add(ref[0])
                ways.append([*way, ref])
    return []
