"""What every peer's program does around its engine: read the queries, time each, print a JSON line.

Runs in the peer's own environment, so it imports nothing but the standard library.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn


def measure(run: Callable[[str], int]) -> None:
    """`run` carries out a query and returns its number of rows. One run warms up; a query that takes longer than the
    limit is not run again."""
    queries, repeats, limit = Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    for file in sorted(queries.glob("*.sql")):
        line: dict[str, object] = {"query": file.stem}
        seconds: list[float] = []
        try:
            for repeat in range(repeats + 1):
                started = time.perf_counter()
                line["rows"] = run(file.read_text().strip().rstrip(";"))
                took = time.perf_counter() - started
                if repeat > 0 or took > limit:
                    seconds.append(took)
                if took > limit:
                    break
            line["seconds"] = seconds
        except Exception as error:  # noqa: BLE001  whatever the engine raises is its answer to this query
            line["error"] = f"{type(error).__name__}: {error}".split("\n", 1)[0][:200]
        print(json.dumps(line), flush=True)


def leave() -> NoReturn:
    """The end, at once: an engine's own threads may wait for ever when Python ends as usual."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def files() -> list[Path]:
    return sorted(Path(sys.argv[1]).glob("*.parquet"))
