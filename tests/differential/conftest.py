"""Prints the share of agreement at the end."""

from __future__ import annotations

import pytest

from . import report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = report.lines()
    if lines:
        terminalreporter.section("agreement with PostgreSQL 18")
        for line in lines:
            terminalreporter.write_line(line)
