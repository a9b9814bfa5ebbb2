"""The layers of a network one after the other, for methods that look or reach inside it.

Such methods walk through the layers themselves. Hooks would be shorter, but a network is shared by many threads, and
a hook that one of them sets changes what all the others see.
"""

from __future__ import annotations

from torch import nn

from explorer.attribution.network import Network


class Opaque(ValueError):
    """The network is not a plain sequence of layers; the message names the part that is not."""


def layers_in_order(network: Network) -> list[nn.Module]:
    """The layers that a picture passes, nested ``torch.nn.Sequential``s opened; called in turn, they are the network.

    Raises:
        Opaque: a part is not one of torch's own single layers, so that what happens in it cannot be told, or it has a
            hook, which a walk through the layers would pass by or set off.
    """
    layers = []
    # every place counts, also where one layer object stands in several
    for name, layer in network.module.named_modules(remove_duplicate=False):
        where = f"layer {name}" if name else "the network"
        if layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks or layer._backward_pre_hooks:
            raise Opaque(f"it must be a plain sequence of layers, and {where} has a hook.")
        if type(layer) is nn.Sequential:
            continue
        if not type(layer).__module__.startswith("torch.nn.modules.") or any(layer.children()):
            raise Opaque(f"it must be a plain sequence of layers, and {where} is a {type(layer).__name__}.")
        layers.append(layer)
    return layers


def not_in_order(network: Network) -> str:
    """Why the layers cannot be walked through, in a sentence; "" when they can."""
    try:
        layers_in_order(network)
    except Opaque as reason:
        return str(reason)
    return ""
