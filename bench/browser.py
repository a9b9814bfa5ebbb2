"""(c) The page in headless Chromium, as on a desktop and as on a cheap phone: opening, strokes, frames of playing, the Methods tab."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from bench.pairs import Row, percentile
from bench.serving import running
from tests.browser.chromium import EXPOSE, LAUNCH_ARGUMENTS, find_chromium, until

FRAME_WORK = {"FireAnimationFrame", "UpdateLayoutTree", "Layout"}
STROKES, LOOKS, OPENINGS = 40, 10, 5
NETWORK = {"offline": False, "latency": 100, "downloadThroughput": 4e6 / 8, "uploadThroughput": 4e6 / 8}  # ms, bytes a second
ALL_METHODS = "Object.entries(explorer.view.config.methods).every(([name, m]) => explorer.isWhole(name) || m.unsupported[explorer.view.asked.network])"
# A task that is queued while a frame is made runs when that frame has been painted.
OPENED = """
(() => {
  const look = () => {
    if (window.explorer?.view?.answer) setTimeout(() => (window.opened = performance.now()));
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""


@dataclass(frozen=True, slots=True)
class Device:
    """A machine to look at the page with: its viewport, device pixels a CSS pixel, and how many times slower its processor is."""

    name: str
    size: tuple[int, int]
    ratio: int
    slowed: int
    stroke_aim: str
    frame_aim: str


DEVICES = (
    Device("desktop", (1440, 900), 1, 1, "≤ 50 ms", "60 frames/s"),
    Device("phone, 4 × slower", (390, 844), 2, 4, "≤ 150 ms", "≥ 58 frames/s"),
)


def rows() -> list[Row]:
    """The same rows for each device: an opening, strokes and a playback with m = 300 on Integrated Gradients, looks at Methods."""
    chromium = find_chromium()
    if chromium is None:
        print("\n(c) needs Chromium or Chrome, and none was found")
        return []
    found = []
    with running("app.py") as (port, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=LAUNCH_ARGUMENTS)
        for device in DEVICES:
            measured = _opening(browser, device, port)
            with _opened(browser, device, port, "?v=2&m=300&tab=integrated") as page:
                measured += [*_strokes(page, device), *_frames(browser, page, device)]
            with _opened(browser, device, port, "") as page:
                measured += _methods(page)
            found += [Row(f"{device.name}: {row.what}", row.ours, row.against, row.theirs, row.ratio, row.aim) for row in measured]
        browser.close()
    return found


@contextmanager
def _page(browser: Browser, device: Device) -> Iterator[tuple[Page, CDPSession]]:
    """An empty page of a visitor who was never here, with the protocol that slows it."""
    width, height = device.size
    context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=device.ratio)
    page = context.new_page()
    page.add_init_script(EXPOSE + OPENED)
    protocol = context.new_cdp_session(page)
    protocol.send("Emulation.setCPUThrottlingRate", {"rate": device.slowed})
    yield page, protocol
    context.close()


@contextmanager
def _opened(browser: Browser, device: Device, port: int, link: str) -> Iterator[Page]:
    """The page at a link, with its first answer."""
    with _page(browser, device) as (page, _):
        page.goto(f"http://127.0.0.1:{port}/{link}")
        until(page, "window.opened")
        yield page


def _opening(browser: Browser, device: Device, port: int) -> list[Row]:
    """First visits over a slow network."""
    times, sizes = [], []
    for _ in range(OPENINGS):
        with _page(browser, device) as (page, protocol):
            received: list[float] = []
            protocol.on("Network.loadingFinished", lambda event, received=received: received.append(event["encodedDataLength"]))
            protocol.send("Network.enable")
            protocol.send("Network.emulateNetworkConditions", NETWORK)
            page.goto(f"http://127.0.0.1:{port}/")
            until(page, "window.opened")
            times.append(page.evaluate("window.opened"))
            sizes.append(sum(received))
    size = median(sizes) / 1000
    return [Row(f"opening at 4 Mbit/s and 100 ms, median ({size:.0f} kB)", median(times), ratio=f"{size:.0f} kB", aim="≤ 2 s, ≤ 450 kB")]


def _frames(browser: Browser, page: Page, device: Device) -> list[Row]:
    page.select_option("#speed", "60")
    page.evaluate("() => { const count = () => { window.frameCount++; requestAnimationFrame(count); }; count(); }")
    page.evaluate("() => { window.frameCount = 0; window.began = performance.now(); }")
    page.click("#play")
    until(page, "explorer.view.step === explorer.view.path.count", 30_000)
    rate = page.evaluate("() => 1000 * window.frameCount / (performance.now() - window.began)")
    with tempfile.TemporaryDirectory() as folder:  # once more: tracing itself takes time
        trace = Path(folder) / "trace.json"
        browser.start_tracing(page=page, path=trace, categories=["devtools.timeline"])
        page.click("#play")
        until(page, "explorer.view.step === explorer.view.path.count", 30_000)
        browser.stop_tracing()
        costs = _frame_costs(json.loads(trace.read_text())["traceEvents"])
    p95 = percentile(costs, 0.95)
    return [
        Row(f"a frame's script and layout, m = 300, p95 of {len(costs)}", p95, "a frame at 60 a second", 1000 / 60, f"{p95 * 60 / 1000:.2f} ×", "≤ 4 ms" if device.slowed == 1 else ""),
        Row(f"between frames ({rate:.1f} frames a second)", 1000 / rate, "a frame at 60 a second", 1000 / 60, f"{rate / 60:.2f} of 60", device.frame_aim),
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


def _strokes(page: Page, device: Device) -> list[Row]:
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
    page.locator("#paint-grid").scroll_into_view_if_needed()
    for stroke in range(STROKES):
        box = page.locator("#paint-grid").bounding_box()
        assert box is not None
        y = box["y"] + box["height"] * (0.5 + stroke % 8) / 8
        page.mouse.move(box["x"] + 10, y)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * (0.3 + 0.6 * ((stroke * 7) % 10) / 10), y)
        until(page, "!explorer.isAsking()")  # what was asked while it lasted is no answer to its end
        page.evaluate("() => (window.painting = true)")
        page.mouse.up()
        until(page, f"window.redrawn.length > {stroke}")
        if stroke % 8 == 7:
            page.click("#paint-clear")
            until(page, "explorer.view.asked.pixels.every((v) => v === 0)")
            page.locator("#paint-grid").scroll_into_view_if_needed()
    times: list[float] = page.evaluate("window.redrawn")
    return [
        Row(f"stroke's end to all panels redrawn, p95 of {len(times)}", percentile(times, 0.95), aim=device.stroke_aim),
        Row("the same, median", median(times)),
    ]


def _methods(page: Page) -> list[Row]:
    first, whole = [], []
    page.evaluate("() => { document.getElementById('methods-all').open = true; }")  # so that all are asked for
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
