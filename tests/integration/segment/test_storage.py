"""The object store beside DuckDB, and the probe's one line for each thing that can be wrong."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import pytest

from mere.demo.seaweed import SeaweedFS
from mere.errors import StartupError, StorageError
from mere.segment.storage import Storage


async def test_objects(storage: Storage) -> None:
    name = f"t-{uuid.uuid4().hex}/a.txt"
    await storage.probe()
    assert await storage.head(name) is None
    await storage.put(name, b"one")
    found = await storage.head(name)
    assert found is not None and found.size == 3
    assert await storage.get(name) == b"one"
    assert await storage.missing([name, name + "x", storage.url + name]) == [name + "x"]
    assert [entry.path async for entry in storage.list(name.split("/")[0] + "/")] == [name]
    await storage.delete([name, name + "x"])
    await storage.delete([])
    assert [entry async for entry in storage.list(name.split("/")[0] + "/")] == []
    with pytest.raises(StorageError):
        await storage.get(name)


async def test_conditional_put(storage: Storage) -> None:
    name = f"c-{uuid.uuid4().hex}"
    await storage.put(name, b"one", create=True)
    with pytest.raises(FileExistsError):
        await storage.put(name, b"two", create=True)
    assert await storage.get(name) == b"one"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "the secret key is wrong"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, "the access key is unknown"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "refuses connections"),
    ],
)
async def test_probe_says_what_is_wrong(object_store: SeaweedFS, change: dict[str, str], line: str) -> None:
    storage = Storage(f"{object_store.url}/x", {**object_store.environment, **change})
    start = time.monotonic()
    with pytest.raises(StartupError) as error:
        await storage.probe()
    assert line in error.value.message and "\n" not in error.value.message
    assert time.monotonic() - start < 10


async def test_probe_of_an_absent_bucket(object_store: SeaweedFS) -> None:
    with pytest.raises(StartupError, match='the bucket "absent-bucket" does not exist'):
        await Storage("s3://absent-bucket/x", object_store.environment).probe()


async def test_probe_of_a_directory(tmp_path: Path) -> None:
    await Storage(str(tmp_path / "new" / "lake"), {}).probe()
    assert list((tmp_path / "new" / "lake").iterdir()) == []
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(StartupError):
        await Storage(str(file / "lake"), {}).probe()
