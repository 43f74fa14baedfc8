"""How many rows pass: selectivity of conditions from what the lake's metadata says of columns. Estimates only.

Nothing here decides whether a plan is right. Pure functions, coordinator process.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlglot import exp

from mere.plan.columns import Ref, arms, ref_of, refs
from mere.plan.local import ColumnStatistics
from mere.sql.bind.pruning import conjuncts

Statistics = Mapping[Ref, ColumnStatistics]

_UNKNOWN = 0.3
_RANGE = 0.33


def after_filter(distinct: float, rows: float, of: float) -> float:
    """Distinct values left when `rows` of `of` rows pass."""
    if of <= 0 or rows >= of:
        return max(1.0, min(distinct, max(rows, 1.0)))
    share = rows / of
    each = of / max(distinct, 1.0)
    left = distinct * (1.0 - (1.0 - share) ** min(each, 1e6))
    return float(max(1.0, min(left, max(rows, 1.0))))


def listed(condition: exp.Expression) -> Mapping[Ref, frozenset[exp.Expression]]:
    """The columns for which a condition lists the values that pass, with those values."""
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if isinstance(condition, exp.And):
        found: dict[Ref, frozenset[exp.Expression]] = {}
        for part in conjuncts(condition):
            for ref, values in listed(part).items():
                found[ref] = min(found.get(ref, values), values, key=len)
        return found
    if isinstance(condition, exp.Or):
        first, *others = [listed(arm) for arm in arms(condition)]
        shared = first.keys() & frozenset.intersection(*(frozenset(each) for each in others))
        return {ref: first[ref].union(*(each[ref] for each in others)) for ref in shared}
    column = ref_of(condition.this) if isinstance(condition, exp.EQ | exp.In) else None
    if column is None or condition.args.get("query") is not None or refs(condition.args.get("expression")):
        return {}
    return {column: frozenset(condition.expressions or [condition.expression])}


def selectivity(condition: exp.Expression, statistics: Statistics) -> float:
    """The share of rows that pass one condition, between 0 and 1."""
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if isinstance(condition, exp.And):
        return _all(list(conjuncts(condition)), statistics)
    if isinstance(condition, exp.Or):
        missed = 1.0
        for arm in arms(condition):
            missed *= 1.0 - selectivity(arm, statistics)
        return 1.0 - missed
    if isinstance(condition, exp.Not):
        return max(0.0, 1.0 - selectivity(condition.this, statistics))
    if isinstance(condition, exp.Boolean):
        return 1.0 if condition.this else 0.0
    return _single(condition, statistics)


def _all(parts: list[exp.Expression], statistics: Statistics) -> float:
    """Ranges over one column are taken together; other conditions are independent."""
    result = 1.0
    bounds: dict[Ref, list[float | None]] = {}
    for part in parts:
        found = _bound(part)
        if found is None or not _has_range(found[0], statistics):
            result *= selectivity(part, statistics)
            continue
        ref, side, value = found
        pair = bounds.setdefault(ref, [None, None])
        pair[side] = value
    for ref, (low, high) in bounds.items():
        result *= _between(ref, low, high, statistics)
    return result


def all_of(parts: list[exp.Expression], statistics: Statistics) -> float:
    return _all(parts, statistics)


def _single(condition: exp.Expression, statistics: Statistics) -> float:
    if isinstance(condition, exp.EQ | exp.NEQ):
        share = _equality(condition, statistics)
        return share if isinstance(condition, exp.EQ) else 1.0 - share
    if isinstance(condition, exp.In):
        if condition.args.get("query") is not None:
            return 0.5
        ref = ref_of(condition.this)
        return min(1.0, len(condition.expressions) / _distinct(ref, statistics, 20.0))
    if isinstance(condition, exp.LT | exp.LTE | exp.GT | exp.GTE):
        found = _bound(condition)
        if found is not None and _has_range(found[0], statistics):
            ref, side, value = found
            return _between(ref, None if side else value, value if side else None, statistics)
        return _RANGE if not refs(condition.expression) else 0.4
    if isinstance(condition, exp.Between):
        ref = ref_of(condition.this)
        low, high = _number(condition.args["low"]), _number(condition.args["high"])
        if ref is not None and low is not None and high is not None and _has_range(ref, statistics):
            return _between(ref, low, high, statistics)
        return 0.1
    if isinstance(condition, exp.Like | exp.ILike):
        return 0.05
    if isinstance(condition, exp.Is):
        return 0.95 if condition.args.get("negate") else 0.05
    if isinstance(condition, exp.Exists):
        return 0.5
    return _UNKNOWN


def _equality(condition: exp.Expression, statistics: Statistics) -> float:
    if isinstance(condition.this, exp.Literal) and isinstance(condition.expression, exp.Literal):
        return 1.0 if condition.this == condition.expression else 0.0
    left, right = ref_of(condition.this), ref_of(condition.expression)
    if left is not None and right is not None:
        return 1.0 / max(_distinct(left, statistics, 10.0), _distinct(right, statistics, 10.0))
    return 1.0 / _distinct(left or right, statistics, 20.0)


def _distinct(ref: Ref | None, statistics: Statistics, otherwise: float) -> float:
    found = statistics.get(ref) if ref is not None else None
    return max(found.distinct, 1.0) if found is not None else otherwise


def _bound(condition: exp.Expression) -> tuple[Ref, int, float] | None:
    """(column, 0 for a lower and 1 for an upper bound, value) of a comparison with a constant."""
    if not isinstance(condition, exp.LT | exp.LTE | exp.GT | exp.GTE):
        return None
    upper = isinstance(condition, exp.LT | exp.LTE)
    ref, value = ref_of(condition.this), _number(condition.expression)
    if ref is None or value is None:
        ref, value, upper = ref_of(condition.expression), _number(condition.this), not upper
    if ref is None or value is None:
        return None
    return ref, int(upper), value


def _has_range(ref: Ref, statistics: Statistics) -> bool:
    found = statistics.get(ref)
    return found is not None and _scale(found.low) is not None and _scale(found.high) is not None


def _between(ref: Ref, low: float | None, high: float | None, statistics: Statistics) -> float:
    found = statistics[ref]
    first, last = _scale(found.low), _scale(found.high)
    assert first is not None and last is not None
    least = 1.0 / max(found.distinct, 1.0)
    if last <= first:
        return 1.0
    start = first if low is None else max(low, first)
    end = last if high is None else min(high, last)
    if end < start:
        return min(least, 0.01)
    return min(1.0, max((end - start) / (last - first), least))


def _number(node: exp.Expression) -> float | None:
    """A constant on the scale of its type's values; None where it is not known yet."""
    while isinstance(node, exp.Paren | exp.Cast):
        node = node.this
    if isinstance(node, exp.Neg):
        inner = _number(node.this)
        return None if inner is None else -inner
    if isinstance(node, exp.Literal):
        return _scale(str(node.this))
    return None


def _scale(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return float(date.fromisoformat(text[:10]).toordinal()) + _part_of_day(text)
    except ValueError:
        return None


def _part_of_day(text: str) -> float:
    if len(text) <= 10:
        return 0.0
    moment = datetime.fromisoformat(text)
    return (moment.hour * 3600 + moment.minute * 60 + moment.second) / 86400
