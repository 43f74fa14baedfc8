"""json and jsonb functions. Coordinator process."""

from __future__ import annotations

from sqlglot import exp

from mere.errors import DataError
from mere.sql.coercion import as_text
from mere.sql.expressions.build import call, cast, string
from mere.sql.expressions.typed import Typed
from mere.sql.functions.json_values import NULL_KEY, to_json_text, to_jsonb_text
from mere.sql.functions.registry import BoundCall, same, scalar

same(
    """
    json_typeof mere_json_typeof; jsonb_typeof mere_json_typeof
    json_array_length mere_json_array_length; jsonb_array_length mere_json_array_length
    jsonb_exists mere_jsonb_exists; jsonb_exists_any mere_jsonb_exists_any; jsonb_exists_all mere_jsonb_exists_all
    jsonb_contains mere_jsonb_contains
    jsonb_set mere_jsonb_set; jsonb_insert mere_jsonb_insert; jsonb_pretty mere_jsonb_pretty
    jsonb_strip_nulls mere_jsonb_strip; jsonb_contained mere_jsonb_contained
    jsonb_path_exists mere_jsonpath_exists; jsonb_path_match mere_jsonpath_match
    jsonb_path_query_array mere_jsonpath_array; jsonb_path_query_first mere_jsonpath_first
    json_extract_path(variadic) mere_json_get_path; jsonb_extract_path(variadic) mere_jsonb_get_path
    """
)


def _path(bound: BoundCall) -> exp.Expression:
    keys = exp.Array(expressions=[argument.sql for argument in bound.arguments[1:]])
    return cast(keys, "VARCHAR[]")


@scalar("json_extract_path", "jsonb_extract_path")
def _extract_path(bound: BoundCall) -> exp.Expression:
    name = "mere_json_get_path" if bound.node.name.startswith("json_") else "mere_jsonb_get_path"
    return call(name, bound.sql(0), _path(bound))


@scalar("json_extract_path_text", "jsonb_extract_path_text")
def _extract_path_text(bound: BoundCall) -> exp.Expression:
    name = "mere_json_text_path" if bound.node.name.startswith("json_") else "mere_jsonb_text_path"
    return call(name, bound.sql(0), _path(bound))


def _as_json(text: exp.Expression) -> exp.Expression:
    return cast(text, "JSON")


@scalar("to_json", "to_jsonb", "array_to_json(anyarray)", "row_to_json(record)")
def _to_json(bound: BoundCall) -> exp.Expression:
    maker = to_jsonb_text if bound.node.name == "to_jsonb" else to_json_text
    return _as_json(maker(bound.context, bound.arguments[0]))


def _value_text(bound: BoundCall, value: Typed) -> exp.Expression:
    maker = to_jsonb_text if bound.node.name.startswith("jsonb") else to_json_text
    return maker(bound.context, value)


@scalar("json_object(_text)", "jsonb_object(_text)", "json_object(_text,_text)", "jsonb_object(_text,_text)")
def _object(bound: BoundCall) -> exp.Expression:
    pairs = "mere_json_pairs_of" if len(bound.arguments) == 1 else "mere_json_pairs"
    text = call("mere_json_object_text", call(pairs, *(argument.sql for argument in bound.arguments)))
    return call("mere_to_jsonb", text) if bound.node.name == "jsonb_object" else _as_json(text)


@scalar("json_build_array", "jsonb_build_array")
def _build_array(bound: BoundCall) -> exp.Expression:
    parts: list[exp.Expression] = [string("[")]
    for index, argument in enumerate(bound.arguments):
        text = call("coalesce", _value_text(bound, argument), string("null"))
        parts.extend([string(", "), text] if index else [text])
    return _as_json(call("concat", *parts, string("]")))


def _by_key(arguments: list[Typed]) -> list[Typed] | None:
    """jsonb keeps keys by length, then bytes, the last of equal ones; None unless the keys are constants."""
    pairs = list(zip(arguments[::2], arguments[1::2], strict=True))
    keys = [key.value for key, _ in pairs if isinstance(key.value, str)]
    if len(keys) != len(pairs):
        return None
    unique = dict(zip(keys, pairs, strict=True))
    ordered = sorted(unique, key=lambda key: (len(key.encode()), key.encode()))
    return [part for key in ordered for part in unique[key]]


def _key(bound: BoundCall, value: Typed, place: int) -> exp.Expression:
    text = as_text(value, bound.context.env).sql
    if value.value is None:
        jsonb = bound.node.name.startswith("jsonb")
        problem = f"22023:argument {place}: key must not be null" if jsonb else NULL_KEY
        text = call("mere_json_key", text, string(problem))
    return cast(call("to_json", text), "VARCHAR")


@scalar("json_build_object", "jsonb_build_object")
def _build_object(bound: BoundCall) -> exp.Expression:
    arguments = bound.arguments
    if len(arguments) % 2:
        raise DataError("argument list must have even number of elements", sqlstate="22023")
    plain = bound.node.name.startswith("json_")
    ordered = arguments if plain else _by_key(arguments)
    arguments = arguments if ordered is None else ordered
    parts: list[exp.Expression] = [string("{")]
    for index in range(0, len(arguments), 2):
        key = _key(bound, arguments[index], index + 1)
        value = call("coalesce", _value_text(bound, arguments[index + 1]), string("null"))
        opening = [string(", "), key] if index else [key]
        parts.extend([*opening, string(" : " if plain else ": "), value])
    text = call("concat", *parts, string("}"))
    return _as_json(text) if ordered is not None else call("mere_to_jsonb", text)
