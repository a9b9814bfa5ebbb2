"""Layer-wise relevance propagation (LRP) of the target's logit to the pixels.

Bach et al., PLoS ONE 2015 (ε); Montavon et al., "Explaining Nonlinear Classification Decisions with Deep Taylor
Decomposition", 2017 (z⁺); Montavon et al., "Layer-Wise Relevance Propagation: An Overview", 2019 (γ).
"""

# Relevance starts at the target's logit for either output, as in the papers; a negative logit inverts the signs.
#
# All affine layers have the same rule. A batch normalisation directly after a linear or convolutional layer is merged into
# it; any other is a diagonal layer. Average pooling is an affine layer. Activations pass relevance on unchanged.
#
# For negative inputs (after a leaky ReLU, or pixels below 0) the contribution a·w must be positive, not the weight. For
# inputs ≥ 0, which the papers of z⁺ and γ assume, the two are the same.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.attribution.case import Case
from explorer.attribution.layers import (
    BATCH_NORMS,
    KINKED_AT_ZERO,
    activate,
    affine_and_relu_layers,
    unsupported_reason,
)
from explorer.attribution.method import Attribution, Method, Setting, Values, fixed_passes
from explorer.attribution.network import SHAPE, Floats

RESHAPES = (nn.Flatten, nn.Unflatten, nn.Identity, nn.Dropout, nn.Dropout2d)  # in eval mode they change no number
TINY = 1e-200  # a smaller sum distributes no relevance: its shares could overflow

EPSILON = Setting("epsilon", "Stabiliser ε", 0.1, 0, 10)
GAMMA = Setting("gamma", "Weight γ of what is positive", 0.25, 0, 100)


@dataclass(frozen=True, slots=True)
class Affine:
    """An affine layer whose weights can be replaced.

    Attributes:
        layer: a linear, convolutional, normalising or pooling layer.
        weight: its weight, with a merged normalisation; None for pooling.
        bias: its bias for each channel or unit, None if it has none.
    """

    layer: nn.Module
    weight: Tensor | None
    bias: Tensor | None

    def __call__(self, a: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        """The layer's output for input ``a``, with the given weights."""
        if isinstance(self.layer, nn.Linear) and weight is not None:
            return functional.linear(a, weight, bias)
        if isinstance(self.layer, nn.Conv2d) and weight is not None:
            return self.layer._conv_forward(a, weight, bias)  # handles padding modes
        if weight is not None and bias is not None:
            return a * channelwise(weight, a) + channelwise(bias, a)
        out: Tensor = self.layer(a)
        return out

    def positive(self, a: Tensor) -> Tensor:
        """The sum of the positive contributions to each output, without bias."""
        none = None if self.bias is None else torch.zeros_like(self.bias)
        up = None if self.weight is None else self.weight.clamp(min=0)
        out = self(a.clamp(min=0), up, none)
        if self.weight is not None and bool((a < 0).any()):
            out = out + self(a.clamp(max=0), self.weight.clamp(max=0), none)
        return out


def channelwise(values: Tensor, a: Tensor) -> Tensor:
    """Values ``(C,)`` reshaped to broadcast with ``a`` of ``(k, C, …)``."""
    return values.reshape(-1, *[1] * (a.ndim - 2))


# A rule maps an affine layer, its input and its output to what is distributed among the inputs (linear in them), and the
# sum by which each output's relevance is divided.
Rule = Callable[[Affine, Tensor, Tensor], tuple[Tensor, Tensor]]


def epsilon_rule(epsilon: float) -> Rule:
    """Shares a·w / (z + ε·sign z); the shares of the bias and of ε are lost. sign 0 is 1."""

    def shares(affine: Affine, a: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        return z, torch.where(z >= 0, z + epsilon, z - epsilon)

    return shares


def gamma_rule(gamma: float) -> Rule:
    """Shares of z with a factor 1 + γ for positive contributions, and for a positive bias, whose share is lost.

    For a negative z the factor is for negative contributions instead (Andéol et al. 2021); otherwise the sum could vanish
    and relevance diverge. Before a ReLU such a z has no relevance, but the target's logit may be negative.
    """

    def shares(affine: Affine, a: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        positive = affine.positive(a)
        if affine.bias is None:
            bias, favoured_bias = torch.zeros_like(z), torch.zeros_like(z)
        else:
            last = affine.bias if isinstance(affine.layer, nn.Linear) else channelwise(affine.bias, z)
            bias = last.expand_as(z)
            favoured_bias = torch.where(z > 0, bias.clamp(min=0), bias.clamp(max=0))
        shared = z + gamma * torch.where(z > 0, positive, z - bias - positive)
        return shared, shared + gamma * favoured_bias

    return shares


def zplus_rule(affine: Affine, a: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """Shares of the positive contributions only; the bias gets none."""
    positive = affine.positive(a)
    return positive, positive


def propagate(case: Case, rule: Rule) -> tuple[Floats, float]:
    """The relevance of each pixel ``(8, 8)``, in units of the logit, and the target's logit."""
    with torch.inference_mode(False), torch.enable_grad():  # independent of the caller's mode
        steps, a = [], torch.tensor(case.input).reshape(1, *case.network.input_shape)
        layers = affine_and_relu_layers(case.network)
        while layers:
            layer = layers.pop(0)
            if isinstance(layer, KINKED_AT_ZERO):
                a = activate(layer, a)
            elif isinstance(layer, RESHAPES):
                a = layer(a)
            else:
                norm = layers.pop(0) if layers and mergeable(layer, layers[0], a) else None
                affine = affine_of(layer, norm)
                a = a.detach().requires_grad_()  # each layer has a graph of its own
                z = affine(a, affine.weight, affine.bias)
                steps.append((a, *rule(affine, a, z)))
                a = z.detach()
        logit = a[0, case.target].detach()
        relevance = torch.zeros_like(a)
        relevance[0, case.target] = logit
        for a, shared, total in reversed(steps):
            total = total.detach()
            safe = total.abs() > TINY
            ratio = torch.where(safe, relevance.reshape(total.shape) / torch.where(safe, total, 1.0), 0.0)
            (pulled,) = torch.autograd.grad(shared, a, ratio)
            relevance = a.detach() * pulled
    return relevance.reshape(SHAPE).numpy(), float(logit)


def mergeable(layer: nn.Module, following: nn.Module, a: Tensor) -> bool:
    """Whether the following layer normalises the channels or units of a layer with input ``a``."""
    if isinstance(layer, nn.Conv2d):
        return isinstance(following, nn.BatchNorm2d)
    return isinstance(layer, nn.Linear) and isinstance(following, nn.BatchNorm1d) and a.ndim == 2


def affine_of(layer: nn.Module, norm: nn.Module | None) -> Affine:
    """A layer with its weights, merged with the normalisation after it, if any."""
    if isinstance(layer, BATCH_NORMS):
        return Affine(layer, *scale_and_shift(layer))
    if not isinstance(layer, nn.Linear | nn.Conv2d):
        return Affine(layer, None, None)
    weight, bias = layer.weight, layer.bias
    if isinstance(norm, BATCH_NORMS):
        scale, shift = scale_and_shift(norm)
        weight = weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
        bias = shift if bias is None else bias * scale + shift
    return Affine(layer, weight, bias)


def scale_and_shift(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """What a batch normalisation in eval mode multiplies each channel by and adds to it, ``(C,)`` each."""
    assert norm.running_mean is not None and norm.running_var is not None  # else unsupported
    scale = (norm.running_var + norm.eps).rsqrt()
    if norm.weight is not None:
        scale = scale * norm.weight
    shift = -norm.running_mean * scale
    return scale, shift if norm.bias is None else norm.bias + shift


def lrp_epsilon(case: Case, values: Values) -> Attribution:
    """LRP with the ε-rule in every affine layer; ``(8, 8)``, in units of the logit, signed.

    With ε = 0 it is gradient × input of the logit, for any ReLU network. It sums to the logit minus the shares of the
    biases and of ε.
    """
    relevance, logit = propagate(case, epsilon_rule(float(values["epsilon"])))
    return Attribution(relevance, forward=1, backward=1, expected_sum=logit)


def lrp_gamma(case: Case, values: Values) -> Attribution:
    """LRP with the γ-rule in every affine layer; ``(8, 8)``, in units of the logit, signed.

    With γ = 0 it is the ε-rule with ε = 0, with γ → ∞ the z⁺-rule with biases. It sums to the logit minus the shares of
    the biases.
    """
    relevance, logit = propagate(case, gamma_rule(float(values["gamma"])))
    return Attribution(relevance, forward=2, backward=2, expected_sum=logit)


def lrp_zplus(case: Case, values: Values) -> Attribution:
    """LRP with the z⁺-rule in every affine layer; ``(8, 8)``, in units of the logit, all of the logit's sign.

    It sums to the logit, for any biases, if each unit with relevance has a positive contribution. A unit that is active
    by its bias alone has none, and a negative logit may have none: that relevance is lost.
    """
    relevance, logit = propagate(case, zplus_rule)
    return Attribution(relevance, forward=2, backward=1, expected_sum=logit)


LRP_EPSILON = Method(
    name="lrp_epsilon",
    title="LRP-ε",
    year=2015,
    paper="Bach et al. 2015",
    reference="On Pixel-Wise Explanations for Non-Linear Classifier Decisions by LRP, doi:10.1371/journal.pone.0130140",
    family="changed backward pass",
    formula="Rⱼ = Σₖ aⱼwⱼₖ / (zₖ + ε·sign zₖ) · Rₖ, from the target's logit",
    complete="the target's logit, less what biases and ε take",
    explains="logit",
    unit="F",
    asks_at="picture",
    invariant=False,
    passes="1 forward, 1 backward",
    count=fixed_passes(1, 1),
    settings=(EPSILON,),
    caveat="It explains the logit also where a probability is asked for, black pixels get 0, and with a small ε it is "
    "nothing but the logit's gradient × input.",
    compute=lrp_epsilon,
    unsupported_reason=unsupported_reason,
)
LRP_GAMMA = Method(
    name="lrp_gamma",
    title="LRP-γ",
    year=2019,
    paper="Montavon et al. 2019",
    reference="Layer-Wise Relevance Propagation: An Overview, doi:10.1007/978-3-030-28954-6_10",
    family="changed backward pass",
    formula="Rⱼ = Σₖ aⱼ(wⱼₖ + γwⱼₖ⁺) / Σⱼ aⱼ(wⱼₖ + γwⱼₖ⁺) · Rₖ, from the target's logit",
    complete="the target's logit, less what biases take",
    explains="logit",
    unit="F",
    asks_at="picture",
    invariant=False,
    passes="2 forward, 2 backward",
    count=fixed_passes(2, 2),
    settings=(GAMMA,),
    caveat="It explains the logit also where a probability is asked for, and the larger γ is, the less it shows of what "
    "speaks against the target.",
    compute=lrp_gamma,
    unsupported_reason=unsupported_reason,
)
LRP_ZPLUS = Method(
    name="lrp_zplus",
    title="LRP-z⁺",
    year=2017,
    paper="Montavon et al. 2017",
    reference="Explaining Nonlinear Classification Decisions with Deep Taylor Decomposition, arXiv:1512.02479",
    family="changed backward pass",
    formula="Rⱼ = Σₖ aⱼwⱼₖ⁺ / Σⱼ aⱼwⱼₖ⁺ · Rₖ, from the target's logit",
    complete="the target's logit, less what finds no positive contribution",
    explains="logit",
    unit="F",
    asks_at="picture",
    invariant=False,
    passes="2 forward, 1 backward",
    count=fixed_passes(2, 1),
    settings=(),
    caveat="It explains the logit also where a probability is asked for; the whole map has that logit's sign, and but for the "
    "sign it looks much alike for all targets.",
    compute=lrp_zplus,
    unsupported_reason=unsupported_reason,
)

ENTRIES = (LRP_EPSILON, LRP_GAMMA, LRP_ZPLUS)
