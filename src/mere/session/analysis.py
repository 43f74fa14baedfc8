"""What a statement over lake tables means: PostgreSQL's analysis, the relations, the snapshot, and the bound query.

Lives in the coordinator process. One flight on the backing connection carries the statement itself (PostgreSQL checks
it, types it and locks its tables), the look-up of its relations and the newest snapshot; so no DDL can come between.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlglot import exp

from mere.catalog.backend import CommandResult, Describe, Description, Fetch
from mere.catalog.resolve import RESOLVE, names_argument, read_resolved
from mere.errors import FeatureNotSupported, MereError, SqlSyntaxError
from mere.execute.compose import Body
from mere.execute.distributed import PlanMemory
from mere.lake.metadata import Snapshot
from mere.session.routing import NotOurs
from mere.session.state import Parameters, SessionState
from mere.session.travel import without_time_travel
from mere.sql.bind import BindContext, BoundStatement, ParameterValue, bind, parse, relation_names
from mere.sql.lexer import Statement
from mere.sql.relations import Kind, Resolved
from mere.sql.types import PgType

# The relations, and what else may change from one statement to the next.
_FACTS = f"""SELECT {RESOLVE}, id, schema_version, pg_catalog.to_json(at) #>> '{{}}',
pg_catalog.current_setting('statement_timeout'), pg_catalog.current_setting('transaction_read_only'),
pg_catalog.current_setting('bytea_output') FROM mere.newest_snapshot()"""
_TIMEOUT_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_KEPT = 256
_LONGEST_KEPT = 100_000  # characters: a bulk INSERT does not come again
K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Analysis:
    """`description` is PostgreSQL's: the types of parameters and of result columns."""

    description: Description
    resolved: Resolved
    snapshot: Snapshot
    read_only: bool
    time_zone: str
    tree: exp.Expression
    length: int  # of the statement, in characters

    def bind(self, parameters: Parameters, wide: bool = False) -> BoundStatement:
        return self.compile(parameters, wide).bound

    def compile(self, parameters: Parameters, wide: bool = False) -> Compiled:
        """The bound statement; the same one again for the same tree, relations, time zone and values.

        Decimals are carried as DuckDB does it, in 18 digits where the columns have as many; `wide` is for the second
        attempt, after these overflowed.
        """
        key = (id(self.tree), id(self.resolved), self.time_zone, parameters, wide)
        known = _compiled.get(key)
        if known is None:
            values = tuple(
                ParameterValue(PgType(oid), text) for oid, text in zip(parameters.oids, parameters.values, strict=True)
            )
            bound = bind(self.tree, self.resolved, BindContext(self.time_zone, values, wide))
            known = Compiled(self.tree, self.resolved, bound)
            if self.length + sum(len(text or "") for text in parameters.values) <= _LONGEST_KEPT:
                _compiled.put(key, known)
        return known


@dataclass(frozen=True, slots=True)
class Compiled:
    """A bound statement, with what its key refers to (so that no other object gets their ids), and the queries that
    were made of it, by how their columns are shown."""

    tree: exp.Expression
    resolved: Resolved
    bound: BoundStatement
    bodies: dict[object, Body] = field(default_factory=dict)
    memory: PlanMemory = field(default_factory=PlanMemory)


def decimals_overflowed(error: MereError) -> bool:
    """Whether the statement may succeed with wider decimals."""
    return error.sqlstate == "22003" and "numeric" in error.message


class _Kept(Generic[K, V]):
    """The values used last, for statements that come again and again."""

    def __init__(self) -> None:
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        self._values[key] = value
        if len(self._values) > _KEPT:
            self._values.popitem(last=False)


# Trees are never changed after parsing, nor is what was bound.
_parsed: _Kept[str, tuple[exp.Expression, str]] = _Kept()
_compiled: _Kept[tuple[int, int, str, Parameters, bool], Compiled] = _Kept()


def _parse(text: str) -> tuple[exp.Expression, str]:
    """The tree, and the names in it as mere.resolve() takes them."""
    known = _parsed.get(text)
    if known is None:
        tree = parse(text)
        _refuse_changing_the_past(tree)
        known = (tree, names_argument(relation_names(tree)))
        if len(text) <= _LONGEST_KEPT:
            _parsed.put(text, known)
    return known


def _refuse_changing_the_past(tree: exp.Expression) -> None:
    target = tree.this if isinstance(tree, exp.Insert | exp.Update | exp.Delete | exp.Merge) else None
    target = target.this if isinstance(target, exp.Schema) else target
    if isinstance(target, exp.Table) and (target.args.get("when") or target.args.get("version")):
        raise SqlSyntaxError(f'"{target.name}" AT a version or time can be read, not changed')


async def analyse(state: SessionState, statement: Statement, param_oids: Sequence[int] = ()) -> Analysis:
    """Raises NotOurs for a statement that names no lake table, and PostgreSQL's errors for what it finds wrong."""
    try:
        tree, names = _parse(statement.text)
    except FeatureNotSupported as error:
        raise NotOurs(error) from error
    text = without_time_travel(statement.text) if "at" in statement.words else statement.text
    results: Sequence[Any] = await state.backend.pipeline([Describe(text, tuple(param_oids)), Fetch(_FACTS, [names])])
    description, facts = results
    assert isinstance(description, Description) and isinstance(facts, CommandResult)
    relations, version, schema_version, at, timeout, read_only, bytea_output = map(str, facts.rows[0])
    resolved = read_resolved(relations)
    if all(relation.kind is Kind.POSTGRES for relation in resolved.by_name.values()):
        raise NotOurs()
    state.bytea_output = bytea_output
    state.limit_time(_seconds(timeout))
    snapshot = Snapshot(int(version), int(schema_version), datetime.fromisoformat(at))
    return Analysis(
        description,
        resolved,
        state.transaction.pin(snapshot),
        read_only == "on",
        state.backend.parameters.get("TimeZone", "UTC"),
        tree,
        len(statement.text),
    )


def _seconds(timeout: str) -> float:
    """statement_timeout as SHOW prints it: '0', '500ms', '5s', '2min'."""
    digits = timeout.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = timeout[len(digits) :] or "ms"
    return float(digits) * _TIMEOUT_UNITS[unit]
