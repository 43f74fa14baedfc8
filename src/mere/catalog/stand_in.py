"""The statement that keeps a backing connection busy while others work for its session. Coordinator process.

It carries the text of the session's statement and the time when that began: the view pg_stat_activity shows them in
the place of its own (sql/activity.sql).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from mere.catalog.backend_steps import Fetch

STANDS = "mere.stand_in"  # the notice with which it begins
_LONGEST = 2000  # bytes of the text; with all the rest it is less than track_activity_query_size


def stand_in(statement: str = "", began: float = 0.0) -> Fetch:
    """`began` counts seconds since 1970. Its one value says who ended it: the reason of PostgreSQL's cancel.

    On a standby it is only announced (Parse without Sync): PostgreSQL is as busy with that, and holds no snapshot,
    which would be in the way of what it replays, and no subtransaction, for which it would end the session then.
    """
    text = statement[:_LONGEST].encode()[:_LONGEST].decode(errors="ignore")
    microseconds = int(began * 1e6)
    while (quote := f"$m{microseconds:016d}$") in text:
        microseconds += 1
    return Fetch(f"WITH mere AS (SELECT {quote}{text}{quote}) SELECT mere.stand_in()")


@dataclass(slots=True)
class Standing:
    """A stand-in that runs. `ending`: by us, and not by a cancel from elsewhere."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    ending: bool = False
    announced: bool = False  # only; it ends with a Sync, which is sent once
    synced: bool = False
