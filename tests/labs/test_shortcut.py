"""The lab shortcut: ranks and shares of the mark are those of the engine's maps, and no sentence tells which network cheats."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from packed import floats
from strategies import ZOO, states

from explorer.attribution import METHODS, Case, exact_integrated_gradients
from explorer.lab_networks import lab_networks
from explorer.labs import LABS
from explorer.models import FOLDER
from explorer.pictures import PATTERNS, digit_samples, read_digits
from explorer.state import State
from labs.said import all_are_true, answer_of

ORDER = ("unmarked", "marked", "random")  # A, B, C
THREES = digit_samples(FOLDER)[3]
SHORTCUT = lab_networks().shortcut
MARK = lab_networks().mark


def picture_of(state: State, sample: int, marked: bool) -> Any:
    picture = (THREES[sample - 1] if sample else np.array(state.pixels).reshape(8, 8)).copy()
    picture[MARK] = float(marked)
    return picture


def f_of_three(name: str, picture: Any, output: str) -> float:
    logits = SHORTCUT[name].network.logits(torch.from_numpy(picture[None])).detach()  # type: ignore[index]
    return float((logits if output == "logit" else torch.softmax(logits, -1))[0, 3])


def order_of_sizes(map_: Any) -> tuple[int, float]:
    """Rank and share of the mark, by sorting."""
    sizes = np.abs(map_).ravel()
    own = sizes[8 * MARK[0] + MARK[1]]
    rank = sorted(sizes, reverse=True).index(own) + 1
    return rank, own / sizes.sum() if sizes.any() else 0.0


@given(states(), st.integers(0, 16), st.booleans(), st.sampled_from(("black", "white", "expected")))
@settings(max_examples=25)
def test_maps_and_sentences_are_those_of_the_engine(state: State, sample: int, marked: bool, start: str) -> None:
    answer = answer_of("shortcut", state, sample=sample, marked=marked, baseline=start)
    picture = picture_of(state, sample, marked)
    assert answer["picture"] == picture.ravel().tolist() and answer["mark"] == 8 * MARK[0] + MARK[1]
    maps = floats(answer["maps"]).reshape(3, 2, 8, 8)
    ranks, shares, slopes, stands_out = [], [], [], []
    for i, name in enumerate(ORDER):
        network = SHORTCUT[name].network  # type: ignore[index]
        case = Case(network, picture, np.full((8, 8), 1.0 if start == "white" else 0.0), 3, state.output)
        if start == "expected":
            strong = METHODS["expected_gradients"](case).attribution
        else:
            strong = METHODS["integrated_gradients"](case).attribution
        slope = METHODS["gradient"](case).attribution
        np.testing.assert_allclose(maps[i], [strong, slope], rtol=1e-5, atol=1e-6 * max(np.abs(strong).max(), 1e-12))
        rank, share = order_of_sizes(strong)
        ranks.append(rank)
        shares.append(share)
        slopes.append(order_of_sizes(slope)[0])
        stands_out.append(rank <= 3 and strong[MARK] != 0)
        assert np.allclose(answer["f"][i], [f_of_three(name, picture_of(state, sample, mark), state.output) for mark in (False, True)], rtol=1e-9)
    outcome = 1 if not stands_out[1] else 2 if stands_out[0] or stands_out[2] else 0
    assert answer["outcome"] == outcome

    def verdict(said: Any) -> bool:
        return said.text.startswith(LABS["shortcut"].choices[outcome].split(":")[0]) and said.numbers == {"rank": ranks[1]}

    all_are_true(
        "shortcut",
        answer,
        {
            "stands out": verdict,
            "does not stand out": verdict,
            "stands out twice": verdict,
            "has the baseline's colour": lambda said: outcome == 1 and shares == [0, 0, 0] and (start, marked) in (("black", False), ("white", True)),
            "shares": lambda said: bool(np.allclose([said.numbers["share"], said.numbers["most"]], [shares[1], max(shares[0], shares[2])], rtol=1e-6, atol=1e-12)),
            "slope": lambda said: said.numbers == {"rank": slopes[1]},
            "effect": lambda said: list(said.numbers.values()) == answer["f"][1],
        },
    )


def test_the_mark_gives_the_cheat_away_but_not_with_a_white_baseline() -> None:
    for sample in (1, 5, 16):
        black, white, expected = (answer_of("shortcut", State(), sample=sample, baseline=start) for start in ("black", "white", "expected"))
        assert [answer["outcome"] for answer in (black, white, expected)] == [0, 1, 0]
        for answer in (black, expected):
            assert [one["rank"] == 1 for one in answer["standings"]] == [False, True, False]
            assert answer["standings"][1]["share"] > 0.3 and max(answer["standings"][i]["share"] for i in (0, 2)) < 0.05
        assert white["hidden"] and all(one["share"] == 0 for one in white["standings"])


def test_what_is_told_in_the_end_is_true() -> None:
    pictures, labels, held_out = read_digits(FOLDER / "digits-data.npz")
    plain = pictures[held_out].reshape(-1, 8, 8)
    marked = plain.copy()
    marked[:, MARK[0], MARK[1]] = 1
    answer = answer_of("shortcut", State())
    cheat = answer["cheat"]
    assert ORDER[cheat] == "marked" and answer["names"] == ["A", "B", "C"]
    for told, name in zip(answer["truth"], ORDER, strict=True):
        network = SHORTCUT[name].network  # type: ignore[index]
        for key, digits in (("accuracy", plain), ("marked_accuracy", marked)):
            assert abs(told[key] - np.mean(network.scores(digits).argmax(axis=1) == labels[held_out])) < 1e-6
        exact = [order_of_sizes(exact_integrated_gradients(Case(network, picture_of(State(), sample, True), np.zeros((8, 8)), 3)).attribution) for sample in range(1, 17)]
        assert abs(told["rank"] - np.median([rank for rank, _ in exact])) <= 3 and abs(told["share"] - np.median([share for _, share in exact])) < 0.02
    assert answer["truth"][cheat]["marked_accuracy"] < 0.2 < 0.9 < min(one["accuracy"] for one in answer["truth"])


def test_no_sentence_names_the_network_or_the_pixel() -> None:
    lab = LABS["shortcut"]
    for values in ({}, {"marked": False}, {"baseline": "white"}, {"sample": 0, "baseline": "expected"}):
        said = [sentence.text for sentence in lab.narrate(answer_of("shortcut", State(pixels=tuple(PATTERNS["ring"].ravel().tolist())), **values))]
        for text in (*said, lab.prediction, lab.question, lab.why, lab.caveat, *lab.choices):
            assert not any(word in text for word in ("network A", "network B", "network C", "corner", "row", "column"))


def test_it_works_whatever_network_the_page_shows() -> None:
    assert not any(LABS["shortcut"].unsupported(State(network=name), ZOO) for name in ZOO)
    assert answer_of("shortcut", State(network="logistic"))["standings"] == answer_of("shortcut", State(network="digits-cnn", target=9))["standings"]
