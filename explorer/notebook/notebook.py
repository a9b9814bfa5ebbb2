"""Arranges the notebook of a state from its recipes."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import numpy as np

from explorer.attribution import METHODS, Attribution, Case
from explorer.attribution.field import logits_at, values_at
from explorer.attribution.layers import NotSequential, sequential_layers
from explorer.attribution.rules import EXACT
from explorer.cost import check_methods
from explorer.labs.asked import asked, unit_of
from explorer.notebook import fields, others
from explorer.notebook.recipe import ALIKE, CALLS, HELPERS, IMPORTS, SIGMOID, SOFTMAX, START, Recipe, Wanted
from explorer.notebook.source import code, markdown, network_source, rows, whole
from explorer.state import State, StateError, Zoo

RECIPES = {**fields.RECIPES, **others.RECIPES}
ADDRESS = re.compile(r"https?://[^\s<>()\[\]\"'`\\]{1,4000}")
Cells = list[dict[str, Any]]


def check_notebook(state: State, address: object, zoo: Zoo) -> str:
    """The address of the state's link, or "" for none.

    Raises:
        StateError: it is no address of the web, the network cannot be written as layers, or the pinned methods are too much work.
    """
    if not isinstance(address, str) or (address and not ADDRESS.fullmatch(address)):
        raise StateError("'address' must be an address that starts with http:// or https://, or empty")
    case = state.case(zoo)
    try:
        sequential_layers(case.network)
    except NotSequential as reason:
        raise StateError(f"a notebook needs the network as layers: {reason}") from None
    check_methods(state, case, [METHODS[name] for name in state.pinned if not METHODS[name].unsupported_reason(case.network)])
    return address


def notebook(state: State, zoo: Zoo, address: str = "") -> dict[str, Any]:
    """The notebook of a state's pinned methods, as nbformat 4.5 has it.

    Args:
        state: what is on the page.
        zoo: the networks.
        address: of the page with this state, as its link says it.
    """
    case = state.case(zoo)
    pinned = [METHODS[name] for name in state.pinned]
    able = [method for method in pinned if not method.unsupported_reason(case.network)]
    wanted = [Wanted(m, case, m.values(state.values(m)), m.name == "integrated_gradients" and state.rule == EXACT) for m in able]
    recipes = {one.method.name: RECIPES[one.method.name](one) for one in wanted}
    cells = [_head(state, zoo, address), *_case(state, case, zoo), _helpers([recipe for recipe in recipes.values() if isinstance(recipe, Recipe)])]
    known: set[str] = set()  # data that a cell above holds
    refused = {method.title: reason for method in pinned if (reason := method.unsupported_reason(case.network))}
    cells += [markdown(f"## {title}", f"It does not apply to this network: {reason.removesuffix('.')}.") for title, reason in refused.items()]
    for one in wanted:
        cells += _method(one, recipes[one.method.name], asked(one.method, case, state), known)
    return whole([*cells, *_figure(state, wanted)])


def _head(state: State, zoo: Zoo, address: str) -> dict[str, Any]:
    model = zoo[state.network]
    where = f"The same case on its page: <{quote(address, safe=':/?&=;,.~%+-_@!*#$')}>" if address else ""
    return markdown(
        "# A case of the Gradient Attribution Explorer",
        "This notebook builds the network, the picture and the settings that were on the page. It computes the pinned methods again, and "
        "asserts that each map is the page’s, to a millionth of its largest attribution. Random draws are embedded.",
        "It needs `pip install torch captum matplotlib` and no internet. (Tested with Captum 0.9.)",
        f"Network: {model.title}. F: the {state.output} of “{model.classes[state.case(zoo).target]}”. Baseline: {state.baseline}.",
        where,
    )


def _case(state: State, case: Case, zoo: Zoo) -> Cells:
    network = case.network
    tail = SIGMOID if network.activation == "sigmoid" else SOFTMAX
    f = "f = nn.Sequential(net, Probability())" if case.output == "probability" else "f = nn.Sequential(net)"
    last = f"last = {'Probability()' if case.output == 'probability' else 'nn.Identity()'}  # from logits to F"
    logits = ", ".join(repr(float(value)) for value in logits_at(network, case.input[None])[0])
    ends = ", ".join(repr(float(value)) for value in values_at(case, np.stack([case.input, case.baseline])))
    return [
        code(START),
        markdown("## The network", zoo[state.network].about),
        code(network_source(sequential_layers(network)), hidden=True),
        code(
            f"CLASSES = {list(network.classes)!r}",
            f"TARGET = {case.target}  # {network.classes[case.target]!r}",
            f"SHAPE = {tuple(network.input_shape)!r}  # of one picture, as the network takes it",
            tail,
            f"\n{f}",
            last,
        ),
        markdown("## The picture x and the baseline x′", "Rows from the top; 0 is black, 1 is white."),
        code(f"x = {rows(case.input)}", f"x0 = {rows(case.baseline)}"),
        code(
            ALIKE,
            f"assert np.allclose(net(tensor(x))[0], [{logits}], rtol=1e-9, atol=1e-9)  # the page's logits",
            f"assert np.allclose(values(np.stack([x, x0])), [{ends}], rtol=1e-9, atol=1e-12)  # the page's F(x) and F(x′)",
        ),
    ]


def _helpers(recipes: list[Recipe]) -> dict[str, Any]:
    names = list(dict.fromkeys(inner for recipe in recipes for name in recipe.helpers for inner in (*CALLS.get(name, ()), name)))
    imports = sorted({*(one for recipe in recipes for one in recipe.imports), *(one for name in names for one in IMPORTS.get(name, ()))})
    # Captum warns of its own hooks and of inputs that it asks a gradient of, and its progress bar of Jupyter's
    quiet = ["import warnings", "", 'warnings.filterwarnings("ignore", module="captum|tqdm")'] if imports else []
    captum = [f"from captum.attr import {', '.join(imports)}"] if imports else []
    return code(*quiet, *captum, *(f"\n\n{HELPERS[name].strip()}" for name in names))


def _method(wanted: Wanted, recipe: Recipe | str, answer: Attribution, known: set[str]) -> Cells:
    method = wanted.method
    settings = {**wanted.values, **({"rule": EXACT} if wanted.exact else {})}
    chosen = ", ".join(f"{setting.title}: {settings[setting.name]}" for setting in method.settings if not (wanted.exact and setting.name == "steps"))
    by = f"Computed by {recipe.by}. {recipe.note}" if isinstance(recipe, Recipe) else f"Computed by the explorer: these are its numbers, as {recipe}."
    text = markdown(f"## {method.title}", f"{method.formula} ({method.paper}, *{method.reference}*)", chosen and f"{chosen}.", by.strip(), method.caveat)
    numbers = f'page["{method.name}"] = {rows(answer.attribution)}'
    if isinstance(recipe, str):
        return [text, code(numbers, f'maps["{method.name}"] = page["{method.name}"]', hidden=True)]
    lasting = {name for name in recipe.data if name.startswith(("noise_", "background"))}  # the same for every method that needs it
    fresh = {name: source for name, source in recipe.data.items() if name not in known}
    known |= lasting
    data = [f"{name} = {source}" for name, source in fresh.items()]
    return [text, code(numbers, *data, hidden=True), code(recipe.code, f'maps["{method.name}"] = check(found, page["{method.name}"])')]


FIGURE = """
figure, axes = plt.subplots(1, len(maps) + 1, figsize=(3 * len(maps) + 3, 3.4), layout="constrained")
axes[0].imshow(x, cmap="gray", vmin=0, vmax=1)
axes[0].set_title(f"picture: F = {values(x[None])[0]:.4g}", fontsize=10)
for axis, (name, found) in zip(axes[1:], maps.items()):
    limit = np.abs(found).max() or 1
    drawn = axis.imshow(found, cmap="RdBu_r", vmin=-limit, vmax=limit)
    axis.set_title(f"{TITLES[name]}\\nΣ = {found.sum():.4g}", fontsize=10)
    figure.colorbar(drawn, ax=axis, shrink=0.7, label=UNITS[name])
for axis in axes:
    axis.set_xticks([])
    axis.set_yticks([])
plt.show()
"""


def _figure(state: State, wanted: list[Wanted]) -> Cells:
    if not wanted:
        return []
    titles = {one.method.name: one.method.title for one in wanted}
    units = {one.method.name: unit_of(one.method, state) for one in wanted}
    text = markdown("## The maps", "Red raises F, blue lowers it. Each map has a colour scale of its own.")
    return [text, code(f"TITLES = {titles!r}", f"UNITS = {units!r}", FIGURE)]
