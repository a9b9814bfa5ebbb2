"""The CAM family: worked by hand, against Captum and PAIR's saliency, and the identities between the methods."""

from __future__ import annotations

import copy
import importlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.attribution import Case, Network, Settings
from explorer.attribution.feature_maps import feature_maps, resampled, split_at_feature_maps
from explorer.attribution.methods.activation_maps import (
    CAM,
    GRAD_CAM,
    GRAD_CAM_PLUS_PLUS,
    GUIDED_GRAD_CAM,
    SMOOTH_GRAD_CAM_PLUS_PLUS,
    plus_plus_weights,
)
from explorer.attribution.methods.modified_backprop import GUIDED_BACKPROP
from explorer.attribution.methods.smoothgrad import points
from explorer.attribution.network import Output
from explorer.models import FOLDER
from explorer.pictures import digit_samples

from .each import each
from .toys import (
    BLACK,
    WHITE,
    Floats,
    convolutional,
    embed,
    f_module,
    linear,
    mlp,
    outputs,
    picture,
    random_case,
    relative_error,
)

METHODS = {m.name: m for m in (CAM, GRAD_CAM, GRAD_CAM_PLUS_PLUS, SMOOTH_GRAD_CAM_PLUS_PLUS, GUIDED_GRAD_CAM)}
methods = each("name", METHODS)


def averaged(seed: int = 0, maps: int = 5, stride: int = 1) -> Network:
    """Convolution, ReLU, global average pooling, one linear layer."""
    torch.manual_seed(seed)
    body = [nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, maps, 3, padding=1, stride=stride), nn.ReLU()]
    return Network(nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(maps, 3)))


def flattened(seed: int = 0) -> Network:
    """A head that treats every place differently, with a hidden layer, after max-pooling; the maps are 6 × 6."""
    torch.manual_seed(seed)
    body = nn.Sequential(nn.Conv2d(1, 5, 3), nn.Tanh(), nn.Sequential(nn.Conv2d(5, 4, 1), nn.ReLU()))
    return Network(nn.Sequential(body, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 9), nn.ReLU(), nn.Linear(9, 3)))


NETWORKS = {"averaged": averaged(), "smaller maps": averaged(stride=2), "flattened": flattened(), "leaky": Network(convolutional())}
networks = each("network", NETWORKS.values(), ids=NETWORKS)


def tensor(case: Case) -> torch.Tensor:
    return torch.tensor(case.input).reshape(1, *case.network.input_shape)


def layer_of_maps(case: Case, module: nn.Module) -> nn.Module:
    """The layer of a private copy whose output the feature maps are."""
    last = split_at_feature_maps(case.network).body[-1]
    places = [layer for layer in case.network.module.modules() if not list(layer.children())]
    copies = [layer for layer in module.modules() if not list(layer.children())]
    return copies[next(place for place, layer in enumerate(places) if layer is last)]


def maps_by_autograd(case: Case, pictures: Floats) -> tuple[Floats, Floats]:
    """A and ∂F/∂A, with a hook on a private copy and torch's own softmax."""
    module, seen = f_module(case), []
    layer_of_maps(case, module).register_forward_hook(lambda layer, args, out: seen.append(out))
    x = torch.tensor(pictures).reshape(-1, *case.network.input_shape).requires_grad_()
    f = module(x)[:, case.target].sum()
    (gradients,) = torch.autograd.grad(f, seen[0])
    return seen[0].detach().numpy(), gradients.numpy()


def by_bilinear(coarse: Floats) -> Floats:
    return nn.functional.interpolate(torch.tensor(coarse)[None, None], (8, 8), mode="bilinear")[0, 0].numpy()


def test_maps_worked_by_hand() -> None:
    # map 0 is the picture, map 1 is 0.5 minus it, where that is positive; the logit is 64 mean(A₀) − 32 mean(A₁) + 7
    convolution = nn.Conv2d(1, 2, 1).double()
    with torch.no_grad():
        convolution.weight.copy_(torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1))
        assert convolution.bias is not None
        convolution.bias.copy_(torch.tensor([0.0, 0.5]))
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear([[64, -32], [0, 0]], [7, 0])]
    case = Case(Network(nn.Sequential(convolution, nn.ReLU(), *head)), embed(1, 0.25), BLACK, 0, "logit")
    expected = np.full(64, -0.25)  # g is 1 in map 0 and −½ in map 1; 0.5 A₁ is 0.25 where the picture is black
    expected[:2] = [1, 0.25 - 0.5 * 0.25]
    found = CAM(case)
    np.testing.assert_allclose(found.attribution.ravel(), expected, rtol=1e-14)
    assert found.expected_sum == pytest.approx(found.attribution.sum(), rel=1e-13) and found.expected_sum == pytest.approx(-14.375)
    np.testing.assert_allclose(GRAD_CAM(case).attribution.ravel()[:3], [1, 0.125, 0], rtol=1e-14)
    # α of map 0 is 1 / (2 + 1.25) in each of 64 places; map 1 has a negative gradient and no weight
    weight = 64 / 3.25
    np.testing.assert_allclose(GRAD_CAM_PLUS_PLUS(case).attribution.ravel()[:3], [weight, weight / 4, 0], rtol=1e-14)


@networks
@outputs
def test_feature_maps_and_their_gradients_equal_plain_autograd(network: Network, output: Output) -> None:
    pictures = np.stack([picture(seed) for seed in range(300)])  # more than a chunk
    case = random_case(network, 1, output)
    found = feature_maps(case, pictures)
    activations, gradients = maps_by_autograd(case, pictures)
    assert relative_error(found.activations, activations) < 1e-12
    assert relative_error(found.gradients, gradients) < 1e-10


@outputs
@pytest.mark.parametrize("seed", range(4))
def test_grad_cam_and_guided_grad_cam_equal_captums(zoo: dict[str, Network], output: Output, seed: int) -> None:
    captum = importlib.import_module("captum.attr")
    for network in (zoo["digits-cnn"], *NETWORKS.values()):
        case = random_case(network, seed, output)
        module = f_module(case)
        layer = layer_of_maps(case, module)
        found = captum.LayerGradCam(module, layer).attribute(tensor(case), case.target, relu_attributions=True)
        assert relative_error(GRAD_CAM(case).attribution, by_bilinear(found.detach().numpy()[0, 0])) < 1e-9
        if len(case.network.input_shape) == 3:  # Captum resamples to a picture only
            guided = captum.GuidedGradCam(module, layer)
            with pytest.warns(UserWarning, match="Setting backward hooks"):
                product = guided.attribute(tensor(case).requires_grad_(), case.target, interpolate_mode="bilinear")
            assert relative_error(GUIDED_GRAD_CAM(case).attribution, product.detach().numpy().reshape(8, 8)) < 1e-9


@networks
@outputs
def test_grad_cam_equals_pairs(network: Network, output: Output) -> None:
    saliency = importlib.import_module("saliency.core")
    case = random_case(network, 3, output)
    activations, gradients = maps_by_autograd(case, case.input[None])

    def call(x: Floats, call_model_args: object, expected_keys: object) -> dict[str, Floats]:
        return {
            saliency.base.CONVOLUTION_LAYER_VALUES: activations.transpose(0, 2, 3, 1),
            saliency.base.CONVOLUTION_OUTPUT_GRADIENTS: gradients.transpose(0, 2, 3, 1),
        }

    theirs = saliency.GradCam().GetMask(case.input, call, should_resize=False, three_dims=False)  # in single precision
    assert relative_error(GRAD_CAM(case).attribution, by_bilinear(theirs.astype(float))) < 1e-5


@networks
@outputs
def test_grad_cam_plus_plus_is_the_papers_formula(network: Network, output: Output) -> None:
    found = []
    for seed in range(6):
        case = random_case(network, seed, output)
        (a,), (g,) = maps_by_autograd(case, case.input[None])
        total = np.zeros(a.shape[1:])
        for k in range(len(a)):
            below = 2 * g[k] ** 2 + a[k].sum() * g[k] ** 3
            alpha = np.array([u**2 / v if v else 0.0 for u, v in zip(g[k].flat, below.flat, strict=True)])
            total += (alpha * np.maximum(g[k].ravel(), 0)).sum() * a[k]
        found.append(GRAD_CAM_PLUS_PLUS(case).attribution)
        assert relative_error(found[-1], by_bilinear(np.maximum(total, 0))) < 1e-9
    assert np.any(found)


@networks
@outputs
def test_smooth_grad_cam_plus_plus_is_the_papers_formula_on_the_same_noise(network: Network, output: Output) -> None:
    found = []
    for seed in range(6):
        case = random_case(network, seed, output)
        (a,), _ = maps_by_autograd(case, case.input[None])
        _, g = maps_by_autograd(case, points(case, Settings(samples=30, noise_level=0.2, seed=4)))
        first, second, third = g.mean(axis=0), (g**2).mean(axis=0), (g**3).mean(axis=0)
        below = 2 * second + third * a.sum(axis=(1, 2), keepdims=True)
        alpha = np.divide(second, below, out=np.zeros_like(below), where=below != 0)
        weights = (alpha * np.maximum(first, 0)).sum(axis=(1, 2))
        expected = by_bilinear(np.maximum((weights[:, None, None] * a).sum(axis=0), 0))
        answer = SMOOTH_GRAD_CAM_PLUS_PLUS(case, samples=30, noise_level=0.2, seed=4)
        found.append(answer.attribution)
        assert relative_error(found[-1], expected) < 1e-9
        assert (answer.forward, answer.backward) == (31, 31)
    assert np.any(found)


@given(st.integers(0, 10**6))
def test_on_global_average_pooling_grad_cam_is_cam_without_what_is_negative(seed: int) -> None:
    case = random_case(averaged(seed % 7), seed, "logit")
    found, cam = GRAD_CAM(case).attribution, CAM(case).attribution
    assert np.abs(found - np.maximum(cam, 0)).max() <= 1e-12 * np.abs(cam).max()


def test_the_same_on_the_zoo_where_cam_sums_to_the_logit_minus_its_bias(zoo: dict[str, Network]) -> None:
    network = zoo["digits-cnn"]
    assert network.background is not None and isinstance(network.module, nn.Sequential)
    head = network.module[-1]
    assert isinstance(head, nn.Linear)
    for x in network.background[:10]:
        for target in range(10):
            case = Case(network, x, BLACK, target, "logit")
            cam = CAM(case)
            logit = float(network.logits(torch.tensor(x)[None])[0, target])
            assert abs(cam.attribution.sum() - (logit - float(head.bias[target]))) < 1e-12 * np.abs(cam.attribution).sum()
            assert cam.expected_sum == pytest.approx(logit - float(head.bias[target]), abs=1e-12)
            assert np.abs(GRAD_CAM(case).attribution - np.maximum(cam.attribution, 0)).max() < 1e-13
            same = CAM(Case(network, x, WHITE, target, "probability"))
            assert np.array_equal(same.attribution, cam.attribution) and same.expected_sum == cam.expected_sum


@given(st.integers(0, 10**6))
def test_grad_cam_of_a_probability_also_weighs_what_speaks_for_the_other_classes(seed: int) -> None:
    case = random_case(averaged(seed % 7), seed, "probability")
    cams = np.stack([CAM(replace(case, target=k)).attribution for k in range(3)])
    scores = case.network.probabilities(case.network.logits(torch.tensor(case.input)[None]))[0].numpy()
    expected = scores[case.target] * np.maximum(cams[case.target] - np.tensordot(scores, cams, 1), 0)
    found = GRAD_CAM(case).attribution
    assert np.abs(found - expected).max() <= 1e-12 * np.abs(cams).max()


def test_grad_cam_of_a_probability_is_not_cam_without_what_is_negative(zoo: dict[str, Network]) -> None:
    case = Case(zoo["digits-cnn"], digit_samples(FOLDER)[3][0], BLACK, 8, "probability")
    assert np.corrcoef(GRAD_CAM(case).attribution.ravel(), np.maximum(CAM(case).attribution, 0).ravel())[0, 1] < 0.5


def test_cam_of_smaller_maps_promises_no_sum_and_says_so() -> None:
    found = CAM(random_case(NETWORKS["smaller maps"], 0, "logit"))
    assert found.expected_sum is None and found.attribution.shape == (8, 8)


@outputs
def test_without_noise_smooth_grad_cam_plus_plus_is_grad_cam_plus_plus(output: Output) -> None:
    for network in NETWORKS.values():
        case = random_case(network, 4, output)
        smooth = SMOOTH_GRAD_CAM_PLUS_PLUS(case, samples=3, noise_level=0.0).attribution
        assert relative_error(smooth, GRAD_CAM_PLUS_PLUS(case).attribution) < 1e-12


def test_noise_changes_nothing_where_a_logits_gradient_is_the_same_for_every_picture() -> None:
    case = random_case(NETWORKS["averaged"], 4, "logit")
    assert relative_error(SMOOTH_GRAD_CAM_PLUS_PLUS(case).attribution, GRAD_CAM_PLUS_PLUS(case).attribution) < 1e-12
    case = random_case(NETWORKS["averaged"], 4, "probability")
    assert relative_error(SMOOTH_GRAD_CAM_PLUS_PLUS(case).attribution, GRAD_CAM_PLUS_PLUS(case).attribution) > 1e-6


def test_another_seed_or_level_is_another_map_and_the_same_the_same() -> None:
    case = random_case(NETWORKS["flattened"], 4)
    one, same, other, louder = (
        SMOOTH_GRAD_CAM_PLUS_PLUS(case, **more).attribution for more in ({}, {"seed": 0}, {"seed": 1}, {"noise_level": 0.4})
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other) and not np.array_equal(one, louder)


@networks
@outputs
def test_guided_grad_cam_is_the_product(network: Network, output: Output) -> None:
    case = random_case(network, 1, output)
    product = GRAD_CAM(case).attribution * GUIDED_BACKPROP(case).attribution
    assert np.array_equal(GUIDED_GRAD_CAM(case).attribution, product)


@methods
@outputs
def test_degenerate_questions_get_finite_maps(name: str, output: Output) -> None:
    body = [nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    constant = Network(nn.Sequential(*body, linear(np.zeros((3, 4)), [1, 2, 3])))
    assert not METHODS[name](random_case(constant, 0, output)).attribution.any()
    steep = copy.deepcopy(NETWORKS["averaged"].module)
    assert isinstance(steep, nn.Sequential)
    with torch.no_grad():
        steep[-1].weight *= 1e4  # type: ignore[operator]
    for case in (random_case(Network(steep), 1, output), Case(NETWORKS["averaged"], BLACK, BLACK, 0, output)):
        answer = METHODS[name](case)
        assert np.isfinite(answer.attribution).all()


def test_a_saturated_probabilitys_gradients_do_not_vanish_when_cubed() -> None:
    gradients, maps = np.random.default_rng(0).random((1, 3, 4, 4)), np.random.default_rng(1).random((3, 4, 4))
    tiny = plus_plus_weights(1e-200 * gradients, maps)
    np.testing.assert_allclose(tiny / 1e-200, gradients[0].sum(axis=(1, 2)) / 2, rtol=1e-12)
    assert not plus_plus_weights(0 * gradients, maps).any()


@methods
@networks
def test_answers_are_the_same_twice_and_of_the_right_kind(network: Network, name: str) -> None:
    method, case = METHODS[name], random_case(network, 5)
    if method.unsupported_reason(network):
        return
    one, two = method(case), method(case)
    assert np.array_equal(one.attribution, two.attribution)
    assert (one.attribution.shape, one.attribution.dtype) == ((8, 8), np.float64)
    assert (name in ("cam", "guided_grad_cam")) or (one.attribution >= 0).all()
    calls = {"cam": (1, 0), "smooth_grad_cam_plus_plus": (51, 51), "guided_grad_cam": (2, 2)}
    assert (one.forward, one.backward) == calls.get(name, (1, 1))


@methods
def test_a_network_without_feature_maps_is_refused_in_a_sentence(name: str, zoo: dict[str, Network]) -> None:
    for network in (Network(mlp(0)), zoo["logistic"]):
        with pytest.raises(ValueError, match=r"does not apply: it needs a convolutional network: .*[^.]$"):
            METHODS[name](random_case(network, 0))
    assert METHODS[name].unsupported_reason(zoo["digits-cnn"]) == ""

    class Own(nn.Sequential):
        pass

    with pytest.raises(ValueError, match=r"does not apply: it needs a plain sequence of layers, and the network is a Own"):
        METHODS[name](random_case(Network(Own(mlp(0))), 0))


def test_cam_refuses_heads_whose_weights_are_not_the_maps_own() -> None:
    refused = {"flattened": True, "leaky": True, "averaged": False, "smaller maps": False}
    assert {name: bool(CAM.unsupported_reason(network)) for name, network in NETWORKS.items()} == refused
    heads = {
        "all": ([nn.AvgPool2d(8), nn.Flatten(), nn.Dropout(), nn.Linear(2, 3)], ""),
        "a quarter": ([nn.AvgPool2d(4, 8), nn.Flatten(), nn.Linear(2, 3)], "global average pooling"),
        "parts": ([nn.AvgPool2d(4), nn.Flatten(), nn.Linear(8, 3)], "global average pooling"),
        "the largest": ([nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(2, 3)], "global average pooling"),
    }
    for head, reason in heads.values():
        network = Network(nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), *head))
        assert reason in CAM.unsupported_reason(network) and bool(reason) == bool(CAM.unsupported_reason(network))
        assert not GRAD_CAM.unsupported_reason(network)


@pytest.mark.parametrize("side", [1, 2, 4, 8])
def test_resampling_keeps_a_flat_map_and_the_mean(side: int) -> None:
    assert np.allclose(resampled(np.full((side, side), 0.3)), 0.3, rtol=1e-14)
    coarse = np.random.default_rng(side).standard_normal((side, side))
    assert resampled(coarse).mean() == pytest.approx(coarse.mean(), abs=1e-14)
