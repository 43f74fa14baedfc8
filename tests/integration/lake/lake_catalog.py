"""A DuckLake catalog in a PostgreSQL database with Mere's SQL installed, and no process of Mere: the tests speak SQL
to it as the gateway would, write Parquet files with DuckDB as a segment would, and read back with the extension."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import duckdb
import psycopg
from duckdb_extensions import import_extension
from harness.postgres import Peer
from psycopg.conninfo import conninfo_to_dict

from mere.catalog.bootstrap import installation_sql
from mere.lake.message import ColumnStats, CommitMessage, NewDelete, NewFile, TableChange
from mere.lake.metadata import Metadata
from mere.lake.prune import Bound
from mere.lake.scan import scan_sql


@cache
def install_extensions() -> None:
    for name in ("ducklake", "postgres"):
        import_extension(name)


def load_extensions(connection: duckdb.DuckDBPyConnection) -> None:
    install_extensions()
    for name in ("ducklake", "postgres"):
        connection.execute(f"LOAD {name}")


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect()
    engine.execute("SET TimeZone='UTC'")
    load_extensions(engine)
    return engine


def writing_engine() -> duckdb.DuckDBPyConnection:
    """Writes files as a segment would; one DuckDB for all tests."""
    return _engine().cursor()


@dataclass(slots=True)
class LakeCatalog:
    """One database of the peer holding one lake in `data_path`."""

    conninfo: str
    data_path: Path
    super: psycopg.Connection[Any] = field(init=False)

    def __post_init__(self) -> None:
        self.super = psycopg.connect(self.conninfo, autocommit=True)

    def close(self) -> None:
        self.super.close()

    def duckdb(self, inlining: int = 0) -> duckdb.DuckDBPyConnection:
        """A plain DuckDB with the lake attached as `l`."""
        connection = duckdb.connect()
        load_extensions(connection)
        connection.execute("SET TimeZone='UTC'")
        connection.execute(
            f"ATTACH 'ducklake:postgres:{self.conninfo}' AS l (DATA_PATH '{self.data_path}/', "
            f"METADATA_SCHEMA 'mere_lake', DATA_INLINING_ROW_LIMIT {inlining})"
        )
        return connection

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.super.execute(sql, parameters).fetchall()

    def one(self, sql: str, *parameters: object) -> Any:
        row = self.super.execute(sql, parameters).fetchone()
        assert row is not None
        return row[0]

    def session(self) -> LakeSession:
        return LakeSession(self)

    def table_id(self, table: str) -> int:
        return int(self.one("SELECT table_id FROM mere.shell WHERE relid = %s::regclass", table))

    @asynccontextmanager
    async def metadata(self) -> AsyncIterator[Metadata]:
        settings = conninfo_to_dict(self.conninfo)
        async with asyncpg.create_pool(
            host=str(settings["host"]),
            port=int(str(settings["port"])),
            user="mere_gateway",
            database=str(settings["dbname"]),
            min_size=1,
            max_size=2,
        ) as pool:
            yield Metadata(pool, f"{self.data_path}/")

    async def scan(
        self,
        metadata: Metadata,
        table_id: int,
        version: int | None = None,
        predicates: Sequence[Bound] = (),
        suffix: str = "",
        row_identity: bool = False,
    ) -> list[tuple[Any, ...]]:
        """The rows of a table as Mere's own scan reads them."""
        snapshot = await (metadata.snapshot() if version is None else metadata.snapshot_at(version=version))
        files = await metadata.table_files(table_id, snapshot.id, predicates)
        columns = await metadata.columns_at(table_id, snapshot.id)
        engine = writing_engine()
        engine.execute("SET TimeZone='UTC'")
        relations = []
        for number, inlined in enumerate(files.inlined):
            rows = await metadata.inlined_rows(inlined, table_id, snapshot.id)
            engine.register(f"inlined_{number}", rows.data)
            relations.append(rows.relation(f"inlined_{number}"))
        sql = scan_sql(files.files, columns, row_identity, relations, await metadata.mappings(files))
        return engine.execute(f"SELECT * FROM ({sql}) {suffix}").fetchall()


def stats_of(statistics: dict[str, dict[str, str]], ids: dict[str, int]) -> tuple[ColumnStats, ...]:
    return tuple(
        ColumnStats(
            ids[name.replace('"', "")],
            stat.get("min"),
            stat.get("max"),
            int(stat["null_count"]),
            int(stat["num_values"]),
            int(stat["column_size_bytes"]),
            None if "has_nan" not in stat else stat["has_nan"] == "true",
        )
        for name, stat in statistics.items()
    )


class LakeSession:
    """A backing connection and the changes that its transaction has collected."""

    def __init__(self, catalog: LakeCatalog) -> None:
        self.catalog = catalog
        self.connection = psycopg.connect(catalog.conninfo, autocommit=True)
        self.changes: list[TableChange] = []

    def close(self) -> None:
        self.connection.close()

    def begin(self) -> None:
        self.changes = []
        self.connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")

    def ddl(self, sql: str, checked: str | None = None) -> None:
        """`checked`: a table whose rows bear the change out, as the gateway says after it has looked."""
        if checked is not None:
            row = self.connection.execute("SELECT pg_current_xact_id()::text").fetchone()
            assert row is not None
            self.catalog.super.execute(
                "INSERT INTO mere.ddl_ticket (xid, relid) VALUES (%s::xid8, %s) ON CONFLICT DO NOTHING",
                (row[0], self.relid(checked)),
            )
        self.connection.execute(sql)

    def relid(self, table: str) -> int:
        row = self.connection.execute("SELECT %s::regclass::oid::int8", (table,)).fetchone()
        assert row is not None
        return int(row[0])

    def shell(self, table: str) -> tuple[str, str, int, dict[str, int], str | None]:
        row = self.connection.execute(
            "SELECT path, policy, buckets, (SELECT name FROM mere.shell_column c"
            " WHERE c.relid = s.relid AND attnum = keys[1]) FROM mere.shell s WHERE relid = %s::regclass",
            (table,),
        ).fetchone()
        assert row is not None
        ids: dict[str, int] = {}
        for name, column_id, element_id in self.connection.execute(
            "SELECT a.attname, column_id, element_id FROM mere.shell_column c JOIN pg_attribute a ON attrelid = relid"
            " AND a.attnum = c.attnum WHERE relid = %s::regclass AND NOT attisdropped",
            (table,),
        ):
            ids[name] = column_id
            if element_id is not None:
                ids[f"{name}.element"] = element_id
        return row[0], row[1], row[2], ids, row[3]

    def write(self, table: str, select: str) -> tuple[NewFile, ...]:
        """Writes the rows of a SELECT (columns named as the table's) into files, one per bucket."""
        path, policy, buckets, ids, key = self.shell(table)
        prefix = self.catalog.data_path / path
        prefix.mkdir(parents=True, exist_ok=True)
        engine = writing_engine()
        fields = ", ".join(
            f'"{name}": {{__duckdb_field_id: {i}, element: {ids[name + ".element"]}}}'
            if f"{name}.element" in ids
            else f'"{name}": {i}'
            for name, i in ids.items()
            if "." not in name
        )
        options = f"FORMAT parquet, RETURN_STATS, FIELD_IDS {{{fields}}}"
        if policy == "hash":
            bucket = f"({self.murmur(key or '')} & 2147483647) % {buckets}"
            sql = (
                f"COPY (SELECT *, {bucket} AS bucket FROM ({select})) TO '{prefix}/' ({options}, PARTITION_BY (bucket),"
                f" FILENAME_PATTERN 'f-{{uuid}}', OVERWRITE_OR_IGNORE)"
            )
        else:
            sql = f"COPY ({select}) TO '{prefix}/f-{uuid.uuid4()}.parquet' ({options})"
        result = engine.execute(sql).fetchall()
        return tuple(
            NewFile(
                str(Path(name).relative_to(prefix)),
                count,
                size,
                footer,
                int(partition["bucket"]) if partition and partition["bucket"] is not None else None,
                stats_of(statistics, ids),
            )
            for name, count, size, footer, statistics, partition in result
            if count
        )

    @staticmethod
    def murmur(key: str) -> str:
        return f'murmur3_32("{key}")'

    def change(self, table: str, read_snapshot: int | None, **changes: Any) -> None:
        self.changes.append(TableChange(self.relid(table), read_snapshot, **changes))

    def insert(self, table: str, select: str, read_snapshot: int | None = None) -> tuple[NewFile, ...]:
        files = self.write(table, select)
        self.changes.append(TableChange(self.relid(table), read_snapshot, files=files))
        return files

    def delete_positions(
        self, table: str, read_snapshot: int, positions: dict[int, tuple[str, Sequence[int], int | None]]
    ) -> None:
        """`positions` by data file id: its path, all its deleted positions, the delete file replaced."""
        path = self.shell(table)[0]
        deletes = tuple(
            self.write_delete(path, file_id, data_path, rows, replaces)
            for file_id, (data_path, rows, replaces) in positions.items()
        )
        self.changes.append(TableChange(self.relid(table), read_snapshot, deletes=deletes))

    def write_delete(
        self, prefix: str, file_id: int | None, data_path: str, rows: Sequence[int], replaces: int | None
    ) -> NewDelete:
        name = f"d-{uuid.uuid4()}-delete.parquet"
        target = self.catalog.data_path / prefix / name
        source = self.catalog.data_path / prefix / data_path
        result = (
            writing_engine()
            .execute(
                f"COPY (SELECT '{source}' AS file_path, unnest({list(rows)})::BIGINT AS pos ORDER BY 2) TO '{target}'"
                " (FORMAT parquet, FIELD_IDS {file_path: 2147483646, pos: 2147483645}, RETURN_STATS)"
            )
            .fetchone()
        )
        assert result is not None
        own = data_path if file_id is None else None
        return NewDelete(file_id, own, name, len(rows), result[2], result[3], replaces)

    def give_ticket(self, token: str, author: str = "tester") -> None:
        message = CommitMessage(token, author, tuple(self.changes))
        row = self.connection.execute("SELECT pg_current_xact_id()::text").fetchone()
        assert row is not None
        self.catalog.super.execute(
            "INSERT INTO mere.ticket (xid, message) VALUES (%s::xid8, %s::jsonb)", (row[0], message.to_json())
        )

    def commit(self, author: str = "tester") -> int | None:
        self.give_ticket(str(uuid.uuid4()), author)
        try:
            self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            result = self.connection.execute("SELECT mere.commit()").fetchone()
            self.connection.execute("COMMIT")
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        finally:
            self.changes = []
        assert result is not None
        return None if result[0] is None else int(result[0])

    def rollback(self) -> None:
        self.changes = []
        self.connection.execute("ROLLBACK")

    def run(self, *ddl: str, checked: str | None = None) -> int | None:
        self.begin()
        for sql in ddl:
            self.ddl(sql, checked)
        return self.commit()

    def load(self, table: str, select: str) -> int | None:
        self.begin()
        self.insert(table, select)
        return self.commit()


def make_template(peer: Peer, directory: Path) -> str:
    """A database with an empty lake, to be copied for each test."""
    name = f"lake_template_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(peer.superuser_conninfo, autocommit=True) as admin:
        roles = {"mere_super": "SUPERUSER LOGIN", "mere_gateway": "LOGIN NOINHERIT", "mere_python": "NOLOGIN"}
        for role, rights in roles.items():
            if admin.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is None:
                admin.execute(f"CREATE ROLE {role} {rights}")
                admin.execute(f"ALTER ROLE {role} SET default_table_access_method = 'heap'")
        admin.execute(f"CREATE DATABASE {name}")
    catalog = LakeCatalog(_conninfo(peer, name), directory)
    catalog.super.execute("CREATE SCHEMA mere_lake")
    catalog.super.execute("CREATE ACCESS METHOD lake TYPE TABLE HANDLER heap_tableam_handler")
    catalog.duckdb().close()
    catalog.super.execute("SET event_triggers = off")
    for text in installation_sql():
        catalog.super.execute(text)
    catalog.close()
    return name


def _conninfo(peer: Peer, database: str) -> str:
    conninfo = peer.superuser_conninfo.replace("dbname=postgres", f"dbname={database}")
    return conninfo.replace("user=postgres", "user=mere_super")


@contextmanager
def fresh_catalog(peer: Peer, template: str, directory: Path) -> Iterator[LakeCatalog]:
    name = f"lake_{uuid.uuid4().hex[:12]}"
    data_path = directory / "data"
    data_path.mkdir()
    with psycopg.connect(peer.superuser_conninfo, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        catalog = LakeCatalog(_conninfo(peer, name), data_path)
        catalog.super.execute(
            "UPDATE mere_lake.ducklake_metadata SET value = %s WHERE key = 'data_path'", (f"{data_path}/",)
        )
        try:
            yield catalog
        finally:
            catalog.close()
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
