"""Quantus 0.6, given the same draws, evaluates the same pictures and gets the same numbers.

Where it differs: pixel flipping has no value before the first pixel, and its area is a sum of trapezoids, not a mean;
"black" is the picture's smallest value; infidelity sets one patch after the other to the baseline and none back, so that
its perturbations grow; ROAD draws new noise for each picture and share, and counts the pictures of a set that keep their class.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from each import each
from torch import nn

from explorer.attribution import (
    Case,
    Network,
    Output,
    area,
    changes_of,
    deletion_curves,
    imputed,
    infidelity,
    pixel_order,
    random_maps,
)
from explorer.attribution.perturbation import first_pixels
from explorer.models import FOLDER
from explorer.pictures import digit_samples

from .quantus_oracle import load_quantus
from .toys import ZOO, Floats, networks, outputs, picture

SHARES = list(range(1, 100, 2))  # in percent, as Quantus has by default


class Images(nn.Module):
    """A network for pictures ``(k, 1, 8, 8)``."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.module, self.input_shape = network.module, network.input_shape

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.module(x.reshape(-1, *self.input_shape))
        return logits


@pytest.fixture(scope="module")
def quantus() -> Any:
    return load_quantus()


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    """Quantus makes tensors of torch's default type."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def scores(metric: Any, network: Network, pictures: Floats, targets: list[int], maps: Floats, output: Output) -> Any:
    """A metric's scores of a network's maps ``(k, 8, 8)`` for pictures ``(k, 8, 8)``."""
    return metric(
        model=Images(network).eval(),
        x_batch=pictures[:, None],
        y_batch=np.array(targets),
        a_batch=maps[:, None],
        softmax=output == "probability",
    )


@networks
@outputs
def test_pixel_flipping_is_the_deletion_curve_after_the_first_pixel(network: Network, output: Output, quantus: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures, maps, targets = np.stack([picture(n) for n in range(3)]), random_maps(3, 0), [0, 2, 1]
    metric = quantus.PixelFlipping(features_in_step=1, perturb_baseline="black", abs=False, normalise=False, disable_warnings=True)
    found = np.array(scores(metric, network, pictures, targets, maps, output))
    monkeypatch.setattr(np, "trapz", np.trapezoid, raising=False)  # which Quantus calls by its old name
    for n, theirs in enumerate(found):
        case = Case(network, pictures[n], pictures[n], targets[n], output)
        curve = deletion_curves(case, pixel_order(maps[n]), np.full((8, 8), pictures[n].min()))
        assert np.abs(theirs - curve[1:]).max() <= 1e-12
        assert area(curve) == pytest.approx((quantus.helpers.utils.calculate_auc(theirs) + (curve[0] + curve[1]) / 2) / 64, abs=1e-12)
    assert metric.get_auc_score == pytest.approx(np.trapezoid(found, axis=1).mean(), abs=1e-12)


def patches(x: Floats, baselines: Floats) -> Floats:
    """What Quantus takes from x, ``(samples · 4, 8, 8)``: quarters 1, 1 and 2, …, each at its baseline ``(samples, 4)``."""
    taken = []
    for values in baselines:
        now = x.copy()
        for (r, c), value in zip(((0, 0), (0, 4), (4, 0), (4, 4)), values, strict=True):
            now[r : r + 4, c : c + 4] = value
            taken.append(x - now)
    return np.stack(taken)


@networks
@outputs
def test_infidelity_of_growing_patches(network: Network, output: Output, quantus: Any) -> None:
    case = Case(network, picture(4), picture(4), 1, output)
    maps = random_maps(2, 1)
    for kind, baselines in (("black", np.full((10, 4), case.input.min())), ("uniform", np.random.RandomState(5).uniform(size=(10, 4)))):
        taken = patches(case.input, baselines)
        for attribution, ours in zip(maps, infidelity(maps, taken, changes_of(case, taken)), strict=True):
            metric = quantus.Infidelity(
                perturb_patch_sizes=[4], n_perturb_samples=10, perturb_baseline=kind, abs=False, normalise=False, disable_warnings=True
            )
            np.random.seed(5)  # noqa: NPY002 (Quantus draws from numpy's global generator)
            (theirs,) = scores(metric, network, np.array(case.input[None]), [case.target], attribution[None], output)
            assert ours == pytest.approx(theirs, rel=1e-11)


def test_the_imputation_solves_the_same_equations(quantus: Any) -> None:
    order = pixel_order(random_maps(1, 2)[0])
    removed = first_pixels(order)[1:64]  # Quantus' equations have no solution if nothing is left
    for count, mask in zip(range(1, 64), removed, strict=True):
        np.random.seed(count)  # noqa: NPY002
        draws = np.random.RandomState(count).randn(count)  # for the pixels in the order of their removal
        placed = np.zeros(64)
        placed[order[:count]] = 0.01 * draws
        theirs = quantus.functions.perturb_func.noisy_linear_imputation(picture(5)[None], order[:count].copy(), noise=0.01)
        assert np.abs(imputed(picture(5), mask, placed.reshape(8, 8)) - theirs[0]).max() <= 1e-12


@pytest.mark.filterwarnings("ignore:The settings for perturbing input")  # 1 % of 64 pixels is none
@each("name", ["digits", "digits-cnn"])
def test_road_counts_the_pictures_that_keep_their_class(name: str, quantus: Any) -> None:
    network = ZOO[name]
    pictures, maps = np.stack([samples[0] for samples in digit_samples(FOLDER)]), random_maps(10, 3)
    targets = [network.predict(x) for x in pictures]
    metric = quantus.ROAD(percentages=SHARES, noise=0.01, abs=False, normalise=False, disable_warnings=True)
    np.random.seed(11)  # noqa: NPY002
    theirs = scores(metric, network, pictures, targets, maps, "logit")
    draws, orders, kept = np.random.RandomState(11), pixel_order(maps), []
    for share in SHARES:
        count = 64 * share // 100
        noise = np.zeros((10, 64))
        for n, order in enumerate(orders):
            noise[n, order[:count]] = 0.01 * draws.randn(count)
        masks = first_pixels(orders, np.array([count]))[:, 0]
        left = np.stack([imputed(*row) for row in zip(pictures, masks, noise.reshape(10, 8, 8), strict=True)])
        kept.append((network.scores(left).argmax(axis=1) == targets).mean())
    assert list(theirs) == SHARES
    assert np.allclose(list(theirs.values()), kept, rtol=0, atol=1e-12) and len(set(kept)) > 3
