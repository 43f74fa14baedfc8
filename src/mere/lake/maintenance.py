"""Maintenance of one lake, kind by kind and table by table, and the record of it.

Each step stands by itself: it works in small commits, and one that fails, or dies with its process, leaves garbage at
most, which the next run finds. Runs in the coordinator process, on the primary only.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg

from mere.errors import MereError
from mere.lake.compaction import flush_inlined, rewrite_files
from mere.lake.garbage import delete_orphans, delete_scheduled, expire_snapshots
from mere.lake.maintained import OF_LAKES, OF_TABLES, Kind, MaintainedLake, MaintenancePolicy, MaintenanceReport

__all__ = ["Kind", "Maintenance", "MaintenancePolicy", "MaintenanceReport", "Step"]

logger = logging.getLogger(__name__)

# Tables that may have something to do; whether they have, their files tell.
_TABLES = """
WITH crowded AS (
    SELECT table_id FROM mere_lake.ducklake_data_file WHERE end_snapshot IS NULL AND file_size_bytes < $2
    GROUP BY table_id HAVING count(*) >= $3
)
SELECT t.table_id, mere.lake_location(s.path, s.path_is_relative, t.path, t.path_is_relative) AS location,
       k.column_id AS key_id, coalesce(m.buckets, 0) AS buckets, m.relid,
       format('%I.%I', m.schema_name, m.table_name) AS relation
FROM mere_lake.ducklake_table AS t
JOIN mere_lake.ducklake_schema AS s ON s.schema_id = t.schema_id
JOIN mere.shell AS m ON m.table_id = t.table_id
LEFT JOIN mere_lake.ducklake_partition_info AS i ON i.table_id = t.table_id AND i.end_snapshot IS NULL
LEFT JOIN mere_lake.ducklake_partition_column AS k ON k.partition_id = i.partition_id
WHERE t.end_snapshot IS NULL AND (i.partition_id IS NULL) = (m.policy <> 'hash')
  AND ($1::oid[] IS NULL OR m.relid = ANY ($1))
  AND (t.table_id IN (SELECT table_id FROM crowded)
       OR t.table_id IN (SELECT table_id FROM mere_lake.ducklake_delete_file WHERE end_snapshot IS NULL)
       OR t.table_id IN (SELECT table_id FROM mere_lake.ducklake_inlined_data_tables)
       OR to_regclass('mere_lake.ducklake_inlined_delete_' || t.table_id) IS NOT NULL)
ORDER BY t.table_id
"""
_IN_RECOVERY = "SELECT pg_catalog.pg_is_in_recovery()"


class NotPrimary(MereError):
    """A standby's catalog cannot be written."""

    sqlstate = "25006"


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of maintenance of one table, or of the whole lake, and what it did."""

    kind: Kind
    relid: int | None
    relation: str | None
    counts: MaintenanceReport
    started: datetime
    seconds: float
    error: str | None = None

    def __str__(self) -> str:
        counts = ", ".join(f"{name} {value}" for name, value in dataclasses.asdict(self.counts).items() if value)
        return f"{self.kind}{f' {self.relation}' if self.relation else ''}: {self.error or counts}"

    @property
    def did_something(self) -> bool:
        return self.error is not None or any(dataclasses.astuple(self.counts))


@dataclass(slots=True, kw_only=True)
class Maintenance(MaintainedLake):
    """One run, and one at a time. `origin` and `run_id` are for the record."""

    origin: str = "command"
    run_id: UUID = field(default_factory=uuid4)

    async def run(self, kinds: Collection[Kind] = tuple(Kind), relations: Collection[int] | None = None) -> None:
        """All steps; what they did is in `report`."""
        async for _ in self.steps(kinds, relations):
            pass

    async def steps(
        self, kinds: Collection[Kind] = tuple(Kind), relations: Collection[int] | None = None
    ) -> AsyncIterator[Step]:
        """The steps that did something, or would (`dry`), each when it is done. A step that fails does not keep the
        others from being done. `relations`: only these tables, by their oids."""
        if await self.pool.fetchval(_IN_RECOVERY):
            raise NotPrimary("this coordinator is a standby: maintenance runs on the primary")
        wanted, rewrite = None if relations is None else list(relations), self.policy.rewrite
        for table in await self.pool.fetch(_TABLES, wanted, rewrite.small, rewrite.least):
            for kind in (kind for kind in OF_TABLES if kind in kinds):
                if step := await self._step(kind, table):
                    yield step
        for kind in (kind for kind in OF_LAKES if kind in kinds):
            if step := await self._step(kind, None):
                yield step

    async def _step(self, kind: Kind, table: asyncpg.Record | None) -> Step | None:
        before = dataclasses.replace(self.report)
        error = None
        await self.turn.acquire()
        started, began = datetime.now(UTC), time.monotonic()
        try:
            await self._act(kind, table)
        except (asyncpg.ReadOnlySQLTransactionError, asyncpg.PostgresConnectionError):
            raise  # a primary no longer
        except (MereError, asyncpg.PostgresError) as failure:
            error = str(failure)
            logger.warning("maintenance (%s of %s) failed: %s", kind, _place(table, self.data_url), error)
        finally:
            self.turn.release()
        step = Step(
            kind,
            None if table is None else table["relid"],
            None if table is None else table["relation"],
            _difference(before, self.report),
            started,
            time.monotonic() - began,
            error,
        )
        if not step.did_something:
            return None
        await self._note(step)
        return step

    async def _act(self, kind: Kind, table: asyncpg.Record | None) -> None:
        if table is None:
            actions: dict[Kind, Callable[[MaintainedLake], Awaitable[None]]] = {
                Kind.EXPIRE: expire_snapshots,
                Kind.DELETE: delete_scheduled,
                Kind.ORPHANS: delete_orphans,
            }
            await actions[kind](self)
        elif kind is Kind.FLUSH:
            await flush_inlined(self, table)
        else:
            await rewrite_files(self, table, kind)

    async def _note(self, step: Step) -> None:
        counts = step.counts
        record = {
            "run": str(self.run_id),
            "origin": self.origin,
            "dry_run": self.dry,
            "kind": step.kind,
            "relid": step.relid,
            "relation": step.relation,
            "rows_flushed": counts.flushed_rows,
            "files_replaced": counts.rewritten_files,
            "files_written": counts.written_files,
            "gave_way": counts.given_up,
            "snapshots": counts.expired_snapshots,
            "files_deleted": counts.deleted_files,
            "bytes_deleted": counts.deleted_bytes,
            "started": step.started.isoformat(),
            "seconds": step.seconds,
            "error": step.error,
        }
        await self.pool.execute("SELECT mere.note_maintenance($1::text::jsonb)", json.dumps(record))


def _place(table: asyncpg.Record | None, data_url: str) -> str:
    return data_url if table is None else str(table["relation"])


def _difference(before: MaintenanceReport, after: MaintenanceReport) -> MaintenanceReport:
    old, new = dataclasses.asdict(before), dataclasses.asdict(after)
    return MaintenanceReport(**{name: new[name] - old[name] for name in new})
