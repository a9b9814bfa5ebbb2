"""(c) What a frame of playing costs, and how long strokes and the Methods tab take until they are drawn, in headless Chromium."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from bench.pairs import Row, percentile
from bench.serving import running
from tests.browser.chromium import EXPOSE, LAUNCH_ARGUMENTS, find_chromium, until

FRAME_WORK = {"FireAnimationFrame", "UpdateLayoutTree", "Layout"}
STROKES, LOOKS = 40, 10
ALL_METHODS = "Object.entries(explorer.view.config.methods).every(([name, m]) => explorer.isWhole(name) || m.unsupported[explorer.view.asked.network])"


def rows() -> list[Row]:
    """Frames of a playback with m = 300, strokes on the Integrated Gradients tab (the one with most to draw), looks at the Methods tab."""
    chromium = find_chromium()
    if chromium is None:
        print("\n(c) needs Chromium or Chrome, and none was found")
        return []
    with running("app.py") as (port, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=LAUNCH_ARGUMENTS)
        with _opened(browser, port, "?v=1&m=300&tab=integrated") as page:
            found = [*_frames(browser, page), *_strokes(page)]
        with _opened(browser, port, "") as page:
            found += _methods(page)
        browser.close()
    return found


@contextmanager
def _opened(browser: Browser, port: int, link: str) -> Iterator[Page]:
    """The page at a link, with its first answer."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.add_init_script(EXPOSE)
    page.goto(f"http://127.0.0.1:{port}/{link}")
    until(page, "window.explorer?.view?.answer")
    yield page
    page.close()


def _frames(browser: Browser, page: Page) -> list[Row]:
    page.select_option("#speed", "60")
    page.evaluate("() => { const count = () => { window.frameCount++; requestAnimationFrame(count); }; count(); }")
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        browser.start_tracing(page=page, path=trace, categories=["devtools.timeline"])
        page.evaluate("() => { window.frameCount = 0; window.began = performance.now(); }")
        page.click("#play")
        until(page, "explorer.view.step === explorer.view.path.count", 30_000)
        rate = page.evaluate("() => 1000 * window.frameCount / (performance.now() - window.began)")
        browser.stop_tracing()
        costs = _frame_costs(json.loads(trace.read_text())["traceEvents"])
    p95 = percentile(costs, 0.95)
    return [
        Row(f"a frame's script and layout, m = 300, p95 of {len(costs)}", p95, "a frame at 60 a second", 1000 / 60, f"{p95 * 60 / 1000:.2f} ×", "≤ 4 ms"),
        Row(f"time between frames ({rate:.1f} frames a second)", 1000 / rate, "a frame at 60 a second", 1000 / 60, f"{rate / 60:.2f} of 60"),
    ]


def _frame_costs(events: list[dict[str, Any]]) -> list[float]:
    """For each frame in which playback did work: milliseconds of script and layout, until the next frame begins."""
    work = sorted((e for e in events if e.get("name") in FRAME_WORK and "dur" in e), key=lambda e: e["ts"])
    costs: list[float] = []
    begun = -1e9
    for event in work:
        if event["name"] == "FireAnimationFrame" and event["ts"] - begun > 5_000:
            costs.append(0.0)
            begun = event["ts"]
        if costs:
            costs[-1] += event["dur"] / 1000
    return costs


def _strokes(page: Page) -> list[Row]:
    page.evaluate(
        """() => {
            window.redrawn = [];
            document.addEventListener("pointerup", () => (window.ended = performance.now()), true);
            explorer.on("answer", () => {
                if (!window.painting) return;
                window.painting = false;
                // a task that is queued while a frame is made runs when that frame has been painted
                requestAnimationFrame(() => setTimeout(() => window.redrawn.push(performance.now() - window.ended)));
            });
        }"""
    )
    box = page.locator("#paint-grid").bounding_box()
    assert box is not None
    for stroke in range(STROKES):
        y = box["y"] + box["height"] * (0.5 + stroke % 8) / 8
        page.evaluate("() => (window.painting = true)")
        page.mouse.move(box["x"] + 10, y)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * (0.3 + 0.6 * ((stroke * 7) % 10) / 10), y)
        page.mouse.up()
        until(page, f"window.redrawn.length > {stroke}")
        if stroke % 8 == 7:
            page.click("#paint-clear")
            until(page, "explorer.view.asked.pixels.every((v) => v === 0)")
    times: list[float] = page.evaluate("window.redrawn")
    return [
        Row(f"stroke's end to all panels redrawn, p95 of {len(times)}", percentile(times, 0.95), aim="≤ 50 ms"),
        Row("the same, median", median(times)),
    ]


def _methods(page: Page) -> list[Row]:
    first, whole = [], []
    for _ in range(LOOKS):
        page.evaluate(
            """() => { window.clicked = performance.now(); window.first = null;
                explorer.on("methods", (names) => { if (names && !window.first) window.first = performance.now() - window.clicked; }); }"""
        )
        page.click("#tab-methods")
        until(page, ALL_METHODS)
        whole.append(page.evaluate("performance.now() - window.clicked"))
        first.append(page.evaluate("window.first"))
        page.click("#tab-saliency")
        page.click("#paint-invert")  # another picture, so that all is asked anew
        until(page, "JSON.stringify(explorer.view.asked.pixels) === JSON.stringify(explorer.view.state.pixels)")
    return [
        Row("Methods tab, shapes: from the click to the first maps, median", median(first), aim="≤ 100 ms"),
        Row("the same, to all of them, median", median(whole), aim="≤ 1 s"),
    ]
