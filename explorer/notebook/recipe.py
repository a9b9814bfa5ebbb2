"""``Recipe``: the source by which a notebook computes one method again. The helpers that recipes call are here, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from explorer.attribution.case import Case
from explorer.attribution.method import Method, Values


@dataclass(frozen=True, slots=True)
class Wanted:
    """One method that a notebook is to compute.

    Attributes:
        method: of the registry.
        case: what it explains.
        values: a value for each of its settings.
        exact: whether Integrated Gradients has the exact rule, which is none of its settings.
    """

    method: Method
    case: Case
    values: Values
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a notebook computes one method.

    Attributes:
        by: what computes it, as the notebook says it, such as ``"Captum’s Saliency"``.
        code: statements that put the map into ``found``.
        imports: names of ``captum.attr`` that it needs.
        helpers: names in ``HELPERS`` that it needs.
        data: numbers that it needs, as source, by the name of their variable.
        note: what is worth knowing of how it is computed here.
    """

    by: str
    code: str
    imports: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


START = '''
import base64

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn


def numbers(text, *shape, kind="<f8"):
    """An array that was packed as text, in double precision."""
    return np.frombuffer(base64.b64decode(text), kind).astype(np.float64).reshape(shape)


def bits(text, *shape):
    """An array of truths that was packed as text."""
    packed = np.frombuffer(base64.b64decode(text), np.uint8)
    return np.unpackbits(packed, count=int(np.prod(shape))).astype(bool).reshape(shape)
'''

SOFTMAX = '''
class Probability(nn.Module):
    """Softmax, written so that its gradient keeps all digits where a probability is nearly 1.

    p = 1 / (1 + exp(u)), where u is the logsumexp of the other logits minus the class's own.
    """

    def forward(self, logits):
        own = torch.eye(logits.shape[1], dtype=torch.bool)
        others = logits[:, None].masked_fill(own, -torch.inf).logsumexp(dim=-1)
        return torch.exp(-nn.functional.softplus(others - logits, threshold=500))
'''

SIGMOID = '''
class Probability(nn.Module):
    """Sigmoid, written so that its gradient keeps all digits where a probability is nearly 1."""

    def forward(self, logits):
        return torch.exp(-nn.functional.softplus(-logits, threshold=500))
'''

ALIKE = '''
def tensor(pictures):
    """Pictures (k, 8, 8) or (8, 8) as the network takes them."""
    return torch.tensor(pictures).reshape(-1, *SHAPE)


def values(pictures):
    """F of pictures (k, 8, 8), (k,)."""
    with torch.no_grad():
        return np.concatenate([f(tensor(pictures[i : i + 1000]))[:, TARGET].numpy() for i in range(0, len(pictures), 1000)])


def check(found, of_page, share=1e-6):
    """Assert that a map is the page's: no pixel differs by more than this share of the largest attribution.

    Differences of F itself are known to some 1e-13 of F, so less than that is no difference.
    """
    if isinstance(found, torch.Tensor):
        found = found.detach().numpy()
    found = found.reshape(8, 8)
    difference, size = np.abs(found - of_page).max(), np.abs(of_page).max()
    assert difference <= share * size + 1e-13 * max(1, *np.abs(values(np.stack([x, x0])))), (difference, size)
    return found


maps, page = {}, {}  # what is computed here, and what the page showed
'''

HELPERS: Mapping[str, str] = {
    "gradients": '''
def gradients(pictures):
    """The gradient of F at pictures (k, 8, 8), same shape, by Captum's Saliency."""
    parts = [tensor(pictures[i : i + 1000]).requires_grad_() for i in range(0, len(pictures), 1000)]
    return np.concatenate([Saliency(f).attribute(part, target=TARGET, abs=False).detach().numpy().reshape(-1, 8, 8) for part in parts])
''',
    "integrate": '''
def integrate(inputs, baselines, alphas, weights):
    """Integrated Gradients on straight paths from baselines to inputs (p, 8, 8), same shape: Σ w ∂F at x′ + α (x − x′)."""
    share = alphas[None, :, None, None]
    pictures = (1 - share) * baselines[:, None] + share * inputs[:, None]
    slopes = gradients(pictures.reshape(-1, 8, 8)).reshape(pictures.shape)
    return (inputs - baselines) * np.einsum("k,pkij->pij", weights, slopes)
''',
    "blurred": '''
def blurred(picture, sigmas):
    """The picture under a Gaussian blur of each σ in pixels, (k, 8, 8): the kernel ends at 4 σ, and outside is black."""
    radius = np.floor(4 * sigmas + 0.5)
    reach = np.arange(8 + int(radius.max()))
    kernel = np.where(reach <= radius[:, None], np.exp(-0.5 * (reach / np.maximum(sigmas, 0.1)[:, None]) ** 2), 0)
    kernel /= (kernel[:, 0] + 2 * kernel[:, 1:].sum(axis=1))[:, None]
    matrices = kernel[:, np.abs(np.subtract.outer(np.arange(8), np.arange(8)))]
    return matrices @ picture @ matrices.transpose(0, 2, 1)
''',
    "deeplift": '''
def deeplift(references):
    """DeepLIFT of F for each reference (b, 8, 8), same shape: Captum's, of every logit that F depends on, weighed by F's mean slopes."""
    inputs, others = tensor(np.broadcast_to(x, references.shape).copy()), tensor(references)
    total = np.zeros(references.shape)
    for label, weight in enumerate(mean_slopes(net(others).numpy(), net(inputs).numpy()).T):
        if weight.any():
            contributions = DeepLift(net).attribute(inputs, others, target=label).detach().numpy().reshape(-1, 8, 8)
            total += weight[:, None, None] * contributions
    return total
''',
    "slope of the logit": '''
def mean_slopes(start, end):
    """∂F/∂logits (b, classes): F is the target's own logit."""
    slopes = np.zeros_like(start)
    slopes[:, TARGET] = 1
    return slopes
''',
    "slopes of the probability": '''
def mean_slopes(start, end):
    """The mean of ∂F/∂logits (b, classes) on straight lines between logits. (Captum's own rule for a softmax does not add up to ΔF.)"""
    parts = max(1, int(np.ceil(np.ptp(end - start, axis=1).max() + np.abs(end - start).max())))
    nodes, weights = np.polynomial.legendre.leggauss(16)
    shares = ((np.arange(parts)[:, None] + (nodes + 1) / 2) / parts).ravel()
    slopes = np.zeros_like(start)
    for share, weight in zip(shares, np.tile(weights / 2 / parts, parts)):
        z = torch.tensor((1 - share) * start + share * end).requires_grad_()
        slopes += weight * torch.autograd.grad(Probability()(z)[:, TARGET].sum(), z)[0].numpy()
    return slopes
''',
    "feature_maps": '''
def feature_maps(pictures):
    """The last convolutional feature maps A of pictures (k, 8, 8), and ∂F/∂A, (k, maps, rows, columns) each."""
    found = net[:BODY](tensor(pictures)).requires_grad_()
    (slopes,) = torch.autograd.grad(last(net[BODY:](found))[:, TARGET].sum(), found)
    return found.detach().numpy(), slopes.numpy()
''',
    "resampled": '''
def resampled(coarse):
    """A map resampled to 8 × 8."""
    return nn.functional.interpolate(torch.tensor(coarse)[None, None], (8, 8), mode="bilinear", align_corners=False)[0, 0].numpy()
''',
    "plus_plus": '''
def plus_plus(slopes, found):
    """Grad-CAM++'s weights of the maps A (maps, rows, columns) from ∂F/∂A (n, maps, rows, columns)."""
    if not slopes.any():
        return np.zeros(len(found))
    size = np.abs(slopes).max()
    g = slopes / size
    below = 2 * (g**2).mean(axis=0) + size * (g**3).mean(axis=0) * found.sum(axis=(1, 2), keepdims=True)
    alpha = np.divide((g**2).mean(axis=0), below, out=np.zeros_like(below), where=below != 0)
    return (alpha * np.maximum(slopes.mean(axis=0), 0)).sum(axis=(1, 2))
''',
    "shown": '''
def shown(coalitions, players):
    """Pictures (k, 8, 8) that show the input where a player (8, 8) is in a coalition (k, n), else the baseline; player −1 never is."""
    inside = np.hstack([coalitions, np.zeros((len(coalitions), 1), bool)])
    return np.where(inside[:, players], x, x0)


def spread(worth, players):
    """A map (8, 8): the worth (n,) of each player, divided among its pixels."""
    counts = np.bincount(players[players >= 0], minlength=len(worth))
    return np.append(worth / counts, 0.0)[players]
''',
    "fit": '''
def fit(rows, wanted, weights):
    """Weighted least squares; the smallest solution where there are several."""
    root = np.sqrt(weights)
    return np.linalg.lstsq(root[:, None] * rows, root * wanted, rcond=1e-10)[0]
''',
}

# What a helper calls in turn, and the names of captum.attr that it needs.
CALLS: Mapping[str, tuple[str, ...]] = {"integrate": ("gradients",)}
IMPORTS: Mapping[str, tuple[str, ...]] = {"gradients": ("Saliency",), "deeplift": ("DeepLift",)}
