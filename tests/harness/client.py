"""libpq with deadlines: every call returns, fails with an SQLSTATE, or says that the deadline passed."""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from psycopg import pq

DEFAULT_DEADLINE = 30.0
_FINAL_ROWS = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.SINGLE_TUPLE, pq.ExecStatus.TUPLES_CHUNK)


class DeadlinePassed(Exception):
    """The server said nothing for too long; the connection is of no more use."""


class ConnectionLost(Exception):
    """The server closed the connection, or cannot be reached."""


@dataclass(slots=True)
class Outcome:
    """What one statement gave: rows or an error, as the wire had them (text unless asked otherwise)."""

    tag: str = ""
    names: list[str] = field(default_factory=list)
    type_oids: list[int] = field(default_factory=list)
    modifiers: list[int] = field(default_factory=list)
    rows: list[tuple[bytes | None, ...]] = field(default_factory=list)
    sqlstate: str | None = None
    message: str = ""
    copied: bytes = b""

    @property
    def text(self) -> list[tuple[str | None, ...]]:
        """The rows decoded."""
        return [tuple(None if value is None else value.decode() for value in row) for row in self.rows]

    @property
    def value(self) -> str | None:
        """The only value of the only row."""
        assert self.sqlstate is None, f"{self.sqlstate}: {self.message}"
        assert len(self.rows) == 1, self.rows
        value = self.rows[0][0]
        return None if value is None else value.decode()


def outcome_of(result: pq.abc.PGresult) -> Outcome:
    """An `Outcome` from libpq's result."""
    outcome = Outcome()
    if result.status == pq.ExecStatus.FATAL_ERROR:
        outcome.sqlstate = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"?????").decode()
        outcome.message = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or result.error_message).decode()
        return outcome
    outcome.tag = (result.command_status or b"").decode()
    columns = range(result.nfields)
    outcome.names = [(result.fname(column) or b"").decode() for column in columns]
    outcome.type_oids = [result.ftype(column) for column in columns]
    outcome.modifiers = [result.fmod(column) for column in columns]
    if result.status in _FINAL_ROWS:
        outcome.rows = [tuple(result.get_value(row, column) for column in columns) for row in range(result.ntuples)]
    return outcome


class Client:
    """One connection. Deadlines are per call."""

    def __init__(self, conninfo: str, deadline: float = DEFAULT_DEADLINE) -> None:
        self.conninfo = conninfo
        self.deadline = deadline
        self.notices: list[tuple[str, str]] = []
        self.connection = self._connect()

    def _connect(self) -> pq.abc.PGconn:
        connection: pq.abc.PGconn = pq.PGconn.connect_start(self.conninfo.encode())
        until = time.monotonic() + self.deadline
        while True:
            status = connection.connect_poll()
            if status == pq.PollingStatus.OK:
                break
            if status == pq.PollingStatus.FAILED:
                message = connection.get_error_message()
                connection.finish()
                raise ConnectionLost(message)
            writing = status == pq.PollingStatus.WRITING
            self._wait(connection, until, writing)
        connection.notice_handler = self._note
        return connection

    def _note(self, result: pq.abc.PGresult) -> None:
        sqlstate = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        message = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode()
        self.notices.append((sqlstate, message))

    @staticmethod
    def _wait(connection: pq.abc.PGconn, until: float, writing: bool = False) -> None:
        remaining = until - time.monotonic()
        sockets = [connection.socket]
        ready = select.select(sockets, sockets if writing else [], [], max(remaining, 0))
        if not (ready[0] or ready[1]):
            raise DeadlinePassed

    @property
    def transaction(self) -> str:
        """I, T or E, as ReadyForQuery said."""
        status = self.connection.transaction_status
        return {
            pq.TransactionStatus.IDLE: "I",
            pq.TransactionStatus.INTRANS: "T",
            pq.TransactionStatus.INERROR: "E",
        }.get(pq.TransactionStatus(status), "?")

    def send(self, sql: str) -> None:
        """Send a simple query and come back at once; `results` collects."""
        try:
            self.connection.send_query(sql.encode())
        except Exception as error:
            raise ConnectionLost(str(error)) from error

    def results(self, copy_data: bytes = b"", deadline: float | None = None) -> list[Outcome]:
        """All results up to ReadyForQuery."""
        until = time.monotonic() + (deadline or self.deadline)
        outcomes: list[Outcome] = []
        while (result := self._next_result(until)) is not None:
            if result.status == pq.ExecStatus.COPY_IN:
                self._copy_in(copy_data, until)
                continue
            if result.status == pq.ExecStatus.COPY_OUT:
                outcomes.append(Outcome(copied=self._copy_out(until)))
                continue
            outcome = outcome_of(result)
            if outcomes and outcomes[-1].copied and not outcomes[-1].tag:
                outcomes[-1].tag = outcome.tag
                outcomes[-1].sqlstate = outcome.sqlstate
                outcomes[-1].message = outcome.message
                continue
            outcomes.append(outcome)
        if self.connection.status == pq.ConnStatus.BAD:
            raise ConnectionLost(outcomes[-1].message if outcomes else "connection lost")
        return outcomes

    def _next_result(self, until: float) -> pq.abc.PGresult | None:
        connection = self.connection
        try:
            connection.flush()
            while connection.is_busy():
                self._wait(connection, until)
                connection.consume_input()
            return connection.get_result()
        except DeadlinePassed:
            raise
        except Exception as error:
            raise ConnectionLost(str(error)) from error

    def _copy_in(self, data: bytes, until: float) -> None:
        connection = self.connection
        for start in range(0, len(data), 65536):
            connection.put_copy_data(data[start : start + 65536])
            while connection.flush():
                self._wait(connection, until, writing=True)
        connection.put_copy_end()
        connection.flush()

    def _copy_out(self, until: float) -> bytes:
        connection = self.connection
        chunks: list[bytes] = []
        while True:
            size, chunk = connection.get_copy_data(1)
            if size > 0:
                chunks.append(bytes(chunk))
            elif size == 0:
                self._wait(connection, until)
                connection.consume_input()
            else:
                return b"".join(chunks)

    def simple(self, sql: str, copy_data: bytes = b"", deadline: float | None = None) -> list[Outcome]:
        """The simple protocol; several statements give several outcomes."""
        self.send(sql)
        return self.results(copy_data, deadline)

    def run(self, sql: str, copy_data: bytes = b"", deadline: float | None = None) -> Outcome:
        """One statement, by the simple protocol."""
        outcomes = self.simple(sql, copy_data, deadline)
        return outcomes[-1] if outcomes else Outcome()

    def ok(self, sql: str, copy_data: bytes = b"") -> Outcome:
        """One statement that must succeed."""
        outcome = self.run(sql, copy_data)
        assert outcome.sqlstate is None, f"{outcome.sqlstate}: {outcome.message}\n{sql}"
        return outcome

    def fails(self, sql: str, sqlstate: str) -> Outcome:
        """One statement that must fail with this SQLSTATE."""
        outcome = self.run(sql)
        assert outcome.sqlstate == sqlstate, f"wanted {sqlstate}, got {outcome.sqlstate}: {outcome.message}\n{sql}"
        return outcome

    def extended(
        self, sql: str, parameters: Sequence[str | None] = (), binary: bool = False, deadline: float | None = None
    ) -> Outcome:
        """One statement by Parse, Bind, Describe, Execute, Sync."""
        values = [None if value is None else value.encode() for value in parameters]
        try:
            self.connection.send_query_params(sql.encode(), values, result_format=int(binary))
        except Exception as error:
            raise ConnectionLost(str(error)) from error
        outcomes = self.results(deadline=deadline)
        return outcomes[-1] if outcomes else Outcome()

    def cancel(self) -> None:
        """A cancel request, as Ctrl-C in psql sends it."""
        self.connection.get_cancel().cancel()

    def close(self) -> None:
        self.connection.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
