"""Random histories, seeded: Mere in lockstep with PostgreSQL 18, interleaved sessions against a model, and at the end
of each a plain DuckDB must read the same rows. MERE_HISTORY_SEEDS=5,17,... runs other seeds."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from harness.client import Client
from harness.lakereader import attach, rows
from harness.mere import MereProcess
from harness.postgres import Peer
from harness.workspace import Workspace

SEEDS = [int(seed) for seed in os.environ.get("MERE_HISTORY_SEEDS", "1,2,3,4").split(",")]
STEPS = 45


class Twin:
    """The same statement on PostgreSQL and on Mere; both must agree about success and about the tag."""

    def __init__(self, postgres: Client, mere: Client) -> None:
        self.postgres, self.mere = postgres, mere
        self.history: list[str] = []

    def run(self, sql: str) -> bool:
        self.history.append(sql)
        expected, actual = self.postgres.run(sql), self.mere.run(sql)
        assert (expected.sqlstate, expected.tag) == (actual.sqlstate, actual.tag), self.told(actual.message)
        return expected.sqlstate is None

    def same(self, sql: str) -> list[tuple[str | None, ...]]:
        expected, actual = self.postgres.run(sql), self.mere.run(sql)
        assert actual.sqlstate is None, self.told(f"{sql}: {actual.message}")
        assert expected.text == actual.text, self.told(sql)
        return actual.text

    def told(self, problem: str) -> str:
        return problem + "\nafter\n" + ";\n".join(self.history)


@dataclass(slots=True)
class Table:
    """What the generator knows of one table: its columns by kind."""

    name: str
    columns: dict[str, str] = field(default_factory=lambda: {"k": "int", "v": "text"})

    def literal(self, kind: str, dice: random.Random) -> str:
        if dice.random() < 0.15:
            return "NULL"
        return {
            "int": str(dice.randint(-50, 50)),
            "bigint": str(dice.randint(-(10**12), 10**12)),
            "text": f"'s{dice.randint(0, 30)}'",
            "numeric(10,2)": f"{dice.randint(-9999, 9999) / 100}",
            "date": f"date '2024-01-01' + {dice.randint(0, 400)}",
            "boolean": dice.choice(["true", "false"]),
        }[kind]

    def predicate(self, dice: random.Random) -> str:
        column, kind = dice.choice(list(self.columns.items()))
        if dice.random() < 0.2:
            return f"{column} IS NULL"
        if kind in ("int", "bigint") and dice.random() < 0.4:
            return f"{column} % {dice.randint(2, 5)} = {dice.randint(0, 2)}"
        return f"{column} {dice.choice(['=', '<', '>=', '<>'])} {self.literal(kind, dice)}"


class Generator:
    """DDL and DML over a few tables, inside and outside of transactions."""

    KINDS = ("int", "bigint", "text", "numeric(10,2)", "date", "boolean")

    def __init__(self, twin: Twin, seed: int) -> None:
        self.twin, self.dice = twin, random.Random(seed)
        self.tables: dict[str, Table] = {}
        self.saved: list[dict[str, Table]] = []
        self.named = 0

    def fresh(self, prefix: str) -> str:
        self.named += 1
        return f"{prefix}{self.named}"

    def snapshot(self) -> dict[str, Table]:
        return {name: Table(table.name, dict(table.columns)) for name, table in self.tables.items()}

    def step(self) -> None:
        choices = [self.create] if not self.tables else [
            self.create, self.insert, self.insert, self.insert, self.insert_select, self.update, self.update,
            self.delete, self.delete, self.add_column, self.drop_column, self.rename_column, self.rename_table,
            self.truncate, self.begin, self.commit, self.rollback, self.savepoint, self.create_as, self.merge,
            self.drop,
        ]  # fmt: skip
        self.dice.choice(choices)()

    def some(self) -> Table:
        return self.dice.choice(list(self.tables.values()))

    def create(self) -> None:
        if len(self.tables) > 3:
            return
        table = Table(self.fresh("t"))
        for _ in range(self.dice.randint(0, 3)):
            table.columns[self.fresh("c")] = self.dice.choice(self.KINDS)
        body = ", ".join(f"{name} {kind}" for name, kind in table.columns.items())
        if self.twin.run(f"CREATE TABLE {table.name} ({body})"):
            self.tables[table.name] = table

    def insert(self) -> None:
        table, dice = self.some(), self.dice
        values = ", ".join(
            "(" + ", ".join(table.literal(kind, dice) for kind in table.columns.values()) + ")"
            for _ in range(dice.randint(1, 12))
        )
        self.twin.run(f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES {values}")

    def insert_select(self) -> None:
        table, high = self.some(), self.dice.randint(5, 200)
        self.twin.run(f"INSERT INTO {table.name} (k, v) SELECT g, 'g' || g % 9 FROM generate_series(1, {high}) g")

    def update(self) -> None:
        table = self.some()
        column, kind = self.dice.choice(list(table.columns.items()))
        value = f"{column} + 1" if kind == "int" else table.literal(kind, self.dice)
        self.twin.run(f"UPDATE {table.name} SET {column} = {value} WHERE {table.predicate(self.dice)}")

    def delete(self) -> None:
        table = self.some()
        self.twin.run(f"DELETE FROM {table.name} WHERE {table.predicate(self.dice)} AND {table.predicate(self.dice)}")

    def add_column(self) -> None:
        table, kind, name = self.some(), self.dice.choice(self.KINDS), self.fresh("c")
        default = f" DEFAULT {table.literal(kind, self.dice)}" if self.dice.random() < 0.6 else ""
        if self.twin.run(f"ALTER TABLE {table.name} ADD COLUMN {name} {kind}{default}"):
            table.columns[name] = kind

    def drop_column(self) -> None:
        table = self.some()
        extra = [name for name in table.columns if name not in ("k", "v")]
        if extra:
            name = self.dice.choice(extra)
            if self.twin.run(f"ALTER TABLE {table.name} DROP COLUMN {name}"):
                del table.columns[name]

    def rename_column(self) -> None:
        table = self.some()
        extra = [name for name in table.columns if name not in ("k", "v")]
        if extra:
            name, fresh = self.dice.choice(extra), self.fresh("r")
            if self.twin.run(f"ALTER TABLE {table.name} RENAME COLUMN {name} TO {fresh}"):
                table.columns = {fresh if old == name else old: kind for old, kind in table.columns.items()}

    def rename_table(self) -> None:
        table, fresh = self.some(), self.fresh("m")
        if self.twin.run(f"ALTER TABLE {table.name} RENAME TO {fresh}"):
            del self.tables[table.name]
            table.name = fresh
            self.tables[fresh] = table

    def truncate(self) -> None:
        if self.dice.random() < 0.4:
            self.twin.run(f"TRUNCATE {self.some().name}")

    def drop(self) -> None:
        if len(self.tables) > 2 and self.dice.random() < 0.4:
            table = self.some()
            if self.twin.run(f"DROP TABLE {table.name}"):
                del self.tables[table.name]

    def create_as(self) -> None:
        if len(self.tables) < 4:
            source, fresh = self.some(), self.fresh("a")
            if self.twin.run(
                f"CREATE TABLE {fresh} AS SELECT * FROM {source.name} WHERE {source.predicate(self.dice)}"
            ):
                self.tables[fresh] = Table(fresh, dict(source.columns))

    def merge(self) -> None:
        table = self.some()
        self.twin.run(
            f"MERGE INTO {table.name} t USING (SELECT g AS k FROM generate_series(60, 70) g) s ON t.k = s.k"
            " WHEN MATCHED THEN UPDATE SET v = 'merged' WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, 'new')"
        )

    def begin(self) -> None:
        if not self.saved and self.twin.run("BEGIN"):
            self.saved = [self.snapshot()]

    def savepoint(self) -> None:
        if self.saved:
            name = f"s{len(self.saved)}"
            if self.dice.random() < 0.5 or len(self.saved) == 1:
                self.twin.run(f"SAVEPOINT {name}")
                self.saved.append(self.snapshot())
            else:
                self.twin.run(f"ROLLBACK TO s{len(self.saved) - 1}")
                self.tables = self.saved.pop()
                self.twin.run(f"RELEASE s{len(self.saved)}")

    def commit(self) -> None:
        if self.saved:
            self.twin.run("COMMIT")
            self.saved = []

    def rollback(self) -> None:
        if self.saved:
            self.twin.run("ROLLBACK")
            self.tables, self.saved = self.saved[0], []

    def check(self) -> None:
        for table in self.tables.values():
            columns = ", ".join(f"{name}::text" for name in table.columns)
            self.twin.same(f"SELECT {columns} FROM {table.name} ORDER BY {columns}")


@pytest.fixture
def twin(peer: Peer, space: Workspace) -> Iterator[Twin]:
    postgres = Client(peer.conninfo)
    postgres.ok(f"CREATE SCHEMA {space.schema}")
    postgres.ok(f"SET search_path = {space.schema}")
    yield Twin(postgres, space.client())
    postgres.simple(f"ROLLBACK; DROP SCHEMA {space.schema} CASCADE")
    postgres.close()


def text_of(kind: str, name: str) -> str:
    """A column as DuckDB must show it to look like PostgreSQL's text."""
    return f"CASE {name} WHEN true THEN 'true' WHEN false THEN 'false' END" if kind == "boolean" else f"{name}::varchar"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_history_equals_postgres_and_reads_the_same_in_plain_duckdb(
    seed: int, twin: Twin, space: Workspace, mere: MereProcess
) -> None:
    generator = Generator(twin, seed)
    for number in range(STEPS):
        generator.step()
        if number % 6 == 5:
            generator.check()
    generator.commit()
    generator.check()
    plain = attach(mere)
    try:
        for table in generator.tables.values():
            shown = ", ".join(text_of(kind, name) for name, kind in table.columns.items())
            asked = ", ".join(f"{name}::text" for name in table.columns)
            theirs = rows(plain, f"SELECT {shown} FROM lake.{space.schema}.{table.name}")
            mine = twin.mere.ok(f"SELECT {asked} FROM {table.name}").text

            def order(row: tuple[str | None, ...]) -> list[tuple[bool, str]]:
                return [(value is None, value or "") for value in row]

            assert sorted(theirs, key=order) == sorted(mine, key=order), twin.told(table.name)
    finally:
        plain.close()


@dataclass(slots=True)
class Actor:
    """One session of an interleaved history, with what it has done since BEGIN."""

    client: Client
    open: bool = False
    inserted: dict[int, int] = field(default_factory=dict)
    changed: dict[int, int | None] = field(default_factory=dict)
    seen_versions: dict[int, int] = field(default_factory=dict)

    def forget(self) -> None:
        self.open = False
        self.inserted, self.changed, self.seen_versions = {}, {}, {}


class Model:
    """Rows by key with a version each; a transaction may only commit over rows that nobody else changed meanwhile."""

    def __init__(self) -> None:
        self.rows: dict[int, int] = {}
        self.versions: dict[int, int] = {}
        self.next_key = 0

    def view(self, actor: Actor) -> dict[int, int]:
        """READ COMMITTED: what is committed now, with the session's own changes over it."""
        seen = {**self.rows, **actor.inserted}
        for key, value in actor.changed.items():
            if value is None:
                seen.pop(key, None)
            else:
                seen[key] = value
        return seen

    def loses(self, actor: Actor) -> bool:
        """Whether another session has committed over its rows: it can only roll back, and what it reads is its own."""
        return any(self.versions.get(key, 0) != version for key, version in actor.seen_versions.items())

    def apply(self, actor: Actor) -> None:
        for key, value in {**actor.inserted, **actor.changed}.items():
            self.versions[key] = self.versions.get(key, 0) + 1
            if value is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = value


def change(model: Model, actor: Actor, keys: list[int], value: int | None) -> None:
    for key in keys:
        if key in actor.inserted:
            if value is None:
                del actor.inserted[key]
            else:
                actor.inserted[key] = value
            continue
        actor.seen_versions.setdefault(key, model.versions.get(key, 0))
        actor.changed[key] = value


def act(model: Model, actor: Actor, dice: random.Random) -> None:
    """One random statement of one session, on the server and in the model."""
    client = actor.client
    choice = dice.choice(("insert", "insert", "update", "delete", "read", "commit", "rollback"))
    if not actor.open and choice in ("insert", "update", "delete"):
        client.ok("BEGIN")
        actor.open = True
    if choice == "insert":
        keys = range(model.next_key, model.next_key + dice.randint(1, 4))
        model.next_key = keys.stop
        client.ok(f"INSERT INTO t SELECT g, 0 FROM generate_series({keys.start}, {keys.stop - 1}) g")
        actor.inserted.update(dict.fromkeys(keys, 0))
    elif choice in ("update", "delete"):
        modulus, rest, value = dice.randint(2, 9), dice.randint(0, 1), dice.randint(1, 99)
        keys_hit = [key for key in model.view(actor) if key % modulus == rest]
        sql = f"UPDATE t SET v = {value}" if choice == "update" else "DELETE FROM t"
        outcome = client.run(f"{sql} WHERE k % {modulus} = {rest}")
        if outcome.sqlstate == "40001":
            client.ok("ROLLBACK")
            actor.forget()
            return
        assert outcome.sqlstate is None, outcome
        if not model.loses(actor):
            assert outcome.tag.split()[-1] == str(len(keys_hit)), (outcome.tag, keys_hit)
        change(model, actor, keys_hit, value if choice == "update" else None)
    elif choice == "read":
        outcome = client.run("SELECT k, v FROM t")
        if model.loses(actor):
            return
        assert {int(key or 0): int(value or 0) for key, value in outcome.text} == model.view(actor), outcome
    elif choice == "commit" and actor.open:
        outcome = client.run("COMMIT")
        if outcome.sqlstate == "40001":
            client.simple("ROLLBACK")
        else:
            assert outcome.sqlstate is None, outcome
            assert not model.loses(actor), "a lost update was committed"
            model.apply(actor)
        actor.forget()
    elif choice == "rollback" and actor.open and dice.random() < 0.3:
        client.ok("ROLLBACK")
        actor.forget()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", SEEDS)
def test_interleaved_sessions_never_lose_an_update(seed: int, space: Workspace, mere: MereProcess) -> None:
    dice, model = random.Random(seed), Model()
    owner = space.client()
    owner.ok("CREATE TABLE t (k int, v int)")
    actors = [Actor(space.client(deadline=15)) for _ in range(3)]
    for _ in range(80):
        act(model, dice.choice(actors), dice)
    for actor in actors:
        if actor.open:
            outcome = actor.client.run("COMMIT")
            if outcome.sqlstate is None:
                assert not model.loses(actor)
                model.apply(actor)
    got = {int(key or 0): int(value or 0) for key, value in owner.ok("SELECT k, v FROM t").text}
    assert got == model.rows
    plain = attach(mere)
    try:
        assert dict(rows(plain, f"SELECT k, v FROM lake.{space.schema}.t")) == model.rows
    finally:
        plain.close()
