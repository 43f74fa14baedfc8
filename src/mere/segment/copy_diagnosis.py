"""After COPY FROM failed: which row and column was it, in PostgreSQL's words. Slow and thorough; only ever run once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mere.errors import DataError, MereError
from mere.segment.copy_sql import CATCHABLE_ERRORS, Reader
from mere.segment.errors import translate
from mere.segment.workspace import Workspace

if TYPE_CHECKING:
    from mere.segment.copy_in import Group

_SHOWN = 100  # PostgreSQL cuts the line that it shows


async def find_bad_row(
    workspace: Workspace, reader: Reader, relation: str, group: Group, error: MereError
) -> MereError:
    """The error with its CONTEXT line, or as it was where no chunk shows the fault."""
    await workspace.execute(CATCHABLE_ERRORS)
    for file, (first_line, size) in zip(group.files, group.chunks, strict=True):
        found = await _misshapen(workspace, reader, relation, str(file), group.eol, first_line, size)
        if found is None:
            found = await _uncastable(workspace, reader, relation, str(file), group, first_line, size)
        if found is not None:
            return found
    error.context = error.context or f"COPY {relation}"
    return error


async def _misshapen(
    workspace: Workspace, reader: Reader, relation: str, file: str, eol: bytes, first_line: int, size: int
) -> MereError | None:
    """Too few or too many values, or broken quotes: DuckDB keeps such rows in a table of rejects."""
    await workspace.execute("DROP TABLE IF EXISTS reject_errors")
    await workspace.execute("DROP TABLE IF EXISTS reject_scans")
    scan = reader.scan([file], eol=eol, longest=size, rejects=True)
    await workspace.rows(f"SELECT count(*) FROM (SELECT * FROM {scan})")
    rows = await workspace.rows(
        "SELECT line, column_idx, error_type::VARCHAR, csv_line FROM reject_errors ORDER BY line, column_idx LIMIT 1"
    )
    if not rows:
        return None
    line, column, kind, text = rows[0]
    shown = str(text).rstrip("\r\n")
    if reader.padded and kind == "MISSING COLUMNS":
        shown = shown.removesuffix(reader.format.delimiter)
    message, sqlstate = {
        "MISSING COLUMNS": (f'missing data for column "{_missing_name(reader, int(column))}"', "22P04"),
        "TOO MANY COLUMNS": ("extra data after last expected column", "22P04"),
        "UNQUOTED VALUE": ("unterminated CSV quoted field", "22P04"),
        "INVALID ENCODING": ('invalid byte sequence for encoding "UTF8"', "22021"),
    }.get(kind, (f"malformed line: {kind.lower()}", "22P04"))
    context = f'COPY {relation}, line {first_line + int(line) - 1}: "{_cut(shown)}"'
    return DataError(message, sqlstate=sqlstate, context=context)


def _missing_name(reader: Reader, found: int) -> str:
    return reader.columns[min(found, len(reader.columns) - 1)].name


async def _uncastable(
    workspace: Workspace, reader: Reader, relation: str, file: str, group: Group, first_line: int, size: int
) -> MereError | None:
    """The first row with a value that its column's type does not take, and that cast's own error."""
    scan = reader.scan([file], eol=group.eol, longest=size)
    texts = reader.texts(scan, group.escaped, group.free or frozenset())
    count = len(reader.columns)
    bad = [f"(c{number} IS NOT NULL AND TRY({reader.value(number)}) IS NULL)" for number in range(count)]
    flags = ", ".join(f"{test} AS bad{number}" for number, test in enumerate(bad))
    breaks = " + ".join(f"coalesce(length(c{n}) - length(replace(c{n}, chr(10), '')), 0)" for n in range(count))
    rows = await workspace.rows(
        f"SELECT * EXCLUDE (mere_row) FROM (SELECT row_number() OVER () + sum({breaks}) OVER (ROWS UNBOUNDED PRECEDING)"
        f" AS mere_line, row_number() OVER () AS mere_row, *, {flags} FROM {texts})"
        f" WHERE {' OR '.join(f'bad{number}' for number in range(count))} ORDER BY mere_row LIMIT 1"
    )
    if not rows:
        return None
    line, values = rows[0][0], rows[0][1:]
    number = next(index for index in range(count) if values[len(values) - count + index])
    value = str(values[number])
    reason = await _reason(workspace, reader, number, value)
    if reason is None:
        return None
    at = first_line + int(line) - 1
    reason.context = f'COPY {relation}, line {at}, column {reader.columns[number].name}: "{_cut(value)}"'
    return reason


async def _reason(workspace: Workspace, reader: Reader, number: int, value: str) -> MereError | None:
    try:
        await workspace.rows(f"SELECT {reader.value(number)} FROM (SELECT ?::VARCHAR AS c{number})", [value])
    except MereError as error:
        return translate(error)
    return None


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
