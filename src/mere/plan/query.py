"""Plans a query of any shape: every SELECT and set operation in it is a block of its own. Coordinator process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlglot import exp

from mere.plan.above.calls import calls_in, clauses_above, windows_in
from mere.plan.above.estimates import computed_values
from mere.plan.above.ranks import push_rank_limits
from mere.plan.above.select import finish_select
from mere.plan.above.set_operation import plan_set_operation
from mere.plan.arrange import Arrangement
from mere.plan.block import Cluster, read_from
from mere.plan.builder import REPLICATED, SINGLE
from mere.plan.columns import Ref, queries_in, ref_of, refs, substitute
from mere.plan.estimate import after_filter
from mere.plan.group import Group, from_clause
from mere.plan.local import ColumnStatistics, Joined, Local, Place
from mere.plan.planning import Planned, Planning
from mere.plan.rules import common_tables
from mere.plan.rules.derived import merge
from mere.plan.rules.early_groups import early_groups, merge_parts
from mere.plan.rules.subqueries import settle_everywhere, value_unit
from mere.plan.sides import name
from mere.plan.units import Unit

_FROM = ("from_", "joins", "where")


def plan_query(planning: Planning, query: exp.Expression) -> Planned:
    while isinstance(query, exp.Subquery):
        query = query.this
    if isinstance(query, exp.SetOperation):
        return _set_operation(planning, query)
    assert isinstance(query, exp.Select), query
    return plan_select(planning, query)


def shared_table(planning: Planning, table: str) -> Planned:
    """A WITH query that is read several times, planned at its first use."""
    if table not in planning.shared:
        common = planning.common.shared[table]
        if common.recursive:
            tree = common_tables.verbatim(planning.common, table)
            planned = Planned(planning.builder.local(tree, SINGLE, 1000.0))
        else:
            planned = plan_query(planning, common.query.copy())
            if common.once:
                planned = planning.once(planned)
        planning.shared[table] = planning.keep(planned)
    return planning.shared[table]


def _set_operation(planning: Planning, node: exp.SetOperation) -> Planned:
    members = [plan_query(planning, member) for member in _members(node)]
    local = plan_set_operation(planning.builder, node, [member.local for member in members])
    statistics = {}
    for place, column in enumerate(local.columns):
        found = [member.statistics.get(member.local.columns[place].name) for member in members]
        known = [one.distinct for one in found if one is not None]
        if len(known) == len(found):
            statistics[column.name] = ColumnStatistics(min(sum(known), local.rows), 4.0)
    return Planned(local, statistics)


def _members(node: exp.SetOperation) -> list[exp.Expression]:
    """The members of a chain of one UNION [ALL]; the two of any other operation."""
    if not isinstance(node, exp.Union):
        return [node.this, node.expression]
    found: list[exp.Expression] = []
    one: exp.Expression = node
    while isinstance(one, exp.Union) and (one is node or _continues(node, one)):
        found.append(one.expression)
        one = one.this
    return [one, *reversed(found)]


def _continues(node: exp.Union, inner: exp.Union) -> bool:
    same = bool(node.args.get("distinct")) == bool(inner.args.get("distinct"))
    return same and not any(inner.args.get(key) for key in ("order", "limit", "offset"))


def plan_select(planning: Planning, select: exp.Select) -> Planned:
    merge(select)
    push_rank_limits(select)
    cluster = read_from(select)
    units = _queries_above(planning, select, cluster)
    above = _refs_of([value for key, value in select.args.items() if key not in _FROM and value])
    written = list(select.expressions)
    if not cluster.members and not cluster.others:
        joined = _without_from(planning, select, cluster)
    else:
        joined = _joined(planning, select, cluster, above, units)
    local = finish_select(planning.builder, joined)
    return Planned(local, _statistics(select, written, joined, local))


def _refs_of(clauses: Sequence[object]) -> dict[Ref, None]:
    nodes = [node for clause in clauses for node in (clause if isinstance(clause, list) else [clause])]
    return refs(*(node for node in nodes if isinstance(node, exp.Expression)))


def _queries_above(planning: Planning, select: exp.Select, cluster: Cluster) -> list[Unit]:
    """Queries in the select list and the clauses behind it. Those that read columns of FROM are units of the join
    where they are evaluated right above it; others read what every segment has."""
    plain = not calls_in(clauses_above(select)) and not windows_in(clauses_above(select))
    plain = plain and not any(select.args.get(key) for key in ("group", "having", "qualify", "distinct"))
    units: list[Unit] = []
    for key, value in select.args.items():
        if key in _FROM or not value:
            continue
        for clause in value if isinstance(value, list) else [value]:
            if not isinstance(clause, exp.Expression):
                continue
            for query in list(queries_in(clause)):
                unit = value_unit(planning, query, cluster.names) if plain and key == "expressions" else None
                if unit is None:
                    settle_everywhere(planning, query)
                else:
                    units.append(unit)
    return units


def _without_from(planning: Planning, select: exp.Select, cluster: Cluster) -> Joined:
    for condition in cluster.conditions:
        for query in list(queries_in(condition)):
            settle_everywhere(planning, query)
    return Joined(select, REPLICATED, 1.0, lambda columns: 1.0, lambda columns: 8.0 * len(columns))


def _joined(
    planning: Planning, select: exp.Select, cluster: Cluster, above: dict[Ref, None], units: Sequence[Unit]
) -> Joined:
    group_by = select.args.get("group")
    wanted = [ref for key in group_by.expressions if (ref := ref_of(key))] if group_by is not None else []
    early = early_groups(select)
    group = Arrangement(planning, cluster, above, units, wanted, early).arranged()
    if early is not None and early.parts:
        merge_parts(select, early)
    mapping = group.mapping()
    for key, value in select.args.items():
        if key in _FROM or not value:
            continue
        for clause in value if isinstance(value, list) else [value]:
            if isinstance(clause, exp.Expression):
                substitute(clause, mapping)
    place = _current(group)
    from_clause(group, select)
    return Joined(select, place, max(group.rows, 1.0), _distinct(planning, group), _width(planning, group))


def _current(group: Group) -> Place:
    """The group's place by the columns' names in the FROM that was written."""
    by_name = {name(ref): name(place) for ref, place in group.location.items()}
    hashes = frozenset(
        replace(one, columns=tuple(by_name.get(each, each) for each in one.columns)) for one in group.place.hashes
    )
    return Place(group.place.spread, hashes)


def _original(planning: Planning, group: Group) -> dict[str, Ref]:
    """By the name of a column in the FROM that was written, the query's own."""
    found = {name(ref): ref for ref in planning.known.types if ref[0] in group.aliases}
    return found | {name(place): ref for ref, place in group.location.items()}


def _distinct(planning: Planning, group: Group) -> Callable[[Sequence[str]], float]:
    original = _original(planning, group)

    most: dict[str, float] = {}
    for (alias, _), found in planning.known.statistics.items():
        most[alias] = max(most.get(alias, 1.0), found.distinct)

    def distinct(columns: Sequence[str]) -> float:
        """Columns of one table have no more combinations than it has rows, which its key tells."""
        by_table: dict[str, float] = {}
        for column in columns:
            ref = original.get(column)
            found = planning.known.statistics.get(ref) if ref is not None else None
            own = min(found.distinct, group.rows) if found is not None else max(group.rows**0.5, 1.0)
            alias = ref[0] if ref is not None else column
            by_table[alias] = min(by_table.get(alias, 1.0) * own, most.get(alias, 1e18))
        values = 1.0
        for own in by_table.values():
            values = min(values * own, 1e18)
        return max(1.0, min(values, group.rows))

    return distinct


def _width(planning: Planning, group: Group) -> Callable[[Sequence[str]], float]:
    original = _original(planning, group)

    def width(columns: Sequence[str]) -> float:
        return planning.known.width(original.get(column, ("", column)) for column in columns)

    return width


def _statistics(
    select: exp.Select, written: Sequence[exp.Expression], joined: Joined, local: Local
) -> dict[str, ColumnStatistics]:
    """What can be said of output columns: for those that are plain columns below it is known. Of aggregates it is said
    by the query as it was `written`."""
    found = {}
    for projection, before in zip(select.expressions, written, strict=True):
        ref = ref_of(projection.unalias())
        if ref is not None:
            distinct = after_filter(joined.distinct([name(ref)]), local.rows, max(joined.rows, local.rows))
        else:
            value = before if calls_in(iter([before])) else projection
            distinct = computed_values(joined, value.this if isinstance(value, exp.Alias) else value, local.rows)
        found[projection.alias_or_name] = ColumnStatistics(distinct, 4.0)
    return found
