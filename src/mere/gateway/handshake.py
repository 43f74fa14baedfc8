"""How a connection begins: encryption, protocol version, and what is passed on to PostgreSQL.

Lives in the coordinator process.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Final

from mere.errors import FeatureNotSupported, InsufficientPrivilege, MereError, ProtocolViolation
from mere.gateway.connection import ClientConnection
from mere.gateway.tls import ALPN_PROTOCOL
from mere.session.client import ClientGone
from mere.wire.backend import read_authentication_code, read_parameter_status
from mere.wire.frontend import Password, Phase, Terminate
from mere.wire.messages import (
    AUTHENTICATION_OK_CODE,
    AUTHENTICATION_SASL_FINAL_CODE,
    PROTOCOL_3_2,
    negotiate_protocol_version,
)
from mere.wire.startup import GSSENC_CODE, SSL_CODE, CancelRequest, GSSENCRequest, SSLRequest, StartupMessage

_NO: Final = b"N"
_YES: Final = b"S"
_FALSE: Final = frozenset(("false", "off", "no", "0", "f", "of", "n", ""))
# SQL_ASCII means "do not convert", and what we would not convert is UTF-8.
_ENCODINGS: Final = frozenset(("utf8", "unicode", "sqlascii"))


async def read_startup(connection: ClientConnection, context: ssl.SSLContext | None) -> StartupMessage | CancelRequest:
    """Answers requests for encryption until the client says what it wants."""
    asked_gss = asked_ssl = False
    while True:
        packet = await connection.receive()
        if connection.began_with_tls and connection.alpn != ALPN_PROTOCOL:
            raise ProtocolViolation(
                "received direct SSL connection request without ALPN protocol negotiation extension"
            )
        match packet:
            case SSLRequest() if not asked_ssl and not connection.encrypted:
                asked_ssl = True
                connection.write(_NO if context is None else _YES)
                if context is not None:
                    connection.start_tls(context)
            case GSSENCRequest() if not asked_gss and not connection.encrypted:
                asked_gss = True
                connection.write(_NO)
            case StartupMessage() | CancelRequest():
                return packet
            case SSLRequest():
                raise _unsupported_protocol(SSL_CODE)
            case GSSENCRequest():
                raise _unsupported_protocol(GSSENC_CODE)
            case _:
                raise ProtocolViolation("expected a startup packet")


def _unsupported_protocol(code: int) -> MereError:
    """A request for encryption where none is due: PostgreSQL takes it for a version of the protocol."""
    return FeatureNotSupported(
        f"unsupported frontend protocol {code >> 16}.{code & 0xFFFF}: server supports 3.0 to 3.2"
    )


def negotiate(connection: ClientConnection, startup: StartupMessage) -> int:
    """The protocol version that both speak; a client that asked for more is told so."""
    version = min(startup.version, PROTOCOL_3_2)
    if version != startup.version or startup.protocol_options:
        connection.write(negotiate_protocol_version(version, list(startup.protocol_options)))
    return version


def backing_parameters(parameters: Mapping[str, str], reserved_roles: frozenset[str]) -> dict[str, str]:
    """The start-up parameters of the backing connection; raises for what Mere refuses."""
    passed = {name: value for name, value in parameters.items() if name != "replication"}
    user = passed.get("user", "")
    if not user:
        raise MereError("no PostgreSQL user name specified in startup packet", sqlstate="28000")
    if user in reserved_roles:
        raise InsufficientPrivilege(f'role "{user}" is reserved for Mere itself', sqlstate="28000")
    if parameters.get("replication", "").lower() not in _FALSE:
        raise FeatureNotSupported("replication connections are not supported: Mere's rows are not in PostgreSQL's log")
    passed["database"] = passed.get("database") or user
    check_encoding(passed.get("client_encoding", "UTF8"))
    # Always said, so that a default of the role or database does not choose another.
    passed["client_encoding"] = "UTF8"
    return passed


def check_encoding(name: str) -> None:
    """Raises FATAL 0A000 for every client_encoding but UTF8."""
    # PostgreSQL too compares names by letters and digits only; asyncpg, for one, sends quotes.
    if "".join(letter for letter in name.lower() if letter.isalnum()) not in _ENCODINGS:
        error = FeatureNotSupported(
            f'client_encoding "{name}" is not supported', hint="Mere speaks UTF8; set client_encoding to it."
        )
        error.severity = "FATAL"
        raise error


class Reports:
    """Passes on what PostgreSQL reports between answers. Should it now convert to another encoding, the session ends:
    rows from the lake would come in UTF8 all the same."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    def __call__(self, raw: bytes) -> None:
        self._connection.write(raw)
        if raw[:1] == b"S":
            name, value = read_parameter_status(raw)
            if name == "client_encoding":
                try:
                    check_encoding(value)
                except FeatureNotSupported as error:
                    self._connection.interrupt(error)


class AuthenticationRelay:
    """Carries PostgreSQL's authentication to the client and the answers back, without looking into them.

    The hop to PostgreSQL is a unix socket without TLS, so PostgreSQL offers no channel binding and accepts clients
    that could do it ('y' in SCRAM's header); a client that requires it cannot be served.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def __call__(self, raw: bytes) -> bytes | None:
        self._connection.write(raw)
        if read_authentication_code(raw) in (AUTHENTICATION_OK_CODE, AUTHENTICATION_SASL_FINAL_CODE):
            return None
        answer = await self._connection.receive()
        if isinstance(answer, Terminate):
            raise ClientGone
        assert isinstance(answer, Password)  # the decoder lets nothing else pass in this phase
        return answer.raw


def start_authentication(connection: ClientConnection) -> AuthenticationRelay:
    connection.enter(Phase.AUTHENTICATION)
    return AuthenticationRelay(connection)
