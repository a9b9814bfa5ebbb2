"""The page with networks of the user's own: what the scripts do otherwise for them; and the page that ``explorer.show`` opens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser
from proxy import stand_in
from torch import nn

import explorer
from explorer.models import Model
from explorer.own.load import load_added
from explorer.own.named import FOLDER
from explorer.page.layout import MOST_SAMPLES

from .conftest import ROOT, Server, new_page
from .visit import Visit

PICTURES = np.random.default_rng(0).integers(0, 17, (20, 8, 8)) / 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two networks: one with tanh and sample pictures, one with ReLU and neither."""
    place = tmp_path_factory.mktemp("networks")
    torch.manual_seed(0)
    explorer.export_network(nn.Sequential(nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 3)), place / "bent", classes=["<b>one</b>", "two", "three"], pictures=PICTURES)
    explorer.export_network(nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 2)), place / "straight")
    return place


@pytest.fixture(scope="module")
def zoo(folder: Path, models: Mapping[str, Model]) -> Mapping[str, Model]:
    return MappingProxyType({**models, **load_added({FOLDER: str(folder)}, models)})


@pytest.fixture(scope="module")
def address(folder: Path, chromium: str) -> Iterator[str]:
    server = Server(NETWORKS=str(folder))
    try:
        yield server.start().address
    finally:
        server.stop()


@pytest.fixture
def mine(browser: Browser, address: str) -> Iterator[Visit]:
    page = new_page(browser)
    visit = Visit(page, address)
    yield visit
    visit.check()
    page.context.close()


def test_an_added_network_is_in_the_list_and_gives_its_numbers(mine: Visit, zoo: Mapping[str, Model]) -> None:
    mine.open("?net=straight&rule=exact&v=2")
    assert mine.page.locator("#network option").all_inner_texts()[-2:] == ["Bent", "Straight"]
    mine.shows_the_numbers_of_its_state(zoo)
    assert mine.page.locator("#own-samples").is_hidden()
    with mine.count_requests(1):
        mine.choose("network", "bent")
    assert mine.state["rule"] == "right" and "the rule is now “right”" in mine.text("notices")
    assert mine.page.locator("#rule option[value=exact]").is_disabled()
    assert "<b>one</b>" in mine.text("scores"), "names are text"
    mine.shows_the_numbers_of_its_state(zoo)
    with mine.count_requests(1):
        mine.choose("network", "straight")
    assert mine.page.locator("#rule option[value=exact]").is_enabled()


def test_a_network_without_an_exact_path_is_asked_once_a_tab(mine: Visit, zoo: Mapping[str, Model]) -> None:
    mine.open("?net=bent&tab=saliency&v=2")
    with mine.count_requests(1):
        mine.to_tab("integrated")
    assert mine.numbers()["exact"] is None and mine.text("panel-integrated")
    for tab in ("saliency", "integrated"):
        with mine.count_requests(0):
            mine.to_tab(tab)
    mine.shows_the_numbers_of_its_state(zoo)


def test_its_sample_pictures_stand_below_the_patterns_and_digits_leave_it_chosen(mine: Visit) -> None:
    mine.open("?net=bent&v=2")
    samples = mine.page.locator("#own-samples button")
    assert samples.count() == MOST_SAMPLES
    with mine.count_requests(1):
        samples.nth(1).click()
    assert any(np.allclose(np.reshape(mine.pixels, (8, 8)), picture, atol=1e-3) for picture in PICTURES[1:])
    for button in (mine.page.locator("#digits .digit").nth(3), mine.page.locator('#patterns [data-name="cross"]')):
        with mine.count_requests(1):
            button.click()
        assert mine.state["network"] == "bent" and mine.text("notices") == ""


def test_the_copied_python_asks_the_network_of_its_file(browser: Browser, address: str, folder: Path) -> None:
    visit = Visit(new_page(browser, permissions=["clipboard-read", "clipboard-write"]), address).open("?net=bent&pin=gradient&v=2")
    visit.page.get_by_role("button", name="Copy Python").click()
    visit.page.get_by_role("button", name="Copied").wait_for()
    script = f"{visit.page.evaluate('() => navigator.clipboard.readText()')}\nprint(repr(maps['gradient'].ravel().tolist()))"
    ran = subprocess.run([sys.executable, "-c", script], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    found = json.loads(ran.stdout.splitlines()[-1])
    np.testing.assert_allclose(found, visit.numbers()["methods"]["gradient"]["map"], rtol=1e-9, atol=1e-13)
    visit.page.context.close()


def test_a_lab_that_does_not_apply_says_so(mine: Visit) -> None:
    mine.open("?net=bent&tab=labs&lab=convergence&v=2")
    mine.page.locator("#lab .lab-choice").first.click()
    mine.rest()
    assert "does not know all layers of this network" in mine.text("lab")


def test_the_page_that_show_opens_works_behind_a_proxy_that_takes_a_prefix_away(browser: Browser) -> None:
    with (
        explorer.show(nn.Sequential(nn.Linear(64, 3)), classes=["a", "b", "c"], where="nowhere", block=False, proxy="/user/me/proxy/{port}/") as handle,
        stand_in(handle.port, f"/user/me/proxy/{handle.port}", strips=True) as port,
    ):
        page = new_page(browser)
        visit = Visit(page, f"http://127.0.0.1:{port}")
        visit.open(handle.url)
        assert visit.state["network"] == "my-network" and len(visit.numbers()["scores"]) == 3
        visit.check()
        page.context.close()
