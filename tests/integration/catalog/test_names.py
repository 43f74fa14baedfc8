"""mere.resolve() and mere.lake_names(): what a name means to whom."""

from __future__ import annotations

from typing import Any

from harness.catalog import LakeDatabase


def by_name(answer: dict[str, Any]) -> dict[str, Any]:
    return {relation["name"]: relation for relation in answer["relations"]}


def right(answer: dict[str, Any], relation: str, role: int) -> dict[str, Any]:
    oid = by_name(answer)[relation]["oid"]
    return next(entry for entry in answer["rights"] if (entry["oid"], entry["role"]) == (oid, role))


async def test_kinds_and_columns(lake: LakeDatabase) -> None:
    await lake.run(
        "CREATE TABLE t (id serial, n numeric(9,2) NOT NULL DEFAULT 1, a int[], CHECK (n > 0))",
        "CREATE TABLE h (a int) USING heap",
        "CREATE VIEW v AS SELECT id FROM t",
        "CREATE VIEW w AS SELECT a FROM h",
        "CREATE TEMP TABLE x (a int)",
        "SELECT mere.set_policy('t', 'hash', '{id}', 8)",
    )
    answer = await lake.resolve(["t"], ["h"], ["v"], ["w"], ["x"], ["pg_class"], ["nope"], ["public", "t"])
    assert [name for name, _ in answer["named"] if name == ["nope"]] == []
    assert len(answer["named"]) == 7
    relations = by_name(answer)
    kinds = {name: relation["kind"] for name, relation in relations.items()}
    assert kinds == {
        "t": "lake",
        "h": "postgres",
        "v": "view",
        "w": "postgres",
        "x": "postgres",
        "pg_class": "postgres",
    }
    t = relations["t"]
    assert t["facts"]["policy"] == "hash"
    assert t["checks"] == [["t_n_check", "(n > (0)::numeric)"]]
    assert [column[1] for column in t["columns"]] == ["id", "n", "a"]
    assert [column[8:10] for column in t["columns"]] == [[1, None], [2, None], [3, 4]]
    assert relations["x"]["temporary"] is True
    assert "public.t" in relations["v"]["view_sql"]


async def test_the_search_path_decides(lake: LakeDatabase) -> None:
    await lake.run("CREATE SCHEMA s", "CREATE TABLE s.t (a int)", "CREATE TABLE t (b int)")
    answer = await lake.resolve(["t"])
    assert answer["relations"][0]["schema"] == "public"
    await lake.user.execute("SET search_path = s, public")
    assert (await lake.resolve(["t"]))["relations"][0]["schema"] == "s"
    await lake.user.execute("CREATE TEMP TABLE t (c int)")
    assert (await lake.resolve(["t"]))["relations"][0]["temporary"] is True
    assert (await lake.resolve(["pg_temp", "t"]))["relations"][0]["temporary"] is True
    assert (await lake.resolve([lake.name, "public", "t"]))["relations"][0]["schema"] == "public"
    assert (await lake.resolve(["elsewhere", "public", "t"]))["relations"] == []


async def test_views_are_followed_with_the_right_role(lake: LakeDatabase) -> None:
    await lake.run(
        "CREATE ROLE reader",
        "CREATE TABLE t (a int, b int)",
        "CREATE VIEW inner_view AS SELECT a FROM t",
        "CREATE VIEW outer_view AS SELECT a FROM inner_view",
        "CREATE VIEW invoker WITH (security_invoker) AS SELECT a FROM t",
        "GRANT SELECT ON outer_view, invoker TO reader",
        "GRANT SELECT (a), INSERT (b) ON t TO reader",
        "SET ROLE reader",
    )
    try:
        answer = await lake.resolve(["outer_view"], ["invoker"], ["t"])
        owner = await lake.user.fetchval("SELECT oid::bigint FROM pg_roles WHERE rolname = 'mere'")
        me = answer["me"]
        assert me != owner
        names = {relation["oid"]: relation["name"] for relation in answer["relations"]}
        inside = {(names[view], names[oid], role) for view, oid, role in answer["inside"]}
        assert inside == {
            ("outer_view", "inner_view", owner),
            ("inner_view", "t", owner),
            ("invoker", "t", me),
        }
        assert "SELECT" in right(answer, "t", owner)["privileges"]
        mine = right(answer, "t", me)
        assert (mine["privileges"], mine["readable"], mine["insertable"], mine["updatable"]) == ([], [1], [2], [])
        assert right(answer, "outer_view", me)["privileges"] == ["SELECT"]
    finally:
        await lake.user.execute("RESET ROLE")
        await lake.run("DROP OWNED BY reader", "DROP ROLE reader")


async def test_lake_names_follow_views(lake: LakeDatabase) -> None:
    await lake.run(
        "CREATE TABLE t (a int)",
        "CREATE TABLE h (a int) USING heap",
        "CREATE VIEW v AS SELECT * FROM t",
        "CREATE VIEW vv AS SELECT * FROM h WHERE a IN (SELECT a FROM v)",
        "CREATE VIEW hv AS SELECT * FROM h",
    )
    assert sorted(await lake.user.fetchval("SELECT mere.lake_names()")) == ["t", "v", "vv"]
    await lake.user.execute("BEGIN")
    await lake.user.execute("CREATE TABLE fresh (a int)")
    assert "fresh" in await lake.user.fetchval("SELECT mere.lake_names()")
    await lake.user.execute("ROLLBACK")
    assert "fresh" not in await lake.user.fetchval("SELECT mere.lake_names()")


async def test_a_name_that_is_two_things_in_a_view_and_outside(lake: LakeDatabase) -> None:
    await lake.run(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (a int)",
        "CREATE VIEW v AS SELECT a FROM s.t",
        "CREATE TABLE t (b int)",
    )
    answer = await lake.resolve(["v"], ["t"])
    assert {(r["schema"], r["name"]) for r in answer["relations"]} == {("s", "t"), ("public", "v"), ("public", "t")}
