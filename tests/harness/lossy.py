"""A TCP proxy before an S3 server that loses the reply to a PUT, or lets a PUT arrive after its sender gave up."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress


class LossyProxy:
    """`lose_replies`: so many PUTs happen without an answer. `hold_seconds`: the next PUT is passed on only then."""

    def __init__(self, upstream_port: int) -> None:
        self.lose_replies = 0
        self.hold_seconds = 0.0
        self._upstream_port = upstream_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """End every connection; the threads end with them."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._open:
            _end(each)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._upstream_port))
                self._open += [client, server]
                lost = threading.Event()
                threading.Thread(target=self._requests, args=(client, server, lost), daemon=True).start()
                threading.Thread(target=self._replies, args=(client, server, lost), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(1 << 16):
                if data.startswith(b"PUT ") and self.lose_replies:
                    self.lose_replies -= 1
                    lost.set()
                if data.startswith(b"PUT ") and self.hold_seconds:
                    seconds, self.hold_seconds = self.hold_seconds, 0.0
                    time.sleep(seconds)
                server.sendall(data)
        if not lost.is_set():
            _end(server)

    def _replies(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 16):
                if lost.is_set():
                    break
                client.sendall(data)
        _end(client)
        _end(server)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
