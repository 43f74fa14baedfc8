"""Short hands for DuckDB syntax trees. Coordinator process."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from mere.sql.types import PgType, duckdb_type


def call(name: str, *arguments: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this=name, expressions=list(arguments))


def cast(node: exp.Expression, duckdb: str) -> exp.Expression:
    return exp.Cast(this=node, to=exp.DataType(this=exp.DType.USERDEFINED, kind=duckdb))


def cast_to(node: exp.Expression, pg_type: PgType) -> exp.Expression:
    return cast(node, duckdb_type(pg_type))


def string(text: str) -> exp.Expression:
    return exp.Literal(this=text, is_string=True)


def number(value: int | str) -> exp.Expression:
    """A number as written; a negative one in parentheses so that it stands after any operator."""
    text = str(value)
    literal = exp.Literal(this=text.lstrip("-"), is_string=False)
    return exp.Paren(this=exp.Neg(this=literal)) if text.startswith("-") else literal


def null(duckdb: str) -> exp.Expression:
    return cast(exp.Null(), duckdb)


def case(condition: exp.Expression, then: exp.Expression, otherwise: exp.Expression | None) -> exp.Expression:
    return exp.Case(ifs=[exp.If(this=condition, true=then)], default=otherwise)


def paren(node: exp.Expression) -> exp.Expression:
    """In parentheses where an operator around it could take it apart."""
    if isinstance(node, exp.Binary | exp.Unary | exp.Between | exp.In | exp.Case) and not isinstance(node, exp.Paren):
        if isinstance(node, exp.Dot):
            return node
        return exp.Paren(this=node)
    return node


def binary(kind: type[exp.Binary], left: exp.Expression, right: exp.Expression) -> exp.Expression:
    node: Any = kind(this=paren(left), expression=paren(right))
    return cast_node(node)


def cast_node(node: Any) -> exp.Expression:
    """sqlglot types its operators as a trait beside Expression; every one is both."""
    assert isinstance(node, exp.Expression)
    return node


def conjunction(parts: list[exp.Expression], kind: type[exp.Binary] = exp.And) -> exp.Expression:
    whole = parts[0]
    for part in parts[1:]:
        whole = binary(kind, whole, part)
    return whole


def is_null(node: exp.Expression) -> exp.Expression:
    return exp.Is(this=paren(node), expression=exp.Null())


def error(sqlstate: str, message: exp.Expression | str) -> exp.Expression:
    """DuckDB's error(): the engine turns 'SQLSTATE:message' into an error of that state."""
    if isinstance(message, str):
        return call("error", string(f"{sqlstate}:{message}"))
    return call("error", call("concat", string(f"{sqlstate}:"), message))
