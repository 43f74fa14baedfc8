"""The kernels write what the queries' own rendering and Arrow's kernels write, for every type and its extremes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from mere.segment.copy_binary_out import CopyBinaryEncoder
from mere.segment.encode import CopyCsvEncoder, CopyTextEncoder, RowEncoder, column_form
from mere.segment.kernels import install
from mere.segment.native import kernels
from mere.segment.native.encode import Column
from mere.sql import types as pg
from mere.sql.expressions.typed import COLUMN, Typed
from mere.sql.macros import MACROS
from mere.sql.render import SessionFormat, plain_value, render_text
from mere.sql.types import PgType

Encoder = Callable[[pa.RecordBatch], bytes | memoryview]
FORM = SessionFormat()


@dataclass(frozen=True)
class Sample:
    """Values of one type, as DuckDB's literals."""

    type: PgType
    values: tuple[str, ...]
    duckdb: str = ""
    decimal: tuple[int, int] | None = None

    @property
    def kind(self) -> str:
        return self.duckdb or pg.duckdb_type(self.type)


def integers(oid: int, bits: int) -> Sample:
    extremes = (0, 1, -1, 9, 10, 99, 100, -100, 101, 2 ** (bits - 1) - 1, -(2 ** (bits - 1)))
    return Sample(PgType(oid), tuple(f"'{value}'" for value in extremes))


def decimals(precision: int, scale: int) -> Sample:
    digits = [0, 1, 9, 10, 12345, 10_000, 99_990_000, 10**precision - 1, 10 ** (precision - 1), 2**64, 2**64 + 1]
    digits += [10**18, 10**19, 2**63, 2**63 - 1, 2**127 % 10**38]
    texts: list[str] = []
    for value in digits:
        if value < 10**precision:
            text = f"{value:0{scale + 1}d}"
            text = f"{text[: len(text) - scale]}.{text[len(text) - scale :]}" if scale else text
            texts += [f"'{text}'", f"'-{text}'"]
    kind = PgType(pg.NUMERIC, pg.numeric_typmod(precision, scale))
    return Sample(kind, tuple(texts), decimal=(precision, scale))


DAYS = [
    *("1970-01-01", "2000-02-29", "1999-12-31", "0001-01-01", "0001-12-31 (BC)", "4713-01-01 (BC)", "9999-12-31"),
    *("10000-01-01", "1582-10-15", "1900-03-01", "1600-02-29", "5874897-12-31", "1969-12-31", "infinity", "-infinity"),
]
TIMES = ["00:00:00", "23:59:59.999999", "12:34:56.7", "01:02:03.000004", "10:00:00.120000", "24:00:00"]
MOMENTS = [
    *("1970-01-01 00:00:00", "1969-12-31 23:59:59.999999", "0044-03-15 (BC) 12:00:00.5", "294246-12-31 23:59:59"),
    *("2000-01-01 00:00:00.1", "1883-11-18 12:00:00", "infinity", "-infinity"),
]
STRINGS = [
    *(
        "",
        "a",
        "seven b",
        "eight by",
        "nine byte",
        "é",
        "日本語",
        "tab\there",
        "two\nlines",
        "back\\slash",
        "\\.",
        "\\N",
    ),
    *('quote"d', "comma,", "\r", "\x01", "x" * 127, "y" * 128, "z" * 1000, "NULL", " ", "a tab comes late\t"),
]


def quoted(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple("'" + text.replace("'", "''") + "'" for text in texts)


SAMPLES = {
    "smallint": integers(pg.INT2, 16),
    "integer": integers(pg.INT4, 32),
    "bigint": integers(pg.INT8, 64),
    **{f"numeric({p},{s})": decimals(p, s) for p, s in ((4, 2), (9, 0), (9, 9), (15, 2), (18, 5), (18, 18), (19, 1))},
    **{f"numeric({p},{s})": decimals(p, s) for p, s in ((38, 0), (38, 2), (38, 10), (38, 37), (38, 38), (20, 7))},
    "huge": Sample(PgType(pg.NUMERIC), ("0", "'-1'", f"'{2**127 - 1}'", f"'-{2**127}'"), "HUGEINT", (38, 0)),
    "whole": Sample(PgType(pg.NUMERIC), ("0", "'-1'", f"'{2**63 - 1}'", f"'-{2**63}'"), "BIGINT", (19, 0)),
    "boolean": Sample(PgType(pg.BOOL), ("true", "false")),
    "date": Sample(PgType(pg.DATE), quoted(DAYS)),
    "time": Sample(PgType(pg.TIME), quoted(TIMES)),
    "timestamp": Sample(PgType(pg.TIMESTAMP), quoted(MOMENTS)),
    "timestamptz": Sample(PgType(pg.TIMESTAMPTZ), quoted(MOMENTS)),
    "timetz": Sample(PgType(pg.TIMETZ), ("'00:00:00+00'", "'23:59:59.5-15:59'", "'12:00:00+05:30'")),
    "interval": Sample(PgType(pg.INTERVAL), ("'1 month -2 days'", "'-00:00:01.5'", "'0 days'", "'170000000 years'")),
    "uuid": Sample(
        PgType(pg.UUID), (f"'{'0' * 8}-0000-0000-0000-{'0' * 12}'", "'123e4567-e89b-12d3-a456-42661417ffff'")
    ),
    "bytea": Sample(PgType(pg.BYTEA), ("''", "'\\x00\\xFF\\x5C'", "'abc'")),
    "text": Sample(PgType(pg.TEXT), quoted(STRINGS)),
    "varchar(n)": Sample(PgType(pg.VARCHAR, 2000), quoted(STRINGS)),
    "char(5)": Sample(PgType(pg.BPCHAR, 9), quoted([text[:5] for text in STRINGS] + ["日本語", "a, b", "toolong"])),
    "char(1)": Sample(PgType(pg.BPCHAR, 5), quoted(["", "a", "é", "\t"])),
    "real": Sample(PgType(pg.FLOAT4), ("0", "1.5", "'-inf'", "'nan'", "1e-30", "3.4028235e38", "-414324.12")),
    "double": Sample(PgType(pg.FLOAT8), ("0", "0.1", "'inf'", "'nan'", "-1e300", "5e-324", "1e15", "0.0001")),
    "json": Sample(PgType(pg.JSON), ('\'{"a": [1, "x\\ny"]}\'', "'null'")),
    "jsonb": Sample(PgType(pg.JSONB), ('\'{"a": [1, "x"]}\'', "'null'")),
    "oid": Sample(PgType(pg.OID), ("0", "4294967295")),
    "integer[]": Sample(PgType(pg.array_of(pg.INT4)), ("[]", "[1, NULL, -5]")),
    "text[]": Sample(PgType(pg.array_of(pg.TEXT)), ("[]", "['a,b', NULL, '', 'x\"y']")),
}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    assert kernels.wait()
    with duckdb.connect() as opened:
        opened.execute("SET arrow_lossless_conversion = true; SET arrow_large_buffer_size = true; SET TimeZone = 'UTC'")
        install(opened)
        for macro in MACROS:
            opened.execute(macro)
        yield opened


def table_of(connection: duckdb.DuckDBPyConnection, samples: Sequence[Sample], rows: int) -> None:
    """Each column goes through its sample's values, with NULLs between, at a pace of its own."""
    columns = []
    for number, sample in enumerate(samples):
        values = [f"CAST({value} AS {sample.kind})" for value in sample.values]
        step = f"(i + {number}) % {len(values) + 1 + number % 2}"
        columns.append(f"([{', '.join(values)}])[1 + {step}] AS c{number}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE sample AS SELECT {', '.join(columns)} FROM range({rows}) AS r(i)")


def typed_columns(samples: Sequence[Sample]) -> list[Typed]:
    return [
        Typed(exp.column(f"c{number}"), sample.type, COLUMN, decimal=sample.decimal)
        for number, sample in enumerate(samples)
    ]


def queried(connection: duckdb.DuckDBPyConnection, outputs: Sequence[exp.Expression]) -> pa.RecordBatch:
    listed = ", ".join(output.sql(dialect="duckdb") for output in outputs)
    table = connection.execute(f"SELECT {listed} FROM sample").to_arrow_table().combine_chunks()
    names = [f"c{number}" for number in range(table.num_columns)]
    return pa.RecordBatch.from_arrays([column.chunk(0) for column in table.columns], names=names)


def rendered(typed: Typed) -> exp.Expression:
    return exp.cast(render_text(typed, FORM), "VARCHAR")


def without_kernels(encode: Encoder, batch: pa.RecordBatch) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "_write_rows", None)
        return bytes(encode(batch))


def assert_text_is_the_same(connection: duckdb.DuckDBPyConnection, samples: Sequence[Sample], encode: Encoder) -> None:
    asked = [plain_value(typed, FORM) or rendered(typed) for typed in typed_columns(samples)]
    plain = queried(connection, asked)
    oracle = queried(connection, [rendered(typed) for typed in typed_columns(samples)])
    for start, count in ((0, None), (3, 7), (1, 1), (2, 0)):
        expected = without_kernels(encode, oracle.slice(start, count))
        assert bytes(encode(plain.slice(start, count))) == expected
        assert bytes(encode(oracle.slice(start, count))) == expected


def forms(samples: Sequence[Sample], **options: bool) -> tuple[Column, ...]:
    return tuple(column_form(sample.type, **options) for sample in samples)


def text_encoders(samples: Sequence[Sample]) -> dict[str, Encoder]:
    columns = forms(samples)
    return {
        "DataRow": RowEncoder(columns),
        "COPY text": CopyTextEncoder(columns=columns),
        "COPY text, other marks": CopyTextEncoder(b"|", b"nothing", columns),
        "COPY csv": CopyCsvEncoder(columns=columns),
        "COPY csv, other marks": CopyCsvEncoder(b";", b"", b"'", b"$", columns),
        "COPY csv, all quoted": CopyCsvEncoder(columns=forms(samples, forced=True)),
    }


WAYS = list(text_encoders([]))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SAMPLES)
def test_text_of_each_type(connection: duckdb.DuckDBPyConnection, name: str, way: str) -> None:
    samples = [SAMPLES[name]]
    table_of(connection, samples, 40)
    assert_text_is_the_same(connection, samples, text_encoders(samples)[way])


@pytest.mark.parametrize("way", WAYS)
def test_text_of_all_types_side_by_side(connection: duckdb.DuckDBPyConnection, way: str) -> None:
    samples = list(SAMPLES.values())
    table_of(connection, samples, 200)
    assert_text_is_the_same(connection, samples, text_encoders(samples)[way])


@pytest.mark.parametrize("name", SAMPLES)
def test_binary_of_each_type(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    samples = [SAMPLES[name]]
    table_of(connection, samples, 40)
    oids = tuple(sample.type.oid for sample in samples)
    encoders: list[Encoder] = [RowEncoder(forms(samples, binary=True)), CopyBinaryEncoder(oids, started=True)]
    outputs = [
        rendered(typed) if typed.type.oid == pg.BPCHAR else exp.column(f"c{number}")
        for number, typed in enumerate(typed_columns(samples))
    ]
    batch = queried(connection, outputs)
    for start, count in ((0, None), (3, 7), (1, 1), (2, 0)):
        part = batch.slice(start, count)
        for encode in encoders:
            assert bytes(encode(part)) == without_kernels(encode, part)


def test_types_that_the_kernels_print_come_unrendered() -> None:
    printed = {name for name, sample in SAMPLES.items() if plain_value(typed_columns([sample])[0], FORM) is not None}
    assert printed >= {"bigint", "numeric(15,2)", "boolean", "date", "timestamp", "char(5)", "real", *PRINTED}


PRINTED = {  # and the settings under which they are not
    "timestamptz": ("date_style", "time_zone"),
    "bytea": ("bytea_output",),
    "double": ("extra_float_digits",),
}


@pytest.mark.parametrize(
    "form",
    [
        SessionFormat(date_style="German, DMY"),
        SessionFormat(time_zone="Europe/Berlin"),
        SessionFormat(bytea_output="escape"),
        SessionFormat(extra_float_digits=0),
    ],
)
def test_other_settings_are_rendered_by_the_query(form: SessionFormat) -> None:
    rendered_now = {name for name in PRINTED if plain_value(typed_columns([SAMPLES[name]])[0], form) is None}
    changed = {setting for setting in asdict(form) if getattr(form, setting) != getattr(FORM, setting)}
    assert rendered_now == {name for name, settings in PRINTED.items() if changed.intersection(settings)}


@pytest.mark.parametrize("delimiter", [b"-", b" ", b"5", b":", b"f", b"."])
def test_marks_that_could_stand_in_a_number_keep_columns_rendered(delimiter: bytes) -> None:
    assert kernels.wait()
    assert CopyTextEncoder().prints
    assert CopyCsvEncoder().prints
    assert not CopyTextEncoder(delimiter).prints
    assert not CopyCsvEncoder(delimiter).prints


def test_csv_with_a_null_that_is_not_empty_keeps_columns_rendered() -> None:
    assert not CopyCsvEncoder(null=b"0").prints


TEXTS = st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(TEXTS, max_size=30), st.sampled_from(WAYS))
def test_any_text(values: list[str | None], way: str) -> None:
    assert kernels.wait()
    encode = text_encoders([SAMPLES["text"]])[way]
    for kind in (pa.string(), pa.large_string()):
        batch = pa.RecordBatch.from_arrays([pa.array(values, kind)], names=["c0"])
        assert bytes(encode(batch)) == without_kernels(encode, batch)


SCATTERED = {  # by the sample whose type they have
    "bigint": "(CAST(hash(i) >> 1 AS BIGINT) - 4611686018427387904) // (1::BIGINT << (i % 62))",
    "numeric(15,2)": "((hash(i) >> (14 + i % 50)) % 1000000000000000 - 1000) / 100.0::DECIMAL(15,2)",
    "numeric(38,10)": "((hash(i) >> 1)::HUGEINT * (hash(i + 1) >> (i % 60) >> 4) % 10::HUGEINT**27)::DECIMAL(28,0)",
    "date": "DATE '0001-01-01' - 2000000 + CAST(hash(i) % 8000000 AS INTEGER)",
    "timestamp": "make_timestamp(CAST(hash(i) % 400000000000000000 AS BIGINT) - 200000000000000000)",
    "time": "CAST(make_timestamp(CAST(hash(i) % 86400000000 AS BIGINT)) AS TIME)",
}


@pytest.mark.parametrize("name", SCATTERED)
def test_thousands_of_scattered_values(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    sample = SAMPLES[name]
    value = f"CAST({SCATTERED[name]} AS {sample.kind})"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE sample AS SELECT {value} AS c0 FROM range(20000) AS r(i)")
    assert_text_is_the_same(connection, [sample], RowEncoder(forms([sample])))
    encode = RowEncoder(forms([sample], binary=True))
    batch = queried(connection, [exp.column("c0")])
    assert bytes(encode(batch)) == without_kernels(encode, batch)
