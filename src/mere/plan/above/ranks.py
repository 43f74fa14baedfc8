"""The first rows of each partition: a limit on a rank is told to the query that computes the rank.

`SELECT ... FROM (SELECT ..., rank() OVER (...) AS r ...) s WHERE r <= 3` becomes a QUALIFY inside, so that segments can
leave rows out before the windows bring them together. Coordinator process.
"""

from __future__ import annotations

from sqlglot import exp

from mere.plan.above.calls import bare

RANKS = frozenset({"rank", "row_number", "dense_rank"})


def rank_name(window: exp.Window) -> str:
    inner = window.this.this if isinstance(window.this, exp.Filter) else window.this
    return str(inner.name if isinstance(inner, exp.Anonymous) else inner.key).lower()


def push_rank_limits(tree: exp.Expression) -> exp.Expression:
    """The same query. The comparison stays where it was, too."""
    if not any(rank_name(window) in RANKS for window in tree.find_all(exp.Window)):
        return tree
    made = tree.copy()
    for select in list(made.find_all(exp.Select)):
        where = select.args.get("where")
        if where is not None:
            derived = dict(_derived(select))
            for condition in where.this.flatten() if isinstance(where.this, exp.And) else [where.this]:
                if isinstance(condition, exp.Expression):
                    _push(bare(condition), derived)
    return made


def _derived(select: exp.Select) -> list[tuple[str, exp.Select]]:
    joined = [select.args["from_"].this] if select.args.get("from_") else []
    joined += [join.this for join in select.args.get("joins") or []]
    return [
        (source.alias, source.this)
        for source in joined
        if isinstance(source, exp.Subquery) and isinstance(source.this, exp.Select) and source.alias
    ]


def _push(condition: exp.Expression, derived: dict[str, exp.Select]) -> None:
    if not isinstance(condition, exp.LTE | exp.LT | exp.EQ) or not isinstance(condition.expression, exp.Literal):
        return
    column = bare(condition.this)
    inner = derived.get(column.table) if isinstance(column, exp.Column) else None
    if inner is None or any(inner.args.get(key) for key in ("limit", "offset", "qualify", "distinct")):
        return
    for item in inner.expressions:
        if isinstance(item, exp.Alias) and item.alias == column.name and isinstance(item.this, exp.Window):
            if rank_name(item.this) in RANKS:
                limit = type(condition)(this=item.this.copy(), expression=condition.expression.copy())
                inner.set("qualify", exp.Qualify(this=limit))
            return
