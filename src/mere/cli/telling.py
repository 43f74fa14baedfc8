"""What a running server tells `mere state`. Lives in the coordinator process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from mere.catalog.postgres import SERVICE_ERRORS
from mere.cli.control import Answer
from mere.cli.segments import tell_segments
from mere.cli.upkeep import tell_sizes
from mere.ha.durability import durability
from mere.ha.membership import members
from mere.ha.rest import PatroniSilent

if TYPE_CHECKING:
    from mere.cli.server import Server
    from mere.ha.server import PatroniServer


async def tell_state(server: Server) -> AsyncIterator[Answer]:
    """First the warehouse, then each member of its cluster, each segment, each database, and its backups."""
    yield {"listen": str(server.address), "storage": server.settings.storage}
    postgres = server.postgres
    if server.node is not None:
        yield {"cluster": await tell_cluster(server.node.postgres)}
    async for segment in tell_segments(server.services.runtime):
        yield segment
    if postgres.role != "none":
        async for size in tell_sizes(postgres):
            yield size
    if server.backups is not None and postgres.role == "primary":
        yield {"backups": server.backups.tell()}


async def tell_cluster(postgres: PatroniServer) -> Mapping[str, Any]:
    """The cluster as this node and its Patroni see it."""
    node = postgres.node
    told: dict[str, Any] = {
        "name": node.cluster,
        "node": node.name,
        "role": postgres.role,
        "lease": postgres.lease_left,
        "lease_seconds": node.lease,
        "standby_wait": None if postgres.waits_always else node.standby_wait.total_seconds(),
    }
    try:
        told["members"] = list(await members(postgres))
        if postgres.role == "primary":
            connection = await postgres.connect()
            try:
                told["durability"] = (await durability(connection)).value
            finally:
                await connection.close()
    except (PatroniSilent, *SERVICE_ERRORS, OSError) as error:
        told.setdefault("members", [])
        told["trouble"] = str(error)
    return told
