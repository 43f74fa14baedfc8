"""Maintenance in a serving process: what of it is asked for, and how it reaches one database's lake.

Only this process knows which files and snapshots its sessions need, so all maintenance of a running warehouse is done
here. Lives in the coordinator process.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from mere.catalog.postgres import SERVICE_ERRORS, Postgres
from mere.catalog.server import GATEWAY_ROLE, SUPERUSER
from mere.errors import CatalogError
from mere.lake.maintenance import Kind, Maintenance, MaintenancePolicy, Step
from mere.lake.rewrite import EVERYTHING
from mere.segment.storage import Storage, StoredObject
from mere.session.services import Services
from mere.settings import Settings

log = logging.getLogger(__name__)

# A plain DuckDB beside us writes files before its commit names them, and nobody can ask it.
LONGEST_FOREIGN_TRANSACTION = timedelta(hours=24)
_CLOCK_SKEW = timedelta(seconds=60)
_OLDEST = """
    SELECT min(xact_start) FROM pg_stat_activity
    WHERE datname = $1 AND usename <> ALL ($2) AND backend_type = 'client backend'
"""


@dataclass(frozen=True, slots=True)
class Request:
    """`relations`: only these tables, by their oids. `full`: whatever can be better, not only what is worth it.
    `retention`: another one than the setting. `dry`: only look."""

    origin: str
    kinds: Collection[Kind] = tuple(Kind)
    relations: Collection[int] | None = None
    full: bool = False
    retention: timedelta | None = None
    dry: bool = False
    run_id: UUID = field(default_factory=uuid4)


async def maintain(services: Services, name: str, request: Request) -> list[Step]:
    """The steps in one database that did something. CatalogError where the catalog goes, or takes no writes."""
    began = time.monotonic()
    database = await services.database(name)
    maintenance = Maintenance(
        pool=database.pool,
        metadata=database.metadata,
        data_url=database.data_url,
        store=SettledObjects(services.storage, services.postgres, name, await _spared(services)),
        engine=services.engine.workspace,
        readers=database.readers,
        changing=database.changing,
        in_flight=database.in_flight,
        turn=database.maintaining,
        policy=policy(services.settings, request),
        dry=request.dry,
        origin=request.origin,
        run_id=request.run_id,
    )
    try:
        steps = [step async for step in maintenance.steps(request.kinds, request.relations)]
    except (*SERVICE_ERRORS, OSError) as error:
        raise CatalogError(f"maintenance broke off, since the catalog does not take it any more: {error}") from error
    if steps and not request.dry:
        log.info("maintenance of %s in %.1f s: %s", name, time.monotonic() - began, "; ".join(map(str, steps)))
    return steps


def policy(settings: Settings, request: Request) -> MaintenancePolicy:
    """The standby's queries are not known here: files that they may still read stay for a time."""
    retention = settings.retention if request.retention is None else request.retention
    safety = min(retention, LONGEST_FOREIGN_TRANSACTION)
    grace = safety if settings.cluster is None else max(safety, settings.standby_grace)
    made = MaintenancePolicy(retention=retention, safety=safety, grace=grace)
    return dataclasses.replace(made, rewrite=EVERYTHING) if request.full else made


async def _spared(services: Services) -> datetime | None:
    """Up to when files that nobody knows may be those of a history that a restore left, and may be gone back to."""
    restored = await services.restored()
    if restored is None or datetime.now(UTC) > restored + services.settings.retention:
        return None
    return restored


class SettledObjects:
    """The storage without what an open transaction may have written, whose files are garbage only to a stranger's eye,
    and without what is not younger than `spared`."""

    def __init__(self, storage: Storage, postgres: Postgres, database: str, spared: datetime | None = None) -> None:
        self._storage = storage
        self._spared = spared
        self._postgres = postgres
        self._database = database
        self._skew = timedelta(0) if storage.location.is_local else _CLOCK_SKEW

    @property
    def url(self) -> str:
        return self._storage.url

    async def list(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        horizon = await self._oldest_transaction() - self._skew
        async for found in self._storage.list(prefix):
            if found.modified < horizon and (self._spared is None or found.modified > self._spared):
                yield found

    async def head(self, path: str) -> StoredObject | None:
        return await self._storage.head(path)

    async def delete(self, paths: Sequence[str]) -> None:
        await self._storage.delete(paths)

    async def _oldest_transaction(self) -> datetime:
        """When the oldest one that is open began; now, if none is. Asked before the list is made."""
        now = datetime.now(UTC)
        connection = await self._postgres.connect()
        try:
            oldest: datetime | None = await connection.fetchval(_OLDEST, self._database, [SUPERUSER, GATEWAY_ROLE])
        finally:
            await connection.close()
        return now if oldest is None else min(oldest, now)
