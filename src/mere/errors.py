"""The one error tree. Every error carries the SQLSTATE that the client sees (PostgreSQL, Appendix A)."""

from __future__ import annotations


class MereError(Exception):
    """An error with PostgreSQL's fields; `sqlstate` has a default per subclass and may be narrowed per instance.

    `position` counts characters from 1 in the statement that the client sent. `schema`, `table`, `column` and
    `constraint` name what the error is about, for drivers that look at them.
    """

    sqlstate = "XX000"
    severity = "ERROR"

    def __init__(
        self,
        message: str,
        *,
        sqlstate: str | None = None,
        detail: str | None = None,
        hint: str | None = None,
        position: int | None = None,
        context: str | None = None,
        schema: str | None = None,
        table: str | None = None,
        column: str | None = None,
        constraint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.sqlstate = sqlstate or type(self).sqlstate
        self.detail = detail
        self.hint = hint
        self.position = position
        self.context = context
        self.schema = schema
        self.table = table
        self.column = column
        self.constraint = constraint


class FeatureNotSupported(MereError):
    """What Mere does not do, by name."""

    sqlstate = "0A000"


class SqlSyntaxError(MereError):
    sqlstate = "42601"


class UndefinedObject(MereError):
    """A name that does not resolve: 42P01 (relation), 42703 (column), 42883 (function), 42704 (type)."""

    sqlstate = "42P01"


class DatatypeMismatch(MereError):
    sqlstate = "42804"


class InsufficientPrivilege(MereError):
    sqlstate = "42501"


class DataError(MereError):
    """A value that does not fit: the class 22 states (22P02, 22003, 22012, 22007 ...)."""

    sqlstate = "22000"


class IntegrityError(MereError):
    """NOT NULL 23502, CHECK 23514."""

    sqlstate = "23000"


class SerializationFailure(MereError):
    """Another transaction won; the whole transaction may be tried again."""

    sqlstate = "40001"


class InvalidTransactionState(MereError):
    sqlstate = "25000"


class InFailedTransaction(InvalidTransactionState):
    sqlstate = "25P02"

    def __init__(self) -> None:
        super().__init__("current transaction is aborted, commands ignored until end of transaction block")


class QueryCanceled(MereError):
    sqlstate = "57014"


class ProtocolViolation(MereError):
    """Bytes that are not the protocol; the connection ends after this is sent."""

    sqlstate = "08P01"
    severity = "FATAL"


class CommitUnknown(MereError):
    """The reply to COMMIT was lost and the truth could not be learned."""

    sqlstate = "08007"


class CatalogError(MereError):
    """The catalog cannot be reached, or failed at something that nobody asked it for by name."""

    sqlstate = "08006"


class StorageError(MereError):
    """The object store or the disk refused or lost something."""

    sqlstate = "58030"


class StartupError(MereError):
    """`mere serve` cannot start; the message is the one line that the user reads."""

    sqlstate = "57P03"
    severity = "FATAL"
