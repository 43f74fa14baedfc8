"""The splitter against the cases that scan.l and psql's own splitter were made for."""

from __future__ import annotations

import time

import pytest

from mere.sql.lexer import fold, split, tokens


def texts(query: str) -> list[str]:
    return [statement.text for statement in split(query)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select 1; select 'a;b' ; ;", ["select 1", "select 'a;b'"]),
        ("", []),
        (" ; -- nothing\n /* ; */ ;", []),
        ("select $$a;b$$, $x$ ; $$ ; $x$;x", ["select $$a;b$$, $x$ ; $$ ; $x$", "x"]),
        (r"select E'a\';b'; select 1", [r"select E'a\';b'", "select 1"]),
        ("select E'a'\n'\\';' ; b", ["select E'a'\n'\\';'", "b"]),
        ("select 'a\\'; select 'b'", ["select 'a\\'", "select 'b'"]),
        ("select 'it''s; ok'; x", ["select 'it''s; ok'", "x"]),
        ("/* a /* ; */ ; */ select 1 -- ;\n; x", ["select 1", "x"]),
        ('select "a;""b;" ; x', ['select "a;""b;"', "x"]),
        ("a$$b;c$$d", ["a$$b", "c$$d"]),
        ("select 1--2;\n+3; x", ["select 1--2;\n+3", "x"]),
        ("select 4/*;*/*2; x", ["select 4/*;*/*2", "x"]),
        ("create rule r as on insert to t do (select 1; select 2); x", None),
        (
            "create function f() returns int begin atomic select 1; select case when true then 1 end; end; x",
            ["create function f() returns int begin atomic select 1; select case when true then 1 end; end", "x"],
        ),
        ("begin; select 1; end", ["begin", "select 1", "end"]),
        ("select 'never closed ; x", ["select 'never closed ; x"]),
        ("insert into t values (1,'a;',null),(2,'b'':', -1.5e-3),(3, f(), 1); x", None),
    ],
)
def test_split(query: str, expected: list[str] | None) -> None:
    if expected is None:
        expected = [query[: query.rindex(";")], "x"]
    assert texts(query) == expected
    for statement in split(query):
        assert query[statement.start : statement.start + len(statement.text)] == statement.text


def test_words_are_folded_and_quoted_names_kept() -> None:
    (statement,) = split("SELECT \"Ab\", $2, $11 FROM Öffnung.T1 JOIN U&\"d\\0061t\" ON 'word' = 'x' /* no */")
    assert {"Ab", "Öffnung", "t1", "dat", "select"} <= statement.words
    assert not {"word", "no"} & statement.words
    assert statement.parameters == 11
    assert statement.keywords == ("select",)


def test_keywords_look_into_parentheses_and_stop_at_the_first_other_token() -> None:
    assert split("((select a from t))")[0].keywords == ("select", "a", "from", "t")
    assert split("create or replace view v as select 1")[0].keywords[:4] == ("create", "or", "replace", "view")


def test_identifiers_fold_ascii_only_and_are_cut_at_63_bytes() -> None:
    assert fold("ÄB") == "Äb"
    assert fold("ä" * 40) == "ä" * 31


def test_tokens_have_depth_and_values() -> None:
    found = [(token.kind, token.value, token.depth) for token in tokens("copy t(a) to 'x''y' -- z")]
    assert found == [
        ("word", "copy", 0),
        ("word", "t", 0),
        ("punctuation", "(", 0),
        ("word", "a", 1),
        ("punctuation", ")", 0),
        ("word", "to", 0),
        ("string", "x'y", 0),
    ]


def test_bulk_insert_is_split_quickly() -> None:
    query = "insert into t values " + ",".join(f"({i},'row {i}', 2.5, null)" for i in range(100_000)) + "; select 1"
    started = time.perf_counter()
    statements = split(query)
    assert time.perf_counter() - started < 1
    assert [statement.keywords[0] for statement in statements] == ["insert", "select"]
