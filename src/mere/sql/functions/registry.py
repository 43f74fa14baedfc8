"""The allow-list: DuckDB's form of each PostgreSQL function. Filled by the modules of this package at import.

An entry is a DuckDB function or macro that takes the same arguments, or a builder. Keys are a function's name for all
its overloads, or `name(type,type)` for one. What has no entry is not run in DuckDB. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sqlglot import exp

if TYPE_CHECKING:
    from mere.sql.expressions.context import Context
    from mere.sql.expressions.typed import Typed
    from mere.sql.functions.resolution import Resolved
    from mere.sql.grammar.nodes import Call


@dataclass(frozen=True, slots=True)
class BoundCall:
    """A call with its overload: `arguments` coerced to what the overload declares, `raw` as they were bound."""

    context: Context
    node: Call
    resolved: Resolved
    arguments: list[Typed]
    raw: list[Typed]
    marks: int

    def sql(self, index: int) -> exp.Expression:
        return self.arguments[index].sql

    def constant_text(self, index: int) -> str | None:
        value = self.arguments[index].value
        return value if isinstance(value, str) else None

    def constant_int(self, index: int) -> int | None:
        value = self.arguments[index].value
        return value if isinstance(value, int) and not isinstance(value, bool) else None


Builder = Callable[[BoundCall], "exp.Expression | Typed"]
Entry = str | Builder

B = TypeVar("B", bound=Builder)

SCALARS: dict[str, Entry] = {}
NORMAL_FORMS = {
    "nfc": "nfc_normalize",
    "nfd": "mere_kernel_nfd",
    "nfkc": "mere_kernel_nfkc",
    "nfkd": "mere_kernel_nfkd",
}


def scalar(*names: str) -> Callable[[B], B]:
    def register(builder: B) -> B:
        for name in names:
            SCALARS[name] = builder
        return builder

    return register


def same(text: str) -> None:
    """Lines of `name DuckDB-name`, or a name alone that is the same in both."""
    for line in text.strip().splitlines():
        for item in line.split(";"):
            name, _, duckdb = item.strip().partition(" ")
            SCALARS[name] = duckdb or name.split("(")[0]
