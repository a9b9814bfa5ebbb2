"""The lab fragile: the changed pictures keep the class, and their maps lose the pixels that it says."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from packed import floats
from strategies import ZOO, states

from explorer.attribution import METHODS, Case, top_pixels
from explorer.attribution.network import Floats
from explorer.labs import LABS
from explorer.labs.fragile import CHOICES
from explorer.labs.lab import Answer
from explorer.sentences import Sentence
from explorer.state import State
from labs.said import all_are_true, answer_of

GRADIENTS = ("gradient", "integrated_gradients")
QUADRATURE = {"gradient": {}, "integrated_gradients": {"steps": 25, "rule": "midpoint"}}
WORDS = {"Both maps kept": (True, True), "Only Integrated": (False, True), "Only the gradient": (True, False), "Both maps lost": (False, False)}


def mlps() -> st.SearchStrategy[State]:
    return states().filter(lambda state: state.network not in ("logistic", "digits-cnn"))


def map_of(method: str, case: Case, picture: Floats) -> Floats:
    return METHODS[method](Case(case.network, picture, case.baseline, case.target, case.output), **QUADRATURE[method]).attribution


def strongest(map_: Floats, count: int) -> set[int]:
    return {8 * row + column for row, column, _ in top_pixels(map_, count)}


def check_pictures(answer: Answer, case: Case) -> None:
    """What is shown, from the pictures alone. Float32 has moved them a little, so maps are compared by their frames."""
    predicted = case.network.predict(case.input)
    np.testing.assert_array_equal(floats(answer["picture"]), case.input.ravel().astype("f4"))
    assert set(answer["attacks"]) == {method for method in GRADIENTS if map_of(method, case, case.input).any()}
    for method, attack in answer["attacks"].items():
        before = map_of(method, case, case.input)
        np.testing.assert_allclose(floats(attack["before"]).reshape(8, 8), before, rtol=1e-6)
        assert set(attack["strongest"]) == strongest(before, attack["count"]) and attack["count"] == min(8, np.count_nonzero(before))
        for k, picture in enumerate(floats(attack["pictures"]).reshape(4, 8, 8).astype(float)):
            assert np.abs(picture - case.input).max() <= (k + 1) / 16 + 1e-6 and 0 <= picture.min() <= picture.max() <= 1
            scores = case.network.scores(picture[None])[0]
            assert scores[predicted] >= scores.max() - 1e-5
            np.testing.assert_allclose(attack["probabilities"][k], scores[predicted], atol=1e-5)
            assert attack["kept"][k] == len(set(attack["strongest_after"][k]) & set(attack["strongest"]))
            assert len(attack["strongest_after"][k]) == attack["count"]
            after = np.abs(floats(attack["after"]).reshape(4, 64)[k])
            assert after[attack["strongest_after"][k]].min() >= np.delete(after, attack["strongest_after"][k]).max(initial=0)


@given(mlps())
@settings(max_examples=7)
def test_pictures_and_sentences_are_true(state: State) -> None:
    case = state.case(ZOO)
    answer = answer_of("fragile", state)
    check_pictures(answer, case)
    attacks, classes = answer["attacks"], ZOO[state.network].classes
    p = float(case.network.scores(case.input[None])[0].max())

    def kept(said: Sentence, k: int) -> bool:
        return all(said.numbers[m] == len(set(a["strongest"]) & set(a["strongest_after"][k])) and said.numbers.get(f"of_{m}", a["count"]) == a["count"] for m, a in attacks.items())

    def headline(said: Sentence) -> bool:
        holds = tuple(2 * attacks[m]["kept"][1] >= attacks[m]["count"] for m in GRADIENTS)
        return holds == WORDS[next(words for words in WORDS if said.text.startswith(words))] and kept(said, 1)

    def one_flat(said: Sentence) -> bool:
        (flat,) = {"gradient": "The gradient", "integrated_gradients": "Integrated Gradients"}.keys() - set(attacks)
        return said.text.startswith({"gradient": "The gradient is 0", "integrated_gradients": "Integrated Gradients is 0"}[flat]) and kept(said, 1)

    def class_stays(said: Sentence) -> bool:
        after = all(said.numbers[m] == attack["probabilities"][1] for m, attack in attacks.items())
        return f"stays {classes[case.network.predict(case.input)]}:" in said.text and abs(said.numbers["before"] - p) < 1e-12 and after

    shares = compared_shares(state)

    def training(said: Sentence) -> bool:
        helped = [m for m in GRADIENTS if shares["shapes"][m] > shares["shapes-ordinary"][m]]
        words = {(): "neither map", GRADIENTS: "both maps", GRADIENTS[:1]: "only the gradient", GRADIENTS[1:]: "only Integrated Gradients"}
        numbers = {f"{name}_{m}": shares[network][m] for name, network in (("robust", "shapes"), ("ordinary", "shapes-ordinary")) for m in GRADIENTS}
        return f"helped {words[tuple(helped)]} here:" in said.text and said.numbers == numbers

    checks = {
        "kept": headline,
        "one flat": one_flat,
        "both flat": lambda said: not attacks,
        "class stays": class_stays,
        "half the change": lambda said: kept(said, 0),
        "training": training,
        "chart sizes": lambda said: all(said.numbers[m] == a["kept"][3] / a["count"] for m, a in attacks.items()),
        **{f"chart {m}-{k}": lambda said, m=m, k=k: said.numbers == ({"step": attacks[m]["steps"][k - 1]} if attacks[m]["steps"][k - 1] else {}) and drawn_steps(answer, m, k) for m in GRADIENTS for k in (1, 2, 3, 4)},
    }
    all_are_true("fragile", answer, checks)  # type: ignore[arg-type]


def compared_shares(state: State) -> dict[str, dict[str, float]]:
    """The overlaps at 2/16 on both shapes networks, from an answer for each."""
    if not state.network.startswith("shapes"):
        return {}
    found = {}
    for name in ("shapes", "shapes-ordinary"):
        attacks = answer_of("fragile", state.replace(network=name, target=state.case(ZOO).target))["attacks"]  # of the same class
        found[name] = {m: a["kept"][1] / a["count"] for m, a in attacks.items()}
    return found


def drawn_steps(answer: Answer, method: str, k: int) -> bool:
    """Whether the chart of an attack shows at the chosen step what the maps show, and no step with less that keeps the class."""
    attack, (overlap, chance) = answer["attacks"][method], answer["charts"][f"{method}-{k}"]["figure"]["data"]
    step = attack["steps"][k - 1]
    drawn = overlap["y"][step] * attack["count"], chance["y"][step]
    return overlap["y"][0] == 1 and np.allclose(drawn, (attack["kept"][k - 1], attack["probabilities"][k - 1]), rtol=1e-5)


def test_on_the_opening_edge_both_maps_lose_their_strongest_pixels_and_the_class_stays_sure() -> None:
    answer = answer_of("fragile", State())
    assert CHOICES[answer["outcome"]] == "Both maps lose more than half of them."
    assert all(attack["kept"][1] <= 2 and min(attack["probabilities"]) > 0.95 for attack in answer["attacks"].values())


def test_larger_changes_leave_less_and_the_convolutional_network_is_attacked_too() -> None:
    attacks = answer_of("fragile", State(network="digits-cnn"))["attacks"]
    for attack in attacks.values():
        assert attack["kept"][3] < attack["count"] / 2 and attack["kept"][3] <= attack["kept"][0]


def test_where_there_is_no_relu_the_lab_says_so() -> None:
    assert [name for name in ZOO if LABS["fragile"].unsupported(State(network=name), ZOO)] == ["logistic"]
    assert "the same strongest pixels" in LABS["fragile"].unsupported(State(network="logistic"), ZOO)
    field = [METHODS["gradient"](State(network="logistic", pixels=(level,) * 64).case(ZOO)).attribution for level in (0.0, 0.4, 1.0)]
    assert strongest(field[0], 8) == strongest(field[1], 8) == strongest(field[2], 8)
