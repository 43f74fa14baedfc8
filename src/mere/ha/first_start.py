# mypy: disable-error-code="import-not-found, import-untyped", allow-untyped-calls
"""A store that falls silent while the first node makes the catalog does not end that. In Patroni's process.

Patroni would demote a PostgreSQL that is just being made, and then wait for ever for it to be a primary. There is
nothing to fence yet: no lease is held, no other node can have anything, and no client is let in.
"""

from __future__ import annotations

from typing import Any


def bear_with_the_store() -> None:
    """From now on the catalog goes on being made while the store does not answer."""
    from patroni.ha import Ha

    demote = Ha._handle_dcs_error

    def wait(self: Any) -> str:
        if self.state_handler.bootstrapping:
            return "the store does not answer; the catalog goes on being made"
        told: str = demote(self)
        return told

    Ha._handle_dcs_error = wait
