"""What is taken away is what is shown: numbers as CSV and JSON, maps as PNG."""

from __future__ import annotations

import csv
import json
import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from links import link_of
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


def taken(visit: Visit, text: str, asks: int = 0) -> tuple[str, bytes]:
    """What a button of the box "Take away" saves; the server is asked only for the exact map that no tab has shown yet."""
    with visit.count_requests(asks):
        return saved(visit, visit.page.locator("#take-away button", has_text=text))


def table(content: bytes, separator: str = ",", point: str = ".") -> dict[str, list[float]]:
    """The columns of a CSV file, as a reader who is told nothing gets them: one line of names, then numbers in every cell."""
    names, *rows = csv.reader(content.decode("ascii").splitlines(), delimiter=separator)
    assert len(set(names)) == len(names) > 8 and all(re.fullmatch(r"[a-z]\w*", name) for name in names)
    assert {len(row) for row in rows} == {len(names)}
    numbers = [[float(cell.replace(point, ".")) for cell in row] for row in rows]
    return dict(zip(names, map(list, zip(*numbers, strict=True)), strict=True))


def test_the_attributions_as_csv(visit: Visit) -> None:
    visit.choose("network", "digits")
    visit.stroke((0, 0), (7, 7))
    visit.rest()
    name, content = taken(visit, "as CSV")
    assert name.endswith(".csv") and "digits" in name
    columns = table(content)
    said = visit.numbers()
    assert list(zip(columns["row"], columns["column"], strict=True)) == [(i // 8, i % 8) for i in range(64)]
    assert columns["input"] == visit.pixels
    assert columns["baseline"] == said["baseline"]
    for method, figures in said["methods"].items():
        assert columns[method] == figures["map"]  # to the last digit
        assert close(sum(columns[method]), figures["total"])
    assert close(sum(columns["integrated_gradients_exact"]), said["f"]["delta"])
    assert columns["smoothgrad_standard_error"] == said["smoothgrad"]["error"]
    by_numpy = np.genfromtxt(content.decode().splitlines(), delimiter=",", names=True)
    assert {name: by_numpy[name].tolist() for name in by_numpy.dtype.names} == columns
    comma_name, with_commas = taken(visit, "decimal commas")  # as Excel has them in German: there 1.5 is a date
    assert comma_name.endswith(".csv") and comma_name != name
    assert table(with_commas, ";", ",") == columns and b"." not in with_commas
    visit.open("?v=2&net=digits&n=1&tab=saliency")
    _, content = taken(visit, "as CSV", asks=1)  # for the exact map, which no tab has shown yet
    assert table(content).keys() == columns.keys() - {"smoothgrad_standard_error"}  # one sample has no error


def test_a_file_saved_while_an_answer_is_awaited_is_of_one_piece(visit: Visit, models: Mapping[str, Model]) -> None:
    held: list[Route] = []
    visit.page.route(f"**/{QUESTION}*", lambda route: held.append(route))
    visit.page.locator("#paint-clear").click()
    _, content = saved(visit, visit.page.locator("#take-away button", has_text="JSON"))
    whole = json.loads(content)
    state = State.from_json(whole["state"], models)
    assert whole["link"].endswith(link_of(state))
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
    for key in ("scores", "logits", "f", "methods", "smoothgrad", "correlations", "narration", "baseline"):
        assert whole[key] == said[key], key
    assert {**whole["exact"], "switches": ...} == {**said["exact"], "switches": ...}
    assert whole["exact"]["switches"] == visit.page.evaluate("() => explorer.view.path.switches")
    assert whole["state"] == visit.state
    path = whole["path"]
    assert [path[key] for key in ("alphas", "weights", "values")] == [said["path"][key] for key in ("alphas", "weights", "values")]
    curves = whole["curves"]
    assert len(curves["probability"]) == len(curves["logit"]) == 101 and abs(curves["probability"][-1] - whole["f"]["input"]) < 1e-3
    assert len(path["gradients"]) == 51 and {len(step) for step in path["gradients"]} == {64}
    weighted = [sum(w * g[i] for w, g in zip(path["weights"], path["gradients"], strict=True)) for i in range(64)]
    played = [(x - b) * g for x, b, g in zip(whole["state"]["pixels"], whole["baseline"], weighted, strict=True)]
    assert max(abs(a - b) for a, b in zip(played, whole["methods"]["integrated_gradients"]["map"], strict=True)) < 1e-6
    assert link_of(State(rule="trapezoid")) in whole["link"]


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
    def enlarged(button: Locator) -> tuple[str, bytes]:
        button.click()
        found = saved(visit, visit.page.get_by_role("button", name="Save as PNG"))
        visit.press("Escape")
        return found

    with visit.count_requests(0):
        name, content = enlarged(visit.page.get_by_label("Enlarge: Sum"))
    assert name == "integrated-gradients-vertical-edge-of-vertical-edge-by-shapes.png"
    assert len(content) > 5_000
    assert len(set(raw(content))) > 50  # not one plain colour
    names = set()
    visit.to_tab("compare")
    visit.rest()
    for button in visit.page.locator("#compare-maps").get_by_label("Enlarge").all():
        name, content = enlarged(button)
        assert content.startswith(b"\x89PNG")
        names.add(name)
    assert names == {f"{method}-vertical-edge-of-vertical-edge-by-shapes.png" for method in ("gradient", "smoothgrad", "gradient-times-input", "integrated-gradients")}
