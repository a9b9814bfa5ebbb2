"""Scores of challenges, against formulas of their own by plain autograd."""

from __future__ import annotations

import math
import time
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from random_states import random_states
from strategies import pictures

from classroom.test_tiles import ZOO, probability
from explorer.attribution.network import Floats
from explorer.classroom.challenges import CHALLENGES, overlap, ranked
from explorer.pictures import PATTERNS
from explorer.state import State

START = State()
FAST = 0.05  # seconds


def with_picture(picture: Floats, state: State = START) -> State:
    return state.replace(pixels=tuple(np.asarray(picture, dtype=float).ravel().tolist()))


def score_alone(kind: str, start: State, picture: tuple[float, ...]) -> float | None:
    """The score by its definition; None where the picture does not count."""
    model, x = ZOO[start.network], np.array(picture)
    chances = probability(model.network, 0)(x[None])[0][0]
    target = int(chances.argmax())
    at = probability(model.network, target)
    gradient = at(x[None])[1][0]
    if kind == "flip":
        first = int(probability(model.network, 0)(np.array(start.pixels)[None])[0][0].argmax())
        return None if target == first else float(sum(a != b for a, b in zip(picture, start.pixels, strict=True)))
    if kind == "flat":
        return float(np.abs(gradient).max()) if chances[target] >= 0.99 else None
    if sum(value >= 0.1 for value in picture) < 10 or chances[target] < 0.9:
        return None
    alphas = np.arange(1, start.steps + 1) / start.steps  # the right rule, from black
    maps = [x * gradient, x * at(alphas[:, None] * x)[1].mean(0)]
    if any(np.count_nonzero(values) < 8 for values in maps):
        return None
    strongest = [set(sorted(range(64), key=lambda pixel: (-abs(values[pixel]), pixel))[:8]) for values in maps]
    return float(len(strongest[0] & strongest[1]))


@pytest.mark.parametrize("kind", CHALLENGES)
@pytest.mark.parametrize("network", ["shapes", "digits"])
@settings(max_examples=25, deadline=None)
@given(picture=pictures)
def test_scores_are_what_their_definitions_say(kind: str, network: str, picture: tuple[float, ...]) -> None:
    start = State(network=network)
    scored = CHALLENGES[kind].score(start, start.replace(pixels=picture), ZOO)
    expected = score_alone(kind, start, picture)
    assert scored.valid == (expected is not None)
    assert scored.score == pytest.approx(expected or 0.0, rel=1e-6, abs=1e-12)
    assert scored.text[0].isupper() or scored.text[0].isdigit()
    assert scored.text.endswith(".")


@pytest.mark.parametrize("kind", CHALLENGES)
def test_any_state_has_a_finite_score_soon_and_only_its_picture_counts(kind: str) -> None:
    took = []
    for index, state in enumerate(random_states(ZOO, 5, 40)):
        began = time.perf_counter()
        scored = CHALLENGES[kind].score(START, state, ZOO)
        took.append(time.perf_counter() - began)
        assert math.isfinite(scored.score) and scored.score >= 0 and (scored.valid or scored.score == 0)
        if index % 8 == 0:
            assert scored == CHALLENGES[kind].score(START, START.replace(pixels=state.pixels), ZOO)
            assert scored == CHALLENGES[kind].score(START.replace(output="logit", target=1), state, ZOO)
    assert np.median(took) < FAST


def test_the_picture_of_the_start_changes_nothing() -> None:
    scored = CHALLENGES["flip"].score(START, START, ZOO)
    assert not scored.valid and "0 pixels changed" in scored.text


@pytest.mark.parametrize("by", [1e-12, 1e-3])
def test_a_difference_of_rounding_is_no_change_of_a_pixel(by: float) -> None:
    picture = START.picture().copy()
    picture[3, 3] += by if picture[3, 3] < 0.5 else -by
    assert f"{int(by > 1e-9)} pixel" in CHALLENGES["flip"].score(START, with_picture(picture), ZOO).text


def test_what_is_missing_is_said() -> None:
    black = with_picture(np.zeros((8, 8)))
    assert CHALLENGES["disagree"].score(START, black, ZOO).text == "0 pixels drawn, and at least 10 are needed."
    assert not any(challenge.score(black, black, ZOO).valid for name, challenge in CHALLENGES.items() if name != "flat")
    rng = np.random.default_rng(3)
    unsure = next(
        picture for picture in (with_picture(rng.random((8, 8))) for _ in range(500)) if 0.2 < probability(ZOO["shapes"].network, 0)(np.array(picture.pixels)[None])[0].max() < 0.89
    )
    largest = probability(ZOO["shapes"].network, 0)(np.array(unsure.pixels)[None])[0].max()
    for kind, needed in (("disagree", "0.9"), ("flat", "0.99")):
        text = CHALLENGES[kind].score(START, unsure, ZOO).text
        assert text.endswith(f"and {needed} is needed.")
        assert abs(float(text.removeprefix("P is ").split(",")[0]) - largest) < 1e-3


def test_the_text_of_a_flip_names_both_classes() -> None:
    circle, classes = with_picture(PATTERNS["circle"]), ZOO["shapes"].classes
    before, after = (classes[ZOO["shapes"].network.predict(one.picture())] for one in (START, circle))
    changed = int((START.picture() != circle.picture()).sum())
    assert CHALLENGES["flip"].score(START, circle, ZOO).text == f"{changed} pixels changed: “{before}” became “{after}”."


def test_equal_pixels_are_ranked_in_reading_order() -> None:
    flat = np.ones((8, 8))
    assert overlap(flat, -flat) == 8  # magnitudes; both take the first row
    last = np.zeros((8, 8))
    last[7] = 1
    assert overlap(flat, last) == 0 and overlap(flat, last[::-1]) == 8


def test_the_best_is_first_and_of_equal_ones_the_earlier() -> None:
    scores = [{"alias": alias, "score": score, "at": at} for alias, score, at in (("A", 3.0, 1), ("B", 2.0, 9), ("C", 2.0, 4), ("D", 0.5, 30), ("E", 3.0, 1))]
    for seed in range(5):
        assert "".join(one["alias"] for one in ranked(Random(seed).sample(scores, len(scores)))) == "DCBAE"
    assert ranked([]) == []


def test_small_gradients_are_written_without_an_exponent() -> None:
    plus = CHALLENGES["flat"].score(START, with_picture(PATTERNS["cross"]), ZOO)
    written = plus.text.removeprefix("The largest |∂P/∂x| is ").split(". P is")[0]
    assert plus.valid and plus.score < 1e-4
    assert set(written) <= set("0123456789.") and abs(float(written) / plus.score - 1) < 0.05
