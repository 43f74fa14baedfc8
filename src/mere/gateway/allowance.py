"""How much memory all clients together may fill with large messages on their way in. Coordinator process.

A client may send a gigabyte as one message, and may mean it; but a few of them must not cost the others their server.
Small messages are not counted: the number of clients bounds them.
"""

from __future__ import annotations

LARGE = 1 << 20  # bytes from which on a message is counted


class Allowance:
    """One for all clients. What `take` grants is given back."""

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, size: int) -> bool:
        """Whether there was room for it."""
        if size > self.left:
            return False
        self.left -= size
        return True

    def give(self, size: int) -> None:
        self.left += size
