"""The engine stands alone: torch and numpy in, arrays out."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import explorer.attribution

MODULES = sorted(Path(explorer.attribution.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_engine_imports_nothing_but_torch_numpy_and_itself(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(str(node.module))
    own = {name for name in imported if name.startswith("explorer.attribution")}
    assert {name.split(".")[0] for name in imported - own} <= {"numpy", "torch", *sys.stdlib_module_names}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_engine_opens_no_file(path: Path) -> None:
    calls = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    called = {getattr(call, "id", getattr(call, "attr", "")) for call in calls}
    assert not called & {"open", "read_text", "read_bytes", "load", "loadtxt", "fromfile", "memmap"}


def test_every_public_name_is_there_and_says_what_it_is() -> None:
    for name in explorer.attribution.__all__:
        public = getattr(explorer.attribution, name)
        if callable(public) and name != "Output":
            assert public.__doc__ and not public.__doc__.startswith(f"{name}("), name


def test_the_example_in_the_packages_docstring_runs() -> None:
    example = str(explorer.attribution.__doc__).split("::\n\n")[1].split("\n\nReading order")[0]
    names: dict[str, object] = {}
    lines = [line.strip() for line in example.splitlines() if line.strip()]
    torch.manual_seed(0)  # the example's network is a random one
    exec("\n".join(lines), names)
    answers = [eval(line.split("#")[0], names) for line in lines if line.split("#")[0].strip().endswith("attribution")]
    assert [answer.shape for answer in answers] == [(8, 8), (8, 8)]
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-2)
