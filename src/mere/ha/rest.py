"""Patroni's own API, as the coordinator beside it uses it: TLS by the cluster's authority, a password for changes."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mere.errors import MereError
from mere.ha.secrets import REST
from mere.options import Address

_SECONDS = 5.0


class PatroniSilent(MereError):
    """It does not answer: it is starting, or was just killed."""

    sqlstate = "57P03"


class Rest:
    """One Patroni's API. Requests run on threads: Patroni answers within milliseconds, or is hung."""

    def __init__(self, password: str, authority: Path) -> None:
        self._authority = authority
        self._login = base64.b64encode(f"{REST}:{password}".encode()).decode()

    async def get(self, address: Address, path: str) -> Mapping[str, Any]:
        """The answer whatever its status says: Patroni tells a node's health by it."""
        _, answer = await asyncio.to_thread(self._ask, "GET", address, path, None, _SECONDS)
        document: Mapping[str, Any] = json.loads(answer)
        return document

    async def change(
        self, method: str, address: Address, path: str, body: Mapping[str, Any], seconds: float = _SECONDS
    ) -> tuple[int, str]:
        """(status, what Patroni says)."""
        return await asyncio.to_thread(self._ask, method, address, path, body, seconds)

    def _ask(
        self, method: str, address: Address, path: str, body: Mapping[str, Any] | None, seconds: float
    ) -> tuple[int, str]:
        context = ssl.create_default_context(cafile=str(self._authority))
        connection = http.client.HTTPSConnection(address.host, address.port, timeout=seconds, context=context)
        headers = {"Authorization": f"Basic {self._login}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise PatroniSilent(f"Patroni at {address} does not answer: {error}") from error
        finally:
            connection.close()
