"""What every suite shares, each started at its first use and stopped at the end of the run.

`peer` a plain PostgreSQL 18; `object_store` an S3 server; `mere` a `mere serve` over it; `scratch` a directory that
PostgreSQL's own operating-system user can reach when the tests run as root (pytest's tmp_path is closed to it).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness.mere import MereProcess
from harness.postgres import Peer, start_peer
from hypothesis import settings

from mere.demo.seaweed import SeaweedFS

# The same examples in every run, and no limit of time for one: a slow machine is no defect.
settings.register_profile("mere", deadline=None, derandomize=True)
settings.load_profile("mere")


@contextmanager
def open_directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="mere-test-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def scratch() -> Iterator[Path]:
    with open_directory() as directory:
        yield directory


@pytest.fixture(scope="session")
def session_scratch() -> Iterator[Path]:
    with open_directory() as directory:
        yield directory


@pytest.fixture(scope="session")
def peer(session_scratch: Path) -> Iterator[Peer]:
    server = start_peer(session_scratch / "peer")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def object_store(session_scratch: Path) -> Iterator[SeaweedFS]:
    with SeaweedFS(session_scratch / "seaweed") as store:
        yield store


@pytest.fixture(scope="session")
def mere(session_scratch: Path, object_store: SeaweedFS) -> Iterator[MereProcess]:
    """Suites keep to schemas, roles and databases of their own, and drop them."""
    environment = {**object_store.environment, "MERE_PYTHON_FUNCTIONS": "on"}
    server = MereProcess(session_scratch / "mere", f"{object_store.url}/lake", environment)
    server.start()
    try:
        yield server
    finally:
        try:
            server.stop()
        finally:
            server.destroy()
