"""A lease in an object store: at most one holder at a time believes in it, whatever the wall clocks say.

The record is `{holder, session, ttl, note}`. Who holds it writes it anew, with compare-and-set, before `ttl` is over.

- The holder believes until `ttl` after the moment *before* it sent the last write that is known to have arrived.
- An observer counts from the moment *after* it first read a state. When a read that it sent later than `ttl`, stretched
  by the clocks' possible drift, plus a margin still finds the same state, the lease is free, and a conditional write on
  exactly that state takes it. A renewal that comes between makes that write fail.

So every holder has stopped believing before an observer may take over, and of many observers one wins. Assumed: a read
returns the last completed write and conditional writes are atomic (proved at start: `Objects.prove`); clocks that count
seconds at rates no further than DRIFT from the true one and that do not stand still on a holder (`boot_clock`); and
nobody else deletes the record. A node is its name: two processes under one name are one holder, the later one takes
over from the earlier at once, and the earlier learns it at its next renewal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from mere.ha.objects import Stamp
from mere.ha.records import Conflict, DamagedRecord, Record, Records, new_id

DRIFT = 0.01  # NTP slews by at most 0.0005; a free-running quartz is better than 0.0002
STRETCH = (1 + DRIFT) / (1 - DRIFT)  # one clock fast, the other slow
NEVER = float("-inf")

Note = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """What a read found: `holder` is None where nobody holds it. `wait`: seconds until it may be taken, 0 when free.

    `mine`: this process wrote it, or may succeed an earlier process of its name.
    """

    holder: str | None
    mine: bool
    wait: float
    stamp: Stamp | None
    note: Note

    @property
    def free(self) -> bool:
        return self.wait <= 0


@dataclass(frozen=True, slots=True)
class _State:
    """A record, read."""

    stamp: Stamp
    write_id: str
    holder: str | None
    session: str
    ttl: float
    note: Note


@dataclass(frozen=True, slots=True)
class Sighting:
    """A state that was first read at `since`, by this observer's clock."""

    stamp: Stamp | None
    since: float
    patience: float  # how long it has to stay unchanged to be free; 0 for a released lease

    def wait(self, asked: float) -> float:
        """Seconds until its writer counts as gone, judged by a read that was sent at `asked` and found it again."""
        return max(0.0, self.patience - (asked - self.since)) if self.patience else 0.0


def patience(ttl: float, margin: float) -> float:
    """How long an observer waits for a writer that promised to write again within `ttl` of its own clock."""
    return ttl * STRETCH + margin


@dataclass(slots=True)
class _Memory:
    sighting: Sighting | None = None
    own: Stamp | None = None  # the state that this process wrote and nobody has replaced, as far as it knows
    until: float = NEVER
    confirmed: float = NEVER  # when the last own write was answered: reads that were sent earlier tell nothing new
    settled: bool = False  # has held it itself, so a record of its name by another process is a stranger's
    sent: dict[str, tuple[float, float]] = field(
        default_factory=dict
    )  # (moment, ttl) of each write in doubt, by its id


class Lease:
    """One node's part in one lease, as holder or observer. Threads may share it; no lock is held over a request."""

    def __init__(self, records: Records, key: str, node: str, ttl: float, margin: float = 0.5) -> None:
        self.ttl = ttl
        self._records = records
        self._key = key
        self._node = node
        self._margin = margin
        self._session = new_id()
        self._lock = Lock()
        self._memory = _Memory()

    @property
    def until(self) -> float:
        """The moment of `Records.clock` at which this process stops holding it unless renewed; NEVER: it does not."""
        with self._lock:
            return self._memory.until

    @property
    def held(self) -> bool:
        return self._records.clock() < self.until

    def look(self, deadline: float) -> View:
        """Read the record, and judge it by this observer's own clock."""
        asked = self._records.clock()
        record = self._records.read(self._key, deadline)
        answered = self._records.clock()
        with self._lock:
            if record is None:
                # Free for who never saw anything; a record that vanished is waited out like a silent holder.
                sighting = self._memory.sighting
                return View(None, False, 0.0 if sighting is None else sighting.wait(asked), None, {})
            return self._judge(_parse(self._key, record), asked, answered)

    def acquire(self, deadline: float, note: Note | None = None) -> bool:
        """Take it if it is free; False if it is not, or somebody was faster. The note is the last one unless given."""
        view = self.look(deadline)
        if view.mine:
            return self.renew(deadline, note)
        return view.free and self._take(view.stamp, view.note if note is None else note, deadline)

    def renew(self, deadline: float, note: Note | None = None) -> bool:
        """Hold it for another `ttl`; False when it is lost: stop at once.

        Unreachable when the deadline passed in doubt; the lease then lasts until `until`, as before.
        """
        with self._lock:
            own = self._memory.own
        if own is not None and note is not None and self._take(own, note, deadline):
            return True
        while True:  # a first renewal, or a write of ours arrived late; each turn more needs one more of those
            view = self.look(deadline)
            if not view.mine:
                self._forget()
                return False
            if self._take(view.stamp, view.note if note is None else note, deadline):
                return True

    def release(self, deadline: float, note: Note | None = None) -> bool:
        """Give it up, if it is held: it is free at once. This process stops believing before it says so."""
        while True:
            view = self.look(deadline)
            self._forget()
            if not view.mine:
                return False
            body = self._body(None, view.note if note is None else note)
            try:
                self._records.write(self._key, body, view.stamp, new_id(), deadline)
            except Conflict:
                continue  # by a renewal of ours that arrived late, or by another holder: the next look tells
            return True

    def _take(self, expected: Stamp | None, note: Note, deadline: float) -> bool:
        """The conditional write that makes or keeps this process the holder."""
        write_id, ttl, sent = new_id(), self.ttl, self._records.clock()
        with self._lock:
            self._memory.sent[write_id] = (sent, ttl)
        try:
            record = self._records.write(self._key, self._body(self._node, note), expected, write_id, deadline)
        except Conflict:
            with self._lock:
                self._memory.sent.pop(write_id, None)
            return False
        answered = self._records.clock()
        with self._lock:
            self._memory.sent[write_id] = (sent, ttl)
            self._judge(_parse(self._key, record), answered, answered)
            self._memory.confirmed = answered
        return True

    def _body(self, holder: str | None, note: Note) -> dict[str, Any]:
        return {"holder": holder, "session": self._session, "ttl": self.ttl, "note": dict(note)}

    def _judge(self, state: _State, asked: float, answered: float) -> View:
        """Remember what was seen, with the lock held."""
        memory = self._memory
        ours = state.holder is not None and state.session == self._session
        if memory.sighting is None or memory.sighting.stamp != state.stamp:
            waited = 0.0 if state.holder is None else patience(state.ttl, self._margin)
            memory.sighting = Sighting(state.stamp, answered, waited)
        if asked >= memory.confirmed:
            if ours and state.write_id in memory.sent:
                sent, ttl = memory.sent[state.write_id]
                memory.own, memory.until, memory.settled = state.stamp, sent + ttl, True
                # What was sent no later was conditional on states that are gone, so it cannot arrive any more.
                memory.sent = {key: value for key, value in memory.sent.items() if value[0] > sent}
            elif not ours:
                memory.own, memory.until = None, NEVER
        mine = ours or (not memory.settled and state.holder == self._node)
        return View(state.holder, mine, memory.sighting.wait(asked), state.stamp, state.note)

    def _forget(self) -> None:
        with self._lock:
            self._memory.own, self._memory.until = None, NEVER


def _parse(key: str, record: Record) -> _State:
    match record.body:
        case {
            "holder": (str() | None) as holder,
            "session": str(session),
            "ttl": (int() | float()) as ttl,
            "note": dict(note),
        }:
            return _State(record.stamp, record.write_id, holder, session, ttl, note)
    raise DamagedRecord(f'"{key}" is not a lease: restore it, or remove it with the pair stopped')
