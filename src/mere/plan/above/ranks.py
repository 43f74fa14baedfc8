"""The first rows of each partition: a limit on a rank is told to the query that computes the rank.

`SELECT ... FROM (SELECT ..., rank() OVER (...) AS r ...) s WHERE r <= 3` becomes a QUALIFY inside, so that segments can
leave rows out before the windows bring them together. Coordinator process.
"""

from __future__ import annotations

from sqlglot import exp

from mere.plan.above.calls import bare
from mere.sql.bind.pruning import conjuncts

_TOLD = "mere_told"  # in the meta of a QUALIFY that says again what is said above
RANKS = frozenset({"rank", "row_number", "dense_rank"})
_FLIPPED: dict[type[exp.Expression], type[exp.Binary]] = {exp.GTE: exp.LTE, exp.GT: exp.LT, exp.EQ: exp.EQ}


def rank_name(window: exp.Window) -> str:
    inner = window.this.this if isinstance(window.this, exp.Filter) else window.this
    return str(inner.name if isinstance(inner, exp.Anonymous) else inner.key).lower()


def push_rank_limits(select: exp.Select) -> None:
    """Changes the derived tables of this FROM, in place. The comparison stays where it was, too.

    Rows that fail it are left out one step earlier. On the nullable side of an outer join nothing changes either: the
    comparison rejects NULL, so rows of the other side that had only such partners are rejected as before.
    """
    where = select.args.get("where")
    if where is None:
        return
    derived = {source.alias: source.this for source in _derived(select)}
    for condition in conjuncts(where.this) if derived else ():
        _push(condition, derived)


def forget_rank_limit(select: exp.Select) -> None:
    """Takes out what was told, in place: once the windows are complete the comparison above does the same."""
    qualify = select.args.get("qualify")
    if qualify is not None and qualify.meta_get(_TOLD):
        select.set("qualify", None)


def _derived(select: exp.Select) -> list[exp.Subquery]:
    joined = [select.args["from_"].this] if select.args.get("from_") else []
    joined += [join.this for join in select.args.get("joins") or []]
    return [
        source
        for source in joined
        if isinstance(source, exp.Subquery) and isinstance(source.this, exp.Select) and source.alias
    ]


def _push(condition: exp.Expression, derived: dict[str, exp.Select]) -> None:
    compared = _limit(bare(condition))
    if compared is None:
        return
    column, kind, limit = compared
    inner = derived.get(column.table)
    if inner is None or any(inner.args.get(key) for key in ("limit", "offset", "qualify", "distinct")):
        return
    for item in inner.expressions:
        if isinstance(item, exp.Alias) and item.alias == column.name and isinstance(item.this, exp.Window):
            if rank_name(item.this) in RANKS:
                told = exp.Qualify(this=kind(this=item.this.copy(), expression=limit.copy()))
                told.meta[_TOLD] = True
                inner.set("qualify", told)
            return


def _limit(condition: exp.Expression) -> tuple[exp.Column, type[exp.Binary], exp.Expression] | None:
    """(column, how, constant) of a comparison that says that a column is at most so much."""
    if not isinstance(condition, exp.LTE | exp.LT | exp.EQ | exp.GTE | exp.GT):
        return None
    for one, other, kind in (
        (bare(condition.this), condition.expression, type(condition)),
        (bare(condition.expression), condition.this, _FLIPPED.get(type(condition))),
    ):
        if isinstance(one, exp.Column) and isinstance(other, exp.Literal | exp.Placeholder):
            return (one, kind, other) if kind in (exp.LTE, exp.LT, exp.EQ) else None
    return None
