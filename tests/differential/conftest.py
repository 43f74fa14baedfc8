"""Prints the share of agreement at the end; a schema of its own for the random queries."""

from __future__ import annotations

import pytest
from harness.fixtures import space

from . import report

__all__ = ["space"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = report.lines()
    if lines:
        terminalreporter.section("agreement with PostgreSQL 18")
        for line in lines:
            terminalreporter.write_line(line)
