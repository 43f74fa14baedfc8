"""Values as JSON text, as to_json() and the json aggregates write them. Coordinator process."""

from __future__ import annotations

import json

from sqlglot import exp

from mere.sql.coercion import as_text
from mere.sql.expressions.build import call, cast
from mere.sql.expressions.context import Context
from mere.sql.expressions.typed import Typed
from mere.sql.types import (
    BOOL,
    FLOAT4,
    FLOAT8,
    JSON,
    JSONB,
    NUMBERS,
    STRINGS,
    TIMESTAMP,
    TIMESTAMPTZ,
    PgType,
    element_of,
)

NULL_KEY = "22004:null value not allowed for object key"


def to_json_text(context: Context, value: Typed) -> exp.Expression:
    """VARCHAR with the JSON of a value; NULL for NULL."""
    oid = value.type.oid
    if value.fields:
        return _row(context, value)
    if element_of(oid):
        return _array(context, value)
    if value.is_unknown or oid in STRINGS:
        return cast(call("to_json", as_text(value, context.env).sql), "VARCHAR")
    if oid == BOOL:
        return cast(value.sql, "VARCHAR")
    if oid == JSON:
        return cast(value.sql, "VARCHAR")
    text = as_text(value, context.env).sql
    if oid in NUMBERS:
        return call("mere_json_number_text", text)
    if oid == JSONB:
        return text
    if oid in (TIMESTAMP, TIMESTAMPTZ):
        full = oid == TIMESTAMPTZ
        return call("mere_json_timestamptz" if full else "mere_json_timestamp", text)
    return cast(call("to_json", text), "VARCHAR")


def to_jsonb_text(context: Context, value: Typed) -> exp.Expression:
    """The same as jsonb keeps it: what has keys of its own has them in jsonb's order."""
    text = to_json_text(context, value)
    if value.type.oid in (FLOAT4, FLOAT8):
        return call("mere_jsonb_number", text)
    kept = value.fields or value.type.oid == JSON or element_of(value.type.oid) == JSON
    return cast(call("mere_to_jsonb", text), "VARCHAR") if kept else text


def _array(context: Context, value: Typed) -> exp.Expression:
    element = Typed(exp.column("e"), PgType(element_of(value.type.oid), value.type.typmod), value.marks, value.decimal)
    body = call("coalesce", to_json_text(context, element), exp.Literal.string("null"))
    return call(
        "mere_json_list", call("list_transform", value.sql, exp.Lambda(this=body, expressions=[exp.to_identifier("e")]))
    )


def _row(context: Context, value: Typed) -> exp.Expression:
    parts: list[exp.Expression] = []
    for index, member in enumerate(value.fields):
        key = json.dumps(member.label or f"f{index + 1}", ensure_ascii=False) + ":"
        text = call("coalesce", to_json_text(context, member), exp.Literal.string("null"))
        parts.append(call("concat", exp.Literal.string(("," if index else "") + key), text))
    return call("concat", exp.Literal.string("{"), *parts, exp.Literal.string("}"))
