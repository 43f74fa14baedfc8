"""Tokens and precedence are PostgreSQL's: text in, PostgreSQL text with every grouping spelled out."""

from __future__ import annotations

import pytest
from sqlglot import exp

from mere.errors import SqlSyntaxError
from mere.sql.dialect import Mere
from mere.sql.grammar.nodes import Call, PgOperator
from mere.sql.grammar.scanner import OPERATOR, scan


def expression(text: str) -> exp.Expression:
    tree = Mere().parse(f"SELECT {text}")[0]
    assert isinstance(tree, exp.Select)
    found = tree.expressions[0]
    assert isinstance(found, exp.Expression)
    return found


def shape(node: object) -> object:
    """A tree as nested tuples of operators."""
    if isinstance(node, PgOperator):
        return (node.args["operator"], shape(node.args.get("this")), shape(node.args["expression"]))
    if isinstance(node, exp.Binary):
        return (type(node).__name__, shape(node.left), shape(node.right))
    if isinstance(node, exp.Not | exp.Neg | exp.Paren):
        return (type(node).__name__, shape(node.this))
    if isinstance(node, exp.Cast):
        return ("Cast", shape(node.this), node.args["to"].args["kind"])
    if isinstance(node, Call):
        return (node.name, *(shape(argument) for argument in node.expressions))
    return node.name if isinstance(node, exp.Expression) else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", ("Add", "1", ("Mul", "2", "3"))),
        ("a - b - c", ("Sub", ("Sub", "a", "b"), "c")),
        ("2 ^ 3 ^ 2", ("Pow", ("Pow", "2", "3"), "2")),
        ("-a ^ 2", ("Pow", ("Neg", "a"), "2")),
        ("-5::int2", ("Neg", ("Cast", "5", "int2"))),
        ("a || b = c", ("EQ", ("||", "a", "b"), "c")),
        ("a || b + c", ("||", "a", ("Add", "b", "c"))),
        ("not a = b", ("Not", ("EQ", "a", "b"))),
        ("a or b and c", ("Or", "a", ("And", "b", "c"))),
        ("a = b is null", ("Is", ("EQ", "a", "b"), "NULL")),
        ("a -> 'x' ->> 'y'", ("->>", ("->", "a", "x"), "y")),
        ("a::text::int", ("Cast", ("Cast", "a", "text"), "int")),
        ("a < b + 1", ("LT", "a", ("Add", "b", "1"))),
        ("@ -5", ("@", None, "-5")),
        ("a ~ 'x' and b", ("And", ("~", "a", "x"), "b")),
        ("a at time zone 'utc' + b", ("Add", ("timezone", "utc", "a"), "b")),
        ("a operator(pg_catalog.+) b", ("+", "a", "b")),
        ("position('a' in b)", ("position", "b", "a")),
        ("substring(a from 2 for 3)", ("substring", "a", "2", "3")),
        ("trim(leading 'x' from a)", ("ltrim", "a", "x")),
        ("extract(year from a)", ("extract", "year", "a")),
        ("overlay(a placing b from 1 for 2)", ("overlay", "a", "b", "1", "2")),
        ("interval '1' year", ("Cast", "1", "interval year")),
        ("interval(3) '1 s'", ("Cast", "1 s", "interval(3)")),
        ("timestamp(2) with time zone 'x'", ("Cast", "x", "timestamp(2) with time zone")),
        ("a::double precision[]", ("Cast", "a", "double precision[]")),
    ],
)
def test_precedence(text: str, expected: object) -> None:
    assert shape(expression(text)) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"E'a\nb\x41\101\u00e9'", "a\nbAAé"),
        (r"'a\nb'", r"a\nb"),
        ("U&'d\\0061t\\+000061'", "data"),
        ("U&'d!0061t' UESCAPE '!'", "dat"),
        ("$$it's$$", "it's"),
        ("$q$a$$b$q$", "a$$b"),
        ("'it''s'", "it's"),
        ("'a'\n 'b'", "ab"),
        ("'a' -- comment\n 'b'", "ab"),
    ],
)
def test_strings(text: str, value: str) -> None:
    assert expression(text).this == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a=-1", ["a", "=", "-", "1"]),
        ("a@-1", ["a", "@-", "1"]),
        ("a<>-b", ["a", "<>", "-", "b"]),
        ("a/* x /* y */ z */b", ["a", "b"]),
        ("a--b\nc", ["a", "c"]),
        ("1_000+0x1F", ["1000", "+", "0x1F"]),
        ('"A""b" AbC', ['A"b', "abc"]),
        ("a[1:2]::int", ["a", "[", "1", ":", "2", "]", "::", "int"]),
        ("$1||$2", ["1", "||", "2"]),
        ("1..5", ["1", "..", "5"]),
    ],
)
def test_tokens(text: str, words: list[str]) -> None:
    assert [token.text for token in scan(text)] == words


def test_unknown_operators_are_one_token() -> None:
    assert scan("a <@ b")[1].token_type is OPERATOR


@pytest.mark.parametrize("text", ["'open", "/* open", "$$ open", 'U&"open', "E'open\\'"])
def test_unterminated_text_is_a_syntax_error(text: str) -> None:
    with pytest.raises(SqlSyntaxError):
        scan(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT DISTINCT a, COUNT(*) FILTER (WHERE b > 1) FROM t GROUP BY a HAVING COUNT(*) > 2 ORDER BY a LIMIT 3",
        "UPDATE t SET a = b AND c, (x, y) = (1, 2), z = DEFAULT WHERE a IN (1, 2) RETURNING *",
        "SELECT SUM(a) OVER (PARTITION BY b ORDER BY c ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t",
        "VALUES (1, 'a'), (2, NULL)",
        "SELECT * FROM generate_series(1, 3) WITH ORDINALITY AS g(a, b)",
    ],
)
def test_statements_still_parse(text: str) -> None:
    tree = Mere().parse(text)[0]
    assert tree is not None
    again = Mere().parse(tree.sql(dialect=Mere))[0]
    assert again is not None
    assert again.sql(dialect=Mere) == tree.sql(dialect=Mere)


@pytest.mark.timeout(5)
@pytest.mark.parametrize("gap", ["\n" + " " * 200, "\n" * 200, " -- -- --\n" * 100, "\t\f" * 200 + "\n"])
def test_blanks_after_a_string_are_skipped_at_once(gap: str) -> None:
    assert [token.text for token in scan(f"'a'{gap}, 1")] == ["a", ",", "1"]
    assert [token.text for token in scan(f"'a'{gap}\n'b'")] == ["ab"]
