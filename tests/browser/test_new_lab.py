"""A new lab is a module, a script of the same name and a line in each registry: one is added to a copy of the program."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import ROOT, Server
from .visit import Visit

MODULE = '''"""The lab bright: how many pixels are brighter than a limit."""

from explorer.attribution import Setting
from explorer.labs.lab import Lab, Paper
from explorer.sentences import Sentence


def _answer(state, settings, zoo):
    count = sum(value > settings["limit"] for value in state.pixels)
    return {"outcome": int(count >= 32), "count": count, "charts": {}}


LAB = Lab(
    title="Bright pixels",
    group="What you choose",
    question="How many pixels are bright?",
    minutes=1,
    emblem="######## " * 8,
    prediction="Are there more than half?",
    choices=("Fewer.", "Half or more."),
    settings=(Setting("limit", "Limit", 0.5, 0, 1),),
    answer=_answer,
    narrate=lambda answer: [Sentence("count", "There are {count:whole} bright pixels.", {"count": answer["count"]})],
    why="A pixel is bright above the limit.",
    caveat="None.",
    papers=(Paper("Nobody 2026", "Bright pixels"),),
)
'''
SCRIPT = """// Counts bright pixels.

import { element, write } from "../../core/dom.js";
import { labControl } from "../lab_controls.js";

export function build(lab) {
  const text = element("p", { id: "bright-count" });
  lab.controls.append(labControl(lab, "limit"));
  lab.figures.append(text);
  return { show: (answer) => write(text, `counted: ${answer.count}`) };
}
"""


@pytest.fixture
def server_with_new_lab(chromium: str, tmp_path: Path) -> Iterator[Server]:
    for part in ("app.py", "explorer", "assets", "models"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part)
    (tmp_path / "explorer/labs/bright.py").write_text(MODULE)
    (tmp_path / "assets/panels/labs/bright.js").write_text(SCRIPT)
    for registry, line, new in (
        ("explorer/labs/__init__.py", '    "convergence",\n', '    "convergence",\n    "bright",\n'),
        ("assets/panels/labs/registry.js", 'export * as convergence from "./convergence.js";', 'export * as convergence from "./convergence.js";\nexport * as bright from "./bright.js";'),
    ):
        text = (tmp_path / registry).read_text()
        assert text.count(line) == 1
        (tmp_path / registry).write_text(text.replace(line, new))
    server = Server(tmp_path)
    try:
        yield server.start()
    finally:
        server.stop()


def test_a_new_lab_needs_two_files_and_a_line_in_each_registry(visits: Callable[..., Visit], server_with_new_lab: Server) -> None:
    visit = visits(server_with_new_lab.address, apart=True).open("?tab=labs&v=2")
    visit.page.get_by_role("button", name="Bright pixels").click()
    visit.page.get_by_role("button", name="Half or more.").click()
    visit.until("() => document.getElementById('bright-count')?.textContent === 'counted: 32'")
    assert visit.page.locator(".lab-happened").inner_text() == "There are 32 bright pixels."
    assert "As you predicted" in visit.page.locator(".lab-verdict").inner_text()
    limit = visit.page.get_by_label("Limit")
    limit.focus()
    visit.press("End")
    visit.until("() => document.getElementById('bright-count').textContent === 'counted: 0'")
    assert "do=limit%3A1&" in visit.page.url and "otherwise" in visit.page.locator(".lab-verdict").inner_text()
    visit.page.reload()
    visit.page.get_by_role("button", name="Skip").click()
    visit.until("() => document.getElementById('bright-count')?.textContent === 'counted: 0'")  # the server is away after it
