"""Random histories of Mere and a plain DuckDB on one table: both, and a model, agree at every step and version."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from integration.lake.lake_catalog import LakeCatalog, LakeSession, writing_engine
from integration.lake.test_maintenance import maintenance

from mere.lake.message import InlinedDelete, NewDelete
from mere.lake.metadata import Metadata
from mere.lake.scan import INLINED_PREFIX

Rows = list[tuple[Any, ...]]
NEW_COLUMNS = [
    ("int4", "INTEGER", "'-3'", -3),
    ("text", "VARCHAR", "'it''s'", "it's"),
    ("date", "DATE", None, None),
    ("numeric(12,3)", "DECIMAL(12,3)", "1.5", 1.5),
    ("bool", "BOOLEAN", "'true'", True),
]


ACTIONS = (
    *("insert", "insert", "delete", "update", "truncate", "column", "rollback", "upkeep"),
    *("plain insert", "plain insert", "plain delete", "plain update", "plain column"),
)


def literal(value: object) -> str:
    if value is None:
        return "NULL"
    return "'" + str(value).replace("'", "''") + "'"


class History:
    """One table, its model, and the two writers."""

    def __init__(self, lake: LakeCatalog, session: LakeSession, metadata: Metadata, seed: int) -> None:
        self.lake, self.session, self.metadata = lake, session, metadata
        self.random = random.Random(seed)
        self.plain = lake.duckdb(inlining=self.random.choice([0, 5]))
        self.columns = [("k", "BIGINT"), ("v", "VARCHAR")]
        self.rows: Rows = []
        self.next_key = 0
        self.versions: dict[int, Rows] = {}
        hashed = self.random.random() < 0.5
        policy = f"SELECT mere.set_policy('t', 'hash', '{{k}}', {self.random.randint(1, 4)})" if hashed else "SELECT 1"
        session.run("CREATE TABLE t (k int8 NOT NULL, v text) USING lake", policy)

    @property
    def table_id(self) -> int:
        return int(self.lake.table_id("t"))

    def fresh_rows(self, count: int) -> Rows:
        keys = range(self.next_key, self.next_key + count)
        self.next_key += count
        return [(key, f"v{key}" if key % 3 else None, *[None] * (len(self.columns) - 2)) for key in keys]

    def literal(self, rows: Rows) -> str:
        names = ", ".join(f'"{name}"' for name, _ in self.columns)
        values = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
        casts = ", ".join(f'"{name}"::{kind} AS "{name}"' for name, kind in self.columns)
        return f"SELECT {casts} FROM (VALUES {values}) AS r({names})"

    def chosen(self) -> Rows:
        return [row for row in self.rows if self.random.random() < 0.3]

    async def delete(self, keys: Sequence[int], then: Rows | None = None) -> None:
        """DELETE, or UPDATE when `then` has the new rows, as a session of Mere does it."""
        snapshot = await self.metadata.snapshot()
        view = await self.metadata.table_files(self.table_id, snapshot.id)
        found = await self.lake.scan(
            self.metadata, self.table_id, suffix=f"WHERE k IN ({', '.join(map(str, keys))})", row_identity=True
        )
        positions: defaultdict[str, list[int]] = defaultdict(list)
        for row in found:
            positions[row[-2]].append(row[-1])
        by_url = {file.url: file for file in view.files}
        deletes: list[NewDelete] = []
        removed: list[int] = []
        inlined: list[InlinedDelete] = []
        prefix = self.session.shell("t")[0]
        for url, rows in positions.items():
            if url.startswith(INLINED_PREFIX):
                inlined.append(InlinedDelete(url.removeprefix(INLINED_PREFIX), tuple(rows)))
                continue
            file = by_url[url]
            assert file.id is not None
            old = (
                []
                if file.delete is None
                else writing_engine().execute(f"SELECT pos FROM '{file.delete.url}'").fetchall()
            )
            dead = sorted({*rows, *(row[0] for row in old)})
            if len({*dead, *file.inlined_deletes}) == file.rows:
                removed.append(file.id)
                continue
            path = url.removeprefix(f"{self.lake.data_path}/{prefix}")
            replaces = None if file.delete is None else file.delete.id
            deletes.append(self.session.write_delete(prefix, file.id, path, dead, replaces))
        self.session.begin()
        self.session.change(
            "t",
            snapshot.id,
            files=self.session.write("t", self.literal(then)) if then else (),
            deletes=tuple(deletes),
            removed_files=tuple(removed),
            inlined_deletes=tuple(inlined),
        )
        self.session.commit()

    async def step(self) -> None:
        action = self.random.choice(ACTIONS)
        chosen = self.chosen()
        keys = [row[0] for row in chosen]
        listed = ", ".join(map(str, keys)) or "-1"
        kept = [row for row in self.rows if row[0] not in keys]
        updated = [(row[0], "u", *row[2:]) for row in chosen]
        match action:
            case "insert" | "plain insert":
                new = self.fresh_rows(self.random.choice([1, 3, 30]))
                if action == "insert":
                    self.session.load("t", self.literal(new))
                else:
                    self.plain.execute(f"INSERT INTO l.public.t BY NAME {self.literal(new)}")
                self.rows = self.rows + new
            case "delete" if keys:
                await self.delete(keys)
                self.rows = kept
            case "update" if keys:
                await self.delete(keys, updated)
                self.rows = kept + updated
            case "plain delete":
                self.plain.execute(f"DELETE FROM l.public.t WHERE k IN ({listed})")
                self.rows = kept
            case "plain update":
                self.plain.execute(f"UPDATE l.public.t SET v = 'u' WHERE k IN ({listed})")
                self.rows = kept + updated
            case "truncate" if self.random.random() < 0.3:
                new = self.fresh_rows(5)
                self.session.begin()
                self.session.change("t", None, truncated=True, files=self.session.write("t", self.literal(new)))
                self.session.commit()
                self.rows = new
            case "column" | "plain column":
                self.change_columns(plain=action == "plain column")
            case "upkeep" if self.random.random() < 0.4:
                async with maintenance(self.lake, retention=timedelta(days=1)) as upkeep:
                    await upkeep.run()
            case "rollback":
                self.session.begin()
                self.session.insert("t", self.literal(self.fresh_rows(3)))
                self.session.ddl("ALTER TABLE t ADD COLUMN never int DEFAULT 1")
                self.session.rollback()
            case _:
                return

    def change_columns(self, plain: bool) -> None:
        if len(self.columns) > 3 or (len(self.columns) > 2 and self.random.random() < 0.4):
            at = self.random.randrange(2, len(self.columns))
            name = self.columns.pop(at)[0]
            self.rows = [(*row[:at], *row[at + 1 :]) for row in self.rows]
            statement = f"DROP COLUMN {name}"
        elif len(self.columns) > 2 and self.random.random() < 0.3:
            at = self.random.randrange(2, len(self.columns))
            name, kind = self.columns[at]
            self.columns[at] = (f"r{self.next_key}", kind)
            self.next_key += 1
            statement = f"RENAME COLUMN {name} TO {self.columns[at][0]}"
        else:
            postgres, kind, default, value = self.random.choice(NEW_COLUMNS)
            self.columns.append((f"c{self.next_key}", kind))
            self.next_key += 1
            self.rows = [(*row, value) for row in self.rows]
            statement = f"ADD COLUMN {self.columns[-1][0]} {kind if plain else postgres}"
            statement += f" DEFAULT {default}" if default is not None else ""
        if plain:
            self.plain.execute(f"ALTER TABLE l.public.t {statement}")
        else:
            self.session.run(f"ALTER TABLE t {statement}", checked="t")

    async def check(self) -> None:
        expected = normal(self.rows)
        assert normal(self.plain.execute("SELECT * FROM l.public.t").fetchall()) == expected
        assert normal(await self.lake.scan(self.metadata, self.table_id)) == expected
        assert self.plain.execute("SELECT count(*) FROM l.public.t").fetchone() == (len(expected),)
        for row in self.random.sample(self.rows, min(3, len(self.rows))):
            found = self.plain.execute(f"SELECT v FROM l.public.t WHERE k = {row[0]}").fetchall()
            assert found == [(row[1],)]
        newest = self.lake.one("SELECT max(snapshot_id) FROM mere_lake.ducklake_snapshot")
        self.versions[newest] = expected

    async def check_versions(self) -> None:
        fresh = self.lake.duckdb()
        for version, expected in self.versions.items():
            at = f"SELECT * FROM l.public.t AT (VERSION => {version})"
            assert normal(fresh.execute(at).fetchall()) == expected
            assert normal(await self.lake.scan(self.metadata, self.table_id, version)) == expected


def normal(rows: Rows) -> Rows:
    return sorted((tuple(float(v) if type(v).__name__ == "Decimal" else v for v in row) for row in rows), key=repr)


@pytest.mark.parametrize("seed", range(3))
async def test_history(lake: LakeCatalog, session: LakeSession, seed: int) -> None:
    async with lake.metadata() as metadata:
        history = History(lake, session, metadata, seed)
        for _ in range(20):
            await history.step()
            await history.check()
        await history.check_versions()
