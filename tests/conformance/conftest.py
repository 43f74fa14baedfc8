"""The fixtures of the suites that each test a schema of their own in the shared server."""

from harness.fixtures import client, space

__all__ = ["client", "space"]
