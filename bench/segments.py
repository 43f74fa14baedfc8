"""A warehouse on segments for benchmarks, and its tables by layout."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench.place import Warehouse
from bench.report import console
from mere.demo.seaweed import SeaweedFS
from mere.demo.server import MereServer
from mere.demo.tpch import Table

READY_SECONDS = 60.0


@contextmanager
def segmented_warehouse(
    place: Path, segments: int, copy_directories: Sequence[Path], options: Sequence[str] = ()
) -> Iterator[Warehouse]:
    """Segments of one thread each."""
    words = [*options, "--segments", str(segments), "--segment-threads", "1"]
    words += ["--copy-directories", ",".join(map(str, copy_directories))]
    with (
        SeaweedFS(place / "s3") as store,
        MereServer(place / "mere", f"{store.url}/lake", store.environment, words) as server,
    ):
        yield Warehouse(server.url, store)


def layout_of(table: Table, layout: str) -> str:
    """CREATE TABLE, distributed by its usual key or (`random`) with no key at all."""
    if layout == "hash":
        return table.create
    return f"CREATE TABLE {table.name} ({table.columns}) DISTRIBUTED RANDOMLY"


def load(connection: psycopg.Connection, tables: Sequence[Table], files: Path, layout: str) -> None:
    """Each table from its Parquet file."""
    for table in tables:
        with console.status(f"Loading {table.name}, {layout}"):
            connection.execute(layout_of(table, layout))
            connection.execute(f"COPY {table.name} FROM '{files / table.name}.parquet' (FORMAT parquet)")


def wait_for_segments(connection: psycopg.Connection, segments: int) -> None:
    """Until all of them are up: a local cluster takes seconds to come."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        row = connection.execute("SELECT count(*) FROM mere.segment_configuration WHERE status = 'up'").fetchone()
        if row is not None and row[0] >= segments:
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"the {segments} segments are not up after {READY_SECONDS:.0f} s")
        time.sleep(0.2)
