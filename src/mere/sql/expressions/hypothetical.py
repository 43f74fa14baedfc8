"""rank, dense_rank, percent_rank and cume_dist WITHIN GROUP: where a row would stand among those of the group.

Each is counts of the rows that the ORDER BY puts before the given one. Coordinator process.
"""

from __future__ import annotations

from sqlglot import exp

from mere.errors import UndefinedObject
from mere.sql.coercion import to_boolean
from mere.sql.expressions.build import binary, call, cast, conjunction, is_null, number
from mere.sql.expressions.context import Context, marks_of
from mere.sql.expressions.operators import compare, resolve
from mere.sql.expressions.typed import AGGREGATE, Typed
from mere.sql.expressions.unify import unify
from mere.sql.grammar.nodes import Call
from mere.sql.types import FLOAT8, INT8, PgType, type_name

HYPOTHETICAL = frozenset(("rank", "dense_rank", "percent_rank", "cume_dist"))


def bind_hypothetical(context: Context, node: Call, within: exp.Expression, condition: exp.Expression | None) -> Typed:
    items = within.expressions
    given, sorted_by = context.bind_all(node.expressions), [context.bind(item.this) for item in items]
    if len(given) != len(sorted_by):
        names = ", ".join(type_name(part.type.oid) for part in [*given, *sorted_by])
        raise UndefinedObject(f"function {node.name}({names}) does not exist", sqlstate="42883")
    pairs = [unify([row, value], "WITHIN GROUP", context.env) for row, value in zip(sorted_by, given, strict=True)]
    marks = marks_of(given) | marks_of(sorted_by) | AGGREGATE
    chosen: list[exp.Expression] = []
    if condition is not None:
        bound = to_boolean(context.bind(condition), "FILTER", context.env)
        chosen, marks = [bound.sql], marks | bound.marks
    before = _before(context, pairs, items)
    if node.name == "rank":
        return Typed(binary(exp.Add, _count(exp.Star(), [before, *chosen]), number(1)), PgType(INT8), marks)
    if node.name == "dense_rank":
        row = exp.Distinct(expressions=[call("row", *(row.sql.copy() for row, _ in pairs))])
        return Typed(binary(exp.Add, _count(row, [before, *chosen]), number(1)), PgType(INT8), marks)
    rows = cast(_count(exp.Star(), chosen), "DOUBLE")
    if node.name == "percent_rank":
        ahead = cast(_count(exp.Star(), [before, *chosen]), "DOUBLE")
        share = call("coalesce", binary(exp.Div, ahead, call("nullif", rows, number(0))), cast(number(0), "DOUBLE"))
        return Typed(share, PgType(FLOAT8), marks)
    same = conjunction([_same(row, value) for row, value in pairs])
    ahead = _count(exp.Star(), [binary(exp.Or, before, same), *chosen])
    one_more = [binary(exp.Add, part, number(1)) for part in (cast(ahead, "DOUBLE"), rows)]
    return Typed(binary(exp.Div, *one_more), PgType(FLOAT8), marks)


def _count(what: exp.Expression, conditions: list[exp.Expression]) -> exp.Expression:
    counted: exp.Expression = exp.Anonymous(this="count", expressions=[what])
    if not conditions:
        return counted
    condition = conjunction([part.copy() for part in conditions])
    return exp.Filter(this=counted, expression=exp.Where(this=condition))


def _same(row: Typed, value: Typed) -> exp.Expression:
    return binary(exp.NullSafeEQ, row.sql.copy(), value.sql.copy())


def _before(context: Context, pairs: list[tuple[Typed, ...]], items: list[exp.Ordered]) -> exp.Expression:
    """Whether a row of the group comes before the given one, column by column."""
    (row, value), item = pairs[0], items[0]
    symbol = ">" if item.args.get("desc") else "<"
    sides = [Typed(side.sql.copy(), side.type, side.marks, side.decimal, side.display) for side in (row, value)]
    plain = compare(context, symbol, sides, resolve(symbol, sides)).sql
    first, last = (value, row) if item.args.get("nulls_first") else (row, value)
    by_null = binary(exp.And, exp.Not(this=is_null(first.sql.copy())), is_null(last.sql.copy()))
    ahead = call("coalesce", plain, by_null)
    if len(pairs) == 1:
        return ahead
    return binary(exp.Or, ahead, binary(exp.And, _same(row, value), _before(context, pairs[1:], items[1:])))
