"""The few calls on an object store that the coordinator pair rests on: read, conditional write, delete, and a proof.

Lives in Patroni's process, which is synchronous, so these calls are too. Every call is one request with a time limit
and is never repeated here: whoever repeats a conditional write has to know what became of the first (`records`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.exceptions import AlreadyExistsError, BaseError, NotSupportedError, PreconditionError

from mere.errors import StartupError, StorageError
from mere.segment.credentials import open_store
from mere.segment.locations import parse_location

if TYPE_CHECKING:
    from obstore import UpdateVersion
    from obstore.store import ObjectStore

Opener = Callable[[float], "ObjectStore"]  # from a request's time limit in seconds

_FAILURES = (BaseError, OSError, ValueError, NotImplementedError)


class ConditionFailed(StorageError):
    """The object is not in the state that the write was conditional on."""


class Unreachable(StorageError):
    """No answer, or one that says nothing: a write may have happened, or may still happen."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """The store's own name for one state of an object: S3 and Azure compare the e_tag, GCS the version."""

    e_tag: str | None
    version: str | None

    def condition(self) -> UpdateVersion:
        condition: UpdateVersion = {}
        if self.e_tag is not None:
            condition["e_tag"] = self.e_tag
        if self.version is not None:
            condition["version"] = self.version
        return condition


@dataclass(frozen=True, slots=True)
class Found:
    data: bytes
    stamp: Stamp


class Objects:
    """The objects below one prefix of one store."""

    def __init__(self, opener: Opener, prefix: str, timeout: float) -> None:
        self._opener = opener
        self._prefix = prefix
        self._store = opener(timeout)

    def set_timeout(self, seconds: float) -> None:
        """The time limit of each request from now on."""
        self._store = self._opener(seconds)

    def get(self, key: str) -> Found | None:
        """The object as it is now, or None where there is none."""
        try:
            result = self._store.get(self._prefix + key)
            data = bytes(result.bytes())
        except FileNotFoundError:
            return None
        except _FAILURES as error:
            raise Unreachable(f'could not read "{self._prefix}{key}": {_reason(error)}') from error
        return Found(data, Stamp(result.meta["e_tag"], result.meta["version"]))

    def put(self, key: str, data: bytes, expected: Stamp | None) -> Stamp:
        """Write if the object is still as `expected`; None expects none. ConditionFailed where it is not."""
        try:
            result = self._store.put(
                self._prefix + key, data, mode="create" if expected is None else expected.condition()
            )
        except (AlreadyExistsError, PreconditionError, FileNotFoundError) as error:
            raise ConditionFailed(f'"{self._prefix}{key}" has changed') from error
        except _FAILURES as error:
            raise Unreachable(f'could not write "{self._prefix}{key}": {_reason(error)}') from error
        return Stamp(result["e_tag"], result["version"])

    def overwrite(self, key: str, data: bytes) -> None:
        """Write whatever is there: for objects with one writer."""
        try:
            self._store.put(self._prefix + key, data)
        except _FAILURES as error:
            raise Unreachable(f'could not write "{self._prefix}{key}": {_reason(error)}') from error

    def delete(self, key: str) -> None:
        """An absent object is no error."""
        try:
            self._store.delete(self._prefix + key)
        except FileNotFoundError:
            return
        except _FAILURES as error:
            raise Unreachable(f'could not delete "{self._prefix}{key}": {_reason(error)}') from error

    def prove(self) -> None:
        """Does this store honour the conditions? One that ignores them would let two coordinators win.

        StartupError where it does not; Unreachable where it does not answer.
        """
        key = f"proof-{uuid.uuid4().hex}"
        try:
            first = self.put(key, b"1", None)
            second = self.put(key, b"2", first)
            holds = second != first and self._refuses(key, None) and self._refuses(key, first)
            found = self.get(key)
            if not holds or found is None or found.data != b"2" or found.stamp != second:
                raise StartupError(_UNFIT)
        except (ConditionFailed, Unreachable) as error:
            if isinstance(error, ConditionFailed) or isinstance(
                error.__cause__, (NotImplementedError, NotSupportedError)
            ):
                raise StartupError(_UNFIT) from error
            raise
        finally:
            self._forget(key)

    def _refuses(self, key: str, expected: Stamp | None) -> bool:
        try:
            self.put(key, b"3", expected)
        except ConditionFailed:
            return True
        return False

    def _forget(self, key: str) -> None:
        """A proof that could not be tidied away is a few bytes of garbage, and no reason to hide what it found."""
        try:
            self.delete(key)
        except Unreachable:
            return


_UNFIT = (
    "this storage does not honour conditional writes, which the coordinators' lock needs: "
    "use S3, Azure Blob, GCS with a service account, or a server that does (PUT with If-Match and If-None-Match)"
)


def open_objects(url: str, prefix: str, environment: Mapping[str, str], timeout: float) -> Objects:
    """The objects below `prefix` of a storage URL, with the keys that the lake has (AWS_*, GOOGLE_*, AZURE_*)."""
    location = parse_location(url)

    def opener(seconds: float) -> ObjectStore:
        return open_store(location, environment, timeout=timedelta(seconds=seconds), retries=0)

    return Objects(opener, prefix, timeout)


def _reason(error: Exception) -> str:
    """The first line: obstore's messages go on with nested debug output."""
    return str(error).strip().split("\n", 1)[0][:300]
