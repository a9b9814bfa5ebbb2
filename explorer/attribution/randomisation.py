"""Networks with random weights in some layers, to see which maps depend on what a network has learned.

Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from explorer.attribution.case import integer
from explorer.attribution.layers import BATCH_NORMS
from explorer.attribution.network import Network, with_module

WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d)


class WeightedLayer(NamedTuple):
    """A layer with weights.

    Attributes:
        name: its name in the module, such as "0" or "features.3".
        kind: its class, such as "Linear".
        shape: of its weight, ``(outputs, inputs, …)``; for a normalisation ``(channels,)``.
    """

    name: str
    kind: str
    shape: tuple[int, ...]


def affine_layers(network: Network) -> list[WeightedLayer]:
    """The layers of a network that have weights, from the pixels up to the logits; each once.

    The order is that in which the module lists its parts; in a ``torch.nn.Sequential`` that of the computation.

    Raises:
        ValueError: a layer with weights is not linear, a convolution or a batch normalisation, or the network has none.
    """
    found = []
    for name, part in network.module.named_modules():
        if isinstance(part, WEIGHTED):
            found.append(WeightedLayer(name, type(part).__name__, tuple(part.weight.shape)))
        elif isinstance(part, BATCH_NORMS):
            found.append(WeightedLayer(name, type(part).__name__, (part.num_features,)))
        elif next(part.parameters(recurse=False), None) is not None:
            where = f"layer {name}" if name else "the network itself"
            raise ValueError(f"only linear, convolutional and normalising layers can be randomised, and {where} is a {type(part).__name__}")
    if not found:
        raise ValueError("the network has no layer with weights to randomise")
    return found


def randomised(network: Network, layers: Iterable[str], seed: int) -> Network:
    """The network with the weights of some layers drawn anew, as if these had never been trained.

    Weights and biases come from the distribution that torch starts training with: uniform in ±1/√(inputs of a unit), in
    torch's words ``kaiming_uniform_(a=√5)``. A batch normalisation, where torch draws nothing, becomes the identity (but for its ε).
    What is drawn for a layer depends on the seed and the layer alone, so

    - ``names[-k:]``, with ``names`` from ``affine_layers``, is the paper's cascading randomisation from the logits down:
      k + 1 layers are the same draw with one layer more;
    - ``[name]`` is its independent randomisation, with the same draw again.

    Args:
        network: a trained network; it is not changed.
        layers: names as in ``affine_layers``; none leaves the network as it is.
        seed: 0 or more.

    Raises:
        ValueError: a name or the seed is unknown, or as for ``affine_layers``.
    """
    names = [layer.name for layer in affine_layers(network)]
    chosen = [layers] if isinstance(layers, str) else list(layers)
    if unknown := [name for name in chosen if name not in names]:
        raise ValueError(f"the layers with weights are {', '.join(names)}; there is no {unknown[0]!r}")
    if (seed := integer("seed", seed)) < 0:
        raise ValueError(f"the seed must be 0 or more, not {seed}")
    with torch.inference_mode(False), torch.no_grad():  # independent of the caller's mode
        module = copy.deepcopy(network.module)
        for name in chosen:
            _redraw(module.get_submodule(name), np.random.default_rng([seed, names.index(name)]))
    return with_module(network, module)


def _redraw(layer: nn.Module, rng: np.random.Generator) -> None:
    if isinstance(layer, BATCH_NORMS):
        layer.reset_parameters()
        return
    assert isinstance(layer, WEIGHTED)
    bound = layer.weight[0].numel() ** -0.5
    for tensor in (layer.weight, layer.bias):
        if tensor is not None:
            tensor.copy_(torch.from_numpy(rng.uniform(-bound, bound, tuple(tensor.shape))))
