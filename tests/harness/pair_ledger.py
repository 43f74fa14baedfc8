"""Clients that keep a ledger of what a coordinator pair promised them, while somebody does it harm.

Each connects by libpq's multi-host string, as any client would, and comes back by itself. See harness.pair_history for
what they do and for the check of it.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from psycopg import pq

from harness.client import Client, ConnectionLost, DeadlinePassed
from harness.client import Outcome as Answer
from harness.lakereader import attach, rows
from harness.pair import NotWhole, Pair
from harness.pair_history import PARTS, Contents, Entered, Outcome, Read, Transfer
from harness.pair_node import Node

Result = TypeVar("Result")

ACCOUNTS, BALANCE = 8, 1000
INITIAL = dict.fromkeys(range(ACCOUNTS), BALANCE)
SETUP = (
    "CREATE TABLE entry (number bigint, part int)",
    "CREATE TABLE account (id int, balance bigint)",
    "CREATE TABLE journal (number bigint PRIMARY KEY, source int, target int, amount int, timeline int) USING heap",
    # A file for each account, so that transfers between others do not conflict
    *(f"INSERT INTO account VALUES ({account}, {balance})" for account, balance in INITIAL.items()),
)
TIMELINE = "('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int"
STATEMENT_SECONDS = 10.0  # silence after which a client gives its connection up
NOT_COMMITTED = ("40001", "40P01", "25P02", "25006")  # at COMMIT; other errors there say nothing
RECENT = 100  # how many of the last transfers a reader looks at


class PairClient(Client):
    """libpq connects by itself, from host to host, as with PQconnectdb."""

    def _connect(self) -> pq.abc.PGconn:
        connection = pq.PGconn.connect(self.conninfo.encode())
        if connection.status != pq.ConnStatus.OK:
            message = connection.get_error_message()
            connection.finish()
            raise ConnectionLost(message)
        connection.nonblocking = 1
        return connection

    @property
    def node(self) -> str:
        """Who answers."""
        return f"{self.connection.host.decode()}:{self.connection.port.decode()}"


@dataclass(slots=True)
class Ledger:
    """What all clients know. Lists only grow; a thread appends whole items."""

    transfers: list[Transfer] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)  # of reads
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    ended: threading.Event = field(default_factory=threading.Event)

    def count(self, outcome: Outcome) -> int:
        return sum(1 for one in self.transfers if one.outcome is outcome)

    def latest(self) -> int:
        return self.transfers[-1].number if self.transfers else 0

    def wait_for_progress(self, seconds: float) -> bool:
        """Until a transfer that begins from now on is acknowledged."""
        since = time.monotonic()
        while time.monotonic() < since + seconds:
            for one in reversed(self.transfers):
                if one.ended < since:
                    break
                if one.started > since and one.outcome is Outcome.ACKNOWLEDGED:
                    return True
            time.sleep(0.05)
        return False


def steadily(pair: Pair, action: Callable[[], Result]) -> Result:
    """Once more, when a machine that is too busy for leases of seconds made the roles change in the middle of it."""
    for _ in range(3):
        try:
            return action()
        except (ConnectionLost, DeadlinePassed, NotWhole):
            pair.until_whole()
    return action()


def prepare(pair: Pair) -> None:
    with PairClient(pair.conninfo) as client:
        for table in ("entry", "account", "journal"):
            client.ok(f"DROP TABLE IF EXISTS {table}")
        for sql in SETUP:
            client.ok(sql)


@contextmanager
def clients(pair: Pair, ledger: Ledger, writers: int, seed: int, pace: float) -> Iterator[None]:
    """So many writers, and a reader for each gateway. `pace`: seconds that a writer rests between transfers."""
    threads = [
        threading.Thread(target=_write, args=(pair, ledger, random.Random(f"{seed} {number}"), pace), daemon=True)
        for number in range(writers)
    ]
    threads += [threading.Thread(target=_read, args=(node, ledger), daemon=True) for node in pair.nodes.values()]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ledger.ended.set()
        for thread in threads:
            thread.join(STATEMENT_SECONDS + 10)
    hanging = [thread for thread in threads if thread.is_alive()]
    assert not hanging, f"{len(hanging)} clients hang"


# -- writers


def _write(pair: Pair, ledger: Ledger, dice: random.Random, pace: float) -> None:
    while not ledger.ended.is_set():
        try:
            with PairClient(pair.conninfo, STATEMENT_SECONDS) as client:
                while not ledger.ended.wait(pace * dice.random() * 2):
                    _transfer(client, ledger, dice)
        except (ConnectionLost, DeadlinePassed):
            ledger.ended.wait(0.1)


class _Refused(Exception):
    """The server said no; the text begins with the SQLSTATE."""


def _transfer(client: PairClient, ledger: Ledger, dice: random.Random) -> None:
    """One transaction, and what is known of it, also when it is left by an exception."""
    number = next(ledger.numbers)
    source, target = dice.sample(range(ACCOUNTS), 2)
    amount = dice.randint(1, 9)
    started, timeline, message = time.monotonic(), 0, ""
    outcome = Outcome.REFUSED
    try:
        _accepted(client, "BEGIN")
        values = f"{number}, {source}, {target}, {amount}, {TIMELINE}"
        timeline = int(_accepted(client, f"INSERT INTO journal VALUES ({values}) RETURNING timeline").value or 0)
        _accepted(client, f"INSERT INTO entry VALUES ({number}, 1), ({number}, 2)")
        change = f"CASE id WHEN {source} THEN -{amount} ELSE {amount} END"
        _accepted(client, f"UPDATE account SET balance = balance + {change} WHERE id IN ({source}, {target})")
        outcome = Outcome.UNKNOWN  # once COMMIT is sent, only an answer tells
        outcome, message = _commit(client)
    except _Refused as error:
        message = str(error)
    except (ConnectionLost, DeadlinePassed) as error:
        message = f"lost: {type(error).__name__} {error}"
        raise
    finally:
        known = (outcome, client.node, timeline, started, time.monotonic(), message)
        ledger.transfers.append(Transfer(number, source, target, amount, *known))
    if outcome is not Outcome.ACKNOWLEDGED:
        client.run("ROLLBACK")


def _accepted(client: PairClient, sql: str) -> Answer:
    answer = client.run(sql)
    if answer.sqlstate is not None:
        raise _Refused(f"{answer.sqlstate} {answer.message}")
    return answer


def _commit(client: PairClient) -> tuple[Outcome, str]:
    answer = client.run("COMMIT")
    if answer.sqlstate is None and answer.tag == "COMMIT":
        return Outcome.ACKNOWLEDGED, ""
    if answer.sqlstate is None or answer.sqlstate in NOT_COMMITTED:
        return Outcome.REFUSED, f"{answer.sqlstate or answer.tag} {answer.message}"
    return Outcome.UNKNOWN, f"{answer.sqlstate} {answer.message}"


# -- readers


def _read(node: Node, ledger: Ledger) -> None:
    while not ledger.ended.is_set():
        try:
            with PairClient(f"{node.conninfo()} connect_timeout=2", STATEMENT_SECONDS) as client:
                while not ledger.ended.wait(0.2):
                    _look(client, node, ledger)
        except (ConnectionLost, DeadlinePassed):
            ledger.ended.wait(0.2)


def _look(client: PairClient, node: Node, ledger: Ledger) -> None:
    started = time.monotonic()
    low = ledger.latest() - RECENT
    recent = f"SELECT number, count(*), sum(part) FROM entry WHERE number > {low} GROUP BY number"
    totals, entries = client.run("SELECT sum(balance), count(*) FROM account"), client.run(recent)
    for answer in (totals, entries):
        if answer.sqlstate is not None:
            ledger.refusals.append(f"{node.name}: {answer.sqlstate} {answer.message}")
            return
    total, accounts = (int(value or 0) for value in totals.text[0])
    seen = {int(number or 0): (count, parts) for number, count, parts in entries.text}
    complete = (str(len(PARTS)), str(sum(PARTS)))
    whole = frozenset(number for number, found in seen.items() if found == complete)
    torn = frozenset(seen) - whole
    ledger.reads.append(Read(node.name, started, time.monotonic(), total, accounts, whole, torn))


# -- what is there in the end


def contents(node: Node) -> Contents:
    """As this gateway tells it."""
    with node.client(deadline=120) as client:
        entries = client.ok("SELECT number, string_agg(part::text, ',' ORDER BY part) FROM entry GROUP BY number").text
        balances = client.ok("SELECT id, balance FROM account").text
        journal = client.ok("SELECT number, source, target, amount, timeline FROM journal").text
    return Contents(
        {int(number or 0): tuple(int(part) for part in (parts or "").split(",")) for number, parts in entries},
        {int(row[0] or 0): Entered(*(int(value or 0) for value in row[1:])) for row in journal},
        {int(account or -1): int(balance or 0) for account, balance in balances},
    )


def contents_without_mere(node: Node) -> Contents:
    """As a plain DuckDB finds the lake in this node's catalog and in the storage."""
    plain = attach(node)
    try:
        listed = "list_transform(list_sort(list(part)), part -> part::int)"
        entries = rows(plain, f"SELECT number, {listed} FROM lake.public.entry GROUP BY number")
        balances = rows(plain, "SELECT id, balance FROM lake.public.account")
    finally:
        plain.close()
    return Contents({number: tuple(parts) for number, parts in entries}, {}, dict(balances))


def contents_of_standby(node: Node, expected: Contents, seconds: float = 20.0) -> Contents:
    """As the standby tells it, when it has replayed what `expected` holds, or else at the end of this time."""
    until = time.monotonic() + seconds
    while (found := contents(node)) != expected and time.monotonic() < until:
        time.sleep(0.2)
    return found
