"""The lab sanity: its similarities are those of maps that are computed anew here, and what the paper found is found."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from packed import floats
from scipy.stats import spearmanr
from strategies import ZOO, states

from explorer.attribution import METHODS, Case, Network, affine_layers, randomised, structural_similarity
from explorer.attribution.network import Floats
from explorer.lab_networks import lab_networks
from explorer.labs import LABS
from explorer.labs.lab import Answer
from explorer.labs.sanity import CHOICES, MOST_LAYERS, TWINNED, maps_of, randomised_maps
from explorer.models import FOLDER
from explorer.pictures import digit_samples
from explorer.sentences import Sentence
from explorer.state import State
from labs.said import all_are_true, answer_of

NAMES = ("gradient", "integrated_gradients", "guided_backprop")
TITLES = ("the gradient", "Integrated Gradients", "Guided Backprop")
KINDS = ("cascading", "alone", "labels")


def network_of(kind: str, network: Network, depth: int, seed: int) -> Network:
    if kind == "labels":
        return lab_networks().permuted.network
    names = [layer.name for layer in affine_layers(network)]
    return randomised(network, names[-depth:] if kind == "cascading" else [names[-depth]], seed)


def map_of(case: Case, name: str, network: Network, state: State) -> Floats:
    asked = Case(network, case.input, case.baseline, case.target, "logit")
    return METHODS[name](asked, **({"steps": state.steps, "rule": state.settings().rule} if name == "integrated_gradients" else {})).attribution


def spearman(one: Floats, other: Floats, pixels: np.ndarray[Any, np.dtype[np.bool_]]) -> float | None:
    one, other = one[pixels], other[pixels]
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(spearmanr(one, other).statistic)


def measures(one: Floats, other: Floats, case: Case) -> dict[str, float | None]:
    every, moving = np.ones((8, 8), bool), case.input != case.baseline
    return {
        "signed": spearman(one, other, every),
        "magnitude": spearman(abs(one), abs(other), every),
        "signed_moving": spearman(one, other, moving),
        "magnitude_moving": spearman(abs(one), abs(other), moving),
        "ssim": float(structural_similarity(one[None], other)[0]),
    }


def mean(rows: list[dict[str, float | None]], measure: str) -> float | None:
    found = [row[measure] for row in rows if row[measure] is not None]
    return float(np.mean(found)) if found else None  # type: ignore[arg-type]


def close(one: float | None, other: float | None) -> bool:
    return one is other is None or (one is not None and other is not None and abs(one - other) < 1e-9)


def asked_of(state: State, kind: str) -> State:
    """The state that is tested: only Digits has a network with permuted labels."""
    if kind != "labels" or state.network == "digits":
        return state
    return state.replace(network="digits", target=state.target if state.network == "digits-cnn" else "predicted")


@given(states().filter(lambda state: state.network in TWINNED), st.sampled_from(KINDS))
@settings(max_examples=10)
def test_similarities_and_sentences_are_those_of_maps_computed_anew(state: State, kind: str) -> None:
    answer, asked = answer_of("sanity", state, kind=kind), asked_of(state, kind)
    case, network = asked.case(ZOO), ZOO[asked.network].network
    assert answer["elsewhere"] == (asked.network != state.network) and answer["target"] == ZOO[asked.network].classes[case.target]
    depths = 1 if kind == "labels" else len(affine_layers(network))
    trained, others = floats(answer["trained"]).reshape(3, 8, 8), floats(answer["others"]).reshape(depths, 3, 8, 8)
    expected: dict[str, list[dict[str, float | None]]] = {}  # by method and depth
    twin = {}
    for m, name in enumerate(NAMES):
        before = map_of(case, name, network, asked)
        np.testing.assert_allclose(trained[m], before, rtol=1e-6)
        expected[name] = []
        for depth in (1, depths):  # the ones that sentences tell of
            after = [map_of(case, name, network_of(kind, network, depth, seed), asked) for seed in range(1 if kind == "labels" else 5)]
            np.testing.assert_allclose(others[depth - 1, m], after[0], rtol=1e-6, atol=1e-7 * abs(after[0]).max())
            rows = [measures(before, map_, case) for map_ in after]
            expected[name].append({measure: mean(rows, measure) for measure in rows[0]})
            found = answer["random"][name][depth - 1]
            assert all(close(found["mean"][measure], value) for measure, value in expected[name][-1].items())
            assert all(close(one, row[measure]) for measure in rows[0] for one, row in zip(found["draws"][measure], rows, strict=True))
        twin[name] = measures(before, map_of(case, name, lab_networks().twins[asked.network].network, asked), case)
        assert all(close(answer["controls"]["twin"][name][measure], value) for measure, value in twin[name].items())
        negated, itself = measures(before, -before, case), measures(before, case.input, case)
        assert all(close(answer["controls"]["negated"][name][measure], value) for measure, value in negated.items())
        assert all(close(answer["controls"]["picture"][name][measure], value) for measure, value in itself.items())
    first, last = ({name: rows[k] for name, rows in expected.items()} for k in (0, 1))
    all_are_true("sanity", answer, checks(answer, kind, first, last, twin))  # type: ignore[arg-type]


Means = Mapping[str, Mapping[str, float | None]]


def checks(answer: dict[str, Any], kind: str, first: Means, last: Means, twin: Means) -> dict[str, Any]:
    def states_all(values: Means, measure: str, said: Sentence) -> bool:
        return said.numbers.keys() == {name for name in NAMES if values[name][measure] is not None} and all(close(value, values[name][measure]) for name, value in said.numbers.items())

    def happened(said: Sentence) -> bool:
        changed = [first[name]["signed"] < 0.5 for name in NAMES]  # type: ignore[operator]
        words = {(True, True, True): "All three maps changed:", (True, True, False): "The gradient and Integrated Gradients changed, Guided Backprop stayed:", (False, False, False): "No map changed much:"}
        mix = [f"{title} {'changed' if one else 'stayed'}" for title, one in zip(TITLES, changed, strict=True)]
        text = words.get(tuple(changed), f"Another mix: {mix[0]}, {mix[1]} and {mix[2]}:")  # type: ignore[call-overload]
        return said.text.startswith(text) and states_all(first, "signed", said)

    def flat(said: Sentence) -> bool:
        missing = [title for title, name in zip(TITLES, NAMES, strict=True) if first[name]["signed"] is None]
        return answer["outcome"] is None and bool(missing) and all((title.lower() in said.text.lower()) == (title in missing) for title in TITLES)

    def above(said: Sentence) -> bool:
        higher = [title for title, name in zip(TITLES, NAMES, strict=True) if None not in (first[name]["signed"], twin[name]["signed"]) and first[name]["signed"] > twin[name]["signed"] + 0.02]  # type: ignore[operator]
        return bool(higher) and all((title in said.text) == (title in higher) for title in TITLES)

    model = lab_networks().permuted
    return {
        "happened": happened,
        "flat": flat,
        "labels": lambda said: kind == "labels" and said.numbers == {"memorised": float(model.stored["training_accuracy"]), "accuracy": model.accuracy},  # type: ignore[index]
        "elsewhere": lambda said: answer["elsewhere"] and answer["network"] == "Digits",
        "last depth": lambda said: kind != "labels" and states_all(last, "signed", said),
        "without signs": lambda said: all(close(value, last["integrated_gradients"][measure]) for measure, value in said.numbers.items()),
        "twin": lambda said: states_all(twin, "signed", said),
        "above the twin": above,
        **{f"chart {measure}": lambda said, measure=measure: states_all(last, measure, said) for measure in ("signed", "magnitude", "signed_moving", "magnitude_moving", "ssim")},
    }


@cache
def digit_answers() -> list[Answer]:
    """One digit of each class, on the convolutional network."""
    return [answer_of("sanity", State(network="digits-cnn", pixels=tuple(samples[0].ravel().tolist()))) for samples in digit_samples(FOLDER)]


def mean_over_digits(measure: str, depth: int) -> dict[str, float]:
    return {name: float(np.mean([answer["random"][name][depth - 1]["mean"][measure] for answer in digit_answers()])) for name in NAMES}


def test_random_logits_change_the_gradient_of_the_convolutional_network_and_hardly_guided_backprop() -> None:
    answer = answer_of("sanity", State(network="digits-cnn", pixels=tuple(digit_samples(FOLDER)[3][0].ravel().tolist())))
    assert CHOICES[answer["outcome"]] == "The gradient and Integrated Gradients change, Guided Backprop stays."
    logits = mean_over_digits("signed", 1)
    assert logits["guided_backprop"] > 0.7 and abs(logits["gradient"]) < 0.3 and abs(logits["integrated_gradients"]) < 0.3


def test_integrated_gradients_seems_to_stay_without_signs_and_where_pixels_are_0_by_choice_of_baseline() -> None:
    every, moving, signed = (mean_over_digits(measure, 4)["integrated_gradients"] for measure in ("magnitude", "magnitude_moving", "signed"))
    assert every > 0.8 and moving < 0.5 and abs(signed) < 0.2


def test_nothing_is_learned_from_permuted_labels_and_the_signed_maps_are_unrelated() -> None:
    answer = answer_of("sanity", State(network="digits", pixels=tuple(digit_samples(FOLDER)[3][0].ravel().tolist())), kind="labels")
    assert answer["memorised"] > 0.9 and answer["accuracy"] < 0.2 and not answer["charts"]
    assert all(abs(rows[0]["mean"]["signed"]) < 0.3 for rows in answer["random"].values())


def test_the_networks_with_a_twin_are_those_that_are_tested() -> None:
    assert set(TWINNED) == set(lab_networks().twins)
    for name in ZOO:
        assert bool(LABS["sanity"].unsupported(State(network=name), ZOO)) == (name not in TWINNED)
    assert max(len(affine_layers(ZOO[name].network)) for name in TWINNED) == MOST_LAYERS


def test_maps_of_a_network_of_ones_own() -> None:
    torch.manual_seed(0)
    network = Network(torch.nn.Sequential(torch.nn.Linear(64, 6), torch.nn.ReLU(), torch.nn.Linear(6, 2)))
    case = Case(network, np.random.default_rng(0).random((8, 8)), np.zeros((8, 8)), 1)  # its output does not matter
    cascading, alone = randomised_maps(case, seeds=2), randomised_maps(case, alone=True, seeds=2)
    assert cascading.shape == alone.shape == (2, 2, 3, 8, 8)
    np.testing.assert_array_equal(cascading[0], alone[0])  # the logits alone
    np.testing.assert_array_equal(cascading[1, 1], maps_of(case, randomised(network, ["0", "2"], 1)))
    np.testing.assert_array_equal(alone[1, 0], maps_of(case, randomised(network, ["0"], 0)))
    slope = METHODS["gradient"](Case(network, case.input, case.baseline, 1, "logit")).attribution
    np.testing.assert_array_equal(maps_of(case)[0], slope)
    assert abs(alone[1] - cascading[1]).max() > 0
