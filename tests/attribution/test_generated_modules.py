"""Modules of every kind, sound and broken: each is refused in a sentence, or explained as plain autograd explains it."""

from __future__ import annotations

import copy
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from explorer.attribution import METHODS, Case, Network, NotPiecewiseLinear, exact_integrated_gradients
from explorer.attribution.methods.modified_backprop import modified_gradient
from explorer.attribution.network import Activation, Output

from .toys import Floats

QUICK = {"samples": 4, "steps": 5, "baselines": 2, "coalitions": 128, "lime_samples": 64}
BACKGROUND: Floats = np.random.default_rng(7).random((3, 8, 8))
NEAR = 1e-9


POINTWISE: list[Callable[[], nn.Module]] = [
    nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Softplus, nn.Sigmoid, nn.GELU, nn.ELU, nn.PReLU, nn.Dropout, nn.Identity, nn.Hardtanh,
]  # fmt: skip
IN_IMAGES = ["conv", "strided", "grouped", "norm", "average", "max", "pointwise"]
IN_ROWS = ["linear", "norm", "layer-norm", "pointwise"]


class Wrapped(nn.Module):
    """A network that only its own forward knows."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.inner(x)
        return out


class Before(Wrapped):
    """Does something to the picture first."""

    def __init__(self, inner: nn.Module, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__(inner)
        self.change = change

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.change(x))


class After(Before):
    """Does something to the logits last."""

    def forward(self, x: Tensor) -> Tensor:
        return self.change(Wrapped.forward(self, x))


@st.composite
def layers(draw: st.DrawFn) -> list[nn.Module]:
    """The layers of a sound network, with weights and statistics at random."""
    torch.manual_seed(draw(st.integers(0, 2**31)))
    found: list[nn.Module] = []
    pointwise = st.sampled_from(POINTWISE).map(lambda kind: kind())
    size = 64
    if draw(st.booleans()):
        if draw(st.booleans()):
            found.append(nn.Unflatten(1, (1, 8, 8)))
        channels, side = 1, 8
        for kind in draw(st.lists(st.sampled_from(IN_IMAGES), min_size=1, max_size=5)):
            groups = channels if kind == "grouped" else 1
            if kind in ("conv", "strided", "grouped"):
                stride = 2 if kind == "strided" else 1
                mode = draw(st.sampled_from(["zeros", "zeros", "reflect" if side > 1 else "zeros", "circular"]))
                found.append(nn.Conv2d(channels, 4, 3, stride, 1, groups=groups if 4 % groups == 0 else 1, padding_mode=mode))
                channels, side = 4, (side - 1) // stride + 1
            elif kind == "norm":
                found.append(nn.BatchNorm2d(channels, affine=draw(st.booleans())))
            elif kind in ("average", "max") and side > 1:
                found.append(nn.AvgPool2d(2) if kind == "average" else nn.MaxPool2d(2))
                side //= 2
            elif kind == "pointwise":
                found.append(draw(pointwise))
        if draw(st.booleans()):
            found.append(nn.AdaptiveAvgPool2d(1))
            side = 1
        found.append(nn.Flatten())
        size = channels * side * side
    for kind in draw(st.lists(st.sampled_from(IN_ROWS), max_size=4)):
        if kind == "linear":
            width = draw(st.integers(2, 9))
            found.append(nn.Linear(size, width, bias=draw(st.booleans())))
            size = width
        elif kind == "norm":
            found.append(nn.BatchNorm1d(size))
        elif kind == "layer-norm" and size > 2:
            found.append(nn.LayerNorm(size))
        elif kind == "pointwise":
            found.append(draw(pointwise))
    found.append(nn.Linear(size, draw(st.integers(1, 4))))
    for layer in found:
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            assert layer.running_mean is not None and layer.running_var is not None
            layer.running_mean.uniform_(-0.3, 0.3)
            layer.running_var.uniform_(0.5, 2)
    return found


def sequential(made: list[nn.Module]) -> nn.Module:
    return nn.Sequential(*made)


def nested(made: list[nn.Module]) -> nn.Module:
    half = len(made) // 2
    return nn.Sequential(nn.Sequential(*made[:half]), nn.Sequential(nn.Sequential(*made[half:])))


def wrapped(made: list[nn.Module]) -> nn.Module:
    return Wrapped(nn.Sequential(*made))


def hooked_part(module: nn.Module) -> nn.Module:
    """Some layer that comes last, in a nested network an inner one."""
    return list(module.modules())[-1]


def with_own_forward(module: nn.Module, part: nn.Module) -> None:
    of_class = type(part).forward
    part.forward = types.MethodType(lambda self, x: 2 * of_class(self, x), part)  # type: ignore[method-assign]


def spoilt_weight(module: nn.Module, value: float) -> nn.Module:
    with torch.no_grad():
        next(module.parameters()).view(-1)[0] = value
    return module


def done(module: nn.Module, change: Callable[[nn.Module], Any]) -> nn.Module:
    change(module)
    return module


# What may be done to a network, and whether it can be explained after that.
CHANGES: dict[str, tuple[Callable[[nn.Module], nn.Module], bool]] = {
    "nothing": (lambda m: m, True),
    "training": (lambda m: m.train(), True),
    "float64": (lambda m: m.double(), True),
    "bfloat16": (lambda m: m.to(torch.bfloat16), True),
    "frozen": (lambda m: m.requires_grad_(False), True),
    "idle hook": (lambda m: done(m, lambda m: m.register_forward_hook(lambda *_: None)), True),
    "scaling hook": (lambda m: done(m, lambda m: hooked_part(m).register_forward_hook(lambda m, x, y: 3 * y)), True),
    "scaling pre-hook": (lambda m: done(m, lambda m: m.register_forward_pre_hook(lambda m, x: (x[0] / 2,))), True),
    "idle backward hook": (lambda m: done(m, lambda m: m.register_full_backward_hook(lambda *_: None)), True),
    "changing backward hook": (
        lambda m: done(m, lambda m: hooked_part(m).register_full_backward_hook(lambda m, i, o: tuple(2 * g for g in i))), False,
    ),
    "own forward": (lambda m: done(m, lambda m: with_own_forward(m, m)), True),
    "own forward inside": (lambda m: done(m, lambda m: with_own_forward(m, hooked_part(m))), True),
    "in place": (lambda m: nn.Sequential(m, nn.ReLU(inplace=True)), True),
    "in place over what is needed": (lambda m: After(m, lambda z: z.exp().mul_(2)), False),
    "attribute": (lambda m: done(m, lambda m: setattr(m, "note", {"of": [1, 2]})), True),
    "lock": (lambda m: done(m, lambda m: setattr(m, "lock", threading.Lock())), False),
    "graph": (lambda m: done(m, lambda m: setattr(hooked_part(m), "last", 2 * torch.ones(3, requires_grad=True))), False),
    "NaN": (lambda m: spoilt_weight(m, float("nan")), False),
    "infinity": (lambda m: spoilt_weight(m, float("-inf")), False),
    "softmax": (lambda m: nn.Sequential(m, nn.Softmax(1)), False),
    "log-softmax": (lambda m: After(m, lambda z: torch.log_softmax(z, 1)), False),
    "sigmoid": (lambda m: After(m, torch.sigmoid), False),
    "squeeze": (lambda m: After(m, torch.squeeze), False),
    "single precision": (lambda m: Before(m, lambda x: x.float()), False),
    "rounded to float32": (lambda m: Before(m, lambda x: x.float().to(x.dtype)), False),
    "answers float32": (lambda m: After(m, lambda z: z.float()), False),
    "detached": (lambda m: Before(m, torch.detach), False),
    "detached in part": (lambda m: After(m, lambda z: torch.cat([z, z.detach()], 1)), False),
    "compared": (lambda m: Before(m, lambda x: (x > 0.5).to(x.dtype)), False),
    "classes": (lambda m: After(m, lambda z: z.argmax(1)), False),
    "another size": (lambda m: Before(m, lambda x: x.flatten()[:5]), False),
    "random": (lambda m: After(m, lambda z: z + torch.rand_like(z)), False),
    "by the batch": (lambda m: After(m, lambda z: z - z.mean(0)), False),
    "complex": (lambda m: After(m, lambda z: z * 1j), False),
    "divided by zero": (lambda m: After(m, lambda z: z / 0), False),
    "without a class": (lambda m: After(m, lambda z: z[:, :0]), False),
}  # fmt: skip


def said(reason: str) -> str:
    """The reason, which must be one sentence without a full stop."""
    assert "\n" not in reason and 20 < len(reason) < 500 and len(reason.split()) > 4, reason
    assert not reason.endswith((".", ":", ";", ",")), reason
    return reason


class Plain:
    """The same questions to an independent copy, answered by torch alone."""

    def __init__(self, module: nn.Module, network: Network) -> None:
        self.module, self.network = copy.deepcopy(module).double().eval(), network

    def f(self, pictures: Floats, target: int, output: Output) -> tuple[Floats, Floats]:
        """F and its gradient at pictures ``(k, 8, 8)``."""
        x = torch.tensor(pictures, requires_grad=True)
        scores = self.module(x.reshape(-1, *self.network.input_shape).clone())
        if output == "probability":
            scores = scores.softmax(1) if self.network.activation == "softmax" else scores.sigmoid()
        f = scores[:, target]
        if not f.requires_grad:
            return f.numpy(), np.zeros_like(pictures)
        (gradients,) = torch.autograd.grad(f.sum(), x)
        return f.detach().numpy(), gradients.numpy()


def near(found: Floats, expected: Floats, size: float) -> bool:
    return bool(np.abs(found - expected).max() <= NEAR * size + 1e-300)


def check(case: Case, plain: Plain) -> None:
    """All methods are as plain autograd has it, or keep what they promise, or say in a sentence why they do not apply."""
    target, output = case.target, case.output
    path = case.baseline + np.arange(1, 6)[:, None, None] / 5 * case.difference
    f, gradients = plain.f(np.stack([case.input, case.baseline, *path]), target, output)
    steep = max(1e-12, *(float(np.abs(plain.f(path, t, "logit")[1]).max()) for t in range(len(case.network.classes))))
    delta, level = f[0] - f[1], float(np.abs(f).max()) + steep
    assert near(METHODS["gradient"](case).attribution, gradients[0], steep)
    right = METHODS["integrated_gradients"](case, steps=5, rule="right").attribution
    assert near(right, case.difference * gradients[2:].mean(axis=0), steep)

    try:
        exact = exact_integrated_gradients(case).attribution
        assert np.isfinite(exact).all()
        assert near(exact.sum(), np.float64(delta), level + float(np.abs(exact).sum()))
    except NotPiecewiseLinear as why:
        said(str(why))

    two_blocks = case.input.copy()
    two_blocks[:2, :4] = case.baseline[:2, :4]
    for method in METHODS.values():
        if reason := method.unsupported_reason(case.network):
            said(reason)
            continue
        asked = Case(case.network, case.input, two_blocks, target, output) if method.name == "shapley_values" else case
        answer = method(asked, **{s.name: QUICK[s.name] for s in method.settings if s.name in QUICK})
        assert np.isfinite(answer.attribution).all() and answer.attribution.shape == (8, 8)
        if method.name in ("deeplift", "deeplift_shap", "shapley_values", "kernel_shap", "cam") and answer.expected_sum is not None:
            assert near(answer.attribution.sum(), np.float64(answer.expected_sum), level + float(np.abs(answer.attribution).sum()))
        if method.complete == "F(x) − F(x′)" and asked is case:
            assert answer.expected_sum is not None and near(np.float64(answer.expected_sum), np.float64(delta), level)
    if not METHODS["deconvnet"].unsupported_reason(case.network):
        assert near(modified_gradient(case, "gradient"), gradients[0], steep)
    if not METHODS["lrp_epsilon"].unsupported_reason(case.network):
        logit, slope = plain.f(case.input[None], target, "logit")
        answer = METHODS["lrp_epsilon"](case, epsilon=0.0)
        assert answer.expected_sum is not None and near(np.float64(answer.expected_sum), logit, level)
        assert near(answer.attribution, case.input * slope[0], steep)


@settings(max_examples=150)
@given(
    made=layers(),
    whole=st.sampled_from([sequential, sequential, nested, wrapped]),
    change=st.sampled_from(list(CHANGES)),
    activation=st.sampled_from(["softmax", "sigmoid"]),
    output=st.sampled_from(["probability", "logit"]),
    seed=st.integers(0, 2**16),
)
def test_a_module_is_refused_in_a_sentence_or_explained_as_autograd_has_it(
    made: list[nn.Module],
    whole: Callable[[list[nn.Module]], nn.Module],
    change: str,
    activation: Activation,
    output: Output,
    seed: int,
) -> None:
    changed, sound = CHANGES[change]
    module = changed(whole(made))
    try:
        network = Network(module, activation=activation, background=BACKGROUND)
    except ValueError as refusal:
        reason = said(str(refusal))
    else:
        reason = ""
    if reason:
        assert not sound or "one logit" in reason, reason
        return
    assert sound or change == "rounded to float32", change
    rng = np.random.default_rng(seed)
    baseline = rng.random((8, 8)) if seed % 2 else np.zeros((8, 8))
    check(Case(network, rng.random((8, 8)), baseline, seed % len(network.classes), output), Plain(module, network))
