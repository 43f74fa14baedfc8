"""What the demo shows: steps with their times, progress bars, and the table of queries at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from mere.demo.kill import Survived


@dataclass(frozen=True, slots=True)
class QueryResult:
    """One query's run. `difference` is None when the answer was right."""

    name: str
    seconds: float
    rows: int
    difference: str | None


class Display:
    """Lines that stay; bars only where somebody watches."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)

    @contextmanager
    def step(self, doing: str, done: str) -> Iterator[None]:
        """A spinner while it lasts, then one line with its time."""
        started = time.monotonic()
        with self.console.status(doing):
            yield
        self.line(done, time.monotonic() - started)

    @contextmanager
    def bar(self, doing: str, done: str, total: float) -> Iterator[Bar]:
        """A progress bar while it lasts, then one line with its time."""
        started = time.monotonic()
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
        )
        hidden = not self.console.is_terminal
        with Progress(*columns, console=self.console, transient=True, disable=hidden) as progress:
            bar = Bar(progress, doing, total, done)
            yield bar
        self.line(bar.done, time.monotonic() - started)

    def line(self, text: str, seconds: float) -> None:
        self.console.print(f"[green]✓[/green] {text:<66}[dim]{seconds:6.1f} s[/dim]")

    def survived(self, survived: Survived) -> None:
        self.console.print(
            f"    after {survived.killed:.1f} s instead of {survived.undisturbed:.1f} s, and the same;"
            f" a new segment was up {survived.replaced:.1f} s after the kill",
            soft_wrap=True,
        )

    def results(self, results: list[QueryResult]) -> None:
        table = Table()
        table.add_column("query")
        table.add_column("seconds", justify="right")
        table.add_column("rows", justify="right")
        table.add_column("answer")
        for result in results:
            answer = "[green]right[/green]" if result.difference is None else "[red]wrong[/red]"
            table.add_row(result.name, f"{result.seconds:.3f}", f"{result.rows:,}", answer)
        table.add_section()
        right = sum(result.difference is None for result in results)
        seconds, rows = sum(result.seconds for result in results), sum(result.rows for result in results)
        table.add_row("all", f"{seconds:.3f}", f"{rows:,}", f"{right} of {len(results)}")
        self.console.print(table)
        for result in results:
            if result.difference is not None:
                self.console.print(Text.assemble((result.name, "red"), ": ", result.difference))

    def verdict(self, results: list[QueryResult], seconds: float) -> None:
        """The last line. By now nothing of the demo is left."""
        wrong = sum(result.difference is not None for result in results)
        if wrong:
            text = f"[red]✗[/red] {wrong} of {len(results)} answers differ from DuckDB's"
        else:
            text = f"[green]✓[/green] All {len(results)} answers are DuckDB's own"
        text = f"{text}; everything was stopped and removed. [dim]{seconds:.1f} s in all[/dim]"
        self.console.print(text, soft_wrap=True)


class Bar:
    """A bar that says what it is at; `done` is the line that it leaves."""

    def __init__(self, progress: Progress, doing: str, total: float, done: str) -> None:
        self.done = done
        self._progress = progress
        self._task = progress.add_task(doing, total=total)

    def at(self, doing: str) -> None:
        self._progress.update(self._task, description=doing)

    def advance(self, amount: float) -> None:
        self._progress.advance(self._task, amount)
