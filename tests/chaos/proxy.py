"""A proxy of PostgreSQL's Unix socket that can swallow the reply to COMMIT, or lose COMMIT itself."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from enum import Enum
from pathlib import Path

_COMMIT = re.compile(rb"COMMIT(?!TED)")


class Mode(Enum):
    """What happens to a message that commits."""

    PASS = "pass"
    LOSE_REPLY = "lose reply"
    LOSE_COMMIT = "lose commit"


class SocketProxy:
    """Listens in `directory` under the name that libpq expects and relays to `target`; `cuts` counts lost messages."""

    def __init__(self, directory: Path, target: Path) -> None:
        self.directory, self.target = directory, target
        self.mode = Mode.PASS
        self.cuts = 0
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o755)
        self.path = directory / target.name
        self.path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self.path.chmod(0o777)
        self._listener.listen(64)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(str(self.target))
            except OSError:
                client.close()
                continue
            swallow = threading.Event()
            for source, sink, upward in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._relay, args=(source, sink, upward, swallow), daemon=True).start()

    def _relay(self, source: socket.socket, sink: socket.socket, upward: bool, swallow: threading.Event) -> None:
        """One direction. COMMIT fits into one read: the gateway sends it after everything before was answered."""
        try:
            while data := source.recv(65536):
                if upward and _COMMIT.search(data) and self.mode is not Mode.PASS:
                    self.cuts += 1
                    if self.mode is Mode.LOSE_COMMIT:
                        break
                    swallow.set()
                if not upward and swallow.is_set():
                    # PostgreSQL has answered, so the transaction is over there; the gateway only sees the end.
                    if b"COMMIT\x00" in data or data.endswith(b"I") or data[:1] == b"E":
                        break
                    continue
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for one in (source, sink):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
