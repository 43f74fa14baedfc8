"""What clients send: encoded by the words of requests.py, decoded again; and what is not well formed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mere.errors import DataError, MereError, ProtocolViolation
from mere.wire import requests
from mere.wire.frontend import (
    Bind,
    Close,
    CopyData,
    CopyDone,
    CopyFail,
    Describe,
    Execute,
    Flush,
    FrontendDecoder,
    FrontendMessage,
    Parse,
    Password,
    Phase,
    Query,
    Sync,
    Terminate,
)
from mere.wire.messages import message

NAMES = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20)
VALUES = st.lists(st.none() | st.binary(max_size=30), max_size=5)


def decode(raw: bytes, phase: Phase = Phase.READY) -> FrontendMessage | None:
    decoder = FrontendDecoder(message_limit=100_000)
    decoder.enter(phase)
    decoder.feed(raw)
    return decoder.next()


@given(NAMES, NAMES, st.lists(st.integers(0, 2**32 - 1), max_size=5))
def test_parse(name: str, sql: str, oids: list[int]) -> None:
    raw = requests.parse(name, sql, oids)
    decoded = decode(raw)
    assert isinstance(decoded, Parse)
    assert (decoded.name, decoded.sql, decoded.param_oids, decoded.raw) == (name, sql, tuple(oids), raw)


@given(NAMES, NAMES, VALUES, st.lists(st.integers(0, 1), max_size=3), st.lists(st.integers(0, 1), max_size=3))
def test_bind(portal: str, statement: str, values: list[bytes | None], formats: list[int], results: list[int]) -> None:
    raw = requests.bind(portal, statement, values, formats, results)
    assert decode(raw) == Bind(portal, statement, tuple(formats), tuple(values), tuple(results), raw)


def test_the_short_messages() -> None:
    for raw, expected in (
        (requests.SYNC, Sync),
        (requests.FLUSH, Flush),
        (requests.TERMINATE, Terminate),
        (requests.COPY_DONE, CopyDone),
    ):
        assert isinstance(decode(raw), expected)
    raw = requests.execute("p", 7)
    assert decode(raw) == Execute("p", 7, raw)
    raw = requests.describe_statement("s")
    assert decode(raw) == Describe("S", "s", raw)
    raw = requests.close_portal("p")
    assert decode(raw) == Close("P", "p", raw)
    raw = requests.copy_fail("why not")
    assert decode(raw) == CopyFail("why not", raw)
    copied = decode(requests.copy_data(b"1\t2\n"))
    assert isinstance(copied, CopyData)
    assert bytes(copied.data) == b"1\t2\n"


def test_a_negative_row_limit_is_none() -> None:
    decoded = decode(requests.execute("", -1))
    assert isinstance(decoded, Execute)
    assert decoded.max_rows == 0


def test_bad_utf8_in_a_statement_is_the_statements_error() -> None:
    decoded = decode(message(b"Q", b"select '\xff'\0"))
    assert isinstance(decoded, Query)
    with pytest.raises(DataError) as caught:
        _ = decoded.sql
    assert caught.value.sqlstate == "22021"
    assert "0xff 0x27" in caught.value.message


@pytest.mark.parametrize(
    "raw",
    [
        message(b"Q", b"no terminator"),
        message(b"Q", b"select 1\0more"),
        message(b"Q", b""),
        message(b"P", b"name\0sql\0"),
        message(b"P", b"name\0sql\0\0\2\0\0\0\1"),
        message(b"B", b"\0\0\0\0\0\1\0\0\0\5abc\0\0"),
        message(b"B", b"\0\0\0\0\0\1\xff\xff\xff\xfe\0\0"),
        message(b"B", b"\0\0\0\0\xff\xff"),
        message(b"D", b"Xname\0"),
        message(b"D", b""),
        message(b"C", b"Sname"),
        message(b"E", b"portal\0\0\0"),
        message(b"E", b"\xff\xff\0\0\0\0\0"),
        message(b"S", b"x"),
        message(b"p", b"a password that nobody asked for\0"),
        message(b"Q", b"x" * 100_000),
        message(b"S", b"x" * 20_000),
        b"R\0\0\0\4",
        b"\0",
        b"Q\0\0\0\0",
        b"Q\x7f\xff\xff\xff",
    ],
)
def test_malformed(raw: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        decode(raw)


@given(st.binary(max_size=60))
def test_any_bytes_are_messages_or_an_error_of_ours(noise: bytes) -> None:
    decoder = FrontendDecoder()
    decoder.enter(Phase.READY)
    decoder.feed(noise)
    try:
        while decoder.next() is not None:
            pass
    except MereError as error:
        assert error.sqlstate == "08P01"


@given(st.sampled_from("QPBDECf"), st.binary(max_size=60))
def test_any_payload_is_a_message_or_an_error_of_ours(kind: str, payload: bytes) -> None:
    try:
        decoded = decode(message(kind.encode(), payload))
        assert decoded is not None
    except ProtocolViolation:
        pass


def test_only_passwords_before_authentication() -> None:
    raw = requests.password(b"secret\0")
    assert decode(raw, Phase.AUTHENTICATION) == Password(raw)
    with pytest.raises(ProtocolViolation):
        decode(requests.query("select 1"), Phase.AUTHENTICATION)
    with pytest.raises(ProtocolViolation):
        decode(message(b"p", b"x" * 70_000), Phase.AUTHENTICATION)


def test_bytes_ahead_survive_the_change_of_phase() -> None:
    decoder = FrontendDecoder()
    decoder.feed(requests.startup(3 << 16, {"user": "a"}) + requests.password(b"x\0") + requests.query("select 1"))
    decoder.next()
    decoder.enter(Phase.AUTHENTICATION)
    assert isinstance(decoder.next(), Password)
    decoder.enter(Phase.READY)
    decoded = decoder.next()
    assert isinstance(decoded, Query)
    assert decoded.sql == "select 1"


def test_copy_data_at_hand_comes_joined() -> None:
    decoder = FrontendDecoder()
    decoder.enter(Phase.READY)
    decoder.feed(requests.copy_data(b"1\n") + requests.copy_data(b"2\n") + requests.COPY_DONE)
    assert decoder.next_copy() == b"1\n2\n"
    assert isinstance(decoder.next_copy(), CopyDone)
    assert decoder.next_copy() is None
