"""VACUUM as PostgreSQL writes it, and the arguments of mere.maintain()."""

from __future__ import annotations

import pytest

from mere.sql.upkeep import maintain_arguments, parse_vacuum


@pytest.mark.parametrize(
    ("text", "full", "verbose", "targets", "options"),
    [
        ("VACUUM", False, False, [], ""),
        ("vacuum full verbose t", True, True, ["t"], "full verbose"),
        ("VACUUM (FULL, ANALYZE) a.t (x, y), u", True, False, ["a.t (x, y)", "u"], "(FULL, ANALYZE)"),
        ("VACUUM (FULL false, VERBOSE on, PARALLEL 2) t", False, True, ["t"], "(FULL false, VERBOSE on, PARALLEL 2)"),
        ("VACUUM ONLY t", False, False, ["ONLY t"], ""),
        ('VACUUM ANALYZE "full"', False, False, ['"full"'], "ANALYZE"),
    ],
)
def test_vacuum(text: str, full: bool, verbose: bool, targets: list[str], options: str) -> None:
    command = parse_vacuum(text)
    assert (command.full, command.verbose, command.options) == (full, verbose, options)
    assert [written for _, written in command.targets] == targets


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("SELECT * FROM mere.maintain()", ""),
        ("SELECT kind FROM mere.maintain('t', kinds => '{a}') WHERE f(1) > 0", "'t', kinds => '{a}'"),
        ('SELECT * FROM "mere" . "maintain" (f((1)))', "f((1))"),
        ("SELECT 'mere.maintain()'", None),
        ("SELECT mere.maintain, maintain(1) FROM mere", None),
        ("SELECT mere.maintain(), mere.maintain()", None),
    ],
)
def test_arguments_of_maintain(text: str, arguments: str | None) -> None:
    assert maintain_arguments(text) == arguments
