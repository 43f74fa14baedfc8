"""Writers that keep a ledger of what the server promised, and the check of those promises afterwards.

Each transaction of a writer inserts two rows into `left_side`, one into `right_side` and updates the writer's row in
`totals`: all of it, or nothing, must be there.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from harness.client import Client, ConnectionLost, DeadlinePassed
from harness.mere import MereProcess

SETUP = (
    "CREATE TABLE left_side (writer int, seq int, part int)",
    "CREATE TABLE right_side (writer int, seq int, note text) DISTRIBUTED BY (seq)",
    "CREATE TABLE totals (writer int, n int)",
)


@dataclass(slots=True)
class Ledger:
    """Sequence numbers by what became of their transaction."""

    acknowledged: set[tuple[int, int]] = field(default_factory=set)
    unknown: set[tuple[int, int]] = field(default_factory=set)
    refused: set[tuple[int, int]] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    errors: list[str] = field(default_factory=list)


class Writer(threading.Thread):
    """One session after another, until told to stop; a lost connection ends a session, not the writer."""

    def __init__(self, server: MereProcess, ledger: Ledger, number: int, first: int) -> None:
        super().__init__(daemon=True)
        self.server, self.ledger, self.number, self.sequence = server, ledger, number, first
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            try:
                with self.server.client(deadline=15) as client:
                    while not self.ended.is_set():
                        self.sequence += 1
                        self.transaction(client, self.sequence)
            except (ConnectionLost, DeadlinePassed):
                if self.ended.wait(0.05):
                    return

    def transaction(self, client: Client, sequence: int) -> None:
        key = (self.number, sequence)
        statements = (
            "BEGIN",
            f"INSERT INTO left_side VALUES ({self.number}, {sequence}, 1), ({self.number}, {sequence}, 2)",
            f"INSERT INTO right_side VALUES ({self.number}, {sequence}, repeat('x', 50))",
            f"UPDATE totals SET n = n + 1 WHERE writer = {self.number}",
        )
        for sql in statements:
            outcome = client.run(sql)
            if outcome.sqlstate is not None:
                self.note(self.ledger.refused, key, outcome.sqlstate, outcome.message)
                client.simple("ROLLBACK")
                return
        try:
            outcome = client.run("COMMIT")
        except (ConnectionLost, DeadlinePassed):
            self.note(self.ledger.unknown, key)
            raise
        if outcome.sqlstate is None and outcome.tag == "COMMIT":
            self.note(self.ledger.acknowledged, key)
        elif outcome.sqlstate in ("40001", "25P02") or outcome.tag == "ROLLBACK":
            self.note(self.ledger.refused, key)
            client.simple("ROLLBACK")
        else:
            self.note(self.ledger.unknown, key, outcome.sqlstate or "", outcome.message)

    def note(self, where: set[tuple[int, int]], key: tuple[int, int], sqlstate: str = "", message: str = "") -> None:
        with self.ledger.lock:
            where.add(key)
            if sqlstate and sqlstate != "40001":
                self.ledger.errors.append(f"{sqlstate} {message}")


def prepare(server: MereProcess, writers: int) -> None:
    """The tables, with a row of totals for each writer, each in a file of its own so that they do not conflict."""
    with server.client() as client:
        for sql in SETUP:
            client.ok(sql)
        for writer in range(writers):
            client.ok(f"INSERT INTO totals VALUES ({writer}, 0)")


def check(server: MereProcess, ledger: Ledger) -> int:
    """No acknowledged transaction is lost, none is half visible, none is there that was refused; how many there are."""
    with server.client(deadline=60) as client:
        left = client.ok("SELECT writer, seq, count(*), sum(part) FROM left_side GROUP BY writer, seq").text
        right = client.ok("SELECT writer, seq, count(*), max(length(note)) FROM right_side GROUP BY writer, seq").text
        totals = client.ok("SELECT writer, sum(n), count(*) FROM totals GROUP BY writer").text
    there = {(int(row[0] or -1), int(row[1] or -1)) for row in left}
    assert {row[2:] for row in left} <= {("2", "3")}, "a transaction is half visible in left_side"
    assert {row[2:] for row in right} <= {("1", "50")}, "a row of right_side is there twice or damaged"
    assert there == {(int(row[0] or -1), int(row[1] or -1)) for row in right}, "the two tables disagree"
    lost = ledger.acknowledged - there
    assert not lost, f"{len(lost)} acknowledged transactions are lost: {sorted(lost)[:5]}"
    returned = ledger.refused & there
    assert not returned, f"refused transactions are there: {sorted(returned)[:5]}"
    for writer, total, count in totals:
        assert count == "1", f"writer {writer} has {count} rows of totals"
        assert int(total or 0) == sum(1 for key in there if key[0] == int(writer or -1)), f"totals of writer {writer}"
    return len(there)
