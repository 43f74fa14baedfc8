"""What binding tells the executor besides the tree: columns read, predicates, privileges, origins, constants."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mere.errors import FeatureNotSupported, InsufficientPrivilege, MereError
from mere.sql.bind import (
    BindContext,
    BoundDelete,
    BoundInsert,
    BoundSelect,
    BoundStatement,
    BoundUpdate,
    bind,
    duckdb_text,
    parse,
    relation_names,
)
from mere.sql.bind.bulk import long_insert
from mere.sql.relations import Column, Kind, Relation, Resolved
from mere.sql.types import DATE, INT4, TEXT, PgType

ALL = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
COLUMNS = (Column(1, "a", PgType(INT4)), Column(2, "b", PgType(TEXT)), Column(4, "d", PgType(DATE)))
T = Relation(10, "s", "t", Kind.LAKE, COLUMNS, "owner", ALL)
U = Relation(11, "s", "u", Kind.LAKE, COLUMNS, "owner", ALL)
H = Relation(12, "s", "h", Kind.POSTGRES, (*COLUMNS, Column(5, "e", PgType(99999))), "owner", ALL)
V = Relation(13, "s", "v", Kind.VIEW, COLUMNS[:2], "owner", ALL, " SELECT a, b FROM s.t WHERE (a > 0);")
NOTHING: frozenset[str] = frozenset()


def bound(sql: str, *relations: Relation, inside: Relation = T) -> BoundStatement:
    named = {relation.name: relation for relation in (T, U, H, V)} | {relation.name: relation for relation in relations}
    resolved = Resolved({(name,): relation for name, relation in named.items()}, {V.oid: {("s", "t"): inside}})
    return bind(parse(sql), resolved, BindContext())


def select(sql: str, *relations: Relation, inside: Relation = T) -> BoundSelect:
    found = bound(sql, *relations, inside=inside)
    assert isinstance(found, BoundSelect)
    return found


def predicates(sql: str) -> list[list[str]]:
    """Each scan's predicates, as text."""
    return [
        [
            " ".join([predicate.column.name, predicate.op, *(duckdb_text(value) for value in predicate.values)])
            for predicate in scan.predicates
        ]
        for scan in select(sql).scans
    ]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1 from t where a = 1 and 3 >= a", [["a = 1", "a <= 3"]]),
        ("select 1 from t where a in (1, 2) and a between 0 and 9", [["a in 1 2", "a >= 0", "a <= 9"]]),
        ("select 1 from t where a = 1 or b = 'x'", [[]]),
        ("select 1 from t where (a = 1 and (b = 'x'))", [["a = 1", "b = 'x'"]]),
        ("select 1 from t where d >= date '2024-01-01'", [["d >= CAST('2024-01-01' AS DATE)"]]),
        ("select 1 from t where a is null and b is not null", [["a is null", "b is not null"]]),
        ("select 1 from t where a = (select 1)", [[]]),
        ("select 1 from t join u on t.a = u.a and u.a > 5 where t.b = 'x'", [["b = 'x'"], ["a > 5"]]),
        ("select 1 from t left join u on t.a = u.a and u.a > 5 and t.a > 6", [[], ["a > 5"]]),
        ("select 1 from t left join u on t.a = u.a where u.a is null and u.b = 'x'", [[], ["b = 'x'"]]),
        ("select 1 from t full join u on t.a = u.a and u.a > 5", [[], []]),
        ("select 1 from t where exists (select 1 from u where u.a = t.a and u.a = 7 and t.a = 8)", [[], ["a = 7"]]),
        ("select 1 from v where a < 9", [["a > 0", "a < 9"]]),
        ("select 1 from (select a as x from t union all select a from u) q where x = 3", [["a = 3"], ["a = 3"]]),
        ("select 1 from (select a from t limit 1) q where a = 3", [[]]),
        ("select 1 from (select a, sum(a) over () from t) q where a = 3", [[]]),
        ("select 1 from (select a, count(*) from t group by a) q where a = 3", [["a = 3"]]),
        ("select 1 from (select a, count(*) from t group by rollup (a)) q where a = 3", [[]]),
        ("with x as (select a from t) select 1 from x where a = 3", [["a = 3"]]),
        ("with x as (select a from t) select 1 from x, x y where x.a = 3", [[]]),
        ("select 1 from t having 1 = 1", [[]]),
    ],
)
def test_predicates(sql: str, expected: list[list[str]]) -> None:
    assert predicates(sql) == expected


def test_scans_list_the_columns_read() -> None:
    assert [c.name for c in select("select d from t where b = 'x' order by d").scans[0].columns] == ["b", "d"]
    assert select("select count(*) from t").scans[0].columns == ()
    assert [c.name for c in select("select * from t").scans[0].columns] == ["a", "b", "d"]


def test_postgres_rows_are_fetched_with_the_predicates_that_fit() -> None:
    (scan,) = select("select a, e from h where a = 1 and b > 'x' and b = 'it''s'").scans
    assert scan.postgres_sql == (
        'SELECT "a", "b", "e"::pg_catalog.text FROM "s"."h" WHERE "a" = 1 AND "b" = \'it\'\'s\''
    )


def test_a_view_over_no_lake_table_is_postgres_own() -> None:
    view = replace(V, oid=14, name="v2", view_sql="SELECT relname AS a, relkind AS b FROM pg_class")
    (scan,) = select("select v2.a from v2, t where v2.a = 5", view).scans[:1]
    assert scan.postgres_sql == 'SELECT "a" FROM "s"."v2" WHERE "a" = 5'


def test_origins_are_for_row_description() -> None:
    columns = select("select a, b || '', x.d from t x").columns
    assert [(column.relation_oid, column.attnum) for column in columns] == [(10, 1), (0, 0), (10, 4)]
    assert [column.relation_oid for column in select("select * from v").columns] == [13, 13]


def test_output_aliases_are_unique_whatever_the_case() -> None:
    columns = select('select a, b as "A", d as a, 1 as "a_1" from t').columns
    assert [column.name for column in columns] == ["a", "A", "a", "a_1"]
    assert len({column.alias.lower() for column in columns}) == 4


def test_relation_names_leave_out_with_queries() -> None:
    tree = parse(
        "with x as (select * from t), y as (select * from x, s.x) select * from y where a in (select a from u)"
    )
    assert set(relation_names(tree)) == {("t",), ("s", "x"), ("u",)}
    assert relation_names(parse("with x as (select * from x) select 1 from x")) == (("x",),)
    assert relation_names(parse("with recursive x as (select 1 union select * from x) select 1 from x")) == ()
    assert set(relation_names(parse('merge into "T" using u on true when matched then delete'))) == {("T",), ("u",)}


@pytest.mark.parametrize(
    "sql",
    ["select a from t", "select count(*) from t", "select 1 from u where exists (select 1 from t)", "table t"],
)
def test_select_needs_the_privilege(sql: str) -> None:
    hidden = tuple(replace(column, readable=False) for column in COLUMNS)
    with pytest.raises(InsufficientPrivilege, match=r"^permission denied for table t$"):
        bound(sql, replace(T, privileges=NOTHING, columns=hidden))


def test_column_privileges() -> None:
    partly = replace(T, privileges=NOTHING, columns=(COLUMNS[0], *(replace(c, readable=False) for c in COLUMNS[1:])))
    assert select("select a from t", partly)
    assert select("select count(*) from t", partly)
    for sql in ("select b from t", "select a from t where b = 'x'", "select * from t", "select a from t order by d"):
        with pytest.raises(InsufficientPrivilege):
            bound(sql, partly)


def test_a_view_is_read_with_its_owners_rights() -> None:
    mine = replace(T, privileges=NOTHING, columns=tuple(replace(c, readable=False) for c in COLUMNS))
    assert select("select * from v", mine)
    with pytest.raises(InsufficientPrivilege, match="table t"):
        bound("select * from v", inside=mine)
    hidden = tuple(replace(column, readable=False) for column in V.columns)
    with pytest.raises(InsufficientPrivilege, match="view v"):
        bound("select a from v", replace(V, privileges=NOTHING, columns=hidden))


@pytest.mark.parametrize(
    ("sql", "privileges", "allowed"),
    [
        ("insert into t values (1)", {"INSERT"}, True),
        ("insert into t values (1)", {"SELECT"}, False),
        ("insert into t values (1) returning a", {"INSERT"}, False),
        ("update t set a = 1", {"UPDATE"}, True),
        ("update t set a = a + 1", {"UPDATE"}, False),
        ("update t set a = 1 where b = 'x'", {"UPDATE"}, False),
        ("update t set a = 1 where b = 'x'", {"UPDATE", "SELECT"}, True),
        ("delete from t", {"DELETE"}, True),
        ("delete from t where a = 1", {"DELETE"}, False),
        ("delete from t", {"SELECT"}, False),
        ("merge into t using u on t.a = u.a when matched then delete", {"SELECT", "UPDATE"}, False),
        ("merge into t using u on t.a = u.a when matched then delete", {"SELECT", "DELETE"}, True),
    ],
)
def test_writing_needs_its_privilege(sql: str, privileges: set[str], allowed: bool) -> None:
    hidden = tuple(replace(column, readable="SELECT" in privileges) for column in COLUMNS)
    target = replace(T, privileges=frozenset(privileges), columns=hidden)
    if allowed:
        assert bound(sql, target)
    else:
        with pytest.raises(InsufficientPrivilege, match="permission denied for table t"):
            bound(sql, target)


def test_writing_through_a_view_needs_rights_on_both() -> None:
    reader = replace(V, privileges=frozenset({"SELECT"}))
    with pytest.raises(InsufficientPrivilege, match="view v"):
        bound("delete from v where a = 1", reader)
    with pytest.raises(InsufficientPrivilege, match="table t"):
        bound("delete from v where a = 1", inside=replace(T, privileges=frozenset({"SELECT"})))
    found = bound("delete from v where b = 'x'")
    assert isinstance(found, BoundDelete)
    assert found.relation is T
    assert [predicate.column.name for predicate in found.select.scans[0].predicates] == ["a", "b"]


def test_columns_granted_by_themselves() -> None:
    own = replace(T, privileges=NOTHING, columns=(replace(COLUMNS[0], insertable=True, updatable=True), *COLUMNS[1:]))
    assert bound("insert into t (a) values (1)", own)
    assert bound("update t set a = 1", own)
    with pytest.raises(InsufficientPrivilege):
        bound("update t set a = 1, b = 'x'", own)


def test_defaults_that_only_postgres_computes_are_left_to_it() -> None:
    columns = (
        replace(COLUMNS[0], default="nextval('s.seq'::regclass)"),
        replace(COLUMNS[1], default="'x'::text"),
        replace(COLUMNS[2], identity="d"),
    )
    target = replace(T, columns=columns)
    found = bound("insert into t (b) values ('y'), (default)", target)
    assert isinstance(found, BoundInsert)
    assert [column.name for column in found.given] == ["b"]
    assert [default.column.name for default in found.defaults] == ["a", "d"]
    assert "pg_get_serial_sequence" in (found.defaults[1].expression or "")
    mixed = bound("insert into t (a) values (5), (default)", target)
    assert isinstance(mixed, BoundInsert)
    assert [default.column.name for default in mixed.mixed] == ["a"]
    assert [column.alias for column in mixed.source.columns] == ["a", "mere_default_1", "b"]  # type: ignore[union-attr]


def test_overriding_user_value_keeps_the_identity() -> None:
    target = replace(T, columns=(replace(COLUMNS[0], identity="a"), *COLUMNS[1:]))
    found = bound("insert into t (a, b) overriding user value values (1, 'x')", target)
    assert isinstance(found, BoundInsert)
    assert [column.name for column in found.given] == ["b"]
    found = bound("insert into t (a, b) overriding system value values (1, 'x')", target)
    assert isinstance(found, BoundInsert)
    assert [column.name for column in found.given] == ["a", "b"]


def test_changed_rows_come_with_their_place() -> None:
    update = bound("update t set b = 'x' where a = 1 returning old.b, t.d")
    assert isinstance(update, BoundUpdate)
    assert [column.alias for column in update.select.columns] == ["mere_file", "mere_pos", "a", "b", "d"]
    assert update.select.scans[0].row_identity
    assert "mere_old_2" in duckdb_text(update.select.tree)
    delete = bound("delete from t where d < date '2020-01-01'")
    assert isinstance(delete, BoundDelete)
    assert [column.name for column in delete.select.scans[0].columns] == ["d"]
    assert delete.select.scans[0].predicates[0].op == "<"


def test_a_long_insert_is_read_by_postgres() -> None:
    rows = ", ".join(f"({number}, 'it''s {number}')" for number in range(3_000))
    found = bound(f'insert into t ("a", b) values {rows}')
    assert isinstance(found, BoundInsert)
    assert found.source is not None
    (scan,) = found.source.scans
    assert scan.relation.kind is Kind.POSTGRES
    assert (scan.postgres_sql or "").endswith(f"{rows}\nOFFSET 1) AS mere_rows")
    assert [column.name for column in found.given] == ["a", "b"]
    for clause in (", (1, default)", ", (1, (select 1))", "returning a", "on conflict do nothing"):
        assert long_insert(f"insert into t values {rows} {clause}") is None


@pytest.mark.parametrize(
    ("sql", "sqlstate"),
    [
        ("select nope from t", "42703"),
        ("select t.nope from t", "42703"),
        ("select z.a from t", "42P01"),
        ("select a from t, u", "42702"),
        ("select * from nope", "42P01"),
        ("select a from t order by 9", "42P10"),
        ("select a from t union select a, b from u", "42601"),
        ("insert into t values (1, 'x', null, 4)", "42601"),
        ("insert into t (nope) values (1)", "42703"),
        ("insert into t (a, a) values (1, 2)", "42701"),
        ("insert into t (a) values ('x'::date)", "42804"),
        ("update t set nope = 1", "42703"),
        ("update t set a = 1, a = 2", "42601"),
        ("insert into v (nope) values (1)", "42703"),
        ("insert into t values (1) on conflict (a) do nothing", "42P10"),
        ("with x as (delete from t returning *) select * from x", "0A000"),
        ("select ctid from t", "0A000"),
        ("delete from h using t where h.a = t.a", "0A000"),
    ],
)
def test_errors(sql: str, sqlstate: str) -> None:
    with pytest.raises(MereError) as caught:
        bound(sql)
    assert caught.value.sqlstate == sqlstate


def test_time_travel() -> None:
    scans = select(
        "select 1 from t at (version => 2 + 1) x, t at (timestamp => '2024-01-01 00:00Z') where x.a = 1"
    ).scans
    assert [scan.at.kind for scan in scans if scan.at is not None] == ["version", "timestamp"]
    with pytest.raises(FeatureNotSupported):
        bound("select 1 from h at (version => 1)")
