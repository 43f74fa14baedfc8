"""The DuckDB SQL that reads rows for COPY FROM: which bytes, which columns, and text to values as PostgreSQL reads it.

Pure text. Every column is read as VARCHAR and cast here, since the csv reader's own casts accept more than PostgreSQL
('1.5' is an integer to it). A cast takes the fast way where the value is written as DuckDB itself would write it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from mere.segment.copy_chunks import STAND_INS, stand_in
from mere.segment.copy_format import CopyFormat, chosen
from mere.segment.credentials import quote
from mere.sql import types as pg
from mere.sql.expressions import coerce
from mere.sql.expressions.typed import COLUMN, Coercion, Environment, Typed
from mere.sql.types import PgType

_CONTROL_ESCAPES = {"b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_CANONICAL = frozenset({pg.INT2, pg.INT4, pg.INT8, pg.DATE, pg.TIMESTAMP})
_FLOATS = frozenset({pg.FLOAT4, pg.FLOAT8})


# With this, TRY() catches what error() raises: DuckDB takes its own error() for volatile, and refuses.
CATCHABLE_ERRORS = "CREATE OR REPLACE TEMP MACRO error(m) AS (list_extract([NULL], CAST(m AS INTEGER)))"


@dataclass(frozen=True, slots=True)
class InputColumn:
    """A column that the data has, in the data's order."""

    name: str
    type: PgType


@dataclass(frozen=True, slots=True)
class Reader:
    """Makes the SELECT over files in one format. `environment` is the session's, for its time zone."""

    format: CopyFormat
    columns: tuple[InputColumn, ...]
    environment: Environment

    def select(
        self,
        files: Sequence[str],
        *,
        eol: bytes = b"\n",
        escaped: bool = False,
        free: frozenset[bytes] = frozenset(),
        longest: int = 0,
    ) -> str:
        """The rows, typed, under the columns' names. `free` are control characters that the data does not use."""
        values = [self.value(number) for number in range(len(self.columns))]
        names = [_quoted(column.name) for column in self.columns]
        selected = ", ".join(f"{value} AS {name}" for value, name in zip(values, names, strict=True))
        where = ""
        if self.format.skip_bad_rows:
            good = (f"(c{number} IS NULL OR TRY({value}) IS NOT NULL)" for number, value in enumerate(values))
            where = f" WHERE {' AND '.join(good)}"
        source = self.texts(self.scan(files, eol=eol, longest=longest), escaped, free)
        return f"SELECT {selected} FROM {source}{where}"

    def select_url(self, url: str) -> str:
        """The rows of csv or text files at a URL, perhaps compressed, with the header that each of them has."""
        header = self.format.header != "no"
        values = [self.value(number) for number in range(len(self.columns))]
        selected = ", ".join(
            f"{value} AS {_quoted(column.name)}" for value, column in zip(values, self.columns, strict=True)
        )
        escaped = self.format.format == "text"
        source = self.texts(
            self.scan([url], eol=b"", header=header), escaped, frozenset(STAND_INS) if escaped else frozenset()
        )
        return f"SELECT {selected} FROM {source}"

    def texts(self, scan: str, escaped: bool, free: frozenset[bytes]) -> str:
        """A relation with each column's text as the user meant it, again named c0, c1 ..."""
        forced = chosen(self.format.force_null, [column.name for column in self.columns], "FORCE_NULL")
        if not escaped and not forced:
            return scan
        selected = []
        for number in range(len(self.columns)):
            text = f"c{number}"
            if escaped:
                text = _unescaped(text, self.format.delimiter, free)
            if number in forced:
                text = f"nullif({text}, {quote(self.format.null)})"
            selected.append(f"{text} AS c{number}")
        return f"(SELECT {', '.join(selected)} FROM {scan}) AS mere_texts"

    def scan(
        self,
        files: Sequence[str],
        *,
        eol: bytes = b"\n",
        longest: int = 0,
        rejects: bool = False,
        header: bool = False,
    ) -> str:
        """read_csv with everything said and nothing guessed; its columns are c0, c1 ..."""
        form = self.format
        count = len(self.columns) + (1 if self.padded and eol else 0)
        kinds = ", ".join(f"c{number}: 'VARCHAR'" for number in range(count))
        mark = quote(form.quote) if form.is_csv else "''"
        escape = quote(form.escape) if form.is_csv else "''"
        options = [
            f"columns => {{{kinds}}}",
            "auto_detect => false",
            f"header => {str(header).lower()}",
            f"delim => {quote(form.delimiter)}",
            f"quote => {mark}",
            f"escape => {escape}",
            f"nullstr => {quote(form.null)}",
            "allow_quoted_nulls => false",
        ]
        if eol:
            options.append(f"new_line => {_line_end(eol)}")
        if longest > 2_000_000:
            options += [f"max_line_size => {longest + 1}", f"buffer_size => {max(longest + 1, 32_000_000)}"]
        kept = chosen(form.force_not_null, [column.name for column in self.columns], "FORCE_NOT_NULL")
        if kept:
            options.append(f"force_not_null => [{', '.join(quote(f'c{number}') for number in sorted(kept))}]")
        if rejects:
            options += ["store_rejects => true", "ignore_errors => true"]
        return f"read_csv([{', '.join(map(quote, files))}], {', '.join(options)})"

    @property
    def padded(self) -> bool:
        return len(self.columns) == 1 and not self.format.is_csv

    def value(self, number: int) -> str:
        """Column c<number> as a value of its type, or an error in PostgreSQL's words."""
        kind, text, exact = self.columns[number].type, f"c{number}", self.exact(number)
        attempt = f"TRY_CAST({text} AS {pg.duckdb_type(kind)})"
        if kind.oid in _CANONICAL and kind.typmod < 0:
            return f"CASE WHEN CAST({attempt} AS VARCHAR) = {text} THEN {attempt} ELSE {exact} END"
        if kind.oid in _FLOATS:
            plain = f"abs({attempt}) > 1e-30 AND abs({attempt}) < 1e30 AND NOT contains({text}, '_')"
            return f"CASE WHEN {plain} THEN {attempt} ELSE {exact} END"
        if kind.oid == pg.NUMERIC and kind.typmod >= 0:
            return f"CASE WHEN {attempt} IS NOT NULL THEN {attempt} ELSE {exact} END"
        if kind.oid == pg.BOOL:
            return f"CASE {text} WHEN 't' THEN true WHEN 'f' THEN false ELSE {exact} END"
        return fitting(kind, text, exact)

    def exact(self, number: int) -> str:
        """The cast with PostgreSQL's own rules and errors, without the fast way."""
        kind = self.columns[number].type
        source = Typed(exp.column(f"c{number}"), PgType(pg.TEXT), COLUMN)
        how = Coercion.ASSIGNMENT if kind.oid in pg.STRINGS else Coercion.EXPLICIT
        return coerce(source, kind, how, self.environment).sql.sql(dialect="duckdb")


def fitting(kind: PgType, text: str, exact: str) -> str:
    """`exact` makes a string of this type of `text`. One whose bytes are not too many fits without being counted."""
    if kind.oid not in (pg.VARCHAR, pg.BPCHAR) or kind.typmod < 4:
        return exact
    trimmed = f" AND NOT suffix({text}, ' ')" if kind.oid == pg.BPCHAR else ""
    return f"CASE WHEN strlen({text}) <= {kind.typmod - 4}{trimmed} THEN {text} ELSE {exact} END"


def _unescaped(text: str, delimiter: str, free: frozenset[bytes]) -> str:
    """Undoes the text format's backslashes: double ones step aside first, other pairs lose theirs."""
    backslash = f"chr({stand_in(free, 0)[0]})"
    hidden = f"chr({stand_in(free, 1)[0]})"
    result = f"replace({text}, '\\\\', {backslash})"
    for letter, code in _CONTROL_ESCAPES.items():
        result = f"replace({result}, '\\{letter}', chr({code}))"
    result = f"replace({result}, '\\', '')"
    result = f"replace({result}, {hidden}, {quote(delimiter)})"
    return f"replace({result}, {backslash}, '\\')"


def _line_end(eol: bytes) -> str:
    return {b"\n": "'\\n'", b"\r\n": "'\\r\\n'", b"\r": "'\\r'"}[eol]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
