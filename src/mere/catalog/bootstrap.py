"""Makes a cluster and its databases into a lake. Runs in the `mere serve` process, as the superuser, at start.

    await bootstrap_cluster(server, password)                # roles and the template; cheap when done before
    await bootstrap_database(server, "mere", ...)            # in mere.catalog.databases: create, or bring up to date

Every lake database is a copy of the template database `mere_template`, in which DuckLake's own extension has made its
tables; only the place of the data differs. The SQL of catalog/sql and lake/sql is idempotent and is applied again to
each database whenever its text has changed.

What the gateway owes to DDL (its half of the rules in sql/shells.sql). PostgreSQL sees an empty shell, so a definition
that stored rows must bear out would succeed without a look. On a table with data the event triggers refuse it with
0A000 (23502 for a NOT NULL column without default):
  SET NOT NULL, a new validated CHECK, a change of type, anything that rewrites the table (TYPE ... USING, a volatile
  default for a new column), a new distribution, new bounds of a partition (and of the default one beside it).
To let one through, the gateway locks the shell on the backing connection (LOCK TABLE t IN ACCESS EXCLUSIVE MODE),
looks at or rewrites the rows, and then, as mere_gateway on a connection of its own, inserts
  INSERT INTO mere.ddl_ticket (xid, relid) VALUES (the backing transaction's pg_current_xact_id(), oid of the table)
before it sends the ALTER. The ticket covers that table until the transaction ends.
DDL that PostgreSQL commits by itself, without mere.commit(), is refused at COMMIT with 0A000 and the message BACKSTOP:
from a function called in a statement outside a transaction block, say. Nothing has happened then, so the gateway may
run that statement again inside a transaction of its own and commit it through mere.commit(); mere.ddl_pending() tells
whether a transaction has such DDL. ADD FOREIGN KEY on a table that exists would read the shells; with NOT ENFORCED
added to the clause it does not (CREATE TABLE needs no help: there the event trigger makes it NOT ENFORCED).
When a transaction writes files to a table before their commit, and the table has no other data, PostgreSQL does not
know: the gateway says so by INSERT INTO mere.written (xid, relid), in the same way.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import importlib.resources
import tempfile
from importlib.resources.abc import Traversable
from pathlib import Path

import asyncpg
import duckdb

from mere.catalog.postgres import Postgres
from mere.catalog.server import GATEWAY_ROLE, SUPERUSER
from mere.errors import StartupError

ADMINISTRATOR = "mere"
BACKSTOP = "lake tables were defined in a transaction that Mere does not commit"
TEMPLATE = "mere_template"
LAKE_SCHEMA = "mere_lake"
# DuckDB finds an extension's entry by the name of its file, and the file in the postgres wheel is misnamed.
_EXTENSIONS = {"ducklake": "ducklake", "postgres": "postgres_scanner"}
_NOWHERE = "mere-template/"

# tables.sql comes before lake/sql, which refers to them; functions refer to each other only when they run.
_BEFORE_LAKE = ("tables.sql",)
_AFTER_LAKE = (
    "tripwire.sql",
    "shells.sql",
    "partitions.sql",
    "policies.sql",
    "refresh.sql",
    "backstop.sql",
    "functions.sql",
    "names.sql",
    "imports.sql",
    "session.sql",
    "activity.sql",
    "grants.sql",
    "segments.sql",
    "events.sql",
)


async def bootstrap_cluster(server: Postgres, password: str) -> None:
    """Roles with their passwords, and the template database. `password` is the administrator's first one."""
    connection = await server.connect()
    try:
        await connection.execute(_own_sql("cluster.sql"))
        await _set_password(connection, GATEWAY_ROLE, server.gateway_password)
        if await connection.fetchval("SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = $1", ADMINISTRATOR):
            await _set_password(connection, ADMINISTRATOR, password)  # later it is the administrator's to change
        await _ensure_template(server, connection)
    finally:
        await connection.close()


async def install(connection: asyncpg.Connection) -> None:
    """Applies Mere's SQL to the connected database, unless this text was applied before. All or nothing."""
    digest = installation_digest()
    exists = await connection.fetchval("SELECT to_regclass('mere.installed') IS NOT NULL")
    if exists and digest == await connection.fetchval("SELECT digest FROM mere.installed"):
        return
    async with connection.transaction():
        await connection.execute("SET LOCAL event_triggers = off")
        await connection.execute("SET LOCAL client_min_messages = warning")
        for text in installation_sql():
            await connection.execute(text)
        await connection.execute("DELETE FROM mere.installed")
        await connection.execute("INSERT INTO mere.installed (digest) VALUES ($1)", digest)


def installation_sql() -> list[str]:
    lake = importlib.resources.files("mere.lake") / "sql"
    scripts = sorted((entry for entry in lake.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    own = [_own_sql(name) for name in _BEFORE_LAKE]
    return own + [script.read_text() for script in scripts] + [_own_sql(name) for name in _AFTER_LAKE]


def installation_digest() -> str:
    return hashlib.sha256("\0".join(installation_sql()).encode()).hexdigest()


def _own_sql(name: str) -> str:
    script: Traversable = importlib.resources.files("mere.catalog") / "sql" / name
    return script.read_text()


async def _set_password(connection: asyncpg.Connection, role: str, password: str) -> None:
    statement = await connection.fetchval(
        "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)", role, password
    )
    await connection.execute(statement)


async def _ensure_template(server: Postgres, connection: asyncpg.Connection) -> None:
    """`mere_template` is complete when it is marked as a template; a half-made one of a killed start is dropped."""
    state = await connection.fetchval("SELECT datistemplate FROM pg_database WHERE datname = $1", TEMPLATE)
    if state:
        await connection.execute(f"ALTER DATABASE {TEMPLATE} ALLOW_CONNECTIONS true")
    else:
        await connection.execute(f"DROP DATABASE IF EXISTS {TEMPLATE}")
        await connection.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
        await asyncio.to_thread(_create_lake_schema, server)
    try:
        inside = await server.connect(TEMPLATE)
        try:
            await _create_access_method(inside)
            await install(inside)
        finally:
            await inside.close()
    finally:
        await connection.execute(f"ALTER DATABASE {TEMPLATE} ALLOW_CONNECTIONS false")
    await connection.execute(f"REVOKE ALL ON DATABASE {TEMPLATE} FROM PUBLIC")
    await connection.execute(f"ALTER DATABASE {TEMPLATE} IS_TEMPLATE true")


async def _create_access_method(connection: asyncpg.Connection) -> None:
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_am WHERE amname = 'lake')"):
        await connection.execute("CREATE ACCESS METHOD lake TYPE TABLE HANDLER heap_tableam_handler")


def _create_lake_schema(server: Postgres) -> None:
    """DuckLake's tables are made by its own extension, in a throw-away DuckDB that downloads nothing."""
    with tempfile.TemporaryDirectory(dir=server.data.path) as home:
        config: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": "false",
            "extension_directory": home,
            "home_directory": home,
            "threads": "1",
        }
        connection = duckdb.connect(":memory:", config=config)
        try:
            load_ducklake(connection, Path(home))
            source = (
                f"ducklake:postgres:dbname={TEMPLATE} host={_conninfo(str(server.socket_directory))} "
                f"port={server.port} user={SUPERUSER} password={_conninfo(server.superuser_password)} "
                "options=-csynchronous_commit=local"
            )
            connection.execute(
                f"ATTACH {_literal(source)} AS lake (DATA_PATH {_literal(home + '/' + _NOWHERE)}, "
                f"METADATA_SCHEMA '{LAKE_SCHEMA}')"
            )
        except duckdb.Error as error:
            raise StartupError(f"DuckLake could not make its tables: {error}") from error
        finally:
            connection.close()


def load_ducklake(connection: duckdb.DuckDBPyConnection, scratch: Path) -> None:
    """Loads DuckLake over PostgreSQL from the wheels; `scratch` is a directory for links to their files."""
    for wheel, name in _EXTENSIONS.items():
        file = scratch / f"{name}.duckdb_extension"
        if not file.exists():
            file.symlink_to(_extension_file(wheel))
        connection.execute(f"LOAD {_literal(str(file))}")


def _extension_file(name: str) -> Path:
    package = importlib.import_module(f"duckdb_extension_{name}")
    assert package.__file__ is not None
    file = Path(package.__file__).parent / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not file.exists():
        raise StartupError(f"the package duckdb-extension-{name} does not fit duckdb {duckdb.__version__}")
    return file


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _conninfo(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
