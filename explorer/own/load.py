"""Reads networks of one's own: the weights from a .safetensors file, all else from the JSON beside it; nothing is unpickled."""

# Whoever serves the page may have got the files from somebody else, so everything in them is checked before it is used.

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from explorer.attribution import Network
from explorer.attribution.network import Floats
from explorer.cost import MAX_COST, cost_of_explanation
from explorer.models import Model
from explorer.own.facts import Facts, read_facts
from explorer.own.layers import read_layers
from explorer.own.named import FACTS, NetworkFileError, network_files
from explorer.own.normalisation import normalised
from explorer.pictures import PATTERNS, SHAPE
from explorer.state import State

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)
MAX_WEIGHTS, MAX_FACTS = 9_000_000, 400_000  # bytes of the two files
MAX_PARAMETERS = 1_000_000
MAX_LOGIT = 1e4  # of the patterns: logits that move by 10⁵ along a path make a probability a step function
COUNTER = "num_batches_tracked"  # of batch normalisation, which only training reads
Read = TypeVar("Read")


def load_added(environment: Mapping[str, str], zoo: Mapping[str, Model]) -> dict[str, Model]:
    """The networks that the environment names, by name; see ``named.network_files``.

    Raises:
        NetworkFileError: one cannot be used, or has a name or title that another one in the list has.
    """
    added: dict[str, Model] = {}
    for path in network_files(environment):
        model = load_network(path)
        for other in (*zoo.values(), *added.values()):
            if other.name == model.name:
                raise NetworkFileError(f"{path}: there is a network {model.name} already, so give the files another name.")
            if other.title == model.title:
                raise NetworkFileError(f"{path}: the network {other.name} is called {model.title!r}, too, so give it another title.")
        added[model.name] = model
    return added


def load_network(path: Path) -> Model:
    """The network in a weight file and the JSON beside it; its name is that of the files.

    Raises:
        NetworkFileError: something is wrong in either file, or the network cannot be explained.
    """
    if not NAME.fullmatch(path.stem):
        raise NetworkFileError(f"{path}: the name of the files must be of at most 40 small letters, digits, - and _, as it becomes part of links.")
    beside = path.with_suffix(FACTS)
    facts = _from(beside, MAX_FACTS, read_facts)
    module = _told(beside, lambda: read_layers(facts.layers))
    _told(beside, lambda: check_size(module))
    tensors = _from(path, MAX_WEIGHTS, lambda _: _read_tensors(path, module))
    return _told(path, lambda: model_of(path.stem, facts, filled(module, tensors)))


def _from(path: Path, most: int, read: Callable[[bytes], Read]) -> Read:
    """What is read from a file of limited size."""
    try:
        if not path.is_file():
            raise NetworkFileError(f"{path} does not exist." if not path.exists() else f"{path} is no file.")
        if path.stat().st_size > most:
            raise NetworkFileError(f"{path} is larger than {most:,} bytes.")
        content = path.read_bytes()
    except OSError as error:
        raise NetworkFileError(f"{path} cannot be read: {error.strerror}.") from None
    return _told(path, lambda: read(content))


def _told(path: Path, work: Callable[[], Read]) -> Read:
    """The result of some work; what is wrong is told with the name of the file, as one sentence."""
    try:
        return work()
    except NetworkFileError:
        raise
    except ValueError as wrong:
        raise NetworkFileError(f"{path}: {' '.join(str(wrong).split())}.") from None


def _read_tensors(path: Path, module: nn.Module) -> dict[str, Tensor]:
    """The values of a module's parameters and buffers, by name, in float64."""
    expected = {name: tensor for name, tensor in module.state_dict().items() if not name.endswith(COUNTER)}
    try:
        with safe_open(path, framework="pt") as stored:
            names = set(stored.keys())
            if missing := sorted(expected.keys() - names):
                raise ValueError(f"it lacks {missing[0]}, which layer {missing[0].partition('.')[0]} needs")
            if unknown := sorted(name for name in names - expected.keys() if not name.endswith(COUNTER)):
                raise ValueError(f"it holds {unknown[0]!r:.60}, which no layer has")
            for name, tensor in expected.items():
                if tuple(shape := stored.get_slice(name).get_shape()) != tuple(tensor.shape):
                    raise ValueError(f"{name} has the shape {tuple(shape)}, but its layer needs {tuple(tensor.shape)}")
            values = {name: stored.get_tensor(name) for name in expected}
    except SafetensorError as error:
        raise ValueError(f"it is no valid safetensors file ({str(error).splitlines()[0]:.120})") from None
    for name, tensor in values.items():
        if not tensor.is_floating_point():
            raise ValueError(f"{name} holds {str(tensor.dtype).removeprefix('torch.')}, not real numbers")
        values[name] = tensor.double()
        if not torch.isfinite(values[name]).all():
            raise ValueError(f"{name} holds NaN or infinity")
        if name.endswith("running_var") and bool((values[name] < 0).any()):
            raise ValueError(f"{name} holds a variance below 0")
    return values


def filled(module: nn.Sequential, values: Mapping[str, Tensor]) -> nn.Sequential:
    """A module of the meta device with these values."""
    counters = {name: torch.tensor(0) for name in module.state_dict() if name.endswith(COUNTER)}
    module.load_state_dict({**values, **counters}, assign=True)
    return module.eval()


def check_size(module: nn.Module) -> None:
    """Check the number of a module's parameters.

    Raises:
        ValueError: there are too many.
    """
    count = sum(math.prod(parameter.shape) for parameter in module.parameters())
    if count > MAX_PARAMETERS:
        raise ValueError(f"the network is too large: it has {count:,} parameters, and {MAX_PARAMETERS:,} are allowed")


def model_of(name: str, facts: Facts, module: nn.Module) -> Model:
    """A network as the page lists it, checked.

    Args:
        name: as in links.
        facts: what is said of it.
        module: the network itself, before the normalisation of the pictures.

    Raises:
        ValueError: it cannot be explained, is too large, or does not fit what is said of it.
    """
    samples = np.array(facts.samples, dtype=np.float64).reshape(-1, *SHAPE)
    network = Network(
        normalised(module, *facts.normalisation.values()),
        activation=facts.activation,
        classes=facts.classes,
        background=samples if len(samples) else None,
    )
    mean = np.array(facts.mean, dtype=np.float64).reshape(SHAPE)
    mean.setflags(write=False)
    model = Model(
        name=name,
        title=facts.title,
        about=facts.about,
        classes=tuple(facts.classes),
        linear=is_linear(network),
        accuracy=facts.accuracy,
        held_out=facts.held_out,
        mean=mean,
        network=network,
        own=True,
    )
    _check_answers(model, np.stack([*PATTERNS.values(), mean, *samples]))
    return model


def is_linear(network: Network) -> bool:
    """Whether the logits are an affine function of the input: no layer that could bend it is among its layers."""
    return all(type(layer) in STRAIGHT for layer in network.module.modules())


STRAIGHT = (nn.Sequential, nn.Linear, nn.Conv2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.BatchNorm1d, nn.BatchNorm2d, nn.Flatten, nn.Unflatten, nn.Identity, nn.Dropout)


def _check_answers(model: Model, pictures: Floats) -> None:
    """Check the logits of some pictures, and the cost of the page's opening question."""
    with torch.no_grad():
        logits = model.network.logits(torch.from_numpy(pictures))
    largest = float(logits.abs().max())
    if not largest <= MAX_LOGIT:  # NaN is not, either
        raise ValueError(f"its logits reach {largest:.3g}, and {MAX_LOGIT:,.0f} is the limit: a softmax of such numbers is 0 or 1")
    cost = cost_of_explanation(State(network=model.name), {model.name: model})
    if cost > MAX_COST:
        raise ValueError(
            f"the network is too large for the page: one explanation would take {cost / 1e6:,.0f} million multiplications, and "
            f"{MAX_COST / 1e6:,.0f} million are allowed"
        )
