"""A SCRAM-SHA-256 client in its smallest form (RFC 7677, without channel binding), for tests that speak raw bytes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import struct

from mere.wire.requests import password


def _digest(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")


class ScramClient:
    """Answers AuthenticationSASL and AuthenticationSASLContinue; `flag` is the GS2 header's ('n' or 'y')."""

    def __init__(self, secret: str, flag: str = "n") -> None:
        self._secret = secret.encode()
        self._header = f"{flag},,"
        self._first = f"n=,r={base64.b64encode(os.urandom(18)).decode()}"

    async def __call__(self, raw: bytes) -> bytes | None:
        return self.answer(raw)

    def answer(self, raw: bytes) -> bytes | None:
        (code,) = struct.unpack_from("!i", raw, 5)
        if code == 10:
            initial = (self._header + self._first).encode()
            return password(b"SCRAM-SHA-256\0" + struct.pack("!i", len(initial)) + initial)
        if code == 11:
            return password(self._final(raw[9:].decode()).encode())
        return None

    def _final(self, server_first: str) -> str:
        parts = dict(part.split("=", 1) for part in server_first.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", self._secret, base64.b64decode(parts["s"]), int(parts["i"]))
        client_key = _digest(salted, b"Client Key")
        without_proof = f"c={base64.b64encode(self._header.encode()).decode()},r={parts['r']}"
        signed = f"{self._first},{server_first},{without_proof}".encode()
        signature = _digest(hashlib.sha256(client_key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        return f"{without_proof},p={base64.b64encode(proof).decode()}"
