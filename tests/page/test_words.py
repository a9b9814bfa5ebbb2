""""What's happening?": every sentence is only said where the numbers make it true, and never holds a NaN."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packed import floats

from explorer.models import Model, load_zoo
from explorer.page.answer import answer
from explorer.page.words import Facts, number, percent, probability, tell
from explorer.pictures import PATTERNS
from explorer.state import RULE_NAMES, State

Zoo = Mapping[str, Model]
ZOO = load_zoo()

CALM = Facts(
    network_linear=False,
    target_name="ring",
    predicted_name="ring",
    target_probability=0.8,
    output="probability",
    f_input=0.8,
    f_baseline=0.05,
    gradient_peak=0.3,
    logit_gradient_peak=2.0,
    path_gradient_peak=0.8,
    gradient_snr=5.0,
    share=0.002,
    delta=0.0015,
    pixel_error=0.001,
    rule="midpoint",
    steps=50,
    pieces=20,
    equal_pixels=0,
    samples=50,
    noise_level=0.15,
    noise_snr=6.0,
    agreement=0.5,
)


def told(tab: str, **changes: Any) -> str:
    """All that is said on a tab about the calm facts with some changed."""
    return " ".join(tell(replace(CALM, **changes))[tab])


# ---------------------------------------------------------------- one fact at a time


def test_saturation_is_told_where_the_probabilitys_gradient_has_all_but_vanished() -> None:
    assert "Saturation" not in told("saliency")
    saturated = told("saliency", target_probability=0.9995, f_input=0.9995, gradient_peak=0.001)
    assert "Saturation" in saturated and "near 1" in saturated and "0.9995" in saturated
    excluded = told("saliency", target_probability=0.0004, f_input=0.0004, gradient_peak=0.001)
    assert "Saturation" in excluded and "near 0" in excluded
    assert "Saturation" not in told("saliency", target_probability=0.9995, gradient_peak=0.001, output="logit")


def test_a_gradient_of_zero_is_called_that() -> None:
    flat = told("saliency", gradient_peak=0.0, logit_gradient_peak=0.0, gradient_snr=0.0)
    assert "zero at every pixel" in flat and "Saturation" not in flat and "diffuse" not in flat


def test_a_target_that_is_not_predicted_is_pointed_out() -> None:
    assert "cross" not in told("saliency")
    other = told("saliency", predicted_name="cross")
    assert "“cross”" in other and "“ring”" in other and "0.8" in other


def test_a_linear_network_is_called_linear_and_no_other() -> None:
    assert "linear inside" in told("saliency", network_linear=True)
    assert "linear inside" not in told("saliency")


@pytest.mark.parametrize(
    ("snr", "word"), [(0.0, None), (1.0, "diffuse"), (2.99, "diffuse"), (3.0, None), (8.0, "concentrated"), (64.0, "concentrated")]
)
def test_a_map_is_called_diffuse_or_concentrated_by_its_peak_to_mean(snr: float, word: str | None) -> None:
    text = told("saliency", gradient_snr=snr)
    assert [w for w in ("diffuse", "concentrated") if w in text] == ([word] if word else [])


@pytest.mark.parametrize("rule", [name for name in RULE_NAMES if name != "exact"])
@pytest.mark.parametrize(("share", "incomplete"), [(0.0, False), (0.0099, False), (0.0101, True), (0.5, True), (30.0, True)])
def test_the_sum_is_called_incomplete_when_it_misses_more_than_a_percent(rule: str, share: float, incomplete: bool) -> None:
    text = told("integrated", rule=rule, share=share)
    assert ("Incomplete" in text) == incomplete
    if not incomplete:
        assert ("The sum is ΔF to rounding with 50 steps" if share == 0 else "The sum is within 0.99 % of ΔF with 50 steps") in text


def test_the_exact_rule_is_complete_to_rounding_and_counts_its_pieces() -> None:
    text = told("integrated", rule="exact", pieces=23, share=1e-15)
    assert "23 linear pieces" in text and "complete to rounding" in text and "steps" not in text
    assert "single linear piece" in told("integrated", rule="exact", pieces=1)


def test_errors_that_cancel_in_the_sum_are_told() -> None:
    assert "cancel" not in told("integrated")
    assert "cancel" in told("integrated", share=0.001, pixel_error=0.05)
    assert "cancel" not in told("integrated", share=0.009, pixel_error=0.02)
    assert "cancel" not in told("integrated", pixel_error=None)


def test_without_a_path_that_is_all_that_is_said_of_it() -> None:
    text = told("integrated", equal_pixels=64, f_input=0.05, share=None, delta=0.0, pixel_error=None)
    assert "input is the baseline" in text and "no path" in text
    assert "Incomplete" not in text and "pixels equal" not in text and "misses" not in text


def test_equal_ends_are_told_where_f_does_not_differ() -> None:
    assert "same at both ends" in told("integrated", share=None, f_baseline=0.8)


@pytest.mark.parametrize(("equal", "said"), [(0, None), (1, "1 pixel equals"), (2, "2 pixels equal"), (63, "63 pixels equal")])
def test_pixels_that_equal_the_baseline_are_counted(equal: int, said: str | None) -> None:
    text = told("integrated", equal_pixels=equal)
    assert said in text if said else "the baseline and so get" not in text


def test_a_baseline_that_already_scores_is_questioned() -> None:
    assert "another baseline" in told("integrated", f_baseline=0.6)
    assert "another baseline" not in told("integrated", f_baseline=0.4)
    assert "another baseline" not in told("integrated", f_baseline=3.0, output="logit")


def test_that_the_gradient_was_larger_on_the_way_is_told_where_it_was() -> None:
    assert "misses" not in told("integrated", gradient_peak=1e-6, path_gradient_peak=9e-6)
    said = told("integrated", gradient_peak=1e-4, path_gradient_peak=1.8)
    assert "at most 0.000100" in said
    assert "reaches 1.80" in said


@pytest.mark.parametrize(
    ("agreement", "said"),
    [(None, "flat"), (1.0, "alike"), (0.81, "alike"), (0.5, "in part"), (0.1, "different"), (-0.9, "different")],
)
def test_agreement_is_told_by_the_rank_correlation(agreement: float | None, said: str) -> None:
    text = told("compare", agreement=agreement)
    assert next(word for word in ("flat", "alike", "in part", "different stories") if word in text).startswith(said)
    if agreement is not None:
        assert f"{abs(agreement):.2g}" in text and ("−" in text) == (agreement < 0)


def test_smoothgrad_without_noise_is_called_the_gradient() -> None:
    assert "no noise" in told("compare", noise_level=0.0)
    assert "no noise" not in told("compare", noise_level=0.01)


def test_one_sample_is_told_to_be_too_few() -> None:
    assert "One SmoothGrad sample" in told("compare", samples=1, noise_snr=None)
    assert "One SmoothGrad sample" not in told("compare", samples=2)


@pytest.mark.parametrize(("snr", "said"), [(None, "do not differ"), (0.0, "mostly noise"), (1.99, "mostly noise"), (2.0, "clear of")])
def test_signal_and_noise_are_told_by_the_statistical_ratio(snr: float | None, said: str) -> None:
    text = told("compare", noise_snr=snr)
    assert [w for w in ("do not differ", "mostly noise", "clear of") if w in text] == [said]


# ---------------------------------------------------------------- whatever the facts


unit = st.floats(0, 1)
facts = st.builds(
    Facts,
    network_linear=st.booleans(),
    target_name=st.sampled_from(["ring", "cross", "0", "class 1"]),
    predicted_name=st.sampled_from(["ring", "cross", "0", "class 1"]),
    target_probability=unit,
    output=st.sampled_from(["probability", "logit"]),
    f_input=unit | st.floats(-100, 100),
    f_baseline=unit | st.floats(-100, 100),
    gradient_peak=st.floats(0, 100),
    logit_gradient_peak=st.floats(0, 100),
    path_gradient_peak=st.floats(0, 100),
    gradient_snr=st.just(0.0) | st.floats(1, 64),
    share=st.none() | st.floats(0, 1e12),
    delta=st.floats(-100, 100),
    pixel_error=st.none() | st.floats(0, 1e6),
    rule=st.sampled_from(RULE_NAMES),
    steps=st.integers(1, 500),
    pieces=st.integers(1, 80),
    equal_pixels=st.integers(0, 64),
    samples=st.integers(1, 500),
    noise_level=st.floats(0, 0.5),
    noise_snr=st.none() | st.floats(0, 1e9),
    agreement=st.none() | st.floats(-1, 1),
)


@given(facts)
def test_every_sentence_ends_and_none_holds_what_is_no_number(some: Facts) -> None:
    said = tell(some)
    assert set(said) == {"saliency", "integrated", "compare"}
    for sentences in said.values():
        assert sentences
        for sentence in sentences:
            assert not re.search(r"\b(nan|inf|None|True|False)\b|\de[-+]?\d|-\d|\{|\}|  ", sentence), sentence
            assert sentence[0].isupper() or sentence[0].isdigit() or sentence[0] == "F"
            assert sentence.endswith((".", ")"))


@given(facts)
def test_no_claim_is_made_against_the_facts(some: Facts) -> None:
    said = {tab: " ".join(sentences) for tab, sentences in tell(some).items()}
    if "Saturation" in said["saliency"]:
        assert some.output == "probability" and some.gradient_peak < some.logit_gradient_peak / 20
    if "Incomplete" in said["integrated"]:
        assert some.share is not None and some.share > 0.01 and some.rule != "exact"
    assert ("linear inside" in said["saliency"]) <= some.network_linear
    assert ("no path" in said["integrated"]) == (some.equal_pixels == 64)
    assert ("no noise" in said["compare"]) == (some.noise_level == 0)
    assert ("is flat" in said["compare"]) == (some.agreement is None)
    if "mostly noise" in said["compare"]:
        assert some.noise_snr is not None and some.noise_snr < 2


@given(st.floats(-1e12, 1e12))
def test_numbers_are_written_with_three_digits_that_are_right(value: float) -> None:
    text = number(value)
    assert "-" not in text and "e" not in text
    plain = text.replace("−", "-").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    read = float(re.sub(r"·10(.*)", r"e\1", plain))
    assert abs(read - value) <= 0.00501 * abs(value)


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.002, 0.0949, 0.095, 0.5, 1.0, 12.3])
def test_percentages(share: float) -> None:
    text = percent(share)
    assert text.endswith(" %")
    assert abs(float(text.removesuffix(" %")) - 100 * share) <= max(0.5 if share > 0.09 else 0, 0.05 * 100 * share)
    assert len(text) <= 9


@given(st.floats(0, 1))
def test_a_probability_below_one_is_not_written_as_one(value: float) -> None:
    text = probability(value)
    if value <= 1 - 1e-14:
        assert "·" in text or float(text) < 1
    if value >= 0.999:
        assert abs(float(text) - value) <= 1.01 * (1 - value)


# ---------------------------------------------------------------- on real pictures


@cache
def said_of(asked: State) -> dict[str, Any]:
    return answer(asked, ZOO)


@pytest.mark.parametrize("target", [0, 1, "predicted"])
@pytest.mark.parametrize("baseline", ["black", "white", "farthest"])
@pytest.mark.parametrize("network", ZOO)
def test_what_is_said_of_real_pictures_is_true_of_their_numbers(network: str, baseline: str, target: int | str) -> None:
    for name in ("edge", "circle", "diagonal", "black", "x", "white"):
        pixels = tuple(PATTERNS[name].ravel().tolist())
        said = said_of(State(pixels=pixels, network=network, target=target, baseline=baseline, steps=20, samples=8))
        check_claims(said, linear=ZOO[network].linear)


def check_claims(said: dict[str, Any], *, linear: bool) -> None:
    """Hold every sentence of an answer against the answer's own numbers."""
    words = {tab: " ".join(sentences) for tab, sentences in said["words"].items()}
    assert not re.search(r"\b(nan|inf|None)\b", " ".join(words.values()))
    score = said["scores"][said["target"]]
    if "Saturation" in words["saliency"]:
        assert score > 0.95 or score < 0.05
        assert f"near {round(score)}" in words["saliency"]
    equal = said["equal_pixels"]
    share = said["methods"]["integrated_gradients"]["share"]
    assert ("Incomplete" in words["integrated"]) == (share is not None and share > 0.01)
    on_the_way = np.abs(floats(said["path"]["gradients"])).max()
    here = max(map(abs, said["methods"]["gradient"]["map"]))
    assert ("a single gradient misses" in words["integrated"]) == (equal != 64 and on_the_way > 10 * here)
    assert (f"{equal} pixels equal" in words["integrated"]) == (1 < equal < 64)
    assert ("The network sees" in words["saliency"]) == (said["predicted"] != said["target"])
    assert ("linear inside" in words["saliency"]) == linear
    assert ("flat" in words["compare"]) == (said["correlations"][0][1] is None)


@pytest.mark.parametrize(
    "more",
    [{"noise_level": 0.0}, {"network": "logistic", "output": "logit"}, {"network": "logistic", "output": "logit", "noise_level": 0.0}],
    ids=str,
)
def test_samples_that_do_not_differ_are_not_called_a_signal(more: dict[str, Any]) -> None:
    text = " ".join(said_of(State(**more))["words"]["compare"])
    assert "standard errors" not in text
    assert ("no noise" in text) == (more.get("noise_level") == 0.0)
