"""How an aggregate is split: partial values on every segment, and the expression that merges them.

An aggregate that is missing here is computed over rows that were brought together first. Variances and their kin merge
by counts, means and sums of squared differences (Chan), in macros of sql/functions/macros/merge.sql. Coordinator
process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from mere.plan.above.calls import Call

Condition = exp.Expression | None
Merge = Callable[[Sequence[exp.Expression], Condition], exp.Expression]

# DISTINCT changes nothing for these.
INDIFFERENT = frozenset({"min", "max", "bool_and", "bool_or", "bit_and", "bit_or", "any_value"})
_ONE_ARGUMENT = INDIFFERENT | {"bit_xor"}
_VARIANCES = {
    "stddev": "mere_stddev_samp",
    "stddev_samp": "mere_stddev_samp",
    "stddev_pop": "mere_stddev_pop",
    "variance": "mere_var_samp",
    "var_samp": "mere_var_samp",
    "var_pop": "mere_var_pop",
}
_PAIRS = frozenset(
    {"corr", "covar_pop", "covar_samp"}
    | {f"regr_{name}" for name in ("avgx", "avgy", "count", "intercept", "r2", "slope", "sxx", "sxy", "syy")}
)


@dataclass(frozen=True, slots=True)
class Split:
    """`partials` run beside the rows. `merge` gives the aggregate's value over columns that hold them; its second
    argument restricts it to some of the partial rows."""

    partials: tuple[exp.Expression, ...]
    merge: Merge


def split(call: Call) -> Split | None:
    """None where the aggregate does not split. DISTINCT stays in the partials: right where equal arguments lie on one
    segment."""
    if call.order:
        return None
    if call.name == "count":
        return Split((call.node.copy(),), lambda parts, where: _total(parts[0], where))
    if call.name == "sum" and len(call.arguments) == 1:
        return Split((call.node.copy(),), lambda parts, where: _aggregate("sum", [parts[0]], where))
    if call.name == "avg" and len(call.arguments) == 1:
        return _average(call)
    if call.name in _ONE_ARGUMENT and len(call.arguments) == 1:
        name = call.name
        return Split((call.node.copy(),), lambda parts, where: _aggregate(name, [parts[0]], where))
    if call.name in _VARIANCES and len(call.arguments) == 1:
        return _variance(call)
    if call.name in _PAIRS and len(call.arguments) == 2 and not call.distinct:
        return _pair(call)
    if call.name == "list" and len(call.arguments) == 1 and not call.distinct:
        return Split((call.node.copy(),), _merged_list)
    if call.name == "string_agg" and len(call.arguments) == 2 and not call.distinct:
        return _joined_text(call)
    return None


def _average(call: Call) -> Split:
    def merge(parts: Sequence[exp.Expression], where: Condition) -> exp.Expression:
        count = _cast(_aggregate("sum", [parts[1]], where), "DOUBLE")
        return exp.Paren(this=exp.Div(this=_cast(_aggregate("sum", [parts[0]], where), "DOUBLE"), expression=count))

    return Split((_beside(call, "sum"), _beside(call, "count")), merge)


def _variance(call: Call) -> Split:
    macro = _VARIANCES[call.name]
    count = _cast(_beside(call, "count"), "DOUBLE")
    squares = exp.Mul(this=_beside(call, "var_pop"), expression=count.copy())
    mean = _cast(_beside(call, "avg"), "DOUBLE")
    return Split((count, mean, squares), lambda parts, where: _call(macro, _moments(parts, where)))


def _pair(call: Call) -> Split:
    macro = f"mere_{call.name}"
    count = _cast(_beside(call, "regr_count"), "DOUBLE")
    means = [_beside(call, name) for name in ("regr_avgx", "regr_avgy")]
    squares = [_beside(call, name) for name in ("regr_sxx", "regr_syy", "regr_sxy")]
    return Split((count, *means, *squares), lambda parts, where: _call(macro, _moments(parts, where)))


def _moments(parts: Sequence[exp.Expression], where: Condition) -> exp.Expression:
    """The partial rows that saw values, as a list of lists; the first of each is the count."""
    some = exp.GT(this=parts[0].copy(), expression=exp.Literal.number(0))
    condition = some if where is None else exp.And(this=some, expression=where.copy())
    row = _call("list_value", *parts)
    return _aggregate("list", [row], condition)


def _merged_list(parts: Sequence[exp.Expression], where: Condition) -> exp.Expression:
    some = exp.Not(this=exp.Is(this=parts[0].copy(), expression=exp.Null()))
    condition = some if where is None else exp.And(this=some, expression=where.copy())
    return _call("flatten", _aggregate("list", [parts[0]], condition))


def _joined_text(call: Call) -> Split | None:
    separator = call.arguments[1]
    if not isinstance(separator, exp.Literal):
        return None
    return Split((call.node.copy(),), lambda parts, where: _aggregate("string_agg", [parts[0], separator], where))


def _total(part: exp.Expression, where: Condition) -> exp.Expression:
    """Counts add up to a BIGINT, and to 0 over no rows."""
    total = _aggregate("sum", [part], where)
    return _cast(exp.Coalesce(this=total, expressions=[exp.Literal.number(0)]), "BIGINT")


def _beside(call: Call, name: str) -> exp.Expression:
    """Another aggregate over the same rows and arguments."""
    arguments = [argument.copy() for argument in call.arguments]
    if call.distinct:
        arguments = [exp.Distinct(expressions=arguments)]
    return _filtered(exp.Anonymous(this=name, expressions=arguments), call.condition)


def _aggregate(name: str, arguments: Sequence[exp.Expression], where: Condition) -> exp.Expression:
    return _filtered(_call(name, *arguments), where)


def _filtered(node: exp.Expression, where: Condition) -> exp.Expression:
    return node if where is None else exp.Filter(this=node, expression=exp.Where(this=where.copy()))


def _call(name: str, *arguments: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])


def _cast(node: exp.Expression, duckdb_type: str) -> exp.Expression:
    return exp.Cast(this=node, to=exp.DataType.build(duckdb_type, dialect="duckdb"))
