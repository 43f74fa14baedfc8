"""The roles that a coordinator pair needs in PostgreSQL. Used in the coordinator process.

Patroni makes them with a new catalog. One that was alone before lacks them, and Mere lets nobody into the database
`postgres`, where pg_rewind reads.
"""

from __future__ import annotations

from mere.catalog.postgres import Postgres
from mere.ha.secrets import REPLICATION, REWIND

_READS = (
    "pg_ls_dir(text, boolean, boolean)",
    "pg_stat_file(text, boolean)",
    "pg_read_binary_file(text)",
    "pg_read_binary_file(text, bigint, bigint, boolean)",
)
_READY = """
    SELECT count(*) = 2 AND has_database_privilege($2, 'postgres', 'CONNECT')
        AND bool_and(rolname <> $2 OR has_function_privilege(rolname, $3, 'EXECUTE'))
    FROM pg_authid WHERE rolname IN ($1, $2) AND rolcanlogin AND rolpassword IS NOT NULL
"""


async def ensure_accounts(server: Postgres) -> None:
    """As the primary; costs one query when it was done before."""
    connection = await server.connect()
    try:
        known = {row[0] for row in await connection.fetch("SELECT rolname FROM pg_authid")}
        if {REPLICATION, REWIND} <= known and await connection.fetchval(_READY, REPLICATION, REWIND, _READS[-1]):
            return
        async with connection.transaction():
            for role, rights in ((REPLICATION, "LOGIN REPLICATION"), (REWIND, "LOGIN")):
                make = "ALTER" if role in known else "CREATE"
                statement = await connection.fetchval(
                    f"SELECT format('{make} ROLE %I WITH {rights} PASSWORD %L', $1::text, $2::text)",
                    role,
                    server.data.secret(role),
                )
                await connection.execute(statement)
            await connection.execute(f"GRANT CONNECT ON DATABASE postgres TO {REWIND}")
            for function in _READS:
                await connection.execute(f"GRANT EXECUTE ON FUNCTION pg_catalog.{function} TO {REWIND}")
    finally:
        await connection.close()
