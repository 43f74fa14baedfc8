"""A part of one FROM that runs in one slice: its members, the conditions on them, and where its rows lie.

Columns keep the names that the query gives them (`alias.column`) all through planning; `location` says where such a
column is read once the rows have moved or stand in a query of their own. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from mere.plan.builder import Builder, column_width
from mere.plan.columns import Ref, aliases, column, conjunction, named, queries_in, substitute
from mere.plan.local import ColumnStatistics, Hash, Local, Place, Spread
from mere.plan.nodes import MotionColumn, motion_table
from mere.plan.rules.unlinked import held_back
from mere.plan.sides import name

INNER, LEFT, CROSS_LATERAL, LEFT_LATERAL = "", "LEFT", "CROSS", "LEFT LATERAL"


@dataclass(slots=True)
class Known:
    """What is known of every column of the statement, and the names given so far."""

    types: dict[Ref, str] = field(default_factory=dict)
    statistics: dict[Ref, ColumnStatistics] = field(default_factory=dict)
    numbers: int = 0

    def alias(self) -> str:
        self.numbers += 1
        return f"mere_part_{self.numbers}"

    def width(self, refs: Iterable[Ref]) -> float:
        return sum(column_width(self.types.get(ref, "BIGINT")) for ref in refs)


@dataclass(slots=True)
class Item:
    """One member of FROM and how it is joined to those before it; `names` are the current aliases it defines."""

    tree: exp.Expression
    names: frozenset[str]
    kind: str = INNER
    on: exp.Expression | None = None


@dataclass(slots=True)
class Group:
    """`aliases` are the query's own that it covers; hashes of `place` name the query's own columns."""

    items: list[Item]
    place: Place
    rows: float
    aliases: frozenset[str]
    conditions: list[exp.Expression] = field(default_factory=list)
    location: dict[Ref, Ref] = field(default_factory=dict)

    @property
    def replicated(self) -> bool:
        return self.place.spread is Spread.REPLICATED

    def at(self, ref: Ref) -> Ref:
        return self.location.get(ref, ref)

    def mapping(self) -> dict[Ref, exp.Expression]:
        return {ref: column(place) for ref, place in self.location.items() if ref != place}


def leaf(tree: exp.Expression, alias: str, place: Place, rows: float) -> Group:
    """`tree` stands in FROM under `alias`; `place` names its columns bare."""
    hashes = frozenset(replace(one, columns=tuple(name((alias, each)) for each in one.columns)) for one in place.hashes)
    return Group([Item(tree, frozenset({alias}))], Place(place.spread, hashes), rows, frozenset({alias}))


def merged(left: Group, right: Group, place: Place, rows: float) -> Group:
    """Both side by side; what joins them is added to `conditions`."""
    return Group(
        left.items + right.items,
        place,
        rows,
        left.aliases | right.aliases,
        left.conditions + right.conditions,
        left.location | right.location,
    )


def left_joined(outer: Group, nullable: Group, on: Sequence[exp.Expression], place: Place, rows: float) -> Group:
    """A condition on the nullable side alone is one of its ON: rows that fail it match nothing."""
    tree, names = nested(nullable.items, nullable.mapping())
    condition = conjunction([*on, *nullable.conditions]) or exp.true()
    item = Item(tree, names, LEFT, condition)
    return Group(
        [*outer.items, item],
        place,
        rows,
        outer.aliases | nullable.aliases,
        list(outer.conditions),
        outer.location | nullable.location,
    )


def nested(items: Sequence[Item], mapping: Mapping[Ref, exp.Expression]) -> tuple[exp.Expression, frozenset[str]]:
    """The members as one operand of a join."""
    names = frozenset().union(*(item.names for item in items))
    if len(items) == 1:
        return items[0].tree, names
    first, *others = _ordered(items, ())
    for item in others:
        if item.on is not None:
            item.on = substitute(item.on, mapping)
    first.tree.set("joins", [_join(item) for item in others])
    return exp.Subquery(this=first.tree), names


def plain(group: Group) -> bool:
    """Can it stand as an operand of an outer join as it is?"""
    if any(item.kind in (CROSS_LATERAL, LEFT_LATERAL) for item in group.items):
        return False
    return not any(True for condition in group.conditions for _ in queries_in(condition))


def from_clause(group: Group, select: exp.Select) -> None:
    """Writes FROM, joins and WHERE into a SELECT whose columns are the query's own."""
    mapping = group.mapping()
    conditions = [substitute(condition, mapping) for condition in group.conditions]
    first, *others = _ordered(group.items, conditions)
    for item in others:
        if item.on is not None:
            item.on = substitute(item.on, mapping)
        if item.kind in (CROSS_LATERAL, LEFT_LATERAL):
            item.tree = substitute(item.tree, mapping)
    select.set("from_", exp.From(this=first.tree))
    select.set("joins", [_join(item) for item in others])
    where = conjunction(held_back(conditions))
    select.set("where", exp.Where(this=where) if where is not None else None)


def closed(group: Group, needed: Sequence[Ref], known: Known, builder: Builder) -> tuple[Local, dict[Ref, str]]:
    """The group as a whole query with the needed columns, and the name of each in it."""
    given: dict[Ref, str] = {}
    taken: set[str] = set()
    if len(group.aliases) == 1:
        needed = sorted(needed, key=lambda ref: ref[1])  # so that scans of one table look the same
    for ref in needed:
        base = ref[1] if ref[1].lower() not in taken else f"{ref[0]}_{ref[1]}"
        candidate, number = base, 1
        while candidate.lower() in taken:
            candidate, number = f"{base}_{number}", number + 1
        taken.add(candidate.lower())
        given[ref] = candidate
    select = exp.Select(
        expressions=[named(column(group.at(ref)), alias) for ref, alias in given.items()]
        or [named(exp.Literal.number(1), "mere_nothing")]
    )
    from_clause(group, select)
    sure = all(ref in known.types for ref in given)  # not of lateral members: the engine is asked
    columns = tuple(MotionColumn(alias, known.types[ref]) for ref, alias in given.items()) if sure else None
    by_name = {name(ref): alias for ref, alias in given.items()}
    hashes = frozenset(
        replace(one, columns=tuple(by_name[each] for each in one.columns))
        for one in group.place.hashes
        if all(each in by_name for each in one.columns)
    )
    local = builder.local(
        select,
        Place(group.place.spread, hashes),
        group.rows,
        columns=(MotionColumn("mere_nothing", "INTEGER"),) if columns == () else columns,
    )
    known.types |= {ref: column.duckdb_type for ref, column in zip(given, local.columns, strict=False)}
    return local, given


def opened(group: Group, local: Local, given: Mapping[Ref, str], known: Known) -> Group:
    """What `closed` made, moved or not, as a member of FROM again."""
    bare = len(group.aliases) == 1 and all(ref[1] == alias for ref, alias in given.items())
    alias = next(iter(group.aliases)) if bare else known.alias()
    location = {} if bare else {ref: (alias, inner) for ref, inner in given.items()}
    back = {inner: name(ref) for ref, inner in given.items()}
    hashes: set[Hash] = set()
    for one in local.place.hashes:
        if all(each in back for each in one.columns):
            hashes.add(replace(one, columns=tuple(back[each] for each in one.columns)))
    return Group(
        [Item(standing(local, alias), frozenset({alias}))],
        Place(local.place.spread, frozenset(hashes)),
        group.rows,
        group.aliases,
        location=location,
    )


def standing(local: Local, alias: str) -> exp.Expression:
    """A local as a member of FROM: a motion that is only read stands as its table."""
    table_alias = exp.TableAlias(this=exp.to_identifier(alias, quoted=True))
    source = local.tree.args.get("from_") if isinstance(local.tree, exp.Select) else None
    if (
        source is not None
        and isinstance(source.this, exp.Table)
        and source.this.name.startswith(motion_table(0)[:-1])
        and not any(value for key, value in local.tree.args.items() if key not in ("expressions", "from_"))
        and all(_passes(projection) for projection in local.tree.expressions)
    ):
        return exp.Table(this=exp.to_identifier(source.this.name), alias=table_alias)
    return exp.Subquery(this=local.tree.copy(), alias=table_alias)


def _passes(projection: exp.Expression) -> bool:
    return isinstance(projection, exp.Alias) and (
        isinstance(projection.this, exp.Column) and projection.this.name == projection.alias
    )


def _join(item: Item) -> exp.Join:
    if item.kind == LEFT or item.kind == LEFT_LATERAL:
        return exp.Join(this=item.tree, side="LEFT", on=item.on or exp.true())
    if item.kind == CROSS_LATERAL:
        return exp.Join(this=item.tree, kind="CROSS")
    return exp.Join(this=item.tree, kind="CROSS")


def _ordered(items: Sequence[Item], conditions: Iterable[exp.Expression]) -> list[Item]:
    """Inner members first, so that the engine joins them freely; one that only a nullable side leads to stays behind.

    Inner joins and the outer or lateral ones change places freely as long as each stands behind what it reads.
    """
    if all(item.kind == INNER for item in items):
        return list(items)
    derived = frozenset().union(*(item.names for item in items if item.kind != INNER))
    linked: set[str] = set()
    bound: set[str] = set()
    for condition in conditions:
        names = aliases(condition)
        if len(names) > 1:
            bound |= names
            if not names & derived:
                linked |= names
    early = [
        item
        for place, item in enumerate(items)
        if item.kind == INNER and (place == 0 or item.names & linked or not item.names & bound)
    ]
    return early + [item for item in items if not any(item is other for other in early)]
