"""json and jsonb functions. Coordinator process."""

from __future__ import annotations

from sqlglot import exp

from mere.errors import DataError
from mere.sql.coercion import as_text
from mere.sql.expressions.build import call, cast, string
from mere.sql.expressions.typed import Typed
from mere.sql.functions.json_values import to_json_text
from mere.sql.functions.registry import BoundCall, same, scalar

same(
    """
    json_typeof mere_json_typeof; jsonb_typeof mere_json_typeof
    json_array_length mere_json_array_length; jsonb_array_length mere_json_array_length
    jsonb_exists mere_jsonb_exists; jsonb_exists_any mere_jsonb_exists_any; jsonb_exists_all mere_jsonb_exists_all
    jsonb_contains mere_jsonb_contains
    json_extract_path(variadic) mere_json_get_path; jsonb_extract_path(variadic) mere_json_get_path
    """
)


def _path(bound: BoundCall) -> exp.Expression:
    keys = exp.Array(expressions=[argument.sql for argument in bound.arguments[1:]])
    return cast(keys, "VARCHAR[]")


@scalar("json_extract_path", "jsonb_extract_path")
def _extract_path(bound: BoundCall) -> exp.Expression:
    return call("mere_json_get_path", bound.sql(0), _path(bound))


@scalar("json_extract_path_text", "jsonb_extract_path_text")
def _extract_path_text(bound: BoundCall) -> exp.Expression:
    name = "mere_json_text_path" if bound.node.name.startswith("json_") else "mere_jsonb_text_path"
    return call(name, bound.sql(0), _path(bound))


def _as_json(text: exp.Expression) -> exp.Expression:
    return cast(text, "JSON")


@scalar("to_json", "to_jsonb", "array_to_json(anyarray)", "row_to_json(record)")
def _to_json(bound: BoundCall) -> exp.Expression:
    return _as_json(to_json_text(bound.context, bound.arguments[0]))


@scalar("json_build_array", "jsonb_build_array")
def _build_array(bound: BoundCall) -> exp.Expression:
    parts: list[exp.Expression] = [string("[")]
    for index, argument in enumerate(bound.arguments):
        text = call("coalesce", to_json_text(bound.context, argument), string("null"))
        parts.extend([string(", "), text] if index else [text])
    return _as_json(call("concat", *parts, string("]")))


def _by_key(arguments: list[Typed]) -> list[Typed]:
    """jsonb keeps keys by length, then bytes, the last of equal ones; known when the keys are constants."""
    pairs = list(zip(arguments[::2], arguments[1::2], strict=True))
    keys = [str(key.value) for key, _ in pairs if key.value is not None]
    if len(keys) != len(pairs):
        return arguments
    unique = dict(zip(keys, pairs, strict=True))
    ordered = sorted(unique, key=lambda key: (len(key.encode()), key.encode()))
    return [part for key in ordered for part in unique[key]]


@scalar("json_build_object", "jsonb_build_object")
def _build_object(bound: BoundCall) -> exp.Expression:
    arguments = bound.arguments
    if len(arguments) % 2:
        raise DataError("argument list must have even number of elements", sqlstate="22023")
    plain = bound.node.name.startswith("json_")
    if not plain:
        arguments = _by_key(arguments)
    parts: list[exp.Expression] = [string("{")]
    for index in range(0, len(arguments), 2):
        key = cast(call("to_json", as_text(arguments[index], bound.context.env).sql), "VARCHAR")
        value = call("coalesce", to_json_text(bound.context, arguments[index + 1]), string("null"))
        opening = [string(", "), key] if index else [key]
        parts.extend([*opening, string(" : " if plain else ": "), value])
    return _as_json(call("concat", *parts, string("}")))
