"""The case files: statements that end with `;` at a line's end, and comment lines that begin with `--!`.

    --! differs KEY     the next statement differs from PostgreSQL on purpose; KEY is in `differences.DIFFERENCES`
    --! as NAME         the next statements run in the named session of their own (`--! as main` goes back)

A COPY ... FROM STDIN is followed by its data up to a line with `\\.`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

DIRECTORY = Path(__file__).parent / "cases"
_NESTED = re.compile(r"\([^()]*\)")
_LITERAL = re.compile(r"'(?:[^']|'')*'|\$\$.*?\$\$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a family."""

    sql: str
    line: int
    session: str
    differs: str | None
    copy_data: bytes

    @property
    def ordered(self) -> bool:
        """Whether its outermost level has an ORDER BY, so that the order of its rows is a promise."""
        text = _LITERAL.sub("''", self.sql.lower())
        while (flatter := _NESTED.sub(" ", text)) != text:
            text = flatter
        return "order by" in text

    @property
    def is_query(self) -> bool:
        """Whether it may be run again without changing anything."""
        return re.match(r"\s*(select|with|values|table)\b", self.sql, re.IGNORECASE) is not None and not re.search(
            r"\b(nextval|setval|into|random|clock_timestamp)\b", self.sql, re.IGNORECASE
        )


def families() -> list[str]:
    """The names of the case files."""
    return sorted(file.stem for file in DIRECTORY.glob("*.sql"))


def read(family: str) -> list[Statement]:
    """The statements of one file, in order."""
    statements: list[Statement] = []
    pending: list[str] = []
    differs: str | None = None
    session = "main"
    lines = iter(enumerate((DIRECTORY / f"{family}.sql").read_text().splitlines(), 1))
    for number, line in lines:
        if not pending and line.startswith("--!"):
            word, _, rest = line[3:].strip().partition(" ")
            if word == "differs":
                differs = rest
            elif word == "as":
                session = rest
            else:
                raise ValueError(f"{family}:{number}: unknown marker {word}")
            continue
        if not pending and (not line.strip() or line.startswith("-- ")):
            continue
        pending.append(line)
        sql = "\n".join(pending)
        if not line.rstrip().endswith(";") or sql.count("$$") % 2:
            continue
        data: list[str] = []
        if re.match(r"copy\b.*\bfrom\s+stdin", sql, re.IGNORECASE | re.DOTALL):
            for _, row in lines:
                if row == "\\.":
                    break
                data.append(row + "\n")
        statement = sql.rstrip().removesuffix(";")
        first = number - len(pending) + 1
        statements.append(Statement(statement, first, session, differs, "".join(data).encode()))
        pending, differs = [], None
    if pending:
        raise ValueError(f"{family}: the last statement has no end")
    return statements
