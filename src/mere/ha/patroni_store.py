# mypy: disable-error-code="import-not-found, import-untyped", allow-subclassing-any, allow-untyped-calls
"""A Patroni store ("DCS") over an object store with conditional writes: two coordinators and a bucket are the system.

Lives in Patroni's process. Below `<url>/<namespace>/<scope>/`:

    leader          the lease, with Patroni's `status` and `failsafe` as its note: a loop of the primary renews all in
                    one write
    shared          Patroni's keys that change rarely, each with a version, and the names of the members
    members/<name>  what each member says of itself

A loop reads `leader`, `shared` and each member: with two members four GETs, the cheapest requests there are, and no
LIST. It writes `leader` (the primary) and its own member. Configured by a section `object_store` with `url`, and:
`lease_seconds`, for a lease shorter than Patroni's own minimum of 20 s for `ttl`; `watch_seconds`, how often a standby
looks at the lease between two loops; `lease_file` and `heartbeat_file`, by which the coordinator and this process watch
each other (`mere.ha.watchword`); `removed_file`, made when the primary has removed this member; `proved`, where the
coordinator has tried the store's conditional writes already.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import patroni.dcs
from patroni.dcs import (
    AbstractDCS,
    Cluster,
    ClusterConfig,
    Failover,
    Leader,
    Member,
    Status,
    SyncState,
    TimelineHistory,
)
from patroni.exceptions import DCSError, PatroniFatalException

from mere.errors import StartupError, StorageError
from mere.ha.entries import Entries, Entry
from mere.ha.lease import NEVER, Lease, View
from mere.ha.members import Members
from mere.ha.objects import Objects, open_objects
from mere.ha.records import DamagedRecord, Records
from mere.ha.watchword import Lease as Published
from mere.ha.watchword import end_of, heartbeat_age, write_lease

SECTION = "object_store"
FORGET_SECONDS = 600.0  # a member silent for so long is taken off the list by the leader
_MEMBER = "members/"
_REMOVED = "removed/"
_SILENT_LEASES = 2  # a coordinator that is silent for so many leases is hung: a busy one may stumble
_POSITIONS = frozenset(
    {"xlog_location", "receive_lsn", "replay_lsn"}
)  # change all the time; need no write of their own

logger = logging.getLogger(__name__)


class ObjectStoreError(DCSError):
    """The store did not answer in time; a primary that gets this demotes itself."""


class ObjectStoreDCS(AbstractDCS):
    """Patroni's contract, method by method; what the words mean is in `patroni.dcs.AbstractDCS`."""

    def __init__(self, config: dict[str, Any], mpp: Any) -> None:
        self._own_ttl = config.get("lease_seconds")
        self._ttl = int(self._own_ttl or config.get("ttl") or 30)
        super().__init__(config, mpp)
        if mpp.is_enabled():
            raise PatroniFatalException("the object store keeps one coordinator pair; it knows no Citus groups")
        self._retry = self._retry_within(config.get("retry_timeout") or 10)
        self._poll = float(config.get("watch_seconds") or 1.0)
        self._objects = self._open(config)
        self._records = Records(self._objects)
        self._lease = Lease(self._records, self._LEADER, self._name, self._ttl)
        self._entries = Entries(self._records, "shared")
        self._members = Members(self._records, self._name, self._ttl)
        self._listed: frozenset[str] = frozenset()
        self._note: Mapping[str, Any] = {}
        self._proved = bool(self._ctl or config.get("proved"))
        self._lease_file = _path(config.get("lease_file"))
        self._heartbeat_file = _path(config.get("heartbeat_file"))
        self._removed_file = _path(config.get("removed_file"))
        self._removed = False
        self._published: Published | None = None
        self._publishing = threading.Lock()

    def _open(self, config: Mapping[str, Any]) -> Objects:
        url = config.get("url")
        if not url:
            raise PatroniFatalException(f"the section {SECTION} needs a url, such as s3://bucket/prefix")
        return open_objects(url, self.client_path("").lstrip("/"), os.environ, self._request_seconds)

    # Times.

    @property
    def ttl(self) -> int:
        return self._ttl

    def set_ttl(self, ttl: int) -> bool | None:
        self._ttl = int(self._own_ttl or ttl)
        self._lease.ttl = self._members.ttl = self._ttl
        return None

    def _set_loop_wait(self, loop_wait: int) -> None:
        """Four loops within a lease of our own, whatever Patroni was told for its `ttl`."""
        self._loop_wait = min(loop_wait, max(1, self._ttl // 4)) if self._own_ttl else loop_wait

    def set_retry_timeout(self, retry_timeout: int) -> None:
        self._retry = self._retry_within(retry_timeout)
        self._objects.set_timeout(self._request_seconds)

    def _retry_within(self, retry_timeout: float) -> float:
        """Patroni's own rule, loop_wait + 2 * retry_timeout <= ttl, also for a lease shorter than its ttl."""
        return max(0.5, min(float(retry_timeout), (self._ttl - self._loop_wait) / 2))

    @property
    def _request_seconds(self) -> float:
        """Of one request: so that a lost one can be asked after, and sent again, within the time of an operation."""
        return min(self._ttl / 6, self._retry / 2)

    @property
    def lease_until(self) -> float:
        """The moment of `boot_clock` by which this node has to have stopped being primary, unless it renews before."""
        return self._lease.until

    def _deadline(self) -> float:
        """Of one operation: no request is sent after it.

        A holder goes on asking while its lease lasts. It stops a sixth of it before the end, and a request lasts a
        sixth of it at most, so that its last answer has come when the lease ends. One that overslept has no time for a
        second try.
        """
        now, until = self._records.clock(), self._lease.until
        if until == NEVER:
            return now + self._retry
        return now + self._request_seconds if now >= until else until - self._ttl / 6

    # The coordinator, whose gateway is what makes this PostgreSQL a warehouse.

    def _publish(self) -> None:
        if self._lease_file is not None and not self._ctl:
            with self._publishing:  # the API's threads ask the store as well as the loop
                now = self._records.clock()
                self._published = Published(end_of(self._lease.until, now, self._published), now)
                write_lease(self._lease_file, self._published)

    def _coordinator_lives(self) -> bool:
        if self._heartbeat_file is None:
            return True
        return heartbeat_age(self._heartbeat_file, self._records.clock()) < _SILENT_LEASES * self._ttl

    # Reading.

    def _load_cluster(self, path: str, loader: Callable[[str], Any]) -> Any:
        try:
            if not self._proved:
                self._objects.prove()
                self._proved = True
            return loader(path)
        except StartupError as error:
            raise PatroniFatalException(error.message) from error
        except StorageError as error:
            logger.error("get_cluster: %s", error)
            raise ObjectStoreError(error.message) from error
        finally:
            self._publish()

    def _postgresql_cluster_loader(self, path: str) -> Cluster:
        deadline = self._deadline()
        view = self._lease.look(deadline)
        entries = self._entries.read(deadline)
        self._note = view.note
        self._removed = not self._ctl and _REMOVED + self._name in entries
        if self._removed and self._removed_file is not None:
            self._removed_file.touch()
        self._listed = frozenset(name.removeprefix(_MEMBER) for name in entries if name.startswith(_MEMBER))
        members = [
            Member.from_node(member.version, member.name, None, member.value)
            for member in self._members.load(sorted(self._listed), deadline)
        ]
        return _cluster(view, entries, members)

    def _mpp_cluster_loader(self, path: str) -> dict[int, Cluster]:
        raise PatroniFatalException("the object store knows no Citus groups")

    # The leader.

    def _held(self, act: Callable[[float, Mapping[str, Any]], bool], note: Mapping[str, Any]) -> bool:
        if not self._coordinator_lives():
            logger.error("the coordinator is silent: its lease is not renewed")
            return False
        try:
            done = act(self._deadline(), note)
        except StorageError as error:
            raise ObjectStoreError(error.message) from error
        finally:
            self._publish()
        if done:
            self._note = note
        return done

    def attempt_to_acquire_leader(self) -> bool:
        if self._removed:
            logger.error("this member was removed: it does not become primary")
            return False
        if not self._coordinator_lives():
            logger.error("the coordinator is silent: this node does not become primary")
            return False
        try:
            taken = self._lease.acquire(self._deadline())
        except StorageError as error:
            raise ObjectStoreError(error.message) from error
        finally:
            self._publish()
        if not taken:
            logger.info("Could not take out TTL lock")
        return taken

    def take_leader(self) -> bool:
        """Never over a holder that may be alive: Patroni would allow that."""
        return self.attempt_to_acquire_leader()

    def _update_leader(self, leader: Leader) -> bool:
        return self._held(self._lease.renew, self._note)

    def update_leader(
        self,
        cluster: Cluster,
        last_lsn: int | None,
        slots: dict[str, int] | None = None,
        failsafe: dict[str, str] | None = None,
    ) -> bool:
        """As Patroni's own, but status and failsafe travel in the renewal instead of in two writes after it."""
        note = dict(self._note)
        status: dict[str, Any] = {}
        if last_lsn:
            retained = self._build_retain_slots(cluster, slots)
            status = {self._OPTIME: last_lsn, "slots": slots or None, "retain_slots": retained}
            status = {name: value for name, value in status.items() if value is not None}
            note[self._STATUS] = json.dumps(status, separators=(",", ":"))
        if failsafe is not None:
            note[self._FAILSAFE] = json.dumps(failsafe, separators=(",", ":"))
        if not self._held(self._lease.renew, note):
            return False
        if status:
            self._last_status = {"retain_slots": [], **status}
        if failsafe is not None:
            self._last_failsafe = failsafe
        return True

    def _write_note(self, name: str, value: str) -> bool:
        return self._tried(name, lambda: self._held(self._lease.renew, {**self._note, name: value}))

    def _write_status(self, value: str) -> bool:
        return self._write_note(self._STATUS, value)

    def _write_failsafe(self, value: str) -> bool:
        return self._write_note(self._FAILSAFE, value)

    def _write_leader_optime(self, last_lsn: str) -> bool:
        """The key of Patroni before 2.1: no such member can know this store."""
        return True

    def _delete_leader(self, leader: Leader) -> bool:
        try:
            # PostgreSQL has stopped by now: the end of the lease is no deadline.
            return self._tried("release", lambda: self._lease.release(self._records.clock() + self._retry))
        finally:
            self._publish()

    # The keys that change rarely.

    def _tried(self, what: str, act: Callable[[], bool]) -> bool:
        """Patroni's answer to a write that failed but decides nothing: a line in the log, and False."""
        try:
            return act()
        except (StorageError, ObjectStoreError) as error:
            logger.error("%s: %s", what, error)
            return False

    def _set(self, name: str, value: str, version: int | None = None) -> bool:
        return self._tried(name, lambda: self._entries.put(name, value, self._deadline(), version) is not None)

    def set_failover_value(self, value: str, version: int | None = None) -> bool:
        return self._set(self._FAILOVER, value, version)

    def set_config_value(self, value: str, version: int | None = None) -> bool:
        return self._set(self._CONFIG, value, version)

    def set_history_value(self, value: str) -> bool:
        return self._set(self._HISTORY, value)

    def set_sync_state_value(self, value: str, version: int | None = None) -> int | bool:
        try:
            return self._entries.put(self._SYNC, value, self._deadline(), version) or False
        except StorageError as error:
            logger.error("%s: %s", self._SYNC, error)
            return False

    def delete_sync_state(self, version: int | None = None) -> bool:
        """An empty state rather than none: its version still guards the next write."""
        return self._set(self._SYNC, "{}", version)

    def initialize(self, create_new: bool = True, sysid: str = "") -> bool:
        if not create_new:
            return self._set(self._INITIALIZE, sysid)
        return self._tried("initialize", lambda: self._entries.create(self._INITIALIZE, sysid, self._deadline()))

    def cancel_initialization(self) -> bool:
        return self._tried("initialize", lambda: self._entries.drop(self._INITIALIZE, self._deadline()))

    def delete_cluster(self) -> bool:
        """For `patronictl remove`, with both coordinators stopped. The lease goes last."""
        return self._tried("delete_cluster", self._delete_all)

    def _delete_all(self) -> bool:
        for name in self._entries.read(self._deadline()):
            if name.startswith(_MEMBER):
                self._members.forget(name.removeprefix(_MEMBER))
        self._records.delete("shared")
        self._records.delete(self._LEADER)
        return True

    # Members, and waiting.

    def touch_member(self, data: dict[str, Any]) -> bool:
        return self._tried("touch_member", lambda: self._touch(data))

    def _touch(self, data: dict[str, Any]) -> bool:
        if self._removed:
            return False
        gist = {name: value for name, value in data.items() if name not in _POSITIONS}
        self._members.touch(json.dumps(data, separators=(",", ":")), json.dumps(gist, sort_keys=True))
        if self._name not in self._listed:
            self._entries.put(_MEMBER + self._name, "", self._deadline())
            self._listed |= {self._name}
        if self._lease.held:
            for name in self._members.silent(FORGET_SECONDS):
                logger.info("member %s was silent for %d s and is taken off the list", name, FORGET_SECONDS)
                self._entries.drop(_MEMBER + name, self._deadline())
                self._members.forget(name)
        return True

    def watch(self, leader_version: str | None, timeout: float) -> bool:
        """A standby looks at the lease meanwhile, and wakes when it is given up or has run out."""
        try:
            if leader_version is None:
                return bool(super().watch(None, timeout))
            until = self._records.clock() + timeout
            pause = self._poll
            while (left := until - self._records.clock()) > 0:
                if self.event.wait(min(left, pause)):
                    return True
                wait = self._wait_for_lease()
                if wait <= 0:
                    return True
                pause = min(self._poll, wait)
            return False
        finally:
            self.event.clear()

    def _wait_for_lease(self) -> float:
        try:
            return self._lease.look(self._records.clock() + self._request_seconds).wait
        except StorageError as error:
            logger.info("watch: %s", error)  # the next loop asks again, and decides what silence means
            return self._poll


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _cluster(view: View, entries: Mapping[str, Entry], members: list[Member]) -> Cluster:
    def known(name: str, make: Callable[[int, str], Any]) -> Any:
        entry = entries.get(name)
        return None if entry is None else make(entry.version, entry.value)

    leader = None
    if view.holder is not None and not view.free and view.stamp is not None:
        named = [member for member in members if member.name == view.holder]
        leader = Leader(view.stamp.e_tag, None, named[0] if named else Member(-1, view.holder, None, {}))
    return Cluster(
        known(AbstractDCS._INITIALIZE, lambda _, value: value),
        known(AbstractDCS._CONFIG, ClusterConfig.from_node),
        leader,
        Status.from_node(view.note.get(AbstractDCS._STATUS)),
        members,
        known(AbstractDCS._FAILOVER, Failover.from_node),
        known(AbstractDCS._SYNC, SyncState.from_node) or SyncState.empty(),
        known(AbstractDCS._HISTORY, TimelineHistory.from_node),
        _failsafe(view.note.get(AbstractDCS._FAILSAFE)),
    )


def _failsafe(text: str | None) -> dict[str, str] | None:
    try:
        topology: dict[str, str] | None = json.loads(text) if text else None
    except (TypeError, ValueError) as error:
        raise DamagedRecord(
            "the lease's note has no readable failsafe topology: remove it, the pair stopped"
        ) from error
    return topology


def register() -> None:
    """Make Patroni and patronictl find the section `object_store`.

    Patroni looks for stores only among the files of its own package, and has no entry points for others. All that need
    a store ask `patroni.dcs.get_dcs`, which asks `patroni.dcs.iter_dcs_classes`: the one place to add ours.
    """
    known = patroni.dcs.iter_dcs_classes
    if known.__module__ == __name__:
        return

    def iter_dcs_classes(config: Mapping[str, Any] | None = None) -> Iterator[tuple[str, type[AbstractDCS]]]:
        if config is None or SECTION in config:
            yield SECTION, ObjectStoreDCS
        yield from known(config)

    patroni.dcs.iter_dcs_classes = iter_dcs_classes
