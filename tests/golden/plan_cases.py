"""The planner's golden cases: a PostgreSQL SELECT, and the slices and motions that it becomes.

A file of `plans/` holds pairs as those of the binder do. A comment line over a statement says how its tables lie:
`-- hash, 3 segments` or `-- random, 2 segments`; it stays so until the next such line. `stated` rows make small tables
look large: `-- stated t0 1e6`. Statements are executed under every policy and number of segments, too.
To accept new output after a look at it: `python -m golden.plan_cases` from the tests' directory.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.plan_warehouse import Table, Warehouse

from golden.plan_text import plan_text
from mere.plan.distribute import distribute

DIRECTORY = Path(__file__).parent / "plans"
TABLES = (
    Table("t0", "k integer, v integer, w integer, s text"),
    Table("t1", "k integer, v integer, w integer, s text"),
    Table("t2", "k integer, v integer, w integer, s text"),
    Table("big", "k bigint NOT NULL, v bigint, n numeric(12,2), s text, d date"),
    Table("other", "k integer, n numeric(5,1), f double precision, d timestamp, m numeric(5,2)"),
    Table("small", "k integer NOT NULL, name text", policy="replicated"),
    Table("empty", "k integer, v integer"),
)
STATED = {"t0": 1e6, "t1": 2e6, "t2": 5e5, "big": 1e8, "other": 1e6}
_SPREAD = re.compile(r"-- (hash|random|replicated), (\d+) segments?")
_STATED = re.compile(r"-- stated (\w+) (\S+)")


@dataclass(frozen=True, slots=True)
class Setting:
    """How the tables of a case lie, where its text is made."""

    policy: str = "hash"
    segments: int = 3
    stated: Mapping[str, float] = field(default_factory=lambda: STATED)


@dataclass(frozen=True, slots=True)
class Case:
    comments: tuple[str, ...]
    statement: str
    output: str
    setting: Setting


def warehouse() -> Warehouse:
    """Few rows with many NULLs and duplicates, so that a wrong plan gives a wrong answer."""
    made = Warehouse(TABLES)
    made.create()
    dice = random.Random(5)

    def maybe(text: str) -> str:
        return "NULL" if dice.random() < 0.2 else text

    def value() -> str:
        return maybe(str(dice.randint(0, 6)))

    for name, count in (("t0", 30), ("t1", 25), ("t2", 20)):
        rows = [f"({value()}, {value()}, {value()}, {maybe(dice.choice(_TEXTS))})" for _ in range(count)]
        made.connection.execute(f"INSERT INTO {name} VALUES {', '.join(rows)}")
    big = [
        f"({dice.randint(0, 9)}, {value()}, {maybe(str(dice.randint(-200, 300) / 100))}, {maybe(dice.choice(_TEXTS))},"
        f" {maybe(f'''date '2024-01-0{dice.randint(1, 4)}' ''')})"
        for _ in range(60)
    ]
    made.connection.execute(f"INSERT INTO big VALUES {', '.join(big)}")
    other = [
        f"({value()}, {maybe(str(dice.randint(0, 12) / 2))}, {maybe(dice.choice(_FLOATS))}::double,"
        f" {maybe(f'''timestamp '2024-01-0{dice.randint(1, 4)}' ''')}, {maybe(str(dice.randint(0, 12) / 2))})"
        for _ in range(30)
    ]
    made.connection.execute(f"INSERT INTO other VALUES {', '.join(other)}")
    made.connection.execute("INSERT INTO small VALUES " + ", ".join(f"({key}, 'n{key % 3}')" for key in range(5)))
    return made


_TEXTS = ("''", "'a'", "'b'", "'ab'")
_FLOATS = ("0.0", "'-0.0'", "1", "2", "3", "'nan'")


def cases(file: Path) -> Iterator[Case]:
    setting, comments = Setting(), list[str]()
    lines: list[str] = []
    pairs: list[str] = []
    for line in file.read_text().splitlines():
        if not pairs and not lines and (line.startswith("--") or not line.strip()):
            setting = _changed(setting, line)
            if line.strip() or comments:
                comments.append(line)
            continue
        lines.append(line.removesuffix(";"))
        if line.endswith(";"):
            pairs.append("\n".join(lines))
            lines = []
        if len(pairs) == 2:
            yield Case(tuple(comments), pairs[0].strip(), pairs[1].strip(), setting)
            pairs, comments = [], []


def _changed(setting: Setting, line: str) -> Setting:
    if (spread := _SPREAD.match(line)) is not None:
        return replace(setting, policy=spread[1], segments=int(spread[2]), stated=STATED)
    if (stated := _STATED.match(line)) is not None:
        return replace(setting, stated={**setting.stated, stated[1]: float(stated[2])})
    return setting


def spread(tables: Warehouse, setting: Setting) -> Warehouse:
    policies = {
        name: table.policy if table.policy == "replicated" else setting.policy for name, table in tables.tables.items()
    }
    return tables.distributed(policies, setting.stated)


def output(tables: Warehouse, case: Case) -> str:
    placed = spread(tables, case.setting)
    bound = placed.bind(case.statement)
    return plan_text(distribute(bound, placed.facts(bound, case.setting.segments)))


def rewrite() -> None:
    """The output of a case that has none yet may be empty: a `;` on a line of its own."""
    tables = warehouse()
    for file in sorted(DIRECTORY.glob("*.sql")):
        parts = [
            "\n".join([*case.comments, f"{case.statement};", f"{output(tables, case)};\n"]) for case in cases(file)
        ]
        file.write_text("\n".join(parts))


if __name__ == "__main__":
    rewrite()
