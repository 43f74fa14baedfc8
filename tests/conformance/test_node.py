"""node-postgres: values, named statements, pools, cursors, notifications, by a JavaScript program."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from harness.workspace import Workspace

PROGRAM = Path(__file__).parent / "programs" / "node.js"


def test_node_program_passes(space: Workspace) -> None:
    """`pg` is found where NODE_PATH says, or installed globally."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node")
    environment = {**os.environ, "TZ": "UTC"}
    probe = subprocess.run([node, "-e", "require('pg')"], env=environment, capture_output=True, timeout=30, check=False)
    if probe.returncode != 0:
        pytest.skip("node-postgres is not installed: npm install -g pg pg-cursor, or set NODE_PATH")
    command = [node, str(PROGRAM), space.server.url(), space.schema]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "passed", done.stdout + done.stderr
