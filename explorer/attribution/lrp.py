"""Layer-wise relevance propagation: the target's logit, dealt back to the pixels layer by layer.

Bach et al., "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation",
PLoS ONE 2015 (ε); Montavon et al., "Explaining Nonlinear Classification Decisions with Deep Taylor Decomposition", 2017
(z⁺); Montavon et al., "Layer-Wise Relevance Propagation: An Overview", 2019 (γ).

**What is explained** is always the target's logit, whichever output is asked for: relevance starts there, as the papers
have it. A negative logit is dealt out too, and turns the signs.

**Layers.** One rule for all affine layers of a network. A batch normalisation right behind a linear or convolutional
layer is merged into it (it is part of the same affine map); one that stands alone is a diagonal layer. Average
pooling is an affine layer like any other. Activations hand relevance through unchanged.

**Negative inputs** (after a leaky ReLU, or pixels below 0): what counts as positive is the contribution a·w, not the
weight. For inputs ≥ 0, which the papers of z⁺ and γ assume, the two are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.attribution.case import Case
from explorer.attribution.layers import BATCH_NORMS, KINKED_AT_ZERO, activate, layers_of, refusal
from explorer.attribution.method import Answer, Method, Setting, Values, always
from explorer.attribution.network import SHAPE, Floats

RESHAPES = (nn.Flatten, nn.Unflatten, nn.Identity, nn.Dropout, nn.Dropout2d)  # in eval mode they move no number
TINY = 1e-200  # shares of a sum smaller than this are lost in rounding and could overflow: nobody gets any

EPSILON = Setting("epsilon", "Stabiliser ε", 0.1, 0, 10)
GAMMA = Setting("gamma", "Weight γ of what is positive", 0.25, 0, 100)


@dataclass(frozen=True, slots=True)
class Affine:
    """An affine layer whose weights can be replaced.

    Attributes:
        layer: a linear, convolutional, normalising or pooling layer.
        weight: what multiplies its input, None for pooling; with a merged normalisation in it.
        bias: what it adds to each channel or unit, None for nothing.
    """

    layer: nn.Module
    weight: Tensor | None
    bias: Tensor | None

    def __call__(self, a: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        """The layer's output for input ``a``, with these weights instead of its own."""
        if isinstance(self.layer, nn.Linear) and weight is not None:
            return functional.linear(a, weight, bias)
        if isinstance(self.layer, nn.Conv2d) and weight is not None:
            return self.layer._conv_forward(a, weight, bias)  # knows about padding
        if weight is not None and bias is not None:
            return a * channelwise(weight, a) + channelwise(bias, a)
        out: Tensor = self.layer(a)
        return out

    def positive(self, a: Tensor) -> Tensor:
        """The sum of the positive contributions to each output, bias aside."""
        none = None if self.bias is None else torch.zeros_like(self.bias)
        up = None if self.weight is None else self.weight.clamp(min=0)
        out = self(a.clamp(min=0), up, none)
        if self.weight is not None and bool((a < 0).any()):
            out = out + self(a.clamp(max=0), self.weight.clamp(max=0), none)
        return out


def channelwise(values: Tensor, a: Tensor) -> Tensor:
    """Values ``(C,)`` shaped to meet an ``a`` of ``(k, C, …)``."""
    return values.reshape(-1, *[1] * (a.ndim - 2))


# A rule: of an affine layer, its input and its output, what is shared out among the inputs, linear in them, and by what
# sum each output's relevance is divided.
Rule = Callable[[Affine, Tensor, Tensor], tuple[Tensor, Tensor]]


def epsilon_rule(epsilon: float) -> Rule:
    """Shares a·w / (z + ε·sign z); what belongs to the bias and to ε is lost. sign 0 is 1."""

    def shares(affine: Affine, a: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        return z, torch.where(z >= 0, z + epsilon, z - epsilon)

    return shares


def gamma_rule(gamma: float) -> Rule:
    """Shares of z in which positive contributions weigh 1 + γ times; the bias weighs likewise, and its share is lost.

    Where z is negative, negative contributions weigh more instead (Andéol et al. 2021): else the sum could vanish and
    relevance explode. Behind a ReLU no relevance comes to such a z, but the target's logit may be one.
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
    """Shares of the positive contributions alone; the bias gets none."""
    positive = affine.positive(a)
    return positive, positive


def propagate(case: Case, rule: Rule) -> tuple[Floats, float]:
    """The relevance of each pixel ``(8, 8)``, in units of the logit, and the target's logit that it comes from."""
    with torch.inference_mode(False), torch.enable_grad():  # whatever mode the caller is in
        steps, a = [], torch.tensor(case.input).reshape(1, *case.network.input_shape)
        layers = layers_of(case.network)
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
    """Whether a layer with input ``a`` is followed by the normalisation of its own channels or units."""
    if isinstance(layer, nn.Conv2d):
        return isinstance(following, nn.BatchNorm2d)
    return isinstance(layer, nn.Linear) and isinstance(following, nn.BatchNorm1d) and a.ndim == 2


def affine_of(layer: nn.Module, norm: nn.Module | None) -> Affine:
    """A layer with its weights, together with the normalisation behind it, if there is one to merge."""
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
    assert norm.running_mean is not None and norm.running_var is not None  # else refused
    scale = (norm.running_var + norm.eps).rsqrt()
    if norm.weight is not None:
        scale = scale * norm.weight
    shift = -norm.running_mean * scale
    return scale, shift if norm.bias is None else norm.bias + shift


def lrp_epsilon(case: Case, values: Values) -> Answer:
    """LRP with the ε-rule in every affine layer; ``(8, 8)``, in units of the logit, signed.

    With ε = 0 it is gradient × input of the logit, for any network of ReLUs. It sums to the logit when no layer has a
    bias and ε = 0: what is missing is what biases and ε have taken.
    """
    relevance, logit = propagate(case, epsilon_rule(float(values["epsilon"])))
    return Answer(relevance, forward=1, backward=1, goal=logit)


def lrp_gamma(case: Case, values: Values) -> Answer:
    """LRP with the γ-rule in every affine layer; ``(8, 8)``, in units of the logit, signed.

    With γ = 0 it is the ε-rule with ε = 0, with γ → ∞ the z⁺-rule with biases. It sums to the logit when no layer has
    a bias: what is missing is what biases have taken.
    """
    relevance, logit = propagate(case, gamma_rule(float(values["gamma"])))
    return Answer(relevance, forward=2, backward=2, goal=logit)


def lrp_zplus(case: Case, values: Values) -> Answer:
    """LRP with the z⁺-rule in every affine layer; ``(8, 8)``, in units of the logit, all of the logit's sign.

    It sums to the logit, whatever the biases, as long as each unit with relevance has a positive contribution to hand it
    to. A unit that is active by its bias alone has none, and a negative logit may have none: that relevance is lost.
    """
    relevance, logit = propagate(case, zplus_rule)
    return Answer(relevance, forward=2, backward=1, goal=logit)


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
    invariant=False,
    passes="1 forward, 1 backward",
    count=always(1, 1),
    settings=(EPSILON,),
    misleads="It explains the logit also where a probability is asked for, black pixels get 0, and with a small ε it is "
    "nothing but gradient × input.",
    work=lrp_epsilon,
    refusal=refusal,
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
    invariant=False,
    passes="2 forward, 2 backward",
    count=always(2, 2),
    settings=(GAMMA,),
    misleads="It explains the logit also where a probability is asked for, and the larger γ is, the less it shows of what "
    "speaks against the target.",
    work=lrp_gamma,
    refusal=refusal,
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
    invariant=False,
    passes="2 forward, 1 backward",
    count=always(2, 1),
    settings=(),
    misleads="It explains the logit also where a probability is asked for, shows nothing of what speaks against the target, "
    "and looks much alike for all targets.",
    work=lrp_zplus,
    refusal=refusal,
)
