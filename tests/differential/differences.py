"""Where Mere differs from PostgreSQL on purpose: one reason a key; the case files mark the statements with the key.

A marked statement must still differ: when it no longer does, the suite fails until the mark is taken away.
"""

from __future__ import annotations

DIFFERENCES: dict[str, str] = {
    "keys-informational": "PRIMARY KEY and UNIQUE are kept and shown, not enforced on lake tables; a NOTICE says so",
    "foreign-keys": "FOREIGN KEY becomes NOT ENFORCED on lake tables",
    "negative-interval": "Parquet's INTERVAL is unsigned: a lake table refuses a negative one (0A000)",
    "binary-record": "records have a text output only",
    "numeric-38": "numeric without precision is numeric(38,10) in a lake table: DuckDB's DECIMAL has 38 digits",
}
