"""A network as a plain sequence of layers: from a ``torch.nn.Sequential``, from a module whose forward is a chain, from scikit-learn."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional

from explorer.own.layers import LEFT_OUT

SKLEARN_LAYERS = {"relu": nn.ReLU, "tanh": nn.Tanh, "logistic": nn.Sigmoid, "identity": None}
# What a forward may call instead of a layer.
FUNCTIONS: dict[Any, type[nn.Module]] = {
    functional.relu: nn.ReLU,
    torch.relu: nn.ReLU,
    torch.tanh: nn.Tanh,
    functional.tanh: nn.Tanh,
    torch.sigmoid: nn.Sigmoid,
    functional.sigmoid: nn.Sigmoid,
    functional.silu: nn.SiLU,
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
DROPPED = (functional.dropout, torch.dropout, "contiguous", "float", "double")


class NotAChain(ValueError):
    """The network is no plain sequence of layers; the message is a clause that says why."""


def chain(module: nn.Module) -> nn.Sequential:
    """A copy of the module as one ``torch.nn.Sequential`` of single layers, in eval mode, without those that then do nothing.

    Raises:
        NotAChain: its forward is no chain of layers, or torch cannot trace it.
        ValueError: its parameters have no values.
    """
    if any(parameter.is_meta for parameter in module.parameters()):
        raise ValueError("the network has no values yet: it is on torch's meta device")
    layers = list(_of_sequential(module)) if type(module) is nn.Sequential else list(_traced(module))
    return nn.Sequential(*(copy.deepcopy(layer) for layer in layers if not isinstance(layer, LEFT_OUT))).cpu().eval().requires_grad_(False)


def _of_sequential(module: nn.Module) -> Iterator[nn.Module]:
    if any((module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)):
        raise NotAChain("a layer has a hook")
    if type(module) is nn.Sequential:
        for layer in module:
            yield from _of_sequential(layer)
    elif any(module.children()):
        yield from _traced(module)
    else:
        yield module


def _traced(module: nn.Module) -> Iterator[nn.Module]:
    """The layers that a module's forward calls one after the other."""
    if any((module._forward_hooks, module._forward_pre_hooks)):
        raise NotAChain("a layer has a hook")
    try:
        nodes = list(fx.symbolic_trace(module).graph.nodes)
    except Exception as failure:  # whatever a forward of somebody else raises when it is traced
        raise NotAChain(f"the forward of {type(module).__name__} cannot be traced ({type(failure).__name__})") from failure
    parts = dict(module.named_modules())
    counts = {node for node in nodes if _is_batch_size(node)}  # x.size(0) or x.shape[0], for x.view(x.size(0), -1)
    last = None
    for node in nodes:
        if node in counts or _is_shape(node):
            continue
        inputs = [given for given in node.all_input_nodes if given not in counts]
        if node.op == "placeholder" and last is None:
            last = node
            continue
        if node.op == "placeholder" or inputs != [last]:
            raise NotAChain(f"in the forward of {type(module).__name__}, {node.name} does not take what the layer before it gives, and nothing else")
        if node.op == "output":
            if node.args[0] is not last:
                raise NotAChain(f"the forward of {type(module).__name__} returns more than the last layer gives")
            return
        yield from _of_sequential(parts[node.target]) if node.op == "call_module" else _called(node)
        last = node


def _is_shape(node: fx.Node) -> bool:
    return bool(node.target is getattr and node.args[1:] == ("shape",))


def _is_batch_size(node: fx.Node) -> bool:
    """Whether this is the number of pictures in what a layer gives."""
    if node.target is operator.getitem:
        return bool(isinstance(node.args[0], fx.Node) and _is_shape(node.args[0]) and node.args[1] == 0)
    return bool(node.target == "size" and node.args[1:] == (0,))


def _called(node: fx.Node) -> Iterator[nn.Module]:
    """The layer that a function or a method of tensors stands for."""
    more = {key: value for key, value in node.kwargs.items() if key != "inplace"}
    target: Any = node.target
    if target in DROPPED:
        return
    if target in FUNCTIONS and len(node.args) == 1 and not more:
        yield FUNCTIONS[target]()
    elif (target in (torch.flatten, "flatten") and _sizes(node) in ((1,), (1, -1)) and more in ({}, {"start_dim": 1})) or (target in ("view", "reshape", torch.reshape) and not more and _is_flat(node)):
        yield nn.Flatten()
    elif target is functional.max_pool2d and (options := _pool(node)):
        yield nn.MaxPool2d(**options)
    elif target is functional.avg_pool2d and (options := _pool(node)):
        yield nn.AvgPool2d(**options)
    else:
        raise NotAChain(f"{getattr(target, '__name__', target)} in its forward is no layer that the file can hold")


def _sizes(node: fx.Node) -> tuple[Any, ...]:
    return tuple(node.args[1:]) or tuple(node.kwargs.values())


def _is_flat(node: fx.Node) -> bool:
    """Whether a view keeps pictures apart and makes one row of each, as in ``x.view(-1, n)``; the result is compared later."""
    sizes = node.args[1:]
    sizes = tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], tuple | list) else sizes
    if len(sizes) != 2 or not isinstance(sizes[1], int):
        return False
    return bool(sizes[0] == -1) if sizes[1] > 0 else isinstance(sizes[0], fx.Node)


def _pool(node: fx.Node) -> dict[str, Any]:
    names = ("kernel_size", "stride", "padding")
    given = {**dict(zip(names, node.args[1:], strict=False)), **node.kwargs}
    return {key: value for key, value in given.items() if value is not None} if "kernel_size" in given else {}


def of_classifier(classifier: Any) -> tuple[nn.Sequential, str, list[str]]:
    """scikit-learn's ``MLPClassifier`` as a sequence of layers, with its activation and the names of its classes.

    With two classes it has one score; here they have two, −s and s, whose sigmoids are its probabilities.

    Raises:
        ValueError: it is not fitted, takes other than 64 numbers, or has an unknown activation.
    """
    if not hasattr(classifier, "coefs_"):
        raise ValueError("the MLPClassifier is not fitted: call its fit first")
    if classifier.activation not in SKLEARN_LAYERS:
        raise ValueError(f"the activation {classifier.activation!r} is none of {', '.join(SKLEARN_LAYERS)}")
    weights = [(np.array(w.T, dtype=np.float64), np.array(b, dtype=np.float64)) for w, b in zip(classifier.coefs_, classifier.intercepts_, strict=True)]
    if weights[0][0].shape[1] != 64:
        raise ValueError(f"it takes {weights[0][0].shape[1]} numbers, and a picture has 64")
    names = [str(name) for name in classifier.classes_]
    if classifier.out_activation_ == "logistic" and len(weights[-1][1]) == 1:
        weights[-1] = tuple(np.concatenate([-part, part]) for part in weights[-1])  # type: ignore[assignment]
    layers: list[nn.Module] = []
    bent: Callable[[], nn.Module] | None = SKLEARN_LAYERS[classifier.activation]
    for number, (weight, bias) in enumerate(weights):
        if number and bent:
            layers.append(bent())
        layer = nn.Linear(weight.shape[1], len(weight), dtype=torch.float64, device="meta")
        layer.load_state_dict({"weight": torch.from_numpy(np.ascontiguousarray(weight)), "bias": torch.from_numpy(bias)}, assign=True)
        layers.append(layer)
    return nn.Sequential(*layers).requires_grad_(False), "sigmoid" if classifier.out_activation_ == "logistic" else "softmax", names


def is_classifier(module: object) -> bool:
    """Whether this is scikit-learn's ``MLPClassifier``, found without importing it."""
    return any(kind.__name__ == "MLPClassifier" and kind.__module__.startswith("sklearn.") for kind in type(module).__mro__)
