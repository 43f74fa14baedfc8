"""The storage belongs to one warehouse: remembered in the data directory, and marked in the storage itself.

Maintenance removes what no snapshot of its own warehouse needs, so two of them on one storage would destroy each other.
"""

from __future__ import annotations

from dataclasses import replace

from mere.catalog.datadir import DataDirectory
from mere.errors import StartupError
from mere.segment.locations import parse_location
from mere.segment.storage import Storage
from mere.settings import Settings

_MARKER = "mere-warehouse"
_RECORD = "storage.url"


def with_recorded_storage(settings: Settings, data: DataDirectory) -> Settings:
    """The storage of the first start is that of every later one; a start that names another is refused."""
    recorded = _read_record(data)
    if recorded is None or parse_location(settings.storage).url == recorded:
        return settings
    if settings.storage != Settings(data=settings.data).storage:
        raise StartupError(f"{data.path} keeps its rows in {recorded}, not in {settings.storage}: leave --storage out")
    return replace(settings, storage=recorded.rstrip("/"))


def with_recorded_cluster(settings: Settings, data: DataDirectory) -> Settings:
    """A node of a cluster stays one; a start that names another cluster is refused."""
    if data.cluster is None or settings.cluster == data.cluster:
        return settings
    if settings.cluster is not None:
        raise StartupError(f"{data.path} belongs to the cluster {data.cluster}, not to {settings.cluster}")
    return replace(settings, cluster=data.cluster)


async def claim_storage(data: DataDirectory, storage: Storage) -> None:
    """Probes the storage, marks it as ours at the first start, and knows it again at later ones."""
    recorded = _read_record(data)
    if recorded is not None and await storage.head(_MARKER) is None:
        raise StartupError(f"the storage {recorded} does not have the rows of {data.path} any more")
    await storage.probe()
    if recorded is None:
        try:
            await storage.put(_MARKER, data.warehouse.encode(), create=True)
        except FileExistsError:
            await _check_owner(data, storage)
        (data.path / _RECORD).write_text(storage.url + "\n")
    else:
        await _check_owner(data, storage)


async def _check_owner(data: DataDirectory, storage: Storage) -> None:
    if (await storage.get(_MARKER)).decode(errors="replace").strip() != data.warehouse:
        raise StartupError(f"the storage {storage.url} belongs to another warehouse")


def _read_record(data: DataDirectory) -> str | None:
    file = data.path / _RECORD
    return file.read_text().strip() if file.exists() else None
