"""What a statement over lake tables means: PostgreSQL's analysis, the relations, the snapshot, and the bound query.

Lives in the coordinator process. One flight on the backing connection carries the statement itself (PostgreSQL checks
it, types it and locks its tables), the look-up of its relations and the newest snapshot; so no DDL can come between.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, TypeVar

from sqlglot import exp

from mere.catalog.backend import Describe, Description
from mere.catalog.resolve import RESOLVE, RESOLVE_REFRESHED, Name
from mere.errors import FeatureNotSupported, MereError, SqlSyntaxError, UndefinedObject
from mere.execute.compose import Body
from mere.execute.distributed import PlanMemory
from mere.lake.metadata import Snapshot
from mere.session.any_values import are_any_values, takes_any_values
from mere.session.lookup import Asked, look_up
from mere.session.routing import NotOurs
from mere.session.state import Parameters, SessionState
from mere.session.travel import parameter_types, without_time_travel
from mere.sql.bind import BindContext, BoundStatement, ParameterValue, bind, parse
from mere.sql.lexer import Statement, quote_identifier
from mere.sql.relations import Kind, Relation, Resolved
from mere.sql.types import PgType
from mere.wire.pgerror import PgError

# The relations, and what else may change from one statement to the next.
_OTHERS = """id, schema_version, pg_catalog.to_json(at) #>> '{}',
pg_catalog.current_setting('statement_timeout'), pg_catalog.current_setting('transaction_read_only'),
pg_catalog.current_setting('bytea_output'), pg_catalog.current_setting('extra_float_digits')
FROM mere.newest_snapshot()"""
_FACTS = f"SELECT {RESOLVE}, {_OTHERS}"
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

    def context(self, parameters: Parameters, wide: bool = False) -> BindContext:
        values = tuple(
            ParameterValue(PgType(oid), text) for oid, text in zip(parameters.oids, parameters.values, strict=True)
        )
        return BindContext(self.time_zone, values, wide)

    def compile(self, parameters: Parameters, wide: bool = False, any_values: bool = False) -> Compiled:
        """The bound statement; the same one again for the same tree, relations, time zone and values.

        Decimals are carried as DuckDB does it, in 18 digits where the columns have as many; `wide` is for the second
        attempt, after these overflowed. `any_values`: parameters may come as constants whose values PostgresRows has.
        """
        key = (id(self.tree), id(self.resolved), self.time_zone, parameters, wide)
        known = _compiled.get(key)
        if known is None and any_values:
            known = self._for_any_values(parameters, wide)
        if known is None:
            bound = bind(self.tree, self.resolved, self.context(parameters, wide))
            known = Compiled(self.tree, self.resolved, bound)
            if self.length + sum(len(text or "") for text in parameters.values) <= _LONGEST_KEPT:
                _compiled.put(key, known)
        return known

    def _for_any_values(self, parameters: Parameters, wide: bool) -> Compiled | None:
        """The statement bound for other values too, when it comes with new ones for the second time; None where that
        cannot be."""
        if self.length > _LONGEST_KEPT or not are_any_values(parameters):
            return None
        key = (id(self.tree), id(self.resolved), self.time_zone, parameters.oids, wide)
        known = _general.get(key)
        if known is None:
            _general.put(key, _General(self.tree, self.resolved))
        elif not known.tried:
            known.tried = True
            if not takes_any_values(self.tree):
                return None
            with suppress(MereError):  # it needs the values after all
                context = replace(self.context(parameters, wide), any_values=True)
                known.compiled = Compiled(self.tree, self.resolved, bind(self.tree, self.resolved, context))
        return None if known is None else known.compiled


@dataclass(frozen=True, slots=True)
class Compiled:
    """A bound statement, with what its key refers to (so that no other object gets their ids), and the queries that
    were made of it, by how their columns are shown."""

    tree: exp.Expression
    resolved: Resolved
    bound: BoundStatement
    bodies: dict[object, Body] = field(default_factory=dict)
    memory: PlanMemory = field(default_factory=PlanMemory)


@dataclass(slots=True)
class _General:
    """A statement that may be bound for any values. `tree` and `resolved` as in Compiled."""

    tree: exp.Expression
    resolved: Resolved
    tried: bool = False
    compiled: Compiled | None = None


def decimals_overflowed(error: MereError) -> bool:
    """Whether the statement may succeed with wider decimals. What PostgreSQL itself says stays said."""
    return error.sqlstate == "22003" and "numeric" in error.message and not isinstance(error, PgError)


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
_parsed: _Kept[str, tuple[exp.Expression, Asked]] = _Kept()
_compiled: _Kept[tuple[int, int, str, Parameters, bool], Compiled] = _Kept()
_general: _Kept[tuple[int, int, str, tuple[int, ...], bool], _General] = _Kept()


def _parse(text: str) -> tuple[exp.Expression, Asked]:
    """The tree, and the names in it."""
    known = _parsed.get(text)
    if known is None:
        tree = parse(text)
        _refuse_changing_the_past(tree)
        known = (tree, Asked.of(tree))
        if len(text) <= _LONGEST_KEPT:
            _parsed.put(text, known)
    return known


def parsed(statement: Statement) -> exp.Expression | None:
    """The tree of a statement; None where its syntax is beyond us."""
    try:
        return _parse(statement.text)[0]
    except FeatureNotSupported:
        return None


def _refuse_changing_the_past(tree: exp.Expression) -> None:
    target = tree.this if isinstance(tree, exp.Insert | exp.Update | exp.Delete | exp.Merge) else None
    target = target.this if isinstance(target, exp.Schema) else target
    if isinstance(target, exp.Table) and (target.args.get("when") or target.args.get("version")):
        raise SqlSyntaxError(f'"{target.name}" AT a version or time can be read, not changed')


async def analyse(state: SessionState, statement: Statement, param_oids: Sequence[int] = ()) -> Analysis:
    """Raises NotOurs for a statement that names no lake table, and PostgreSQL's errors for what it finds wrong."""
    try:
        tree, asked = _parse(statement.text)
    except FeatureNotSupported as error:
        raise NotOurs(error) from error
    text, types = statement.text, tuple(param_oids)
    if "at" in statement.words:
        text, types = without_time_travel(text), parameter_types(text, types)
    described = Describe(text, types)
    description, facts, resolved = await look_up(state.backend, described, _FACTS, asked)
    if all(r.kind is Kind.POSTGRES for r in resolved.by_name.values()) and not _calls_python(resolved):
        raise NotOurs()
    return _analysis(state, description, resolved, facts, tree, len(statement.text))


def _calls_python(resolved: Resolved) -> bool:
    return any(function.in_python for meant in resolved.functions.values() for function in meant)


async def analyse_refresh(state: SessionState, view: Relation) -> Analysis:
    """INSERT into a materialized view of what its query gives, with its owner's rights. The names in the query mean
    what they mean to the view."""
    key = (view.schema, view.name)
    name = f"{quote_identifier(view.schema)}.{quote_identifier(view.name)}"
    wanted = f"SELECT {RESOLVE_REFRESHED.format(oid=view.oid)}, {_OTHERS}"
    described = Describe(f"SELECT FROM {name}", ())
    _, facts, found = await look_up(state.backend, described, wanted, Asked((key,), frozenset()))
    named = found.by_name.get(key)
    if named is None or named.oid != view.oid or named.view_sql is None:
        raise UndefinedObject(f'relation "{view.name}" does not exist')
    inside = found.in_views.get(view.oid, {})
    names: dict[Name, Relation] = dict(found.by_name)
    for (schema, table), each in inside.items():
        names[schema, table] = each
        if schema == "pg_catalog":
            names[table,] = each
    target = replace(named, privileges=named.privileges | {"INSERT"}, view_sql=None, materialized=False, populated=True)
    tree = parse(f"INSERT INTO {name} {named.view_sql.rstrip().rstrip(';')}")
    names[key] = target
    resolved = replace(found, by_name=names)
    return _analysis(state, Description((), None), resolved, facts, tree, len(named.view_sql))


def _analysis(
    state: SessionState,
    description: Description,
    resolved: Resolved,
    facts: Sequence[str | None],
    tree: exp.Expression,
    length: int,
) -> Analysis:
    if _calls_python(resolved) and not state.services.settings.python_functions:
        raise FeatureNotSupported(
            "functions in Python do not run on this server", hint="The setting python_functions lets them run."
        )
    version, schema_version, at, timeout, read_only, bytea_output, float_digits = map(str, facts[1:])
    state.bytea_output, state.extra_float_digits = bytea_output, int(float_digits)
    state.limit_time(_seconds(timeout))
    snapshot = Snapshot(int(version), int(schema_version), datetime.fromisoformat(at))
    return Analysis(
        description,
        resolved,
        state.transaction.pin(snapshot),
        read_only == "on",
        state.backend.parameters.get("TimeZone", "UTC"),
        tree,
        length,
    )


def _seconds(timeout: str) -> float:
    """statement_timeout as SHOW prints it: '0', '500ms', '5s', '2min'."""
    digits = timeout.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = timeout[len(digits) :] or "ms"
    return float(digits) * _TIMEOUT_UNITS[unit]
