"""A process that contends for a lease on a real store, and tells when it believed that it held it.

All processes of one machine share the boot clock, so their beliefs can be laid beside each other.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from mere.ha.lease import Lease, patience
from mere.ha.objects import Unreachable, open_objects
from mere.ha.records import Records, boot_clock

TTL = 1.0
MARGIN = 0.2


@dataclass(slots=True)
class Belief:
    """From `start` to `end` the process `name` would have acted as the holder."""

    name: str
    start: float
    end: float


def contend(
    url: str,
    environment: Mapping[str, str],
    prefix: str,
    name: str,
    seconds: float,
    start: Barrier,
    told: Queue[list[Belief]],
) -> None:
    """Take it, renew it a few times, then give it up or fall silent, again and again."""
    lease = Lease(Records(open_objects(url, prefix, environment, 2.0)), "leader", name, TTL, MARGIN)
    chance = random.Random(name)
    beliefs: list[Belief] = []
    start.wait(60)
    end = boot_clock() + seconds
    while boot_clock() < end:
        try:
            if lease.acquire(boot_clock() + 1):
                hold(lease, name, chance, beliefs)
        except Unreachable:
            pass  # in doubt; what it believes still ends where it did
        time.sleep(0.05)
    told.put(beliefs)


def hold(lease: Lease, name: str, chance: random.Random, beliefs: list[Belief]) -> None:
    beliefs.append(Belief(name, boot_clock(), lease.until))
    for _ in range(chance.randint(1, 4)):
        time.sleep(0.15)
        if not lease.renew(boot_clock() + 0.5, {}):
            return
        beliefs.append(Belief(name, boot_clock(), lease.until))
    if chance.random() < 0.5:
        now = boot_clock()
        for belief in beliefs:  # those of earlier renewals too
            belief.end = min(belief.end, now)
        lease.release(boot_clock() + 1)
    else:
        time.sleep(patience(TTL, MARGIN))


def clashes(beliefs: list[Belief]) -> list[tuple[Belief, Belief]]:
    """Every two beliefs of different processes that overlap."""
    ordered = sorted(beliefs, key=lambda belief: belief.start)
    return [
        (first, second)
        for number, first in enumerate(ordered)
        for second in ordered[number + 1 :]
        if second.start < first.end and second.name != first.name
    ]
