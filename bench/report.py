"""What a benchmark prints: the machine, the versions, and one table of both sides with their ratio."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from mere import __version__

console = Console(highlight=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measured thing. `bar` says what Mere promises, and `met` whether this run kept it; None: no promise."""

    what: str
    mere: float
    peer: float
    bar: str = ""
    met: bool | None = None

    @property
    def ratio(self) -> float:
        return self.mere / self.peer if self.peer else float("inf")


def median(samples: Sequence[float]) -> float:
    return statistics.median(samples)


def print_machine() -> None:
    """Where and what: a figure without this is a rumour."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    console.print(f"{_processor()}, {cores} cores, {memory:.0f} GB, {platform.platform(terse=True)}")
    versions = f"Mere {__version__}{_commit()}, DuckDB {duckdb.__version__}, PostgreSQL {_postgres_version()}"
    console.print(f"{versions}, Python {platform.python_version()}\n")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str:
    here = Path(__file__).parent
    command = ["git", "rev-parse", "--short", "HEAD"]
    found = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    return f" ({found.stdout.strip()})" if found.returncode == 0 else ""


def _postgres_version() -> str:
    from harness.postgres import BINARIES

    found = subprocess.run([str(BINARIES / "postgres"), "--version"], capture_output=True, text=True, check=True)
    return found.stdout.split()[-1]


def print_table(title: str, peer: str, unit: str, comparisons: Sequence[Comparison], digits: int = 3) -> None:
    console.print(f"[bold]{title}[/bold] ({unit})")
    table = Table()
    table.add_column("")
    for name in ("Mere", peer, "ratio"):
        table.add_column(name, justify="right")
    table.add_column("promise")
    for row in comparisons:
        mark = {True: "[green]✓[/green] ", False: "[red]✗[/red] ", None: ""}[row.met]
        values = (f"{row.mere:,.{digits}f}", f"{row.peer:,.{digits}f}", f"{row.ratio:.2f}")
        table.add_row(row.what, *values, mark + row.bar)
    console.print(table)
