"""The packets before authentication."""

from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mere.errors import FeatureNotSupported, MereError, ProtocolViolation
from mere.wire import requests
from mere.wire.frontend import FrontendDecoder, FrontendMessage
from mere.wire.startup import CancelRequest, GSSENCRequest, SSLRequest, StartupMessage


def decode(raw: bytes) -> FrontendMessage | None:
    decoder = FrontendDecoder()
    decoder.feed(raw)
    return decoder.next()


def test_requests_for_encryption() -> None:
    assert decode(pack("!II", 8, 80877103)) == SSLRequest()
    assert decode(pack("!II", 8, 80877104)) == GSSENCRequest()


@pytest.mark.parametrize("secret", [b"abcd", bytes(range(32))])
def test_cancel(secret: bytes) -> None:
    assert decode(requests.cancel_request(-7, secret)) == CancelRequest(-7, secret)


def test_startup_with_options_of_the_protocol() -> None:
    raw = requests.startup(3 << 16 | 9999, {"user": "ada", "_pq_.shiny": "1", "application_name": "Übung"})
    assert decode(raw) == StartupMessage(
        3 << 16 | 9999, {"user": "ada", "application_name": "Übung"}, {"_pq_.shiny": "1"}
    )
    assert decode(raw[:-3]) is None


def test_no_parameters_at_all() -> None:
    assert decode(requests.startup(3 << 16, {})) == StartupMessage(3 << 16, {}, {})


@pytest.mark.parametrize("major", [1, 2, 4, 300])
def test_other_protocols(major: int) -> None:
    with pytest.raises(FeatureNotSupported, match="server supports"):
        decode(requests.startup(major << 16, {"user": "ada"}))


@pytest.mark.parametrize(
    "raw",
    [
        pack("!II", 4, 0),
        pack("!II", 7, 0),
        pack("!II", 10001, 3 << 16),
        pack("!Ii", 0x7FFFFFFF, -1),
        pack("!III", 12, 80877102, 1),
        pack("!II", 8, 3 << 16),
        pack("!II", 13, 3 << 16) + b"user\0",
        pack("!II", 17, 3 << 16) + b"user\0ada\0",
        pack("!II", 18, 3 << 16) + b"user\0ada\0x",
        pack("!II", 12, 3 << 16) + b"\0a\0\0",
        pack("!II", 15, 3 << 16) + b"a\0\xff\xff\0\0\0",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_malformed(raw: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        decode(raw)


@given(st.binary(max_size=40))
def test_any_body_is_a_packet_or_an_error_of_ours(body: bytes) -> None:
    try:
        decode(pack("!II", 8 + len(body), 3 << 16) + body)
    except MereError as error:
        assert error.sqlstate == "08P01"
