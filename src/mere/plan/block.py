"""What a FROM clause says, taken apart: members that join freely, conditions between them, and joins that do not
commute with everything. Data only, and the reading of FROM. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from mere.plan.columns import aliases, defined_aliases
from mere.plan.undivided import Undivided
from mere.sql.bind.pruning import conjuncts


@dataclass(slots=True)
class Member:
    """A table, a derived table or a function in FROM."""

    tree: exp.Expression
    alias: str


@dataclass(slots=True)
class FullJoin:
    left: Cluster
    right: Cluster
    on: list[exp.Expression]

    @property
    def names(self) -> set[str]:
        return self.left.names | self.right.names


@dataclass(slots=True)
class LeftJoin:
    """`nullable` is joined to members named in `requires`, whenever all of those are there."""

    nullable: Cluster
    on: list[exp.Expression]
    requires: set[str]


@dataclass(slots=True)
class LateralJoin:
    """A member that is computed for each row of those named in `requires`."""

    tree: exp.Lateral
    alias: str
    requires: set[str]
    left: bool
    on: exp.Expression | None = None


@dataclass(slots=True)
class Cluster:
    """The inner join of `members` where all `conditions` hold, then the others, which only need what they require."""

    members: list[Member | FullJoin] = field(default_factory=list)
    conditions: list[exp.Expression] = field(default_factory=list)
    others: list[LeftJoin | LateralJoin] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        found: set[str] = set()
        for member in self.members:
            found |= {member.alias} if isinstance(member, Member) else member.names
        for other in self.others:
            found |= {other.alias} if isinstance(other, LateralJoin) else other.nullable.names
        return found

    def beside(self, other: Cluster) -> Cluster:
        return Cluster(self.members + other.members, self.conditions + other.conditions, self.others + other.others)


def read_from(select: exp.Select) -> Cluster:
    """The FROM and WHERE of a SELECT."""
    source = select.args.get("from_")
    cluster = Cluster() if source is None else _list(source.this, select.args.get("joins") or [])
    where = select.args.get("where")
    if where is not None:
        cluster.conditions += conjuncts(where.this)
    return cluster


def _list(first: exp.Expression, joins: Sequence[exp.Join]) -> Cluster:
    """Members between commas are joined first."""
    whole = Cluster()
    for member, own in _between_commas(first, joins):
        whole = whole.beside(_chain(member, own, whole.names))
    return whole


def _between_commas(
    first: exp.Expression, joins: Sequence[exp.Join]
) -> Iterator[tuple[exp.Expression, list[exp.Join]]]:
    member, own = first, [*(first.args.get("joins") or [])]
    for join in joins:
        if any(join.args.get(key) for key in ("kind", "side", "method", "on", "using")):
            own.append(join)
        else:
            yield member, own
            member, own = join.this, [*(join.this.args.get("joins") or [])]
    yield member, own


def _chain(first: exp.Expression, joins: Sequence[exp.Join], seen: set[str]) -> Cluster:
    cluster = _member(first, seen)
    for join in joins:
        side = str(join.args.get("side") or "")
        if join.args.get("method") or join.args.get("using") or join.args.get("kind") in ("SEMI", "ANTI"):
            raise Undivided("a join of a rare kind")
        on = list(conjuncts(join.args.get("on")))
        if isinstance(join.this, exp.Lateral):
            if side not in ("", "LEFT"):
                raise Undivided("LATERAL on the nullable side of a join")
            lateral = _lateral(join.this, side == "LEFT", seen | cluster.names)
            if side == "LEFT":
                lateral.on = join.args.get("on")
                lateral.requires |= aliases(lateral.on) & (seen | cluster.names)
                lateral.requires = lateral.requires or set(cluster.names)
            else:
                cluster.conditions += on
            cluster.others.append(lateral)
            continue
        right = _chain(join.this, join.this.args.get("joins") or [], seen | cluster.names)
        cluster = _joined(cluster, right, side, on)
    return cluster


def _joined(left: Cluster, right: Cluster, side: str, on: list[exp.Expression]) -> Cluster:
    if side == "":
        both = left.beside(right)
        both.conditions += on
        return both
    if side == "FULL":
        return Cluster([FullJoin(left, right, on)])
    if side == "RIGHT":
        left, right = right, left
    elif side != "LEFT":
        raise Undivided(f"a {side} join")
    if any(isinstance(other, LateralJoin) for other in right.others) and not right.members:
        raise Undivided("LATERAL on the nullable side of a join")
    inside = right.names
    own = [condition for condition in on if (found := aliases(condition)) and found <= inside]
    right.conditions += own
    rest = [condition for condition in on if not any(condition is other for other in own)]
    requires = set().union(*(aliases(condition) for condition in rest)) & left.names
    left.others.append(LeftJoin(right, rest, requires or left.names))
    return left


def _member(tree: exp.Expression, seen: set[str]) -> Cluster:
    if isinstance(tree, exp.Lateral):
        lateral = _lateral(tree, False, seen)
        return Cluster(others=[lateral])
    if tree.args.get("sample") is not None:
        raise Undivided("TABLESAMPLE")
    alias = tree.args.get("alias")
    if isinstance(tree, exp.Subquery) and alias is None and not isinstance(tree.this, exp.Query):
        return _chain(tree.this, tree.this.args.get("joins") or [], seen)
    if isinstance(tree, exp.Subquery) and alias is None and isinstance(tree.this, exp.Subquery):
        return _chain(tree.this, tree.this.args.get("joins") or [], seen)
    if alias is None or not isinstance(tree, exp.Table | exp.Subquery):
        raise Undivided(f"{type(tree).__name__} in FROM")
    tree.set("joins", None)
    return Cluster([Member(tree, tree.alias)])


def _lateral(tree: exp.Lateral, left: bool, seen: set[str]) -> LateralJoin:
    alias = tree.args["alias"].this.name
    requires = aliases(tree.this) - defined_aliases(tree.this)
    if not requires <= seen | defined_aliases(tree.this):
        raise Undivided("a LATERAL that reads the query around it")
    return LateralJoin(tree, alias, requires & seen, left)
