"""How many rows and values there are above the joins, as far as a guess decides between two right plans.

Coordinator process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlglot import exp

from mere.plan.above.calls import bare, calls_in, column_text, windows_in
from mere.plan.columns import every
from mere.plan.local import Hash, Joined, Place

FEW = 10_000  # rows that are gathered rather than redistributed: one step less
_PARTS = {"quarter": 4.0, "month": 12.0, "day": 31.0, "dayofweek": 7.0, "isodow": 7.0, "hour": 24.0, "minute": 60.0}
_COARSE = frozenset({"count", "bool_and", "bool_or", "any_value"})
_REPEAT = 0.5  # a partial step that keeps more of its rows than this is left out


def combinations(joined: Joined, keys: Sequence[exp.Expression]) -> float:
    """How many combinations of values the keys have."""
    plain: list[str] = []
    computed = 1.0
    for key in keys:
        name = column_text(bare(key))
        if name is not None:
            plain.append(name)
        else:
            computed *= _values(joined, key)
    found = (joined.distinct(plain) if plain else 1.0) * computed
    return max(1.0, min(found, joined.rows))


def _values(joined: Joined, key: exp.Expression) -> float:
    """Functions have fewer values than their columns: a CASE one for each branch, a part of a date few."""
    key = bare(key)
    if isinstance(key, exp.Cast):
        return combinations(joined, [key.this])
    if isinstance(key, exp.Case):
        branches = [part.args["true"] for part in key.args["ifs"]] + [key.args.get("default")]
        if all(branch is None or branch.find(exp.Column) is None for branch in branches):
            return float(len(branches))
    columns = [name for name in map(column_text, every(key, exp.Column)) if name is not None]
    if not columns:
        return 1.0
    found = joined.distinct(list(dict.fromkeys(columns)))
    part = key.name if isinstance(key, exp.Anonymous) else key.key
    if part.lower() == "year":
        return max(1.0, min(found / 300, 50.0))
    return min(found, _PARTS.get(part.lower(), max(100.0, found / 10)))


def computed_values(joined: Joined, output: exp.Expression, rows: float) -> float:
    """How many values a column has that is no plain one below, among `rows`: counts have few, sums many."""
    if (calls := calls_in(iter([output]))) or windows_in(iter([output])):
        few_ = calls and all(call.name in _COARSE for call in calls)
        return float(max(1.0, rows**0.5)) if few_ else max(1.0, rows)
    return max(1.0, min(rows, _values(joined, output)))


def few(rows: float) -> bool:
    return rows <= FEW


def worth_a_partial_step(joined: Joined, keys: Sequence[exp.Expression], segments: int) -> bool:
    """Whether grouping on each segment first leaves clearly fewer rows. The product of several keys guesses far too
    high where they depend on each other, so it counts half; one key alone is a floor."""
    floor = max(combinations(joined, [key]) for key in keys)
    groups = float((floor * combinations(joined, keys)) ** 0.5)
    return min(joined.rows, groups * segments) < _REPEAT * joined.rows


def spread_by(joined: Joined, keys: Sequence[tuple[exp.Expression, str]], segments: int) -> list[str]:
    """Which of the keys (with their aliases) to redistribute by: the first that has enough values alone, and about as
    many as any other, so that the rows meet others by it; else all."""
    plain = [(combinations(joined, [key]), alias) for key, alias in keys if column_text(bare(key)) is not None]
    enough = max([100.0 * segments, *(values / 2 for values, _ in plain)])
    chosen = [alias for values, alias in plain if values >= enough]
    return chosen[:1] or [alias for _, alias in keys]


def distinct_through(
    joined: Joined, origins: Mapping[str, exp.Expression], rows: float
) -> Callable[[Sequence[str]], float]:
    """Estimates for the columns of a query made of `joined`: each by the expression that it is made of."""

    def distinct(columns: Sequence[str]) -> float:
        known = [origins[name] for name in columns if name in origins]
        unknown = float(rows ** (1 - 0.5 ** (len(columns) - len(known))))
        return max(1.0, min(rows, combinations(joined, known) * unknown))

    return distinct


def mapped(place: Place, names: Mapping[str, str]) -> frozenset[Hash]:
    """The hashes of a place under other names; those of columns that are gone are gone."""
    found = set()
    for hash_ in place.hashes:
        columns = [names.get(column) for column in hash_.columns]
        if all(column is not None for column in columns):
            found.add(Hash(tuple(str(column) for column in columns), hash_.scheme, hash_.everywhere_null))
    return frozenset(found)


def together(place: Place, columns: frozenset[str] | set[str]) -> bool:
    """Whether rows that are equal in these columns, NULLs too, lie on one segment."""
    return any(not hash_.everywhere_null and set(hash_.columns) <= columns for hash_ in place.hashes)
