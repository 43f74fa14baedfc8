"""Tables for random distributed queries: many NULLs, duplicates, skew, one empty, like values in unlike types."""

from __future__ import annotations

import random

from harness.plan_warehouse import Table, Warehouse

_COMMON = "k integer, v integer, w bigint, s text, n numeric(6,2), f double precision, d date"
TABLES = (
    Table("t0", f"id integer NOT NULL, {_COMMON}"),
    Table("t1", f"id integer NOT NULL, {_COMMON}"),
    Table("t2", f"id integer NOT NULL, {_COMMON}"),
    # The same values in other types.
    Table(
        "u", "id bigint NOT NULL, k bigint, v smallint, w integer, s varchar(9), n numeric(5,1), f real, d timestamp"
    ),
    Table("e", f"id integer NOT NULL, {_COMMON}"),
    Table("r", f"id integer NOT NULL, {_COMMON}", policy="replicated"),
)
KEYS = {"t0": "k", "t1": "k", "t2": "v", "u": "k", "e": "k", "r": "k"}
COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    table.name: (
        ("id", "i"), ("k", "i"), ("v", "i"), ("w", "i"), ("s", "s"), ("n", "n"), ("f", "f"),
        ("d", "t" if table.name == "u" else "d"),
    )
    for table in TABLES
}  # fmt: skip
_ROWS = {"t0": 24, "t1": 20, "t2": 16, "u": 12, "e": 0, "r": 6}
_FLOATS = ("0.0", "'-0.0'", "0.5", "-1.25", "2", "1e10", "'nan'", "3")


def warehouse(seed: int = 1) -> Warehouse:
    made = Warehouse([_keyed(table) for table in TABLES])
    made.create()
    dice = random.Random(seed)
    for name, count in _ROWS.items():
        if count:
            rows = ", ".join(f"({number}, {_row(dice)})" for number in range(1, count + 1))
            made.connection.execute(f"INSERT INTO {name} VALUES {rows}")
    return made


def _keyed(table: Table) -> Table:
    return Table(table.name, table.columns, table.policy, KEYS[table.name])


def _row(dice: random.Random) -> str:
    def maybe(text: str) -> str:
        return "NULL" if dice.random() < 0.15 else text

    skewed = 1 if dice.random() < 0.25 else dice.randint(0, 7)
    return ", ".join(
        (
            maybe(str(skewed)),
            maybe(str(dice.randint(0, 5))),
            maybe(str(dice.choice((0, 1, 2, 3, 10**6)))),
            maybe(dice.choice(("''", "'a'", "'b'", "'ab'", "'B'"))),
            maybe(str(dice.randint(-4, 6) / 2)),
            maybe(f"{dice.choice(_FLOATS)}::double"),
            maybe(f"date '2024-01-0{dice.randint(1, 6)}'"),
        )
    )
