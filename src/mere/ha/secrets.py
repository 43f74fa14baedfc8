"""What the coordinators of a cluster have in common before they can talk to each other: passwords, and an authority.

Lies as one object under the cluster's prefix, made once by whoever comes first, by a conditional write. Who may read
the storage may read the whole warehouse, so it is as safe there as the rows are.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mere.errors import StartupError
from mere.ha.certificates import Authority, make_authority
from mere.ha.objects import ConditionFailed, Found, Objects, Unreachable

FORMAT = 1
KEY = "secrets"
REPLICATION, REWIND, REST = "mere_replication", "mere_rewind", "mere_patroni"


@dataclass(frozen=True, slots=True)
class ClusterSecrets:
    """`passwords` by role; `warehouse` is the id that the storage is marked with."""

    warehouse: str
    passwords: Mapping[str, str]
    authority: Authority


def make_secrets(warehouse: str, known: Mapping[str, str], names: tuple[str, ...]) -> ClusterSecrets:
    """Passwords that are `known` already stay as they are."""
    passwords = {name: known.get(name) or secrets.token_urlsafe(24) for name in names}
    return ClusterSecrets(warehouse, passwords, make_authority())


def shared_secrets(objects: Objects, make: Callable[[], ClusterSecrets]) -> ClusterSecrets:
    """Those of the cluster; made if there are none yet. Of many who make them at once, one wins."""
    try:
        found = objects.get(KEY)
        if found is not None:
            return _decode(found)
        made = make()
        try:
            objects.put(KEY, _encode(made), None)
        except ConditionFailed:
            found = objects.get(KEY)
            if found is None:
                raise StartupError(f"the object {KEY} of the cluster came and went; start again") from None
            return _decode(found)
        return made
    except Unreachable as error:
        raise StartupError(f"the cluster's storage does not answer: {error.message}") from error


def _encode(made: ClusterSecrets) -> bytes:
    return json.dumps({"format": FORMAT, **asdict(made)}, indent=1).encode()


def _decode(found: Found) -> ClusterSecrets:
    try:
        document: Mapping[str, Any] = json.loads(found.data)
        if document["format"] != FORMAT:
            raise StartupError(f"the cluster's secrets have format {document['format']}, this Mere knows {FORMAT}")
        return ClusterSecrets(
            str(document["warehouse"]), dict(document["passwords"]), Authority(**document["authority"])
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StartupError(f'the object "{KEY}" of the cluster is damaged: restore it') from error
