"""Reads aggregate and window calls out of a SELECT's clauses, without entering nested queries.

The binder writes calls as exp.Anonymous; rules may write them as sqlglot's own nodes. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

QUERY = (exp.Select, exp.SetOperation, exp.Subquery)

_NAMES = frozenset(
    name
    for line in (
        "any_value arbitrary arg_max arg_min array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count",
        "covar_pop covar_samp first last list max median min mode product quantile quantile_cont quantile_disc",
        "regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy",
        "stddev stddev_pop stddev_samp string_agg sum var_pop var_samp variance",
    )
    for name in line.split()
)
_NODES: dict[type[exp.Expression], str] = {
    exp.AnyValue: "any_value",
    exp.ArrayAgg: "list",
    exp.Avg: "avg",
    exp.Count: "count",
    exp.LogicalAnd: "bool_and",
    exp.LogicalOr: "bool_or",
    exp.Max: "max",
    exp.Min: "min",
    exp.Sum: "sum",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One aggregate call. `node` is all of it, its FILTER too. `order` is its own ORDER BY."""

    node: exp.Expression
    name: str
    arguments: tuple[exp.Expression, ...]
    distinct: bool
    order: tuple[exp.Expression, ...]
    condition: exp.Expression | None

    def parts(self) -> Iterator[exp.Expression]:
        """The expressions that are evaluated row by row."""
        yield from self.arguments
        yield from (item.this for item in self.order)
        if self.condition is not None:
            yield self.condition


def call_of(node: exp.Expression) -> Call | None:
    """The node as an aggregate call, if it is one and no window function."""
    inner, condition = node, None
    if isinstance(node, exp.Filter):
        inner, condition = node.this, node.expression.this
    name = _name(inner)
    if name is None or _windowed(node) or (isinstance(inner.parent, exp.Filter) and inner is node):
        return None
    distinct, order, arguments = False, [], []
    for argument in _arguments(inner):
        if isinstance(argument, exp.Order):
            order += argument.expressions
            argument = argument.this
        if isinstance(argument, exp.Distinct):
            distinct = True
            arguments += argument.expressions
        elif not isinstance(argument, exp.Star):
            arguments.append(argument)
    return Call(node, name, tuple(arguments), distinct, tuple(order), condition)


def _name(node: exp.Expression) -> str | None:
    if isinstance(node, exp.Anonymous):
        name = str(node.this).lower()
        return name if name in _NAMES else None
    if isinstance(node, exp.AggFunc):
        return _NODES.get(type(node), node.key)
    return None


def _arguments(node: exp.Expression) -> list[exp.Expression]:
    if isinstance(node, exp.Anonymous):
        return list(node.expressions)
    found: list[exp.Expression] = []
    for value in node.args.values():
        found += [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, exp.Expression)]
    return found


def _windowed(node: exp.Expression) -> bool:
    """The function of a window is no aggregate of the query's groups, though it looks like one."""
    parent = node.parent
    if isinstance(parent, exp.Filter) and node.arg_key == "this":
        return _windowed(parent)
    return isinstance(parent, exp.Window | exp.IgnoreNulls | exp.RespectNulls) and node.arg_key == "this"


def is_grouping(node: exp.Expression) -> bool:
    """GROUPING(...), of grouping sets."""
    return isinstance(node, exp.Grouping) or (isinstance(node, exp.Anonymous) and str(node.this).lower() == "grouping")


def own_nodes(node: exp.Expression) -> Iterator[exp.Expression]:
    """The nodes of an expression, those of nested queries left out; outer nodes first."""
    queue = [node]
    for found in queue:
        if isinstance(found, QUERY):
            continue
        yield found
        for value in found.args.values():
            if type(value) is list:
                queue += [each for each in value if isinstance(each, exp.Expression)]
            elif isinstance(value, exp.Expression) and type(value) is not exp.Identifier:
                queue.append(value)


def calls_in(clauses: Iterator[exp.Expression]) -> list[Call]:
    """Every aggregate call once, in the order of its first appearance."""
    found: dict[exp.Expression, Call] = {}
    for clause in clauses:
        for node in own_nodes(clause):
            call = call_of(node)
            if call is not None:
                found.setdefault(node, call)
    return list(found.values())


def windows_in(clauses: Iterator[exp.Expression]) -> list[exp.Window]:
    found: dict[exp.Expression, exp.Window] = {}
    for clause in clauses:
        for node in own_nodes(clause):
            if isinstance(node, exp.Window):
                found.setdefault(node, node)
    return list(found.values())


def clauses_above(select: exp.Select) -> Iterator[exp.Expression]:
    """The clauses that are evaluated above FROM, WHERE and GROUP BY."""
    yield from select.expressions
    for key in ("having", "qualify", "distinct", "order"):
        clause = select.args.get(key)
        if clause is not None:
            yield clause


def column_text(node: exp.Expression) -> str | None:
    """A plain column as `Joined.place` names it; None for anything else."""
    if isinstance(node, exp.Column) and isinstance(node.args.get("table"), exp.Identifier):
        return f"{node.table}.{node.name}"
    return None


def bare(node: exp.Expression) -> exp.Expression:
    """Without parentheses and alias."""
    while isinstance(node, exp.Paren | exp.Alias):
        node = node.this
    return node
