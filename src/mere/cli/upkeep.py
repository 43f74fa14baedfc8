"""Maintenance of all databases of a running server: by schedule, and for `mere maintain`; sizes for `mere state`.

Lives in the coordinator process.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from mere.catalog.postgres import SERVICE_ERRORS, Postgres
from mere.cli.control import Answer
from mere.errors import CatalogError, MereError
from mere.lake.maintenance import Kind, MaintenanceReport, Step
from mere.session.services import Services
from mere.session.upkeep import Request, maintain

log = logging.getLogger(__name__)

COMPLETE: Answer = {"complete": True}
_LISTING_SECONDS = 24 * 3600.0  # orphans are looked for once a day: that lists all files of the storage
_PATIENCE = 1.0  # for a run that is told to stop
_LAKES = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname"
_HAS_LAKE = "SELECT to_regclass('mere_lake.ducklake_table') IS NOT NULL"
_SIZE = """
    SELECT count(*) AS tables, coalesce(sum(s.record_count), 0)::bigint AS rows,
        coalesce(sum(s.file_size_bytes), 0)::bigint AS bytes
    FROM mere_lake.ducklake_table AS t LEFT JOIN mere_lake.ducklake_table_stats AS s USING (table_id)
    WHERE t.end_snapshot IS NULL
"""


@asynccontextmanager
async def scheduled_maintenance(services: Services) -> AsyncIterator[None]:
    """While it lasts, every database is maintained again and again. For the primary."""
    if not services.settings.maintenance_interval:
        yield
        return
    running = asyncio.create_task(_keep_maintaining(services))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait({running}, timeout=_PATIENCE)


async def _keep_maintaining(services: Services) -> None:
    listed = -_LISTING_SECONDS
    while True:
        await asyncio.sleep(services.settings.maintenance_interval.total_seconds())
        due = time.monotonic() - listed >= _LISTING_SECONDS
        kinds = [kind for kind in Kind if due or kind is not Kind.ORPHANS]
        try:
            for name in await lake_names(services.postgres):
                await maintain(services, name, Request("schedule", kinds))
        except (MereError, *SERVICE_ERRORS, OSError) as error:
            log.warning("maintenance broke off: %s", error)
        else:
            listed = time.monotonic() if due else listed


async def maintain_all(services: Services, request: Answer) -> AsyncIterator[Answer]:
    """`mere maintain`: one answer for each database, with what was done, or would be, and COMPLETE."""
    retention = request.get("retention")
    asked = Request(
        "command",
        _kinds(request.get("kinds")),
        full=bool(request.get("full")),
        retention=None if retention is None else timedelta(seconds=float(retention)),
        dry=bool(request.get("dry_run")),
    )
    only = request.get("database")
    try:
        names = await lake_names(services.postgres)
        if only is not None and only not in names:
            raise MereError(f'there is no lake database "{only}"', sqlstate="3D000")
        for name in names if only is None else [only]:
            steps = await maintain(services, name, asked)
            yield {"database": name, **_total(steps), "errors": [str(step) for step in steps if step.error]}
    except (*SERVICE_ERRORS, OSError) as error:
        raise CatalogError(f"the catalog does not answer: {error}") from error
    yield COMPLETE


def _kinds(names: Sequence[str] | None) -> Collection[Kind]:
    try:
        return tuple(Kind) if names is None else [Kind(name) for name in names]
    except ValueError as error:
        raise MereError(f"{error}; the kinds are {', '.join(Kind)}", sqlstate="22023") from error


def _total(steps: Sequence[Step]) -> dict[str, Any]:
    counts = [dataclasses.asdict(step.counts) for step in steps]
    return {field.name: sum(count[field.name] for count in counts) for field in dataclasses.fields(MaintenanceReport)}


async def lake_names(postgres: Postgres) -> Sequence[str]:
    """The databases that hold a lake."""
    connection = await postgres.connect()
    try:
        names = [row["datname"] for row in await connection.fetch(_LAKES)]
    finally:
        await connection.close()
    found = []
    for name in names:
        connection = await postgres.connect(name)
        try:
            if await connection.fetchval(_HAS_LAKE):
                found.append(name)
        finally:
            await connection.close()
    return found


async def tell_sizes(postgres: Postgres) -> AsyncIterator[Answer]:
    """One answer for each lake database. Rows and bytes are of all files that are current, deleted rows included."""
    for name in await lake_names(postgres):
        connection = await postgres.connect(name)
        try:
            row = await connection.fetchrow(_SIZE)
        finally:
            await connection.close()
        assert row is not None
        yield {"database": name, **dict(row)}
