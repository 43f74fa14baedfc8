"""Ends a PostgreSQL that is a primary past the end of its lease, when Patroni did not: hung, killed or paused.

A thread of the coordinator process, so that a busy event loop does not hold it up. Where the whole machine was paused,
this is what acts first when it wakes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from mere.catalog.orphan import cut_off, is_primary
from mere.ha.records import boot_clock
from mere.ha.watchword import Lease, read_lease

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.1


def overdue(lease: Lease | None, now: float) -> bool:
    """Has a lease ended that this node held?"""
    return lease is not None and lease.until is not None and now >= lease.until


class Guard:
    """Watches one node's PostgreSQL from `start` to `stop`."""

    def __init__(self, cluster: Path, lease_file: Path, clock: Callable[[], float] = boot_clock) -> None:
        self._cluster = cluster
        self._lease_file = lease_file
        self._clock = clock
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="guard of the lease", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            try:
                self.look()
            except (OSError, ValueError, KeyError) as error:
                log.error("the guard of the lease cannot look: %s", error)

    def look(self) -> bool:
        """Whether a PostgreSQL had to be ended."""
        if not overdue(read_lease(self._lease_file), self._clock()) or not is_primary(self._cluster):
            return False
        cut_off(self._cluster)
        log.warning("this node's lease ended while its PostgreSQL was the primary: PostgreSQL was stopped")
        return True
