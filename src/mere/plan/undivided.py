"""What a rule raises when it cannot divide a query: the plan is then the whole query on one segment.

Owns that one exception; it never leaves mere.plan.distribute. Coordinator process.
"""

from __future__ import annotations


class Undivided(Exception):
    """`reason` is what EXPLAIN says."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
