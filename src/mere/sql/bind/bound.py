"""What binding gives: DuckDB trees over named scans, with what the executor must know to run them.

Owns the dataclasses that cross from `sql` to `plan` and `execute`. Plain data; lives in the gateway's process.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from mere.sql.expressions import Typed
from mere.sql.relations import Column, Relation
from mere.sql.types import PgType


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """A parameter as Bind gave it: the type that PostgreSQL's Describe says, and its text; None is NULL."""

    type: PgType
    text: str | None


@dataclass(frozen=True, slots=True)
class BindContext:
    """What of the session changes the meaning of a statement."""

    time_zone: str = "UTC"
    parameters: tuple[ParameterValue, ...] = ()
    wide_decimals: bool = False  # products in 38 digits from the start: a first attempt overflowed
    any_values: bool = False  # parameters become constants of the plan, so that it does for other values too


@dataclass(frozen=True, slots=True)
class TimeTravel:
    """AT (VERSION => n) or AT (TIMESTAMP => t): `value` is a DuckDB constant expression, of BIGINT or TIMESTAMPTZ."""

    kind: str  # 'version' | 'timestamp'
    value: exp.Expression


@dataclass(frozen=True, slots=True)
class Predicate:
    """A conjunct `column op values` that every row of the scan must pass to matter: files may be pruned by it.

    `op` is one of =, <, <=, >, >=, in, is null, is not null. `values` are DuckDB constant expressions (they may hold
    placeholders of constants): one, for `in` any number, for the null tests none.
    """

    column: Column
    op: str
    values: tuple[exp.Expression, ...]


@dataclass(frozen=True, slots=True)
class Scan:
    """One occurrence of a table in the tree, where it is the table `name`.

    The executor puts rows there under the columns' own names, and `mere_file` and `mere_pos` for `row_identity`.
    `columns` are those that the statement reads; none for a bare count(*). `postgres_sql` is, for what PostgreSQL
    stores, the query that fetches exactly these columns as the user, those in `as_text` cast to text there.
    """

    name: str
    relation: Relation
    columns: tuple[Column, ...]
    at: TimeTravel | None = None
    predicates: tuple[Predicate, ...] = ()
    row_identity: bool = False
    postgres_sql: str | None = None


PARAMETER = "mere_parameter_"


@dataclass(frozen=True, slots=True)
class Constant:
    """A PostgreSQL expression without columns, evaluated there before the plan runs; $`name` in the tree is it. One
    whose name begins with PARAMETER is the parameter that its `sql` says, and known without PostgreSQL."""

    name: str
    sql: str
    type: PgType

    @property
    def parameter(self) -> int:
        """The parameter's number; 0 for what PostgreSQL evaluates."""
        return int(self.sql[1:]) if self.name.startswith(PARAMETER) else 0


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """`name` is PostgreSQL's, `alias` the column's unique name in the tree; `typed.sql` names that alias, bare."""

    name: str
    alias: str
    typed: Typed
    relation_oid: int = 0
    attnum: int = 0

    @property
    def type(self) -> PgType:
        return self.typed.type


@dataclass(frozen=True, slots=True)
class BoundSelect:
    """A DuckDB query whose columns are `columns`, in order, and what it reads. `volatile`: it runs once, in the engine
    of the coordinator, where also the rows of WITH queries are that have run before."""

    tree: exp.Expression
    columns: tuple[OutputColumn, ...]
    scans: tuple[Scan, ...] = ()
    constants: tuple[Constant, ...] = ()
    volatile: bool = False


ROWS = "mere_rows"  # the materialised rows that RETURNING and CHECK are bound over


@dataclass(frozen=True, slots=True)
class BoundCheck:
    """A CHECK constraint: `violation` is true, over one row of `mere_rows`, where the row breaks it."""

    name: str
    violation: exp.Expression


@dataclass(frozen=True, slots=True)
class BoundGenerated:
    """A stored generated column: `value`, over one row of `mere_rows`, is what it holds."""

    column: Column
    value: exp.Expression


BoundRule = BoundCheck | BoundGenerated


@dataclass(frozen=True, slots=True)
class Route:
    """A partition of an INSERT's table: `condition` is true over the rows of `mere_rows` that are its."""

    relation: Relation
    condition: exp.Expression
    checks: tuple[BoundRule, ...]


@dataclass(frozen=True, slots=True)
class DefaultColumn:
    """A column that the INSERT does not give: PostgreSQL's default expression, None for NULL."""

    column: Column
    expression: str | None


@dataclass(frozen=True, slots=True)
class BoundInsert:
    """INSERT: `source` gives the `given` columns, in that order, under their own names and of their own types.

    The executor adds `defaults`. `returning` and `checks` are over `mere_rows`: the table's columns, all of them.
    Where a row of VALUES says DEFAULT and another gives a value, `source` has a BOOLEAN column `mere_default_<attnum>`
    beside the column, true where the default is meant; such columns are listed in `mixed`. `routes` are the partitions
    of a partitioned table. `rule_constants` stand in `checks` and `routes`.
    """

    relation: Relation
    source: BoundSelect | None  # None for DEFAULT VALUES: one row of defaults
    given: tuple[Column, ...]
    defaults: tuple[DefaultColumn, ...]
    mixed: tuple[DefaultColumn, ...] = ()
    checks: tuple[BoundRule, ...] = ()
    returning: BoundSelect | None = None
    routes: tuple[Route, ...] = ()
    rule_constants: tuple[Constant, ...] = ()


@dataclass(frozen=True, slots=True)
class BoundUpdate:
    """UPDATE: `select` gives mere_file, mere_pos, then every column of the table with its new value.

    A column set to DEFAULT comes as NULL and is listed in `defaults`. For RETURNING it also gives
    `mere_old_<attnum>` (values before) and `mere_from_<n>` (columns of FROM): all of it is `mere_rows`, materialised
    once. `changed` are the columns that SET names, `rule_constants` stand in `checks`.
    """

    relation: Relation
    select: BoundSelect
    changed: tuple[Column, ...]
    defaults: tuple[DefaultColumn, ...] = ()
    checks: tuple[BoundRule, ...] = ()
    returning: BoundSelect | None = None
    rule_constants: tuple[Constant, ...] = ()


@dataclass(frozen=True, slots=True)
class BoundDelete:
    """DELETE: `select` gives mere_file and mere_pos, and what RETURNING needs."""

    relation: Relation
    select: BoundSelect
    returning: BoundSelect | None = None


@dataclass(frozen=True, slots=True)
class BoundMerge:
    """MERGE: `select` gives mere_action ('INSERT', 'UPDATE' or 'DELETE'), mere_file and mere_pos (NULL for INSERT),
    and the table's columns as they are to be. Rows that do nothing are left out.

    Where two rows of `select` with action UPDATE or DELETE share (mere_file, mere_pos), the statement fails: 21000.
    `defaults` are columns that come as NULL with a true BOOLEAN column `mere_default_<attnum>`. `rule_constants` stand
    in `checks`.
    """

    relation: Relation
    select: BoundSelect
    actions: frozenset[str]
    defaults: tuple[DefaultColumn, ...] = ()
    checks: tuple[BoundRule, ...] = ()
    returning: BoundSelect | None = None
    verb: str = "MERGE"  # what the client asked for: an INSERT with ON CONFLICT is carried out as MERGE
    rule_constants: tuple[Constant, ...] = ()


BoundStatement = BoundSelect | BoundInsert | BoundUpdate | BoundDelete | BoundMerge


@dataclass(slots=True)
class OutputNames:
    """Gives each output column a name that is unique in DuckDB, where case does not count."""

    taken: set[str] = field(default_factory=set)

    def unique(self, name: str) -> str:
        base = name or "mere_column"
        candidate, number = base, 1
        while candidate.lower() in self.taken:
            candidate, number = f"{base}_{number}", number + 1
        self.taken.add(candidate.lower())
        return candidate
