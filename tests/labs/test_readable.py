"""The lab readable: its maps are the engine's on each stage, its accuracies are measured again, and its sentences say both."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from packed import floats
from strategies import ZOO, states

from explorer.attribution import METHODS, exact_integrated_gradients
from explorer.attribution.case import Case
from explorer.labs.readable import neighbour_correlation
from explorer.labs.stages import HELD_OUT, RIGHT, STEPS, TRAININGS, stages
from explorer.pictures import PATTERNS, baseline
from explorer.sentences import Sentence
from explorer.state import State
from labs.said import all_are_true, answer_of
from models.drawn_shapes import draw_shapes

HELD_OUT_SEED, HELD_OUT_EACH = 2, 500  # of models/train.py


def neighbours(values: np.ndarray) -> float | None:
    """The same measure, pair by pair: both orders of each."""
    grid = np.reshape(values, (8, 8))
    pairs = [(grid[r, c], grid[r + down, c + 1 - down]) for down in (0, 1) for r in range(8 - down) for c in range(7 + down)]
    assert len(pairs) == 112
    one, other = np.array([*pairs, *((b, a) for a, b in pairs)]).T
    return None if one.std() <= 1e-9 * np.abs(grid).max() else float(np.corrcoef(one, other)[0, 1])


@given(states())
@settings(max_examples=10)
def test_maps_and_sentences_are_those_of_the_engine(state: State) -> None:
    answer = answer_of("readable", state)
    shapes = state.network in ("shapes", "shapes-ordinary")
    picture = state.picture()
    target = state.target if shapes and isinstance(state.target, int) else ZOO["shapes"].network.predict(picture)
    drawing = None if state.drawing is None else np.reshape(state.drawing, (8, 8))
    reference = baseline(state.baseline, picture, seed=state.baseline_seed, mean=ZOO["shapes"].mean, drawing=drawing)
    maps = floats(answer["maps"]).reshape(2, len(STEPS), 3, 8, 8)
    last = []
    for t, training in enumerate(TRAININGS):
        for s in (0, 12, len(STEPS) - 1):
            case = Case(stages(training)[STEPS[s]], picture, reference, target, state.output)
            noise = {"samples": state.samples, "noise_level": state.noise_level, "seed": state.seed, "clip": state.clip}
            engine = [METHODS["gradient"](case).attribution, METHODS["smoothgrad"](case, **noise).attribution, exact_integrated_gradients(case).attribution]
            for m, truth in enumerate(engine):
                np.testing.assert_allclose(maps[t, s, m], truth, atol=1e-6 * np.abs(truth).max() + 1e-30)
                near = neighbours(truth)
                assert (near is None) == (answer["smooth"][t][s][m] is None) and (near is None or np.isclose(near, answer["smooth"][t][s][m], atol=1e-6))
        logits = case.network.logits(torch.from_numpy(picture[None])).numpy()
        last.append((engine, case.network.probabilities_of(logits)[0, target] if state.output == "probability" else logits[0, target]))
    (robust, f_robust), (ordinary, f_ordinary) = last

    def both(said: Sentence, one: float | None, other: float | None) -> bool:
        return one is not None and other is not None and np.allclose([said.numbers["robust"], said.numbers["ordinary"]], [one, other], atol=1e-6)

    def of(method: int) -> tuple[float | None, float | None]:
        return neighbours(robust[method]), neighbours(ordinary[method])

    def smoother(said: Sentence) -> bool:
        one, other = of(0)
        assert one is not None and other is not None
        words = {"The network trained": one >= other + 0.1, "The network with": other >= one + 0.1, "Neither": abs(one - other) < 0.1}
        return both(said, one, other) and next(true for text, true in words.items() if said.text.startswith(text))

    checks = {
        "gradient": smoother,
        "no gradient": lambda said: None in of(0),
        "SmoothGrad": lambda said: both(said, *of(1)),
        "Integrated Gradients": lambda said: both(said, *of(2)),
        "picture": lambda said: np.isclose(said.numbers["picture"], neighbours(picture)),
        "cost": lambda said: both(said, RIGHT["robust"][-1], RIGHT["ordinary"][-1]),
        "F": lambda said: both(said, f_robust, f_ordinary) and ZOO["shapes"].classes[target] in said.text,
        "same layers": lambda said: True,
        "which pair": lambda said: True,
        "chart smooth": lambda said: not said.numbers or np.isclose(said.numbers["last"], of(0)[0]),
        "chart accuracy": lambda said: both(said, RIGHT["robust"][-1] / HELD_OUT, RIGHT["ordinary"][-1] / HELD_OUT),
    }
    all_are_true("readable", answer, checks)  # type: ignore[arg-type]


def test_the_adversary_makes_the_gradient_of_the_edge_smoother_and_costs_accuracy() -> None:
    answer = answer_of("readable", State())
    robust, ordinary = (row[-1][0] for row in answer["smooth"])
    assert answer["outcome"] == 0 and robust > 0.3 > 0.15 > ordinary
    assert RIGHT["robust"][-1] < RIGHT["ordinary"][-1]
    clear = [name for name, picture in PATTERNS.items() if answer_of("readable", State(pixels=tuple(picture.ravel().tolist())))["outcome"] == 0]
    assert len(clear) >= 9  # of 12: the picture was not chosen for it


def test_the_two_trainings_start_alike_and_the_first_ends_as_the_shapes_network() -> None:
    weights = {training: [[p.numpy() for p in network.module.parameters()] for network in stages(training).values()] for training in TRAININGS}
    for one, other in zip(weights["robust"][0], weights["ordinary"][0], strict=True):
        assert (one == other).all()
    for one, other in zip(weights["robust"][-1], ZOO["shapes"].network.module.parameters(), strict=True):
        np.testing.assert_allclose(one, other.numpy(), atol=1e-3)
    units = [[p.shape for p in ZOO[name].network.module.parameters()] for name in ("shapes", "shapes-ordinary")]
    assert units[0] != units[1] and all(tuple(stages(training)) == STEPS for training in TRAININGS)


def test_accuracies_are_those_of_the_held_out_shapes() -> None:
    pictures, labels = draw_shapes(np.random.default_rng(HELD_OUT_SEED), HELD_OUT_EACH)
    assert len(labels) == HELD_OUT
    for training in TRAININGS:
        right = [int((network.scores(pictures.reshape(-1, 8, 8)).argmax(axis=1) == labels).sum()) for network in stages(training).values()]
        assert np.abs(np.subtract(right, RIGHT[training])).max() <= 2  # rounding differs between machines


def test_the_measure_is_1_for_a_ramp_0_for_noise_and_minus_1_for_a_chessboard() -> None:
    row, column = np.mgrid[0:8, 0:8]
    assert neighbour_correlation((-1.0) ** (row + column)) == -1
    ramp = neighbour_correlation(row + 0.1 * column)
    assert ramp is not None and ramp > 0.85
    noise = [neighbour_correlation(draw) for draw in np.random.default_rng(0).standard_normal((500, 8, 8))]
    assert abs(np.mean([one for one in noise if one is not None])) < 0.02
    assert neighbour_correlation(np.full((8, 8), 0.3)) is None and neighbour_correlation(np.zeros((8, 8))) is None
    tiny = neighbour_correlation(1e-300 * (row + 0.1 * column))  # a gradient of P may be as small
    assert tiny is not None and np.isclose(tiny, ramp)


def test_the_lab_uses_its_own_networks_and_the_state_s_target_where_it_is_a_shape() -> None:
    ring = tuple(PATTERNS["ring"].ravel().tolist())
    same = [answer_of("readable", State(pixels=ring, network=network)) for network in ("shapes", "digits", "logistic")]
    assert same[0] == same[1] == same[2] and same[0]["class"] == "ring"
    assert answer_of("readable", State(pixels=ring, network="shapes-ordinary", target=0))["class"] == "vertical edge"
    assert answer_of("readable", State(pixels=ring, network="digits", target=0))["class"] == "ring"


