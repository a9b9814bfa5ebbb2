"""Walking a network layer by layer, for methods that look inside it or change what is passed back through it.

Only a ``torch.nn.Sequential`` can be walked: its layers are called one by one from here. Hooks would be shorter, but a
network is shared by many threads, and a hook that one of them sets changes what all the others see.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import nn
from torch.nn.grad import conv2d_input
from torch.nn.modules.module import _has_any_global_hook

from explorer.attribution.network import IMAGE_CHUNK, Network
from explorer.attribution.network_checks import probe_pictures

AFFINE = (
    nn.Linear,
    nn.Conv2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    nn.BatchNorm1d,  # in eval mode these are fixed affine maps
    nn.BatchNorm2d,
    nn.Flatten,
    nn.Unflatten,
    nn.Identity,
    nn.Dropout,
    nn.Dropout2d,
)
KINKED_AT_ZERO = (nn.ReLU, nn.LeakyReLU)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


class NotWalkable(ValueError):
    """The network is not a sequence of layers that can be walked; the message names the part that is not."""


def layers_in_order(network: Network) -> list[nn.Module]:
    """The layers that a picture passes, nested ``torch.nn.Sequential``s opened; called in turn, they are the network.

    Raises:
        NotWalkable: a part is not one of torch's own single layers, so that what happens in it cannot be told; it has a
            hook, which a walk would pass by or set off, or a method of its own; or the walk gives other logits.
    """
    return [layer for _, layer in _walk(network)]


def layers_of(network: Network) -> list[nn.Module]:
    """The same, if all of them are kinds that ``exact`` can cut: affine maps, and activations with one kink at zero.

    Raises:
        NotWalkable: naming the first layer that is not.
    """
    layers = _walk(network)
    for where, layer in layers:
        if type(layer) not in AFFINE + KINKED_AT_ZERO:
            raise NotWalkable(
                "it goes layer by layer through a torch.nn.Sequential of affine and ReLU layers, and "
                f"{where} is a {type(layer).__name__}"
            )
        if isinstance(layer, BATCH_NORMS) and (layer.running_mean is None or layer.running_var is None):
            raise NotWalkable(f"it goes through affine layers, and {where} normalises each batch by itself")
    return [layer for _, layer in layers]


def _walk(network: Network) -> list[tuple[str, nn.Module]]:
    """The layers in their order, each with what to call it, once it is certain that they are the network."""
    layers = _plain_layers(network)
    if reason := _strays(network):
        raise NotWalkable(reason)
    return layers


def _plain_layers(network: Network) -> list[tuple[str, nn.Module]]:
    """The same, as far as can be told without trying: they do nothing but what their classes say."""
    if _has_any_global_hook():  # type: ignore[no-untyped-call]
        raise NotWalkable("it goes through the network layer by layer, and torch has a hook on all modules")
    layers = []
    # every place counts, also where one layer object stands in several
    for name, layer in network.module.named_modules(remove_duplicate=False):
        where = f"layer {name}" if name else "the network"
        if layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks or layer._backward_pre_hooks:
            raise NotWalkable(f"it goes through the network layer by layer, and {where} has a hook")
        container = type(layer) is nn.Sequential
        if not container and (not type(layer).__module__.startswith("torch.nn.modules.") or any(layer.children())):
            raise NotWalkable(f"it needs a plain sequence of layers, and {where} is a {type(layer).__name__}")
        if own := vars(layer).keys() & _methods(type(layer)):  # type: ignore[arg-type]
            raise NotWalkable(f"it needs a plain sequence of layers, and {where} has a {min(own)} of its own")
        if not container:
            layers.append((where, layer))
    return layers


@lru_cache(maxsize=64)
def _methods(kind: type) -> frozenset[str]:
    """What an instance of one of torch's layers must leave to its class."""
    return frozenset(name for name in dir(kind) if callable(getattr(kind, name)))


@lru_cache(maxsize=16)  # of a network, which does not change
def _strays(network: Network) -> str:
    """Why a walk through a network of plain layers is not the network; "" when it is, which is how it should be."""
    a = probe_pictures(network.input_shape)
    with torch.inference_mode(False), torch.no_grad():
        logits = network.logits(a)
        for where, layer in _plain_layers(network):
            count, a = len(a), activate(layer, a) if isinstance(layer, KINKED_AT_ZERO) else layer(a.clone())
            if len(a) != count:
                return f"it goes layer by layer, and {where} does not keep pictures apart"
    if a.shape == logits.shape and torch.allclose(a, logits, rtol=1e-9, atol=1e-9 * float(logits.abs().max())):
        return ""
    return "its layers, called in turn, do not give the network's own logits"


def not_in_order(network: Network) -> str:
    """Why ``layers_in_order`` refuses the network, without a full stop; "" when it does not."""
    try:
        layers_in_order(network)
    except NotWalkable as reason:
        return str(reason)
    return ""


def refusal(network: Network) -> str:
    """Why ``layers_of`` refuses the network, without a full stop; "" when it does not."""
    try:
        layers_of(network)
    except NotWalkable as reason:
        return str(reason)
    return ""


def off_slope(layer: nn.Module) -> float:
    """The slope of an activation below its kink; above it, it is 1."""
    return float(layer.negative_slope) if isinstance(layer, nn.LeakyReLU) else 0.0


def activate(layer: nn.Module, z: torch.Tensor) -> torch.Tensor:
    """The activation of pre-activations; never in place, even where the layer is set so."""
    return torch.where(z > 0, z, off_slope(layer) * z)


def pull_back(layer: nn.Module, shape: torch.Size, cotangents: torch.Tensor) -> torch.Tensor:
    """Cotangents of an affine layer's outputs, pulled back to its inputs: multiplied by its transposed matrix.

    Args:
        layer: one of ``AFFINE``.
        shape: of one input to it, without the batch.
        cotangents: ``(k, …)`` float64, for its outputs, in any shape that has as many elements.

    Returns:
        ``(k, *shape)`` float64.
    """
    if isinstance(layer, nn.Linear) and len(shape) == 1:
        return cotangents.reshape(-1, len(layer.weight)) @ layer.weight
    if isinstance(layer, nn.Conv2d) and layer.padding_mode == "zeros" and not isinstance(layer.padding, str):
        return _through_convolution(layer, shape, cotangents)
    # the derivative of an affine layer is the same everywhere, so ask at zero
    with torch.inference_mode(False), torch.enable_grad():  # whatever mode the caller is in
        anywhere = torch.zeros(len(cotangents), *shape, dtype=torch.float64, requires_grad=True)
        out = layer(anywhere)
        (pulled,) = torch.autograd.grad(out, anywhere, cotangents.reshape(out.shape))
    return pulled


def _through_convolution(layer: nn.Conv2d, shape: torch.Size, cotangents: torch.Tensor) -> torch.Tensor:
    """The same for a convolution, which is slow enough that the forward pass of asking at zero would be felt."""
    settings = layer.stride, layer.padding, layer.dilation, layer.groups
    with torch.no_grad():
        out = layer(torch.zeros(1, *shape, dtype=torch.float64)).shape[1:]
        parts = torch.split(cotangents.reshape(-1, *out), IMAGE_CHUNK)
        pulled = [conv2d_input((len(part), *shape), layer.weight, part, *settings) for part in parts]  # type: ignore[no-untyped-call]
    return torch.cat(pulled)
