"""Errors that a query raises by error(): their fields survive the way through DuckDB's text."""

from __future__ import annotations

import duckdb
import pytest

from mere.segment.errors import translate
from mere.sql.raised import raised_text, read_raised


def test_fields_come_back() -> None:
    text = raised_text("23514", "no: 'x'", schema="s", table="t", constraint='a "b"')
    message, fields = read_raised(text.removeprefix("23514:"))
    assert message == "no: 'x'"
    assert fields == {"schema": "s", "table": "t", "constraint": 'a "b"'}


def test_a_text_without_fields_is_its_message() -> None:
    assert read_raised("division by zero") == ("division by zero", {})


def test_through_duckdb() -> None:
    text = raised_text("23502", "null value", schema="public", table="t", column="c")
    with pytest.raises(duckdb.Error) as caught:
        duckdb.sql("SELECT error($1)", params=[text]).fetchall()
    error = translate(caught.value)
    assert (error.sqlstate, error.message, error.schema, error.table, error.column) == (
        "23502",
        "null value",
        "public",
        "t",
        "c",
    )
