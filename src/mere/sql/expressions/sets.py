"""Functions that return sets, in FROM and in a select list. Coordinator process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.coercion import coerce
from mere.sql.expressions.build import call, cast, number, string
from mere.sql.expressions.calls import coerced, find
from mere.sql.expressions.context import Context, marks_of
from mere.sql.expressions.typed import COLUMN, PLACEHOLDER, SET, Coercion, SetColumn, SetFunction, Typed
from mere.sql.expressions.zones import zone
from mere.sql.functions.named import positional
from mere.sql.functions.patterns import pattern_sql, translate
from mere.sql.functions.text_functions import group_count
from mere.sql.grammar.nodes import Call
from mere.sql.types import (
    INT4,
    INT8,
    JSON,
    JSONB,
    NUMERIC,
    TEXT,
    TIMESTAMP,
    TIMESTAMPTZ,
    PgType,
    array_of,
    element_of,
)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows as a list, one Typed a column (type and carrier), and a table function giving the same."""

    list: exp.Expression
    columns: tuple[tuple[str, Typed], ...]
    struct: bool = False
    table: exp.Expression | None = None


def bind_set_in_list(context: Context, node: Call) -> Typed:
    """In a select list: DuckDB's unnest() of the rows multiplies them there as PostgreSQL does."""
    rows, marks = _rows(context, node)
    if rows.struct:
        raise FeatureNotSupported(f"{node.name}() in a select list is not supported; call it in FROM")
    column = rows.columns[0][1]
    return Typed(call("unnest", rows.list), column.type, marks | SET, column.decimal, column.display)


def bind_set(context: Context, node: exp.Expression) -> SetFunction:
    assert isinstance(node, Call)
    rows, marks = _rows(context, node)
    columns = tuple(SetColumn(name, typed) for name, typed in rows.columns)
    table = rows.table if not marks & ~PLACEHOLDER else None
    return SetFunction(rows.list, columns, rows.struct, table, marks)


def _rows(context: Context, node: Call) -> tuple[Rows, int]:
    maker = _MAKERS.get(node.name)
    if maker is None or node.args.get("schema") not in (None, "", "pg_catalog"):
        raise FeatureNotSupported(f"function {node.name}() in FROM is not supported over lake data")
    arguments = context.bind_all(positional(node.name, node.expressions))
    return maker(context, node, arguments), marks_of(arguments)


def _typed(oid: int, typmod: int = -1, like: Typed | None = None) -> Typed:
    decimal = like.decimal if like is not None else None
    return Typed(exp.column("mere_element"), PgType(oid, typmod), COLUMN, decimal)


def _series(context: Context, node: Call, arguments: list[Typed]) -> Rows:
    resolved = find(context, node.name, arguments)
    bound = coerced(context, arguments, resolved)
    oid = resolved.result
    sqls = [argument.sql for argument in bound[:3]]
    if oid == NUMERIC:
        return _numeric_series(context, bound)
    if oid in (INT4, INT8):
        kind = "INTEGER" if oid == INT4 else "BIGINT"
        rows = cast(call("mere_series", *sqls) if len(sqls) > 2 else call("generate_series", *sqls), f"{kind}[]")
        wide = [cast(sql.copy(), "BIGINT") for sql in sqls]
        table = None if len(sqls) > 2 else call("generate_series", *wide)
        return Rows(rows, (("generate_series", _typed(oid)),), table=None if oid == INT4 else table)
    if oid == TIMESTAMP:
        return Rows(call("mere_series", *sqls), (("generate_series", _typed(oid)),))
    if oid == TIMESTAMPTZ:
        where = zone(context.env.time_zone)
        local = [call("timezone", where.copy(), sqls[0]), call("timezone", where.copy(), sqls[1]), sqls[2]]
        item = call("timezone", where, exp.column("e"))
        body = exp.Lambda(this=item, expressions=[exp.to_identifier("e")])
        return Rows(call("list_transform", call("mere_series", *local), body), (("generate_series", _typed(oid)),))
    raise FeatureNotSupported("generate_series of this type is not supported")


def _numeric_series(context: Context, bound: list[Typed]) -> Rows:
    """Steps counted in units of the smallest decimal place."""
    scale = max((item.decimal[1] if item.decimal else 0) for item in bound)
    from mere.sql.expressions.operators import scaled

    units = [cast(scaled(item, scale), "BIGINT") for item in bound]
    if len(units) == 2:
        units.append(number(10**scale))
    value = exp.Mul(
        this=cast(exp.column("e"), "DECIMAL(18,0)"),
        expression=cast(string(f"1e-{scale}"), f"DECIMAL({scale + 1},{scale})"),
    )
    body = exp.Lambda(this=cast(value, f"DECIMAL(38,{scale})"), expressions=[exp.to_identifier("e")])
    rows = call("list_transform", call("mere_series", *units), body)
    typed = Typed(exp.column("mere_element"), PgType(NUMERIC), COLUMN, (38, scale))
    return Rows(rows, (("generate_series", typed),))


def _subscripts(context: Context, node: Call, arguments: list[Typed]) -> Rows:
    array = arguments[0]
    rows = cast(call("range", number(1), exp.Add(this=call("len", array.sql), expression=number(1))), "INTEGER[]")
    return Rows(rows, (("generate_subscripts", _typed(INT4)),))


def _unnest(context: Context, node: Call, arguments: list[Typed]) -> Rows:
    for index, argument in enumerate(arguments):
        if argument.is_unknown:
            arguments[index] = coerce(argument, PgType(array_of(TEXT)), Coercion.IMPLICIT, context.env)
        elif not element_of(argument.type.oid):
            find(context, "unnest", [argument])
    columns = tuple(
        ("unnest", _typed(element_of(argument.type.oid), argument.type.typmod, argument)) for argument in arguments
    )
    if len(arguments) == 1:
        return Rows(arguments[0].sql, columns)
    zipped = call("list_zip", *(argument.sql for argument in arguments))
    fields = [
        exp.PropertyEQ(
            this=exp.to_identifier(f"c{i + 1}"), expression=call("struct_extract", exp.column("e"), number(i + 1))
        )
        for i in range(len(arguments))
    ]
    body = exp.Lambda(this=exp.Struct(expressions=fields), expressions=[exp.to_identifier("e")])
    return Rows(call("list_transform", zipped, body), columns, struct=True)


def _regexp_matches(context: Context, node: Call, arguments: list[Typed]) -> Rows:
    bound = coerced(context, arguments, find(context, node.name, arguments))
    pattern, flags = bound[1].value, bound[2].value if len(bound) > 2 else ""
    if not isinstance(pattern, str) or not isinstance(flags, str):
        raise FeatureNotSupported("regexp_matches with a pattern that is no constant is not supported")
    translated = translate(pattern, flags)
    groups = group_count(translated)
    lists = [
        call("regexp_extract_all", bound[0].sql.copy(), string(translated), number(group))
        for group in (range(1, groups + 1) if groups else (0,))
    ]
    rows = call("mere_zip_texts", exp.Array(expressions=lists))
    if "g" not in flags:
        rows = call("list_slice", rows, number(1), number(1))
    return Rows(rows, (("regexp_matches", _typed(array_of(TEXT))),))


def _split(name: str) -> Callable[[Context, Call, list[Typed]], Rows]:
    def build(context: Context, node: Call, arguments: list[Typed]) -> Rows:
        bound = coerced(context, arguments, find(context, node.name, arguments))
        if name == "mere_regex_split":
            flags = bound[2].value if len(bound) > 2 else ""
            rows = call(name, bound[0].sql, pattern_sql(bound[1], str(flags)))
        else:
            rows = call(name if len(bound) == 2 else f"{name}_null", *(item.sql for item in bound))
        return Rows(rows, ((node.name, _typed(TEXT)),))

    return build


def _json_rows(
    macro: str, columns: tuple[tuple[str, int], ...], oid: int
) -> Callable[[Context, Call, list[Typed]], Rows]:
    def build(context: Context, node: Call, arguments: list[Typed]) -> Rows:
        value = coerce(arguments[0], PgType(oid), Coercion.IMPLICIT, context.env)
        typed = tuple((name, _typed(column_oid)) for name, column_oid in columns)
        return Rows(call(macro, value.sql), typed, struct=len(columns) > 1)

    return build


def _path_rows(context: Context, node: Call, arguments: list[Typed]) -> Rows:
    bound = coerced(context, arguments, find(context, node.name, arguments))
    return Rows(call("mere_jsonpath_rows", *(item.sql for item in bound)), (("jsonb_path_query", _typed(JSONB)),))


_Maker = Callable[[Context, Call, list[Typed]], Rows]
_MAKERS: dict[str, _Maker] = {
    "generate_series": _series,
    "generate_subscripts": _subscripts,
    "unnest": _unnest,
    "regexp_matches": _regexp_matches,
    "regexp_split_to_table": _split("mere_regex_split"),
    "string_to_table": _split("mere_string_to_array"),
    "json_array_elements": _json_rows("mere_json_array_rows", (("value", JSON),), JSON),
    "jsonb_array_elements": _json_rows("mere_jsonb_array_rows", (("value", JSONB),), JSONB),
    "json_array_elements_text": _json_rows("mere_json_array_texts", (("value", TEXT),), JSON),
    "jsonb_array_elements_text": _json_rows("mere_jsonb_array_texts", (("value", TEXT),), JSONB),
    "json_object_keys": _json_rows("mere_json_keys", (("json_object_keys", TEXT),), JSON),
    "jsonb_object_keys": _json_rows("mere_json_keys", (("jsonb_object_keys", TEXT),), JSONB),
    "jsonb_path_query": _path_rows,
    "json_each": _json_rows("mere_json_entries", (("key", TEXT), ("value", JSON)), JSON),
    "jsonb_each": _json_rows("mere_jsonb_entries", (("key", TEXT), ("value", JSONB)), JSONB),
    "json_each_text": _json_rows("mere_json_text_entries", (("key", TEXT), ("value", TEXT)), JSON),
    "jsonb_each_text": _json_rows("mere_jsonb_text_entries", (("key", TEXT), ("value", TEXT)), JSONB),
}
