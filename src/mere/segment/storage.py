"""The lake's object store beside DuckDB: existence, listing, deleting, conditional put, and the probe at start.

Lives in the coordinator process. Errors are StorageError (58030); the probe's are StartupError with one line.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

from mere.errors import StartupError, StorageError
from mere.segment.credentials import open_store
from mere.segment.locations import Location, parse_location

if TYPE_CHECKING:
    from obstore import UpdateVersion
    from obstore.store import ObjectStore

_PROBE_SECONDS = 4.0
_FAILURES = (BaseError, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """`path` is relative to the storage's root."""

    path: str
    size: int
    modified: datetime


class Storage:
    """One place in an object store. Paths are relative to it; absolute URLs below it are taken too."""

    def __init__(self, location: Location | str, environment: Mapping[str, str] | None = None) -> None:
        self.location = parse_location(location) if isinstance(location, str) else location
        self.environment: Mapping[str, str] = os.environ if environment is None else environment

    @cached_property
    def _store(self) -> ObjectStore:
        return open_store(self.location, self.environment)

    @property
    def url(self) -> str:
        return self.location.url

    def _key(self, path: str) -> str:
        return self.location.relative(path) if path.startswith(self.url) else path

    async def head(self, path: str) -> StoredObject | None:
        """The object's size and time, or None where there is none."""
        try:
            meta = await obstore.head_async(self._store, self._key(path))
        except FileNotFoundError:
            return None
        except _FAILURES as error:
            raise StorageError(f'could not stat "{path}": {_reason(error)}') from error
        return StoredObject(meta["path"], meta["size"], meta["last_modified"])

    async def missing(self, paths: Sequence[str], *, parallel: int = 32) -> list[str]:
        """Those of the paths that are not there."""
        gate = asyncio.Semaphore(parallel)

        async def look(path: str) -> str | None:
            async with gate:
                return path if await self.head(path) is None else None

        return [path for path in await asyncio.gather(*map(look, paths)) if path is not None]

    async def list(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        """Every object below the prefix, which ends at a '/'."""
        stream = obstore.list(self._store, self._key(prefix) or None)
        try:
            async for batch in stream:
                for meta in batch:
                    yield StoredObject(meta["path"], meta["size"], meta["last_modified"])
        except FileNotFoundError:
            return
        except _FAILURES as error:
            raise StorageError(f'could not list "{self.location.under(prefix)}": {_reason(error)}') from error

    async def delete(self, paths: Sequence[str]) -> None:
        """Objects that are already gone are no error."""
        if not paths:
            return
        try:
            await obstore.delete_async(self._store, [self._key(path) for path in paths])
        except FileNotFoundError:
            for path in paths:  # a local directory stops at the first absent file
                with suppress(FileNotFoundError):
                    await obstore.delete_async(self._store, self._key(path))
        except _FAILURES as error:
            raise StorageError(f"could not delete {len(paths)} objects: {_reason(error)}") from error

    async def get(self, path: str) -> bytes:
        try:
            result = await obstore.get_async(self._store, self._key(path))
            return bytes(await result.bytes_async())
        except _FAILURES as error:
            raise StorageError(f'could not read "{path}": {_reason(error)}') from error

    async def beginning(self, path: str, length: int) -> bytes | None:
        """The object's first bytes, or None where there is none."""
        try:
            return bytes(await obstore.get_range_async(self._store, self._key(path), start=0, length=length))
        except FileNotFoundError:
            return None
        except _FAILURES as error:
            raise StorageError(f'could not read "{path}": {_reason(error)}') from error

    async def put(self, path: str, data: bytes, *, create: bool = False, e_tag: str | None = None) -> str | None:
        """Writes the object, returns its e_tag. `create` and `e_tag` make it conditional: FileExistsError when lost."""
        mode: Literal["create", "overwrite"] | UpdateVersion = "create" if create else "overwrite"
        if e_tag is not None:
            mode = {"e_tag": e_tag}
        try:
            result = await obstore.put_async(self._store, self._key(path), data, mode=mode)
        except (AlreadyExistsError, PreconditionError) as error:
            raise FileExistsError(path) from error
        except _FAILURES as error:
            raise StorageError(f'could not write "{path}": {_reason(error)}') from error
        return result["e_tag"]

    async def probe(self) -> None:
        """Reachable, credentials right, writable? Answers within seconds; StartupError carries the line to print."""
        if self.location.is_local:
            await asyncio.to_thread(_probe_directory, Path(self.location.prefix))
            return
        store = open_store(self.location, self.environment, timeout=timedelta(seconds=_PROBE_SECONDS), retries=0)
        key = f".mere-probe-{uuid.uuid4().hex}"
        try:
            async with asyncio.timeout(2 * _PROBE_SECONDS):
                # List first: some servers make an absent bucket when it is put to.
                with suppress(StopAsyncIteration):
                    await obstore.list(store, chunk_size=1).__anext__()
                await obstore.put_async(store, key, b"mere")
                result = await obstore.get_async(store, key)
                if bytes(await result.bytes_async()) != b"mere":
                    raise StartupError(f'the storage "{self.url}" does not return what was written to it')
                await obstore.delete_async(store, key)
        except TimeoutError as error:
            raise StartupError(f'the storage "{self.url}" does not answer') from error
        except _FAILURES as error:
            raise StartupError(_probe_line(self.location, error)) from error


def _probe_directory(directory: Path) -> None:
    name = directory / f".mere-probe-{uuid.uuid4().hex}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        name.write_bytes(b"mere")
        name.unlink()
    except OSError as error:
        raise StartupError(f'the storage directory "{directory}" is not writable: {error.strerror}') from error


_PROBE_LINES: tuple[tuple[str, Callable[[Location], str]], ...] = (
    ("NoSuchBucket", lambda at: f'the bucket "{at.bucket}" does not exist'),
    ("InvalidAccessKeyId", lambda at: f'the access key is unknown to the storage "{at.url}"'),
    ("SignatureDoesNotMatch", lambda at: f'the secret key is wrong for the storage "{at.url}"'),
    ("ExpiredToken", lambda at: f'the session token for the storage "{at.url}" has expired'),
    ("AccessDenied", lambda at: f'the credentials may not write to the storage "{at.url}"'),
    ("dns error", lambda at: f'the host of the storage "{at.url}" is not known'),
    ("onnection refused", lambda at: f'the storage "{at.url}" refuses connections'),
    ("certificate", lambda at: f'the TLS certificate of the storage "{at.url}" is not trusted'),
    ("timed out", lambda at: f'the storage "{at.url}" does not answer'),
    ("operation timed", lambda at: f'the storage "{at.url}" does not answer'),
)


def _probe_line(location: Location, error: Exception) -> str:
    text = f"{error}\n{error!r}"
    for sign, line in _PROBE_LINES:
        if sign in text:
            return line(location)
    if isinstance(error, (PermissionDeniedError, UnauthenticatedError)):
        return f'the credentials for the storage "{location.url}" are wrong or may not write'
    return f'the storage "{location.url}" cannot be used: {_reason(error)}'


def _reason(error: Exception) -> str:
    """The first line: obstore's messages go on with nested debug output."""
    return str(error).strip().split("\n", 1)[0][:300]
