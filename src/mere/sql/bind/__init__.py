"""The binder: a parsed PostgreSQL statement over resolved relations, to DuckDB trees over named scans.

The entry is `bind`; `parse` and `relation_names` come before it, `fill_constants` and `duckdb_text` after. Pure
functions over syntax trees, in the gateway's process.
"""

from __future__ import annotations

from mere.sql.bind.bound import (
    ROWS,
    BindContext,
    BoundCheck,
    BoundDelete,
    BoundInsert,
    BoundMerge,
    BoundSelect,
    BoundStatement,
    BoundUpdate,
    Constant,
    DefaultColumn,
    OutputColumn,
    ParameterValue,
    Predicate,
    Scan,
    TimeTravel,
)
from mere.sql.bind.output import duckdb_text, fill_constants
from mere.sql.bind.parse import parse
from mere.sql.bind.relation_names import relation_names
from mere.sql.bind.statement import bind

__all__ = [
    "ROWS",
    "BindContext",
    "BoundCheck",
    "BoundDelete",
    "BoundInsert",
    "BoundMerge",
    "BoundSelect",
    "BoundStatement",
    "BoundUpdate",
    "Constant",
    "DefaultColumn",
    "OutputColumn",
    "ParameterValue",
    "Predicate",
    "Scan",
    "TimeTravel",
    "bind",
    "duckdb_text",
    "fill_constants",
    "parse",
    "relation_names",
]
