"""Derived tables: simple ones become part of the query around them, others get the conditions on them.

So that what moves is filtered and projected. Works on a SELECT in place, before it is planned. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from mere.plan.above.calls import calls_in, windows_in
from mere.plan.columns import Ref, column, conjunction, every, named, output_names, queries_in, ref_of, refs, substitute

_CLAUSES = ("group", "having", "qualify", "distinct", "order", "limit", "offset", "windows", "with_", "sample")
_SETS = exp.Rollup | exp.Cube | exp.GroupingSets


def rename_columns(select: exp.Expression) -> None:
    """`(query) AS t(x, y)`: references to x become references to the query's own name for it."""
    mapping: dict[Ref, exp.Expression] = {}
    for derived in every(select, exp.Subquery):
        alias = derived.args.get("alias")
        names = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
        if not isinstance(alias, exp.TableAlias) or not names or alias.this is None:
            continue
        if not isinstance(derived.this, exp.Select | exp.SetOperation):
            continue
        own = output_names(derived.this)
        if len(own) < len(names):
            continue
        for given, inner in zip(names, own, strict=False):
            if given.name != inner:
                mapping[(alias.this.name, given.name)] = column((alias.this.name, inner))
        alias.set("columns", None)
    substitute(select, mapping)


def without_lists(tree: exp.Expression) -> None:
    """EXISTS (SELECT a, b, ...) reads no column for its list: whether there is a row does not hang on it."""
    for test in every(tree, exp.Exists):
        query = test.this
        while isinstance(query, exp.Subquery):
            query = query.this
        if not isinstance(query, exp.Select) or query.args.get("distinct") or query.args.get("order"):
            continue
        if query.args.get("qualify") or aggregated(query) or windows_in(iter(query.expressions)):
            continue
        if not any(projection.find(exp.Query) is not None for projection in query.expressions):
            query.set("expressions", [named(exp.Literal.number(1), "mere_nothing")])


def merge(select: exp.Select) -> None:
    """Merges derived tables that only join, filter and compute, until none is left."""
    while _merge_one(select):
        pass


def _merge_one(select: exp.Select) -> bool:
    source = select.args.get("from_")
    if source is None:
        return False
    joins = select.args.get("joins") or []
    if any(join.args.get("side") in ("RIGHT", "FULL") for join in joins):
        return False
    for member in [source.this, *(join.this for join in joins)]:
        if not isinstance(member, exp.Subquery) or not isinstance(member.this, exp.Select):
            continue
        if member.args.get("alias") is None or member.args.get("joins") or member.args.get("sample"):
            continue
        nullable = isinstance(member.parent, exp.Join) and bool(member.parent.args.get("side"))
        if _mergeable(select, member, nullable):
            _splice(select, member, nullable)
            return True
    return False


def _mergeable(select: exp.Select, member: exp.Subquery, nullable: bool) -> bool:
    body = member.this
    if any(body.args.get(key) for key in _CLAUSES) or body.args.get("from_") is None:
        return False
    if isinstance(body.args["from_"].this, exp.Lateral):
        return False
    used = {ref[1] for ref in refs(select) if ref[0] == member.alias}
    if aggregated(body) or windows_in(iter(body.expressions)):
        return False
    for projection in body.expressions:
        value = projection.unalias()
        if projection.alias_or_name in used and (
            value.find(exp.Query) is not None or value.find(exp.Column) is None or (nullable and ref_of(value) is None)
        ):
            return False
    inside = body.args.get("joins") or []
    if any(isinstance(join.this, exp.Lateral) for join in inside):
        return False
    if any(join.args.get("side") in ("RIGHT", "FULL") for join in inside):
        return False
    return not (nullable and any(True for _ in queries_in(body.args.get("where") or exp.true())))


def aggregated(select: exp.Select) -> bool:
    """Does the SELECT make groups, or one row, of its rows?"""
    return any(select.args.get(key) for key in ("group", "having")) or bool(calls_in(iter(select.expressions)))


def _splice(select: exp.Select, member: exp.Subquery, nullable: bool) -> None:
    body, alias = member.this, member.alias
    mapping = {(alias, projection.alias_or_name): projection.unalias() for projection in body.expressions}
    where, joins, first = body.args.get("where"), body.args.get("joins") or [], body.args["from_"].this
    condition = where.this if where is not None else None
    if joins:
        first.set("joins", [*(first.args.get("joins") or []), *joins])
        standing: exp.Expression = exp.Subquery(this=first)
    else:
        standing = first
    join = member.parent
    member.replace(standing)
    if condition is not None:
        if nullable:
            assert isinstance(join, exp.Join)
            both = [part for part in (join.args.get("on"), condition) if part is not None]
            join.set("on", conjunction(both))
        else:
            add_condition(select, condition)
    substitute(select, mapping)


def add_condition(select: exp.Select, condition: exp.Expression) -> None:
    where = select.args.get("where")
    parts = [where.this, condition] if where is not None else [condition]
    select.set("where", exp.Where(this=conjunction(parts)))


def push_into(query: exp.Expression, alias: str, condition: exp.Expression) -> bool:
    """Moves a condition on the columns of a derived table into its query. False, and nothing changed, if it cannot."""
    if not takes(query, alias, condition):
        return False
    names = output_names(query)
    _add(query, names, alias, condition)
    return True


def takes(query: exp.Expression, alias: str, condition: exp.Expression) -> bool:
    """Could the condition move into the query of the derived table?"""
    return _takes(query, _names(condition, alias))


def _names(condition: exp.Expression, alias: str) -> list[str]:
    return [ref[1] for ref in refs(condition) if ref[0] == alias]


def _takes(query: exp.Expression, names: Sequence[str]) -> bool:
    if isinstance(query, exp.Subquery):
        return not any(query.args.get(key) for key in ("limit", "offset", "with_")) and _takes(query.this, names)
    if any(query.args.get(key) for key in ("limit", "offset", "with_")):
        return False
    if isinstance(query, exp.SetOperation):
        positions = [output_names(query).index(name) for name in names]
        return all(
            _takes(side, [output_names(side)[position] for position in positions])
            for side in (query.this, query.expression)
        )
    if not isinstance(query, exp.Select) or query.args.get("windows"):
        return False
    distinct = query.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        return False
    values = {projection.alias_or_name: projection.unalias() for projection in query.expressions}
    wanted = [values[name] for name in names]
    if any(value.find(exp.Query) is not None for value in wanted) or calls_in(iter(wanted)):
        return False
    qualify = query.args.get("qualify")
    windows = windows_in(iter([*query.expressions, *([qualify] if qualify is not None else [])]))
    if windows:
        return not aggregated(query) and _partition(windows, wanted)
    if not aggregated(query):
        return True
    group = query.args.get("group")
    if group is None or not group.expressions or any(isinstance(key, _SETS) for key in group.expressions):
        return False  # without keys there is a row where none is below
    return _among(wanted, group.expressions)


def _partition(windows: Sequence[exp.Window], wanted: Sequence[exp.Expression]) -> bool:
    """A window only sees its own partition, so a filter on what partitions every window changes no value."""
    return all(_among(wanted, window.args.get("partition_by") or []) for window in windows)


def _among(wanted: Sequence[exp.Expression], keys: Sequence[exp.Expression]) -> bool:
    """Have all rows with the same keys the same values: those of the keys, or constants?"""
    return all(any(value == key for key in keys) or value.find(exp.Column, exp.Window) is None for value in wanted)


def _add(query: exp.Expression, names: Sequence[str], alias: str, condition: exp.Expression) -> None:
    if isinstance(query, exp.Subquery):
        _add(query.this, names, alias, condition)
    elif isinstance(query, exp.SetOperation):
        _add(query.this, names, alias, condition)
        _add(query.expression, names, alias, condition)
    else:
        assert isinstance(query, exp.Select)
        own = [projection.unalias() for projection in query.expressions]
        mapping = {(alias, given): value for given, value in zip(names, own, strict=False)}
        add_condition(query, substitute(condition.copy(), mapping))


def prune(query: exp.Expression, used: set[str]) -> None:
    """Leaves out columns of a derived table that nobody reads, where that changes no row."""
    if isinstance(query, exp.Union) and not query.args.get("distinct"):
        if _plain_union(query):
            _prune_positions(query, _kept(output_names(query), used))
    elif isinstance(query, exp.Select) and _prunable(query):
        _prune_positions(query, _kept(output_names(query), used))


def _prunable(query: exp.Select) -> bool:
    return not any(query.args.get(key) for key in ("distinct", "order", "limit", "offset"))


def _plain_union(query: exp.Expression) -> bool:
    while isinstance(query, exp.Subquery) and not any(query.args.get(key) for key in ("order", "limit", "offset")):
        query = query.this
    if isinstance(query, exp.Select):
        return _prunable(query)
    if not isinstance(query, exp.Union) or query.args.get("distinct"):
        return False
    if any(query.args.get(key) for key in ("order", "limit", "offset")):
        return False
    return _plain_union(query.this) and _plain_union(query.expression)


def _kept(names: Sequence[str], used: set[str]) -> list[int]:
    return [place for place, name in enumerate(names) if name in used] or [0]


def _prune_positions(query: exp.Expression, kept: Sequence[int]) -> None:
    if isinstance(query, exp.Subquery):
        _prune_positions(query.this, kept)
    elif isinstance(query, exp.SetOperation):
        _prune_positions(query.this, kept)
        _prune_positions(query.expression, kept)
    elif len(kept) < len(query.expressions):
        if query.args.get("group") is None and _drops_all_aggregates(query, kept):
            return
        query.set("expressions", [query.expressions[place] for place in kept])


def _drops_all_aggregates(query: exp.Expression, kept: Sequence[int]) -> bool:
    """Without GROUP BY an aggregate makes one row of many: one of them must stay."""
    found = [place for place, value in enumerate(query.expressions) if calls_in(iter([value]))]
    return bool(found) and not any(place in kept for place in found)
