"""Errors as PostgreSQL sends them: fields by one-letter code, kept whole so that they are relayed unchanged.

Lives in the coordinator process; sans-IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mere.errors import MereError


def parse_fields(payload: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse or NoticeResponse, by their code ('S', 'C', 'M', ...)."""
    fields: dict[str, str] = {}
    for piece in payload.split(b"\0"):
        if piece:
            fields[chr(piece[0])] = piece[1:].decode("utf-8", "replace")
    return fields


def error_fields(error: MereError) -> dict[str, str]:
    """The fields that a client sees for an error of ours."""
    if isinstance(error, PgError):
        # The position may have been moved: PostgreSQL saw one statement of several.
        sent = {code: text for code, text in error.fields.items() if text}
        return sent | ({"P": str(error.position)} if error.position else {})
    fields = {"S": error.severity, "V": error.severity, "C": error.sqlstate, "M": error.message}
    optional = {
        "D": error.detail,
        "H": error.hint,
        "W": error.context,
        "s": error.schema,
        "t": error.table,
        "c": error.column,
        "n": error.constraint,
    }
    fields.update((code, text) for code, text in optional.items() if text)
    if error.position:
        fields["P"] = str(error.position)
    return fields


class PgError(MereError):
    """An ErrorResponse of PostgreSQL; `fields` are its own, as sent; `step` counts the steps of a pipeline from 0."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        position = fields.get("P", "")
        super().__init__(
            fields.get("M", "unknown error"),
            sqlstate=fields.get("C", "XX000"),
            detail=fields.get("D"),
            hint=fields.get("H"),
            position=int(position) if position.isdigit() else None,
            context=fields.get("W"),
            schema=fields.get("s"),
            table=fields.get("t"),
            column=fields.get("c"),
            constraint=fields.get("n"),
        )
        self.fields: Mapping[str, str] = MappingProxyType(dict(fields))
        self.step = 0
        self.severity = fields.get("V", fields.get("S", "ERROR"))

    @property
    def is_fatal(self) -> bool:
        return self.severity in ("FATAL", "PANIC")
