"""A server's private folders are erased with it, or by the next one, and nobody else's are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.server.folders import JUST_MADE, erase_left, private_folder

HOLDS = """
import sys, time
from explorer.server.folders import private_folder
with private_folder("rooms", sys.argv[1]) as folder:
    print(folder, flush=True)
    time.sleep(60)
"""


def made_long_ago(folder: Path) -> None:
    then = folder.stat().st_mtime - 2 * JUST_MADE
    os.utime(folder, (then, then))


def test_a_folder_is_private_and_erased_at_the_end(tmp_path: Path) -> None:
    with private_folder("rooms", str(tmp_path)) as folder:
        assert os.stat(folder).st_mode & 0o77 == 0 and Path(folder).parent == tmp_path
        (Path(folder) / "file").write_text("x")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="no such locks")
def test_what_a_killed_server_left_is_erased_by_the_next_one_and_not_what_is_in_use(tmp_path: Path) -> None:
    (other := tmp_path / "explorer-rooms-of-something-else").mkdir()
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        folder = Path(server.stdout.readline().strip())
        for one in (folder, other):
            made_long_ago(one)
        erase_left(tmp_path, "rooms")
        assert folder.is_dir()
        server.kill()
    assert folder.is_dir()
    with private_folder("metrics", str(tmp_path)):
        assert folder.is_dir()
    with private_folder("rooms", str(tmp_path)) as own:
        assert set(tmp_path.iterdir()) == {Path(own), other}
