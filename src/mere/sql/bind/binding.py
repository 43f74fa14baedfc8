"""The state of binding one statement: scans, constants, aliases, and what privileges must be checked.

One object per statement, thrown away after. Lives in the gateway's process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

from sqlglot import exp

from mere.errors import InsufficientPrivilege
from mere.sql.bind.block import Block, ColumnOf
from mere.sql.bind.bound import PARAMETER, BindContext, Constant, Predicate, Scan, TimeTravel
from mere.sql.bind.postgres_scan import fetch_sql
from mere.sql.bind.scope import CommonTable, Frame, Name, Scope
from mere.sql.relations import Column, Kind, Relation, Resolved
from mere.sql.types import PgType


@dataclass(slots=True)
class Access:
    """The columns of one occurrence of a relation that the statement reads, for privileges and projection.

    `target` of UPDATE, DELETE and MERGE: what the statement does not read needs no SELECT.
    """

    relation: Relation
    target: bool = False
    used: dict[int, Column] = field(default_factory=dict)

    def use(self, column: Column) -> Callable[[], None]:
        def note() -> None:
            self.used[column.attnum] = column

        return note

    def check(self) -> None:
        """SELECT on the table, or on each column read; without any column, on at least one."""
        if "SELECT" in self.relation.privileges:
            return
        read = tuple(self.used.values())
        allowed = all(column.readable for column in read)
        if not read and not self.target:
            allowed = any(column.readable for column in self.relation.columns)
        if not allowed:
            raise denied(self.relation)


def denied(relation: Relation) -> InsufficientPrivilege:
    kind = "table" if relation.view_sql is None else "view"
    return InsufficientPrivilege(f"permission denied for {kind} {relation.named or relation.name}")


@dataclass(frozen=True, slots=True)
class Deferred:
    """A conjunct on a column of a WITH query, which holds for its scans if nothing else reads that query."""

    common: str
    column: str
    op: str
    values: tuple[exp.Expression, ...]
    strict_only: bool


@dataclass(slots=True)
class ScanBuilder:
    """A Scan while its columns and predicates are being found."""

    name: str
    access: Access
    at: TimeTravel | None = None
    predicates: list[Predicate] = field(default_factory=list)
    row_identity: bool = False
    whole: bool = False  # every column, read or not: the rows are written again
    postgres_sql: str | None = None  # where it is not simply the table's rows

    def build(self) -> Scan:
        relation = self.access.relation
        columns = tuple(column for column in relation.columns if self.whole or column.attnum in self.access.used)
        postgres = self.postgres_sql
        if postgres is None and relation.kind is Kind.POSTGRES:
            postgres = fetch_sql(relation, columns, self.predicates)
        return Scan(self.name, relation, columns, self.at, tuple(self.predicates), self.row_identity, postgres)


class Binding:
    """Shared by every function that binds a part of the statement."""

    def __init__(
        self,
        context: BindContext,
        resolved: Resolved,
        bind_query: Callable[[Binding, exp.Expression, Scope | None, Frame], Block],
        held: Mapping[str, CommonTable] = MappingProxyType({}),
    ) -> None:
        self.context = context
        self.resolved = resolved
        self._bind_query = bind_query
        self._held = held
        self.reads_held = False  # since the last `take`
        self.scans: dict[str, ScanBuilder] = {}  # by emitted alias
        self.accesses: list[Access] = []
        self.constants: dict[tuple[str, PgType, int], Constant] = {}
        self._rule_constants: dict[str, Constant] = {}
        self.derived: dict[str, dict[str, list[ColumnOf]]] = {}  # lineage of derived tables, by emitted alias
        self.common_of: dict[str, str] = {}  # the WITH query behind a range item, by emitted aliases
        self.weights: dict[tuple[str, str], int] = {}  # of columns of queries, by emitted alias: see growth.py
        self.tables_in: dict[str, int] = {}  # how many tables stand in a WITH query, those within others too
        self.deferred: list[Deferred] = []
        self.changes = False  # the statement is INSERT, UPDATE, DELETE or MERGE
        self._open: set[int] = set()
        self._scan_count = 0
        self._constant_count = 0
        self._aliases: set[str] = set()
        self._numbers: dict[str, int] = {}

    def query(self, node: exp.Expression, outer: Scope | None, frame: Frame) -> Block:
        return self._bind_query(self, node, outer, frame)

    def leave_open(self, node: exp.Expression) -> None:
        """Literals without a type in this SELECT's list wait for what is around it: UNION, or INSERT's columns."""
        while isinstance(node, exp.Subquery):
            node = node.this
        self._open.add(id(node))

    def is_open(self, node: exp.Expression) -> bool:
        return id(node) in self._open

    def frame(self) -> Frame:
        """What names mean to the statement itself."""
        return Frame(self.resolved.by_name.get, self._held)

    def view_lookup(self, view: int) -> Callable[[Name], Relation | None]:
        """What names mean inside a view: PostgreSQL qualifies all but those of pg_catalog."""
        inside = self.resolved.in_views.get(view, {})

        def lookup(name: Name) -> Relation | None:
            schema = name[-2] if len(name) > 1 else "pg_catalog"
            return inside.get((schema, name[-1]))

        return lookup

    def reads_lake(self, view: int) -> bool:
        """Whether a view reads a lake table, itself or through other views."""
        inside = self.resolved.in_views.get(view, {}).values()
        return any(
            relation.kind in (Kind.LAKE, Kind.PARTITIONED)
            or (relation.kind is Kind.VIEW and self.reads_lake(relation.oid))
            for relation in inside
        )

    def alias(self, name: str) -> str:
        """An alias for the DuckDB tree, unique in the whole statement whatever the case."""
        folded = name.lower()
        candidate, number = name, self._numbers.get(folded, 0)
        while candidate.lower() in self._aliases:
            number += 1
            candidate = f"{name}_{number}"
        self._numbers[folded] = number
        self._aliases.add(candidate.lower())
        return candidate

    def access(self, relation: Relation, target: bool = False) -> Access:
        found = Access(relation, target)
        self.accesses.append(found)
        return found

    def scan(self, alias: str, access: Access, at: TimeTravel | None = None) -> ScanBuilder:
        builder = ScanBuilder(f"mere_scan_{self._scan_count}", access, at)
        self._scan_count += 1
        self.scans[alias] = builder
        return builder

    def constant(self, sql: str, pg_type: PgType, *, shared: bool = True) -> Constant:
        """`shared`: the same text is the same value, wherever in the statement."""
        key = (sql, pg_type, 0 if shared else self._constant_count)
        if key not in self.constants:
            self.constants[key] = Constant(f"mere_constant_{self._constant_count}", sql, pg_type)
            self._constant_count += 1
        return self.constants[key]

    def parameter(self, number: int, pg_type: PgType) -> Constant:
        """A constant whose value comes with each execution."""
        constant = Constant(f"{PARAMETER}{number}", f"${number}", pg_type)
        return self.constants.setdefault((constant.sql, pg_type, 0), constant)

    def check_privileges(self) -> None:
        for access in self.accesses:
            access.check()

    def take(self) -> tuple[tuple[Scan, ...], tuple[Constant, ...]]:
        """The scans and constants since the last call: each query of a statement has its own."""
        self._apply_deferred()
        scans = tuple(builder.build() for builder in self.scans.values())
        constants = tuple(self.constants.values())
        self.scans, self.constants, self.reads_held = {}, {}, False
        return scans, constants

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Constants of rules (CHECK, bounds of partitions) belong to no query of the statement."""
        outer, self.constants = self.constants, {}
        try:
            yield
        finally:
            self._rule_constants.update((constant.name, constant) for constant in self.constants.values())
            self.constants = outer

    @property
    def rule_constants(self) -> tuple[Constant, ...]:
        return tuple(self._rule_constants.values())

    def note_predicate(
        self, alias: str, name: str, op: str, values: tuple[exp.Expression, ...], strict_only: bool
    ) -> None:
        """Brings a conjunct on a range item's column to the scans that the column comes from."""
        if (builder := self.scans.get(alias)) is not None:
            column = next((c for c in builder.access.relation.columns if c.name == name), None)
            if column is not None and not (op == "is null" and strict_only):
                builder.predicates.append(Predicate(column, op, tuple(value.copy() for value in values)))
        elif alias in self.common_of:
            self.deferred.append(Deferred(self.common_of[alias], name, op, values, strict_only))
        else:
            for inner_alias, inner_name in self.derived.get(alias, {}).get(name, ()):
                # An outer join inside may leave the inner row out, so only what NULL fails may be used.
                self.note_predicate(inner_alias, inner_name, op, values, strict_only=True)

    def _apply_deferred(self) -> None:
        uses = Counter(self.common_of.values())
        while self.deferred:
            entry = self.deferred.pop()
            if uses[entry.common] == 1:
                for alias, name in self.derived.get(entry.common, {}).get(entry.column, ()):
                    self.note_predicate(alias, name, entry.op, entry.values, strict_only=True)
