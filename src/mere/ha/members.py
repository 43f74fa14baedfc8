"""The members' own records: what each says of itself, and who has fallen silent.

Each member writes its own object and nobody else's, without condition. It promises to write again within `ttl`; who
does not is gone for the observer, by the observer's clock, as with a lease. Nothing is decided by that alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from mere.ha.lease import Sighting, patience
from mere.ha.records import DamagedRecord, Records

_MARGIN = 0.5
_BEATS = 3  # writes within a `ttl` of a member that has nothing new to say


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    value: str
    version: str


class Members:
    """Reads the members' records and keeps this one's alive."""

    def __init__(self, records: Records, node: str, ttl: float) -> None:
        self.ttl = ttl
        self._records = records
        self._node = node
        self._sightings: dict[str, Sighting] = {}
        self._written: tuple[float, str] | None = None  # when, and what: its gist

    def load(self, names: Iterable[str], deadline: float) -> list[Member]:
        """Those of the members that are not silent; one request for each name."""
        found = (self._look(name, deadline) for name in names)
        return [member for member in found if member is not None]

    def _look(self, name: str, deadline: float) -> Member | None:
        asked = self._records.clock()
        key = _key(name)
        record = self._records.read(key, deadline)
        if record is None:
            return None
        match record.body:
            case {"value": str(value), "ttl": (int() | float()) as ttl}:
                pass
            case _:
                raise DamagedRecord(f'"{key}" is not a member: remove it')
        sighting = self._sightings.get(name)
        if sighting is None or sighting.stamp != record.stamp:
            sighting = Sighting(record.stamp, self._records.clock(), patience(ttl, _MARGIN))
            self._sightings[name] = sighting
        return Member(name, value, record.write_id) if sighting.wait(asked) > 0 else None

    def touch(self, value: str, gist: str) -> None:
        """Write this member's record if its gist has changed, or it is time for a sign of life."""
        now = self._records.clock()
        if self._written is None or self._written[1] != gist or now - self._written[0] >= self.ttl / _BEATS:
            self._records.overwrite(_key(self._node), {"value": value, "ttl": self.ttl})
            self._written = (now, gist)

    def silent(self, seconds: float) -> list[str]:
        """Members that have not written for that long, as far as this process has watched."""
        now = self._records.clock()
        return [
            name for name, seen in list(self._sightings.items()) if now - seen.since > seconds and name != self._node
        ]

    def forget(self, name: str) -> None:
        """Remove the record of a member that is gone for good; it makes itself known again if it is not."""
        self._records.delete(_key(name))
        self._sightings.pop(name, None)


def _key(name: str) -> str:
    return "members/" + quote(name, safe="")
