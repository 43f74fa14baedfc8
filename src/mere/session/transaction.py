"""One session's transaction: PostgreSQL's own on the backing connection, and the lake's overlay beside it.

Owns the order of BEGIN, COMMIT, ROLLBACK and savepoints on both. Lives in the coordinator process.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from uuid import uuid4

from mere.catalog.backend import Backend, PgError
from mere.errors import FeatureNotSupported, InvalidTransactionState, MereError
from mere.lake.message import CommitMessage
from mere.lake.metadata import Snapshot
from mere.lake.overlay import Overlay
from mere.session.commit import commit
from mere.session.services import Database

# The commit function must see the newest snapshot under its lock, so PostgreSQL's side is always READ COMMITTED;
# REPEATABLE READ is kept by pinning the lake's snapshot.
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
_PINNING = frozenset({"repeatable read", "serializable"})


def _nothing() -> None:
    """What a transaction that pins no snapshot lets go of."""


class Transaction:
    """The state between BEGIN and COMMIT. `implicit` transactions are opened around one statement or pipeline."""

    def __init__(self, backend: Backend, database: Database, user: str, patience: float) -> None:
        self._backend = backend
        self._database = database
        self._user = user
        self._patience = patience
        self._savepoints: list[tuple[str, Overlay]] = []
        self.overlay = Overlay()
        self.isolation = "read committed"
        self.modes = ""  # access mode and deferrable, as BEGIN said them, for AND CHAIN
        self.pinned: Snapshot | None = None
        self._release: Callable[[], None] = _nothing
        self.implicit = False
        self.committed = True  # how the last one ended
        self.definitions = False  # DDL ran, so mere.commit() must compare the shells
        self.committing = False  # COMMIT is on its way: nothing may be cancelled any more
        self.vouched: set[int] = set()  # tables whose rows the gateway checks itself when they are altered
        self._taken: dict[int, Callable[[], None]] = {}  # the tables that lose rows, and how to let go of them
        self.written: set[str] = set()  # paths of all files this transaction wrote, for maintenance to leave alone

    @property
    def status(self) -> str:
        """What ReadyForQuery says: I, T or E."""
        return "I" if self.implicit and self._backend.status != "E" else self._backend.status

    @property
    def open(self) -> bool:
        return self._backend.status != "I"

    @property
    def failed(self) -> bool:
        return self._backend.status == "E"

    @property
    def explicit(self) -> bool:
        return self.open and not self.implicit

    async def begin(self, modes: str = "", isolation: str | None = None) -> None:
        """An explicit BEGIN; within an implicit transaction it turns that into an explicit one, as PostgreSQL does."""
        if isolation is not None:
            self._require_possible(isolation)
        if self.explicit:
            await self._backend.simple("BEGIN")  # PostgreSQL's own warning, or its error in a failed transaction
            if isolation is not None:
                self.set_isolation(isolation)
            return
        if self.implicit:
            self.implicit = False
        else:
            await self._backend.simple(f"{_BEGIN}{' , ' if modes else ''}{modes}")
            if self._backend.status == "T":
                self._reset()
        self.modes = modes
        if isolation is None:
            rows = await self._backend.fetch("SELECT pg_catalog.current_setting('default_transaction_isolation')")
            isolation = rows[0][0] or "read committed"
        self.isolation = isolation

    async def ensure(self) -> None:
        """Opens an implicit transaction where none is open."""
        if self._backend.status == "I":
            await self._backend.simple(_BEGIN)
            self._reset()
            self.implicit = True

    def _require_possible(self, isolation: str) -> None:
        if isolation == "serializable" and self._backend.in_recovery:
            raise FeatureNotSupported(
                "cannot use serializable mode in a hot standby", hint="You can use REPEATABLE READ instead."
            )

    def set_isolation(self, isolation: str) -> None:
        self._require_possible(isolation)
        if isolation == self.isolation:
            return
        if self.pinned is not None or self.overlay.dirty:
            raise InvalidTransactionState(
                "SET TRANSACTION ISOLATION LEVEL must be called before any query", sqlstate="25001"
            )
        self.isolation = isolation

    def pin(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot that this statement reads: the newest, or the transaction's own where it pins one."""
        if self.pinned is not None:
            return self.pinned
        if self.explicit and self.isolation in _PINNING:
            self._require_possible(self.isolation)  # it may be the default, which BEGIN does not look at
            self.pinned = snapshot
            self._release = self._database.readers.hold(snapshot.id)
        return snapshot

    async def commit(self, token: str | None = None) -> str:
        """COMMIT; returns the command tag (ROLLBACK for a failed transaction). After an error nothing is committed, and
        the transaction is over."""
        try:
            if self._backend.status == "E":
                await self.rollback()
                return "ROLLBACK"
            self.committed = True
            if self._backend.status == "I":
                await self._backend.simple("COMMIT")  # PostgreSQL's own warning
                return "COMMIT"
            defined = await self._defined()
            if not self.overlay.dirty and not defined:
                await self._backend.simple("COMMIT")
                return "COMMIT"
            self.committing = True
            message = CommitMessage(
                token=token or uuid4().hex,
                author=self._user,
                tables=tuple(table.change() for table in self.overlay.tables.values()),
            )
            await commit(self._backend, self._database, message, self._patience)
            if defined:
                self._database.names_version += 1
            return "COMMIT"
        except MereError:
            self.committed = False
            if self.open and not self._backend.closed.is_set():
                await self._backend.simple("ROLLBACK")
            raise
        finally:
            self._reset()

    async def _defined(self) -> bool:
        """Whether DDL ran that the lake must follow, also inside functions that PostgreSQL ran."""
        if self.definitions:
            # What may define tables, a DO block, need not have; where nothing was written, nothing is to be committed.
            rows = await self._backend.fetch("SELECT pg_catalog.pg_current_xact_id_if_assigned() IS NOT NULL")
            return rows[0][0] == "t"
        return not self.implicit and (await self._backend.fetch("SELECT mere.ddl_pending()"))[0][0] == "t"

    async def rollback(self) -> None:
        try:
            await self._backend.simple("ROLLBACK")
        finally:
            self._reset()
            self.committed = False

    async def fail(self) -> None:
        """After an error: an implicit transaction is over, an explicit one waits for ROLLBACK."""
        if self.implicit:
            await self.rollback()
        elif self._backend.status == "T":
            await self._abort()

    async def _abort(self) -> None:
        """PostgreSQL has no statement that fails a transaction, so one that cannot succeed has to do."""
        with contextlib.suppress(PgError):
            await self._backend.simple("ROLLBACK TO SAVEPOINT mere_no_such_savepoint")

    async def end_implicit(self, failed: bool) -> None:
        """Closes the implicit transaction of a statement or pipeline, if one is open."""
        if not self.implicit:
            return
        if failed or self._backend.status == "E":
            await self.rollback()
        else:
            await self.commit()

    async def savepoint(self, name: str, sql: str) -> None:
        await self._backend.simple(sql)
        self._savepoints.append((name, self.overlay))

    async def release(self, name: str, sql: str) -> None:
        await self._backend.simple(sql)
        del self._savepoints[self._find(name) :]

    async def rollback_to(self, name: str, sql: str) -> None:
        await self._backend.simple(sql)
        index = self._find(name)
        self.overlay = self._savepoints[index][1]
        del self._savepoints[index + 1 :]

    def _find(self, name: str) -> int:
        for index in range(len(self._savepoints) - 1, -1, -1):
            if self._savepoints[index][0] == name:
                return index
        raise InvalidTransactionState(f'savepoint "{name}" does not exist', sqlstate="3B001")

    def _reset(self) -> None:
        self._database.in_flight.difference_update(self.written)
        self._release()
        for release in self._taken.values():
            release()
        self._taken = {}
        self.committing = False
        self._savepoints = []
        self.overlay = Overlay()
        self.isolation = "read committed"
        self.modes = ""
        self.pinned = None
        self.implicit = False
        self.definitions = False
        self.written = set()
        self.vouched = set()

    async def take_rows_from(self, table_id: int) -> None:
        """Until the end, maintenance does not replace the files that the table has."""
        if table_id not in self._taken:
            self._taken[table_id] = await self._database.changing.hold(table_id)

    def forget(self) -> None:
        """The session ends: PostgreSQL rolls back by itself, maintenance may have the files."""
        self._reset()

    def track(self, paths: set[str]) -> None:
        """Registers files so that maintenance in this process never takes them for garbage."""
        self.written |= paths
        self._database.in_flight.update(paths)
