"""What holds for every lab: its entry, its answers on any state, its sentences and its charts."""

from __future__ import annotations

import ast
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import plotly.graph_objects as go
import pytest
from each import each
from strategies import ZOO

import explorer.labs
from explorer.attribution import Setting
from explorer.labs import LABS
from explorer.labs.charts import TEMPLATES
from explorer.models import FOLDER
from explorer.page.panels.labs import check_lab_asked
from explorer.pictures import PATTERNS, digit_samples
from explorer.state import State, StateError
from labs.said import NUMBER, answer_of, sentences_of

FORMATS = ("number", "two", "whole", "percent", "probability", "chance", "bound", "correlation")
MOST_WORDS = 24  # in a sentence; 20 are aimed at
labs = each("name", LABS)

THREE = tuple(digit_samples(FOLDER)[3][0].ravel().tolist())
BLACK = (0.0,) * 64
STATES = {
    "opening": State(),
    "ring, logit, white": State(pixels=tuple(PATTERNS["ring"].ravel().tolist()), output="logit", baseline="white"),
    "three": State(pixels=THREE, network="digits", baseline="mean"),
    "three, convolutional": State(pixels=THREE, network="digits-cnn"),
    "three, other class": State(pixels=THREE, network="digits-rewritten", target=8),
    "picture is the baseline": State(pixels=BLACK, network="digits"),
    "logistic": State(network="logistic", baseline="noise"),
}


def supported(name: str, state: State) -> bool:
    return not LABS[name].unsupported(state, ZOO)


@cache
def answers(name: str) -> dict[str, Any]:
    """A lab's answers to those of ``STATES`` that it supports, by title; computed once for all tests."""
    return {title: answer_of(name, state) for title, state in STATES.items() if supported(name, state)}


def numbers_in(data: Any) -> list[float]:
    if isinstance(data, dict):
        return [number for value in data.values() for number in numbers_in(value)]
    if isinstance(data, list):
        return [number for value in data for number in numbers_in(value)]
    return [data] if isinstance(data, float) else []


def words(text: str) -> list[int]:
    return [len(sentence.split()) for sentence in text.replace("? ", ". ").split(". ")]


def extremes(setting: Setting) -> list[Any]:
    if setting.choices:
        return list(setting.choices)
    return [True, False] if isinstance(setting.default, bool) else [type(setting.default)(end) for end in (setting.low, setting.high)]


@labs
def test_an_entry_is_complete_and_short(name: str) -> None:
    lab = LABS[name]
    rows = lab.emblem.split()
    assert len(rows) == 8 and all(len(row) == 8 and set(row) <= set("#+.") for row in rows)
    assert lab.question.endswith("?") and lab.prediction.endswith("?") and 2 <= len(lab.choices) <= 4 and all(choice.endswith(".") for choice in lab.choices)
    assert max(map(max, map(words, (lab.question, lab.prediction, lab.why, lab.caveat, *lab.choices)))) <= MOST_WORDS
    assert len(words(lab.why)) <= 3 and lab.papers and all(paper.address.startswith(("https://", "")) for paper in lab.papers)
    assert lab.looks <= {setting.name for setting in lab.settings} and 1 <= lab.minutes <= 10
    State(**{**dict(State()), **lab.instead})
    if any(lab.unsupported(State(network=network), ZOO) for network in ZOO):
        assert not lab.unsupported(State(**{**dict(State()), **lab.instead}), ZOO)


@labs
def test_answers_are_plain_finite_and_the_same_again(name: str) -> None:
    for title, answer in answers(name).items():
        assert all(map(math.isfinite, numbers_in(answer))), title
        assert answer["outcome"] is None or 0 <= answer["outcome"] < len(LABS[name].choices)
        assert orjson.dumps(answer) == orjson.dumps(answer_of(name, STATES[title])), title


@labs
def test_every_setting_works_at_its_ends(name: str) -> None:
    state = next(state for state in STATES.values() if supported(name, state))
    for setting in LABS[name].settings:
        for value in extremes(setting):
            answer = answer_of(name, state, **{setting.name: value})
            assert all(map(math.isfinite, numbers_in(answer))), (setting.name, value)
            LABS[name].narrate(answer)


@labs
def test_sentences_state_their_numbers_in_known_formats_and_few_words(name: str) -> None:
    for answer in answers(name).values():
        said = sentences_of(name, answer)
        assert said
        for sentence in said.values():
            used = NUMBER.findall(sentence.text)
            assert {key for key, _ in used} == set(sentence.numbers) and all(math.isfinite(value) for value in sentence.numbers.values())
            assert {form or "number" for _, form in used} <= set(FORMATS)
            assert max(words(sentence.text)) <= MOST_WORDS and sentence.text.endswith(".")


@labs
def test_charts_are_valid_figures_without_a_template(name: str) -> None:
    for answer in answers(name).values():
        for chart in answer.get("charts", {}).values():
            figure = chart["figure"]
            go.Figure(figure)  # checks every attribute
            assert "template" not in figure["layout"] and chart["says"]["text"]


def test_the_templates_are_valid_and_their_lines_are_seen() -> None:
    def luminance(colour: str) -> float:
        levels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(levels <= 0.03928, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    for template in TEMPLATES.values():
        layout = go.layout.Template(template).layout
        ground = luminance(layout.plot_bgcolor)
        for colour in (*layout.colorway, layout.font.color):
            lighter, darker = max(luminance(colour), ground), min(luminance(colour), ground)
            assert (lighter + 0.05) / (darker + 0.05) >= 3, colour


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (None, "'lab' must hold the 'name' of a lab and its 'settings'"),
        ({"name": "convergence"}, "'lab' must hold"),
        ({"name": "alchemy", "settings": {}}, "there is no lab 'alchemy'"),
        ({"name": "convergence", "settings": {"steps": 0}}, "steps must be 1 to 300, not 0"),
        ({"name": "convergence", "settings": {"colour": 1}}, "How many steps? has no setting 'colour'"),
    ],
)
def test_a_wrong_question_is_refused_with_the_reason(asked: object, reason: str) -> None:
    with pytest.raises(StateError, match=reason.replace("?", r"\?")):
        check_lab_asked(asked)


def test_labs_import_neither_dash_nor_the_page_nor_the_server() -> None:
    for path in Path(explorer.labs.__file__).parent.glob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        imported = {name for node in nodes for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names] if isinstance(node, ast.Import) else [])}
        assert not [name for name in imported if name.startswith(("dash", "explorer.page", "explorer.server"))], path.name
