"""The version: the same for the same files, another for any other byte."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from explorer.version import ROOT, version


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A small program with a file of each kind, and others that do not matter."""
    names = ("app.py", "explorer/a.py", "explorer/page/b.py", "assets/c.js", "assets/css/d.css", "models/e.npz", "requirements.txt", "constraints.txt")
    for name in (*names, "README.md", "requirements-dev.txt", "models/train.py", "assets/.hidden", "explorer/__pycache__/a.pyc"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def test_it_is_twelve_hex_digits_and_the_same_every_time() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", version())
    assert version() == version(ROOT)


def test_a_copy_elsewhere_has_the_same_version_whatever_its_times(program: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    copy = tmp_path_factory.mktemp("copy") / "program"
    shutil.copytree(program, copy, copy_function=shutil.copyfile)
    assert version(copy) == version(program)


@pytest.mark.parametrize(
    "name", ["app.py", "explorer/a.py", "explorer/page/b.py", "assets/c.js", "assets/css/d.css", "models/e.npz", "requirements.txt", "constraints.txt"]
)
def test_one_changed_byte_makes_another_version(program: Path, name: str) -> None:
    before = version(program)
    (program / name).write_bytes(b"\x00" + (program / name).read_bytes()[1:])
    assert version(program) != before


def test_a_file_that_is_renamed_added_or_gone_makes_another_version(program: Path) -> None:
    seen = {version(program)}
    (program / "assets/c.js").rename(program / "assets/z.js")
    seen.add(version(program))
    (program / "assets/new.js").write_text("")
    seen.add(version(program))
    (program / "models/e.npz").unlink()
    seen.add(version(program))
    assert len(seen) == 4


@pytest.mark.parametrize("name", ["README.md", "requirements-dev.txt", "models/train.py", "assets/.hidden", "explorer/__pycache__/a.pyc"])
def test_what_is_no_part_of_the_program_does_not_matter(program: Path, name: str) -> None:
    before = version(program)
    (program / name).write_text("something else")
    assert version(program) == before
