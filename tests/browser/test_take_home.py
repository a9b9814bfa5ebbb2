"""What visitors take home: the notebook, the report, the lines of Python, and their own pictures, which stay in their browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from links import link_of
from playwright.sync_api import Locator, Route

from explorer.models import Model
from explorer.state import State

from .conftest import ROOT, Server
from .test_export import saved
from .test_looks import AXE, violations
from .visit import QUESTION, Visit

Visits = Callable[..., Visit]
STORED = "() => JSON.parse(localStorage.getItem('explorer-pictures') ?? '[]')"
BOTH = ["clipboard-read", "clipboard-write"]


def button(visit: Visit, text: str) -> Locator:
    return visit.page.locator("#take-away button", has_text=text)


def stored(visit: Visit) -> list[dict[str, Any]]:
    """The visitor's pictures, as the browser keeps them."""
    found: list[dict[str, Any]] = visit.page.evaluate(STORED)
    return found


def opened(visit: Visit) -> Locator:
    """The dialog of the visitor's pictures."""
    visit.page.locator("#my-pictures").click()
    dialog = visit.page.get_by_role("dialog", name="My pictures")
    dialog.wait_for()
    return dialog


# ---- notebook and Python


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_notebook_finds_the_numbers_of_the_page(visit: Visit) -> None:
    visit.open("?net=digits&rule=exact&pin=gradient,integrated_gradients,deeplift&tab=compare&v=2")
    visit.stroke((1, 1), (6, 5))
    visit.rest()
    assert not [r.url for r in visit.requests if "take_home" in r.url]  # it is fetched when it is first wanted
    with visit.count_requests(2) as made:
        name, content = saved(visit, button(visit, "Notebook"))
    assert "take_home.js" in made[0].url and name == f"notebook-{visit.page.evaluate('() => explorer.view.config.networks.digits.classes[explorer.view.answer.target]')}-of-custom-by-digits.ipynb"
    left: dict[str, Any] = {}
    cells = json.loads(content)["cells"]
    for cell in cells:
        if cell["cell_type"] == "code" and "plt.subplots" not in cell["source"]:
            exec(compile(cell["source"], cell["id"], "exec"), left)
    said = visit.numbers()
    assert list(left["maps"]) == ["gradient", "integrated_gradients", "deeplift"]
    np.testing.assert_array_equal(left["x"].ravel(), visit.pixels)
    np.testing.assert_array_equal(left["x0"].ravel(), said["baseline"])
    np.testing.assert_allclose(left["page"]["gradient"].ravel(), said["methods"]["gradient"]["map"], rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(left["maps"]["integrated_gradients"].ravel(), said["exact"]["map"], rtol=1e-6, atol=1e-9)
    assert visit.page.evaluate("() => location.href.replace(/#.*/, '')") in cells[0]["source"]
    with visit.count_requests(1):
        saved(visit, button(visit, "Notebook"))


def test_a_busy_server_is_asked_again_and_a_refusal_is_told(visit: Visit) -> None:
    visit.expects_errors = True  # the browser itself reports a status of 400 or more
    visit.rest()
    answers = [503]

    def answer(route: Route) -> None:
        if "notebook-question" in (route.request.post_data or "") and answers:
            route.fulfill(status=answers.pop(), headers={"Retry-After": "1"}, body="busy")
        else:
            route.fallback()

    visit.page.route(f"**/{QUESTION}*", answer)
    name, _ = saved(visit, button(visit, "Notebook"))
    assert name.endswith(".ipynb") and not answers
    answers.append(500)
    button(visit, "Notebook").click()
    visit.page.locator("#notices", has_text="The server could not be reached. Please try again.").wait_for()
    visit.page.unroute_all()
    dear = "set=averaged_baselines.steps:100,averaged_baselines.baselines:100,gradient_shap.samples:5000,smooth_integrated_gradients.steps:100,smooth_integrated_gradients.samples:100"
    visit.open(f"?net=digits-cnn&pin=averaged_baselines,gradient_shap,smooth_integrated_gradients&{dear}&v=2")
    button(visit, "Notebook").click()
    visit.page.locator("#notices", has_text="No notebook: these 3 methods together would take about").wait_for()
    assert button(visit, "Notebook").is_visible()


def test_the_copied_python_gives_the_maps(visits: Visits, server: Server, tmp_path: Path) -> None:
    visit = visits(server.address, permissions=BOTH).open("?net=digits&class=3&pin=gradient,lrp_epsilon&base=noise&v=2")
    button(visit, "Copy Python").click()
    button(visit, "Copied").wait_for()
    text = visit.page.evaluate("() => navigator.clipboard.readText()")
    script = tmp_path / "case.py"
    script.write_text(f'{text}\nimport json\nprint(json.dumps({{name: found.ravel().tolist() for name, found in maps.items()}}))\n', encoding="utf-8")
    ran = subprocess.run([sys.executable, str(script)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    assert "Vanilla gradient" in ran.stdout and "LRP-ε" in ran.stdout
    maps = json.loads(ran.stdout.splitlines()[-1])
    np.testing.assert_allclose(maps["gradient"], visit.numbers()["methods"]["gradient"]["map"], rtol=1e-9, atol=1e-13)


def test_without_a_clipboard_the_python_is_shown(visit: Visit) -> None:
    visit.rest()
    visit.page.evaluate("() => Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    button(visit, "Copy Python").click()
    assert "read_link(" in visit.page.get_by_role("dialog", name="Python").locator("textarea").input_value()


def test_downloads_and_pictures_are_offered_beside_a_lab_and_the_curve_where_it_is(visit: Visit) -> None:
    visit.open("?tab=labs&lab=shift&v=2")
    visit.page.get_by_role("link", name="downloads").click()
    assert button(visit, "Notebook").is_visible() and visit.page.locator("#completeness").is_hidden()
    assert button(visit, "Curve").is_hidden() and visit.page.locator("#my-pictures").is_visible()
    visit.to_tab("integrated")
    name, content = saved(visit, button(visit, "Curve"))
    assert name.endswith(".png") and content.startswith(b"\x89PNG")


# ---- report


@pytest.mark.parametrize("link", ["?v=2", "?net=digits-cnn&class=3&out=logit&rule=exact&pin=grad_cam,smoothgrad,occlusion,lrp_gamma&v=2", "?pin=grad_cam&base=drawing&draw=x&v=2"])
def test_the_report_is_one_page_of_its_own(link: str, visit: Visit, models: Mapping[str, Model]) -> None:
    visit.open(link)
    said, state = visit.numbers(), visit.state
    name, content = saved(visit, button(visit, "Report"))
    text = content.decode()
    assert name.startswith("report-") and name.endswith(".html") and text.startswith("<!DOCTYPE html>") and "<script" not in text
    page = visit.context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(text)
    assert page.evaluate("() => [...document.images].every((image) => image.complete && image.naturalWidth === 360)")
    assert all(url.startswith("data:") for url in asked)  # nothing from anywhere
    body = page.locator("body").inner_text()
    shown = len([name for name in state["pinned"] if not visit.page.evaluate("(name) => explorer.view.config.methods[name].unsupported[explorer.view.state.network]", name)])
    assert page.locator("img").count() == 2 + shown
    assert page.locator("figure").count() == 2 + len(state["pinned"])
    for title in visit.page.evaluate("() => explorer.view.state.pinned.map((name) => explorer.view.config.methods[name].title)"):
        assert title in body
    assert page.locator("a").get_attribute("href") == visit.address + link_of(State.from_json(state, models))
    assert page.locator("tr.told").count() == 1 and len(said["scores"]) == page.locator("table").first.locator("tr").count()
    page.emulate_media(media="print")
    assert page.evaluate("() => [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]") == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    printed = page.pdf(prefer_css_page_size=True)
    assert printed.count(b"/Type /Page\n") in (1, 2)
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.close()


def test_a_report_says_that_a_vanished_gradient_is_magnified(visit: Visit) -> None:
    visit.rest()
    text = saved(visit, button(visit, "Report"))[1].decode()
    assert "yet its gradient here is blank" in text and "magnified ×" in text  # else the drawing would contradict the sentence
    visit.open("?net=logistic&out=logit&v=2")
    assert "magnified" not in saved(visit, button(visit, "Report"))[1].decode()


# ---- the visitor's pictures


def test_what_is_painted_is_kept_once_a_picture(visit: Visit) -> None:
    visit.stroke((0, 0), (0, 5))
    visit.rest()
    assert [picture["network"] for picture in stored(visit)] == ["shapes"]
    first = stored(visit)[0]
    assert [level / 2800 for level in first["levels"]] == visit.pixels
    visit.stroke((3, 0), (3, 5))  # on the same picture
    visit.rest()
    assert len(stored(visit)) == 1 and stored(visit)[0]["levels"] != first["levels"]
    kept = stored(visit)[0]
    visit.page.locator("#paint-clear").click()
    visit.stroke((7, 0), (7, 7))  # another
    visit.rest()
    assert [picture["levels"] for picture in stored(visit)[1:]] == [kept["levels"]]
    visit.page.locator("#paint-undo").click()  # what was undone stays, and what is painted instead is another
    visit.stroke((6, 0), (6, 7))
    visit.rest()
    assert len(stored(visit)) == 3
    visit.page.locator("[data-name=cross]").click()
    visit.choose("network", "digits")
    visit.rest()
    assert len(stored(visit)) == 3  # presets and settings are no paintings
    visit.page.locator(".paint-cell").first.focus()
    visit.press("5")  # nor is the keyboard left out
    visit.rest()
    assert len(stored(visit)) == 4 and stored(visit)[0]["network"] == "digits"
    visit.open(stored(visit)[1]["link"])
    assert [level / 2800 for level in stored(visit)[1]["levels"]] == visit.pixels


def test_only_the_last_twenty_are_kept(visit: Visit) -> None:
    for column in range(8):
        for row in (1, 4, 6):
            visit.page.locator("#paint-clear").click()
            visit.stroke((row, column))
    visit.rest()
    assert len(stored(visit)) == 20
    assert [level / 2800 for level in stored(visit)[0]["levels"]] == visit.pixels
    assert opened(visit).locator(".gallery li").count() == 20


def test_a_picture_is_used_again_and_deleted(visit: Visit) -> None:
    visit.stroke((0, 0), (0, 5))
    visit.page.locator("[data-name=cross]").click()
    visit.stroke((0, 0), (5, 0))
    visit.rest()
    newer, older = stored(visit)
    dialog = opened(visit)
    assert dialog.get_by_role("link").first.get_attribute("href") == newer["link"]
    dialog.get_by_role("button", name="Use picture 2 of 2").click()
    visit.rest()
    assert visit.pixels == [level / 2800 for level in older["levels"]] and not visit.page.locator("dialog[open]").count()
    visit.stroke((7, 7))  # the old one stays as it was
    visit.rest()
    assert len(stored(visit)) == 3
    visit.press("Control+z", "Control+z")
    visit.rest()
    assert visit.pixels == [level / 2800 for level in newer["levels"]]
    dialog = opened(visit)
    dialog.get_by_role("button", name="Delete picture 2 of 3").click()
    assert len(stored(visit)) == 2 and stored(visit)[0]["levels"] != newer["levels"]
    assert visit.page.evaluate("() => document.activeElement.getAttribute('aria-label')").startswith("Delete picture 2 of 2")
    visit.page.get_by_role("button", name="Delete all").click()
    assert len(stored(visit)) == 2  # it asks first
    visit.page.get_by_role("button", name="Press again to delete all 2").click()
    assert stored(visit) == [] and dialog.get_by_text("None yet.").is_visible()


def test_a_picture_of_another_network_brings_its_network(visit: Visit) -> None:
    visit.stroke((0, 0), (0, 5))
    visit.choose("network", "digits")
    visit.rest()
    opened(visit).get_by_role("button", name="Use picture 1").click()
    visit.rest()
    assert visit.state["network"] == "shapes"
    visit.page.locator("#notices", has_text="for which this was painted").get_by_role("button", name="Undo").click()
    visit.rest()
    assert visit.state["network"] == "digits"


@pytest.mark.parametrize("width", [1440, 390])
def test_the_dialog_is_used_by_keyboard_and_axe_finds_nothing(width: int, visit: Visit) -> None:
    visit.page.set_viewport_size({"width": width, "height": 800})
    visit.stroke((0, 0), (0, 5))
    visit.rest()
    visit.page.locator("#my-pictures").focus()
    visit.press("Enter")
    dialog = visit.page.get_by_role("dialog", name="My pictures")
    dialog.wait_for()
    visit.page.evaluate(AXE)
    assert not violations(visit)
    assert dialog.evaluate("(dialog) => dialog.scrollWidth <= dialog.clientWidth")
    small = "(all) => all.map((one) => one.getBoundingClientRect()).filter(({ width, height }) => width < 24 || height < 24).length"
    assert dialog.locator("button, a").evaluate_all(small) == 0
    visit.press("Tab", "Enter")  # from Close to the first picture
    visit.rest()
    assert not visit.page.locator("dialog[open]").count()


@pytest.mark.parametrize("storage", ["throw new DOMException('no')", "return { getItem: (key) => key !== 'explorer-pictures' ? null : '[{\"levels\": [1]}, 5, null]', setItem() { throw new DOMException('full'); }, removeItem() {}, clear() {} }"])
def test_a_browser_that_keeps_nothing_or_something_else_paints_all_the_same(storage: str, visits: Visits, server: Server) -> None:
    visit = visits(server.address, apart=True)
    visit.open_when_used()._page.add_init_script(f"Object.defineProperty(window, 'localStorage', {{ get() {{ {storage} }} }})")
    visit.stroke((0, 0), (0, 5))
    visit.rest()
    dialog = opened(visit)
    assert dialog.get_by_text("None yet.").is_visible() and not dialog.locator(".gallery li").count()
