"""(a) The engine against Captum and against the bare pass through the network."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from captum.attr import IntegratedGradients, NoiseTunnel, Saliency

from bench.pairs import Row, faster_row, slower_row
from explorer.attribution import (
    Case,
    Settings,
    exact_integrated_gradients,
    explain,
    figures,
    rank_correlations,
    standard_error,
    statistical_snr,
)
from explorer.attribution.explain import gradient_method
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

    own_points = [gradient_method(name).points(case, settings) for name in METHODS]
    points = np.concatenate([np.stack([case.input, case.baseline, case.input]), *own_points])

    def bare() -> None:
        p = torch.from_numpy(points.reshape(-1, 64)).requires_grad_()
        torch.autograd.grad(model(p)[:, case.target].sum(), p)

    def captum_ig() -> None:
        IntegratedGradients(model).attribute(x, baseline, target=case.target, n_steps=50)

    full = "vanilla + IG 50 + SmoothGrad 50 + figures"
    ours = partial(_ours, case, settings)
    exact = partial(exact_integrated_gradients, case)
    return [
        faster_row(full, ours, "three Captum calls", captum, repeats=REPEATS, aim="≥ 5 × faster"),
        slower_row(full, ours, "bare forward + backward, same points", bare, repeats=REPEATS, aim="≤ 2 ×"),
        faster_row("the same without the figures", partial(explain, case, settings, METHODS), "three Captum calls", captum, repeats=REPEATS),
        faster_row("exact IG", exact, "Captum IG, 50 steps", captum_ig, repeats=REPEATS),
        *(
            slower_row(f"m = {m}, n = {n}", partial(_ours, case, Settings(steps=m, samples=n)), "m = 50, n = 50", ours, repeats=REPEATS // 3)
            for m, n in ((500, 50), (50, 500))
        ),
    ]


def _ours(case: Case, settings: Settings) -> None:
    """One full explanation: three maps, F(x), F(x′), and every figure beside them but those that need exact IG."""
    explanation = explain(case, settings, METHODS)
    maps = np.stack([result.attribution for result in explanation.results.values()])
    figures(maps, explanation.delta_f)
    statistical_snr(maps[-1], standard_error(explanation["smoothgrad"].field))
    rank_correlations(maps)
