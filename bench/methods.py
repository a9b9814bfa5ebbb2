"""(e) Every method with its defaults against the library that has it, and the whole Methods tab in a browser."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from playwright.sync_api import sync_playwright

from bench.libraries import library_work
from bench.pairs import Row, faster_row, percentile, time_pairs
from bench.serving import served
from explorer.attribution import METHODS, Case
from explorer.models import FOLDER, load_zoo
from explorer.pictures import digit_samples
from tests.browser.chromium import LAUNCH_ARGUMENTS, find_chromium, until

REPEATS = 20
ALL_THERE = "Object.entries(explorer.view.config.methods).every(([name, m]) => explorer.isWhole(name) || m.refusals[explorer.view.asked.network])"


def rows() -> list[Row]:
    """Digits network (the convolutional one where a method needs it), a handwritten 3, black baseline, its logit."""
    torch.set_num_threads(1)
    zoo = load_zoo()
    picture = digit_samples(FOLDER)[3][0]
    found = []
    for name, method in METHODS.items():
        network = zoo["digits"].network
        if method.refusal(network):
            network = zoo["digits-cnn"].network
        case = Case(network, picture, np.zeros((8, 8)), network.predict(picture), "logit")
        ours = partial(method, case)
        theirs = library_work(name, case)
        if theirs is None:
            found.append(Row(method.title, percentile(time_pairs([ours], REPEATS)[0], 0.5), "no library here has it"))
        else:
            found.append(faster_row(method.title, ours, theirs[0], theirs[1], repeats=REPEATS))
    return found + _in_browser()


def _in_browser() -> list[Row]:
    chromium = find_chromium()
    if chromium is None:
        return []
    with served("app.py") as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=LAUNCH_ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"http://127.0.0.1:{port}/")
        until(page, "window.explorer?.view?.answer")
        first, whole = [], []
        for _ in range(10):
            page.evaluate(
                """() => { window.clicked = performance.now(); window.first = window.whole = null;
                    explorer.on("methods", (names) => { if (names && !window.first) window.first = performance.now() - window.clicked; }); }"""
            )
            page.click("#tab-methods")
            until(page, ALL_THERE)
            whole.append(page.evaluate("performance.now() - window.clicked"))
            first.append(page.evaluate("window.first"))
            page.click("#tab-saliency")
            page.click("#paint-invert")  # another picture: everything is to be asked anew
            until(page, "JSON.stringify(explorer.view.asked.pixels) === JSON.stringify(explorer.view.state.pixels)")
        browser.close()
    return [
        Row("Methods tab, shapes: from the click to the first maps, median", percentile(first, 0.5), "", None, "", "≤ 100 ms"),
        Row("the same, to all of them, median", percentile(whole, 0.5), "", None, "", "≤ 1 s"),
    ]
