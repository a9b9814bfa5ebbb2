"""A new panel or lab is a module, a script of the same name and a line in each registry: both are added to a copy of the program."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import ROOT, Server
from .visit import Visit

PANEL = '''"""A panel that counts bright pixels."""

import orjson

from explorer.page.components import script_owned
from explorer.page.narration import Facts
from explorer.page.panel import Panel
from explorer.page.question import QuestionKind
from explorer.sentences import Sentence
from explorer.state import StateError


def _prepare(state, limit, zoo):
    if not isinstance(limit, float):
        raise StateError("'limit' must be a number")
    return state.cache_key() + orjson.dumps(limit), lambda: {"count": sum(value > limit for value in state.pixels)}


def narrate(facts: Facts):
    return [Sentence("advice", "P is {score:probability}, out of a new panel.", {"score": facts.target_probability}, "headline")]


PANEL = Panel("Bright pixels", lambda state: [script_owned("bright-count")], narrate, QuestionKind("bright-answers", "bright-question", _prepare, "limit"))
'''
PANEL_SCRIPT = """// Counts bright pixels.

import { byId, write } from "../core/dom.js";
import { askServer } from "../core/server.js";
import { view } from "../core/store.js";

export function start() {}

export async function draw() {
  const { count } = await askServer("bright-answers", "bright-question", { ask: 1, state: view.asked, limit: 0.5 }, AbortSignal.timeout(20000));
  write(byId("bright-count"), `${count} bright pixels`);
}
"""
LAB = '''"""The lab bright: how many pixels are brighter than a limit."""

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
LAB_SCRIPT = """// Counts bright pixels.

import { element, write } from "../../core/dom.js";
import { labControl } from "../lab_controls.js";

export function build(lab) {
  const text = element("p", { id: "bright-count" });
  lab.controls.append(labControl(lab, "limit"));
  lab.figures.append(text);
  return { show: (answer) => write(text, `counted: ${answer.count}`) };
}
"""
FILES = {
    "explorer/page/panels/bright.py": PANEL,
    "assets/panels/bright.js": PANEL_SCRIPT,
    "explorer/labs/bright.py": LAB,
    "assets/panels/labs/bright.js": LAB_SCRIPT,
}
# By registry: a line, and what follows it or stands for it.
LINES = {
    "explorer/state.py": ('"methods", "labs"]', '"methods", "labs", "bright"]'),
    "assets/panels/registry.js": ('export * as compare from "./compare.js";', 'export * as compare from "./compare.js";\nexport * as bright from "./bright.js";'),
    "explorer/labs/__init__.py": ('    "convergence",\n', '    "convergence",\n    "bright",\n'),
    "assets/panels/labs/registry.js": ('export * as convergence from "./convergence.js";', 'export * as convergence from "./convergence.js";\nexport * as bright from "./bright.js";'),
}


@pytest.fixture(scope="module")
def extended(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("extended")
    for part in ("app.py", "explorer", "assets", "models"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    for name, content in FILES.items():
        (folder / name).write_text(content)
    for name, (line, new) in LINES.items():
        text = (folder / name).read_text()
        assert text.count(line) == 1
        (folder / name).write_text(text.replace(line, new))
    server = Server(folder)
    try:
        yield server.start()
    finally:
        server.stop()


def test_a_new_panel_needs_two_files_and_a_line_in_each_registry(visits: Callable[..., Visit], extended: Server) -> None:
    visit = visits(extended.address, apart=True).open()
    visit.page.get_by_role("tab", name="Bright pixels").click()
    visit.until("() => document.getElementById('bright-count').textContent === '32 bright pixels'")
    assert visit.text("headline").endswith("out of a new panel.")
    visit.page.reload()
    visit.until("() => document.getElementById('bright-count')?.textContent === '32 bright pixels'")  # the server is away after it
    assert visit.page.get_by_role("tab", name="Bright pixels").get_attribute("aria-selected") == "true"


def test_a_new_lab_needs_two_files_and_a_line_in_each_registry(visits: Callable[..., Visit], extended: Server) -> None:
    visit = visits(extended.address, apart=True).open("?tab=labs&v=2")
    visit.page.get_by_role("button", name="Bright pixels").click()
    visit.page.get_by_role("button", name="Half or more.").click()
    visit.until("() => document.getElementById('bright-count')?.textContent === 'counted: 32'")
    assert visit.page.locator(".lab-happened").inner_text() == "There are 32 bright pixels."
    assert "As you predicted" in visit.page.locator(".lab-verdict").inner_text()
    limit = visit.page.get_by_label("Limit")
    limit.focus()
    visit.press("End")
    visit.until("() => document.getElementById('bright-count').textContent === 'counted: 0'")
    assert "do=limit%3A1&" in visit.page.url and "other settings" in visit.page.locator(".lab-verdict").inner_text()
    visit.page.reload()
    visit.page.get_by_role("button", name="Skip").click()
    visit.until("() => document.getElementById('bright-count')?.textContent === 'counted: 0'")  # the server is away after it
