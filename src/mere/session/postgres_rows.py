"""What a query over the lake takes from PostgreSQL: evaluated constants, and rows of the tables that it keeps.

Read as the user, on the session's own backing connection. Lives in the coordinator process.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import pyarrow as pa
from pyarrow import csv
from sqlglot import exp

from mere.catalog.backend import Backend
from mere.errors import DataError, FeatureNotSupported
from mere.segment.workspace import Workspace
from mere.sql.bind.bound import Constant, Scan
from mere.sql.bind.postgres_scan import carried_type
from mere.sql.lexer import quote_identifier
from mere.sql.literals import literal
from mere.sql.types import (
    BYTEA,
    DATE,
    FLOAT4,
    FLOAT8,
    INTERVAL,
    MAX_PRECISION,
    NUMERIC,
    OID_LIKE,
    TIMESTAMP,
    TIMESTAMPTZ,
    TIMETZ,
    PgType,
    duckdb_type,
    format_type,
    is_array,
)

_DATES = frozenset((DATE, TIMESTAMP, TIMESTAMPTZ))
_STYLED = _DATES | {BYTEA, FLOAT4, FLOAT8, INTERVAL, TIMETZ}
# PostgreSQL's expression that brings a type over as text, and DuckDB's that reads it; others cross as they print.
_INTERVAL_OUT = (
    "pg_catalog.format('%s months %s days %s microseconds',"
    " extract(year FROM {0})::bigint * 12 + extract(month FROM {0})::bigint, extract(day FROM {0})::bigint,"
    " (extract(hour FROM {0}) * 3600000000 + extract(minute FROM {0}) * 60000000"
    " + extract(microseconds FROM {0}))::bigint)"
)


class PostgresRows:
    """Implements `execute.query.Postgres` for one session. `values` are the statement's parameters, as texts."""

    def __init__(self, backend: Backend, values: Sequence[str | None] = ()) -> None:
        self._backend = backend
        self._values = values

    async def evaluate(self, constants: Sequence[Constant]) -> Mapping[str, exp.Expression]:
        asked = [constant for constant in constants if not constant.parameter]
        texts = {constant.name: self._values[constant.parameter - 1] for constant in constants if constant.parameter}
        if asked:
            expressions = ", ".join(plain_text(constant.sql, constant.type) for constant in asked)
            rows = await self._backend.fetch(f"SELECT {expressions}")
            texts.update((constant.name, value) for constant, value in zip(asked, rows[0], strict=True))
        for constant in constants:
            require_possible(texts[constant.name], constant.type.oid)
        return {constant.name: literal(texts[constant.name], constant.type).sql for constant in constants}

    async def load(self, scan: Scan, constants: Mapping[str, exp.Expression], workspace: Workspace) -> None:
        """Puts the rows of a PostgreSQL table in the workspace as the temporary table `scan.name`."""
        assert scan.postgres_sql is not None
        types = [carried_type(column) for column in scan.columns]
        fetched = await self._fetch(scan.postgres_sql, types)
        raw = f"{scan.name} text"
        await workspace.load(raw, fetched)
        columns = [
            f"{_read(quote_identifier(f'c{index}'), pg_type)} AS {quote_identifier(column.name)}"
            for index, (column, pg_type) in enumerate(zip(scan.columns, types, strict=True))
        ]
        await workspace.execute(
            f"CREATE TEMP TABLE {quote_identifier(scan.name)} AS"
            f" SELECT {', '.join(columns) or 'NULL AS mere_nothing'} FROM {quote_identifier(raw)}"
        )

    async def load_values(self, name: str, sql: str, pg_type: PgType, workspace: Workspace) -> None:
        """Puts what a query of one column gives in the workspace as the temporary table `name`, as `value`."""
        raw = f"{name} text"
        await workspace.load(raw, await self._fetch(sql, [pg_type]))
        await workspace.execute(
            f"CREATE TEMP TABLE {quote_identifier(name)} AS"
            f" SELECT {_read('c0', pg_type)} AS value FROM {quote_identifier(raw)}"
        )

    async def _fetch(self, sql: str, types: Sequence[PgType]) -> pa.Table:
        names = [f"c{index}" for index in range(len(types))] or ["c0"]
        listed = ", ".join(_write(name, pg_type) for name, pg_type in zip(names, types, strict=False)) or "c0"
        query = f"COPY (SELECT {listed} FROM ({sql}) AS mere_rows({', '.join(names)})) TO STDOUT (FORMAT csv)"
        buffer = io.BytesIO()
        async for chunk in self._backend.copy_out(query):
            buffer.write(chunk)
        schema = pa.schema([(name, pa.string()) for name in names])
        if buffer.tell() == 0:
            return schema.empty_table()
        return csv.read_csv(
            pa.BufferReader(buffer.getbuffer()),
            read_options=csv.ReadOptions(column_names=names),
            parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(
                column_types=schema, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
            ),
        )


def require_possible(text: str | None, oid: int) -> None:
    """Raises for a value that PostgreSQL has, and the engine has not."""
    if oid == NUMERIC and text is not None:
        if text == "NaN":
            raise FeatureNotSupported("numeric NaN is not supported over lake tables")
        if text in ("Infinity", "-Infinity"):
            raise DataError("infinity is not supported over lake tables", sqlstate="22003")
        if len(text.lstrip("-").partition(".")[0]) > MAX_PRECISION:
            raise DataError(
                "value overflows the longest numeric format",
                sqlstate="22003",
                detail=f"A numeric over lake tables has at most {MAX_PRECISION} digits.",
            )
    if oid == INTERVAL and text in ("infinity", "-infinity"):
        raise FeatureNotSupported("infinite intervals are not supported over lake tables")


def plain_text(sql: str, pg_type: PgType) -> str:
    """PostgreSQL's expression for the text of a value, in the one style that we read."""
    return shown(f"({sql})::{format_type(pg_type)}", pg_type.oid)


def shown(value: str, oid: int) -> str:
    """As `plain_text`, of an expression of that type. An oid's alias crosses as the number that it is."""
    if oid in OID_LIKE:
        return f"({value})::oid::text"
    return f"mere.plain_text({value})" if is_styled(oid) else f"({value})::text"


def is_styled(oid: int) -> bool:
    """Whether a type's text depends on the session's settings (that of an array by its elements)."""
    return oid in _STYLED or is_array(oid)


def _write(name: str, pg_type: PgType) -> str:
    if pg_type.oid in _DATES:
        return f"pg_catalog.to_json({name}) #>> '{{}}'"  # ISO, whatever DateStyle is
    if pg_type.oid == BYTEA:
        return f"pg_catalog.encode({name}, 'hex')"
    if pg_type.oid == INTERVAL:
        return f"CASE WHEN {name} IS NOT NULL THEN {_INTERVAL_OUT.format(name)} END"
    return f"pg_catalog.array_to_json({name})" if is_array(pg_type.oid) else name


def _read(name: str, pg_type: PgType) -> str:
    duckdb = duckdb_type(pg_type)
    if pg_type.oid == BYTEA:
        return f"unhex({name})"
    if is_array(pg_type.oid):
        return f"CAST(CAST({name} AS JSON) AS {duckdb})"
    return f"CAST({name} AS {duckdb})"
