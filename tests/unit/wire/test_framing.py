"""However the bytes are cut into chunks, the same messages come out, in linear time."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mere.errors import ProtocolViolation
from mere.wire.framing import Framing
from mere.wire.messages import message

MESSAGES = st.lists(st.builds(message, st.sampled_from([b"D", b"d", b"C", b"Z"]), st.binary(max_size=40)), max_size=20)


def feed(framing: Framing, stream: bytes, cuts: list[int]) -> None:
    start = 0
    for cut in [*sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]:
        framing.feed(stream[start:cut])
        start = cut


@given(MESSAGES, st.lists(st.integers(0, 2000), max_size=8))
def test_messages_survive_any_cut(sent: list[bytes], cuts: list[int]) -> None:
    framing = Framing()
    feed(framing, b"".join(sent), cuts)
    received = []
    while (one := framing.next()) is not None:
        received.append(one)
    assert received == sent
    assert framing.buffered == 0


@given(MESSAGES, st.lists(st.integers(0, 2000), max_size=8), st.data())
def test_reading_between_the_chunks(sent: list[bytes], cuts: list[int], data: st.DataObject) -> None:
    stream, framing, received = b"".join(sent), Framing(), bytearray()
    start = 0
    for cut in [*sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]:
        framing.feed(stream[start:cut])
        start = cut
        for _ in range(data.draw(st.integers(0, 3))):
            received += framing.next() or b""
    while framing.ready():
        received += framing.next_run(frozenset(b"D")) or b""
    assert bytes(received) == stream


@given(MESSAGES, st.lists(st.integers(0, 2000), max_size=8))
def test_runs_hold_one_type_each(sent: list[bytes], cuts: list[int]) -> None:
    framing = Framing()
    feed(framing, b"".join(sent), cuts)
    runs = []
    while (run := framing.next_run(frozenset(b"D"))) is not None:
        runs.append(run)
    assert b"".join(runs) == b"".join(sent)
    kinds = [run[:1] for run in runs]
    assert (b"D", b"D") not in itertools.pairwise(kinds)


def test_payloads_are_joined() -> None:
    framing = Framing()
    framing.feed(message(b"d", b"one") + message(b"d", b"") + message(b"d", b"two") + message(b"c") + b"d\0")
    assert framing.next_payloads(ord("d")) == b"onetwo"
    assert framing.next_payloads(ord("d")) is None
    assert framing.next() == message(b"c")
    assert framing.next() is None
    framing.feed(b"\0\0\5x")
    assert framing.next_payloads(ord("d")) == b"x"


def test_part_of_a_payload_waits() -> None:
    framing = Framing()
    framing.feed(message(b"d", b"one") + message(b"d", b"two")[:-1])
    assert framing.next_payloads(ord("d")) == b"one"
    assert not framing.ready()
    framing.feed(b"o")
    assert framing.next_payloads(ord("d")) == b"two"


@pytest.mark.parametrize("stream", [b"D\0\0\0\3", b"D\xff\xff\xff\xff", b"x", b"x\0\0\0\4", b"D\0\1\0\0"])
def test_what_cannot_be_a_message(stream: bytes) -> None:
    framing = Framing({ord("D"): 1000})
    framing.feed(stream)
    assert framing.ready()
    with pytest.raises(ProtocolViolation):
        framing.next()


def test_time_is_linear_in_the_size() -> None:
    """64 MB in one message, in small chunks, and as many small messages: seconds, not minutes."""
    began = time.perf_counter()
    framing = Framing()
    big = message(b"d", b"x" * (64 << 20))
    view = memoryview(big)
    for start in range(0, len(big), 1 << 14):
        framing.feed(bytes(view[start : start + (1 << 14)]))
        framing.ready()
    assert framing.next() == big
    framing.feed(message(b"d", b"y" * 59) * (1 << 17))
    count = 0
    while framing.next() is not None:
        count += 1
    assert count == 1 << 17
    assert time.perf_counter() - began < 5


@given(MESSAGES, MESSAGES, st.integers(1, 500), st.lists(st.integers(0, 2000), max_size=8), st.integers(0, 4))
def test_what_is_skipped_leaves_the_rest_whole(
    before: list[bytes], after: list[bytes], size: int, cuts: list[int], shown: int
) -> None:
    framing = Framing()
    unwanted = message(b"Q", b"x" * size)
    framing.feed(b"".join(before) + unwanted[: 5 + min(shown, size - 1)])
    received = []
    while (one := framing.next()) is not None:
        received.append(one)
    assert framing.arriving() == size + 4
    assert framing.skip() == ord("Q")
    feed(framing, unwanted[5 + min(shown, size - 1) :] + b"".join(after), cuts)
    assert not framing.skipping
    while (one := framing.next()) is not None:
        received.append(one)
    assert received == before + after


def test_a_large_message_is_not_kept_after_it_was_taken() -> None:
    framing = Framing()
    large = message(b"d", b"x" * 1_000_000)
    for take in (framing.next, lambda: framing.next_payloads(ord("d"))):
        framing.feed(large[:500_000])
        framing.feed(large[500_000:])
        assert take() is not None
        assert len(framing._data) == 0
