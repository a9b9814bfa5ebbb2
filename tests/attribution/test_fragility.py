"""The attack on a map: what it keeps, what it changes, and that it finds what the papers find."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from each import each
from torch import nn

from explorer.attribution import METHODS, Case, MapAttack, Network, attack_map, attack_maps, top_pixels
from explorer.attribution.fragility import Attacked, softened
from explorer.models import FOLDER
from explorer.pictures import DIGITS_FILE, read_digits

from .architectures import ARCHITECTURES
from .toys import BLACK, WHITE, Combined, Floats, embed, linear, mlp, outputs, picture, random_case

METHOD_NAMES: tuple[Attacked, ...] = ("gradient", "integrated_gradients")
methods = each("method", METHOD_NAMES)
KINKED = {name: module for name, module in ARCHITECTURES.items() if name not in ("linear", "one-layer", "pooled")}


def strongest(attribution: Floats, count: int) -> set[tuple[int, int]]:
    return {(row, column) for row, column, _ in top_pixels(attribution, count)}


def check(case: Case, method: Attacked, epsilon: float) -> MapAttack:
    """All that is promised of the result, by the network itself."""
    found = attack_map(case, method, epsilon, steps=15)
    assert np.abs(found.picture - case.input).max() <= epsilon * (1 + 1e-12)
    assert found.picture.min() >= 0 and found.picture.max() <= 1
    assert found.predicted == case.network.predict(case.input) == case.network.predict(found.picture)
    at_picture = Case(case.network, found.picture, case.baseline, case.target, case.output)
    for attribution, asked in ((found.before, case), (found.after, at_picture)):
        expected = METHODS[method](asked).attribution
        np.testing.assert_allclose(attribution, expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    assert [set(map(tuple, np.argwhere(which).tolist())) for which in (found.strongest_before, found.strongest_after)] == [
        strongest(map_, found.count) for map_ in (found.before, found.after)
    ]
    same = strongest(found.before, found.count) & strongest(found.after, found.count)
    assert found.overlap == len(same) / found.count == found.overlaps[found.step]
    assert found.probabilities[found.step] == pytest.approx(case.network.scores(found.picture[None])[0, found.predicted], rel=1e-12)
    assert found.overlaps[0] == 1 and found.kept[0] and found.kept[found.step] and len(found.overlaps) == 16
    assert found.overlap == found.overlaps[found.kept].min()
    return found


@each("module", KINKED.values(), ids=KINKED)
@methods
def test_it_keeps_what_it_promises(module: nn.Module, method: Attacked) -> None:
    network = Network(module)
    for seed in range(3):
        check(random_case(network, seed, ("logit", "probability")[seed % 2]), method, (1 / 16, 0.3, 1.0)[seed])


@methods
def test_also_for_a_network_that_is_no_sequence(method: Attacked) -> None:
    case = random_case(Network(Combined(mlp(0), mlp(1))), 0)
    assert check(case, method, 0.3).overlap < 1


def test_the_same_question_has_the_same_answer_in_any_mode_of_torch() -> None:
    case = random_case(Network(mlp(3)), 1)
    first = attack_map(case)
    with torch.inference_mode():
        second = attack_map(case)
    assert first.overlap < 1 and np.array_equal(first.picture, second.picture) and np.array_equal(first.overlaps, second.overlaps)


@methods
def test_attacks_of_several_sizes_are_those_of_each_alone(method: Attacked) -> None:
    case, epsilons = random_case(Network(mlp(7)), 2, "logit"), (0.3, 0.05, 0.1)
    together = attack_maps(case, method, epsilons, steps=20, step_size=0.2)
    assert len({np.abs(attack.picture - case.input).max() for attack in together}) > 1
    for epsilon, attack in zip(epsilons, together, strict=True):
        alone = attack_map(case, method, epsilon, steps=20, step_size=0.2)
        np.testing.assert_allclose(attack.picture, alone.picture, atol=1e-12)
        assert np.array_equal(attack.overlaps, alone.overlaps) and attack.step == alone.step
    with pytest.raises(ValueError, match="at least one epsilon"):
        attack_maps(case, method, [])


@methods
@outputs
def test_a_step_follows_the_slope_of_the_softplus_networks_share(method: Attacked, output: str) -> None:
    network = Network(mlp(5))
    case = Case(network, 0.2 + 0.6 * picture(1), picture(2), 1, output)  # type: ignore[arg-type]
    soft = Network(softened(network, 10.0))
    values = {"steps": 10, "rule": "midpoint"} if method == "integrated_gradients" else {}
    found = attack_map(case, method, 0.2, steps=1, step_size=0.1)
    assert found.step == 1 and found.overlap < 1
    top = strongest(found.before, 8)

    def share(x: Floats) -> float:
        size = np.abs(METHODS[method](Case(soft, x, case.baseline, 1, case.output), **values).attribution)
        return float(sum(size[pixel] for pixel in top) / size.sum())

    slopes = np.array([(share(case.input + 1e-6 * e) - share(case.input - 1e-6 * e)) / 2e-6 for e in np.eye(64).reshape(64, 8, 8)])
    clear = np.abs(slopes) > 1e-6
    assert clear.sum() > 50
    assert np.array_equal(np.rint((found.picture - case.input).ravel()[clear] / 0.1), -np.sign(slopes[clear]))


def test_softplus_is_above_relu_by_at_most_ln_2_over_beta_for_each_unit() -> None:
    x = torch.linspace(-3, 3, 601, dtype=torch.float64)[:, None].repeat(1, 64)
    network, leaky = Network(nn.Sequential(nn.ReLU())), Network(nn.Sequential(nn.LeakyReLU(0.2)))
    for beta in (1.0, 10.0, 100.0):
        above = softened(network, beta)(x) - network.module(x)
        assert above.max().item() == pytest.approx(np.log(2) / beta) and above.min() >= 0
        assert torch.allclose(softened(leaky, beta)(x) - leaky.module(x), 0.8 * above, atol=1e-15)


def test_a_map_that_no_change_of_the_picture_alters_is_not_attacked() -> None:
    # one hidden unit: the map is its weights times a number
    network = Network(nn.Sequential(linear(1 + np.arange(64.0), 1.0), nn.ReLU(), linear([[1.0], [-1.0]])))
    found = attack_map(Case(network, picture(0), BLACK, 0, "logit"), epsilon=0.5)
    assert (found.step, found.overlap) == (0, 1.0) and found.overlaps.tolist() == [1.0] * 61
    assert np.array_equal(found.picture, picture(0)) and np.array_equal(found.before, found.after)


def test_fewer_pixels_that_matter_than_asked_are_all_that_is_compared() -> None:
    network = Network(mlp(0))
    found = attack_map(Case(network, embed(0.5, 0.7), BLACK, 0), "integrated_gradients")
    assert found.count == 2 and found.overlaps[0] == 1


def test_the_class_that_is_kept_is_the_predicted_one_whatever_the_target(zoo: Mapping[str, Network]) -> None:
    network = zoo["shapes"]
    x = picture(0)
    predicted = network.predict(x)
    found = attack_map(Case(network, x, BLACK, (predicted + 1) % 8), epsilon=0.4, step_size=0.1)
    assert found.predicted == predicted == network.predict(found.picture)
    assert not found.kept.all()  # so some steps were passed over


def test_pixels_out_of_range_do_not_move_further_out() -> None:
    x = 3 * picture(0) - 1
    found = attack_map(Case(Network(mlp(0)), x, BLACK, 0), epsilon=0.3)
    assert found.overlap < 1
    assert np.abs(found.picture - x).max() <= 0.3 + 1e-12
    assert (found.picture <= np.maximum(x, 1)).all() and (found.picture >= np.minimum(x, 0)).all()


def test_small_changes_move_the_strongest_pixels_of_digits(zoo: Mapping[str, Network]) -> None:
    pictures, _, held_out = read_digits(FOLDER / DIGITS_FILE)
    network = zoo["digits"]

    def mean_overlap(method: Attacked, epsilon: float) -> float:
        found = [
            attack_map(Case(network, x, BLACK, network.predict(x), "logit"), method, epsilon)
            for x in pictures[held_out][:10].reshape(-1, 8, 8)
        ]
        assert np.mean([attack.probabilities[attack.step] for attack in found]) > 0.8
        return float(np.mean([attack.overlap for attack in found]))

    gradient, integrated = ([mean_overlap(method, epsilon) for epsilon in (1 / 16, 3 / 16)] for method in METHOD_NAMES)
    assert gradient[0] < 0.5 and gradient[1] < 0.25
    assert gradient[0] < integrated[0] < 0.8 and integrated[1] < integrated[0]


dead = nn.Sequential(linear(np.eye(64)[:4], -5.0), nn.ReLU(), linear(np.ones((2, 4))))


@each(
    ("module", "arguments", "reason"),
    [
        (mlp(0, activation=nn.Tanh), {}, "the attack replaces ReLU layers by softplus, and the network has no ReLU layer"),
        (linear(np.ones((2, 64))), {}, "the attack replaces ReLU layers by softplus"),
        (dead, {}, "the map is 0 at every pixel"),
        (mlp(0), {"method": "smoothgrad"}, "the method must be one of"),
        (mlp(0), {"epsilon": 0.0}, "epsilon must be above 0"),
        (mlp(0), {"epsilon": np.nan}, "epsilon must be above 0"),
        (mlp(0), {"step_size": -1.0}, "step_size must be above 0"),
        (mlp(0), {"beta": np.inf}, "beta must be above 0"),
        (mlp(0), {"steps": 0}, "steps must be at least 1"),
        (mlp(0), {"count": 65}, "count must be 1 to 64"),
        (mlp(0), {"count": 2.0}, "count must be a whole number"),
    ],
)
def test_what_cannot_be_attacked_is_refused(module: nn.Module, arguments: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        attack_map(Case(Network(module), 0.5 * WHITE, BLACK, 0), **arguments)  # type: ignore[arg-type]
