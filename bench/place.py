"""Where a benchmark runs: a temporary directory, a Mere, a PostgreSQL 18 with settings for work, TPC-H files."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.postgres import BINARIES, Peer, start_peer
from obstore.store import S3Store

from bench.report import console
from mere.demo.seaweed import ACCESS_KEY, REGION, SECRET_KEY, SeaweedFS
from mere.demo.server import MereServer
from mere.demo.tpch import start_generator

PSQL = BINARIES / "psql"
PEER_SETTINGS = {
    "fsync": "on",
    "shared_buffers": "2GB",
    "effective_cache_size": "8GB",
    "work_mem": "128MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "30min",
    "jit": "off",
}


@contextmanager
def temporary_place() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="mere-bench-"))
    place.chmod(0o755)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A Mere over an S3 server, as users have it."""

    url: str
    store: SeaweedFS

    @property
    def exchange(self) -> str:
        """Where COPY may read and write in the bucket."""
        return f"{self.store.url}/exchange"

    def bucket(self) -> S3Store:
        return S3Store(
            self.store.bucket,
            endpoint=self.store.endpoint,
            access_key_id=ACCESS_KEY,
            secret_access_key=SECRET_KEY,
            region=REGION,
            client_options={"allow_http": True},
        )


@contextmanager
def warehouse(place: Path, copy_directories: Sequence[Path] = ()) -> Iterator[Warehouse]:
    with SeaweedFS(place / "s3") as store:
        options = ("--copy-directories", ",".join(map(str, copy_directories))) if copy_directories else ()
        with MereServer(place / "mere", f"{store.url}/lake", store.environment, options) as server:
            yield Warehouse(server.url, store)


@contextmanager
def postgres(place: Path) -> Iterator[Peer]:
    server = start_peer(place / "postgres", PEER_SETTINGS)
    try:
        yield server
    finally:
        server.stop()


def make_tpch(place: Path, scale: float) -> Path:
    """The eight tables as Parquet, in a directory of their own."""
    files = place / f"tpch-{scale:g}"
    with console.status(f"Making TPC-H at scale factor {scale:g}"):
        generator = start_generator(files, scale)
        try:
            code = generator.wait()
        finally:
            if generator.poll() is None:
                generator.kill()
                generator.wait()
        if code != 0:
            raise SystemExit("the TPC-H generator failed")
    return files


def run_psql(conninfo: str, *commands: str) -> str:
    """psql as a user calls it: what it printed, or an end with what went wrong."""
    words = [str(PSQL), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
    for command in commands:
        words += ["-c", command]
    done = subprocess.run([*words, conninfo], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"psql: {done.stderr.strip()}")
    return done.stdout
