"""Mere: a mirror-less MPP data warehouse. PostgreSQL in front, DuckDB behind, data once in object storage."""

__version__ = "0.1.0"
