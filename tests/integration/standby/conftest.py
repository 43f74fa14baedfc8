"""One warehouse and one hot standby of it, shared by the promises of reading; what changes roles has its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.client import Client
from harness.mere import MereProcess
from harness.standby import Standby

SMALL = ("--threads", "1", "--memory-limit", "500MB", "--retention", "0s")


@pytest.fixture(scope="package")
def primary(session_scratch: Path) -> Iterator[MereProcess]:
    server = MereProcess(session_scratch / "followed", str(session_scratch / "followed" / "lake"), options=SMALL)
    server.start()
    try:
        with server.client() as writer:
            writer.ok("CREATE TABLE t (a int, b text)")
            writer.ok("INSERT INTO t SELECT g, 'x' || g FROM generate_series(1, 100) AS g")
            writer.ok("CREATE TABLE kept (a int, x text) USING heap")
            writer.ok("INSERT INTO kept VALUES (1, 'one')")
        yield server
    finally:
        try:
            server.stop()
        finally:
            server.destroy()


@pytest.fixture(scope="package")
def standby(session_scratch: Path, primary: MereProcess) -> Iterator[Standby]:
    with Standby(session_scratch / "following", primary) as found:
        yield found.start()


@pytest.fixture
def writer(primary: MereProcess) -> Iterator[Client]:
    with primary.client() as client:
        yield client


@pytest.fixture
def reader(standby: Standby) -> Iterator[Client]:
    standby.until_replayed()
    with standby.client() as client:
        yield client
