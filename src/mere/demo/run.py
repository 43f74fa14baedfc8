"""The demo from start to end: an S3 server, Mere, TPC-H loaded and queried, every answer checked, all of it removed.

Lives in a process of its own; the S3 server, the generator and `mere serve` are its children.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import duckdb
import obstore
from obstore.store import S3Store

from mere.demo.answers import first_difference, open_reference
from mere.demo.display import Display, QueryResult
from mere.demo.kill import SEGMENTS, kill_in_mid_query, wait_for_segments
from mere.demo.seaweed import ACCESS_KEY, REGION, SECRET_KEY, SeaweedFS
from mere.demo.server import MereServer
from mere.demo.tpch import TABLES, queries, start_generator
from mere.errors import StartupError

INTERRUPTED = 130
# Also small tables are worth the segments here: the demo is for looking at them.
_SEGMENTS = ("--segments", str(SEGMENTS), "--distribute-rows", "10000")
_BYTES_PER_SCALE = 2 * 2**30  # generated files, their copy in the bucket, the loaded tables


def run_demo(scale: float) -> int:
    """Exit status 0 only if all answers were right. Whatever happens, nothing is left running or on disk."""
    place = Path(tempfile.mkdtemp(prefix="mere-demo-"))
    try:
        free = shutil.disk_usage(place).free
        if free < _BYTES_PER_SCALE * scale:
            raise StartupError(f"the demo needs {_BYTES_PER_SCALE * scale / 2**30:.0f} GB in {place.parent}")
        display, started = Display(), time.monotonic()
        results = asyncio.run(_stoppable(place, scale, display))
        display.results(results)
        shutil.rmtree(place, ignore_errors=True)
        display.verdict(results, time.monotonic() - started)
        return 1 if any(result.difference for result in results) else 0
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED
    except (asyncpg.PostgresError, OSError) as error:
        raise StartupError(f"the demo failed: {error}") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


async def _stoppable(place: Path, scale: float, display: Display) -> list[QueryResult]:
    """SIGTERM ends the demo as Ctrl-C does: through every finally."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await _demo(place, scale, display)


async def _demo(place: Path, scale: float, display: Display) -> list[QueryResult]:
    files = place / "tpch"
    with ExitStack() as running:
        generator = start_generator(files, scale)
        running.callback(_end, generator)
        store = SeaweedFS(place / "s3")
        with display.step("Starting an S3 server and Mere", f"Started an S3 server and Mere, storage {store.url}/lake"):
            # Not in threads: a Ctrl-C must find a child either not started or known.
            running.enter_context(store)
            server = MereServer(place / "mere", f"{store.url}/lake", store.environment, _SEGMENTS)
            running.enter_context(server)
        with display.step("Making TPC-H", f"Made TPC-H at scale factor {scale:g}, as Parquet"):
            await _finish(generator)
        with display.step("Putting the files into the bucket", f"Put the files into {store.url}/tpch"):
            await _upload(files, store)
        connection = await asyncpg.connect(server.url)
        try:
            await _load(connection, f"{store.url}/tpch", files, display)
            with display.step("Waiting for the segments", f"The {SEGMENTS} segments are up"):
                await wait_for_segments(connection)
            results = await _query(connection, open_reference(files, [table.name for table in TABLES]), display)
        finally:
            await connection.close()
        with display.step("Killing a segment", "Killed a segment in the middle of a query: the answer came"):
            survived = await kill_in_mid_query(server.url)
        display.survived(survived)
        return results


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait()


async def _finish(generator: subprocess.Popen[bytes]) -> None:
    if await asyncio.to_thread(generator.wait) != 0:
        assert generator.stderr is not None
        raise StartupError(f"the TPC-H generator failed: {generator.stderr.read().decode(errors='replace').strip()}")


async def _upload(files: Path, store: SeaweedFS) -> None:
    bucket = S3Store(
        store.bucket,
        endpoint=store.endpoint,
        access_key_id=ACCESS_KEY,
        secret_access_key=SECRET_KEY,
        region=REGION,
        client_options={"allow_http": True},
    )
    for table in TABLES:
        name = f"{table.name}.parquet"
        await obstore.put_async(bucket, f"tpch/{name}", files / name)


async def _load(connection: asyncpg.Connection, source: str, files: Path, display: Display) -> None:
    sizes = {table.name: (files / f"{table.name}.parquet").stat().st_size for table in TABLES}
    rows = 0
    with display.bar("", "", sum(sizes.values())) as bar:
        for table in TABLES:
            bar.at(f"Loading {table.name}")
            await connection.execute(table.create)
            tag = await connection.execute(f"COPY {table.name} FROM '{source}/{table.name}.parquet' (FORMAT parquet)")
            rows += int(tag.split()[-1])
            bar.advance(sizes[table.name])
        bar.done = f"Created eight tables and loaded {rows:,} rows by COPY"


async def _query(
    connection: asyncpg.Connection, reference: duckdb.DuckDBPyConnection, display: Display
) -> list[QueryResult]:
    results = []
    with display.bar("", "Ran and checked the 22 queries", 22) as bar:
        for name, sql in queries().items():
            bar.at(f"Running {name}")
            results.append(await _ask(connection, reference, name, sql))
            bar.advance(1)
    return results


async def _ask(
    connection: asyncpg.Connection, reference: duckdb.DuckDBPyConnection, name: str, sql: str
) -> QueryResult:
    """One query on both sides; an error is a wrong answer, and the others go on."""
    started = time.monotonic()
    try:
        rows = await connection.fetch(sql)
    except asyncpg.PostgresError as error:
        return QueryResult(name, time.monotonic() - started, 0, f"{error.sqlstate}: {error}")
    seconds = time.monotonic() - started
    expected = await asyncio.to_thread(lambda: reference.execute(sql).fetchall())
    return QueryResult(name, seconds, len(rows), first_difference([tuple(row) for row in rows], expected))
