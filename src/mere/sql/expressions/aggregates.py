"""Aggregate calls with DISTINCT, ORDER BY, FILTER, WITHIN GROUP and OVER. Coordinator process."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from mere.errors import FeatureNotSupported, SqlSyntaxError, UndefinedObject
from mere.sql.coercion import to_boolean
from mere.sql.expressions.calls import coerced, find, unsupported
from mere.sql.expressions.context import Context, handles, marks_of
from mere.sql.expressions.hypothetical import HYPOTHETICAL, bind_hypothetical
from mere.sql.expressions.typed import AGGREGATE, WINDOW, Typed, sort_value
from mere.sql.expressions.windows import bind_window_clause
from mere.sql.functions import catalog
from mere.sql.functions.aggregates import AGGREGATES
from mere.sql.functions.resolution import Resolved
from mere.sql.functions.windows import WINDOWS
from mere.sql.grammar.nodes import Call
from mere.sql.types import JSONB, PgType

# Aggregates whose result shows the order of their input.
_IN_ORDER = frozenset(("array_agg", "string_agg", "json_agg", "jsonb_agg"))


@dataclass(slots=True)
class Aggregate:
    """One aggregate call being built. `make` gives a DuckDB aggregate with all that hangs on this call; a builder may
    make several (avg is a sum and a count)."""

    context: Context
    node: Call
    resolved: Resolved
    arguments: list[Typed]
    distinct: bool
    order: list[exp.Expression]
    within: list[tuple[Typed, exp.Ordered]]
    filter: exp.Expression | None
    window: exp.Window | None
    marks: int
    used: list[exp.Expression] = field(default_factory=list)

    def make(self, name: str, *arguments: exp.Expression, order: list[exp.Expression] | None = None) -> exp.Expression:
        parts: list[exp.Expression] = [argument.copy() for argument in arguments]
        if self.distinct and parts:
            parts[0] = exp.Distinct(expressions=[parts[0]])
        ordered = self.order if order is None else order
        if ordered and parts:
            parts[-1] = exp.Order(this=parts[-1], expressions=[item.copy() for item in ordered])
        sql: exp.Expression = exp.Anonymous(this=name, expressions=parts)
        return self.attach(sql)

    def attach(self, sql: exp.Expression) -> exp.Expression:
        if self.filter is not None:
            sql = exp.Filter(this=sql, expression=exp.Where(this=self.filter.copy()))
        if self.window is not None:
            window = self.window.copy()
            window.set("this", sql)
            return window
        return sql

    def result(self, sql: exp.Expression, pg_type: PgType | None = None) -> Typed:
        return Typed(sql, pg_type or PgType(self.resolved.result), self.marks)


@handles(exp.Filter)
def bind_filter(context: Context, node: exp.Expression) -> Typed:
    inner = node.this
    within = None
    if isinstance(inner, exp.WithinGroup):
        within, inner = inner.expression, inner.this
    return bind_aggregate(context, _aggregate_call(inner), within, node.expression.this)


@handles(exp.WithinGroup)
def bind_within_group(context: Context, node: exp.Expression) -> Typed:
    return bind_aggregate(context, _aggregate_call(node.this), node.expression, None)


@handles(exp.Window)
def bind_window(context: Context, node: exp.Expression) -> Typed:
    assert isinstance(node, exp.Window)
    inner, condition, within = node.this, None, None
    if isinstance(inner, exp.Filter):
        condition, inner = inner.expression.this, inner.this
    if isinstance(inner, exp.WithinGroup):
        within, inner = inner.expression, inner.this
    call = _aggregate_call(inner)
    window, marks = bind_window_clause(context, node)
    return bind_aggregate(context, call, within, condition, window, marks)


def _aggregate_call(node: exp.Expression) -> Call:
    if isinstance(node, exp.Dot):
        node = node.expression
    if not isinstance(node, Call):
        raise SqlSyntaxError("FILTER and OVER need an aggregate or window function", sqlstate="42809")
    return node


def bind_aggregate(
    context: Context,
    node: Call,
    within: exp.Expression | None,
    condition: exp.Expression | None,
    window: exp.Window | None = None,
    window_marks: int = 0,
) -> Typed:
    name = node.name
    if within is not None and name in HYPOTHETICAL and window is None:
        return bind_hypothetical(context, node, within, condition)
    if name not in catalog.AGGREGATES and name not in catalog.WINDOWS:
        if catalog.functions(name):
            what = "OVER" if window is not None else "FILTER"
            text = f"{what} specified, but {name} is not a window function nor an aggregate function"
            raise SqlSyntaxError(text, sqlstate="42809")
        raise FeatureNotSupported(f"function {name}() is not supported over lake data")
    if name in catalog.WINDOWS and window is None:
        raise SqlSyntaxError(f"window function {name} requires an OVER clause", sqlstate="42P20")
    aggregate = _collect(context, node, within, condition, window, window_marks)
    if name in catalog.WINDOWS:
        return WINDOWS[name](aggregate)
    builder = AGGREGATES.get(str(aggregate.resolved.signature)) or AGGREGATES.get(name)
    if builder is None:
        raise unsupported(name, list(aggregate.resolved.arguments))
    return builder(aggregate)


def _collect(
    context: Context,
    node: Call,
    within: exp.Expression | None,
    condition: exp.Expression | None,
    window: exp.Window | None,
    window_marks: int,
) -> Aggregate:
    star = len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Star)
    arguments = [] if star else [_argument(context, argument) for argument in node.expressions]
    if not star and not arguments and node.name == "count":
        raise UndefinedObject("count(*) must be used to call a parameterless aggregate function", sqlstate="42809")
    sorted_by: list[tuple[Typed, exp.Ordered]] = []
    if within is not None:
        sorted_by = [(context.bind(item.this), item) for item in within.expressions]
        arguments = arguments + [typed for typed, _ in sorted_by]
    order = node.args.get("order")
    ordering = [(context.bind(item.this), item) for item in order.expressions] if order is not None else []
    parts = [*arguments, *(typed for typed, _ in ordering)]
    marks = marks_of(parts) | window_marks
    if any(part.contains_aggregate for part in parts) and window is None:
        raise SqlSyntaxError("aggregate function calls cannot be nested", sqlstate="42803")
    filtered = None
    if condition is not None:
        bound = to_boolean(context.bind(condition), "FILTER", context.env)
        filtered = bound.sql
        marks |= bound.marks
    resolved = find(context, node.name, arguments)
    made = coerced(context, arguments, resolved)
    if node.args.get("distinct") and not ordering and node.name in _IN_ORDER and made[0].type.oid != JSONB:
        ordering = [(made[0], exp.Ordered(this=None, nulls_first=False))]  # as PostgreSQL's sort leaves them
    if sorted_by:
        sorted_by = list(zip(made[-len(sorted_by) :], (item for _, item in sorted_by), strict=True))
    return Aggregate(
        context,
        node,
        resolved,
        made,
        bool(node.args.get("distinct")),
        [_ordered(typed, item) for typed, item in ordering],
        sorted_by,
        filtered,
        window,
        marks | (WINDOW if window is not None else AGGREGATE),
    )


def _argument(context: Context, node: exp.Expression) -> Typed:
    """count(t) counts rows that are not NULL as a whole; a plain column otherwise."""
    return context.bind(node)


def _ordered(typed: Typed, item: exp.Ordered) -> exp.Expression:
    return exp.Ordered(this=sort_value(typed), desc=item.args.get("desc"), nulls_first=item.args.get("nulls_first"))
