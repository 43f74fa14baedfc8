"""Small JSON records in an object store, written by compare-and-set; a lost reply is found out about.

Every write carries an id of its own inside the record. It makes each state's e_tag unique (S3's is a hash of the
content, so without it a renewed value could look like an old one), and it tells a writer whose reply was lost, or whose
request a proxy sent twice, whether the record that is there now is its own.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mere.errors import StorageError
from mere.ha.objects import ConditionFailed, Found, Objects, Stamp, Unreachable

FORMAT = 1
_PAUSE = 0.05  # before a request is tried again; doubles up to _LONGEST_PAUSE
_LONGEST_PAUSE = 0.5

Clock = Callable[[], float]
Body = Mapping[str, Any]


class DamagedRecord(StorageError):
    """What lies under a key is no record of this format."""


class Conflict(StorageError):
    """Somebody else's write came first; `current` is what is there now."""

    def __init__(self, key: str, current: Record | None) -> None:
        super().__init__(f'"{key}" was written by somebody else')
        self.current = current


@dataclass(frozen=True, slots=True)
class Record:
    body: Body
    stamp: Stamp
    write_id: str


def boot_clock() -> float:
    """Seconds that no wall clock moves and that run on while the machine sleeps, so that nobody oversleeps a lease."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def new_id() -> str:
    return uuid.uuid4().hex


class Records:
    """Reads and compare-and-set writes.

    Deadlines are moments of `clock`: no request is sent past one, so the last answer comes within one request's time
    limit after it. Unreachable is raised instead.
    """

    def __init__(
        self, objects: Objects, clock: Clock = boot_clock, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.objects = objects
        self.clock = clock
        self._sleep = sleep

    def read(self, key: str, deadline: float) -> Record | None:
        """The record as it is now; tried again until the deadline while the store does not answer."""
        pause = _PAUSE
        while True:
            self._hurry(key, deadline)
            try:
                found = self.objects.get(key)
                return None if found is None else _decode(key, found)
            except Unreachable as error:
                pause = self._wait(pause, deadline, error)

    def write(self, key: str, body: Body, expected: Stamp | None, write_id: str, deadline: float) -> Record:
        """Replace the state `expected` (None: no record) by `body`.

        Raises Conflict when it is certain that the record is not this write, and Unreachable when the deadline passed
        in doubt: then the write may be there, or may even arrive later, as long as the state `expected` lasts.
        """
        data = _encode(body, write_id)
        pause = _PAUSE
        while True:
            self._hurry(key, deadline)
            try:
                return Record(body, self.objects.put(key, data, expected), write_id)
            except (ConditionFailed, Unreachable) as error:
                # Of either answer our own write may be the cause: a lost reply, or a request that was sent twice.
                current = self.read(key, deadline)
                if current is not None and current.write_id == write_id:
                    return current
                if (None if current is None else current.stamp) != expected:
                    raise Conflict(key, current) from error
                # The same write again: should the first one still arrive, this one is refused, and found to be ours.
                pause = self._wait(pause, deadline, error)

    def overwrite(self, key: str, body: Body) -> None:
        """One request, no condition: for a record with one writer, where a late or lost write does no harm."""
        self.objects.overwrite(key, _encode(body, new_id()))

    def delete(self, key: str) -> None:
        self.objects.delete(key)

    def _hurry(self, key: str, deadline: float) -> None:
        if self.clock() >= deadline:
            raise Unreachable(f'no time is left to ask the store about "{key}"')

    def _wait(self, pause: float, deadline: float, error: StorageError) -> float:
        """Sleep and return the next pause; past the deadline, the error as Unreachable."""
        if self.clock() + pause >= deadline:
            raise Unreachable(error.message) from error
        self._sleep(pause)
        return min(2 * pause, _LONGEST_PAUSE)


def _encode(body: Body, write_id: str) -> bytes:
    return json.dumps({"format": FORMAT, "write": write_id, "body": body}, separators=(",", ":")).encode()


def _decode(key: str, found: Found) -> Record:
    try:
        document = json.loads(found.data)
        form, write_id, body = document["format"], document["write"], document["body"]
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedRecord(
            f'"{key}" is not a record of Mere: restore it, or remove it with the pair stopped'
        ) from error
    if form != FORMAT:
        raise DamagedRecord(f'"{key}" has format {form}, this Mere knows {FORMAT}: run one version on both hosts')
    return Record(body, found.stamp, write_id)
