"""ORDER BY, LIMIT and OFFSET: taken off a query before it is planned, and put on what comes of it.

An order counts only at the end of a query or under a LIMIT. With a LIMIT each segment keeps its first rows, those meet
on one, and the order decides once more. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from mere.plan.above.carry import aliased, column, source_of
from mere.plan.builder import SINGLE, Builder
from mere.plan.local import Local, Spread
from mere.plan.nodes import MotionColumn
from mere.plan.undivided import Undivided


@dataclass(frozen=True, slots=True)
class Ending:
    """`order` is over aliases of the query; `hidden` are those of its columns that serve nothing else."""

    order: tuple[exp.Ordered, ...] = ()
    limit: exp.Expression | None = None
    offset: exp.Expression | None = None
    hidden: frozenset[str] = frozenset()

    @property
    def limited(self) -> bool:
        return self.limit is not None or self.offset is not None


def take_ending(tree: exp.Expression) -> tuple[exp.Expression, Ending]:
    """The query without its ending. What it orders by, beside its columns, becomes a column of it.

    DISTINCT ON keeps its order, which says what rows there are.
    """
    order, limit, offset = (tree.args.get(key) for key in ("order", "limit", "offset"))
    if not isinstance(tree, exp.Select | exp.SetOperation) or (order is None and limit is None and offset is None):
        return tree, Ending()
    if any(part is not None and part.find(exp.Select) for part in (limit, offset)):
        raise Undivided("LIMIT by a subquery")
    made = tree.copy()
    for key in ("order", "limit", "offset"):
        made.set(key, None)
    items: list[exp.Ordered] = []
    hidden: list[str] = []
    for item in order.expressions if order is not None else []:
        name = _output(made, item.this)
        if name is None:
            name = f"mere_sort_{len(hidden)}"
            hidden.append(name)
            _add_output(made, item.this, name)
        items.append(_over(item, column(name)))
    distinct = made.args.get("distinct") if isinstance(made, exp.Select) else None
    if order is not None and isinstance(distinct, exp.Distinct) and distinct.args.get("on") is not None:
        made.set("order", order.copy())
    count = None if limit is None else limit.expression
    skip = None if offset is None else offset.expression
    return made, Ending(tuple(items), count, skip, frozenset(hidden))


def outputs(tree: exp.Expression) -> list[exp.Expression]:
    """The select list that names the columns of a query."""
    while isinstance(tree, exp.SetOperation | exp.Subquery):
        tree = tree.this
    return list(tree.expressions) if isinstance(tree, exp.Select) else []


def _output(tree: exp.Expression, item: exp.Expression) -> str | None:
    """The column of the query by which it is ordered: by its place, or because it is the same."""
    listed = outputs(tree)
    if isinstance(item, exp.Literal) and not item.is_string:
        return str(listed[int(item.this) - 1].alias_or_name)
    for output in listed:
        if isinstance(output, exp.Alias) and output.this == item:
            return str(output.alias)
    return None


def _add_output(tree: exp.Expression, item: exp.Expression, name: str) -> None:
    if not isinstance(tree, exp.Select):
        raise Undivided("a set operation ordered by what is no column of it")
    distinct = tree.args.get("distinct")
    if isinstance(distinct, exp.Distinct) and distinct.args.get("on") is None:
        raise Undivided("DISTINCT ordered by what is no column of it")
    tree.append("expressions", aliased(item, name))


def _over(item: exp.Expression, key: exp.Expression) -> exp.Ordered:
    return exp.Ordered(this=key, desc=item.args.get("desc"), nulls_first=item.args.get("nulls_first"))


# What comes of it


def with_ending(local: Local, ending: Ending) -> exp.Select:
    """The query of a local with its order, LIMIT and OFFSET, and without hidden columns."""
    return _ordered(
        local, ending, [name for name in local.names if name not in ending.hidden], ending.limit, ending.offset
    )


def first_rows(builder: Builder, local: Local, ending: Ending) -> Local:
    """On each segment the rows that may be among the first of all; everything where there is no LIMIT."""
    if ending.limit is None:
        return local
    count = _sum(ending.limit, ending.offset)
    tree = _ordered(local, ending, local.names, count, None)
    rows = min(local.rows, limited_rows(ending) * builder.facts.segments)
    # Rows in their order, for those who merge; their names have not changed.
    return replace(local, tree=tree, rows=rows, order=ending.order)


def limited(builder: Builder, local: Local, ending: Ending) -> Local:
    """A derived table with LIMIT or OFFSET: on one segment. Without them its order means nothing."""
    if not ending.limited:
        return local
    if local.place.spread is Spread.PARTITIONED:
        local = builder.gather(first_rows(builder, local, ending))

    def described() -> tuple[MotionColumn, ...]:
        return tuple(item for item in local.columns if item.name not in ending.hidden)

    rows = min(local.rows, limited_rows(ending))
    return Local(with_ending(local, ending), SINGLE, described, rows)


def limited_rows(ending: Ending) -> float:
    total = _sum(ending.limit, ending.offset) if ending.limit is not None else None
    return float(total.this) if isinstance(total, exp.Literal) and not total.is_string else 1e18


def _sum(limit: exp.Expression, offset: exp.Expression | None) -> exp.Expression:
    if offset is None:
        return limit.copy()
    if isinstance(limit, exp.Literal) and isinstance(offset, exp.Literal):
        return exp.Literal.number(int(limit.this) + int(offset.this))
    return exp.Paren(this=exp.Add(this=exp.Paren(this=limit.copy()), expression=exp.Paren(this=offset.copy())))


def _ordered(
    local: Local,
    ending: Ending,
    names: Sequence[str],
    limit: exp.Expression | None,
    offset: exp.Expression | None,
) -> exp.Select:
    tree = local.tree
    open_ = isinstance(tree, exp.Select) and not any(tree.args.get(key) for key in _CLOSED)
    if isinstance(tree, exp.Select) and open_ and names == [item.alias_or_name for item in tree.expressions]:
        made = tree.copy()
        items = [_over(item, exp.Literal.number(names.index(item.this.name) + 1)) for item in ending.order]
    else:
        alias = "mere_rows"
        made = exp.Select(
            expressions=[aliased(column(name, alias), name) for name in names], from_=source_of(local, alias)
        )
        items = [_over(item, column(item.this.name, alias)) for item in ending.order]
    if items:
        made.set("order", exp.Order(expressions=items))
    if limit is not None:
        made.set("limit", exp.Limit(expression=limit.copy()))
    if offset is not None:
        made.set("offset", exp.Offset(expression=offset.copy()))
    return made


_CLOSED = ("order", "limit", "offset", "with_")
