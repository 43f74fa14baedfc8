"""The statement that keeps a backing connection busy while others work for its session. Coordinator process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from mere.catalog.backend_steps import Fetch

STAND_IN = Fetch("SELECT mere.stand_in()")
STANDS = "mere.stand_in"  # the notice with which it begins


@dataclass(slots=True)
class Standing:
    """A stand-in that runs. `ending`: by us, and not by a cancel from elsewhere."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    ending: bool = False
