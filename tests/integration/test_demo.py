"""The main job by itself, small: everything starts, loads, answers and goes away; and it goes away when interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SOURCE = str(Path(__file__).parents[2] / "src")
COMMAND = (sys.executable, "-m", "mere", "demo", "--scale", "0.01")


def start(place: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": SOURCE, "TMPDIR": str(place)}
    return subprocess.Popen(
        COMMAND,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        start_new_session=True,
        # A test run in the background ignores Ctrl-C, and its children would too.
        preexec_fn=hear_interrupts,
    )


def hear_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def left_in(place: Path) -> list[str]:
    """Files, and processes that know the place."""
    found = [file.name for file in place.iterdir()]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(place) in words:
                found.append(words.replace("\0", " "))
    return found


@pytest.mark.timeout(180)
def test_the_demo_answers_everything_and_leaves_nothing(scratch: Path) -> None:
    process = start(scratch)
    output, _ = process.communicate(timeout=170)
    assert process.returncode == 0, output
    assert "22 of 22" in output
    assert left_in(scratch) == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("number", "seconds"), [(signal.SIGTERM, 0.7), (signal.SIGINT, 4.0)])
def test_an_interrupted_demo_leaves_nothing(scratch: Path, number: signal.Signals, seconds: float) -> None:
    process = start(scratch)
    time.sleep(seconds)  # wherever it is by then
    process.send_signal(number)
    output, _ = process.communicate(timeout=100)
    assert process.returncode != 0
    assert "Traceback" not in output
    assert left_in(scratch) == []
