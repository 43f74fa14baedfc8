"""Queries in expressions: one value, IN, EXISTS, LATERAL, correlated or not.

A query that reads nothing of the rows around it is planned by itself and broadcast, or semi-joined where it stands in a
conjunct IN. A correlated one keeps its text: its FROM becomes an operand of the join around it, which lies with the
rows that it is asked for, or on every segment. Where that cannot be said its tables are broadcast. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from mere.plan.above.calls import calls_in, windows_in
from mere.plan.block import Cluster, FullJoin, LateralJoin, Member, read_from
from mere.plan.columns import Ref, aliases, column, defined_aliases, every, named, outer_refs, queries_in, ref_of, refs
from mere.plan.estimate import selectivity
from mere.plan.group import closed, standing
from mere.plan.local import Local
from mere.plan.nodes import Share
from mere.plan.planning import Planning
from mere.plan.rules.derived import merge
from mere.plan.sides import Pair
from mere.plan.undivided import Undivided
from mere.plan.units import FILTER, LATERAL, Operand, Unit
from mere.sql.bind.pruning import conjuncts


def filter_unit(planning: Planning, condition: exp.Expression, names: set[str]) -> Unit:
    """A conjunct of WHERE with queries in it."""
    operands: list[Operand] = []
    share = _selectivity(planning, condition)
    for query in list(queries_in(condition)):
        if not planning.reads(query):
            continue
        member = _semi_joined(condition, query)
        if outer_refs(query):
            found = _operand(planning, query, member)
            if found is None:
                replicate_tables(planning, query)
            else:
                operands.append(found)
        elif member is not None:
            operands.append(_semi_join(planning, query, member))
            share = _kept(planning, operands[-1])
        else:
            settle_everywhere(planning, query)
    requires = frozenset((aliases(condition) | _outer_aliases(operands)) & names)
    return Unit(FILTER, operands, frozenset(), requires, condition=condition, selectivity=share)


def lateral_unit(planning: Planning, join: LateralJoin, names: set[str]) -> Unit:
    operands: list[Operand] = []
    requires = frozenset(join.requires)
    query = join.tree.this.this if isinstance(join.tree.this, exp.Subquery) else None
    if planning.reads(join.tree):
        if not isinstance(query, exp.Select | exp.SetOperation):
            raise Undivided("LATERAL of a rare form")
        found = _operand(planning, query, None)
        if found is None:
            replicate_tables(planning, query)
        else:
            operands.append(found)
    if join.on is not None and any(True for _ in queries_in(join.on)):
        raise Undivided("a subquery in the condition of an outer join")
    if not join.requires <= names:
        raise Undivided("a LATERAL that reads the query around it")
    on = [join.on] if join.on is not None else []
    return Unit(LATERAL, operands, frozenset({join.alias}), requires, on=on, tree=join.tree, left=join.left)


def value_unit(planning: Planning, query: exp.Expression, names: set[str]) -> Unit | None:
    """A correlated query in a select list that is evaluated right above FROM and WHERE."""
    if not planning.reads(query):
        return None
    outer = outer_refs(query)
    if not outer or not {ref[0] for ref in outer} <= names:
        return None
    operand = _operand(planning, query, None)
    if operand is None:
        return None
    return Unit(FILTER, [operand], frozenset(), frozenset(ref[0] for ref in outer))


def settle_everywhere(planning: Planning, query: exp.Expression) -> None:
    """Makes a query in an expression read only what every segment has, in place."""
    if not planning.reads(query):
        return
    if outer_refs(query):
        replicate_tables(planning, query)
        return
    from mere.plan.query import plan_query

    parent = query.parent
    exists = isinstance(parent, exp.Exists) or (
        isinstance(parent, exp.Subquery) and isinstance(parent.parent, exp.Exists)
    )
    assert parent is not None
    key, index = query.arg_key, query.index
    planned = plan_query(planning, query.copy())
    local = planning.builder.broadcast(_one_row(planning, planned.local) if exists else planned.local)
    body = _reading(planning, local)
    parent.set(str(key), body, index)


def _reading(planning: Planning, local: Local) -> exp.Select:
    alias = planning.known.alias()
    return exp.Select(
        expressions=[named(column((alias, each)), each) for each in local.names],
        from_=exp.From(this=standing(local, alias)),
    )


def _one_row(planning: Planning, local: Local) -> Local:
    """EXISTS needs no more of each segment than one row."""
    inner = exp.Subquery(this=local.tree.copy(), alias=exp.TableAlias(this=exp.to_identifier("mere_all")))
    tree = exp.Select(
        expressions=[named(exp.Literal.number(1), "mere_nothing")],
        from_=exp.From(this=inner),
        limit=exp.Limit(expression=exp.Literal.number(1)),
    )
    return planning.builder.local(tree, local.place, 1.0)


# IN as a semi-join


def _semi_joined(condition: exp.Expression, query: exp.Expression) -> list[exp.Expression] | None:
    """The values that a whole condition `values IN (query)` looks for; None where it is no such condition."""
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if not isinstance(condition, exp.In):
        return None
    inner = condition.args.get("query")
    if inner is None or (inner.unnest() is not query and inner is not query):
        return None
    value = condition.this
    while isinstance(value, exp.Paren):
        value = value.this
    if (isinstance(value, exp.Anonymous) and str(value.this).lower() == "row") or isinstance(value, exp.Tuple):
        return list(value.expressions)
    return [value]


def _semi_join(planning: Planning, query: exp.Expression, values: Sequence[exp.Expression]) -> Operand:
    from mere.plan.query import plan_query

    parent = query.parent
    assert parent is not None
    key, index = query.arg_key, query.index
    planned = plan_query(planning, query.copy())
    alias = planning.known.alias()
    group = planning.derived(planned, alias)
    own = [(alias, each.name) for each in planned.local.columns]
    body = exp.Select(expressions=[named(column(ref), ref[1]) for ref in own])
    parent.set(str(key), body, index)
    pairs = []
    for value, inner in zip(values, own, strict=False):
        outer = ref_of(value)
        if outer is not None:
            pairs.append((outer, inner))
    return Operand(group, pairs or None, own, planning.known.width(own), body, exists=True)


def _kept(planning: Planning, operand: Operand) -> float:
    """The share of rows that find their value in the operand."""
    share = 0.5
    for outer, inner in operand.pairs or ():
        values, found = (planning.known.statistics.get(ref) for ref in (outer, inner))
        if values is not None and found is not None:
            share = min(share, found.distinct / max(values.distinct, 1.0))
    return share


# Correlated queries


def _operand(planning: Planning, query: exp.Expression, values: Sequence[exp.Expression] | None) -> Operand | None:
    """The FROM of a correlated query as an operand; None where its text is not simple enough, and nothing changed."""
    from mere.plan.arrange import Arrangement

    if not isinstance(query, exp.Select) or query.args.get("from_") is None:
        return None
    merge(query)
    cluster = read_from(query.copy())
    names = cluster.names
    split = _split(cluster, names)
    if split is None:
        return None
    local, both = split
    for key, value in query.args.items():
        if key not in ("from_", "joins", "where") and value:
            for clause in value if isinstance(value, list) else [value]:
                for nested in list(queries_in(clause)) if isinstance(clause, exp.Expression) else ():
                    settle_everywhere(planning, nested)
    clauses = [value for key, value in query.args.items() if key not in ("from_", "joins", "where") and value]
    nodes = [node for clause in clauses for node in (clause if isinstance(clause, list) else [clause])]
    above = refs(*(node for node in nodes if isinstance(node, exp.Expression)), *both)
    cluster.conditions = local
    group = Arrangement(planning, cluster, above).arranged()
    needed = [ref for ref in above if ref[0] in group.aliases]
    pairs = [pair for condition in both if (pair := _pair(condition, names)) is not None]
    if values is not None and _plain(query):
        for value, projection in zip(values, query.expressions, strict=False):
            outer, inner = ref_of(value), ref_of(projection.unalias())
            if outer is not None and inner is not None and inner[0] in names:
                pairs.append((outer, inner))
    for key in ("from_", "joins", "where"):
        query.set(key, None)  # the group's, from now on
    exists = isinstance(query.parent, exp.Exists) or (
        isinstance(query.parent, exp.Subquery) and isinstance(query.parent.parent, exp.Exists)
    )
    exists = (exists or values is not None) and _plain(query)
    return Operand(group, pairs or None, needed, planning.known.width(needed), query, both, exists)


def _split(cluster: Cluster, names: set[str]) -> tuple[list[exp.Expression], list[exp.Expression]] | None:
    """The conditions on the query's own members, and those on columns of the query around it too."""
    if not _closed(cluster, names):
        return None
    local, both = [], []
    for condition in cluster.conditions:
        outside = aliases(condition) - names - defined_aliases(condition)
        if not outside:
            local.append(condition)
        elif any(True for _ in queries_in(condition)):
            return None
        else:
            both.append(condition)
    return local, both


def _closed(cluster: Cluster, names: set[str]) -> bool:
    """Do FROM's members and joins read nothing of the query around it?"""
    for member in cluster.members:
        if isinstance(member, FullJoin):
            if any(not aliases(one) <= names for one in member.on):
                return False
            if not (_closed(member.left, names) and _closed(member.right, names)):
                return False
        elif isinstance(member, Member) and outer_refs(member.tree):
            return False
    for other in cluster.others:
        if isinstance(other, LateralJoin):
            if not {ref[0] for ref in outer_refs(other.tree)} <= names:
                return False
        elif not all(aliases(one) <= names for one in [*other.on, *other.nullable.conditions]) or not _closed(
            other.nullable, names
        ):
            return False
    return True


def _pair(condition: exp.Expression, names: set[str]) -> Pair | None:
    if not isinstance(condition, exp.EQ):
        return None
    left, right = ref_of(condition.this), ref_of(condition.expression)
    if left is None or right is None:
        return None
    if left[0] in names and right[0] not in names:
        return right, left
    return (left, right) if right[0] in names and left[0] not in names else None


def _plain(query: exp.Select) -> bool:
    """Does every row of the FROM that passes WHERE give one row of its own columns?"""
    if any(query.args.get(key) for key in ("group", "having", "qualify", "limit", "offset")):
        return False
    distinct = query.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        return False
    return not calls_in(iter(query.expressions)) and not windows_in(iter(query.expressions))


def _outer_aliases(operands: Sequence[Operand]) -> set[str]:
    found = {outer[0] for operand in operands for outer, _ in operand.pairs or ()}
    for operand in operands:
        found |= aliases(*operand.conditions)
    return found


def _selectivity(planning: Planning, condition: exp.Expression) -> float:
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if isinstance(condition, exp.EQ):
        ref = ref_of(condition.this) or ref_of(condition.expression)
        found = planning.known.statistics.get(ref) if ref is not None else None
        return 1.0 / max(found.distinct, 1.0) if found is not None else 0.1
    return selectivity(condition, planning.known.statistics)


# Tables on every segment


def replicate_tables(planning: Planning, query: exp.Expression) -> None:
    """Every table that a query reads is brought to all segments, filtered and projected, in place."""
    from mere.plan.query import shared_table

    for table in every(query, exp.Table):
        if not isinstance(table.this, exp.Identifier):
            continue
        if table.name in planning.common.shared:
            planned = planning.everywhere(shared_table(planning, table.name))
            planning.shared[table.name] = planned
            _stand(table, standing(planned.local, table.alias))
        elif table.name in planning.facts.scans and planning.builder.scan_share(table.name) is Share.OWN:
            _stand(table, _broadcast_scan(planning, table, query))


def _stand(table: exp.Table, standing_: exp.Expression) -> None:
    if table.args.get("joins"):
        standing_.set("joins", table.args["joins"])
    if table.args.get("sample"):
        raise Undivided("TABLESAMPLE")
    table.replace(standing_)


def _broadcast_scan(planning: Planning, table: exp.Table, query: exp.Expression) -> exp.Expression:
    alias = table.alias
    group = planning.scan(table.name, alias)
    needed: list[Ref] = [ref for ref in refs(query) if ref[0] == alias]
    select = table.find_ancestor(exp.Select)
    where = select.args.get("where") if select is not None else None
    joins = select.args.get("joins") or [] if select is not None else []
    if where is not None and not any(join.args.get("side") for join in joins):
        for condition in conjuncts(where.this):
            if aliases(condition) == {alias} and not any(True for _ in queries_in(condition)):
                group.conditions.append(condition.copy())
    local, _ = closed(group, needed, planning.known, planning.builder)
    return standing(planning.builder.broadcast(local), alias)
