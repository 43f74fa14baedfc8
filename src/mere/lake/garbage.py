"""What nobody needs any more: snapshots past the retention, the files that only they read, and files that no snapshot
ever read.

A file is deleted only after a commit that follows the decision, and that the standby has too. So the decision was made
by the one primary there is (a coordinator that was paused, and replaced, does not get that commit through), and no
failover can bring back a catalog that still needs the file. Runs in the coordinator process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg

from mere.errors import CatalogError
from mere.lake.maintained import MaintainedLake

_FILES = """
SELECT CASE WHEN f.path_is_relative THEN l.location || f.path ELSE f.path END
FROM (SELECT table_id, path, path_is_relative FROM mere_lake.ducklake_data_file
      UNION ALL SELECT table_id, path, path_is_relative FROM mere_lake.ducklake_delete_file) AS f
JOIN (SELECT DISTINCT t.table_id, mere.lake_location(s.path, s.path_is_relative, t.path, t.path_is_relative) AS location
      FROM mere_lake.ducklake_table AS t JOIN mere_lake.ducklake_schema AS s ON s.schema_id = t.schema_id) AS l
    ON l.table_id = f.table_id
"""
_SCHEDULED_TOO = " UNION ALL SELECT path FROM mere_lake.ducklake_files_scheduled_for_deletion"
_SCHEDULED = "SELECT path FROM mere_lake.ducklake_files_scheduled_for_deletion WHERE schedule_start <= $1"
_EXPIRABLE = """
SELECT count(*) FROM mere_lake.ducklake_snapshot WHERE snapshot_id < mere.first_kept_snapshot($1, $2)
"""
_BARRIER = "SELECT pg_catalog.pg_logical_emit_message(true, 'mere', '')"
_FORGOTTEN_TOGETHER = 1000  # snapshots in one commit, which takes about as long as a writer's
_DELETED_TOGETHER = 1000
_HEADS = 32
_OURS = (".parquet", ".puffin")


async def expire_snapshots(lake: MaintainedLake) -> None:
    """Forgets snapshots past the retention that nobody reads."""
    before = datetime.now(UTC) - lake.policy.retention
    keep_from = 2**62 if lake.readers.oldest is None else lake.readers.oldest
    left = await lake.pool.fetchval(_EXPIRABLE, before, keep_from)
    if lake.dry:
        lake.report.expired_snapshots += left
        return
    while left > 0:
        expired = await lake.pool.fetchval(
            "SELECT mere.expire_snapshots($1, $2, $3)", before, keep_from, _FORGOTTEN_TOGETHER
        )
        lake.report.expired_snapshots += expired
        left = left - expired if expired else 0


async def delete_scheduled(lake: MaintainedLake) -> None:
    """Deletes files whose last snapshot was forgotten long enough ago, those of the extension's upkeep too."""
    before = datetime.now(UTC) - lake.policy.grace
    scheduled = [row[0] for row in await lake.pool.fetch(_SCHEDULED, before)]
    if not scheduled:
        return
    known = {lake.url_of(path) for (path,) in await lake.pool.fetch(_FILES)}
    ours = [url for url in map(lake.url_of, scheduled) if url.startswith(lake.data_url) and url not in known]
    sizes = await _sizes(lake, ours)
    if lake.dry:
        lake.report.deleted_files += len(sizes)
        lake.report.deleted_bytes += sum(sizes.values())
        return
    await settle(lake.pool)
    await _delete(lake, sizes)
    await lake.pool.execute("SELECT mere.forget_scheduled($1::text[])", scheduled)


async def _sizes(lake: MaintainedLake, urls: Sequence[str]) -> dict[str, int]:
    """Of those files that are there: an earlier run may have been killed before it could forget them."""
    gate = asyncio.Semaphore(_HEADS)

    async def look(url: str) -> Any:
        async with gate:
            return await lake.store.head(url)

    found = await asyncio.gather(*map(look, urls))
    return {url: each.size for url, each in zip(urls, found, strict=True) if each is not None}


async def delete_orphans(lake: MaintainedLake) -> None:
    """Deletes files that no metadata and no open transaction knows, once they are old enough."""
    before = datetime.now(UTC) - lake.policy.safety
    listed = {
        lake.store.url.rstrip("/") + "/" + found.path: found.size
        async for found in lake.store.list(lake.data_url)
        if found.modified <= before and found.path.endswith(_OURS)
    }
    # in this order: what is committed in between is known, what not yet is in flight
    flying = set(lake.in_flight)
    known = {lake.url_of(path) for (path,) in await lake.pool.fetch(_FILES + _SCHEDULED_TOO)}
    orphans = {url: size for url, size in listed.items() if url not in flying and url not in known}
    if lake.dry:
        lake.report.deleted_files += len(orphans)
        lake.report.deleted_bytes += sum(orphans.values())
    elif orphans:
        await settle(lake.pool)
        await _delete(lake, orphans)


async def settle(pool: asyncpg.Pool) -> None:
    """Returns when all that was committed before is on the standby too, and this coordinator therefore still was the
    primary when it was called. PostgreSQL gives way to a cancel in that wait with a warning only."""
    warnings: list[str] = []
    async with pool.acquire() as connection:

        def note(_: object, message: Any) -> None:
            warnings.append(str(message.message))

        connection.add_log_listener(note)
        try:
            async with connection.transaction():
                await connection.execute("SET LOCAL synchronous_commit = on")
                await connection.fetchval(_BARRIER)
        finally:
            connection.remove_log_listener(note)
    if warnings:
        raise CatalogError(f"it is not known that the standby has what was decided: {warnings[0]}")


async def _delete(lake: MaintainedLake, files: dict[str, int]) -> None:
    urls = list(files)
    for start in range(0, len(urls), _DELETED_TOGETHER):
        together = urls[start : start + _DELETED_TOGETHER]
        await lake.store.delete(together)
        lake.report.deleted_files += len(together)
        lake.report.deleted_bytes += sum(files[url] for url in together)
