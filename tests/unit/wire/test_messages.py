"""What the gateway sends, read back by the readers of PostgreSQL's messages, and by asyncpg's idea of the format."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mere.errors import DataError, ProtocolViolation
from mere.wire import messages
from mere.wire.backend import (
    read_backend_key_data,
    read_data_row,
    read_error,
    read_notice,
    read_parameter_description,
    read_parameter_status,
    read_row_description,
    read_status,
    read_tag,
)
from mere.wire.messages import Field
from mere.wire.pgerror import PgError

NAMES = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20)
FIELDS = st.builds(
    Field,
    name=NAMES,
    table_oid=st.integers(0, 2**32 - 1),
    attnum=st.integers(-7, 1600),
    type_oid=st.integers(0, 2**32 - 1),
    type_len=st.integers(-2, 100),
    typmod=st.integers(-1, 2**31 - 1),
    format=st.integers(0, 1),
)


@given(st.lists(FIELDS, max_size=5))
def test_row_description(fields: list[Field]) -> None:
    assert read_row_description(messages.row_description(fields)) == tuple(fields)


@given(st.lists(st.none() | NAMES, max_size=5))
def test_data_row(values: list[str | None]) -> None:
    raw = messages.data_row([None if value is None else value.encode() for value in values])
    assert read_data_row(raw) == tuple(values)


@given(st.lists(st.integers(0, 2**32 - 1), max_size=300))
def test_parameter_description(oids: list[int]) -> None:
    assert read_parameter_description(messages.parameter_description(oids)) == tuple(oids)


def test_the_bytes_of_the_manual() -> None:
    assert messages.command_complete("INSERT 0 1") == b"C\0\0\0\x0fINSERT 0 1\0"
    assert messages.ready_for_query("T") == b"Z\0\0\0\5T"
    assert messages.copy_in_response(2) == b"G\0\0\0\x0b\0\0\2\0\0\0\0"
    assert messages.copy_out_response(1, binary=True) == b"H\0\0\0\x09\1\0\1\0\1"
    assert messages.negotiate_protocol_version(3 << 16 | 2, ["_pq_.a"]) == (b"v\0\0\0\x13\0\3\0\2\0\0\0\1_pq_.a\0")
    assert messages.authentication_ok() == b"R\0\0\0\x08\0\0\0\0"


def test_small_messages_read_back() -> None:
    assert read_parameter_status(messages.parameter_status("a", "b")) == ("a", "b")
    assert read_backend_key_data(messages.backend_key_data(7, b"x" * 32)) == (7, b"x" * 32)
    assert read_status(messages.READY_FAILED) == "E"
    assert read_tag(messages.command_complete("SELECT 3")) == "SELECT 3"
    assert read_notice(messages.notice_response("careful", hint="there")) == {
        "S": "NOTICE",
        "V": "NOTICE",
        "C": "00000",
        "M": "careful",
        "H": "there",
    }


def test_an_error_of_ours() -> None:
    error = DataError("no\0way \udc80", sqlstate="22P02", position=3, detail="d", hint="h", context="c")
    sent = read_error(messages.error_response(error))
    assert (sent.sqlstate, sent.message, sent.position) == ("22P02", "noway ?", 3)
    assert (sent.detail, sent.hint, sent.context, sent.severity) == ("d", "h", "c", "ERROR")


def test_an_error_of_postgresql_is_relayed_whole() -> None:
    fields = {"S": "FEHLER", "V": "ERROR", "C": "23505", "M": "doppelt", "n": "t_pkey", "t": "t", "P": "12"}
    error = PgError(fields)
    assert (error.severity, error.position, error.is_fatal) == ("ERROR", 12, False)
    assert read_error(messages.error_response(error)).fields == fields


def test_last_words_are_fatal() -> None:
    assert read_error(messages.fatal_response(DataError("x"))).is_fatal
    assert read_error(messages.fatal_response(ProtocolViolation("x"))).sqlstate == "08P01"
