"""Harm to a coordinator pair, in random order from a seed. Each kind ends by itself; then the pair comes back."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.pair import STORE, Pair
from harness.pair_ledger import Ledger
from harness.pair_node import Node, Part
from harness.processes import descendants

Harm = Callable[[Pair, random.Random], None]
PROGRESS_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Strike:
    """What was done when, and how long the pair then took to be whole again (from the end of the harm)."""

    kind: str
    moment: float
    harmed: float
    recovered: float


class NoProgress(Exception):
    """The pair is whole, and yet nobody gets a commit through."""


def strikes(pair: Pair, ledger: Ledger, kinds: Iterable[str], dice: random.Random) -> Iterator[Strike]:
    """One after the other, each on a pair that is whole and takes writes."""
    for kind in kinds:
        if not ledger.wait_for_progress(PROGRESS_SECONDS):
            raise NoProgress(f"before {kind}: {pair.tail()}")
        time.sleep(dice.random())  # the moment within a transaction is the random part of this
        moment = time.monotonic()
        HARM[kind](pair, dice)
        harmed = time.monotonic() - moment
        yield Strike(kind, moment, harmed, pair.until_whole())
    if not ledger.wait_for_progress(PROGRESS_SECONDS):
        raise NoProgress(f"in the end: {pair.tail()}")


def possible(pair: Pair, segments: bool = False) -> list[str]:
    """Kinds of harm for this machine."""
    found = [kind for kind in HARM if pair.network is not None or kind not in NEEDS_NETWORK]
    return [kind for kind in found if segments or kind != "a segment killed"]


# -- kills


def _kill_primary(pair: Pair, dice: random.Random) -> None:
    _kill(pair.roles()[0], dice)


def _kill_standby(pair: Pair, dice: random.Random) -> None:
    _kill(pair.roles()[1], dice)


def _kill(node: Node, dice: random.Random) -> None:
    """Sometimes it is back before anybody missed it."""
    node.kill()
    time.sleep(dice.choice((0, 2, 8, 12)))
    node.start(wait=False)


def _kill_both(pair: Pair, dice: random.Random) -> None:
    nodes = list(pair.nodes.values())
    dice.shuffle(nodes)
    for node in nodes:
        node.kill()
    dice.shuffle(nodes)
    nodes[0].start(wait=False)
    time.sleep(dice.choice((0, 4, 10)))
    nodes[1].start(wait=False)


def _kill_standby_then_primary(pair: Pair, dice: random.Random) -> None:
    """What the primary acknowledged alone, the old standby does not have: it must not take over."""
    primary, standby = pair.roles()
    standby.kill()
    time.sleep(dice.choice((1, 8, 15)))
    primary.kill()
    standby.start(wait=False)
    time.sleep(dice.choice((5, 12)))
    primary.start(wait=False)


def _kill_part(part: Part) -> Harm:
    def harm(pair: Pair, _: random.Random) -> None:
        pair.roles()[0].strike(part, signal.SIGKILL)

    return harm


def _kill_segment(pair: Pair, dice: random.Random) -> None:
    node = dice.choice(pair.roles())
    assert node.process is not None
    segments = descendants(node.process.pid, "ray::SegmentProcess")
    if segments:
        os.kill(dice.choice(segments), signal.SIGKILL)


# -- pauses


def _pause_primary(pair: Pair, dice: random.Random) -> None:
    _pause(pair.roles()[0], dice)


def _pause_standby(pair: Pair, dice: random.Random) -> None:
    _pause(pair.roles()[1], dice)


def _pause(node: Node, dice: random.Random) -> None:
    """Shorter than the lease, about as long, and longer."""
    node.pause()
    time.sleep(dice.uniform(1, 15))
    node.resume()


def _pause_part(part: Part) -> Harm:
    def harm(pair: Pair, dice: random.Random) -> None:
        primary, _ = pair.roles()
        primary.strike(part, signal.SIGSTOP)
        time.sleep(dice.uniform(1, 15))
        primary.strike(part, signal.SIGCONT)

    return harm


def _pause_store(pair: Pair, dice: random.Random) -> None:
    pair.pause_store()
    time.sleep(dice.uniform(1, 12))
    pair.resume_store()


# -- cuts


def _cut(name: Callable[[Node, Node], Sequence[tuple[str, str]]]) -> Harm:
    def harm(pair: Pair, dice: random.Random) -> None:
        cables = name(*pair.roles())
        for one, other in cables:
            pair.part(one, other)
        time.sleep(dice.uniform(1, 15))
        for one, other in cables:
            pair.join(one, other)

    return harm


def _pull_primary(pair: Pair, dice: random.Random) -> None:
    """Its clients do not reach it either."""
    primary, _ = pair.roles()
    assert pair.network is not None
    pair.network.pull(primary.name)
    time.sleep(dice.uniform(1, 15))
    pair.network.plug(primary.name)


# -- orders


def _switch_over(pair: Pair, _: random.Random) -> None:
    done = pair.roles()[0].command("switchover")
    assert done.returncode == 0, done.stdout + done.stderr


def _maintain(pair: Pair, _: random.Random) -> None:
    done = pair.roles()[0].command("maintain", "--retention", "60s")
    assert done.returncode == 0, done.stdout + done.stderr


HARM: Mapping[str, Harm] = {
    "the primary killed": _kill_primary,
    "the standby killed": _kill_standby,
    "both killed": _kill_both,
    "the standby killed, then the primary": _kill_standby_then_primary,
    "the primary's coordinator process killed": _kill_part("coordinator"),
    "the primary's Patroni killed": _kill_part("patroni"),
    "the primary's PostgreSQL killed": _kill_part("postgres"),
    "a segment killed": _kill_segment,
    "the primary paused": _pause_primary,
    "the standby paused": _pause_standby,
    "the primary's coordinator process paused": _pause_part("coordinator"),
    "the primary's Patroni paused": _pause_part("patroni"),
    "the store paused": _pause_store,
    "the nodes parted": _cut(lambda primary, standby: [(primary.name, standby.name)]),
    "the primary cut off, not from its clients": _cut(
        lambda primary, standby: [(primary.name, standby.name), (primary.name, STORE)]
    ),
    "the primary cut from the store": _cut(lambda primary, _: [(primary.name, STORE)]),
    "the standby cut from the store": _cut(lambda _, standby: [(standby.name, STORE)]),
    "the primary's cable pulled": _pull_primary,
    "a switchover": _switch_over,
    "maintenance": _maintain,
}
NEEDS_NETWORK = {kind for kind in HARM if "cut" in kind or "parted" in kind or "cable" in kind}
