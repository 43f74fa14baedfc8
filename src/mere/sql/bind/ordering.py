"""DISTINCT, ORDER BY, LIMIT, OFFSET and FETCH.

Output columns are ordered by their place, so that DuckDB and PostgreSQL mean the same expression. Lives in the
gateway's process.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from mere.errors import FeatureNotSupported, SqlSyntaxError, UndefinedObject
from mere.sql.bind.binding import Binding
from mere.sql.bind.block import Block, Output
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.scope import Scope, column_sql, identifier_name, quoted
from mere.sql.bind.targets import Target, bare_name, by_output_name, ordinal
from mere.sql.expressions.typed import sort_value
from mere.sql.types import JSONB


def _place(node: exp.Expression, targets: Sequence[Target], clause: str) -> int | None:
    """The output column that an item of ORDER BY or DISTINCT ON names: by name first, or by its place."""
    while isinstance(node, exp.Paren):
        node = node.this
    name = bare_name(node)
    if name is not None:
        return by_output_name(name, targets, clause)
    return ordinal(node, len(targets), clause)


def _ordered(node: exp.Ordered, sql: exp.Expression) -> exp.Ordered:
    return exp.Ordered(this=sql, desc=bool(node.args.get("desc")), nulls_first=bool(node.args.get("nulls_first")))


def bind_order(
    environment: ScopeEnvironment, node: exp.Order, targets: Sequence[Target], distinct: bool
) -> exp.Order | None:
    """ORDER BY of a SELECT: output names, ordinals, or expressions over the input columns."""
    items = []
    for item in node.expressions:
        place = _place(item.this, targets, "ORDER BY")
        if place is None:
            typed = environment.expression(item.this)
            place = _same_output(typed.sql, targets)
            sql = sort_value(typed)
        if place is not None and targets[place].output.typed.type.oid == JSONB:
            if distinct:
                raise FeatureNotSupported("SELECT DISTINCT ordered by a jsonb column is not supported over lake data")
            sql = sort_value(targets[place].output.typed)
        elif place is not None:
            sql = exp.Literal.number(place + 1)
        elif isinstance(sql, exp.Literal | exp.Null):
            continue  # a constant orders nothing, and DuckDB would take it for a place
        items.append(_ordered(item, sql))
    return exp.Order(expressions=items) if items else None


def _same_output(sql: exp.Expression, targets: Sequence[Target]) -> int | None:
    for place, target in enumerate(targets):
        if target.output.typed.sql == sql:
            return place
    return None


def order_outputs(node: exp.Order, block: Block) -> exp.Order:
    """ORDER BY of a set operation, of VALUES, or behind parentheses: only output names and ordinals."""
    targets = [Target(output, None) for output in block.outputs]
    items = []
    for item in node.expressions:
        place = _place(item.this, targets, "ORDER BY")
        if place is None:
            if isinstance(item.this, exp.Column) and bare_name(item.this) is not None:
                raise UndefinedObject(f'column "{identifier_name(item.this.this)}" does not exist', sqlstate="42703")
            raise FeatureNotSupported("invalid UNION/INTERSECT/EXCEPT ORDER BY clause")
        if targets[place].output.typed.type.oid == JSONB:
            raise FeatureNotSupported("a set operation ordered by a jsonb column is not supported over lake data")
        items.append(_ordered(item, exp.Literal.number(place + 1)))
    return exp.Order(expressions=items)


def bind_distinct(environment: ScopeEnvironment, node: exp.Distinct, targets: Sequence[Target]) -> exp.Distinct:
    on = node.args.get("on")
    if on is None:
        return exp.Distinct()
    items: list[exp.Expression] = []
    for item in on.expressions if isinstance(on, exp.Tuple) else [on]:
        place = _place(item, targets, "DISTINCT ON")
        if place is not None:
            items.append(targets[place].output.typed.sql.copy())
        else:
            items.append(environment.expression(item).sql)
    return exp.Distinct(on=exp.Tuple(expressions=items))


def apply_limit(binding: Binding, node: exp.Expression, block: Block, scope: Scope) -> None:
    """Puts LIMIT, OFFSET and FETCH on the block; WITH TIES needs a query around it."""
    limit, offset = node.args.get("limit"), node.args.get("offset")
    environment = ScopeEnvironment(binding, scope)
    count, skip = None, None
    if limit is not None:
        expression = limit.args.get("count") if isinstance(limit, exp.Fetch) else limit.expression
        count = _count(environment, expression, "LIMIT") if expression is not None else exp.Literal.number(1)
    if offset is not None:
        skip = _count(environment, offset.expression, "OFFSET")
    options = limit.args.get("limit_options") if isinstance(limit, exp.Fetch) else None
    if options is not None and options.args.get("with_ties") and count is not None:
        _with_ties(binding, block, count, skip)
        return
    if count is not None:
        block.tree.set("limit", exp.Limit(expression=count))
    if skip is not None:
        block.tree.set("offset", exp.Offset(expression=skip))


def _count(environment: ScopeEnvironment, node: exp.Expression, clause: str) -> exp.Expression | None:
    """None means no limit: ALL or NULL."""
    if isinstance(node, exp.Null) or (isinstance(node, exp.Var) and node.name.upper() == "ALL"):
        return None
    typed = environment.row_count(node, clause)
    if typed.is_null:
        return None
    if isinstance(typed.value, int) and typed.value < 0:
        raise SqlSyntaxError(f"{clause} must not be negative", sqlstate="2201W" if clause == "LIMIT" else "2201X")
    if isinstance(typed.value, int):
        return exp.Literal.number(typed.value)
    return typed.sql


def _with_ties(binding: Binding, block: Block, count: exp.Expression, skip: exp.Expression | None) -> None:
    """FETCH FIRST n ROWS WITH TIES: rows whose rank is not behind the last place, ranked by the ORDER BY."""
    order = block.tree.args.get("order")
    if order is None:
        raise SqlSyntaxError("WITH TIES cannot be specified without ORDER BY clause", sqlstate="42601")
    block.tree.set("order", None)
    wrapper = binding.alias("mere_ties")
    ranked: list[tuple[exp.Ordered, int | str]] = []
    for number, item in enumerate(order.expressions):
        if isinstance(item.this, exp.Literal):
            ranked.append((item, int(item.this.this) - 1))
        else:
            block.extra.append((item.this, f"mere_order_{number}"))
            ranked.append((item, f"mere_order_{number}"))
    inner = block.close()
    keys = []
    for item, key in ranked:
        name = block.outputs[key].alias if isinstance(key, int) else key
        keys.append(_ordered(item, column_sql(wrapper, name)))
    last = count if skip is None else exp.Add(this=count, expression=skip.copy())
    condition: exp.Expression = exp.LTE(this=_ranking("rank", keys), expression=last)
    if skip is not None:
        condition = exp.And(this=exp.GT(this=_ranking("row_number", keys), expression=skip), expression=condition)
    block.outputs = [
        Output(name, typed, output.origin)
        for (name, typed), output in zip(block.references(wrapper), block.outputs, strict=True)
    ]
    block.tree = exp.Select(
        from_=exp.From(this=exp.Subquery(this=inner, alias=exp.TableAlias(this=quoted(wrapper)))),
        qualify=exp.Qualify(this=condition),
        order=exp.Order(expressions=keys),
    )
    block.closed, block.extra = False, []


def _ranking(function: str, keys: Sequence[exp.Ordered]) -> exp.Window:
    order = exp.Order(expressions=[key.copy() for key in keys])
    return exp.Window(this=exp.Anonymous(this=function), order=order)
