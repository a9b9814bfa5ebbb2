"""Units of maps, by scaling: how a map changes with the unit of a pixel, and with that of F."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from each import each
from torch import nn

from explorer.attribution import METHODS, Case, GradientMethod, Method, Network, Output, Value
from explorer.attribution.method import shared_settings

from .test_every_method import quick
from .toys import NETWORKS, ZOO, Floats, mlp, outputs, picture, relative_error

POWERS = {  # of the unit of F, and of 1 / the unit of a pixel
    "F": (1, 0),
    "F²": (2, 0),
    "F per unit of a pixel": (1, 1),
    "(F per unit of a pixel)²": (2, 2),
    "F² per unit of a pixel": (2, 1),
}
# They have fixed baselines, which a change of the pixel's unit would have to move; what they sum to is in F.
FIXED_BASELINES = ("averaged_baselines", "xrai")
BACKGROUND = np.stack([picture(90), picture(91)])
MODULES = {"flat": mlp(0), "image": NETWORKS["image"].module, "pooled": ZOO["digits-cnn"].module}
every_method = each("method", METHODS.values(), ids=METHODS)


def weighted(module: nn.Module) -> list[nn.Linear | nn.Conv2d]:
    """The layers that have weights."""
    return [layer for layer in module.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]


def with_halved_pixels(module: nn.Module) -> Network:
    """The network that gives for x / 2 what the module gives for x."""
    other = copy.deepcopy(module)
    weighted(other)[0].weight.data *= 2
    return Network(other, background=BACKGROUND / 2)


def with_doubled_logits(module: nn.Module) -> Network:
    """The network whose logits are twice the module's."""
    other = copy.deepcopy(module)
    for part in (weighted(other)[-1].weight, weighted(other)[-1].bias):
        assert part is not None
        part.data *= 2
    return Network(other, background=BACKGROUND)


def settings_of(method: Method) -> Iterator[tuple[str, dict[str, Value]]]:
    """The method's units, each with settings that give it."""
    known: dict[str, Value] = dict(quick(method))
    if method.name == "lrp_epsilon":
        known["epsilon"] = 0.0  # it has the unit of an activation
    yield method.unit, known
    for name, values in method.other_units.items():
        yield from ((unit, {**known, name: value}) for value, unit in values.items())


def a_map(method: Method, network: Network, settings: dict[str, Value], output: Output) -> tuple[int, Floats]:
    """The first target whose map is not 0, and its map."""
    for target in range(3):
        found = method(Case(network, picture(1), picture(2), target, output), **settings).attribution
        if found.any():
            return target, found
    raise AssertionError("all maps are 0")


def modules_for(method: Method) -> list[nn.Module]:
    """Networks that the method applies to, at least one."""
    found = [module for module in MODULES.values() if not method.unsupported_reason(Network(module, background=BACKGROUND))]
    assert found
    return found[:1] if method.name == "shapley_values" else found  # the only slow one


@every_method
@outputs
def test_a_map_per_unit_of_a_pixel_doubles_where_a_pixel_counts_half(method: Method, output: Output) -> None:
    if method.name in FIXED_BASELINES:
        assert method.complete and method.unit == "F"
        return
    level = 0.2 if any(setting.name == "noise_level" for setting in method.settings) else None
    for module in modules_for(method):
        for unit, settings in settings_of(method):
            whole = {**settings, "noise_level": level} if level else settings
            halved = {**settings, "noise_level": level / 2} if level else settings
            power = POWERS[unit][1] if unit else 0
            target, before = a_map(method, Network(module, background=BACKGROUND), whole, output)
            case = Case(with_halved_pixels(module), picture(1) / 2, picture(2) / 2, target, output)
            assert relative_error(method(case, **halved).attribution, 2**power * before) < 1e-9, (unit, settings)


@every_method
def test_a_map_in_units_of_f_doubles_with_it(method: Method) -> None:
    multiples = []
    for module in modules_for(method):
        for unit, settings in settings_of(method):
            target, once = a_map(method, Network(module, background=BACKGROUND), settings, "logit")
            twice = method(Case(with_doubled_logits(module), picture(1), picture(2), target, "logit"), **settings).attribution
            if unit:
                assert relative_error(twice, 2 ** POWERS[unit][0] * once) < 1e-9, (unit, settings)
            else:
                multiples.append(np.abs(twice).max() / np.abs(once).max())
    assert not multiples or np.ptp(multiples) > 0.01  # by another factor in each network: there is no such unit


@every_method
def test_a_sum_that_is_promised_is_in_units_of_f(method: Method) -> None:
    assert not method.complete or method.unit == "F"


@every_method
def test_every_method_says_where_it_asks_the_network(method: Method) -> None:
    assert bool(method.asks) != bool(method.asks_at)
    assert not method.asks.endswith(".")


@every_method
def test_the_points_that_are_said_to_be_asked_are_those_that_are(method: Method) -> None:
    case = Case(Network(modules_for(method)[0], background=BACKGROUND), picture(1), picture(2), 1)
    values = method.values(quick(method))
    if not isinstance(method.compute, GradientMethod):
        assert method.asks_at in ("picture", "")
        if method.asks_at == "picture":
            other = replace(case, baseline=picture(3))
            assert np.array_equal(method(case, **values).attribution, method(other, **values).attribution)
        return
    points = method.compute.points(case, shared_settings(values))
    if method.asks_at == "picture":
        assert np.array_equal(points, case.input[None])
    elif method.asks_at == "path":
        shares = ((points - case.baseline) * case.difference).sum(axis=(1, 2)) / (case.difference**2).sum()
        assert np.abs(points - case.baseline - shares[:, None, None] * case.difference).max() < 1e-9
    else:
        assert method.asks_at == "copies"
        assert 0.1 < (points - case.input).std() < 0.2
