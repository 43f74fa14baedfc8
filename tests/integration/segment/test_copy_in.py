"""COPY FROM STDIN into real files, with PostgreSQL's reading of values and its errors with their context."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mere.errors import MereError
from mere.segment import copy_in
from mere.segment.copy_chunks import CHUNK_BYTES
from mere.segment.copy_format import parse_copy_options
from mere.segment.copy_in import CopyIn, CopyResult
from mere.segment.copy_sql import InputColumn, Reader
from mere.segment.engine import Engine
from mere.segment.native import kernels
from mere.segment.write import WriteColumn, WriteTarget, write_query
from mere.sql import types as pg
from mere.sql.types import PgType

A_B = (InputColumn("a", PgType(pg.INT4)), InputColumn("b", PgType(pg.TEXT)))
CSV = (("format", "csv"),)


@pytest.fixture(scope="module", params=["kernels", "duckdb"], autouse=True)
def ways(request: pytest.FixtureRequest) -> Iterator[None]:
    """What kernels read and what DuckDB reads is the same."""
    assert kernels.wait()
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "duckdb":
            patch.setattr(kernels, "_read_rows", None)
        yield


class Session:
    """As much of an environment as casts from text ask for."""

    time_zone = "UTC"


class Load:
    """One COPY into a table of its own."""

    def __init__(self, engine: Engine, options: Any, columns: tuple[InputColumn, ...] = A_B) -> None:
        form = parse_copy_options(options, is_from=True, remote=False)
        self.prefix = f"{engine.settings.locations[0].url}copy-{uuid.uuid4().hex}/"
        stored = tuple(WriteColumn(c.name, c.type.oid, number) for number, c in enumerate(columns, 1))
        target = WriteTarget("t", self.prefix, stored)
        self.engine = engine
        reader = Reader(form, columns, Session())  # type: ignore[arg-type]
        self.copy = CopyIn(engine, reader, "t", lambda workspace, select: write_query(workspace, select, target))

    async def run(self, data: bytes, piece: int = 1 << 16) -> CopyResult:
        for start in range(0, len(data), piece):
            await self.copy.feed(data[start : start + piece])
        return await self.copy.finish()

    async def rows(self, result: CopyResult) -> list[tuple[Any, ...]]:
        if not result.files:
            return []
        files = ", ".join(f"'{self.prefix}{file.path}'" for file in result.files)
        async with self.engine.workspace() as workspace:
            table = await workspace.table(f"SELECT * FROM read_parquet([{files}])")
        return [tuple(row.values()) for row in table.to_pylist()]


@pytest.mark.parametrize(
    ("options", "data", "rows"),
    [
        ((), b"1\tx\n2\t\\N\n", [(1, "x"), (2, None)]),
        ((), b"1\ta\\tb\\\\n\\nq\\\n z\\x41\\101\n2\t\\\\N\n", [(1, "a\tb\\n\nq\n zAA"), (2, "\\N")]),
        ((), b"1\tx\\\ty\r\n", [(1, "x\ty")]),
        ((), b"1\tx\n\\.\nrubbish", [(1, "x")]),
        ((), b"", []),
        ((("null", ""),), b"1\t\n", [(1, None)]),
        ((("delimiter", "|"),), b"1|a\\|b\n", [(1, "a|b")]),
        (
            CSV,
            b'1,x\n2,\n3,""\n4,"a""b"\n5,"two\nlines"',
            [(1, "x"), (2, None), (3, ""), (4, 'a"b'), (5, "two\nlines")],
        ),
        (CSV, b'1,x\r\n2,"a\r\nb"\r\n', [(1, "x"), (2, "a\r\nb")]),
        ((*CSV, ("header", True)), b"a,b\n1,x\n", [(1, "x")]),
        ((*CSV, ("null", "NULL"), ("force_null", ("b",))), b'1,"NULL"\n2,\n', [(1, None), (2, "")]),
        ((*CSV, ("force_not_null", ("b",))), b"1,\n", [(1, "")]),
        ((*CSV, ("encoding", "LATIN1")), b"1,\xe9\n", [(1, "é")]),
        ((*CSV, ("escape", "\\")), b'1,"a\\"b\\\\"\n', [(1, 'a"b\\')]),
        ((*CSV, ("quote", "'"), ("delimiter", ";")), b"1;'a;''b'\n", [(1, "a;'b")]),
    ],
)
async def test_rows(local_engine: Engine, options: Any, data: bytes, rows: list[tuple[Any, ...]]) -> None:
    load = Load(local_engine, options)
    assert sorted(await load.rows(await load.run(data, 3))) == rows
    assert not list(local_engine.settings.spool.iterdir())


async def test_one_column(local_engine: Engine) -> None:
    only = (A_B[1],)
    for options, data, rows in (
        ((), b"\n\nx\n", [("",), ("",), ("x",)]),
        (CSV, b'\n""\nx\n', [(None,), ("",), ("x",)]),
    ):
        load = Load(local_engine, options, only)
        assert await load.rows(await load.run(data)) == rows


@pytest.mark.parametrize(
    ("options", "data", "sqlstate", "message", "context"),
    [
        ((), b"1\tx\nq\ty\n", "22P02", 'invalid input syntax for type integer: "q"', 'line 2, column a: "q"'),
        (CSV, b"1,x\n1.5,y\n", "22P02", 'invalid input syntax for type integer: "1.5"', 'line 2, column a: "1.5"'),
        (CSV, b'1,"x\ny"\n99999999999,y\n', "22003", 'value "99999999999" is out of range for type integer',
         'line 3, column a: "99999999999"'),
        ((), b"1\n", "22P04", 'missing data for column "b"', 'line 1: "1"'),
        (CSV, b"1,x\n2\n", "22P04", 'missing data for column "b"', 'line 2: "2"'),
        ((), b"1\tx\n2\ty\tz\n", "22P04", "extra data after last expected column", 'line 2: "2\ty\tz"'),
        (CSV, b"1,x,\n", "22P04", "extra data after last expected column", 'line 1: "1,x,"'),
        (CSV, b"1,x\n\n2,y\n", "22P04", 'missing data for column "b"', 'line 2: ""'),
        (CSV, b'1,"x\n', "22P04", "unterminated CSV quoted field", None),
        (CSV, b"1,\xff\n", "22021", 'invalid byte sequence for encoding "UTF8"', None),
    ],
)  # fmt: skip
async def test_errors(
    local_engine: Engine, options: Any, data: bytes, sqlstate: str, message: str, context: str | None
) -> None:
    load = Load(local_engine, options)
    with pytest.raises(MereError) as error:
        await load.run(data)
    await load.copy.abort()
    assert (error.value.sqlstate, error.value.message) == (sqlstate, message)
    assert (error.value.context or "").startswith("COPY t")
    if context is not None:
        assert error.value.context == f"COPY t, {context}"
    assert not list(local_engine.settings.spool.iterdir())


async def test_bad_rows_may_be_skipped(local_engine: Engine) -> None:
    options = (*CSV, ("on_error", "ignore"))
    load = Load(local_engine, options)
    result = await load.run(b"1,x\nq,y\n3,z\n99999999999,z\n")
    assert (result.rows, result.skipped) == (2, 2)
    with pytest.raises(MereError) as error:
        await Load(local_engine, (*options, ("reject_limit", "1"))).run(b"1,x\nq,y\nr,z\n")
    assert error.value.sqlstate == "22P02"


async def test_values_as_postgresql_reads_them(local_engine: Engine) -> None:
    columns = tuple(
        InputColumn(name, kind)
        for name, kind in {
            "i": PgType(pg.INT8),
            "f": PgType(pg.FLOAT8),
            "n": PgType(pg.NUMERIC, pg.numeric_typmod(10, 2)),
            "d": PgType(pg.DATE),
            "s": PgType(pg.TIMESTAMP),
            "z": PgType(pg.TIMESTAMPTZ),
            "b": PgType(pg.BOOL),
            "u": PgType(pg.UUID),
            "j": PgType(pg.JSONB),
            "y": PgType(pg.BYTEA),
            "v": PgType(pg.VARCHAR, 7),
        }.items()
    )
    line = " +7 |1e3|2.005|2020-02-29|2020-01-02 03:04:05.5|2020-01-02 03:04:05+02|yes"
    line += "|{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"
    load = Load(local_engine, (("delimiter", "|"),), columns)
    (row,) = await load.rows(await load.run(f'{line}|{{"a": 1}}|\\\\x6162|abc\n'.encode()))
    assert [str(value) for value in row[:7]] == [
        "7",
        "1000.0",
        "2.01",
        "2020-02-29",
        "2020-01-02 03:04:05.500000",
        "2020-01-02 01:04:05+00:00",
        "True",
    ]
    assert (str(row[7]), row[9], row[10]) == ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", b"ab", "abc")
    for column, text, sqlstate in (
        ("v", "toolong", "22001"),
        ("d", "2020-02-30", "22008"),
        ("b", "perhaps", "22P02"),
        ("n", "123456789", "22003"),
        ("j", "{", "22P02"),
        ("u", "x", "22P02"),
    ):
        with pytest.raises(MereError) as error:
            await Load(local_engine, CSV, tuple(c for c in columns if c.name == column)).run(f'"{text}"\n'.encode())
        assert (column, error.value.sqlstate) == (column, sqlstate)
        assert f"line 1, column {column}" in (error.value.context or "")


async def test_groups_and_chunks(local_engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """More than one chunk and group; the error's line is counted over all of them."""
    monkeypatch.setattr(copy_in, "_FIRST_GROUP", CHUNK_BYTES)
    rows = 400_000
    data = b"".join(b'%d,"%d says ""hello"",\nand goes"\n' % (n, n) for n in range(rows))
    assert len(data) > CHUNK_BYTES
    load = Load(local_engine, CSV)
    result = await load.run(data)
    files = ", ".join(f"'{load.prefix}{file.path}'" for file in result.files)
    async with local_engine.workspace() as workspace:
        found = await workspace.rows(
            "SELECT count(*), sum(a)::BIGINT, count(DISTINCT b),"
            " count(*) FILTER (b = a || ' says \"hello\",\nand goes')"
            f" FROM read_parquet([{files}])"
        )
    assert found == [(rows, rows * (rows - 1) // 2, rows, rows)] and len(result.files) > 1
    with pytest.raises(MereError) as error:
        await Load(local_engine, CSV).run(data + b"x,y\n")
    assert error.value.context == f'COPY t, line {2 * rows + 1}, column a: "x"'
    assert not list(local_engine.settings.spool.iterdir())


PLAIN = (
    InputColumn("i2", PgType(pg.INT2)),
    InputColumn("i4", PgType(pg.INT4)),
    InputColumn("i8", PgType(pg.INT8)),
    InputColumn("n", PgType(pg.NUMERIC, pg.numeric_typmod(15, 2))),
    InputColumn("d", PgType(pg.DATE)),
    InputColumn("m", PgType(pg.TIMESTAMP)),
    InputColumn("b", PgType(pg.BOOL)),
    InputColumn("t", PgType(pg.TEXT)),
    InputColumn("v", PgType(pg.VARCHAR, 4 + 40)),
    InputColumn("c", PgType(pg.BPCHAR, 4 + 40)),
)


def plain_row(seed: random.Random) -> tuple[Any, ...]:
    text = "".join(seed.choices("ab é,\"'日|0-", k=seed.randrange(12)))
    row: list[Any] = [
        seed.randint(-(2**15) + 1, 2**15 - 1),
        seed.choice([0, 7, -(2**31) + 1, 2**31 - 1]),
        seed.choice([-1, 10**18 - 1, seed.randrange(10**9)]) if seed.random() < 0.998 else -(2**63),
        Decimal(seed.randint(-(10**15) + 1, 10**15 - 1)).scaleb(-2),
        dt.date(1, 1, 1) + dt.timedelta(seed.randrange(3_600_000)),
        dt.datetime(1900, 1, 1) + dt.timedelta(microseconds=seed.randrange(10**16)),
        seed.random() < 0.5,
        text * seed.randrange(9),
        text[::-1],
        text.rstrip(" "),
    ]
    return tuple(None if seed.random() < 0.1 else value for value in row)


def csv_value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "t" if value else "f"
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if text == "" or set(text) & set('," \n"') else text


def text_value(value: Any) -> str:
    return "\\N" if value is None else csv_value(value) if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("piece", [10_000, 1 << 20])
@pytest.mark.parametrize("options", [CSV, (*CSV, ("header", True)), ()])
async def test_values_of_all_plain_types(
    local_engine: Engine, options: Any, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In chunks small enough that some rows lie in two of them, and some chunks hold what only DuckDB reads."""
    monkeypatch.setattr(copy_in, "CHUNK_BYTES", 20_000)
    monkeypatch.setattr(copy_in, "_REFUSALS", 1000)
    seed = random.Random(7)
    rows = [plain_row(seed) for _ in range(2000)]
    if options:
        head = "i2,i4,i8,n,d,m,b,t,v,c\n" if len(options) > 1 else ""
        data = head + "".join(",".join(map(csv_value, row)) + "\n" for row in rows)
    else:
        data = "".join("\t".join(map(text_value, row)) + "\n" for row in rows)
    load = Load(local_engine, options, PLAIN)
    result = await load.run(data.encode(), piece)
    assert result.rows == len(rows)
    assert sorted(map(repr, await load.rows(result))) == sorted(map(repr, rows))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (PgType(pg.INT2), "32768"),
        (PgType(pg.INT4), "2147483648"),
        (PgType(pg.INT8), "9223372036854775808"),
        (PgType(pg.INT4), "1.0"),
        (PgType(pg.INT4), "-"),
        (PgType(pg.NUMERIC, pg.numeric_typmod(4, 2)), "99.999"),
        (PgType(pg.NUMERIC, pg.numeric_typmod(4, 2)), "1.2.3"),
        (PgType(pg.DATE), "2023-02-29"),
        (PgType(pg.DATE), "2023-13-01"),
        (PgType(pg.TIMESTAMP), "2023-01-01 24:00:01"),
        (PgType(pg.BOOL), "tr3"),
        (PgType(pg.VARCHAR, 4 + 3), "four"),
        (PgType(pg.BPCHAR, 4 + 3), "日本語x"),
    ],
)
async def test_one_bad_value_behind_many_good_ones(local_engine: Engine, kind: PgType, value: str) -> None:
    columns = (InputColumn("a", PgType(pg.INT4)), InputColumn("b", kind))
    with pytest.raises(MereError) as error:
        await Load(local_engine, CSV, columns).run(b"1,\n" * 100 + f"2,{value}\n".encode())
    assert "line 101" in (error.value.context or "")


@pytest.mark.parametrize(
    ("kind", "value", "meaning"),
    [
        (PgType(pg.INT4), " 007 ", 7),
        (PgType(pg.INT4), "+5", 5),
        (PgType(pg.INT4), "0x1F", 31),
        (PgType(pg.NUMERIC, pg.numeric_typmod(4, 2)), "1.005", Decimal("1.01")),
        (PgType(pg.NUMERIC, pg.numeric_typmod(4, 2)), "1e1", Decimal("10.00")),
        (PgType(pg.NUMERIC, pg.numeric_typmod(4, 2)), ".5", Decimal("0.50")),
        (PgType(pg.DATE), "2023-2-1", dt.date(2023, 2, 1)),
        (PgType(pg.TIMESTAMP), "2023-02-01", dt.datetime(2023, 2, 1)),
        (PgType(pg.BOOL), "yes", True),
        (PgType(pg.VARCHAR, 4 + 3), "日本語", "日本語"),
        (PgType(pg.BPCHAR, 4 + 3), "ab        ", "ab"),
    ],
)
async def test_values_that_are_written_in_other_ways(
    local_engine: Engine, kind: PgType, value: str, meaning: Any
) -> None:
    columns = (InputColumn("a", PgType(pg.INT4)), InputColumn("b", kind))
    load = Load(local_engine, CSV, columns)
    assert await load.rows(await load.run(f"1,{value}\n".encode())) == [(1, meaning)]


async def test_long_values(local_engine: Engine) -> None:
    load = Load(local_engine, CSV)
    value = b"x" * (2 * CHUNK_BYTES)
    result = await load.run(b"1," + value + b"\n2,y\n")
    assert sorted((a, len(b)) for a, b in await load.rows(result)) == [(1, len(value)), (2, 1)]


async def test_abort_leaves_nothing(local_engine: Engine) -> None:
    load = Load(local_engine, CSV)
    await load.copy.feed(b"1,x\n" * (CHUNK_BYTES // 2))
    await load.copy.abort()
    await load.copy.abort()
    assert not list(local_engine.settings.spool.iterdir())
