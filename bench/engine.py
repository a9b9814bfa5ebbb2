"""(a) The engine against Captum and against the bare pass through the network."""

from __future__ import annotations

import numpy as np
import torch
from captum.attr import IntegratedGradients, NoiseTunnel, Saliency

from bench.pairs import Row, faster_row, slower_row, time_pairs
from explorer.attribution import (
    Case,
    Settings,
    completeness,
    exact_integrated_gradients,
    explain,
    look,
    rank_correlations,
    snr,
    top_pixels,
)
from explorer.models import FOLDER, load_zoo
from explorer.pictures import digit_samples

METHODS = ("gradient", "integrated_gradients", "smoothgrad")
REPEATS = 300


def rows() -> list[Row]:
    """Digits network, a real handwritten 3, black baseline, probability of the predicted class."""
    torch.set_num_threads(1)
    network = load_zoo()["digits"].network
    picture = digit_samples(FOLDER)[3][0]
    case = Case(network, picture, np.zeros((8, 8)), network.predict(picture))
    return [*_against(case), *_growth(case)]


def _ours(case: Case, settings: Settings) -> None:
    """One full explanation: three maps, F(x), F(x′), and every figure that is shown beside them."""
    explanation = explain(case, settings, METHODS)
    maps = [result.attribution for result in explanation.results.values()]
    for attribution in maps:
        snr(attribution)
        completeness(attribution, explanation.delta_f)
        top_pixels(attribution)
    rank_correlations(np.stack(maps))


def _against(case: Case) -> list[Row]:
    settings = Settings(steps=50, samples=50)
    model = torch.nn.Sequential(case.network.module, torch.nn.Softmax(dim=1))
    x = torch.from_numpy(case.input.reshape(1, 64).copy())
    baseline = torch.from_numpy(case.baseline.reshape(1, 64).copy())

    def captum() -> None:
        point = x.clone().requires_grad_()
        Saliency(model).attribute(point, target=case.target, abs=False)
        IntegratedGradients(model).attribute(
            x, baseline, target=case.target, n_steps=50, method="riemann_right", return_convergence_delta=True
        )
        NoiseTunnel(Saliency(model)).attribute(
            x, nt_type="smoothgrad", nt_samples=50, stdevs=0.15, target=case.target, abs=False
        )

    points = np.random.default_rng(0).random((103, 8, 8))  # as many as the explanation looks at

    def bare() -> None:
        p = torch.from_numpy(points.reshape(-1, 64)).requires_grad_()
        torch.autograd.grad(model(p)[:, case.target].sum(), p)

    def captum_ig() -> None:
        IntegratedGradients(model).attribute(x, baseline, target=case.target, n_steps=50)

    full = "vanilla + IG 50 + SmoothGrad 50 + figures"
    return [
        faster_row(full, lambda: _ours(case, settings), "three Captum calls", captum, repeats=REPEATS, aim="≥ 5 × faster"),
        slower_row(full, lambda: _ours(case, settings), "bare forward + backward, same points", bare, repeats=REPEATS, aim="≤ 2 ×"),
        slower_row("gradient field alone (look)", lambda: look(case.network, points, case.target), "bare forward + backward", bare, repeats=REPEATS),
        faster_row("exact IG", lambda: exact_integrated_gradients(case), "Captum IG, 50 steps", captum_ig, repeats=REPEATS),
    ]


def _growth(case: Case) -> list[Row]:
    base = Settings(steps=50, samples=50)
    grown = {
        "m = 100, n = 50": Settings(steps=100, samples=50),
        "m = 500, n = 50": Settings(steps=500, samples=50),
        "m = 50, n = 500": Settings(steps=50, samples=500),
        "m = 500, n = 500": Settings(steps=500, samples=500),
    }
    found = []
    for name, settings in grown.items():
        ours, small = time_pairs([lambda s=settings: _ours(case, s), lambda: _ours(case, base)], REPEATS // 3)  # type: ignore[misc]
        a, b = sorted(ours)[len(ours) // 2], sorted(small)[len(small) // 2]
        found.append(Row(name, a, "m = 50, n = 50", b, f"{a / b:.2f} ×"))
    return found
