"""One type for several expressions: UNION, CASE, VALUES, ARRAY, COALESCE, IN (manual, 10.5). Coordinator process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from mere.errors import DatatypeMismatch, SqlSyntaxError
from mere.sql.coercion import coerce
from mere.sql.expressions.build import cast, cast_to
from mere.sql.expressions.numeric import as_decimal, common_carrier, decimal_of
from mere.sql.expressions.typed import FIXED, TRIMMED, Coercion, Environment, Typed
from mere.sql.functions.resolution import common_type_oid
from mere.sql.types import BPCHAR, INT4, INT8, INTEGERS, NUMERIC, VARCHAR, PgType, element_of, type_name


def common_type(items: Sequence[Typed], context: str) -> PgType:
    """select_common_type(): raises DatatypeMismatch '<context> types x and y cannot be matched'."""
    oid = common_type_oid([item.type.oid for item in items])
    if not oid:
        known = [item.type.oid for item in items if not item.is_unknown]
        other = next(oid for oid in known if not common_type_oid([known[0], oid]))
        raise DatatypeMismatch(f"{context} types {type_name(known[0])} and {type_name(other)} cannot be matched")
    return PgType(oid, _common_modifier(items, oid))


def _common_modifier(items: Sequence[Typed], oid: int) -> int:
    """select_common_typmod(): the modifier that all share, else none. NULL and untyped strings have none."""
    modifiers = {item.type.typmod if item.type.oid == oid else -1 for item in items}
    return modifiers.pop() if len(modifiers) == 1 else -1


def unify(items: Sequence[Typed], context: str, env: Environment) -> tuple[Typed, ...]:
    """All items coerced to their common type, and to one DuckDB type (one DECIMAL(p,s) for numerics)."""
    target = common_type(items, context)
    coerced = [_to(item, target, env) for item in items]
    if target.oid == NUMERIC or element_of(target.oid) == NUMERIC:
        return _one_decimal(coerced, target)
    if target.oid in INTEGERS:
        return tuple(_sized(item) for item in coerced)
    return tuple(coerced)


def _to(item: Typed, target: PgType, env: Environment) -> Typed:
    if item.type.oid == target.oid and target.typmod < 0:
        return (
            replace(item, type=PgType(target.oid)) if target.oid not in (VARCHAR, BPCHAR) else _unbounded(item, target)
        )
    return (
        coerce(item, PgType(target.oid), Coercion.IMPLICIT, env)
        if target.typmod < 0
        else coerce(item, target, Coercion.IMPLICIT, env)
    )


def _unbounded(item: Typed, target: PgType) -> Typed:
    return replace(item, type=PgType(target.oid))


def _sized(item: Typed) -> Typed:
    """A bare number would take the type of its neighbour; INTEGER among bare numbers is DuckDB's own choice."""
    if item.bare and item.type.oid not in (INT4, INT8):
        return replace(item, sql=cast_to(item.sql, item.type), bare=False)
    return item


def _one_decimal(items: list[Typed], target: PgType) -> tuple[Typed, ...]:
    if element_of(target.oid):
        return tuple(items)
    if any(item.decimal is None and not item.is_null for item in items):
        return tuple(
            replace(item, sql=cast(item.sql, "DOUBLE"), decimal=None, type=PgType(NUMERIC), value=None, bare=False)
            for item in items
        )
    carriers = [carrier for item in items if not item.is_null and (carrier := decimal_of(item)) is not None]
    if not carriers:
        return tuple(items)
    common = common_carrier(carriers)
    display = max((item.display for item in items), default=0)
    if not display and len({carrier[1] for carrier in carriers}) > 1 and all(_is_short(item) for item in items):
        display = TRIMMED
    unified = []
    for item in items:
        sql = item.sql if item.is_null else as_decimal(item, common)
        unified.append(
            replace(item, sql=sql, decimal=common, display=display, type=target, bare=False, minimum_scale=0)
        )
    return tuple(unified)


def _is_short(item: Typed) -> bool:
    """A whole number, a literal without trailing zeros, NULL: cutting zeros off gives back what PostgreSQL shows."""
    if item.is_null or item.type.oid in INTEGERS or (item.display == FIXED and item.decimal and not item.decimal[1]):
        return True
    return isinstance(item.value, int | Decimal) and str(item.value) == str(Decimal(item.value).normalize())


def unify_columns(branches: Sequence[Sequence[Typed]], context: str, env: Environment) -> tuple[tuple[Typed, ...], ...]:
    """`unify` down each column of the branches of a set operation or the rows of VALUES, in the branches' shape."""
    widths = {len(branch) for branch in branches}
    if len(widths) > 1:
        if context == "VALUES":
            raise SqlSyntaxError("VALUES lists must all be the same length")
        raise SqlSyntaxError(f"each {context} query must have the same number of columns")
    columns = [unify([branch[index] for branch in branches], context, env) for index in range(widths.pop())]
    return tuple(tuple(column[row] for column in columns) for row in range(len(branches)))


__all__ = ["common_type", "unify", "unify_columns"]
