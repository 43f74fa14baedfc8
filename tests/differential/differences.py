"""Where Mere differs from PostgreSQL on purpose: one reason a key; the case files mark the statements with the key.

A marked statement must still differ: when it no longer does, the suite fails until the mark is taken away.
"""

from __future__ import annotations

DIFFERENCES: dict[str, str] = {
    "keys-informational": "PRIMARY KEY and UNIQUE are kept and shown, not enforced on lake tables; a NOTICE says so",
    "foreign-keys": "FOREIGN KEY becomes NOT ENFORCED on lake tables",
    "negative-interval": (
        "Parquet's INTERVAL is unsigned and counts milliseconds: a lake table refuses a negative one, and a finer one"
        " (0A000)"
    ),
    "unsupported-type": "types without a DuckLake counterpart are refused in lake tables (0A000)",
    "one-dimension": "arrays of a lake table have one dimension (0A000)",
    "timetz-utc": "A time with time zone is stored in UTC",
    "system-columns": "ctid, xmin and the like belong to PostgreSQL's storage (0A000)",
    "regex-lookaround": "DuckDB's regular expressions have no back references and no lookaround (0A000)",
    "unsupported-function": "a function without a DuckDB translation is refused over lake data (0A000)",
    "user-functions": "a function of the user's runs over lake data if it is in SQL or Python, others do not (0A000)",
    "inside-postgres": (
        "a function, DO block or trigger that PostgreSQL itself runs cannot read or write lake tables (0A000)"
    ),
    "binary-record": "records have a text output only",
    "regex-classes": "a gap: \\y, \\m and \\M see the ends of words of ASCII letters alone over lake data",
    "oid-aliases": "a gap: regclass and its kin are shown as numbers over lake data",
    "array-null-flag": (
        "a slice of an array says in binary whether it holds NULLs itself, not whether the whole array did"
    ),
    "zone-names": "a gap: over lake data the session's time zone needs a name; an offset is refused (0A000)",
    "generated-later": (
        "generated columns are STORED, and come with the table: none is added to a table that has rows (0A000)"
    ),
    "two-changes": "two statements of one WITH that update or delete rows of the same lake table are refused (0A000)",
    "partition-picks": (
        "LIMIT and volatile functions in a subquery of an UPDATE or DELETE of a partitioned table are refused (0A000)"
    ),
    "partitions": (
        "PARTITION BY HASH, inheritance, MERGE and ON CONFLICT of a partitioned table, and an UPDATE that moves a row"
        " to another partition are refused on lake tables (0A000)"
    ),
    "refresh-concurrently": (
        "REFRESH MATERIALIZED VIEW CONCURRENTLY needs no unique index: readers never wait for a REFRESH"
    ),
    "numeric-38": "numeric without precision is numeric(38,10) in a lake table: DuckDB's DECIMAL has 38 digits",
}
