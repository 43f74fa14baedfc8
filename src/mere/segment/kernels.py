"""Functions that DuckDB lacks, as columns in and columns out: installed beside the macros when an engine opens.

Two kinds. Where Arrow's compute has the function, the whole column is one call. Where nothing works on columns (values
of JSON that must be taken apart to any depth, digests), each value goes through one function of a library: these are
the rare functions whose alternative is a refusal, and the macros call them for no row that DuckDB can answer itself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import inspect
import math
import time
import zlib
from collections.abc import Callable
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from duckdb.func import FunctionNullHandling, PythonUDFType

from mere.segment.native import kernels as native
from mere.segment.native.float_texts import float_texts
from mere.sql.jsonb import change, document, path_run, places
from mere.sql.jsonb.change import How
from mere.sql.jsonb.document import Json, JsonError, read, write
from mere.sql.raised import raised_text


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Registers every kernel; before the macros, which name them."""
    for name, (kernel, arguments, result) in _KERNELS.items():
        connection.create_function(
            name,
            _of_columns(kernel, len(arguments)),
            [duckdb.sqltype(argument) for argument in arguments],
            duckdb.sqltype(result),
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
            side_effects=name in _VOLATILE,
        )


def _of_columns(kernel: Callable[..., Any], count: int) -> Callable[..., Any]:
    """DuckDB reads the number of arguments from the signature."""

    def counted(*columns: pa.ChunkedArray[Any]) -> Any:
        return kernel(*columns)

    names = (inspect.Parameter(f"column_{place}", inspect.Parameter.POSITIONAL_ONLY) for place in range(count))
    counted.__signature__ = inspect.Signature(list(names))  # type: ignore[attr-defined]
    return counted


def _each(function: Callable[..., Any], kind: pa.DataType) -> Callable[..., pa.Array[Any]]:
    """A kernel of a strict function of one value a column."""

    def kernel(*columns: pa.ChunkedArray[Any]) -> pa.Array[Any]:
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        try:
            return pa.array((None if None in row else function(*row) for row in rows), kind)
        except RecursionError:
            raise ValueError(raised_text("54001", "stack depth limit exceeded")) from None

    return kernel


def _pretty(text: str) -> str:
    return document.pretty(read(text))


def _stripped(text: str, in_arrays: bool) -> str:
    return write(change.without_nulls(read(text), in_arrays))


def _changed(text: str, path: list[str | None], new: str, how: str) -> str:
    return write(change.changed(read(text), path, read(new), cast(How, how)))


def _checked(text: str) -> str:
    """The text itself, when it is JSON by PostgreSQL's rules."""
    document.check(text)
    return text


def _path(text: str, path: str, variables: str, silent: bool) -> str:
    """The items of a jsonpath as an array."""
    return write(path_run.query(read(text), path, _variables(variables), silent))


def _path_or_null(text: str, path: str) -> str | None:
    """The same for SQL/JSON's functions: NULL where there is an error."""
    try:
        return write(path_run.query(read(text), path, {}))
    except JsonError as error:
        if not error.is_of_data:
            raise
        return None


def _path_exists(text: str, path: str, variables: str, silent: bool) -> bool | None:
    return path_run.exists(read(text), path, _variables(variables), silent)


def _variables(text: str) -> dict[str, Json]:
    known = read(text)
    if not isinstance(known, dict):
        raise JsonError("22023", '"vars" argument is not an object')
    return known


def _elements(text: str) -> list[str]:
    return places.elements(text)


def _digest(name: str) -> Callable[[bytes], bytes]:
    return lambda value: hashlib.new(name, value, usedforsecurity=False).digest()


def _normalized(form: str) -> Callable[..., Any]:
    return lambda column: pc.utf8_normalize(column.cast(pa.string()), form)


def _concatenated(left: str, right: str) -> str:
    return write(change.concatenated(read(left), read(right)))


def _without_keys(text: str, keys: list[str | None]) -> str:
    return write(change.without_keys(read(text), keys))


def _without_index(text: str, index: int) -> str:
    return write(change.without_index(read(text), index))


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIRST, _LAST = (int((day - _EPOCH).total_seconds()) * 10**6 for day in (_EPOCH.replace(year=2), _EPOCH.replace(9999)))


def _zone_name(microseconds: int, name: str) -> str:
    """What a zone is called at a moment: CET or CEST."""
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(raised_text("0A000", f'time zone "{name}" has no abbreviation over lake data')) from None
    moment = _EPOCH + dt.timedelta(microseconds=min(max(microseconds, _FIRST), _LAST))
    return moment.astimezone(zone).tzname() or ""


def _clock(column: pa.ChunkedArray[Any]) -> pa.Array[Any]:
    """A moment for each row, a microsecond apart, the last one now. What the argument holds does not matter."""
    now = time.time_ns() // 1000
    return pa.array(np.arange(now - len(column) + 1, now + 1), pa.timestamp("us", "UTC"))


def _float_text(column: pa.ChunkedArray[Any]) -> pa.Array[Any]:
    native.prepare()  # nothing waits for it
    return float_texts(column.combine_chunks())


_TEXT = pa.string()
_KERNELS: dict[str, tuple[Callable[..., Any], list[str], str]] = {
    "mere_kernel_jsonb": (_each(lambda text: write(read(text)), _TEXT), ["VARCHAR"], "VARCHAR"),
    "mere_kernel_jsonb_key": (_each(lambda text: document.sort_key(read(text)), pa.binary()), ["VARCHAR"], "BLOB"),
    "mere_kernel_jsonb_identity": (_each(lambda text: document.identity(read(text)), _TEXT), ["VARCHAR"], "VARCHAR"),
    "mere_kernel_jsonb_pretty": (_each(_pretty, _TEXT), ["VARCHAR"], "VARCHAR"),
    "mere_kernel_jsonb_strip": (_each(_stripped, _TEXT), ["VARCHAR", "BOOLEAN"], "VARCHAR"),
    "mere_kernel_jsonb_change": (
        _each(_changed, _TEXT),
        ["VARCHAR", "VARCHAR[]", "VARCHAR", "VARCHAR"],
        "VARCHAR",
    ),
    "mere_kernel_jsonb_concat": (_each(_concatenated, _TEXT), ["VARCHAR", "VARCHAR"], "VARCHAR"),
    "mere_kernel_jsonb_without_keys": (_each(_without_keys, _TEXT), ["VARCHAR", "VARCHAR[]"], "VARCHAR"),
    "mere_kernel_jsonb_without_index": (_each(_without_index, _TEXT), ["VARCHAR", "INTEGER"], "VARCHAR"),
    "mere_kernel_json_check": (_each(_checked, _TEXT), ["VARCHAR"], "VARCHAR"),
    "mere_kernel_json_piece": (
        _each(lambda text, path: places.piece(text, places.steps_of(path)), _TEXT),
        ["VARCHAR", "VARCHAR"],
        "VARCHAR",
    ),
    "mere_kernel_json_piece_at": (_each(places.piece_at_texts, _TEXT), ["VARCHAR", "VARCHAR[]"], "VARCHAR"),
    "mere_kernel_json_elements": (_each(_elements, pa.list_(_TEXT)), ["VARCHAR"], "VARCHAR[]"),
    "mere_kernel_jsonpath": (_each(_path, _TEXT), ["VARCHAR", "VARCHAR", "VARCHAR", "BOOLEAN"], "VARCHAR"),
    "mere_kernel_jsonpath_or_null": (_each(_path_or_null, _TEXT), ["VARCHAR", "VARCHAR"], "VARCHAR"),
    "mere_kernel_jsonpath_exists": (
        _each(_path_exists, pa.bool_()),
        ["VARCHAR", "VARCHAR", "VARCHAR", "BOOLEAN"],
        "BOOLEAN",
    ),
    "mere_kernel_float8_out": (_float_text, ["DOUBLE"], "VARCHAR"),
    "mere_kernel_float4_out": (_float_text, ["FLOAT"], "VARCHAR"),
    "mere_kernel_clock": (_clock, ["DOUBLE"], "TIMESTAMPTZ"),
    "mere_kernel_zone_name": (_each(_zone_name, _TEXT), ["BIGINT", "VARCHAR"], "VARCHAR"),
    "mere_kernel_nfd": (_normalized("NFD"), ["VARCHAR"], "VARCHAR"),
    "mere_kernel_nfkc": (_normalized("NFKC"), ["VARCHAR"], "VARCHAR"),
    "mere_kernel_nfkd": (_normalized("NFKD"), ["VARCHAR"], "VARCHAR"),
    "mere_kernel_sha224": (_each(_digest("sha224"), pa.binary()), ["BLOB"], "BLOB"),
    "mere_kernel_sha384": (_each(_digest("sha384"), pa.binary()), ["BLOB"], "BLOB"),
    "mere_kernel_sha512": (_each(_digest("sha512"), pa.binary()), ["BLOB"], "BLOB"),
    "mere_kernel_erf": (_each(math.erf, pa.float64()), ["DOUBLE"], "DOUBLE"),
    "mere_kernel_erfc": (_each(math.erfc, pa.float64()), ["DOUBLE"], "DOUBLE"),
    "mere_kernel_crc32": (_each(zlib.crc32, pa.int64()), ["BLOB"], "BIGINT"),
}
_VOLATILE = frozenset(("mere_kernel_clock",))
