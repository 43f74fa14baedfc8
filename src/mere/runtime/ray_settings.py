"""What the Ray runtime is told when it is made, and what a segment is told when it opens. Frozen data, no Ray."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mere.segment.locations import Location

_STORAGE_VARIABLES = ("AWS_", "GOOGLE_", "GCS_", "AZURE_", "SSL_CERT_")


@dataclass(frozen=True, slots=True)
class RaySettings:
    """`address` is that of a Ray cluster to join; None starts one on this machine, which listens on loopback only and
    keeps its files in `directory` and spilled motions in `temporary`.

    `segments` None: one for each node of the cluster. `threads`, `memory` (bytes): of one segment; None splits a node
    fairly. `spares` are started for each node. A segment that is silent for `timeout` seconds is given up; a part that
    takes twice as long to come is asked for elsewhere.
    """

    directory: Path
    temporary: Path
    locations: tuple[Location, ...]
    environment: Mapping[str, str] = field(repr=False)
    address: str | None = None
    segments: int | None = None
    threads: int | None = None
    memory: int | None = None
    object_store: int | None = None
    spares: int = 1
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class SegmentSettings:
    """Goes straight to the segment's process; Ray's own tables never hold it, for it carries the storage's keys."""

    directory: Path
    locations: tuple[Location, ...]
    threads: int
    memory: int
    pull_timeout: float
    environment: Mapping[str, str] = field(repr=False)


def storage_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that have to do with object storage; a segment gets no others."""
    return {name: value for name, value in environment.items() if name.startswith(_STORAGE_VARIABLES)}
