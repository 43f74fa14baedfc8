"""Cancel keys: which secret stops which session.

The pid that a client gets is its backing connection's, so that pg_backend_pid() and notifications agree with it; the
secret is the gateway's own, since a cancel request must reach the session and not only PostgreSQL.
Lives in the coordinator process.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from mere.wire.messages import PROTOCOL_3_2

_LONG_SECRET = 32
_SHORT_SECRET = 4  # all that protocol 3.0 has room for


@dataclass(frozen=True, slots=True)
class CancelKey:
    pid: int
    secret: bytes


class CancelKeys:
    def __init__(self) -> None:
        self._actions: dict[int, list[tuple[CancelKey, Callable[[], None]]]] = {}

    def register(self, pid: int, protocol: int, action: Callable[[], None]) -> CancelKey:
        key = CancelKey(pid, secrets.token_bytes(_LONG_SECRET if protocol >= PROTOCOL_3_2 else _SHORT_SECRET))
        self._actions.setdefault(pid, []).append((key, action))
        return key

    def forget(self, key: CancelKey) -> None:
        left = [entry for entry in self._actions.pop(key.pid, []) if entry[0] != key]
        if left:
            self._actions[key.pid] = left

    def cancel(self, pid: int, secret: bytes) -> bool:
        """Whether there was such a session. A wrong key is not an error: nobody reads an answer."""
        for key, action in self._actions.get(pid, []):
            if hmac.compare_digest(key.secret, secret):
                action()
                return True
        return False
