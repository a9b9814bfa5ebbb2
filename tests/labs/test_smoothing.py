"""The lab smoothing: its copies are the engine's, its errors those of plain numpy, and they fall as it says."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from packed import floats
from scipy.stats import spearmanr
from strategies import ZOO, states

from explorer.attribution import METHODS, rank_correlations
from explorer.attribution.field import values_at
from explorer.labs import smoothing
from explorer.pictures import PATTERNS
from explorer.sentences import Sentence
from explorer.state import State
from labs.said import all_are_true, answer_of


def close(one: float, other: float) -> bool:
    return bool(np.isclose(one, other, rtol=1e-6, atol=1e-12))


@given(states(), st.integers(1, 100))
@settings(max_examples=25, deadline=None)
def test_samples_and_sentences_are_those_of_smoothgrad(state: State, hundredths: int) -> None:
    sigma = hundredths / 100
    answer, case = answer_of("smoothing", state, noise_level=sigma), state.case(ZOO)
    copies = case.input + sigma * np.random.default_rng(state.seed).standard_normal((100, 8, 8))
    np.testing.assert_allclose(floats(answer["copies"]).reshape(-1, 8, 8), copies, rtol=1e-3, atol=1e-3)
    gradients = floats(answer["gradients"]).reshape(-1, 8, 8)
    tiny = 1e-6 * np.abs(gradients).max() + 1e-30

    def engine(n: int) -> tuple[np.ndarray, np.ndarray]:
        found = METHODS["smoothgrad"](case, samples=n, noise_level=sigma, seed=state.seed, clip=False)
        assert found.error is not None
        # torch adds up in another order in a batch: equal gradients may differ in their last bits
        return found.attribution, np.where(found.error > 1e-12 * np.abs(found.attribution), found.error, 0)

    (mean, error), (_, early) = engine(100), engine(25)
    np.testing.assert_allclose(gradients.mean(axis=0), mean, atol=tiny)
    gradient = METHODS["gradient"](case).attribution
    np.testing.assert_allclose(np.reshape(answer["gradient"], (8, 8)), gradient, atol=tiny)
    scores = np.stack([case.network.scores(copy[None])[0] for copy in copies])
    values = scores[:, case.target] if state.output == "probability" else np.array(answer["values"])
    np.testing.assert_allclose(answer["values"], values, atol=1e-12)
    here = case.network.scores(case.input[None])[0]
    squares = sorted((gradients**2).sum(axis=(1, 2)), reverse=True)

    def fell(said: Sentence) -> bool:
        ratio = early.mean() / error.mean()
        words = {"about as large": ratio < 1.5, "about half": 1.5 <= ratio <= 3, "a quarter": ratio > 3}
        return next(true for text, true in words.items() if text in said.text) and close(said.numbers["few"], early.mean()) and close(said.numbers["many"], error.mean())

    def same(said: Sentence) -> bool:
        return close(early.mean(), 0) and ("All" not in said.text or close(error.mean(), 0))

    checks = {
        "error falls": fell,
        "no error": same,
        "few copies": lambda said: close(said.numbers["share"], sum(squares[:5]) / sum(squares)),
        "uncertain signs": lambda said: said.numbers["count"] == (np.abs(mean) < 2 * error).sum(),
        "smoothed F": lambda said: close(said.numbers["mean"], values.mean()) and (state.output == "logit" or close(said.numbers["f"], here[case.target])),
        "class kept": lambda said: said.numbers["count"] == (scores.argmax(axis=1) == here.argmax()).sum(),
        "another map": lambda said: close(said.numbers["r"], rank_correlations(np.stack([mean, gradient]))[0, 1]),
        "chart errors": lambda said: close(said.numbers["few"], early.mean()) and close(said.numbers["many"], error.mean()),
    }
    all_are_true("smoothing", answer, checks)


def test_on_the_ring_four_times_the_copies_halve_the_error() -> None:
    ring = State(pixels=tuple(PATTERNS["ring"].ravel().tolist()))
    answer = answer_of("smoothing", ring)
    assert answer["outcome"] == 1 and 1.9 < answer["few"] / answer["many"] < 2.3
    assert answer["charts"]["errors"]["figure"]["data"][1]["y"][0] == np.float64(f"{answer['many'] * 50**0.5:.6g}")  # the line 1/√n meets the last error
    gradients = floats(answer["gradients"]).reshape(-1, 64)
    assert np.isclose(answer["correlation"], spearmanr(gradients.mean(axis=0), answer["gradient"]).statistic, atol=1e-6)


def test_the_mean_is_the_gradient_of_the_smoothed_f() -> None:
    """The mean gradient of many copies is the slope of the mean of F over copies, which is F convolved with the Gaussian."""
    case = State(output="logit").case(ZOO)
    copies, field = smoothing.noisy_gradients(case, noise_level=0.3, seed=1, count=20000)
    for pixel in ((2, 3), (5, 4)):
        moved = np.zeros((8, 8))
        moved[pixel] = 1e-3
        above, below = (values_at(case, copies + sign * moved).mean() for sign in (1, -1))
        assert np.isclose((above - below) / 2e-3, field.gradients[:, *pixel].mean(), rtol=0.02)


def test_a_linear_logit_has_no_error_at_all() -> None:
    answer = answer_of("smoothing", State(network="logistic", output="logit"), noise_level=0.5)
    assert answer["outcome"] is None and answer["few"] == answer["many"] == 0 and answer["uncertain"] == 0 and not answer["charts"]


