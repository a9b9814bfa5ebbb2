"""``make record``: records the requests of the real page in Chromium, for ``bench/students.py``.

Each session opens a link, paints fast and slow strokes, changes settings and looks at the Methods tab. The bodies are
stored unchanged, one session a line, in ``bench/bodies.jsonl.gz``.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]  # for the imports of tests/browser/visit.py

from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from bench.bodies import FILE  # noqa: E402
from bench.serving import running  # noqa: E402
from explorer.pictures import PATTERNS  # noqa: E402
from tests.browser.chromium import EXPOSE, LAUNCH_ARGUMENTS, find_chromium  # noqa: E402
from tests.browser.visit import WATCH, Visit  # noqa: E402

SEED = 4
STROKES = 8  # in a session
SLOW = 0.25  # share of strokes that last long enough for intermediate requests
NETWORKS = ("shapes",) * 5 + ("digits",) * 4 + ("digits-cnn", "digits-rewritten", "logistic")
BASES = ("black", "black", "white", "noise", "blur", "mean", "farthest")
SETTINGS = (("rule", "midpoint"), ("rule", "exact"), ("output", "logit"), ("baseline", "blur"), ("steps", "120"), ("samples", "25"))

# Stores each body that the page sends, with its time in ms since the start of the last gesture.
RECORD = """
(() => {
  const sent = (window.sent = { bodies: [], began: 0 });
  document.addEventListener("pointerdown", () => (sent.began = performance.now()), true);
  const fetched = window.fetch;
  window.fetch = (...wanted) => {
    if (String(wanted[0]).includes("_dash-update-component")) sent.bodies.push([Math.round(performance.now() - sent.began), wanted[1].body]);
    return fetched(...wanted);
  };
})();
"""
METHODS_COMPLETE = """() => Object.keys(explorer.view.config.methods).every(
    (name) => explorer.isWhole(name) || explorer.view.config.methods[name].unsupported[explorer.view.asked.network])"""


def record(browser: Browser, address: str, number: int) -> dict[str, Any]:
    """One session: its link, the first body, and its actions in order."""
    rng = random.Random(f"{SEED} {number}")
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    page.add_init_script(EXPOSE + WATCH)
    page.add_init_script(RECORD)
    visit = Visit(page, address)
    link = opening_link(rng, NETWORKS[number])
    visit.open(link)
    (_, opening), *_ = new_bodies(visit)
    acts = [stroke(visit, rng) for _ in range(STROKES // 2)]
    acts.append(setting(visit, rng))
    visit.page.locator("#brush").fill(str(rng.randrange(0, 80, 5)))
    acts += [stroke(visit, rng) for _ in range(STROKES - STROKES // 2)]
    acts.append(methods(visit))
    visit.check()
    page.context.close()
    return {"link": link, "opening": opening, "acts": acts}


def opening_link(rng: random.Random, network: str) -> str:
    """A link as from a teacher: a network and a pattern, some with settings; some links are empty."""
    pattern, empty = rng.choice([name for name in PATTERNS if name != "white"]), rng.random() < 0.25
    if empty:
        return f"?v=2&net={network}" if network != "shapes" else ""
    parts = {"v": "1", "net": network, "p": pattern, "class": "predicted", "base": rng.choice(BASES)}
    if rng.random() < 0.3:
        parts |= {"m": str(rng.choice([20, 100, 300])), "n": str(rng.choice([10, 100]))}
    return "?" + "&".join(f"{key}={value}" for key, value in parts.items())


def stroke(visit: Visit, rng: random.Random) -> dict[str, Any]:
    """Paint some neighbouring cells, usually so fast that only the end sends a request."""
    slow = rng.random() < SLOW
    row, column = rng.randrange(8), rng.randrange(8)
    cells = [(row, column)]
    for _ in range(rng.randint(2, 6)):
        row, column = (min(7, max(0, index + rng.choice([-1, 0, 1]))) for index in (row, column))
        cells.append((row, column))
    if slow:
        visit.page.mouse.move(*visit.cell(*cells[0]))
        visit.page.mouse.down()
        for cell in cells[1:]:
            visit.page.wait_for_timeout(rng.randint(60, 140))  # about the speed of a hand
            visit.page.mouse.move(*visit.cell(*cell))
        visit.page.mouse.up()
    else:
        visit.stroke(*cells)
    visit.rest()
    return {"act": "stroke", "bodies": new_bodies(visit)}


def setting(visit: Visit, rng: random.Random) -> dict[str, Any]:
    """Change one setting; the page sends the same request as for a stroke."""
    visit.page.evaluate("() => (document.getElementById('settings').open = true)")
    name, value = rng.choice(SETTINGS)
    if name in ("steps", "samples"):
        visit.enter(name, value)
    else:
        visit.page.evaluate("([name, value]) => { explorer.update({ [name]: value }); explorer.commit(); }", [name, value])
    visit.rest()
    return {"act": "stroke", "bodies": [[0, body] for _, body in new_bodies(visit)]}


def methods(visit: Visit) -> dict[str, Any]:
    """Look at every method: the page requests them in portions, one after the other."""
    visit.page.evaluate("() => { document.getElementById('methods-all').open = true; }")
    visit.to_tab("methods")
    visit.page.wait_for_function(METHODS_COMPLETE)
    return {"act": "methods", "bodies": [body for _, body in new_bodies(visit)]}


def new_bodies(visit: Visit) -> list[list[Any]]:
    """The bodies sent since the last call, with their times."""
    bodies: list[list[Any]] = visit.page.evaluate("() => sent.bodies.splice(0)")
    return bodies


def main() -> None:
    """Record a session for each entry of ``NETWORKS``."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("recording needs Chromium or Chrome, and none was found")
    with running("app.py") as (port, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=LAUNCH_ARGUMENTS)
        sessions = [record(browser, f"http://127.0.0.1:{port}/", number) for number in range(len(NETWORKS))]
        browser.close()
    text = "".join(json.dumps(session, ensure_ascii=False) + "\n" for session in sessions)
    FILE.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    strokes = [act for session in sessions for act in session["acts"] if act["act"] == "stroke"]
    count = sum(len(act["bodies"]) for act in strokes)
    print(f"{FILE.relative_to(ROOT)}: {len(sessions)} sessions, {len(strokes)} strokes and changes with {count} requests, {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
