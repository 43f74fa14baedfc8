"""DuckDB macros with PostgreSQL's meaning, installed once by a segment's engine at its start."""

from __future__ import annotations

MACROS: tuple[str, ...] = ()
