"""Relations as the binder sees them: plain, frozen facts that the catalog read.

Knows no socket and no SQL text of ours. Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from mere.sql.functions.user import UserFunction
from mere.sql.types import PgType


class Kind(Enum):
    """What stands behind a name, and so who can read it."""

    LAKE = "lake"  # a shell: rows are Parquet files
    VIEW = "view"  # expanded by the binder
    PARTITIONED = "partitioned"  # its rows are those of its partitions, which are lake tables
    POSTGRES = "postgres"  # heap, temporary, catalog, foreign, sequence, materialized view: rows come from PostgreSQL


@dataclass(frozen=True, slots=True)
class Column:
    """One attribute. `field_id` (and `element_id` for arrays) are DuckLake column ids, None outside the lake."""

    attnum: int
    name: str
    type: PgType
    not_null: bool = False
    default: str | None = None  # pg_get_expr text
    identity: str = ""  # '' | 'a' (always) | 'd' (by default)
    generated: str = ""  # '' | 's' (stored) | 'v' (virtual)
    field_id: int | None = None
    element_id: int | None = None
    initial_default: str | None = None  # what files older than the column have, as DuckDB writes it
    readable: bool = True  # may the checking role SELECT it
    insertable: bool = False  # granted by itself: INSERT (column)
    updatable: bool = False  # granted by itself: UPDATE (column)


@dataclass(frozen=True, slots=True)
class Policy:
    """A distribution policy. `kind` is 'hash' | 'random' | 'replicated'; `keys` are attnums, buckets on the first."""

    kind: str = "random"
    keys: tuple[int, ...] = ()
    buckets: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    expression: str  # pg_get_expr text, unqualified column names


@dataclass(frozen=True, slots=True)
class Key:
    """A PRIMARY KEY or UNIQUE constraint, by attnums; informational on lake tables."""

    name: str
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view by oid. `privileges` holds SELECT, INSERT, UPDATE, DELETE, TRUNCATE as the checking role has
    them: the session's role for what the statement names, the view's owner for what an ordinary view reads."""

    oid: int
    schema: str
    name: str
    kind: Kind
    columns: tuple[Column, ...]
    owner: str
    privileges: frozenset[str]
    view_sql: str | None = None  # pg_get_viewdef, every name qualified
    table_id: int | None = None  # DuckLake's; None while the CREATE is uncommitted
    path: str | None = None  # storage prefix of the table's files, relative to the lake's data path, ends with /
    policy: Policy = Policy()
    checks: tuple[Check, ...] = ()
    keys: tuple[Key, ...] = ()
    temporary: bool = False
    guarded: bool = False  # a view that PostgreSQL would not write through simply: CHECK OPTION, INSTEAD OF triggers
    materialized: bool = False  # a materialized view: only REFRESH changes its rows
    populated: bool = True
    partitions: tuple[Relation, ...] = ()  # those that have rows, however far down
    bounds: str | None = None  # of a partition: pg_get_partition_constraintdef text
    moves: bool = False  # named by its partitioned table, so that a row out of bounds belongs to another partition
    named: str = ""  # what the statement calls it, where that is another name


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the names of one statement mean.

    `by_name` has the names as the statement writes them, folded, of one to three parts; what is not there does not
    exist. `in_views` says, by a view's oid, what the view reads by (schema, name), with the privileges of the role
    that PostgreSQL checks there: the view's owner, or the user for a security_invoker view. `functions` has the users'
    functions that a call may mean, by schema ("" where none is written) and name, in the order of the search path.
    """

    by_name: Mapping[tuple[str, ...], Relation] = field(default_factory=dict)
    in_views: Mapping[int, Mapping[tuple[str, str], Relation]] = field(default_factory=dict)
    functions: Mapping[tuple[str, str], tuple[UserFunction, ...]] = field(default_factory=dict)
