"""The documentation agrees with the program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from torch import nn

from explorer.attribution import (
    METHODS,
    Network,
)
from explorer.labs import LABS
from explorer.models import Model
from explorer.server.settings import ServerSettings
from scripts import lab_docs, network_docs
from scripts.method_docs import PLACE, ROOT, page

README = (ROOT / "README.md").read_text(encoding="utf-8")
DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_page_of_methods_is_the_table_of_methods() -> None:
    assert PLACE.read_text(encoding="utf-8") == page(), "make docs writes it anew"
    assert all(method.title in page() and method.caveat in page() for method in METHODS.values())


def test_the_page_of_networks_says_what_was_measured(models: Mapping[str, Model]) -> None:
    assert (ROOT / "docs" / "networks.md").read_text(encoding="utf-8") == network_docs.page(models), "make docs writes it anew"


def test_the_page_of_labs_is_their_entries_and_its_examples_run() -> None:
    assert lab_docs.PLACE.read_text(encoding="utf-8") == lab_docs.page(), "make docs writes it anew"
    for name in LABS:
        exec(lab_docs.example_of(name), {"__name__": "example"})


def anchors(file: Path) -> set[str]:
    """The anchors of a file's headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_between_the_pages_leads_to_a_file_and_a_heading_that_exist() -> None:
    links = [(file, link) for file in PAGES for link in re.findall(r"(?<!\")\]\((?!https?:)([^)]+)\)", file.read_text(encoding="utf-8"))]
    assert len(links) > 10 and {file for file, _ in links} >= {ROOT / "README.md", ROOT / "docs" / "deploy.md"}
    for file, link in links:
        name, _, anchor = link.partition("#")
        target = file.parent / name if name else file
        assert target.exists(), (file.name, link)
        assert not anchor or anchor in anchors(target), (file.name, link)


def test_the_readme_is_short_and_names_only_files_that_exist() -> None:
    assert len(README.splitlines()) < 200
    layout = README.partition("## How the code is laid out")[2]
    named = re.findall(r"`([\w/]+(?:\.py|\.js|/))`", layout)
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).exists() and not list(ROOT.glob(f"explorer/**/{name}"))] == []


def test_the_readme_has_a_line_for_every_network_with_its_layers_and_accuracy(models: Mapping[str, Model]) -> None:
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", README.partition("## The networks")[2].partition("\n## ")[0], re.MULTILINE))
    assert list(rows) == list(models)
    for name, model in models.items():
        if "MLP" in rows[name]:
            assert model.stored and model.accuracy
            biases = [len(array) for array_name, array in model.stored.items() if array_name.startswith("b")]
            assert rows[name].startswith("-".join(map(str, [64, *biases])))
            assert f"{100 * model.accuracy:.1f} % of" in rows[name]


def test_every_setting_of_the_server_is_documented_with_its_default() -> None:
    table = dict(re.findall(r"^\| `([A-Z_]+)` \| `([^`]*)` \|", DEPLOY, re.MULTILINE))
    defaults = {str(field.validation_alias): field.default for field in ServerSettings.model_fields.values()}
    written = {name: str(int(default) if isinstance(default, bool) else default) or '""' for name, default in defaults.items()}
    assert table == written


def test_what_the_readme_says_for_other_sites_is_what_is_tested_there() -> None:
    lines = re.findall(r"^- (.+)$", README.partition("Under a path of another site")[2].partition("[Deployment]")[0], re.MULTILINE)
    assert [line.split(":")[0].split(" ")[0] for line in lines] == ["JupyterHub", "Traefik", "nginx", "Moodle"]
    codes = [code.strip("…") for line in lines for code in re.findall(r"`([^`]{4,})`", line)]
    assert len(codes) > 8 and [code for code in codes if code not in DEPLOY] == []  # test_hosting.py uses that table


def test_the_python_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {"your_module": nn.Linear(64, 3)}
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) >= 2
    for block in blocks:
        exec(block, names)
    assert "linear pieces" in capsys.readouterr().out


def test_the_readme_names_the_methods_that_need_a_plain_sequence_or_a_background(models: Mapping[str, Model]) -> None:
    class Branched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.other = nn.Linear(64, 3), nn.Linear(64, 3)

        def forward(self, x: object) -> object:
            return self.one(x) * self.other(x)

    refused = {name: method.unsupported_reason(Network(Branched())) for name, method in METHODS.items()}
    titled = {"LRP": "lrp_", "DeepLIFT": "deeplift", "DeconvNet": "deconvnet", "Guided Backprop": "guided_backprop"}
    sequence = [name for name, why in refused.items() if "plain sequence" in why]
    assert all("activation maps" in METHODS[name].family or any(name.startswith(stem) for stem in titled.values()) for name in sequence)
    background = [METHODS[name].title for name, why in refused.items() if "brings none" in why]
    assert all(title in README for title in (*titled, *background)) and len(background) == 3
    assert {name for name, why in refused.items() if why} == {*sequence, *(n for n in METHODS if METHODS[n].title in background)}
