"""Logits of all coalitions of a convolutional network, without a forward pass for each.

Every position of a feature map has a table with an axis of length 2 for each player in its receptive field, of length 1
for every other; broadcasting combines them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import nn

from explorer.attribution.layers import affine_and_relu_layers, unsupported_reason
from explorer.attribution.network import SIDE, Floats, Network

Tables = dict[tuple[int, int], Floats]  # by row and column: (2 or 1 for each player, …, channels), last player first


def logits_of_all_coalitions(network: Network, input: Floats, baseline: Floats, regions: NDArray[np.int64], count: int) -> Floats | None:
    """Logits ``(2^count, C)`` of the pictures in which each of ``count`` players shows the input or the baseline.

    Args:
        network: 3 × 3 or other odd convolutions of stride 1 that keep the size, ReLUs, then the mean of each map and one
            linear layer.
        input, baseline: pictures ``(8, 8)``.
        regions: the player of each pixel, ``(8, 8)``; −1 for a pixel of no player.
        count: the number of players; player i is in coalition number c if bit i of c is 1.

    Returns:
        None for a network of another kind.
    """
    body, head = _parts(network)
    if head is None:
        return None
    tables: Tables = {(r, c): _pixel(input[r, c], baseline[r, c], int(regions[r, c]), count) for r in range(SIDE) for c in range(SIDE)}
    for layer in body:
        if isinstance(layer, nn.Conv2d):
            tables = _convolved(layer, tables)
        else:
            for table in tables.values():
                np.maximum(table, 0.0, out=table)
    weight = head.weight.numpy().T / len(tables)
    total = _sum([table @ weight for table in tables.values()])
    if head.bias is not None:
        total = total + head.bias.numpy()
    return np.broadcast_to(total, (2,) * count + total.shape[-1:]).reshape(2**count, -1)


def _parts(network: Network) -> tuple[list[nn.Module], nn.Linear | None]:
    """The convolutions and ReLUs, and the linear layer after global average pooling; ``([], None)`` for another network."""
    match [] if unsupported_reason(network) else affine_and_relu_layers(network):
        case [*body, nn.AdaptiveAvgPool2d(output_size=1 | (1, 1)), nn.Flatten(), nn.Linear() as head]:
            if all(type(layer) is nn.ReLU or _keeps_size(layer) for layer in body):
                return body, head
    return [], None


def _keeps_size(layer: nn.Module) -> bool:
    if not isinstance(layer, nn.Conv2d) or layer.padding_mode != "zeros" or isinstance(layer.padding, str):
        return False
    padded = all(size == 2 * pad + 1 for size, pad in zip(layer.kernel_size, layer.padding, strict=True))
    return padded and layer.stride == layer.dilation == (1, 1) and layer.groups == 1


def _pixel(shown: float, hidden: float, player: int, count: int) -> Floats:
    shape = [1] * count
    if player >= 0:
        shape[count - 1 - player] = 2
    return np.array([hidden, shown] if player >= 0 else [hidden]).reshape(*shape, 1)


def _convolved(layer: nn.Conv2d, tables: Tables) -> Tables:
    weight, bias = layer.weight.numpy(), None if layer.bias is None else layer.bias.numpy()
    rows, columns = layer.kernel_size
    found = {}
    for r, c in tables:
        terms = []
        for i in range(rows):
            for j in range(columns):
                table = tables.get((r + i - rows // 2, c + j - columns // 2))  # outside are zeros
                if table is not None:
                    terms.append(table @ weight[:, :, i, j].T)
        total = _sum(terms)
        found[r, c] = total if bias is None else total + bias
    return found


def _sum(terms: list[Floats]) -> Floats:
    """The sum, in the order that makes the fewest large temporaries: equal shapes first, then ascending size."""
    by_shape: dict[tuple[int, ...], Floats] = {}
    for term in terms:
        if term.shape in by_shape:
            by_shape[term.shape] += term
        else:
            by_shape[term.shape] = term
    ordered = sorted(by_shape.values(), key=lambda term: term.size)
    total = ordered[0]
    for term in ordered[1:]:
        total = total + term
    return total
