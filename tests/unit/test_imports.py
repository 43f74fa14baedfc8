"""The house's one-way imports, read from the source, so that no module has to be imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "mere"

# What each room may import. Every room may import mere.errors and mere.settings, unless it is listed in BARE.
ROOMS: dict[str, set[str]] = {
    "cli": {
        "gateway",
        "session",
        "execute",
        "plan",
        "sql",
        "lake",
        "catalog",
        "segment",
        "runtime",
        "ha",
        "demo",
        "backup",
    },
    "demo": {"cli"},
    "gateway": {"session", "catalog", "wire"},
    "session": {"execute", "plan", "sql", "lake", "catalog", "segment", "runtime", "wire"},
    "execute": {"plan", "sql", "lake", "segment", "runtime"},
    "runtime": {"segment", "lake"},
    "segment": {"lake", "sql", "wire"},
    "lake": {"sql", "catalog"},
    "catalog": {"sql", "wire"},
    "plan": {"sql"},
    "sql": set(),
    "wire": set(),
    "backup": {"catalog", "segment"},
    "ha": {"catalog", "segment"},
}
BARE = {"wire", "sql", "plan"}
NEVER = {room: {"asyncio", "ray", "duckdb"} for room in ("wire", "plan", "sql")}
FOREIGN_HOME = {"ray": "runtime"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).parts
        if len(parts) > 1:
            yield parts[0], path


def imported_names(path: Path) -> Iterator[str]:
    """Every module named by an import anywhere in the file, those under TYPE_CHECKING too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""
            if node.module == "mere":
                yield from (f"mere.{alias.name}" for alias in node.names)


def test_every_room_is_known() -> None:
    assert {room for room, _ in modules()} <= set(ROOMS)


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_imports_run_one_way(room: str) -> None:
    allowed = ROOMS[room] | {room}
    wrong = []
    for found, path in modules():
        if found != room:
            continue
        for name in imported_names(path):
            first, _, rest = name.partition(".")
            target = rest.split(".")[0]
            if first == "mere" and target in ROOMS and target not in allowed:
                wrong.append(f"{path.relative_to(SOURCE)} imports {name}")
            if first == "mere" and target in ("options", "settings") and room in BARE:
                wrong.append(f"{path.relative_to(SOURCE)} imports {name}")
            if first in NEVER.get(room, ()) or FOREIGN_HOME.get(first, room) != room:
                wrong.append(f"{path.relative_to(SOURCE)} imports {name}")
    assert not wrong, "\n".join(wrong)
