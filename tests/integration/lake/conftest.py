"""One lake for each test, in a database of its own on the shared peer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.postgres import Peer
from integration.lake.lake_catalog import LakeCatalog, LakeSession, fresh_catalog, make_template


@pytest.fixture(scope="session")
def lake_template(peer: Peer, session_scratch: Path) -> str:
    return make_template(peer, session_scratch)


@pytest.fixture
def lake(peer: Peer, lake_template: str, scratch: Path) -> Iterator[LakeCatalog]:
    with fresh_catalog(peer, lake_template, scratch) as catalog:
        yield catalog


@pytest.fixture
def session(lake: LakeCatalog) -> Iterator[LakeSession]:
    opened = lake.session()
    yield opened
    opened.close()
