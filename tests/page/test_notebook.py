"""The notebook of a state runs from top to bottom and finds the page's numbers, whatever the network, the methods and their settings."""

from __future__ import annotations

import json
import re
from itertools import product
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from asgi import client_of
from each import each
from nbclient import NotebookClient
from random_states import random_states
from torch import nn

from bench.asking import callback_request
from explorer.attribution import METHODS, Network, Setting, Value
from explorer.attribution.rules import EXACT, RULE_NAMES
from explorer.labs.asked import asked
from explorer.models import Model, load_zoo
from explorer.notebook import check_notebook, notebook
from explorer.notebook.notebook import RECIPES
from explorer.state import MAX_PINNED, State, StateError

ZOO = load_zoo()
NAMES = [*METHODS]
GROUPS = [NAMES[i : i + MAX_PINNED] for i in range(0, len(NAMES), MAX_PINNED)]
SLOW = ("shapley_values", "digits-cnn")  # all of 65,536 pictures, by plain convolutions: asked once
FEW = {"samples": 12, "steps": 12, "options": {name: {"samples": 60} for name in ("expected_gradients", "gradient_shap")}}


def run(made: dict[str, Any]) -> dict[str, Any]:
    """Run a notebook's cells in order, but for its figure; returns what they leave. A failed assertion of theirs is raised."""
    left: dict[str, Any] = {}
    for cell in made["cells"]:
        if cell["cell_type"] == "code" and "plt.subplots" not in cell["source"]:
            exec(compile(cell["source"], cell["id"], "exec"), left)
    return left


def finds_the_pages_numbers(state: State, names: list[str]) -> None:
    """The notebook computes the methods itself, and what the page would show is what it compares with."""
    left = run(notebook(state, ZOO))
    case = state.case(ZOO)
    able = [name for name in names if not METHODS[name].unsupported_reason(case.network)]
    assert list(left["maps"]) == able
    for name in able:
        expected = asked(METHODS[name], case, state).attribution
        assert left["maps"][name] is not left["page"][name]
        np.testing.assert_array_equal(left["page"][name], expected)
        assert np.abs(left["maps"][name] - expected).max() <= 1e-6 * np.abs(expected).max() + 1e-11


def state_with(**changes: Any) -> State:
    return State.from_json(changes, ZOO)


@pytest.mark.filterwarnings("ignore::UserWarning")
@each(("network", "output"), [*product(ZOO, ("probability", "logit"))])
def test_every_method_on_every_network(network: str, output: str) -> None:
    for number, group in enumerate(GROUPS):
        names = [name for name in group if (name, network) != SLOW or output == "probability"]
        rule = [EXACT, *RULE_NAMES][number % (1 + len(RULE_NAMES))]
        finds_the_pages_numbers(state_with(network=network, output=output, pinned=names, baseline="blur" if number % 2 else "black", rule=rule, **FEW), names)


def test_there_is_a_recipe_for_every_method() -> None:
    assert RECIPES.keys() == METHODS.keys()


@pytest.mark.filterwarnings("ignore::UserWarning")
@each("rule", [EXACT, *RULE_NAMES])
def test_integrated_gradients_by_every_rule(rule: str) -> None:
    for network, output, steps in product(ZOO, ("probability", "logit"), (1, 20)):
        state = state_with(network=network, output=output, pinned=["integrated_gradients"], rule=rule, steps=steps, baseline="noise")
        finds_the_pages_numbers(state, ["integrated_gradients"])


def some_value(setting: Setting, chance: np.random.Generator) -> Value:
    if setting.choices:
        return str(chance.choice(setting.choices))
    if isinstance(setting.default, bool):
        return bool(chance.integers(2))
    if isinstance(setting.default, int):
        return int(chance.integers(setting.low, min(setting.high, setting.low + 40) + 1))
    return float(chance.uniform(setting.low, setting.high))


@pytest.mark.filterwarnings("ignore::UserWarning")
@each("seed", range(4))
def test_odd_pictures_and_any_settings(seed: int) -> None:
    chance = np.random.default_rng([seed, 5])
    for state in random_states(ZOO, 900 + seed, 6):
        names = [str(name) for name in chance.choice([name for name in NAMES if name != SLOW[0]], MAX_PINNED, replace=False)]
        options = {name: {setting.name: some_value(setting, chance) for setting in METHODS[name].settings} for name in names}
        state = State.from_json({**state.to_json(), "pinned": names, "options": {name: own for name, own in options.items() if own}}, ZOO)
        finds_the_pages_numbers(state, names)


@pytest.mark.filterwarnings("ignore::UserWarning")
@each("name", ["smoothgrad", "kernel_shap", "lrp_zplus"])
def test_it_fails_where_the_page_had_another_number(name: str) -> None:
    made = notebook(state_with(network="digits", pinned=[name]), ZOO)
    (cell,) = [cell for cell in made["cells"] if cell["source"].startswith(f'page["{name}"] = np.array([')]
    largest = max(re.findall(r"-?\d\.\d+(?:e-\d+)?", cell["source"]), key=lambda number: abs(float(number)))
    cell["source"] = cell["source"].replace(largest, repr(float(largest) * (1 + 1e-5)))
    with pytest.raises(AssertionError):
        run(made)


def test_jupyter_runs_it_and_shows_the_maps() -> None:
    state = state_with(network="digits-cnn", pinned=["gradient", "integrated_gradients", "smoothgrad", "grad_cam"])
    made = nbformat.from_dict(notebook(state, ZOO, "https://explorer.example/?v=2"))
    nbformat.validate(made)
    assert "<https://explorer.example/?v=2>" in made.cells[0].source
    NotebookClient(made, timeout=120, kernel_name="python3").execute()
    outputs = [output for cell in made.cells if cell.cell_type == "code" for output in cell.outputs]
    (figure,) = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(figure.data["image/png"]) > 10_000
    assert not [output for output in outputs if output.output_type == "stream"], "a warning, where nothing is wrong"


def test_a_method_that_does_not_apply_is_named_with_its_reason() -> None:
    made = notebook(state_with(pinned=["grad_cam"]), ZOO)
    nbformat.validate(nbformat.from_dict(made))
    assert any("Grad-CAM" in cell["source"] and "It does not apply to this network: it needs a convolutional network" in cell["source"] for cell in made["cells"])
    assert run(made)["maps"] == {}


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_captum_cannot_do_on_a_network_is_embedded_and_said() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(64, 9), nn.LeakyReLU(0.1), nn.Linear(9, 8))
    leaky = Model(**{**vars(ZOO["shapes"]), "network": Network(module, classes=ZOO["shapes"].classes)})
    names = ["lrp_gamma", "deeplift", "guided_backprop", "integrated_gradients"]
    made = notebook(State(pinned=tuple(names)), {"shapes": leaky})
    (said,) = [cell["source"] for cell in made["cells"] if "Computed by the explorer" in cell["source"]]
    assert said.startswith("## LRP-γ") and "does not know the layer LeakyReLU" in said
    assert list(run(made)["maps"]) == names


@pytest.mark.filterwarnings("ignore::UserWarning")
@each("name", ["normalised", "pooled", "bent"])
def test_networks_of_other_layers(name: str) -> None:
    torch.manual_seed(0)
    pooled = (nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 5, 2), nn.GELU(), nn.Flatten(), nn.Dropout(), nn.Linear(20, 3))
    bent = (nn.Flatten(), nn.Linear(64, 9), nn.Tanh(), nn.LayerNorm(9), nn.Linear(9, 3))
    normalised = (nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.LeakyReLU(0.1), nn.AvgPool2d(2), nn.Flatten(), nn.Sequential(nn.BatchNorm1d(64), nn.Linear(64, 3)))
    module = {"normalised": nn.Sequential(*normalised), "pooled": nn.Sequential(*pooled), "bent": nn.Sequential(*bent)}[name]
    network = Network(module, background=ZOO["shapes"].network.background)
    own = {"shapes": Model(**{**vars(ZOO["shapes"]), "network": network, "classes": network.classes})}
    for group in GROUPS:
        maps = run(notebook(State(pinned=tuple(group), **FEW), own))["maps"]
        assert list(maps) == [method for method in group if not METHODS[method].unsupported_reason(network)]


def test_classes_with_odd_names_stay_text() -> None:
    names = ('"]\nraise SystemExit', "a'b", "</script>", "ö", "{x}", "\\", "# 7", "none")
    module = nn.Sequential(nn.Linear(64, 8))
    odd = Model(**{**vars(ZOO["shapes"]), "classes": names, "network": Network(module, classes=names)})
    for target in range(8):
        left = run(notebook(State(pinned=("gradient",), target=target), {"shapes": odd}))
        assert tuple(left["CLASSES"]) == names and left["TARGET"] == target


@each("address", [None, 5, "ftp://x", "javascript:1", "http://x/ y", "http://x/>", "https://" + "x" * 5000])
def test_what_is_no_address_is_refused(address: object) -> None:
    with pytest.raises(StateError, match="'address' must be"):
        check_notebook(State(), address, ZOO)


def test_too_much_work_and_networks_without_layers_are_refused() -> None:
    dear = {name: {"samples": 5000} for name in ("expected_gradients", "gradient_shap")} | {"smooth_integrated_gradients": {"steps": 100, "samples": 100}}
    state = state_with(network="digits-cnn", pinned=[*dear, "averaged_baselines"], options={**dear, "averaged_baselines": {"steps": 100, "baselines": 100}})
    with pytest.raises(StateError, match="would take about"):
        check_notebook(state, "", ZOO)

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(64, 8)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.layer(x)
            return found

    own = Model(**{**vars(ZOO["shapes"]), "network": Network(Own(), classes=ZOO["shapes"].classes)})
    with pytest.raises(StateError, match="a notebook needs the network as layers"):
        check_notebook(State(), "", {"shapes": own})


def test_the_server_answers_with_the_notebook() -> None:
    question = {"ask": 3, "state": {"network": "logistic"}, "address": ""}
    answer = client_of().post("/_dash-update-component", json=callback_request("notebook-answers", "notebook-question", question))
    assert answer.status_code == 200 and answer.json
    said = json.loads(answer.json["response"]["notebook-answers"]["data"])
    assert said == {"ask": 3, "notebook": notebook(state_with(network="logistic"), ZOO)}
