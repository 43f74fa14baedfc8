"""Classification, and the readers of single statements."""

from __future__ import annotations

import pytest

from mere.sql.commands import (
    parse_declare,
    parse_execute,
    parse_explain,
    parse_fetch,
    parse_maintenance,
    parse_prepare,
    parse_transaction,
    parse_truncate,
)
from mere.sql.copy_command import parse_copy
from mere.sql.created import parse_create_table_as, parse_select_into
from mere.sql.distribution import (
    Distribution,
    parse_alter_distribution,
    strip_distribution,
    strip_time_travel,
)
from mere.sql.lexer import split
from mere.sql.statements import StatementKind, classify


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("select 1", StatementKind.SELECT),
        ("(select 1) union values (2)", StatementKind.SELECT),
        ("table t", StatementKind.SELECT),
        ("select a into t from u", StatementKind.SELECT_INTO),
        ("with x as (select 1) select * into t from x", StatementKind.SELECT_INTO),
        ("select (select 1 as into_) from t", StatementKind.SELECT),
        ("with x as (select 1) insert into t select * from x", StatementKind.INSERT),
        ("with recursive update(a, b) as (select 1, 2) update t set a = 1", StatementKind.UPDATE),
        ("with x as (select 1) search depth first by a set o select 2", StatementKind.SELECT),
        ("with x as (select 1) (select 2)", StatementKind.SELECT),
        ("with x as (delete from t returning *), y as (select 1) select 2", StatementKind.SELECT),
        ("create temp table t as select 1", StatementKind.CREATE_TABLE_AS),
        ("create table t (a int, b text default ('as'))", StatementKind.CREATE_TABLE),
        ("create or replace view v as select 1", StatementKind.CREATE_VIEW),
        ("create unique index i on t(a)", StatementKind.CREATE_INDEX),
        ("create database d", StatementKind.CREATE_DATABASE),
        ("create role r", StatementKind.DDL),
        ("rollback to savepoint s", StatementKind.ROLLBACK_TO),
        ("rollback work to s", StatementKind.ROLLBACK_TO),
        ("rollback and chain", StatementKind.ROLLBACK),
        ("commit prepared 'x'", StatementKind.PREPARE_TRANSACTION),
        ("prepare transaction 'x'", StatementKind.PREPARE_TRANSACTION),
        ("prepare transaction as select 1", StatementKind.PREPARE),
        ("set local transaction isolation level serializable", StatementKind.SET_TRANSACTION),
        ("set session characteristics as transaction read only", StatementKind.SET_SESSION_TRANSACTION),
        ("set transaction_isolation = 'serializable'", StatementKind.SET),
        ("set constraints all immediate", StatementKind.SET_CONSTRAINTS),
        ("start transaction", StatementKind.BEGIN),
        ("end", StatementKind.COMMIT),
        ("copy t from stdin", StatementKind.COPY),
        ("nonsense", StatementKind.OTHER),
    ],
)
def test_classify(text: str, kind: StatementKind) -> None:
    assert classify(split(text)[0]) is kind


def test_copy_options_old_and_new() -> None:
    copy = parse_copy(
        'COPY s."T"(a, "B") FROM STDIN WITH (FORMAT csv, HEADER, NULL \'\\N\', FORCE_NULL (a), freeze off)'
    )
    assert (copy.target, copy.columns, copy.is_from, copy.location) == (("s", "T"), ("a", "B"), True, None)
    assert copy.option("format") == "csv"
    assert copy.option("header") is True
    assert copy.option("null") == "\\N"
    assert copy.option("force_null") == ("a",)
    assert copy.option("freeze") == "off"
    old = parse_copy("copy t to 's3://b/x' using delimiters '|' with null as 'n' csv header force quote *")
    assert (old.location, old.option("delimiter"), old.option("null")) == ("s3://b/x", "|", "n")
    assert (old.option("format"), old.option("header"), old.option("force_quote")) == ("csv", True, "*")
    query = parse_copy("copy (select ')' from t) to stdout (format 'csv', delimiter E'\\t')")
    assert (query.query, query.target, query.option("delimiter")) == ("select ')' from t", None, "\t")
    where = parse_copy("copy binary from stdin csv where a > 1 and b = 'x'")
    assert (where.target, where.where) == (("binary",), "a > 1 and b = 'x'")


def test_distribution_is_blanked_out() -> None:
    text = 'create table t (a int) distributed by (a, "B") with (x = 1)'
    created = strip_distribution(text)
    assert created.distribution == Distribution("hash", ("a", "B"))
    assert len(created.text) == len(text)
    assert created.text.split() == ["create", "table", "t", "(a", "int)", "with", "(x", "=", "1)"]
    assert strip_distribution("create table distributed (by int)").distribution is None
    assert strip_distribution("create table t (a int) DISTRIBUTED RANDOMLY").distribution == Distribution("random")


def test_alter_distribution() -> None:
    altered = parse_alter_distribution("alter table if exists s.t set distributed replicated")
    assert altered is not None
    assert (altered.table, altered.if_exists, altered.distribution.kind) == (("s", "t"), True, "replicated")
    assert parse_alter_distribution("alter table t rename to distributed") is None


def test_create_table_as() -> None:
    created = parse_create_table_as("create table if not exists s.t (x, y) as select 1, 'a' distributed by (x)")
    assert (created.target, created.if_not_exists, created.with_data) == (("s", "t"), True, True)
    assert created.query == "select 1, 'a'"
    assert created.distribution == Distribution("hash", ("x",))
    expected = "create table if not exists s.t (x, y) as select 1, 'a' WITH NO DATA"
    assert created.create_text == expected
    empty = parse_create_table_as("create temp table t using heap as table u with no data")
    assert (empty.with_data, empty.query, empty.temporary, empty.using) == (False, "table u", True, "heap")


def test_select_into() -> None:
    created = parse_select_into("select a into temp table t from u where a > 1")
    assert (
        " ".join(created.create_text.split())
        == 'CREATE TEMPORARY TABLE "t" AS select a from u where a > 1 WITH NO DATA'
    )
    assert created.query is not None
    assert " ".join(created.query.split()) == "select a from u where a > 1"


def test_time_travel_is_blanked_out() -> None:
    text = "select at from t at (version => 3) x join u AT (TIMESTAMP => now() - interval '1 day') on true"
    stripped, found = strip_time_travel(text)
    assert len(stripped) == len(text)
    assert " ".join(stripped.split()) == "select at from t x join u on true"
    assert [(travel.kind, travel.expression) for travel in found] == [
        ("version", "3"),
        ("timestamp", "now() - interval '1 day'"),
    ]


def test_transaction_options() -> None:
    options = parse_transaction("begin isolation level repeatable read, read only not deferrable")
    assert (options.isolation, options.read_only, options.deferrable) == ("repeatable read", True, False)
    assert parse_transaction('rollback transaction to savepoint "S"').savepoint == "S"
    assert parse_transaction("commit and chain").chain
    assert parse_transaction("savepoint s").savepoint == "s"


def test_explain() -> None:
    explain = parse_explain("explain (analyze, costs off, format json) select 1")
    assert (explain.flag("analyze"), explain.flag("costs", True), explain.inner) == (True, False, "select 1")
    assert dict(explain.options)["format"] == "json"
    assert parse_explain("explain (select 1)").inner == "(select 1)"
    assert parse_explain("explain analyze verbose select 1").flag("verbose")


def test_prepare_and_execute() -> None:
    prepared = parse_prepare("prepare p (int, numeric(3,1)) as select $1")
    assert (prepared.name, prepared.types, prepared.inner) == ("p", "int, numeric(3,1)", "select $1")
    assert parse_execute("execute p (1, f(2, 3), 'a,b')").arguments == ("1", "f(2, 3)", "'a,b'")
    assert parse_execute("execute p").arguments == ()


def test_cursors() -> None:
    declared = parse_declare("declare c no scroll cursor with hold for select 1")
    assert (declared.name, declared.scroll, declared.hold, declared.inner) == ("c", False, True, "select 1")
    for text, expected in {
        "fetch c": ("forward", 1),
        "fetch all from c": ("forward", None),
        "fetch forward 5 in c": ("forward", 5),
        "fetch -3 from c": ("forward", -3),
        "fetch last c": ("absolute", -1),
        "fetch backward all c": ("backward", None),
        "move 10 c": ("forward", 10),
        "fetch from c": ("forward", 1),
    }.items():
        fetch = parse_fetch(text)
        assert (fetch.cursor, fetch.direction, fetch.count) == ("c", *expected), text


def test_truncate_and_maintenance() -> None:
    truncate = parse_truncate("truncate table only a, s.b * restart identity cascade")
    assert truncate.targets == ((("a",), True), (("s", "b"), False))
    assert truncate.restart_identity
    assert truncate.cascade
    assert parse_maintenance("vacuum (full, analyze) a, b (x)") == (("a",), ("b",))
    assert parse_maintenance("analyze") == ()
