"""DeconvNet and Guided Backprop: worked by hand, against Captum, and what must hold for every network."""

from __future__ import annotations

import importlib
import threading

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.attribution import Case, Network, gradient_field
from explorer.attribution.layers import NotSequential, not_sequential, sequential_layers
from explorer.attribution.methods.modified_backprop import DECONVNET, GUIDED_BACKPROP, Gate, modified_gradient
from explorer.attribution.network import Output

from .each import each
from .toys import (
    BLACK,
    NETWORKS,
    Floats,
    embed,
    f_module,
    first,
    linear,
    mlp,
    outputs,
    picture,
    random_case,
    relative_error,
    zoo_networks,
)

METHODS = {"deconvnet": DECONVNET, "guided_backprop": GUIDED_BACKPROP}
gates = each("name", METHODS)
ALL = {**NETWORKS, "deep": Network(mlp(3, (64, 9, 8, 7, 2)))}
networks = each("network", ALL.values(), ids=ALL)


def gradient(case: Case) -> Floats:
    return gradient_field(case.network, case.input[None].copy(), case.target, case.output).gradients[0]


def by_captum(case: Case, name: str) -> Floats:
    """Captum's map, of a private copy with its softmax or sigmoid where a probability is asked for."""
    captum = importlib.import_module("captum.attr")
    method = {"deconvnet": captum.Deconvolution, "guided_backprop": captum.GuidedBackprop}[name](f_module(case))
    x = torch.tensor(case.input).reshape(1, *case.network.input_shape).requires_grad_()
    with pytest.warns(UserWarning, match="Setting backward hooks"):
        found: Floats = method.attribute(x, target=case.target).detach().numpy()
    return found.reshape(8, 8)


def test_maps_worked_by_hand() -> None:
    # hidden z = (2a − b, −a, b − 3c), logit h₀ + 2h₁ − h₂; at a, b, c = 1, 1, 0: z = (1, −1, 1), signals (1, 2, −1)
    network = Network(nn.Sequential(first([[2, -1, 0], [-1, 0, 0], [0, 1, -3]]), nn.ReLU(), linear([[1, 2, -1], [0, 0, 0]])))
    case = Case(network, embed(1, 1, 0), BLACK, 0, "logit")
    assert gradient(case).ravel()[:3].tolist() == [2, -2, 3]  # units 0 and 2
    assert DECONVNET(case).attribution.ravel()[:3].tolist() == [0, -1, 0]  # units 0 and 1
    assert GUIDED_BACKPROP(case).attribution.ravel()[:3].tolist() == [2, -1, 0]  # unit 0 alone
    assert not GUIDED_BACKPROP(case).attribution.ravel()[3:].any()


def test_a_unit_on_its_kink_is_off() -> None:
    network = Network(nn.Sequential(first([[1.0, 0], [0, 1]]), nn.ReLU(), linear([[1, 1], [0, 0]])))
    case = Case(network, embed(0, 0.5), BLACK, 0, "logit")
    assert GUIDED_BACKPROP(case).attribution.ravel()[:2].tolist() == [0, 1]
    assert DECONVNET(case).attribution.ravel()[:2].tolist() == [1, 1]


@zoo_networks
@gates
@outputs
def test_maps_equal_captums_on_the_zoo(zoo_network: Network, name: str, output: Output) -> None:
    for seed in range(4):
        case = random_case(zoo_network, seed, output)
        if any(isinstance(layer, nn.ReLU) for layer in case.network.module.modules()):
            assert relative_error(METHODS[name](case).attribution, by_captum(case, name)) < 1e-9


@gates
@networks
@outputs
def test_maps_equal_captums_on_toys(network: Network, name: str, output: Output) -> None:
    for seed in range(4):
        case = random_case(network, seed, output)
        assert relative_error(METHODS[name](case).attribution, by_captum(case, name)) < 1e-9


@given(st.integers(0, 10**6), st.sampled_from(["probability", "logit"]), st.sampled_from(list(ALL)))
def test_the_walk_with_the_gradients_own_gate_is_the_gradient(seed: int, output: Output, network: str) -> None:
    case = random_case(ALL[network], seed, output)
    assert relative_error(modified_gradient(case, "gradient"), gradient(case)) < 1e-12


@gates
@outputs
def test_without_a_relu_both_are_the_gradient(name: str, output: Output) -> None:
    network = Network(linear(np.random.default_rng(0).standard_normal((3, 64)), [1, 2, 3]))
    case = random_case(network, 2, output)
    assert relative_error(METHODS[name](case).attribution, gradient(case)) < 1e-14


@zoo_networks
def test_the_deconvnet_map_of_a_logit_is_the_same_for_every_picture(zoo_network: Network) -> None:
    one, *others = [DECONVNET(Case(zoo_network, picture(seed), BLACK, 1, "logit")).attribution for seed in range(3)]
    assert one.any()
    assert all(np.array_equal(one, other) for other in others)


def test_the_guided_backprop_map_of_a_logit_depends_on_the_picture() -> None:
    maps = [GUIDED_BACKPROP(Case(NETWORKS["flat"], picture(seed), BLACK, 1, "logit")).attribution for seed in range(2)]
    assert relative_error(maps[1], maps[0]) > 1e-2


@gates
def test_two_networks_that_compute_the_same_need_not_get_the_same_map(zoo: dict[str, Network], name: str) -> None:
    x = picture(3)
    maps = [METHODS[name](Case(zoo[n], x, BLACK, 3, "logit")).attribution for n in ("digits", "digits-rewritten")]
    assert relative_error(maps[1], maps[0]) > 1e-2
    assert not METHODS[name].invariant


@gates
@outputs
def test_degenerate_questions_get_finite_maps(name: str, output: Output) -> None:
    constant = Network(nn.Sequential(linear(np.zeros((3, 64)), [1, -2, 3]), nn.ReLU(), linear(np.eye(3))))
    assert not METHODS[name](random_case(constant, 0, output)).attribution.any()
    saturated = Network(mlp(1, scale=300.0))
    for case in (random_case(saturated, 1, output), Case(NETWORKS["flat"], BLACK, BLACK, 0, output)):
        assert np.isfinite(METHODS[name](case).attribution).all()


@gates
@networks
def test_answers_are_the_same_twice_counted_and_of_the_right_kind(network: Network, name: str) -> None:
    case = random_case(network, 5)
    one, two = METHODS[name](case), METHODS[name](case)
    assert np.array_equal(one.attribution, two.attribution)
    assert (one.attribution.shape, one.attribution.dtype) == ((8, 8), np.float64)
    assert (one.forward, one.backward, one.expected_sum, one.error) == (1, 1, None, None)


def test_layers_that_write_into_what_they_are_given_change_nothing() -> None:
    plain, writing = mlp(5), mlp(5)
    for place in (1, 3):
        writing[place] = nn.ReLU(inplace=True)
    leaky = [nn.Sequential(nn.LeakyReLU(0.2, inplace=inplace), mlp(6)) for inplace in (False, True)]
    for one, other in ((plain, writing), leaky):
        maps = [GUIDED_BACKPROP(random_case(Network(module), 1)).attribution for module in (one, other)]
        assert maps[0].any() and np.array_equal(maps[0], maps[1])


def test_inference_mode_of_the_caller_does_not_matter() -> None:
    case = random_case(NETWORKS["image"], 2)
    expected = GUIDED_BACKPROP(case).attribution
    with torch.inference_mode():
        assert np.array_equal(GUIDED_BACKPROP(case).attribution, expected)
    with torch.no_grad():
        assert np.array_equal(GUIDED_BACKPROP(case).attribution, expected)


def test_many_threads_on_one_network_do_not_disturb_each_other() -> None:
    cases = [random_case(NETWORKS["flat"], seed) for seed in range(4)]
    work = [(METHODS[name], case) for case in cases for name in METHODS]
    expected = [method(case).attribution for method, case in work]
    found: list[list[Floats]] = [[] for _ in work]

    def repeat(i: int) -> None:
        method, case = work[i]
        found[i].extend(method(case).attribution for _ in range(20))

    threads = [threading.Thread(target=repeat, args=(i,)) for i in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(len(maps) == 20 for maps in found)
    assert all(np.array_equal(a, expected[i]) for i, maps in enumerate(found) for a in maps)
    assert not any(layer._backward_hooks for layer in NETWORKS["flat"].module.modules())


class Own(nn.Module):
    """A module with a forward of its own, where ReLUs may hide."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x)


@gates
def test_a_network_that_cannot_be_walked_through_is_refused_by_the_part_that_hides(name: str) -> None:
    network = Network(nn.Sequential(mlp(0), nn.Sequential(Own())))
    with pytest.raises(ValueError, match=r"does not apply: .* layer 1\.0 is a Own"):
        METHODS[name](random_case(network, 0))
    hooked = Network(mlp(0))
    hooked.module[1].register_forward_hook(lambda module, args, out: None)  # type: ignore[index]
    assert METHODS[name].unsupported_reason(hooked) == "it goes through the network layer by layer, and layer 1 has a hook"
    with pytest.raises(NotSequential):
        modified_gradient(random_case(hooked, 0), "deconvnet")


def test_an_unknown_gate_is_refused() -> None:
    gate: Gate = "open"  # type: ignore[assignment]
    with pytest.raises(ValueError, match="gate must be one of"):
        modified_gradient(random_case(NETWORKS["flat"], 0), gate)


@zoo_networks
def test_layers_called_in_turn_are_the_network(zoo_network: Network) -> None:
    for network in (zoo_network, *ALL.values(), Network(linear(np.ones((2, 64))))):
        assert not_sequential(network) == ""
        x = torch.tensor(np.stack([picture(seed) for seed in range(3)]))
        a = x.reshape(-1, *network.input_shape)
        for layer in sequential_layers(network):
            a = layer(a)
        assert torch.equal(a, network.logits(x))
