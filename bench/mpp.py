"""TPC-H on segments: two of one thread each, beside a native DuckDB of two threads and other engines, in one run.

python -m bench.mpp [--scale 1] [--layout hash,random] [--peers datafusion,sail,spark,vane,postgres] [--segments 2]
                    [--repeats 3] [--environments DIRECTORY] [--plot FILE]

Each peer runs in an environment of its own (bench/peers/<name>.txt), made at first use under --environments. --plot
draws the sums of all engines as SVG.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString

import psycopg
from harness.postgres import Peer

from bench.motions import Moved, moved, print_moved
from bench.place import make_tpch, postgres, run_psql, temporary_place
from bench.plot import Bar, write_bars
from bench.report import Comparison, console, median, print_machine, print_table
from bench.segments import load, segmented_warehouse, wait_for_segments
from bench.tpch import alternate, open_native
from mere.demo.tpch import TABLES, queries

HERE = Path(__file__).parent
PROMISES = {("hash", 1.0): 1.5, ("hash", 10.0): 1.25, ("random", 1.0): 3.0, ("random", 10.0): 2.0}
SLOW = 60.0
MOST_SECONDS = 1800.0  # of one engine, all queries together


@dataclass(frozen=True, slots=True)
class Times:
    """Medians in seconds by query; what failed or took too long is missing."""

    engine: str
    seconds: Mapping[str, float]
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


def main() -> None:
    options = _options()
    print_machine()
    with temporary_place() as place:
        files = make_tpch(place, options.scale)
        found: list[Times] = []
        for layout in options.layout.split(","):
            found += against_native(place / layout, files, layout, options)
        for peer in filter(None, options.peers.split(",")):
            with console.status(f"Running {peer}"):
                found.append(run_peer(peer, place, files, options))
        print_peers(found, options.scale)
        if options.plot is not None:
            draw(options.plot, found, options.scale)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.mpp")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--layout", default="hash,random")
    parser.add_argument("--peers", default="")
    parser.add_argument("--segments", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--environments", type=Path, default=Path.home() / ".cache" / "mere-bench")
    return parser.parse_args()


def against_native(place: Path, files: Path, layout: str, options: argparse.Namespace) -> Iterator[Times]:
    place.mkdir()
    with (
        segmented_warehouse(place, options.segments, [files]) as mere,
        psycopg.connect(mere.url, autocommit=True) as connection,
    ):
        load(connection, TABLES, files, layout)
        wait_for_segments(connection, options.segments)
        native = open_native(mere)
        native.execute("SET threads = 2")
        medians: dict[str, tuple[float, float]] = {}
        motions: dict[str, Moved] = {}
        for name, sql in queries().items():
            with console.status(f"Running {name}, {layout}"):
                motions[name] = moved(connection, sql)
                medians[name] = alternate(
                    lambda sql=sql: connection.execute(sql).fetchall(),  # type: ignore[misc]
                    lambda sql=sql: native.execute(sql).fetchall(),  # type: ignore[misc]
                    options.repeats,
                )
    rows = [Comparison(name, mine, theirs) for name, (mine, theirs) in medians.items()]
    total = Comparison("all", sum(row.mere for row in rows), sum(row.peer for row in rows))
    promise = PROMISES.get((layout, options.scale))
    if promise is not None:
        total = Comparison("all", total.mere, total.peer, f"at most {promise:.2f}x", total.ratio <= promise)
    title = f"TPC-H, scale factor {options.scale:g}, {options.segments} segments, {layout}"
    print_table(f"{title}, medians of {options.repeats}", "DuckDB", "seconds", [*rows, total])
    print_moved(title, motions)
    yield Times(f"Mere, {options.segments} segments, {layout}", {name: mine for name, (mine, _) in medians.items()})
    if layout == "hash":
        yield Times("DuckDB, 2 threads", {name: theirs for name, (_, theirs) in medians.items()})


def run_peer(name: str, place: Path, files: Path, options: argparse.Namespace) -> Times:
    if name == "postgres":
        with postgres(place) as server:
            return _postgres(server, files, options)
    python = environment(name, options.environments)
    texts = place / "queries"
    texts.mkdir(exist_ok=True)
    for query, sql in queries().items():
        (texts / f"{query}.sql").write_text(sql)
    program = HERE / "peers" / f"run_{name}.py"
    command = [str(python), str(program), str(files), str(texts), str(options.repeats), str(SLOW)]
    printed = run_alone(command, place / f"{name}.log", MOST_SECONDS)
    lines = [json.loads(line) for line in printed if line.startswith('{"query"')]
    if not lines:
        console.print(f"{name}: {printed[-1:]}")
    seconds = {line["query"]: median(line["seconds"]) for line in lines if line.get("seconds")}
    return Times(name, seconds, {line["query"]: line["error"] for line in lines if "error" in line})


def run_alone(command: Sequence[str], log: Path, seconds: float) -> list[str]:
    """What it printed until its end, or until all that it started is killed. What it leaves lies beside the log."""
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            env=_without_python_path(),
            start_new_session=True,
        )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        console.print(f"{command[1]} is ended after {seconds:.0f} s")
    finally:
        with suppress(ProcessLookupError):  # also what it has left running: workers, a cluster
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return log.read_text(errors="replace").splitlines()


def environment(name: str, directory: Path) -> Path:
    """The Python of the peer's own environment."""
    place = directory / name
    python = place / "bin" / "python"
    if not python.exists():
        venv.create(place, with_pip=True)
        requirements = str(HERE / "peers" / f"{name}.txt")
        subprocess.run([str(python), "-m", "pip", "install", "-q", "-r", requirements], check=True)
    return python


def _without_python_path() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


def _postgres(server: Peer, files: Path, options: argparse.Namespace) -> Times:
    import duckdb

    for table in TABLES:
        run_psql(server.conninfo, f"CREATE TABLE {table.name} ({table.columns})")
        text = files.parent / f"{table.name}.csv"
        duckdb.sql(f"COPY (FROM '{files / table.name}.parquet') TO '{text}' (HEADER false)")
        run_psql(server.conninfo, f"\\copy {table.name} FROM '{text}' (FORMAT csv)")
        text.unlink()
    seconds: dict[str, float] = {}
    failed: dict[str, str] = {}
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        for statement in _KEYS:
            connection.execute(statement)
        connection.execute("ANALYZE")
        connection.execute(f"SET statement_timeout = '{SLOW:.0f}s'")
        for name, sql in queries().items():
            try:
                mine, _ = alternate(
                    lambda sql=sql: connection.execute(sql).fetchall(),  # type: ignore[misc]
                    lambda: None,
                    1,
                )
                seconds[name] = mine
            except psycopg.errors.QueryCanceled:
                failed[name] = f"over {SLOW:.0f} s"
    return Times("PostgreSQL 18", seconds, failed)


_KEYS: tuple[LiteralString, ...] = (
    "ALTER TABLE orders ADD PRIMARY KEY (o_orderkey)",
    "ALTER TABLE part ADD PRIMARY KEY (p_partkey)",
    "ALTER TABLE customer ADD PRIMARY KEY (c_custkey)",
    "ALTER TABLE supplier ADD PRIMARY KEY (s_suppkey)",
    "ALTER TABLE partsupp ADD PRIMARY KEY (ps_partkey, ps_suppkey)",
    "CREATE INDEX ON lineitem (l_orderkey)",
    "CREATE INDEX ON lineitem (l_partkey)",
)


def draw(file: Path, found: Sequence[Times], scale: float) -> None:
    """Of an engine that did not answer all, the sum says nothing beside the others': the note does."""
    bars = [
        Bar(
            times.engine,
            times.total,
            times.engine.startswith("Mere"),
            "" if len(times.seconds) == 22 else f"{len(times.seconds)} of 22",
        )
        for times in found
    ]
    write_bars(file, f"TPC-H, scale factor {scale:g}, sum over 22 queries", "seconds", bars)


def print_peers(found: Sequence[Times], scale: float) -> None:
    from rich.table import Table

    table = Table(title=f"TPC-H, scale factor {scale:g}, all 22 (seconds)")
    for name in ("engine", "answered", "sum"):
        table.add_column(name, justify="left" if name == "engine" else "right")
    for times in sorted(found, key=lambda times: (-len(times.seconds), times.total)):
        table.add_row(times.engine, f"{len(times.seconds)} of 22", f"{times.total:.2f}")
    console.print(table)
    for times in found:
        for query, why in times.failed.items():
            console.print(f"{times.engine}, {query}: {why}")


if __name__ == "__main__":
    main()
