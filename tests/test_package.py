"""What ``pip install .`` gives: a package that serves the page from any folder, and the facts about it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from serving import PAGE_LAYOUT, environment, get, post, stroke, wait_until_healthy
from torch import nn

import explorer
from bench.asking import free_port
from explorer.version import version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the checkout, which stays as it is."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("explorer", "assets", "models"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "setup.py", "pyproject.toml", "README.md", "LICENSE", "requirements.txt", "constraints.txt"):
        shutil.copy(ROOT / name, copy)
    subprocess.run([*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", copy / "made", copy], check=True, capture_output=True)
    (made,) = (copy / "made").iterdir()
    return made


def test_the_wheel_holds_all_that_is_used_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {name for name in names if name.startswith("explorer/")}
    info = names - package
    assert all(re.match(r"gradient_attribution_explorer-[\d.]+\.dist-info/", name) for name in info)
    assert {"LICENSE", "plotly-basic.LICENSE.txt"} <= {name.rsplit("/", 1)[-1] for name in info}
    own = {path.relative_to(ROOT).as_posix() for path in (ROOT / "explorer").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    beside = [path for folder, pattern in (("assets", "**/*"), ("models", "*.npz")) for path in (ROOT / folder).glob(pattern) if path.is_file()]
    root = {f"explorer/_root/{name}" for name in ("app.py", "requirements.txt", "constraints.txt", *(path.relative_to(ROOT).as_posix() for path in beside))}
    assert package == own | root
    assert wheel.stat().st_size < 4_000_000


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new virtual environment with the package; its dependencies are those of this one."""
    place = tmp_path_factory.mktemp("installed")
    venv.create(place, with_pip=False)
    programs = place / ("Scripts" if os.name == "nt" else "bin")
    (packages,) = place.rglob("site-packages")
    (packages / "dependencies.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")))
    subprocess.run([*PIP, "--python", programs / "python", "install", "--no-deps", wheel], check=True, capture_output=True)
    return programs


def test_the_command_serves_the_page_and_answers_from_any_folder(installed: Path, tmp_path: Path) -> None:
    port = free_port()
    explorer.export_network(nn.Sequential(nn.Linear(64, 3)), tmp_path / "mine", title="Mine")
    (tmp_path / "app.py").write_text("raise SystemExit('another app.py')")  # as many have
    command = [installed / "gradient-explorer", "--network", "mine.safetensors"]
    outside = {name: value for name, value in environment(PORT=str(port), WORKERS="2").items() if name != "PYTHONPATH"}
    process = subprocess.Popen(command, cwd=tmp_path, env=outside, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_until_healthy(process, port)
        status, page = get(port, "/")
        assert status == 200 and "explorer.js" in page and version() in page, "the version is that of the same files in a checkout"
        assert "Mine" in get(port, PAGE_LAYOUT)[1]
        for network in ("shapes", "mine"):
            status, answer, _ = post(port, stroke(network=network))
            assert status == 200 and "scores" in answer
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_the_package_finds_its_own_files(installed: Path, tmp_path: Path) -> None:
    script = """
import json, explorer.places as places
from explorer.models import load_zoo
print(json.dumps([places.INSTALLED, places.APP, str(places.ROOT), list(load_zoo())]))
"""
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([installed / "python", "-c", script], cwd=tmp_path, env=outside, capture_output=True, text=True, check=True)
    in_package, module, root, zoo = json.loads(done.stdout)
    assert in_package and module == "explorer._root.app" and Path(root).is_relative_to(installed.parent) and "digits" in zoo


def test_help_says_what_the_command_takes() -> None:
    done = subprocess.run([sys.executable, "-m", "explorer", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "--network FILE" in done.stdout and "NETWORKS" in done.stdout


def test_what_is_asked_for_is_what_is_tested() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = {found.name.lower(): found for found in (Requirement(line) for line in lines if line and not line.startswith("#"))}
    wanted = {found.name.lower(): found for found in map(Requirement, PROJECT["dependencies"])}
    assert wanted.keys() == pinned.keys()
    for name, found in wanted.items():
        (pin,) = pinned[name].specifier
        assert found.specifier.contains(pin.version) and len(found.specifier) >= 1, name
        assert str(found.marker or "") == str(pinned[name].marker or "")


def test_the_facts_agree() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert citation["version"] == PROJECT["version"] == re.findall(r"^## ([\d.]+)$", changes, re.MULTILINE)[0]
    assert citation["license"] == PROJECT["license"] == "MIT" and (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert all(f"**{word}**" in contributing for word in ("method", "lab", "lesson", "network")) and len(contributing.splitlines()) < 40
    for page in (contributing, changes):
        assert all((ROOT / link).exists() for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", page))
    assert all((ROOT / name).exists() for name in re.findall(r"`((?:explorer|assets|models)/[\w/.]*)`", contributing))
