"""Macros: text. Text of DuckDB SQL; see mere.sql.macros."""

from __future__ import annotations

MACROS = r"""
mere_placeholder_text(x) = x
"""
