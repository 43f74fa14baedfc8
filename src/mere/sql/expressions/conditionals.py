"""CASE, COALESCE, NULLIF, GREATEST and LEAST. Coordinator process."""

from __future__ import annotations

from sqlglot import exp

from mere.sql.coercion import to_boolean
from mere.sql.expressions.build import call
from mere.sql.expressions.context import Context, handles, marks_of
from mere.sql.expressions.operators import compare, resolve
from mere.sql.expressions.typed import Typed
from mere.sql.expressions.unify import unify
from mere.sql.types import PgType


def _joined(items: tuple[Typed, ...], sql: exp.Expression, marks: int) -> Typed:
    first = next((item for item in items if not item.is_null), items[0])
    return Typed(sql, first.type, marks, first.decimal, first.display)


@handles(exp.Case)
def bind_case(context: Context, node: exp.Expression) -> Typed:
    """A simple CASE compares its operand with each WHEN by the rules of =; results take one type."""
    subject = context.bind(node.this) if node.this is not None else None
    branches = node.args["ifs"]
    conditions = [_condition(context, subject, branch.this) for branch in branches]
    default = node.args.get("default")
    results = [context.bind(default)] if default is not None else []
    results += [context.bind(branch.args["true"]) for branch in branches]
    unified = unify(results, "CASE", context.env)
    default_sql = unified[0].sql if default is not None else None
    values = unified[1:] if default is not None else unified
    ifs = [exp.If(this=test.sql, true=value.sql) for test, value in zip(conditions, values, strict=True)]
    marks = marks_of(conditions) | marks_of(results)
    return _joined(unified, exp.Case(ifs=ifs, default=default_sql), marks)


def _condition(context: Context, subject: Typed | None, node: exp.Expression) -> Typed:
    bound = context.bind(node)
    if subject is None:
        return to_boolean(bound, "CASE/WHEN", context.env)
    from mere.sql.expressions.predicates import _copied

    copied = _copied(subject)
    return compare(context, "=", [copied, bound], resolve("=", [copied, bound]))


def bind_coalesce(context: Context, arguments: list[Typed]) -> Typed:
    unified = unify(arguments, "COALESCE", context.env)
    return _joined(unified, call("coalesce", *(item.sql for item in unified)), marks_of(arguments))


def bind_extreme(context: Context, name: str, arguments: list[Typed]) -> Typed:
    """GREATEST and LEAST leave NULLs out in both systems."""
    unified = unify(arguments, name.upper(), context.env)
    return _joined(unified, call(name, *(item.sql for item in unified)), marks_of(arguments))


def bind_nullif(context: Context, arguments: list[Typed]) -> Typed:
    """The first argument, as the type that = compares it as."""
    left, right = arguments
    found = resolve("=", [left, right])
    from mere.sql.expressions.predicates import _copied

    test = compare(context, "=", [_copied(left), right], found)
    if left.type.oid != found.arguments[0]:
        from mere.sql.coercion import coerce
        from mere.sql.expressions.typed import Coercion

        left = coerce(left, PgType(found.arguments[0]), Coercion.IMPLICIT, context.env)
    sql = exp.Case(ifs=[exp.If(this=test.sql, true=exp.Null())], default=left.sql)
    return Typed(sql, left.type, left.marks | right.marks, left.decimal, left.display, left.minimum_scale)
