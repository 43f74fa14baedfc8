"""What only the primary does: entered when a coordinator becomes primary, left when it is one no longer.

Without a cluster the coordinator is the primary from its start to its end. Lives in the coordinator process.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from mere.backup.schedule import Backups, scheduled_backups
from mere.cli.assembly import bootstrap, scheduled_maintenance
from mere.cli.segments import segment_wishes
from mere.session.services import Services


@asynccontextmanager
async def primary_duties(services: Services, backups: Backups | None) -> AsyncIterator[str | None]:
    """Yields when the catalog is up to date: the administrator's password, if this start made the warehouse."""
    async with AsyncExitStack() as stack:
        password = await bootstrap(services.settings, services.postgres, services.storage)
        await stack.enter_async_context(segment_wishes(services.runtime, services.postgres, services.settings))
        await stack.enter_async_context(scheduled_maintenance(services))
        if backups is not None:
            await stack.enter_async_context(scheduled_backups(backups, services.postgres.data.warehouse))
        yield password
