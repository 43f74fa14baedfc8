"""Finds the conjuncts by which a scan's files may be left out.

Owns no evaluation: values stay DuckDB constant expressions. Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlglot import exp

from mere.sql.bind.binding import Binding

_OPERATORS: dict[type[exp.Expression], str] = {exp.EQ: "=", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
_VOLATILE = ("rand", "uuid", "nextval", "seed")
_FLIPPED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def collect(binding: Binding, condition: exp.Expression, aliases: Collection[str], strict_only: bool) -> None:
    """Notes the conjuncts of a bound condition at the scans behind `aliases`.

    The condition must reject every joined row whose part from the scan fails the conjunct. `strict_only` where rows of
    the scan may be absent (outer joins): then IS NULL says nothing about the scan's own rows.
    """
    for conjunct in conjuncts(condition):
        while isinstance(conjunct, exp.Paren):
            conjunct = conjunct.this
        for alias, name, op, values in _comparisons(conjunct):
            if alias in aliases:
                binding.note_predicate(alias, name, op, values, strict_only)


def conjuncts(condition: exp.Expression | None) -> Iterator[exp.Expression]:
    """The members of a conjunction, from left to right."""
    stack = [condition] if condition is not None else []
    while stack:
        node = stack.pop()
        if isinstance(node, exp.And):
            stack += [node.expression, node.this]
        elif isinstance(node, exp.Paren) and isinstance(node.this, exp.And | exp.Paren):
            stack.append(node.this)  # others keep their parentheses
        else:
            yield node


def _reference(node: exp.Expression) -> tuple[str, str] | None:
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Column) and isinstance(node.args.get("table"), exp.Identifier):
        return str(node.args["table"].this), str(node.this.this)
    return None


def _constant(node: exp.Expression) -> bool:
    """One value for the whole statement: no column, no query, no function that gives another value each time."""
    for part in node.walk():
        if isinstance(part, exp.Column | exp.Query | exp.Subquery | exp.Window):
            return False
        if isinstance(part, exp.Func):
            name = (part.name if isinstance(part, exp.Anonymous) else part.sql_name()).lower()
            if any(word in name for word in _VOLATILE):
                return False
    return True


def _comparisons(node: exp.Expression) -> Iterator[tuple[str, str, str, tuple[exp.Expression, ...]]]:
    """(alias, column, op, values) that the conjunct says."""
    op = _OPERATORS.get(type(node))
    if op is not None:
        left, right = _reference(node.this), _reference(node.expression)
        if left is not None and _constant(node.expression):
            yield (*left, op, (node.expression,))
        elif right is not None and _constant(node.this):
            yield (*right, _FLIPPED[op], (node.this,))
    elif isinstance(node, exp.Between):
        found, low, high = _reference(node.this), node.args["low"], node.args["high"]
        if found is not None and not node.args.get("symmetric"):
            if _constant(low):
                yield (*found, ">=", (low,))
            if _constant(high):
                yield (*found, "<=", (high,))
    elif isinstance(node, exp.In) and node.args.get("query") is None and node.args.get("unnest") is None:
        found = _reference(node.this)
        if found is not None and node.expressions and all(_constant(value) for value in node.expressions):
            yield (*found, "in", tuple(node.expressions))
    elif isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        found = _reference(node.this)
        if found is not None:
            yield (*found, "is not null" if node.args.get("negate") else "is null", ())
    elif isinstance(node, exp.Not):
        inner = node.this.this if isinstance(node.this, exp.Paren) else node.this
        if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null) and not inner.args.get("negate"):
            found = _reference(inner.this)
            if found is not None:
                yield (*found, "is not null", ())
