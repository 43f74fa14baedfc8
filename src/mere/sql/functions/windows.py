"""Window functions in DuckDB. Coordinator process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mere.sql.expressions.build import cast, number
from mere.sql.expressions.typed import Typed
from mere.sql.expressions.unify import unify
from mere.sql.types import INT4, NUMERIC, PgType

if TYPE_CHECKING:
    from mere.sql.expressions.aggregates import Aggregate

WindowBuilder = Callable[["Aggregate"], Typed]


def _plain(name: str) -> WindowBuilder:
    def build(call: Aggregate) -> Typed:
        return call.result(call.make(name, *(argument.sql for argument in call.arguments)))

    return build


def _ntile(call: Aggregate) -> Typed:
    return call.result(cast(call.make("ntile", call.arguments[0].sql), "INTEGER"), PgType(INT4))


def _value(name: str) -> WindowBuilder:
    """first_value, last_value, nth_value: the type of the argument, with its modifier and carrier."""

    def build(call: Aggregate) -> Typed:
        first = call.arguments[0]
        sql = call.make(name, *(argument.sql for argument in call.arguments))
        return Typed(sql, first.type, call.marks, first.decimal, first.display, first.minimum_scale)

    return build


def _shift(name: str) -> WindowBuilder:
    """lag and lead: value, offset, default; value and default take one type."""

    def build(call: Aggregate) -> Typed:
        value = call.arguments[0]
        parts = [value.sql]
        if len(call.arguments) > 1:
            parts.append(call.arguments[1].sql)
        if len(call.arguments) > 2:
            value, default = unify([value, call.arguments[2]], name, call.context.env)
            parts = [value.sql, parts[1], default.sql]
        elif value.type.oid == NUMERIC and len(parts) == 1:
            parts.append(number(1))
        sql = call.make(name, *parts)
        return Typed(sql, value.type, call.marks, value.decimal, value.display, value.minimum_scale)

    return build


WINDOWS: dict[str, WindowBuilder] = {
    "row_number": _plain("row_number"),
    "rank": _plain("rank"),
    "dense_rank": _plain("dense_rank"),
    "percent_rank": _plain("percent_rank"),
    "cume_dist": _plain("cume_dist"),
    "ntile": _ntile,
    "lag": _shift("lag"),
    "lead": _shift("lead"),
    "first_value": _value("first_value"),
    "last_value": _value("last_value"),
    "nth_value": _value("nth_value"),
}
