"""COPY's options, with PostgreSQL's errors."""

from __future__ import annotations

from typing import Any

import pytest

from mere.errors import MereError
from mere.segment.copy_format import CopyFormat, chosen, parse_copy_options


def parse(*options: tuple[str, Any], is_from: bool = True, remote: bool = False) -> CopyFormat:
    return parse_copy_options(options, is_from=is_from, remote=remote)


def test_defaults() -> None:
    assert parse() == CopyFormat()
    csv = parse(("format", "csv"))
    assert (csv.delimiter, csv.null, csv.quote, csv.escape, csv.header) == (",", "", '"', '"', "no")
    assert parse(("format", "csv"), ("quote", "'")).escape == "'"


def test_header_and_encoding() -> None:
    assert parse(("header", True)).header == "yes"
    assert parse(("header", "off")).header == "no"
    assert parse(("header", "match")).header == "match"
    assert parse(("encoding", "WIN1252")).encoding == "cp1252"
    assert parse(("encoding", "LATIN1")).encoding == "iso8859-1"
    assert parse(("encoding", "UTF8")).encoding == "utf-8"


@pytest.mark.parametrize(
    ("options", "sqlstate"),
    [
        ([("format", "xml")], "22023"),
        ([("format", "parquet")], "22023"),
        ([("format", "binary"), ("delimiter", ",")], "42601"),
        ([("nonsense", True)], "42601"),
        ([("null", "a"), ("null", "b")], "42601"),
        ([("delimiter", "||")], "0A000"),
        ([("delimiter", "a")], "22023"),
        ([("delimiter", "\n")], "22023"),
        ([("null", "a\tb")], "22023"),
        ([("quote", '"')], "0A000"),
        ([("format", "csv"), ("quote", ",")], "22023"),
        ([("format", "csv"), ("null", 'a"')], "22023"),
        ([("header", "maybe")], "42601"),
        ([("encoding", "klingon")], "22023"),
        ([("reject_limit", "3")], "22023"),
        ([("on_error", "shrug")], "22023"),
        ([("format", "csv"), ("force_quote", ("a",))], "0A000"),
    ],
)
def test_refused(options: list[tuple[str, Any]], sqlstate: str) -> None:
    with pytest.raises(MereError) as error:
        parse(*options)
    assert error.value.sqlstate == sqlstate


def test_only_from_or_only_to() -> None:
    for name, value in (("force_null", ("a",)), ("on_error", "ignore")):
        with pytest.raises(MereError):
            parse(("format", "csv"), (name, value), is_from=False)
    with pytest.raises(MereError):
        parse(("header", "match"), is_from=False)


def test_chosen_columns() -> None:
    assert chosen(frozenset({"b"}), ["a", "b"], "FORCE_NULL") == {1}
    assert chosen(frozenset({"*"}), ["a", "b"], "FORCE_NULL") == {0, 1}
    with pytest.raises(MereError) as error:
        chosen(frozenset({"c"}), ["a", "b"], "FORCE_NULL")
    assert error.value.sqlstate == "42P10"
