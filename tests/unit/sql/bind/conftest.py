"""The tables that the binder's tests ask, in the plain PostgreSQL peer, and a Mere without a lake over them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from harness.lakeless import Lakeless
from harness.postgres import Peer

from mere.sql.lexer import split

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def tables(peer: Peer) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(peer.conninfo, autocommit=True) as connection:
        connection.execute("create schema binding")
        connection.execute("set search_path = binding")
        for statement in split((HERE / "tables.sql").read_text()):
            connection.execute(statement.text.encode())
        yield connection
        connection.execute("drop schema binding cascade")


@pytest.fixture
def lakeless(tables: psycopg.Connection[Any]) -> Lakeless:
    return Lakeless(tables, heap=["heap"])
