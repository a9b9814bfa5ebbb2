"""What a usable network is: every other module is refused in one sentence that gives the true reason."""

from __future__ import annotations

import re
import threading
import types
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from each import each
from torch import Tensor, nn
from torch.nn import functional

from explorer.attribution import (
    METHODS,
    Case,
    Network,
    NotPiecewiseLinear,
    exact_integrated_gradients,
    explain,
    gradient_field,
)
from explorer.attribution.layers import NotSequential, affine_and_relu_layers, sequential_layers

from .toys import BLACK, WHITE, Floats, first, linear, mlp, picture


class Of(nn.Module):
    """A linear layer, and a forward and attributes as they are told."""

    def __init__(self, forward: Callable[[Of, Tensor], object], **attributes: object) -> None:
        super().__init__()
        self.layer = nn.Linear(64, 3)
        self.of = forward
        for name, value in attributes.items():
            setattr(self, name, value)

    def forward(self, x: Tensor) -> object:
        return self.of(self, x)


class NeverCopied(nn.Linear):
    def __deepcopy__(self, memo: object) -> NeverCopied:
        return self


def quiet(make: Callable[[], nn.Module]) -> nn.Module:
    """Torch warns of some of its own older functions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()


def with_graph() -> nn.Module:
    module = mlp(0)
    module[1].seen = [module(torch.rand(2, 64).double())]  # type: ignore[assignment]
    return module


def wrapped_forward() -> nn.Module:
    """Its forward calls the original's, whose weights are not the copy's."""
    module = mlp(0)
    plain = module.forward
    module.forward = lambda x: 2 * plain(x)  # type: ignore[method-assign]
    return module


def spoilt(part: str, value: float) -> nn.Module:
    module = nn.Sequential(nn.Linear(64, 4), nn.BatchNorm1d(4), nn.Linear(4, 3))
    with torch.no_grad():
        module.get_parameter(part).view(-1)[1] = value
    return module


def spoilt_buffer() -> nn.Module:
    module = nn.Sequential(nn.Linear(64, 4), nn.BatchNorm1d(4), nn.Linear(4, 3))
    assert isinstance(module[1].running_var, Tensor)
    module[1].running_var[2] = float("inf")
    return module


def compiled() -> nn.Module:
    """A module as torch.compile wraps it; its compiler itself takes seconds to import."""
    module = nn.Sequential()
    module.add_module("_orig_mod", nn.Linear(64, 3))
    return module


def doubled_backward() -> nn.Module:
    module = mlp(0)
    module[0].register_full_backward_hook(lambda module, given, taken: (2 * given[0],))
    return module


def to_numpy(module: Of, x: Tensor) -> Tensor:
    return torch.from_numpy(x.numpy() @ np.arange(192.0).reshape(64, 3))


SINGLE = r"float32 or less although it was cast to float64"
NO_GRADIENT = r"logits change with the picture, but torch finds no gradient"
OTHER_GRADIENT = r"not the slope of the network's logits"
PROBABILITIES = r"must answer with logits, not probabilities: "
REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "a function": (lambda: torch.relu, r"must be a torch.nn.Module, not a builtin"),
    # copies
    "a lock": (lambda: Of(lambda m, x: m.layer(x), lock=threading.Lock()), r"cannot be copied.*attribute lock of the network holds a lock"),
    "a graph": (with_graph, r"cannot be copied.*attribute seen of layer 1 holds a tensor with a gradient graph"),
    "weight norm": (lambda: quiet(lambda: nn.utils.weight_norm(nn.Linear(64, 3))), r"attribute weight .* gradient graph"),
    "jit": (lambda: nn.Sequential(quiet(lambda: torch.jit.script(nn.Linear(64, 3)))), r"layer 0 is a TorchScript module"),
    "compiled": (compiled, r"the network is compiled"),
    "no true copy": (lambda: NeverCopied(64, 3), r"__deepcopy__ makes no true copy"),
    # numbers
    "NaN weight": (lambda: spoilt("2.weight", float("nan")), r"parameter 2.weight is not finite"),
    "infinite bias": (lambda: spoilt("0.bias", float("inf")), r"parameter 0.bias is not finite"),
    "infinite buffer": (spoilt_buffer, r"buffer 1.running_var is not finite"),
    "complex weights": (lambda: nn.Linear(64, 3, dtype=torch.complex64), r"parameter weight is complex"),
    "lazy": (lambda: nn.LazyLinear(3), r"parameter weight has no values yet"),
    "meta": (lambda: nn.Linear(64, 3, device="meta"), r"parameter weight has no values yet"),
    "NaN logits": (lambda: Of(lambda m, x: m.layer(x) / 0), r"logits are not finite"),
    "complex logits": (lambda: Of(lambda m, x: m.layer(x) * 1j), r"real logits in float64, not with torch.complex128"),
    "classes": (lambda: Of(lambda m, x: m.layer(x).round().long()), r"not with torch.int64"),
    # precision
    "x.float()": (lambda: Of(lambda m, x: m.layer(x.float())), SINGLE),
    "x.half()": (lambda: Of(lambda m, x: m.layer(x.half())), SINGLE),
    "constant": (lambda: Of(lambda m, x: x @ m.weights, weights=torch.rand(64, 3)), SINGLE),
    "unregistered layer": (lambda: Of(lambda m, x: m.layers[0](x), layers=[nn.Linear(64, 3)]), SINGLE),
    "float answer": (lambda: Of(lambda m, x: m.layer(x).float()), SINGLE),
    "rounded on the way": (lambda: Of(lambda m, x: m.layer(x.float().to(x.dtype))), SINGLE),
    "single inside": (lambda: Of(lambda m, x: functional.linear(x.float(), m.layer.weight.float()).to(x.dtype)), SINGLE),
    "unregistered float64 layer": (
        lambda: Of(lambda m, x: m.layers[0](x), layers=[nn.Linear(64, 3).double()]), r"weights that are not among its parameters",
    ),
    "the original's forward": (wrapped_forward, r"weights that are not among its parameters"),
    # shapes and batches
    "squeeze": (lambda: Of(lambda m, x: m.layer(x).squeeze()), r"for a batch of 1 the network answers \(3,\)"),
    "no class": (lambda: Of(lambda m, x: x[:, :0]), r"no class"),
    "cumulative": (lambda: Of(lambda m, x: m.layer(x).cumsum(0)), r"depends on the batch"),
    "less the last": (lambda: Of(lambda m, x: m.layer(x) - m.layer(x[-1:])), r"depends on the batch"),
    "random": (lambda: Of(lambda m, x: functional.dropout(m.layer(x))), r"differently each time"),
    "a key": (lambda: Of(lambda m, x: {}["logits"]), r"must map .* KeyError 'logits'"),
    # probabilities
    "one logit": (lambda: nn.Linear(64, 1), r'one logit.*activation="sigmoid"'),
    "one probability": (lambda: nn.Sequential(nn.Linear(64, 1), nn.Sigmoid()), r'activation="sigmoid"'),
    "softmax": (lambda: nn.Sequential(mlp(0), nn.Softmax(1), nn.Dropout()), PROBABILITIES + r'.*last Softmax.*"softmax"'),
    "log-softmax": (lambda: Of(lambda m, x: m.layer(x).log_softmax(1)), PROBABILITIES + r'.*last LogSoftmax.*"softmax"'),
    "sigmoid": (lambda: Of(lambda m, x: m.layer(x).sigmoid().view(-1, 3)), PROBABILITIES + r'.*last Sigmoid.*"sigmoid"'),
    "one of two probabilities": (lambda: Of(lambda m, x: m.layer(x).softmax(1)[:, 1:2]), PROBABILITIES + r".*last Softmax"),
    "some probabilities": (lambda: Of(lambda m, x: m.layer(x).softmax(1)[:, [0, 2]]), PROBABILITIES + r".*last Softmax"),
    "bounded": (lambda: Of(lambda m, x: m.layer(x).softmax(1).clamp(1e-7, 1 - 1e-7)), PROBABILITIES + r".*last Softmax"),
    "heads": (lambda: Of(lambda m, x: torch.cat([torch.sigmoid(z) for z in m.layer(x).split(1, 1)], 1)), PROBABILITIES + r".*last Sigmoid"),
    "heads side by side": (lambda: Of(lambda m, x: torch.stack([z.sigmoid() for z in m.layer(x).T], 1)), PROBABILITIES + r".*last Sigmoid"),
    "written out": (lambda: Of(lambda m, x: m.layer(x).exp() / m.layer(x).exp().sum(1, True)), PROBABILITIES + r".*sum to 1 "),
    "shares of what is positive": (lambda: Of(lambda m, x: (z := (m.layer(x) + 9).relu()) / z.sum(1, True)), PROBABILITIES + r".*sum to 1 "),
    "percents": (lambda: Of(lambda m, x: 100 * m.layer(x).softmax(1)), PROBABILITIES + r".*sum to 100 "),
    "a sigmoid written out": (lambda: Of(lambda m, x: 1 / (1 + (-m.layer(x)).exp())), PROBABILITIES + r".*a sigmoid"),
    "a sigmoid by tanh": (lambda: Of(lambda m, x: 0.5 + 0.5 * m.layer(x).tanh()), PROBABILITIES + r".*a sigmoid"),
    "a sigmoid that overflows": (lambda: Of(lambda m, x: m.layer(x).exp() / (1 + m.layer(x).exp())), PROBABILITIES + r".*a sigmoid"),
    "percents of a sigmoid": (lambda: Of(lambda m, x: 100 * m.layer(x).sigmoid()), PROBABILITIES + r".*a sigmoid"),
    "a hard sigmoid": (lambda: nn.Sequential(nn.Linear(64, 3), nn.Hardsigmoid()), PROBABILITIES + r".*a sigmoid"),
    # gradients
    "no_grad": (lambda: Of(torch.no_grad()(lambda m, x: m.layer(x))), NO_GRADIENT),
    "detach": (lambda: Of(lambda m, x: m.layer(x.detach())), NO_GRADIENT),
    "numpy after detach": (lambda: Of(lambda m, x: to_numpy(m, x.detach())), NO_GRADIENT),
    "numpy": (lambda: Of(to_numpy), r"answers, but not with a gradient: .*numpy"),
    "comparison": (lambda: Of(lambda m, x: m.layer((x > 0.5).to(x.dtype))), NO_GRADIENT),
    "rounding": (lambda: Of(lambda m, x: m.layer(x.round())), NO_GRADIENT),
    "rounded logits": (lambda: Of(lambda m, x: m.layer(x).round()), NO_GRADIENT),
    "a late step": (lambda: Of(lambda m, x: (x.sum(1, True) < 0.5).to(x.dtype) * torch.ones(1, 3).to(x)), NO_GRADIENT),
    "one class detached": (lambda: Of(lambda m, x: torch.cat([m.layer(x), m.layer(x).detach()], 1)), OTHER_GRADIENT),
    "straight through": (lambda: Of(lambda m, x: m.layer(x + (x.round() - x).detach())), OTHER_GRADIENT),
    "backward hook": (doubled_backward, OTHER_GRADIENT),
    "in place": (lambda: Of(lambda m, x: m.layer(x).exp().mul_(2)), r"writes in place over numbers that it needs"),
}  # fmt: skip


@each(("make", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_explained_is_refused_with_the_true_reason(make: Callable[[], nn.Module], reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refusal:
        Network(make())
    assert "\n" not in str(refusal.value) and not str(refusal.value).endswith(".")


SAFE: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "deaf": (lambda: Of(lambda m, x: torch.tensor([[0.0, 1.0]]).to(x).repeat(len(x), 1)), 2),
    "deaf by a factor": (lambda: Of(lambda m, x: 0 * m.layer(x)), 3),
    "dead units": (lambda: nn.Sequential(nn.Linear(64, 3), nn.Threshold(100, 0.0)), 3),
    "saturated": (lambda: nn.Sequential(linear(1e4 * np.random.default_rng(0).standard_normal((3, 64))), nn.Hardtanh()), 3),
    "late units": (lambda: nn.Sequential(linear(-np.ones((3, 64)), 3.0), nn.ReLU()), 3),
    "both ways": (lambda: linear(np.array([[1.0], [-1.0]]) * np.full((1, 64), 0.01), np.array([5.0, 5.0])), 2),
    "bounded": (lambda: nn.Sequential(mlp(0), nn.Tanh()), 5),
    "at most 6": (lambda: nn.Sequential(mlp(0), nn.ReLU6()), 5),
    "shares inside": (lambda: nn.Sequential(nn.Linear(64, 4), nn.Sigmoid(), nn.Linear(4, 3)), 3),
    "steep": (lambda: mlp(0, scale=1e4), 5),
    "large and small": (lambda: linear(np.random.default_rng(0).standard_normal((2, 64)) * [[1e9], [1e-3]]), 2),
    "huge": (lambda: linear(1e100 * np.random.default_rng(0).standard_normal((2, 64))), 2),
    "sums to one for a while": (lambda: first([[1.0], [1.0]], [0, 1]), 2),
    "a bounded head": (lambda: Of(lambda m, x: torch.cat([m.layer(x), m.layer(x).sigmoid()], 1)), 6),
    "float32 offset": (lambda: Of(lambda m, x: m.layer(x) + m.offset, offset=torch.rand(3)), 3),
    "train returns nothing": (lambda: type("Silent", (nn.Linear,), {"train": lambda self, mode=True: None})(64, 3), 3),
    "parametrised": (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(64, 3)), 3),
}  # fmt: skip


@each(("make", "classes"), SAFE.values(), ids=SAFE)
def test_what_is_unusual_and_sound_is_taken(make: Callable[[], nn.Module], classes: int) -> None:
    network = Network(make())
    assert len(network.classes) == classes
    assert np.isfinite(gradient_field(network, picture(0)[None], 1, "logit").gradients).all()


def test_a_network_can_be_made_from_what_was_made_in_inference_mode() -> None:
    with torch.inference_mode():
        module = nn.Linear(64, 3)
        inside = gradient_field(Network(module), picture(0)[None], 1).gradients
    assert np.array_equal(inside, gradient_field(Network(module), picture(0)[None], 1).gradients)


# Answers that are not finite


class Norm(nn.Module):
    """Two logits: the size of the picture, whose gradient at black is 0 / 0, and the sum of its pixels."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([(x**2).sum(1).sqrt(), x.sum(1)], 1)


class Logarithm(nn.Module):
    """Minus infinity at black."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([x.sum(1).log(), x.sum(1)], 1)


def method_maps(case: Case) -> Iterator[tuple[str, Floats | str]]:
    """What every method that applies answers, or why not."""
    for method in METHODS.values():
        if not method.unsupported_reason(case.network) and method.name != "shapley_values":
            try:
                yield method.name, method(case).attribution
            except ValueError as refusal:
                yield method.name, str(refusal)


def test_every_method_ends_with_a_finite_map_or_says_that_gradients_are_not_finite() -> None:
    answers = dict(method_maps(Case(Network(Norm(), background=np.stack([BLACK, WHITE])), 0.5 * WHITE, BLACK, 0, "logit")))
    assert answers["guided_integrated_gradients"] == "the network's gradients are not finite: 64 of 64 numbers are NaN or infinite"
    assert all(isinstance(answer, str) or np.isfinite(answer).all() for answer in answers.values())
    assert isinstance(answers["gradient"], np.ndarray) and isinstance(answers["integrated_gradients"], np.ndarray)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@each("size", [1e25, 1e155, 1e300, 1e307])
def test_every_method_ends_on_huge_logits(size: float) -> None:
    module = nn.Sequential(*mlp(0), linear(size * np.random.default_rng(1).standard_normal((3, 5))))
    network = Network(module, background=np.stack([BLACK, WHITE, picture(3)]))
    for output in ("logit", "probability"):
        for _, answer in method_maps(Case(network, picture(0), picture(1), 0, output)):  # type: ignore[arg-type]
            assert isinstance(answer, str) or np.isfinite(answer).all()
            assert not isinstance(answer, str) or re.search(r"^the .* are not finite: \d+ of \d+ numbers are NaN or infinite$", answer)


def test_every_method_ends_where_a_weight_became_nan_later() -> None:
    network = Network(mlp(0), background=np.stack([BLACK, WHITE]))
    with torch.no_grad():
        next(network.module.parameters())[0, 0] = np.nan
    case = Case(network, picture(0), picture(1), 0, "logit")
    answers = dict(method_maps(case))
    assert len(answers) > 10
    assert all(str(answer).startswith("the network's logits are not finite: ") for answer in answers.values())
    with pytest.raises(NotPiecewiseLinear, match="do not give the network's own logits"):
        exact_integrated_gradients(case)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_method_ends_on_huge_pictures() -> None:
    network = Network(mlp(0), background=np.stack([BLACK, WHITE, picture(3)]))
    for output in ("logit", "probability"):
        for _, answer in method_maps(Case(network, 1e308 * picture(0), -1e308 * picture(1), 0, output)):  # type: ignore[arg-type]
            assert isinstance(answer, str) or np.isfinite(answer).all()
            assert not isinstance(answer, str) or "not finite" in answer, answer


def test_answers_that_are_not_finite_are_refused_wherever_they_are_asked_for() -> None:
    network = Network(Logarithm())
    case = Case(network, picture(0), BLACK, 1, "logit")
    for ask in (
        lambda: network.predict(BLACK),
        lambda: network.scores(BLACK[None]),
        lambda: gradient_field(network, BLACK[None], 1, "logit"),
        lambda: explain(case),
        lambda: METHODS["occlusion"](Case(network, BLACK, picture(0), 1)),
        lambda: METHODS["integrated_gradients"](case),
    ):
        with pytest.raises(ValueError, match=r"^the network's logits are not finite: \d+ of \d+ numbers are NaN or infinite$"):
            ask()


def test_points_that_are_not_real_and_finite_are_refused_as_points() -> None:
    network = Network(mlp(0))
    with pytest.raises(ValueError, match="the points are not finite: 1 of 64 numbers"):
        gradient_field(network, np.where(np.arange(64).reshape(1, 8, 8) == 9, np.nan, 0.5), 0)
    with pytest.raises(ValueError, match="the picture must hold real numbers"):
        network.predict(BLACK + 1j)
    with pytest.raises(ValueError, match="the points must not be masked"):
        gradient_field(network, np.ma.masked_less(picture(0)[None], 0.5), 0)
    with pytest.raises(ValueError, match="the background must not be masked"):
        Network(mlp(0), background=[np.ma.masked_less(picture(0), 0.5)])  # type: ignore[arg-type]


# Walks


def scaled(module: nn.Module, part: nn.Module) -> nn.Module:
    """The same whose part gives twice as much, by a forward on the instance."""
    of_class = type(part).forward
    part.forward = types.MethodType(lambda self, x: 2 * of_class(self, x), part)  # type: ignore[method-assign]
    return module


def own_convolution() -> nn.Module:
    convolution = nn.Conv2d(1, 2, 3)
    convolution._conv_forward = lambda x, w, b: 2 * functional.conv2d(x, w, b)  # type: ignore[method-assign]
    return nn.Sequential(convolution, nn.Flatten(), nn.Linear(72, 3))


def with_backward_hook() -> nn.Module:
    module = mlp(0)
    module[2].register_full_backward_pre_hook(lambda module, taken: None)
    return module


UNWALKABLE: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "container": (lambda: scaled(m := mlp(0), m), r"the network has a forward of its own"),
    "inner container": (lambda: nn.Sequential(scaled(m := mlp(0), m)), r"layer 0 has a forward of its own"),
    "layer": (lambda: scaled(m := mlp(0), m[1]), r"layer 1 has a forward of its own"),
    "call": (own_convolution, r"layer 0 has a _conv_forward of its own"),
    "hook": (with_backward_hook, r"layer 2 has a hook"),
    "parametrised": (
        lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(64, 3))), r"layer 0 is a ParametrizedLinear",
    ),
    "pictures side by side": (
        lambda: nn.Sequential(nn.Flatten(0), nn.Unflatten(0, (-1, 64)), nn.Linear(64, 3)), r"layer 0 does not keep pictures apart",
    ),
}  # fmt: skip


@each(("make", "reason"), UNWALKABLE.values(), ids=UNWALKABLE)
def test_whatever_walks_layers_refuses_what_a_walk_would_miss(make: Callable[[], nn.Module], reason: str) -> None:
    network = Network(make(), background=BLACK[None])
    case = Case(network, picture(0), BLACK, 0, "logit")
    with pytest.raises(NotPiecewiseLinear, match=reason):
        exact_integrated_gradients(case)
    for name in ("deeplift", "deeplift_shap", "lrp_epsilon", "lrp_gamma", "lrp_zplus", "deconvnet", "guided_backprop", "cam", "grad_cam"):
        with pytest.raises(ValueError, match=rf"does not apply: .*{reason}"):
            METHODS[name](case)
    assert np.isfinite(METHODS["integrated_gradients"](case).attribution).all()


def test_a_walk_that_gives_other_logits_is_refused_whatever_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nn.ReLU, "forward", lambda self, x: 2 * torch.relu(x))  # no trace of it on the layer
    with pytest.raises(NotSequential, match="do not give the network's own logits"):
        affine_and_relu_layers(Network(mlp(0)))


def test_a_hook_on_all_modules_is_noticed_as_long_as_it_is_there() -> None:
    network = Network(mlp(0))
    hook = nn.modules.module.register_module_forward_hook(lambda module, args, out: None)
    with pytest.raises(NotSequential, match="hook on all modules"):
        sequential_layers(network)
    hook.remove()
    assert len(sequential_layers(network)) == 5
