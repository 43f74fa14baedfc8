"""TLS over bytes in memory: the same code for a socket that asked by SSLRequest and for one that began with TLS.

Owns the TLS state of one client. Lives in the coordinator process; knows no socket.
"""

from __future__ import annotations

import contextlib
import ssl
from pathlib import Path

from mere.errors import StartupError

# What a client must name when it begins with TLS at once, as PostgreSQL asks (protocol-flow, direct SSL).
ALPN_PROTOCOL = "postgresql"
HANDSHAKE_RECORD = 0x16
_READ_SIZE = 1 << 16


def load_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Raises StartupError that names the file that does not do."""
    for path in (certificate, key):
        try:
            path.open("rb").close()
        except OSError as error:
            raise StartupError(f"cannot read the TLS file {path}: {error.strerror}") from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 0  # libpq does not resume sessions
    context.set_alpn_protocols([ALPN_PROTOCOL])
    try:
        # An encrypted key would make OpenSSL ask on the terminal: an empty password makes it an error instead.
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (ssl.SSLError, ValueError) as error:
        raise StartupError(f"cannot use the TLS certificate {certificate} with the key {key}: {error}") from error
    return context


class TlsChannel:
    """Feed it what came from the socket, send what it says is outgoing."""

    __slots__ = ("_incoming", "_outgoing", "_ssl", "ended", "established")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._ssl = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.established = False
        self.ended = False

    @property
    def alpn(self) -> str | None:
        return self._ssl.selected_alpn_protocol()

    def receive(self, data: bytes) -> bytes:
        """The plain text that is now known. Raises ssl.SSLError, after which only `outgoing` is of use."""
        self._incoming.write(data)
        pieces: list[bytes] = []
        try:
            if not self.established:
                self._ssl.do_handshake()
                self.established = True
            while piece := self._ssl.read(_READ_SIZE):
                pieces.append(piece)
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def send(self, data: bytes | memoryview) -> None:
        self._ssl.write(data)

    def end(self) -> None:
        """Say goodbye; the answer is not waited for."""
        with contextlib.suppress(ssl.SSLError):  # it wants the client's goodbye, or is broken
            self._ssl.unwrap()

    def outgoing(self) -> bytes:
        return self._outgoing.read()
