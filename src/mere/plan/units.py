"""What the search for a join order works on: units that are joined one after another. Data only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sqlglot import exp

from mere.plan.columns import Ref, refs
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


@dataclass
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
    applied: bool = False  # it is in the group that is built

    @property
    def group(self) -> Group:
        return self.operands[0].group

    @cached_property
    def reads(self) -> dict[Ref, None]:
        """What its expressions read, as they were written."""
        found = refs(*self.on, self.condition, self.tree)
        for operand in self.operands:
            found |= refs(operand.body, *operand.conditions)
            found |= dict.fromkeys(outer for outer, _ in operand.pairs or ())
        return found

    @property
    def is_value(self) -> bool:
        """A query in the select list: evaluated at the end, so its rows must be where the others are then."""
        return self.kind == FILTER and self.condition is None

    @property
    def group_place(self) -> Place:
        """Where the rows of a member lie; nothing is said of other units."""
        return self.group.place if self.kind == JOIN else Place(Spread.PARTITIONED)


@dataclass
class Condition:
    """A conjunct without queries over more than one member."""

    tree: exp.Expression
    refs: dict[Ref, None]
    selectivity: float
    equality: tuple[Ref, Ref] | None = None

    @cached_property
    def aliases(self) -> frozenset[str]:
        return frozenset(alias for alias, _ in self.refs)


class Classes:
    """Columns that are equal in every row of the result: by WHERE and inner joins alone, never by an outer join."""

    def __init__(self) -> None:
        self._parent: dict[Ref, Ref] = {}
        self._all: list[list[Ref]] | None = None

    def root(self, ref: Ref) -> Ref:
        while (parent := self._parent.get(ref, ref)) != ref:
            ref = parent
        return ref

    def unite(self, one: Ref, other: Ref) -> None:
        self._all = None
        self._parent.setdefault(one, one)
        self._parent.setdefault(other, other)
        first, second = self.root(one), self.root(other)
        if first != second:
            self._parent[second] = first

    def all(self) -> list[list[Ref]]:
        if self._all is None:
            found: dict[Ref, list[Ref]] = {}
            for ref in self._parent:
                found.setdefault(self.root(ref), []).append(ref)
            self._all = [members for members in found.values() if len(members) > 1]
        return self._all

    def named(self) -> dict[str, list[str]]:
        """Each column's name, and the names of all in its class."""
        found: dict[str, list[str]] = {}
        for members in self.all():
            names = [name(ref) for ref in members]
            for each in names:
                found[each] = names
        return found
