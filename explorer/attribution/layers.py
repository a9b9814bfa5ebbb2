"""The layers of a ``torch.nn.Sequential``, for methods that need activations or modify the backward pass.

The layers are called one by one; no hooks, because threads share the network and a hook would affect all of them.
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


class NotSequential(ValueError):
    """The network is not a plain sequence of torch's layers; the message names the part that is not."""


def sequential_layers(network: Network) -> list[nn.Module]:
    """The layers in order, nested ``torch.nn.Sequential``s flattened; called in turn, they compute the logits.

    Raises:
        NotSequential: a part is not one of torch's own single layers, or has a hook or an overridden method; or the layers
            called in turn do not give the network's logits.
    """
    return [layer for _, layer in _walk(network)]


def affine_and_relu_layers(network: Network) -> list[nn.Module]:
    """The layers in order, if all are affine maps or activations with one kink at zero.

    Raises:
        NotSequential: a layer is of another kind; the message names the first.
    """
    layers = _walk(network)
    for where, layer in layers:
        if type(layer) not in AFFINE + KINKED_AT_ZERO:
            raise NotSequential(
                "it goes layer by layer through a torch.nn.Sequential of affine and ReLU layers, and "
                f"{where} is a {type(layer).__name__}"
            )
        if isinstance(layer, BATCH_NORMS) and (layer.running_mean is None or layer.running_var is None):
            raise NotSequential(f"it goes through affine layers, and {where} normalises each batch by itself")
    return [layer for _, layer in layers]


def _walk(network: Network) -> list[tuple[str, nn.Module]]:
    """The layers in order, each with its name for messages; checked to compute the network's logits."""
    layers = _plain_layers(network)
    if reason := _mismatch(network):
        raise NotSequential(reason)
    return layers


def _plain_layers(network: Network) -> list[tuple[str, nn.Module]]:
    """The layers in order, each with its name for messages; checked only by type, hooks and attributes."""
    if _has_any_global_hook():  # type: ignore[no-untyped-call]
        raise NotSequential("it goes through the network layer by layer, and torch has a hook on all modules")
    layers = []
    # a layer object that is used several times is listed each time
    for name, layer in network.module.named_modules(remove_duplicate=False):
        where = f"layer {name}" if name else "the network"
        if layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks or layer._backward_pre_hooks:
            raise NotSequential(f"it goes through the network layer by layer, and {where} has a hook")
        container = type(layer) is nn.Sequential
        if not container and (not type(layer).__module__.startswith("torch.nn.modules.") or any(layer.children())):
            raise NotSequential(f"it needs a plain sequence of layers, and {where} is a {type(layer).__name__}")
        if own := vars(layer).keys() & _methods(type(layer)):  # type: ignore[arg-type]
            raise NotSequential(f"it needs a plain sequence of layers, and {where} has a {min(own)} of its own")
        if not container:
            layers.append((where, layer))
    return layers


@lru_cache(maxsize=64)
def _methods(kind: type) -> frozenset[str]:
    """The methods of a layer class, which an instance must not override."""
    return frozenset(name for name in dir(kind) if callable(getattr(kind, name)))


@lru_cache(maxsize=64)  # a network does not change; a question may ask some twenty altered copies
def _mismatch(network: Network) -> str:
    """Why the layers, called in turn, do not compute the network's logits; "" when they do."""
    a = probe_pictures(network.input_shape)
    with torch.inference_mode(False), torch.no_grad():
        logits = network.logits(a)
        for where, layer in _plain_layers(network):
            count, a = len(a), activate(layer, a) if isinstance(layer, KINKED_AT_ZERO) else layer(a.clone())
            if len(a) != count:
                return f"it goes layer by layer, and {where} does not keep pictures apart"
    if a.shape == logits.shape and bool(((a - logits).abs() <= 2e-9 * logits.abs().max()).all()):
        return ""
    return "its layers, called in turn, do not give the network's own logits"


def not_sequential(network: Network) -> str:
    """Why ``sequential_layers`` raises, without a full stop; "" when it does not."""
    try:
        sequential_layers(network)
    except NotSequential as reason:
        return str(reason)
    return ""


def unsupported_reason(network: Network) -> str:
    """Why ``affine_and_relu_layers`` raises, without a full stop; "" when it does not."""
    try:
        affine_and_relu_layers(network)
    except NotSequential as reason:
        return str(reason)
    return ""


def negative_slope_of(layer: nn.Module) -> float:
    """The slope of an activation below zero; above zero it is 1."""
    return float(layer.negative_slope) if isinstance(layer, nn.LeakyReLU) else 0.0


def activate(layer: nn.Module, z: torch.Tensor) -> torch.Tensor:
    """The activation of pre-activations; never in place, even if the layer is."""
    return torch.where(z > 0, z, negative_slope_of(layer) * z)


def layer_vjp(layer: nn.Module, shape: torch.Size, cotangents: torch.Tensor) -> torch.Tensor:
    """Vector-Jacobian product of an affine layer: cotangents multiplied by its matrix.

    Args:
        layer: one of ``AFFINE``.
        shape: of one input, without the batch axis.
        cotangents: of its outputs, ``(k, …)`` float64, in any shape with as many elements.

    Returns:
        Cotangents of its inputs, ``(k, *shape)`` float64.
    """
    if isinstance(layer, nn.Linear) and len(shape) == 1:
        return cotangents.reshape(-1, len(layer.weight)) @ layer.weight
    if isinstance(layer, nn.Conv2d) and layer.padding_mode == "zeros" and not isinstance(layer.padding, str):
        return _through_convolution(layer, shape, cotangents)
    # the derivative of an affine layer is constant, so take it at zero
    with torch.inference_mode(False), torch.enable_grad():  # independent of the caller's mode
        anywhere = torch.zeros(len(cotangents), *shape, dtype=torch.float64, requires_grad=True)
        out = layer(anywhere)
        (pulled,) = torch.autograd.grad(out, anywhere, cotangents.reshape(out.shape))
    return pulled


def _through_convolution(layer: nn.Conv2d, shape: torch.Size, cotangents: torch.Tensor) -> torch.Tensor:
    """``layer_vjp`` of a convolution, without the forward pass, which would be slow."""
    settings = layer.stride, layer.padding, layer.dilation, layer.groups
    with torch.no_grad():
        out = layer(torch.zeros(1, *shape, dtype=torch.float64)).shape[1:]
        parts = torch.split(cotangents.reshape(-1, *out), IMAGE_CHUNK)
        pulled = [conv2d_input((len(part), *shape), layer.weight, part, *settings) for part in parts]  # type: ignore[no-untyped-call]
    return torch.cat(pulled)
