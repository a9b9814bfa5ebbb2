"""What is taken away is what is shown: numbers as CSV and JSON, maps as PNG."""

from __future__ import annotations

import csv
import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Download, Locator, Route

from explorer.models import Model
from explorer.page.answer import answer
from explorer.state import State

from .visit import QUESTION, Visit


def saved(visit: Visit, button: Locator) -> tuple[str, bytes]:
    """The name and content of the file that a button saves."""
    with visit.page.expect_download() as waiting:
        button.click()
    download: Download = waiting.value
    path = download.path()
    return download.suggested_filename, Path(path).read_bytes()


def close(a: float, b: float) -> bool:
    """Equal up to the order of a sum."""
    return abs(a - b) <= 1e-9 * max(1, abs(a), abs(b))


def taken(visit: Visit, text: str) -> tuple[str, bytes]:
    """What a button of the box "Take away" saves, without asking the server."""
    with visit.count_requests(0):
        return saved(visit, visit.page.locator("#take-away button", has_text=text))


def test_the_attributions_as_csv(visit: Visit) -> None:
    visit.choose("network", "digits")
    visit.stroke((0, 0), (7, 7))
    visit.rest()
    name, content = taken(visit, "CSV")
    assert name.endswith(".csv") and "digits" in name
    lines = content.decode().splitlines()
    about = dict(line.removeprefix("# ").split(": ", 1) for line in lines if line.startswith("#"))
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    said = visit.numbers()
    assert len(rows) == 64
    assert [(int(row["row"]), int(row["column"])) for row in rows] == [(i // 8, i % 8) for i in range(64)]
    assert [float(row["input"]) for row in rows] == visit.pixels
    assert [float(row["baseline"]) for row in rows] == said["baseline"]
    for method, figures in said["methods"].items():
        column = [float(row[method]) for row in rows]
        assert column == figures["map"]
        assert close(sum(column), figures["total"])
    assert close(sum(float(row["integrated_gradients_exact"]) for row in rows), said["f"]["delta"])
    assert [float(row["smoothgrad_standard_error"]) for row in rows] == said["smoothgrad"]["error"]
    assert json.loads(about["state"]) == visit.state
    assert about["link"].endswith(visit.page.evaluate("() => explorer.link()"))
    assert float(about["delta_f"]) == said["f"]["delta"]
    visit.enter("samples", "1")
    visit.rest()
    _, content = taken(visit, "CSV")
    rows = list(csv.DictReader(line for line in content.decode().splitlines() if not line.startswith("#")))
    assert {row["smoothgrad_standard_error"] for row in rows} == {""}  # one sample has no error


def test_a_file_saved_while_an_answer_is_awaited_is_of_one_piece(visit: Visit, models: Mapping[str, Model]) -> None:
    held: list[Route] = []
    visit.page.route(f"**/{QUESTION}*", lambda route: held.append(route))
    visit.page.locator("#paint-clear").click()
    _, content = saved(visit, visit.page.locator("#take-away button", has_text="JSON"))
    whole = json.loads(content)
    state = State.from_json(whole["state"], models)
    assert whole["link"].endswith(state.to_query())
    assert whole["scores"] == answer(state, models)["scores"]
    held[0].continue_()
    visit.page.unroute_all()
    visit.rest()


def test_all_numbers_as_json(visit: Visit) -> None:
    visit.choose("rule", "trapezoid")
    visit.rest()
    name, content = taken(visit, "JSON")
    assert name.endswith(".json")
    whole: dict[str, Any] = json.loads(content)
    said = visit.numbers()
    for key in ("scores", "logits", "f", "methods", "smoothgrad", "correlations", "words", "baseline"):
        assert whole[key] == said[key], key
    assert {**whole["exact"], "switches": ...} == {**said["exact"], "switches": ...}
    assert whole["exact"]["switches"] == visit.page.evaluate("() => explorer.view.path.switches")
    assert whole["state"] == visit.state
    path = whole["path"]
    assert [path[key] for key in ("alphas", "weights", "values")] == [said["path"][key] for key in ("alphas", "weights", "values")]
    assert len(path["curve"]) == 101 and abs(path["curve"][-1] - whole["f"]["input"]) < 1e-6
    assert len(path["gradients"]) == 51 and {len(step) for step in path["gradients"]} == {64}
    weighted = [sum(w * g[i] for w, g in zip(path["weights"], path["gradients"], strict=True)) for i in range(64)]
    played = [(x - b) * g for x, b, g in zip(whole["state"]["pixels"], whole["baseline"], weighted, strict=True)]
    assert max(abs(a - b) for a, b in zip(played, whole["methods"]["integrated_gradients"]["map"], strict=True)) < 1e-6
    assert State(rule="trapezoid").to_query() in whole["link"]


def raw(png: bytes) -> bytes:
    """The pixel data of a PNG, filters and all."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    assert width >= 600 and height >= 600
    at, data = 8, b""
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + size]
        at += 12 + size
    return zlib.decompress(data)


def test_maps_as_png(visit: Visit) -> None:
    with visit.count_requests(0):
        name, content = saved(visit, visit.page.get_by_label("Save as PNG: Gradient").first)
    assert name == "gradient-vertical-edge-of-vertical-edge-by-shapes.png"
    assert len(content) > 5_000
    assert len(set(raw(content))) > 50  # not one plain colour
    names = set()
    visit.to_tab("compare")
    for button in visit.page.locator("#compare-maps").get_by_label("Save as PNG").all():
        name, content = saved(visit, button)
        assert content.startswith(b"\x89PNG")
        names.add(name)
    assert names == {f"{method}-vertical-edge-of-vertical-edge-by-shapes.png" for method in ("gradient", "integrated-gradients", "smoothgrad")}
