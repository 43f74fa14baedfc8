"""Files of statements with the answers that they promise, for what only Mere has.

    statement ok | statement error SQLSTATE | statement notice WORDS
    query [rowsort | matches]      the SQL, then `----`, then a line for each row, values separated by `|`
    let NAME                       the SQL's only value, later written ${NAME}

`matches` takes each line as a regular expression that some row must match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness.client import Client, Outcome
from harness.mere import MereProcess
from harness.workspace import workspace

from mere.demo.seaweed import SeaweedFS

FILES = sorted((Path(__file__).parent / "cases").glob("*.slt"))


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a file, between empty lines."""

    line: int
    command: str
    argument: str
    sql: str
    expected: tuple[str, ...]


def blocks(file: Path) -> Iterator[Block]:
    """The blocks of a file; lines that begin with # are comments."""
    start, lines = 0, []
    for number, line in enumerate([*file.read_text().splitlines(), ""], 1):
        if line.startswith("#"):
            continue
        if line.strip():
            start = start or number
            lines.append(line)
        elif lines:
            command, _, argument = lines[0].partition(" ")
            body = lines[1:]
            cut = body.index("----") if "----" in body else len(body)
            yield Block(start, command, argument, "\n".join(body[:cut]), tuple(body[cut + 1 :]))
            start, lines = 0, []


def shown(outcome: Outcome) -> list[str]:
    return ["|".join("NULL" if value is None else value for value in row) for row in outcome.text]


def check(block: Block, client: Client, variables: dict[str, str]) -> str | None:
    """What is wrong with the answer, or None."""
    sql = re.sub(r"\$\{(\w+)\}", lambda found: variables[found.group(1)], block.sql)
    client.notices.clear()
    outcome = client.run(sql)
    if block.command == "statement" and block.argument.startswith("error"):
        wanted = block.argument.split()[1]
        return None if outcome.sqlstate == wanted else f"wanted {wanted}, got {outcome.sqlstate} {outcome.message}"
    if outcome.sqlstate is not None:
        return f"{outcome.sqlstate} {outcome.message}"
    if block.command == "let":
        variables[block.argument] = outcome.value or ""
        return None
    if block.command == "statement":
        words = block.argument.removeprefix("notice ")
        if block.argument != "ok" and not any(words in message for _, message in client.notices):
            return f"no notice with '{words}' among {client.notices}"
        return None
    rows, wanted_rows = shown(outcome), list(block.expected)
    if block.argument == "matches":
        missing = [line for line in wanted_rows if not any(re.search(line, row) for row in rows)]
        return f"no row matches {missing} in\n" + "\n".join(rows) if missing else None
    if block.argument == "rowsort":
        rows, wanted_rows = sorted(rows), sorted(wanted_rows)
    return None if rows == wanted_rows else f"wanted {wanted_rows}\n      got    {rows}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_file_keeps_its_promises(file: Path, mere: MereProcess, object_store: SeaweedFS) -> None:
    with workspace(mere) as space:
        client = space.client()
        variables = {"SCHEMA": space.schema, "EXCHANGE": f"{object_store.url}/exchange/{space.schema}"}
        wrong = [
            f"{file.name}:{block.line}: {problem}\n    {block.sql}"
            for block in blocks(file)
            if (problem := check(block, client, variables)) is not None
        ]
        assert not wrong, f"{len(wrong)} broken promises\n" + "\n".join(wrong)
