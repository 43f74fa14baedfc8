"""Lake databases: create, bring up to date, drop. Runs in the `mere serve` process, for the gateway.

The gateway owns CREATE DATABASE: a copy of a lake database would share its files, and maintenance of one would destroy
the other. A new database is a copy of `mere_template` under a passing name, gets a prefix of its own in the storage,
and only then its name, so nobody ever sees half of it.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

import asyncpg

from mere.catalog.bootstrap import ADMINISTRATOR, TEMPLATE, install
from mere.catalog.postgres import Postgres
from mere.errors import FeatureNotSupported, InsufficientPrivilege, MereError, UndefinedObject

_PASSING = "mere_new_"
_RESERVED = frozenset({"postgres", "template0", "template1", TEMPLATE})
_TEMPLATES = frozenset({"template0", "template1", TEMPLATE})


@dataclass(frozen=True, slots=True)
class LakeDatabase:
    """`data_url` is the prefix of all its files and ends with '/'."""

    name: str
    data_url: str


async def bootstrap_database(
    server: Postgres, name: str, storage: str, owner: str = ADMINISTRATOR, connection_limit: int = -1
) -> LakeDatabase:
    """The database of this name, made when missing and brought up to date. `storage` is the root of all databases."""
    connection = await server.connect()
    try:
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name):
            await _create(server, connection, name, owner, storage, connection_limit)
    finally:
        await connection.close()
    return await open_database(server, name)


async def bootstrap_all(server: Postgres) -> tuple[LakeDatabase, ...]:
    """At start: removes half-made databases and brings every lake database up to date."""
    connection = await server.connect()
    try:
        for row in await connection.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", _PASSING):
            await connection.execute(f"DROP DATABASE {_identifier(row[0])} WITH (FORCE)")
        names = await connection.fetch(
            "SELECT datname FROM pg_database WHERE datallowconn AND datname <> ALL ($1) ORDER BY datname",
            list(_RESERVED),
        )
    finally:
        await connection.close()
    return tuple([await open_database(server, row[0]) for row in names])


async def open_database(server: Postgres, name: str) -> LakeDatabase:
    """An existing lake database, its SQL brought up to date."""
    try:
        connection = await server.connect(name)
    except asyncpg.InvalidCatalogNameError:
        raise UndefinedObject(f'database "{name}" does not exist', sqlstate="3D000") from None
    try:
        await install(connection)
        return LakeDatabase(name, await _data_url(connection))
    finally:
        await connection.close()


async def create_database(
    server: Postgres,
    role: str,
    name: str,
    storage: str,
    *,
    owner: str | None = None,
    template: str | None = None,
    connection_limit: int = -1,
) -> LakeDatabase:
    """CREATE DATABASE for `role` (the session's current role), with PostgreSQL's checks and errors."""
    connection = await server.connect()
    try:
        await _check_may_create(connection, role, owner or role)
        if template is not None and template not in _TEMPLATES:
            raise FeatureNotSupported(
                f'database "{template}" cannot be a template: its copy would share its files',
                hint="Create an empty database and copy tables with CREATE TABLE AS.",
            )
        if await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name):
            raise MereError(f'database "{name}" already exists', sqlstate="42P04")
        if name.startswith(_PASSING):
            raise MereError(f'database name "{name}" is reserved', sqlstate="42939")
        return await _create(server, connection, name, owner or role, storage, connection_limit)
    finally:
        await connection.close()


async def drop_database(
    server: Postgres, role: str, name: str, *, if_exists: bool = False, force: bool = False
) -> LakeDatabase | None:
    """DROP DATABASE for `role`. The caller has closed its connections, and removes the files under `data_url` after."""
    connection = await server.connect()
    try:
        found = await connection.fetchrow(
            "SELECT pg_has_role($2, datdba, 'USAGE') AS owned FROM pg_database WHERE datname = $1", name, role
        )
        if found is None:
            if if_exists:
                return None
            raise UndefinedObject(f'database "{name}" does not exist', sqlstate="3D000")
        if name in _RESERVED or not found["owned"]:
            raise InsufficientPrivilege(f"must be owner of database {name}")
        database = await open_database(server, name)
        try:
            await connection.execute(f"DROP DATABASE {_identifier(name)}{' WITH (FORCE)' if force else ''}")
        except asyncpg.PostgresError as error:
            raise MereError(error.args[0], sqlstate=error.sqlstate, detail=error.detail, hint=error.hint) from error
        return database
    finally:
        await connection.close()


async def _check_may_create(connection: asyncpg.Connection, role: str, owner: str) -> None:
    rights = await connection.fetchrow("SELECT rolcreatedb OR rolsuper AS may FROM pg_roles WHERE rolname = $1", role)
    if rights is None or not rights["may"]:
        raise InsufficientPrivilege("permission denied to create database")
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", owner):
        raise UndefinedObject(f'role "{owner}" does not exist', sqlstate="42704")
    if not await connection.fetchval("SELECT pg_has_role($1::name, $2::name, 'SET')", role, owner):
        raise InsufficientPrivilege(f'must be able to SET ROLE "{owner}"')


async def _create(
    server: Postgres, connection: asyncpg.Connection, name: str, owner: str, storage: str, connection_limit: int
) -> LakeDatabase:
    token = uuid.uuid4().hex
    passing = _PASSING + token
    plain = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")[:40] or "database"
    data_url = f"{storage.rstrip('/')}/{plain}-{token[:12]}/"
    try:
        await connection.execute(
            f"CREATE DATABASE {passing} TEMPLATE {TEMPLATE} IS_TEMPLATE false ALLOW_CONNECTIONS true"
        )
        inside = await server.connect(passing)
        try:
            await inside.execute("UPDATE mere_lake.ducklake_metadata SET value = $1 WHERE key = 'data_path'", data_url)
            await inside.execute("UPDATE mere_lake.ducklake_schema SET schema_uuid = gen_random_uuid()")
            await inside.execute("UPDATE mere_lake.ducklake_snapshot SET snapshot_time = now()")
        finally:
            await inside.close()
        await connection.execute(f"ALTER DATABASE {passing} SET default_table_access_method = 'lake'")
        await connection.execute(f"ALTER DATABASE {passing} CONNECTION LIMIT {int(connection_limit)}")
        await connection.execute(f"ALTER DATABASE {passing} OWNER TO {_identifier(owner)}")
        await connection.execute(f"ALTER DATABASE {passing} RENAME TO {_identifier(name)}")
    except asyncpg.PostgresError as error:
        await connection.execute(f"DROP DATABASE IF EXISTS {passing} WITH (FORCE)")
        raise MereError(str(error), sqlstate=error.sqlstate) from error
    return LakeDatabase(name, data_url)


async def _data_url(connection: asyncpg.Connection) -> str:
    return str(
        await connection.fetchval(
            "SELECT value FROM mere_lake.ducklake_metadata WHERE key = 'data_path' AND scope IS NULL"
        )
    )


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
