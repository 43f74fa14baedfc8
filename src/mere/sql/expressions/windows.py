"""OVER clauses: partition, order and frame, with named windows resolved. Coordinator process."""

from __future__ import annotations

from sqlglot import exp

from mere.errors import SqlSyntaxError, UndefinedObject
from mere.sql.coercion import coerce
from mere.sql.expressions.build import cast
from mere.sql.expressions.context import Context
from mere.sql.expressions.typed import Coercion, Typed, sort_value
from mere.sql.types import DATE, INT8, INTEGERS, INTERVAL, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ, PgType

_TIMES = frozenset({DATE, TIME, TIMETZ, TIMESTAMP, TIMESTAMPTZ, INTERVAL})


def bind_window_clause(context: Context, node: exp.Window) -> tuple[exp.Window, int]:
    """The DuckDB window without its function, and the marks of what it reads."""
    partition, order, spec = _definition(context, node, 0)
    marks = 0
    keys = []
    for item in partition:
        key = context.bind(item)
        marks |= key.marks
        keys.append(key.sql)
    ordered, sorted_types = [], []
    wide = spec is not None and _needs_room(spec)
    for item in order:
        typed = context.bind(item.this)
        marks |= typed.marks
        sorted_types.append(typed)
        sql = cast(typed.sql, "HUGEINT") if wide and typed.type.oid in INTEGERS else sort_value(typed)
        ordered.append(exp.Ordered(this=sql, desc=item.args.get("desc"), nulls_first=item.args.get("nulls_first")))
    window = exp.Window(this=None, over="OVER")
    if keys:
        window.set("partition_by", keys)
    if ordered:
        window.set("order", exp.Order(expressions=ordered))
    if spec is not None:
        window.set("spec", _frame(context, spec, sorted_types))
    return window, marks


def _needs_room(spec: exp.Expression) -> bool:
    """RANGE with an offset: key plus offset may leave the key's type, which is no error in PostgreSQL."""
    bounds = (spec.args.get("start"), spec.args.get("end"))
    return str(spec.args["kind"]).upper() == "RANGE" and any(isinstance(bound, exp.Expression) for bound in bounds)


def _definition(
    context: Context, node: exp.Window, depth: int
) -> tuple[list[exp.Expression], list[exp.Expression], exp.Expression | None]:
    """Partition, order and frame, those of a named window filled in (OVER w, OVER (w ORDER BY ...))."""
    partition = list(node.args.get("partition_by") or [])
    order_node = node.args.get("order")
    order = list(order_node.expressions) if order_node is not None else []
    spec = node.args.get("spec")
    alias = node.args.get("alias")
    if alias is None:
        return partition, order, spec
    name = alias.name
    base = context.env.window(name)
    if base is None or depth > 50:
        raise UndefinedObject(f'window "{name}" does not exist', sqlstate="42704")
    base_partition, base_order, base_spec = _definition(context, base, depth + 1)
    if partition:
        raise SqlSyntaxError(f'cannot override PARTITION BY clause of window "{name}"', sqlstate="42P20")
    if order and base_order:
        raise SqlSyntaxError(f'cannot override ORDER BY clause of window "{name}"', sqlstate="42P20")
    return base_partition, order or base_order, spec or base_spec


def _frame(context: Context, spec: exp.Expression, order: list[Typed]) -> exp.Expression:
    kind = str(spec.args["kind"]).upper()
    made = exp.WindowSpec(kind=kind)
    for side in ("start", "end"):
        value = spec.args.get(side)
        if value is None:
            continue
        made.set(side, value if isinstance(value, str) else _offset(context, value, kind, order))
        direction = spec.args.get(f"{side}_side")
        if direction:
            made.set(f"{side}_side", str(direction).upper())
    if spec.args.get("exclude") is not None:
        made.set("exclude", spec.args["exclude"].copy())
    return made


def _offset(context: Context, node: exp.Expression, kind: str, order: list[Typed]) -> exp.Expression:
    bound = context.bind(node)
    target = PgType(INT8)
    if kind == "RANGE" and order:
        target = PgType(INTERVAL if order[0].type.oid in _TIMES else order[0].type.oid)
    elif kind != "RANGE":
        return coerce(bound, target, Coercion.IMPLICIT, context.env).sql
    if bound.is_unknown:
        return coerce(bound, target, Coercion.IMPLICIT, context.env).sql
    return bound.sql
