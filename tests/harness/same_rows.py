"""Whether two answers are the same: as bags of rows, floats with a tolerance, and in order where the query says one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from sqlglot import exp

Row = tuple[object, ...]
_TOLERANCE = 1e-9


def difference(expected: Sequence[Row], actual: Sequence[Row]) -> str | None:
    """What is wrong with `actual`, None if nothing."""
    if len(expected) != len(actual):
        return f"{len(actual)} rows for {len(expected)}: {_unlike(expected, actual)}"
    for one, two in zip(sorted(expected, key=_key), sorted(actual, key=_key), strict=True):
        if not _same_row(one, two):
            return f"{two} for {one}: {_unlike(expected, actual)}"
    return None


def misplaced(tree: exp.Expression, expected: Sequence[Row], actual: Sequence[Row]) -> str | None:
    """Rows that are not in the order of the ORDER BY, as far as output columns say it.

    Equal keys may come in any order, so only the keys' values are compared, place by place.
    """
    keys = _ordering(tree)
    for place, (one, two) in enumerate(zip(expected, actual, strict=True)):
        wanted, found = tuple(one[key] for key in keys), tuple(two[key] for key in keys)
        if not _same_row(wanted, found):
            return f"row {place} is ordered by {found}, not {wanted}"
    return None


def _ordering(tree: exp.Expression) -> list[int]:
    """The places of the output columns by which the query orders, up to the first other expression."""
    order = tree.args.get("order")
    if order is None or not isinstance(tree, exp.Query):
        return []
    names = [name.lower() for name in tree.named_selects]
    keys = []
    for ordered in order.expressions:
        key = ordered.this
        if isinstance(key, exp.Literal) and key.is_int:
            keys.append(int(key.name) - 1)
        elif isinstance(key, exp.Column) and not key.table and key.name.lower() in names:
            keys.append(names.index(key.name.lower()))
        else:
            break
    return keys


def _key(row: Row) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Exact values first, so that a float's last digit does not part rows that belong together."""
    exact = tuple(repr(_plain(value)) for value in row if not isinstance(value, float))
    floats = tuple(-math.inf if math.isnan(value) else value for value in row if isinstance(value, float))
    return exact, floats


def _plain(value: object) -> object:
    """Decimals without the zeros that say nothing."""
    if isinstance(value, Decimal):
        return value.normalize() + 0
    return value


def _same_row(one: Row, two: Row) -> bool:
    return len(one) == len(two) and all(map(_same, one, two))


def _same(one: object, two: object) -> bool:
    if isinstance(one, float) and isinstance(two, float):
        if math.isnan(one) or math.isnan(two):
            return math.isnan(one) and math.isnan(two)
        return math.isclose(one, two, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(_same, one, two))
    return type(one) is type(two) and one == two


def _unlike(expected: Sequence[Row], actual: Sequence[Row]) -> str:
    """Some rows that one answer has and the other has not."""
    left, right = Counter(map(repr, expected)), Counter(map(repr, actual))
    return f"missing {[*(left - right)][:4]}, surplus {[*(right - left)][:4]}"
