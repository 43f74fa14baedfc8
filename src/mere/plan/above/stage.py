"""From one step of a divided SELECT to the next: where its columns lie, and the clauses that are left as a new Joined.

Coordinator process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from mere.plan.above.calls import bare, column_text
from mere.plan.above.carry import Carried
from mere.plan.above.estimates import distinct_through, mapped
from mere.plan.local import Hash, Joined, Local, Place


def placed(place: Place, items: Sequence[tuple[exp.Expression, str]]) -> Place:
    """The place of a query's rows, by the names of its columns: those that are plain columns of its FROM."""
    names: dict[str, str] = {}
    for node, name in items:
        plain = column_text(bare(node))
        if plain is not None:
            names.setdefault(plain, name)
    return Place(place.spread, mapped(place, names))


def raised(
    joined: Joined,
    select: exp.Select,
    moved: Local,
    carried: Carried,
    rows: float,
    origins: Mapping[str, exp.Expression] | None = None,
) -> Joined:
    """The clauses that are left, over the columns of `moved`, which stands under the alias of `carried`."""
    alias = carried.alias
    hashes = frozenset(
        Hash(tuple(f"{alias}.{column}" for column in hash_.columns), hash_.scheme, hash_.everywhere_null)
        for hash_ in moved.place.hashes
    )
    if origins is None:
        origins = {name: node for node, name in carried.items}
    known = {f"{alias}.{name}": node for name, node in origins.items()}
    return Joined(
        select,
        Place(moved.place.spread, hashes),
        rows,
        distinct_through(joined, known, rows),
        lambda columns: 8.0 * len(columns),
    )
