"""A Mere without a lake: statements are bound and run in a plain DuckDB over copies of PostgreSQL's own tables.

So that binding alone is compared with PostgreSQL: each table is a heap table of the peer, `Scan`s read a copy of its
rows, and what INSERT, UPDATE, DELETE and MERGE would write is compared with what the peer then holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb
import psycopg
from sqlglot import exp

from mere.errors import MereError
from mere.segment.connect import _MEANING
from mere.segment.kernels import install
from mere.sql.bind import (
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
    OutputColumn,
    ParameterValue,
    Scan,
    bind,
    duckdb_text,
    fill_constants,
    parse,
    relation_names,
)
from mere.sql.bind.scope import Name
from mere.sql.expressions.typed import Typed, stored_column
from mere.sql.lexer import quote_identifier
from mere.sql.macros import MACROS
from mere.sql.relations import Check, Column, Kind, Relation, Resolved
from mere.sql.render import SessionFormat, render_text
from mere.sql.types import BYTEA, INTERVAL, PgType, duckdb_type, format_type, is_array

_ALL = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"})
_COLUMNS = """
select a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity
from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = %s and a.attnum > 0 and not a.attisdropped order by a.attnum"""
_CHECKS = "select conname, pg_get_expr(conbin, conrelid) from pg_constraint where conrelid = %s and contype = 'c'"
_READS = """
select distinct n.nspname, c.relname, c.oid from pg_rewrite r
join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
join pg_class c on c.oid = d.refobjid join pg_namespace n on n.oid = c.relnamespace
where r.ev_class = %s and c.oid <> r.ev_class"""
_INTERVAL = (
    "format('%%s months %%s days %%s microseconds', extract(year from {0})::bigint * 12 +"
    " extract(month from {0})::bigint, extract(day from {0})::bigint, (extract(hour from {0}) * 3600000000 +"
    " extract(minute from {0}) * 60000000 + extract(microseconds from {0}))::bigint)"
)
Rows = list[tuple[str | None, ...]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement gave: names, type oids and text of its rows; `written` the table after a change."""

    names: tuple[str, ...] = ()
    oids: tuple[int, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    written: tuple[tuple[str | None, ...], ...] = ()


class Lakeless:
    """`connection` is the peer's; every table is treated as a lake table unless `heap` names it."""

    def __init__(self, connection: psycopg.Connection[Any], heap: Sequence[str] = ()) -> None:
        self.connection = connection
        self.heap = frozenset(heap)
        self.bound: BoundStatement | None = None

    def run(self, sql: str, parameters: Sequence[tuple[int, str | None]] = ()) -> Answer:
        """Binds the statement, runs it in DuckDB, and gives what the client would see."""
        tree = parse(sql)
        resolved = self._resolve(relation_names(tree))
        values = tuple(ParameterValue(PgType(oid), text) for oid, text in parameters)
        zone = self._fetch("show timezone")[0][0]
        bound = self.bound = bind(tree, resolved, BindContext(str(zone), values))
        engine = _engine()
        engine.execute("begin")
        try:
            if isinstance(bound, BoundSelect):
                return self._answer(engine, bound)
            return self._change(engine, bound)
        finally:
            engine.execute("rollback")

    def _fetch(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, parameters or None).fetchall()

    # Names.

    def _resolve(self, names: Sequence[Name]) -> Resolved:
        by_name: dict[Name, Relation] = {}
        in_views: dict[int, dict[tuple[str, str], Relation]] = {}
        for name in names:
            written = ".".join(quote_identifier(part) for part in name)
            oid = self._fetch("select to_regclass(%s)::oid", [written])[0][0]
            if oid is not None:
                by_name[name] = self._relation(int(oid), in_views)
        return Resolved(by_name, in_views)

    def _relation(self, oid: int, in_views: dict[int, dict[tuple[str, str], Relation]]) -> Relation:
        schema, name, relkind = self._fetch(
            "select n.nspname, relname, relkind::text from pg_class c join pg_namespace n on n.oid = relnamespace"
            " where c.oid = %s",
            [oid],
        )[0]
        columns = tuple(
            Column(attnum, attname, PgType(type_, typmod), not_null, default, identity, field_id=attnum)
            for attnum, attname, type_, typmod, not_null, default, identity in self._fetch(_COLUMNS, [oid])
        )
        view_sql = None
        if relkind == "v":
            self.connection.execute("begin; set local search_path = pg_catalog")
            view_sql = self._fetch("select pg_get_viewdef(%s::oid)", [oid])[0][0]
            self.connection.execute("rollback")
            in_views[oid] = {}
            for inner_schema, inner_name, inner in self._fetch(_READS, [oid]):
                in_views[oid][(inner_schema, inner_name)] = self._relation(inner, in_views)
        kind = Kind.VIEW if relkind == "v" else Kind.LAKE
        if name in self.heap or schema in ("pg_catalog", "information_schema"):
            kind = Kind.VIEW if relkind == "v" and schema not in ("pg_catalog",) else Kind.POSTGRES
        checks = tuple(Check(*row) for row in self._fetch(_CHECKS, [oid]))
        return Relation(oid, schema, name, kind, columns, "owner", _ALL, view_sql, checks=checks)

    # Rows.

    def _load(self, engine: duckdb.DuckDBPyConnection, scan: Scan) -> None:
        """A DuckDB table of the scan's name with the columns that it is said to have, and nothing else."""
        columns = [(column.name, column.type) for column in scan.columns]
        query = scan.postgres_sql
        if query is None:
            listed = ", ".join(quote_identifier(name) for name, _ in columns) or "null"
            table = f"{quote_identifier(scan.relation.schema)}.{quote_identifier(scan.relation.name)}"
            query = f"select {listed} from {table} order by ctid"
        self._load_query(engine, scan.name, query, columns, scan.row_identity)

    def _load_query(
        self,
        engine: duckdb.DuckDBPyConnection,
        table: str,
        query: str,
        columns: Sequence[tuple[str, PgType]],
        identity: bool,
    ) -> None:
        names = [f"c{number}" for number in range(max(len(columns), 1))]
        selected = [_write(name, pg_type) for name, (_, pg_type) in zip(names, columns, strict=False)] or ["c0::text"]
        rows = self._fetch(f"select {', '.join(selected)} from ({query}) as mere_rows({', '.join(names)})")
        engine.execute(f"create table raw_{table} (place bigint, {', '.join(name + ' varchar' for name in names)})")
        if rows:
            marks = ", ".join("?" * (len(names) + 1))
            numbered = [(place, *row) for place, row in enumerate(rows)]
            engine.executemany(f"insert into raw_{table} values ({marks})", numbered)
        read = [
            f"{_read(source, pg_type)} as {quote_identifier(name)}"
            for source, (name, pg_type) in zip(names, columns, strict=False)
        ]
        if identity:
            read += ["'file' as mere_file", "place as mere_pos"]
        engine.execute(f"create table {table} as select {', '.join(read) or 'null as nothing'} from raw_{table}")

    def _constants(self, constants: Sequence[Constant]) -> dict[Constant, str | None]:
        return {
            constant: self._fetch(
                f"select ({constant.sql})::{format_type(constant.type)}::text".replace("%", "%%"), ()
            )[0][0]
            for constant in constants
        }

    # Running.

    def _answer(self, engine: duckdb.DuckDBPyConnection, bound: BoundSelect) -> Answer:
        for scan in bound.scans:
            self._load(engine, scan)
        tree = fill_constants(bound.tree, self._constants(bound.constants))
        rendered = ", ".join(_rendered(column, place) for place, column in enumerate(bound.columns))
        rows = engine.execute(f"select {rendered or '1'} from ({duckdb_text(tree)}) as mere_result").fetchall()
        return Answer(
            tuple(column.name for column in bound.columns),
            tuple(column.type.oid for column in bound.columns),
            tuple(rows) if bound.columns else tuple(() for _ in rows),
        )

    def _change(
        self, engine: duckdb.DuckDBPyConnection, bound: BoundInsert | BoundUpdate | BoundDelete | BoundMerge
    ) -> Answer:
        """Runs the changing query into `mere_rows`, applies it to a copy of the table, and answers RETURNING."""
        relation = bound.relation
        all_columns = [(column.name, column.type) for column in relation.columns]
        table = f"{quote_identifier(relation.schema)}.{quote_identifier(relation.name)}"
        self._load_query(engine, "target", f"select * from {table} order by ctid", all_columns, True)
        source = bound.source if isinstance(bound, BoundInsert) else bound.select
        assert source is not None
        for scan in source.scans:
            self._load(engine, scan)
        tree = fill_constants(source.tree, self._constants(source.constants))
        engine.execute(f"create table changes as {duckdb_text(tree)}")
        names = [quote_identifier(name) for name, _ in all_columns]
        if isinstance(bound, BoundInsert):
            self._complete(engine, bound)
        else:
            engine.execute(f"create table {ROWS} as select * from changes")
        self._apply(engine, bound, names)
        if not isinstance(bound, BoundDelete):
            for check in bound.checks:
                if not isinstance(check, BoundCheck):
                    continue
                broken = engine.execute(
                    f"select count(*) from {ROWS} where {duckdb_text(check.violation)}"
                    + (" and mere_action <> 'DELETE'" if isinstance(bound, BoundMerge) else "")
                ).fetchone()
                if broken is not None and broken[0]:
                    raise MereError(f"check {check.name}", sqlstate="23514")
        shown = [duckdb_text(render_text(_column(column), SessionFormat())) for column in relation.columns]
        written = engine.execute(f"select {', '.join(shown)} from target").fetchall()
        answer = self._answer(engine, bound.returning) if bound.returning is not None else Answer()
        return Answer(answer.names, answer.oids, answer.rows, tuple(written))

    def _complete(self, engine: duckdb.DuckDBPyConnection, bound: BoundInsert) -> None:
        """What the executor does with columns that the source does not give. Sequences count from 1."""
        values = {column.attnum: quote_identifier(column.name) for column in bound.given}
        for default in bound.defaults:
            text = "null" if default.expression is None else "row_number() over ()"
            values[default.column.attnum] = f"cast({text} as {duckdb_type(default.column.type)})"
        for default in bound.mixed:
            mark, value = quote_identifier(f"mere_default_{default.column.attnum}"), values[default.column.attnum]
            values[default.column.attnum] = f"case when {mark} then row_number() over () else {value} end"
        listed = [f"{values[column.attnum]} as {quote_identifier(column.name)}" for column in bound.relation.columns]
        engine.execute(f"create table {ROWS} as select {', '.join(listed)} from changes")

    def _apply(
        self,
        engine: duckdb.DuckDBPyConnection,
        bound: BoundInsert | BoundUpdate | BoundDelete | BoundMerge,
        names: Sequence[str],
    ) -> None:
        listed = ", ".join(names)
        if not isinstance(bound, BoundInsert):
            repeated = engine.execute(
                f"select count(*) - count(distinct mere_pos) from {ROWS} where mere_pos is not null"
            ).fetchone()
            if repeated is not None and repeated[0]:
                raise MereError("a row is changed twice", sqlstate="21000")
            engine.execute(f"delete from target where mere_pos in (select mere_pos from {ROWS})")
        if isinstance(bound, BoundDelete):
            return
        keep = " where mere_action <> 'DELETE'" if isinstance(bound, BoundMerge) else ""
        engine.execute(f"insert into target ({listed}) select {listed} from {ROWS}{keep}")


def _column(column: Column) -> Typed:
    return stored_column(exp.Column(this=exp.Identifier(this=column.name, quoted=True)), column.type)


def _rendered(column: OutputColumn, place: int) -> str:
    return f"{duckdb_text(render_text(column.typed, SessionFormat()))} as c{place}"


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect(":memory:")
    for name, value in _MEANING.items():
        engine.execute(f"set global {name} = {value}")
    install(engine)
    for macro in MACROS:
        engine.execute(macro)
    return engine


def _write(name: str, pg_type: PgType) -> str:
    if pg_type.oid == BYTEA:
        return f"encode({name}, 'hex')"
    if pg_type.oid == INTERVAL:
        return f"case when {name} is not null then {_INTERVAL.format(name).replace('%%', '%')} end"
    return f"array_to_json({name})::text" if is_array(pg_type.oid) else f"{name}::text"


def _read(name: str, pg_type: PgType) -> str:
    duckdb_name = duckdb_type(pg_type) or "VARCHAR"
    if pg_type.oid == BYTEA:
        return f"unhex({name})"
    if is_array(pg_type.oid):
        return f"cast(cast({name} as json) as {duckdb_name})"
    return f"cast({name} as {duckdb_name})"
