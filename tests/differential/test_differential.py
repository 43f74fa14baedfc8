"""The same statements on PostgreSQL 18 and on Mere: rows, names, types, tags and SQLSTATEs must be the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from harness.client import Client, ConnectionLost, DeadlinePassed, Outcome
from harness.mere import MereProcess
from harness.postgres import Peer

from . import cases, report
from .comparison import Verdict, compare
from .differences import DIFFERENCES


@dataclass(slots=True)
class Side:
    """One of the two servers, with the sessions of the family that runs."""

    conninfo: str
    family: str
    sessions: dict[str, Client] = field(default_factory=dict)

    def session(self, name: str) -> Client:
        if name not in self.sessions:
            client = Client(self.conninfo)
            self.sessions[name] = client
            schema = f"diff_{self.family}"
            if name == "main":
                client.simple(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
                client.simple(f"CREATE SCHEMA {schema}")
            for setting in (f"search_path = {schema}", "timezone = 'UTC'", "datestyle = 'ISO, MDY'"):
                client.simple(f"SET {setting}")
        return self.sessions[name]

    def run(self, statement: cases.Statement) -> Outcome:
        """The outcome; a server that hangs or goes away is an outcome too."""
        try:
            return self.session(statement.session).run(statement.sql, statement.copy_data)
        except (DeadlinePassed, ConnectionLost) as error:
            lost = self.sessions.pop(statement.session, None)
            if lost is not None:
                lost.close()
            self.sessions.setdefault("main", self.fresh())
            return Outcome(sqlstate="HANGS" if isinstance(error, DeadlinePassed) else "LOST", message=str(error))

    def binary(self, statement: cases.Statement) -> Outcome:
        return self.session(statement.session).extended(statement.sql, binary=True)

    def fresh(self) -> Client:
        client = Client(self.conninfo)
        for setting in (f"search_path = diff_{self.family}", "timezone = 'UTC'", "datestyle = 'ISO, MDY'"):
            client.simple(f"SET {setting}")
        return client

    def close(self) -> None:
        if "main" in self.sessions:
            self.sessions["main"].simple("ROLLBACK; RESET ROLE")
            self.sessions["main"].simple(f"DROP SCHEMA IF EXISTS diff_{self.family} CASCADE")
        for client in self.sessions.values():
            client.close()


@pytest.fixture
def sides(request: pytest.FixtureRequest, peer: Peer, mere: MereProcess) -> Iterator[tuple[Side, Side]]:
    family: str = request.node.callspec.params["family"]
    both = Side(peer.conninfo, family), Side(mere.conninfo(), family)
    try:
        yield both
    finally:
        for side in both:
            side.close()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("family", cases.families())
def test_family_agrees_with_postgres(family: str, sides: tuple[Side, Side]) -> None:
    postgres, mere = sides
    counted = report.Family(family)
    problems: list[str] = []
    for statement in cases.read(family):
        expected, actual = postgres.run(statement), mere.run(statement)
        verdict = compare(expected, actual, statement.ordered)
        if verdict.difference is None and expected.sqlstate is None and statement.is_query:
            verdict = _compare_binary(statement, postgres, mere, verdict)
        problem = _judge(statement, verdict)
        counted.count(statement, verdict)
        if problem:
            problems.append(f"{family}.sql:{statement.line}: {problem}\n    {' '.join(statement.sql.split())}")
    report.add(counted)
    assert not problems, f"{len(problems)} of {counted.total} differ\n" + "\n".join(problems)


def _judge(statement: cases.Statement, verdict: Verdict) -> str | None:
    if statement.differs is None:
        return verdict.difference
    if statement.differs not in DIFFERENCES:
        return f"no reason named {statement.differs} in the table of differences"
    if verdict.difference is None:
        return f"no longer differs: take its mark '{statement.differs}' away"
    return None


def _compare_binary(statement: cases.Statement, postgres: Side, mere: Side, verdict: Verdict) -> Verdict:
    """The extended protocol and the binary format must tell the same as the text did."""
    expected, actual = postgres.binary(statement), mere.binary(statement)
    if expected.sqlstate == actual.sqlstate == "42883":
        return verdict
    if expected.sqlstate != actual.sqlstate:
        return Verdict(f"in binary: {expected.sqlstate} -> {actual.sqlstate} {actual.message}")
    if expected.type_oids != actual.type_oids and not any(oid >= 16384 for oid in expected.type_oids):
        return Verdict(f"in binary: types {expected.type_oids} -> {actual.type_oids}")
    exact = [index for index, oid in enumerate(expected.type_oids) if oid not in (700, 701, 1021, 1022, 1231, 1700)]

    def keep(rows: list[tuple[bytes | None, ...]]) -> list[Any]:
        kept = [tuple(row[index] for index in exact) for row in rows]
        return (
            kept if statement.ordered else sorted(kept, key=lambda row: [(cell is None, cell or b"") for cell in row])
        )

    left, right = keep(expected.rows), keep(actual.rows)
    for one, two in zip(left, right, strict=False):
        if one != two:
            return Verdict(f"in binary: {one} -> {two}")
    return verdict


def test_every_difference_is_used() -> None:
    used = {statement.differs for family in cases.families() for statement in cases.read(family)}
    assert used - {None} == set(DIFFERENCES), "a reason without a statement, or a statement without a reason"


def test_suite_covers_many_statements() -> None:
    assert sum(len(cases.read(family)) for family in cases.families()) >= 400
