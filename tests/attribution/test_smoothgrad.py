"""SmoothGrad: its noise, its mean, and the error of that mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from torch import nn

from explorer.attribution import METHODS, Case, Network, Settings, explain, gradient_field, standard_error
from explorer.attribution.field import Field
from explorer.attribution.methods.smoothgrad import points
from explorer.attribution.network import Output

from .toys import BLACK, Floats, embed, first, linear, mlp, outputs, picture, random_case, relative_error


def smoothgrad(case: Case, **settings: Any) -> Floats:
    return explain(case, Settings(**settings), ["smoothgrad"])["smoothgrad"].attribution


def copies(case: Case, **settings: Any) -> Floats:
    return points(case, Settings(**settings))


@outputs
@pytest.mark.parametrize("samples", [1, 10])
def test_without_noise_it_is_the_gradient(output: Output, samples: int) -> None:
    case = random_case(Network(mlp(0)), 1, output)
    gradient = explain(case)["gradient"].attribution
    assert relative_error(smoothgrad(case, samples=samples, noise_level=0), gradient) < 1e-14


@pytest.mark.parametrize("noise_level", [0.1, 5.0])
@pytest.mark.parametrize("clip", [False, True])
def test_on_a_linear_network_it_is_the_gradient_whatever_the_noise(noise_level: float, clip: bool) -> None:
    weights = np.random.default_rng(0).standard_normal((3, 64))
    case = random_case(Network(linear(weights)), 1, "logit")
    found = smoothgrad(case, noise_level=noise_level, clip=clip)
    assert relative_error(found, weights[case.target].reshape(8, 8)) < 1e-14


@outputs
def test_it_is_the_mean_of_the_gradients_at_its_own_noisy_copies(output: Output) -> None:
    case = random_case(Network(mlp(0)), 2, output)
    at_copies = gradient_field(case.network, copies(case, seed=4), case.target, output).gradients
    assert relative_error(smoothgrad(case, seed=4), at_copies.mean(axis=0)) < 1e-12


def test_noise_has_mean_zero_and_the_deviation_asked_for() -> None:
    case = random_case(Network(mlp(0)), 0)
    noise = (copies(case, samples=4000, noise_level=0.2) - case.input) / 0.2
    n = noise.size
    assert abs(noise.mean()) < 5 / np.sqrt(n)
    assert abs(noise.std() - 1) < 5 / np.sqrt(2 * n)
    assert abs((noise**4).mean() - 3) < 5 * np.sqrt(96 / n)  # the fourth moment of a normal distribution


def test_noise_scales_with_its_level() -> None:
    case = Case(Network(mlp(0)), BLACK, BLACK, 0)
    np.testing.assert_allclose(copies(case, noise_level=0.6), 3 * copies(case, noise_level=0.2), rtol=1e-14)


def test_the_same_seed_gives_the_same_copies_and_another_seed_others() -> None:
    case = random_case(Network(mlp(0)), 0)
    assert np.array_equal(copies(case, seed=1), copies(case, seed=1))
    assert not np.array_equal(copies(case, seed=1), copies(case, seed=2))


def test_the_global_random_state_is_neither_read_nor_changed() -> None:
    case = random_case(Network(mlp(0)), 0)
    np.random.seed(0)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    drawn = copies(case, seed=1)
    assert np.random.random() == expected  # noqa: NPY002
    assert np.array_equal(copies(case, seed=1), drawn)


def test_a_shorter_draw_is_the_beginning_of_a_longer_one() -> None:
    case = random_case(Network(mlp(0)), 0)
    assert np.array_equal(copies(case, samples=7), copies(case, samples=50)[:7])


def test_copies_are_clipped_to_the_pixel_range_only_if_asked() -> None:
    case = random_case(Network(mlp(0)), 0)
    free, clipped = copies(case, noise_level=0.5), copies(case, noise_level=0.5, clip=True)
    assert free.min() < 0
    assert free.max() > 1
    assert np.array_equal(clipped, np.clip(free, 0, 1))


def test_on_a_kink_it_is_the_share_of_copies_on_the_active_side() -> None:
    network = Network(nn.Sequential(first([[1.0]], -0.5), nn.ReLU(), linear([[1.0]] * 2)))
    case = Case(network, embed(0.5), BLACK, 0, "logit")
    share = float((copies(case, samples=40)[:, 0, 0] > 0.5).mean())
    assert 0.2 < share < 0.8
    assert smoothgrad(case, samples=40)[0, 0] == pytest.approx(share, abs=1e-15)


# Its standard error


def field(gradients: Floats) -> Field:
    n = len(gradients)
    return Field(np.zeros(n), gradients, np.zeros((n, 2)))


def test_standard_error_follows_its_formula() -> None:
    gradients = np.random.default_rng(0).standard_normal((30, 8, 8)) + 5
    mean = sum(gradients) / 30
    expected = np.sqrt(sum((gradient - mean) ** 2 for gradient in gradients) / 29) / np.sqrt(30)
    found = standard_error(field(gradients))
    assert found is not None
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_standard_error_of_one_sample_is_unknown() -> None:
    assert standard_error(field(np.ones((1, 8, 8)))) is None


def test_standard_error_of_equal_samples_is_zero() -> None:
    found = standard_error(field(np.ones((9, 8, 8))))
    assert found is not None
    assert not found.any()


def test_standard_error_survives_an_offset_that_is_large_beside_the_spread() -> None:
    spread = np.random.default_rng(0).standard_normal((30, 8, 8))
    small, offset = standard_error(field(spread)), standard_error(field(spread + 1e6))
    assert small is not None and offset is not None
    np.testing.assert_allclose(offset, small, rtol=1e-8)


def test_standard_error_falls_with_the_root_of_the_samples() -> None:
    draws = np.random.default_rng(1).standard_normal((6400, 8, 8))
    few, many = standard_error(field(draws[:64])), standard_error(field(draws))
    assert few is not None and many is not None
    assert np.median(few / many) == pytest.approx(10, rel=0.05)


def test_standard_error_tells_how_far_the_map_moves_with_other_noise() -> None:
    case = random_case(Network(mlp(0)), 3)
    maps = np.stack([smoothgrad(case, seed=seed, samples=40) for seed in range(60)])
    said = standard_error(explain(case, Settings(samples=40))["smoothgrad"].field)
    assert said is not None
    assert np.median(maps.std(axis=0, ddof=1) / said) == pytest.approx(1, abs=0.15)


def test_picture_is_left_alone_by_clipping() -> None:
    case = Case(Network(mlp(0)), 2 * picture(0) - 0.5, BLACK, 0)
    before = case.input.copy()
    copies(case, clip=True)
    assert np.array_equal(case.input, before)


# What libraries do otherwise


def test_noise_can_be_a_share_of_the_pictures_own_range() -> None:
    case = Case(Network(mlp(0)), 0.3 + 0.2 * picture(0), BLACK, 0)
    spread = case.input.max() - case.input.min()
    own = copies(case, noise_level=0.4, noise_range="picture") - case.input
    np.testing.assert_allclose(own, (copies(case, noise_level=0.4) - case.input) * spread, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("level", [0.0, 0.7])
def test_an_even_picture_gets_no_noise_by_its_own_range(level: float) -> None:
    case = Case(Network(mlp(0)), np.full((8, 8), level), BLACK, 0)
    assert (copies(case, noise_range="picture") == case.input).all()
    gradient = explain(case)["gradient"].attribution
    assert relative_error(smoothgrad(case, noise_range="picture"), gradient) < 1e-14


@pytest.mark.parametrize("clip", [False, True])
def test_a_clean_last_copy_is_the_picture_and_the_others_stay(clip: bool) -> None:
    case = Case(Network(mlp(0)), 2 * picture(0) - 0.5, BLACK, 0)  # also where clipping would change the picture
    found, noisy = (copies(case, samples=9, clip=clip, clean_last=clean) for clean in (True, False))
    assert np.array_equal(found[:-1], noisy[:-1])
    assert np.array_equal(found[-1], case.input)


@outputs
def test_one_clean_copy_is_the_gradient(output: Output) -> None:
    case = random_case(Network(mlp(0)), 1, output)
    found = smoothgrad(case, samples=1, clean_last=True)
    assert relative_error(found, explain(case)["gradient"].attribution) < 1e-12


@outputs
def test_magnitudes_and_squares_are_taken_before_the_mean(output: Output) -> None:
    case = random_case(Network(mlp(0)), 2, output)
    at_copies = gradient_field(case.network, copies(case), case.target, output).gradients
    assert relative_error(smoothgrad(case, of="magnitude"), np.abs(at_copies).mean(axis=0)) < 1e-12
    assert relative_error(smoothgrad(case, of="square"), (at_copies**2).mean(axis=0)) < 1e-12
    squared = METHODS["smoothgrad_squared"](case)
    assert relative_error(smoothgrad(case, of="square"), squared.attribution) < 1e-12
    error = METHODS["smoothgrad"](case, of="square").error
    assert error is not None and squared.error is not None and relative_error(error, squared.error) < 1e-12


@pytest.mark.parametrize(
    "settings",
    [{"of": "magnitude"}, {"of": "square"}, {"clean_last": True, "samples": 4}, {"noise_range": "picture"}],
    ids=str,
)
def test_the_standard_error_is_of_what_is_averaged(settings: dict[str, Any]) -> None:
    case = random_case(Network(mlp(0)), 3)
    answers = [METHODS["smoothgrad"](case, seed=seed, **{"samples": 40, **settings}) for seed in range(100)]
    moved = np.stack([answer.attribution for answer in answers]).std(axis=0, ddof=1)
    squares = [answer.error**2 for answer in answers if answer.error is not None]
    assert len(squares) == 100
    assert np.median(moved / np.sqrt(np.mean(squares, axis=0))) == pytest.approx(1, abs=0.1)


def test_of_one_noisy_copy_beside_a_clean_one_the_error_is_unknown() -> None:
    assert METHODS["smoothgrad"](random_case(Network(mlp(0)), 0), samples=2, clean_last=True).error is None
