"""What is worked out at bind time: intervals, dates, numbers, patterns, zones, type names, column names."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from mere.errors import DataError, FeatureNotSupported, SqlSyntaxError, UndefinedObject
from mere.sql.dialect import Mere
from mere.sql.expressions.intervals import Interval, add_interval, parse_date, parse_interval, parse_timestamp
from mere.sql.expressions.names import figure_name
from mere.sql.expressions.numeric import parts_of
from mere.sql.expressions.zones import engine_zone
from mere.sql.functions.patterns import similar_pattern, translate
from mere.sql.grammar.type_names import parse_type
from mere.sql.literals import literal, parse_literal, split_array
from mere.sql.types import DATE, INT2, INT4, INTERVAL, NUMERIC, TEXT, PgType, format_type, numeric_typmod


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 day", Interval(0, 1, 0)),
        ("1 year 2 mons 3 days 04:05:06.7", Interval(14, 3, 14706700000)),
        ("-1 days +02:00:00", Interval(0, -1, 7200000000)),
        ("2 weeks", Interval(0, 14, 0)),
        ("90 minutes", Interval(0, 0, 5400000000)),
        ("P1Y", None),
        ("1.5 days", None),
        ("abc", None),
    ],
)
def test_intervals(text: str, expected: Interval | None) -> None:
    assert parse_interval(text) == expected


def test_interval_with_a_field() -> None:
    assert parse_interval("90", parse_type("interval day").typmod) == Interval(0, 90, 0)
    assert parse_interval("1", parse_type("interval year").typmod) == Interval(12, 0, 0)


def test_months_end_clamps_the_day() -> None:
    assert add_interval(dt.datetime(2020, 1, 31), Interval(1, 0, 0)) == dt.datetime(2020, 2, 29)
    assert add_interval(dt.datetime(2024, 2, 29), Interval(-12, 0, 0)) == dt.datetime(2023, 2, 28)
    assert add_interval(dt.datetime(9999, 12, 31), Interval(12, 0, 0)) is None


@given(st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31)))
def test_iso_dates_are_read(date: dt.date) -> None:
    assert parse_date(date.isoformat()) == date


@given(st.datetimes())
def test_iso_timestamps_are_read(moment: dt.datetime) -> None:
    assert parse_timestamp(moment.isoformat(" ")) == moment


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20))
def test_numerics_keep_their_scale(value: Decimal) -> None:
    typed = literal(format(value, "f"), PgType(NUMERIC))
    assert typed.value == value
    assert typed.decimal is not None
    assert typed.decimal[1] == 4
    assert parts_of(value)[1] == 4


def test_numeric_modifier_rounds_and_overflows() -> None:
    rounded = parse_literal("12.345", PgType(NUMERIC, numeric_typmod(5, 2)))
    assert rounded is not None
    assert rounded.value == Decimal("12.35")
    with pytest.raises(DataError) as caught:
        parse_literal("12345", PgType(NUMERIC, numeric_typmod(5, 2)))
    assert caught.value.sqlstate == "22003"


def test_integers_out_of_range_are_left_to_others() -> None:
    assert parse_literal("32768", PgType(INT2)) is None
    known = parse_literal(" 12 ", PgType(INT4))
    assert known is not None
    assert known.value == 12


def test_array_text() -> None:
    assert split_array('{1,NULL,"a b","q\\"x",""}') == ["1", None, "a b", 'q"x', ""]
    with pytest.raises(FeatureNotSupported):
        split_array("{{1},{2}}")


@pytest.mark.parametrize(
    ("pattern", "flags", "expected"),
    [
        (r"\mfoo\M", "", r"(?s)\bfoo\b"),
        ("a.b", "i", "(?is)a.b"),
        ("(?i)ab", "", "(?is)ab"),
        ("a.b", "n", "(?m)a.b"),
        ("a b # c", "x", "(?s)ab"),
        ("a.b", "q", r"a\.b"),
        ("[]a]", "", r"(?s)[\]a]"),
    ],
)
def test_regular_expressions(pattern: str, flags: str, expected: str) -> None:
    assert translate(pattern, flags) == expected


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?=a)", "(?!a)"])
def test_what_re2_lacks_is_refused(pattern: str) -> None:
    with pytest.raises(FeatureNotSupported):
        translate(pattern)


def test_similar_to() -> None:
    assert similar_pattern("a%(b|c)_", "\\") == "(?s)^(?:a.*(?:b|c).)$"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("UTC", "UTC"),
        ("+05", "Etc/GMT+5"),
        ("<+03>-03", "Etc/GMT-3"),
    ],
)
def test_zones(name: str, expected: str) -> None:
    assert engine_zone(name) == expected


def test_fractional_offsets_are_refused() -> None:
    with pytest.raises(FeatureNotSupported):
        engine_zone("+05:30")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("numeric(15,2)", "numeric(15,2)"),
        ("decimal", "numeric"),
        ("varchar(10)", "character varying(10)"),
        ("char", "character(1)"),
        ('"char"', '"char"'),
        ("timestamp(3) with time zone", "timestamp(3) with time zone"),
        ("int[]", "integer[]"),
        ("float(10)", "real"),
        ("interval day to second(3)", "interval day to second(3)"),
    ],
)
def test_type_names(text: str, shown: str) -> None:
    assert format_type(parse_type(text)) == shown


def test_unknown_types() -> None:
    with pytest.raises(UndefinedObject):
        parse_type("nosuch")
    with pytest.raises(FeatureNotSupported):
        parse_type("point")
    with pytest.raises(SqlSyntaxError):
        parse_type("numeric(2000)")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a.b", "b"),
        ("sum(x)", "sum"),
        ("x::date", "x"),
        ("'1'::date", "date"),
        ("case when a then 1 end", "case"),
        ("case when a then 1 else b end", "b"),
        ("coalesce(a, b)", "coalesce"),
        ("1 + 2", "?column?"),
        ("array[1]", "array"),
        ("(select x)", "x"),
        ("exists (select 1)", "exists"),
        ("extract(year from d)", "extract"),
        ("current_date", "current_date"),
        ("row(1, 2)", "row"),
        ("a[1]", "a"),
        ("null::int4[]", "int4"),
    ],
)
def test_column_names(text: str, name: str) -> None:
    tree = Mere().parse(f"SELECT {text}")[0]
    assert isinstance(tree, exp.Select)
    assert figure_name(tree.expressions[0]) == name


def test_constant_types() -> None:
    assert literal(None, PgType(TEXT)).is_null
    assert literal("2020-01-01", PgType(DATE)).value == dt.date(2020, 1, 1)
    assert literal("1 day", PgType(INTERVAL)).value == Interval(0, 1, 0)
