"""The pair's members as the coordinator deals with them: who is who, swapping the roles, removing the standby.

Lives in the coordinator process; asks the Patroni beside it, and tells the other through the store.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from mere.errors import MereError
from mere.ha.configuration import NAMESPACE
from mere.ha.entries import Entries
from mere.ha.members import Members
from mere.ha.objects import open_objects
from mere.ha.records import Records, boot_clock
from mere.ha.server import PatroniServer
from mere.options import Address

REMOVED = "removed/"  # an entry of this prefix and a member's name tells that member to go
MEMBER = "members/"
_SWITCH_SECONDS = 60.0
_LOOK_SECONDS = 0.05
_STORE_SECONDS = 5.0
_GONE_SECONDS = 30.0

Member = Mapping[str, Any]


class ClusterTrouble(MereError):
    """What was asked of the cluster cannot be done now."""

    sqlstate = "55000"


async def members(postgres: PatroniServer) -> Sequence[Member]:
    """As Patroni tells of them: name, role, state, api_url, timeline, lag."""
    seen = await postgres.rest.get(postgres.node.rest, "/cluster")
    found: Sequence[Member] = seen.get("members", [])
    return found


async def switchover(postgres: PatroniServer) -> tuple[str, str, float]:
    """(who was primary, who is, seconds). The standby must have all that was acknowledged; else nothing is done."""
    begun = time.monotonic()
    known = await members(postgres)
    leader = next((member for member in known if member["role"] == "leader"), None)
    standby = next((member for member in known if member["role"] == "sync_standby"), None)
    if leader is None:
        raise ClusterTrouble("there is no primary to switch over from")
    if standby is None:
        raise ClusterTrouble("there is no synchronous standby to switch over to: see mere state")
    wish = {"leader": leader["name"], "candidate": standby["name"]}
    place = urlsplit(leader["api_url"])
    address = Address(place.hostname or "", place.port or 0)
    asking = asyncio.create_task(postgres.rest.change("POST", address, "/switchover", wish, _SWITCH_SECONDS))
    candidate = Address(urlsplit(standby["api_url"]).hostname or "", urlsplit(standby["api_url"]).port or 0)
    try:
        while not await _is_primary(postgres, candidate):
            if asking.done() and asking.result()[0] not in (200, 202):
                raise ClusterTrouble(f"the switchover was refused: {asking.result()[1]}")
            if time.monotonic() - begun > _SWITCH_SECONDS:
                raise ClusterTrouble(f"{standby['name']} did not become primary within {_SWITCH_SECONDS:.0f} s")
            await asyncio.sleep(_LOOK_SECONDS)
    finally:
        asking.cancel()
    return leader["name"], standby["name"], time.monotonic() - begun


async def _is_primary(postgres: PatroniServer, address: Address) -> bool:
    told = await postgres.rest.get(address, "/patroni")
    return told.get("role") == "primary" and told.get("state") == "running"


async def remove_standby(postgres: PatroniServer) -> Sequence[str]:
    """The names of those who are members no longer; a living one stops by itself."""
    if postgres.node.store is not None:
        raise ClusterTrouble("with --cluster-store, stop the standby: it leaves the cluster when it falls silent")
    if postgres.role != "primary":
        raise ClusterTrouble("this coordinator is not the primary: remove the standby there")
    names = await asyncio.to_thread(_mark_removed, postgres)
    if not names:
        raise ClusterTrouble("there is no standby")
    begun = time.monotonic()
    while {member["name"] for member in await members(postgres)} & set(names):
        if time.monotonic() - begun > _GONE_SECONDS:
            raise ClusterTrouble(f"{', '.join(names)} is still a member: see the log of its coordinator")
        await asyncio.sleep(_LOOK_SECONDS)
    return names


def _mark_removed(postgres: PatroniServer) -> Sequence[str]:
    node = postgres.node
    objects = open_objects(node.storage, f"{NAMESPACE}/{node.cluster}/", os.environ, _STORE_SECONDS)
    records = Records(objects)
    entries = Entries(records, "shared")
    deadline = boot_clock() + 2 * _STORE_SECONDS
    known = [name.removeprefix(MEMBER) for name in entries.read(deadline) if name.startswith(MEMBER)]
    others = [name for name in known if name != node.name]
    for name in others:
        entries.put(REMOVED + name, "", deadline)
        entries.drop(MEMBER + name, deadline)
        Members(records, node.name, node.lease).forget(name)
    return others
