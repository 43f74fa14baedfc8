"""What Patroni and the coordinator tell each other on disk, so that neither trusts the other to be alive.

Patroni's store writes when its lease ends and when it last looked; the coordinator writes that it is alive. Moments are
of `boot_clock`, which processes of one machine share. Both sides use these files; each writes one.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

_RELEASED_SECONDS = 0.5  # PostgreSQL had stopped before the lease was given up; its process may take a moment to go


@dataclass(frozen=True, slots=True)
class Lease:
    """`until`: PostgreSQL may not be a primary after it; None: this Patroni never was the leader."""

    until: float | None
    looked: float


def write_lease(file: Path, lease: Lease) -> None:
    _replace(file, json.dumps(asdict(lease)))


def read_lease(file: Path) -> Lease | None:
    """None where there is none: Patroni has only begun, or its store has no lease of ours."""
    try:
        document = json.loads(file.read_text())
    except FileNotFoundError:
        return None
    return Lease(document["until"], document["looked"])


def end_of(until: float, now: float, before: Lease | None) -> float | None:
    """What to publish for a lease that the store knows to last `until`, where minus infinity means: not ours."""
    if until != float("-inf"):
        return until
    if before is None or before.until is None:
        return None
    return min(before.until, now + _RELEASED_SECONDS)


def write_heartbeat(file: Path, now: float) -> None:
    _replace(file, repr(now))


def heartbeat_age(file: Path, now: float) -> float:
    """Endless where there is none."""
    try:
        return now - float(file.read_text())
    except FileNotFoundError:
        return float("inf")


def _replace(file: Path, text: str) -> None:
    """No fsync: after a crash of the machine neither process is there, and who starts removes them first."""
    fresh = file.with_name(file.name + ".new")
    fresh.write_text(text)
    fresh.chmod(0o644)
    fresh.replace(file)
