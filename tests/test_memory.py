"""The server starts itself anew with its memory kept frugally, once, and leaves alone what somebody set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.memory import FRUGAL, TUNABLES

ROOT = Path(__file__).resolve().parent.parent
ASK = """
import os, sys
from explorer.memory import TUNABLES, restart_frugally
print(os.getpid(), sys.argv[1:], flush=True)
restart_frugally()
print(os.environ[TUNABLES])
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it is a matter of Linux's C library")


def started(**settings: str) -> list[str]:
    environment = {name: value for name, value in os.environ.items() if name != TUNABLES}
    command = [sys.executable, "-c", ASK, "a word", "-x"]
    return subprocess.run(command, cwd=ROOT, env=environment | settings, capture_output=True, text=True, check=True).stdout.splitlines()


def test_it_starts_itself_anew_once_in_the_same_process_with_the_same_words() -> None:
    first, again, settings = started()
    assert first == again
    assert first.endswith("['a word', '-x']")
    assert settings.split(":") == [f"glibc.malloc.{name}={value}" for name, value in FRUGAL.items()]


def test_what_somebody_set_is_left_alone() -> None:
    theirs = "glibc.malloc.check=3"
    _, settings = started(**{TUNABLES: theirs})
    assert settings == theirs
