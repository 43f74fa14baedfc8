"""DuckDB macros with PostgreSQL's meaning, installed once by a segment's engine at its start.

Each is one CREATE MACRO statement over DuckDB's own functions. An error raised by one starts with its SQLSTATE, as
`22012:division by zero`. Kept by subject in mere.sql.functions.macros_*; lives in every process that runs DuckDB.
"""

from __future__ import annotations

from mere.sql.functions import macros_date, macros_json, macros_number, macros_output, macros_text

_SOURCES = (macros_number.MACROS, macros_text.MACROS, macros_date.MACROS, macros_json.MACROS, macros_output.MACROS)


def _statements(source: str) -> list[str]:
    """One macro a paragraph: `name(arguments) = expression`."""
    made = []
    for paragraph in source.strip().split("\n\n"):
        head, body = paragraph.split(" = ", 1)
        made.append(f"CREATE OR REPLACE MACRO {head} AS ({body.strip()})")
    return made


MACROS: tuple[str, ...] = tuple(statement for source in _SOURCES for statement in _statements(source))
