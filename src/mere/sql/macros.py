"""DuckDB macros with PostgreSQL's meaning, installed once by a segment's engine at its start.

They are kept by subject in functions/macros/*.sql: a paragraph `name(arguments) = expression` is one macro. An error
raised by one starts with its SQLSTATE, as `22012:division by zero`. Lives in every process that runs DuckDB.
"""

from __future__ import annotations

from importlib import resources

_SUBJECTS = ("number", "output", "text", "date", "json", "array", "format", "style", "merge")


def _statements(subject: str) -> list[str]:
    source = resources.files("mere.sql.functions").joinpath("macros", f"{subject}.sql").read_text(encoding="utf-8")
    made = []
    for paragraph in source.strip().split("\n\n"):
        if not paragraph.startswith("--"):
            head, body = paragraph.split(" = ", 1)
            made.append(f"CREATE OR REPLACE MACRO {head} AS ({body.strip()})")
    return made


MACROS: tuple[str, ...] = tuple(statement for subject in _SUBJECTS for statement in _statements(subject))
