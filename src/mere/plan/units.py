"""What the search for a join order works on: units that are joined one after another. Data only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from mere.plan.columns import Ref
from mere.plan.group import Group
from mere.plan.local import Place, Spread
from mere.plan.sides import name

JOIN, LEFT, FILTER, LATERAL = "join", "left", "filter", "lateral"


@dataclass(slots=True)
class Operand:
    """Rows that a unit brings beside those it is joined to. `pairs` are equalities (outer column, own column) that
    every pair of rows passes that has to do with one another; None: it must be on every segment.

    `body` is the SELECT in an expression whose FROM and WHERE the group becomes; None where it stands in FROM.
    """

    group: Group
    pairs: list[tuple[Ref, Ref]] | None
    needed: Sequence[Ref]
    width: float
    body: exp.Select | None = None
    conditions: list[exp.Expression] = field(default_factory=list)  # of the body, on columns of both
    exists: bool = False  # equal rows count once


@dataclass(slots=True)
class Unit:
    """JOIN: an operand that joins freely. The others need the aliases in `requires` first.

    LEFT: `on` joins its nullable operand; FILTER: `condition`, with queries in it; LATERAL: `tree`, which may be kept
    for rows without a match (`left`).
    """

    kind: str
    operands: list[Operand]
    aliases: frozenset[str]
    requires: frozenset[str] = frozenset()
    on: list[exp.Expression] = field(default_factory=list)
    condition: exp.Expression | None = None
    tree: exp.Expression | None = None
    left: bool = False
    selectivity: float = 1.0

    @property
    def group(self) -> Group:
        return self.operands[0].group

    @property
    def is_value(self) -> bool:
        """A query in the select list: evaluated at the end, so its rows must be where the others are then."""
        return self.kind == FILTER and self.condition is None

    @property
    def group_place(self) -> Place:
        """Where the rows of a member lie; nothing is said of other units."""
        return self.group.place if self.kind == JOIN else Place(Spread.PARTITIONED)


@dataclass(slots=True)
class Condition:
    """A conjunct without queries over more than one member."""

    tree: exp.Expression
    aliases: frozenset[str]
    selectivity: float
    equality: tuple[Ref, Ref] | None = None


class Classes:
    """Columns that are equal in every row of the result: by WHERE and inner joins alone, never by an outer join."""

    def __init__(self) -> None:
        self._parent: dict[Ref, Ref] = {}

    def root(self, ref: Ref) -> Ref:
        while (parent := self._parent.get(ref, ref)) != ref:
            ref = parent
        return ref

    def unite(self, one: Ref, other: Ref) -> None:
        self._parent.setdefault(one, one)
        self._parent.setdefault(other, other)
        first, second = self.root(one), self.root(other)
        if first != second:
            self._parent[second] = first

    def all(self) -> list[list[Ref]]:
        found: dict[Ref, list[Ref]] = {}
        for ref in self._parent:
            found.setdefault(self.root(ref), []).append(ref)
        return [members for members in found.values() if len(members) > 1]

    def named(self) -> dict[str, list[str]]:
        """Each column's name, and the names of all in its class."""
        found: dict[str, list[str]] = {}
        for members in self.all():
            names = [name(ref) for ref in members]
            for each in names:
                found[each] = names
        return found
