"""Narration: which claims go with which facts, and how the sentences are written."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.page.narration import ENOUGH_SAMPLES, Facts
from explorer.page.panels import PANELS
from explorer.sentences import Sentence
from explorer.state import RULE_NAMES

CALM = Facts(
    one_shape=False,
    target_name="ring",
    predicted_name="ring",
    target_probability=0.8,
    output="probability",
    f_input=0.8,
    f_baseline=0.05,
    start="black",
    gradient_peak=0.3,
    gradient_scale=0.8,
    logit_gradient_peak=2.0,
    gradient_snr=5.0,
    gradient_half=9,
    moving_gradient=0.3,
    path_peak=0.8,
    total=0.7515,
    delta=0.0015,
    share=0.002,
    pixel_error=0.001,
    net_error=0.5,
    rule="midpoint",
    exact=True,
    kink=False,
    steps=50,
    pieces=20,
    equal_pixels=0,
    farthest=0.9,
    samples=50,
    noise_level=0.15,
    noise_snr=6.0,
    differing=64,
    agreement=0.5,
    exact_agreement=0.51,
)


def narrated(tab: str, facts: Facts) -> list[Sentence]:
    """The sentences of a panel."""
    narrate = PANELS[tab].narrate
    assert narrate
    return narrate(facts)


def claims(tab: str, **changes: Any) -> set[str]:
    """All that is claimed on a tab about the calm facts with some changed."""
    return {sentence.claim for sentence in narrated(tab, replace(CALM, **changes))} - {"advice"}


def told(tab: str, **changes: Any) -> str:
    """The texts of the same, joined."""
    return " ".join(sentence.text for sentence in narrated(tab, replace(CALM, **changes)))


# ---------------------------------------------------------------- one fact at a time


SATURATED = {"saturated", "logit not saturated"}
MOVING = {"sign", "steepest"}
ENDS = {"ends", "complete"}
MOVES = {"score", "raised", "ends"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, MOVING),
        ({"gradient_scale": 7.4}, MOVING),
        ({"gradient_scale": 7.6}, {"gradient blank", "steepest"}),
        ({"target_probability": 0.9995, "gradient_peak": 0.001}, SATURATED),
        ({"target_probability": 0.0004, "gradient_peak": 0.001}, SATURATED),
        ({"target_probability": 0.9995, "gradient_peak": 0.04, "output": "logit"}, MOVING),
        ({"target_probability": 0.9995, "gradient_peak": 0.06, "logit_gradient_peak": 20.0}, MOVING),  # steep all the same
        ({"gradient_peak": 0.0, "logit_gradient_peak": 0.0, "gradient_snr": 0.0}, {"zero gradient"}),
        ({"predicted_name": "cross"}, {"other class", *MOVING}),
        ({"one_shape": True}, {"one shape", *MOVING}),
        ({"one_shape": True, "output": "logit"}, {"one map", *MOVING}),
        ({"gradient_snr": 2.99, "gradient_half": 15}, {"diffuse", *MOVING}),
        ({"gradient_snr": 2.99, "gradient_half": 10}, MOVING),
        ({"gradient_snr": 8.0, "gradient_half": 8}, {"concentrated", *MOVING}),
        ({"gradient_snr": 8.0, "gradient_half": 9}, MOVING),  # a peak on an even floor
    ],
)
def test_what_is_claimed_of_the_gradient(changes: dict[str, Any], expected: set[str]) -> None:
    assert claims("saliency", **changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"score", "raised", *ENDS}),
        ({"f_input": 0.05, "f_baseline": 0.8, "total": -0.7}, {"baseline scores", "lowered", *ENDS}),
        ({"total": -0.1}, {"score", *ENDS}),  # so few steps that the sum has the wrong sign
        ({"f_input": 0.05, "total": 0.0}, {"score", *ENDS}),
        ({"gradient_scale": 7.6}, {"gradient blank", "flared up", "raised", *ENDS}),
        ({"gradient_peak": 0.0}, {"zero gradient", "raised", *ENDS}),
        ({"predicted_name": "cross", "gradient_scale": 7.6}, {"other class", "raised", *ENDS}),
        ({"equal_pixels": 64, "farthest": 0.0, "share": None}, {"no path", "nothing to share"}),
        ({"farthest": 1e-16, "share": 30.0}, {"no path", "nothing to share"}),
        ({"f_baseline": 0.6}, {"baseline scores", "raised", *ENDS}),
        ({"f_baseline": 0.6, "output": "logit"}, {"score", "raised", *ENDS}),
        ({"target_probability": 0.99, "output": "logit"}, {"logit responds", "near 1", "raised", *ENDS}),
        ({"target_probability": 0.99, "output": "logit", "gradient_scale": 7.6}, {"gradient blank", "flared up", "raised", *ENDS}),
        ({"moving_gradient": 0.01, "path_peak": 0.101}, {*MOVES, "gradient on path", "complete"}),
        ({"moving_gradient": 0.01, "path_peak": 0.099}, {*MOVES, "complete"}),
        ({"rule": "exact"}, {*MOVES, "pieces", "complete by pieces"}),
        ({"share": None}, {"score", "ends", "same ends"}),
        ({"share": 0.0101}, {*MOVES, "incomplete", "more steps"}),
        ({"share": 0.001, "pixel_error": 0.05}, {*MOVES, "complete", "pixel errors"}),
        ({"share": 0.001, "pixel_error": 0.05, "net_error": 0.09}, {*MOVES, "complete", "pixel errors", "errors cancel"}),
        ({"share": 0.009, "pixel_error": 0.02, "net_error": 0.0}, {*MOVES, "complete"}),
        ({"pixel_error": None}, {*MOVES, "complete"}),
        ({"equal_pixels": 1}, {*MOVES, "complete", "equal pixels"}),
    ],
)
def test_what_is_claimed_of_the_path_and_its_sum(changes: dict[str, Any], expected: set[str]) -> None:
    assert claims("integrated", **changes) == expected


AGREE = {"ranked in part"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {*AGREE, "clear of noise"}),
        ({"agreement": None, "exact_agreement": None}, {"flat map", "clear of noise"}),
        ({"farthest": 1e-16}, {"flat map", "clear of noise"}),  # the ranks of rounding
        ({"agreement": 0.81, "exact_agreement": 0.9}, {"ranked alike", "clear of noise"}),
        ({"agreement": -0.9, "exact_agreement": 0.1}, {"ranked apart", "clear of noise"}),
        ({"agreement": 0.81, "exact_agreement": 0.79}, {"rank unsettled", "clear of noise"}),
        ({"noise_level": 0.0, "noise_snr": None, "differing": 0}, {*AGREE, "no noise"}),
        ({"samples": 1, "noise_snr": None, "differing": 0}, {*AGREE, "one sample"}),
        ({"noise_snr": None, "differing": 0}, {*AGREE, "samples alike"}),
        ({"noise_snr": None, "differing": 32}, {*AGREE, "few pixels differ"}),
        ({"noise_snr": 1e9, "differing": 1}, {*AGREE, "few pixels differ"}),
        ({"samples": ENOUGH_SAMPLES - 1}, {*AGREE, "few samples"}),
        ({"samples": ENOUGH_SAMPLES}, {*AGREE, "clear of noise"}),
        ({"noise_snr": 0.99}, {*AGREE, "noise hides", "four times"}),
        ({"noise_snr": 1.99}, {*AGREE, "noise in part", "four times"}),
        ({"noise_snr": 2.0}, {*AGREE, "clear of noise"}),
    ],
)
def test_what_is_claimed_of_the_comparison(changes: dict[str, Any], expected: set[str]) -> None:
    assert claims("compare", **changes) == expected


def test_numbers_and_their_nouns_agree() -> None:
    assert "{pixels:whole} pixel equals the baseline and gets 0" in told("integrated", equal_pixels=1)
    assert "{pixels:whole} pixels equal the baseline and get 0" in told("integrated", equal_pixels=2)
    assert "With {steps:whole} step the sum" in told("integrated", steps=1) and "With {steps:whole} steps the sum" in told("integrated", steps=2)
    assert "single linear piece" in told("integrated", rule="exact", pieces=1)
    assert "{pieces:whole} linear pieces" in told("integrated", rule="exact", pieces=23)
    assert "differ in a single pixel only" in told("compare", differing=1)


def test_the_sum_says_which_way_it_misses() -> None:
    assert "falls short of ΔF by {delta}, {share:percent} of it" in told("integrated", delta=-0.1, share=0.1 / 0.75)
    assert "overshoots ΔF by {delta}, {share:two} times ΔF itself" in told("integrated", delta=2.25, share=3.0)
    assert "falls short" in told("integrated", delta=0.1, share=0.1 / 0.75, f_input=0.05, f_baseline=0.8)
    assert "the sum is ΔF to rounding" in told("integrated", share=0.0)
    assert "differs from ΔF by {share:percent}" in told("integrated", share=0.0099)


# ---------------------------------------------------------------- whatever the facts


unit = st.floats(0, 1)
facts = st.builds(
    Facts,
    one_shape=st.booleans(),
    target_name=st.sampled_from(["ring", "cross", "0", "score above 0"]),
    predicted_name=st.sampled_from(["ring", "cross", "0", "score above 0"]),
    target_probability=unit,
    output=st.sampled_from(["probability", "logit"]),
    f_input=unit | st.floats(-100, 100),
    f_baseline=unit | st.floats(-100, 100),
    start=st.sampled_from(["black", "the blurred picture"]),
    gradient_peak=st.floats(0, 100),
    gradient_scale=st.floats(0, 100),
    logit_gradient_peak=st.floats(0, 100),
    gradient_snr=st.just(0.0) | st.floats(1, 64),
    gradient_half=st.integers(1, 32),
    moving_gradient=st.floats(0, 100),
    path_peak=st.floats(0, 100),
    total=st.floats(-100, 100),
    delta=st.floats(-100, 100),
    share=st.none() | st.floats(0, 1e12),
    pixel_error=st.none() | st.floats(0, 1e6),
    net_error=unit,
    rule=st.sampled_from(RULE_NAMES),
    steps=st.integers(1, 500),
    pieces=st.integers(1, 80),
    equal_pixels=st.integers(0, 64),
    farthest=unit,
    samples=st.integers(1, 500),
    noise_level=unit,
    noise_snr=st.none() | st.floats(0, 1e9),
    differing=st.integers(0, 64),
    agreement=st.none() | st.floats(-1, 1),
    exact_agreement=st.none() | st.floats(-1, 1),
)


PLACEHOLDER = re.compile(r"\{([^{}:]+)(?::(\w+))?\}")
FORMATS = {None, "number", "two", "probability", "chance", "bound", "percent", "whole", "correlation"}  # of assets/core/numbers.js


@given(facts)
def test_every_sentence_is_short_ends_and_leaves_its_numbers_to_the_page(some: Facts) -> None:
    for panel in PANELS.values():
        sentences = panel.narrate(some) if panel.narrate else []
        assert sentences or not panel.narrate
        if panel.narrate and panel is not PANELS["compare"]:  # whose script says what is above its maps
            assert [sentence.place for sentence in sentences if sentence.place == "headline"] == ["headline"]
            assert sentences[0].place == "headline"
        for sentence in sentences:
            places = PLACEHOLDER.findall(sentence.text)
            assert all(name in sentence.numbers and (form or None) in FORMATS for name, form in places), sentence
            text = PLACEHOLDER.sub("7", sentence.text)
            assert not re.search(r"\b(nan|inf|None|True|False)\b|\de[-+]?\d|-\d|\{|\}|  ", text), text
            assert text[0].isupper() or text[0].isdigit()
            assert text.endswith(".")
            for one in re.split(r"(?<=[.:]) ", text):
                assert len(re.findall(r"[^\s=%+−]+", re.sub(r"“[^”]*”", "name", one))) <= 20, text
