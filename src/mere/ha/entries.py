"""Named values that change rarely, all in one record, each with a version for compare-and-set.

What two coordinators share besides their lease: configuration, the request for a failover, who is in sync, who they
are. One object instead of one for each name makes reading all of them one request. A version is the record's revision
at the entry's last change, so that it never comes back after an entry was dropped and made again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mere.ha.records import Body, Conflict, DamagedRecord, Record, Records, new_id


@dataclass(frozen=True, slots=True)
class Entry:
    value: str
    version: int
    by: str  # the change that made it, so that a change whose reply was lost knows itself again


@dataclass(frozen=True, slots=True)
class _Document:
    record: Record | None
    revision: int
    entries: Mapping[str, Entry]


class Entries:
    """Changes are compare-and-set on the whole record, tried again when another entry was changed meanwhile."""

    def __init__(self, records: Records, key: str) -> None:
        self._records = records
        self._key = key

    def read(self, deadline: float) -> Mapping[str, Entry]:
        """Every entry as it is now."""
        return self._load(deadline).entries

    def put(self, name: str, value: str, deadline: float, version: int | None = None) -> int | None:
        """Make or replace an entry; its new version, or None where `version` is given and no longer the entry's."""
        change = new_id()
        while True:
            document = self._load(deadline)
            entry = document.entries.get(name)
            if entry is not None and entry.by == change:
                return entry.version
            if version is not None and (entry is None or entry.version != version):
                return None
            made = Entry(value, document.revision + 1, change)
            if self._store(document, {**document.entries, name: made}, change, deadline):
                return made.version

    def create(self, name: str, value: str, deadline: float) -> bool:
        """Make an entry; False where there is one: of many who try, one wins."""
        change = new_id()
        while True:
            document = self._load(deadline)
            entry = document.entries.get(name)
            if entry is not None:
                return entry.by == change
            made = Entry(value, document.revision + 1, change)
            if self._store(document, {**document.entries, name: made}, change, deadline):
                return True

    def drop(self, name: str, deadline: float, version: int | None = None) -> bool:
        """Remove an entry; False where `version` is given and no longer the entry's. An absent one is no error."""
        change = new_id()
        while True:
            document = self._load(deadline)
            entry = document.entries.get(name)
            if entry is None:
                return True
            if version is not None and entry.version != version:
                return False
            rest = {key: value for key, value in document.entries.items() if key != name}
            if self._store(document, rest, change, deadline):
                return True

    def _load(self, deadline: float) -> _Document:
        record = self._records.read(self._key, deadline)
        if record is None:
            return _Document(None, 0, {})
        try:
            entries = {
                name: Entry(entry["value"], entry["version"], entry["by"])
                for name, entry in record.body["entries"].items()
            }
            return _Document(record, int(record.body["revision"]), entries)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DamagedRecord(
                f'"{self._key}" is not a list of entries: restore it, or remove it with the pair stopped'
            ) from error

    def _store(self, document: _Document, entries: Mapping[str, Entry], change: str, deadline: float) -> bool:
        """False where the record has changed since it was loaded."""
        body: Body = {
            "revision": document.revision + 1,
            "entries": {
                name: {"value": entry.value, "version": entry.version, "by": entry.by}
                for name, entry in entries.items()
            },
        }
        expected = None if document.record is None else document.record.stamp
        try:
            self._records.write(self._key, body, expected, change, deadline)
        except Conflict:
            return False
        return True
