"""A new panel is a module, a script of the same name and a line in each registry: one is added to a copy of the program."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import ROOT, Server
from .visit import Visit

MODULE = '''"""A panel that counts bright pixels."""

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
SCRIPT = """// Counts bright pixels.

import { byId, write } from "../core/dom.js";
import { askServer } from "../core/server.js";
import { view } from "../core/store.js";

export function start() {}

export async function draw() {
  const { count } = await askServer("bright-answers", "bright-question", { ask: 1, state: view.asked, limit: 0.5 }, AbortSignal.timeout(20000));
  write(byId("bright-count"), `${count} bright pixels`);
}
"""


@pytest.fixture
def server_with_new_panel(chromium: str, tmp_path: Path) -> Iterator[Server]:
    for part in ("app.py", "explorer", "assets", "models"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part)
    (tmp_path / "explorer/page/panels/bright.py").write_text(MODULE)
    (tmp_path / "assets/panels/bright.js").write_text(SCRIPT)
    for registry, line, new in (
        ("explorer/state.py", 'Tab = Literal["saliency", "integrated", "compare", "methods", "labs"]', 'Tab = Literal["saliency", "integrated", "compare", "methods", "labs", "bright"]'),
        ("assets/panels/registry.js", 'export * as compare from "./compare.js";', 'export * as compare from "./compare.js";\nexport * as bright from "./bright.js";'),
    ):
        text = (tmp_path / registry).read_text()
        assert text.count(line) == 1
        (tmp_path / registry).write_text(text.replace(line, new))
    server = Server(tmp_path)
    try:
        yield server.start()
    finally:
        server.stop()


def test_a_new_panel_needs_two_files_and_a_line_in_each_registry(visits: Callable[..., Visit], server_with_new_panel: Server) -> None:
    visit = visits(server_with_new_panel.address, apart=True).open()
    visit.page.get_by_role("tab", name="Bright pixels").click()
    visit.until("() => document.getElementById('bright-count').textContent === '32 bright pixels'")
    assert visit.text("headline").endswith("out of a new panel.")
    visit.page.reload()
    visit.until("() => document.getElementById('bright-count')?.textContent === '32 bright pixels'")  # the server is away after it
    assert visit.page.get_by_role("tab", name="Bright pixels").get_attribute("aria-selected") == "true"
