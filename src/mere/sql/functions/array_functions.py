"""Array functions. Coordinator process."""

from __future__ import annotations
