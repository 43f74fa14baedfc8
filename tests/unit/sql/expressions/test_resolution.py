"""Overloads by PostgreSQL's rules, on cases of the manual's chapter 10 and its regression tests."""

from __future__ import annotations

import pytest

from mere.sql.functions.resolution import AmbiguousName, resolve_function, resolve_operator
from mere.sql.types import BY_NAME, UNKNOWN, array_of


def oid(name: str) -> int:
    return array_of(BY_NAME[name[1:]]) if name.startswith("_") else BY_NAME.get(name, UNKNOWN)


@pytest.mark.parametrize(
    ("name", "arguments", "signature", "result"),
    [
        ("round", ("int4",), "round(float8)", "float8"),
        ("round", ("numeric", "int4"), "round(numeric,int4)", "numeric"),
        ("sum", ("int4",), "sum(int4)", "int8"),
        ("sum", ("int8",), "sum(int8)", "numeric"),
        ("avg", ("float4",), "avg(float4)", "float8"),
        ("abs", ("unknown",), "abs(float8)", "float8"),
        ("substr", ("unknown", "int4"), "substr(text,int4)", "text"),
        ("length", ("bpchar",), "length(bpchar)", "int4"),
        ("date_trunc", ("unknown", "date"), "date_trunc(text,timestamptz)", "timestamptz"),
        ("array_append", ("_int4", "int8"), "array_append(anycompatiblearray,anycompatible)", "_int8"),
        ("unnest", ("_text",), "unnest(anyarray)", "text"),
        ("lag", ("int4", "int4", "unknown"), "lag(anycompatible,int4,anycompatible)", "int4"),
        ("max", ("varchar",), "max(text)", "text"),
        ("mod", ("int2", "int4"), "mod(int4,int4)", "int4"),
        ("concat", ("int4", "text", "date"), "concat(any)", "text"),
    ],
)
def test_functions(name: str, arguments: tuple[str, ...], signature: str, result: str) -> None:
    found = resolve_function(name, tuple(oid(argument) for argument in arguments))
    assert found is not None
    assert (str(found.signature), found.result) == (signature, oid(result))


@pytest.mark.parametrize(
    ("name", "arguments", "signature", "result"),
    [
        ("+", ("date", "int4"), "+(date,int4)", "date"),
        ("-", ("date", "unknown"), "-(date,date)", "int4"),
        ("-", ("timestamp", "timestamptz"), "-(timestamptz,timestamptz)", "interval"),
        ("=", ("bpchar", "unknown"), "=(bpchar,bpchar)", "bool"),
        ("=", ("text", "bpchar"), "=(text,text)", "bool"),
        ("=", ("int4", "numeric"), "=(numeric,numeric)", "bool"),
        ("||", ("unknown", "unknown"), "||(text,text)", "text"),
        ("||", ("text", "int4"), "||(text,anynonarray)", "text"),
        ("||", ("_int4", "unknown"), "||(anycompatiblearray,anycompatiblearray)", "_int4"),
        ("->", ("jsonb", "unknown"), "->(jsonb,text)", "jsonb"),
        ("/", ("float4", "int4"), "/(float4,float8)", "float8"),
        ("<", ("date", "timestamp"), "<(date,timestamp)", "bool"),
    ],
)
def test_operators(name: str, arguments: tuple[str, ...], signature: str, result: str) -> None:
    found = resolve_operator(name, tuple(oid(argument) for argument in arguments))
    assert found is not None
    assert (str(found.signature), found.result) == (signature, oid(result))


@pytest.mark.parametrize(
    ("name", "arguments"), [("+", ("date", "text")), ("*", ("text", "text")), ("+", ("bool", "int4"))]
)
def test_no_operator(name: str, arguments: tuple[str, ...]) -> None:
    assert resolve_operator(name, tuple(oid(argument) for argument in arguments)) is None


def test_ambiguity() -> None:
    with pytest.raises(AmbiguousName):
        resolve_operator("-", (UNKNOWN,))
