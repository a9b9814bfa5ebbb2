"""Arrays and networks as Python source, and the cells of a notebook (nbformat 4)."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from explorer.attribution.network import Floats


def packed(array: Floats) -> str:
    """A call of the notebook's ``numbers`` that gives this array to the last bit; in single precision where that has all its digits."""
    kind = "<f4" if np.array_equal(array.astype("<f4").astype(np.float64), array) else "<f8"
    text = base64.b64encode(np.ascontiguousarray(array).astype(kind).tobytes()).decode()
    return f'numbers("{text}", {", ".join(map(str, array.shape))}, kind="{kind}")'


def packed_bits(array: NDArray[np.bool_]) -> str:
    """A call of the notebook's ``bits`` that gives this array of booleans."""
    return f'bits("{base64.b64encode(np.packbits(array).tobytes()).decode()}", {", ".join(map(str, array.shape))})'


def rows(picture: Floats) -> str:
    """A picture ``(8, 8)`` as readable source: one line a row, every number to its last bit."""
    lines = ["    [" + ", ".join(repr(float(value)) for value in row) + "]," for row in picture]
    return "\n".join(["np.array([", *lines, "])"])


def network_source(layers: Iterable[nn.Module]) -> str:
    """The layers as ``net``, and their weights and other numbers put into it.

    torch writes a layer of its own as the call that makes it, but for ``nn.``.
    """
    made, filled = [], []
    for place, layer in enumerate(layers):
        made.append(f"    nn.{layer!r},  # {place}")
        for name, value in layer.state_dict().items():
            if value.is_floating_point():  # not the count of batches that a normalisation saw
                filled.append(f'    "{place}.{name}": {packed(value.numpy())},')
    lines = ["net = nn.Sequential(", *made, ").double().eval()"]
    lines += ["weights = {", *filled, "}", "net.load_state_dict({name: torch.tensor(array) for name, array in weights.items()}, strict=False)"]
    return "\n".join([*lines, "net.requires_grad_(False);"])


def code(*parts: str, hidden: bool = False) -> dict[str, Any]:
    """A code cell; ``hidden`` where it holds nothing to be read."""
    metadata = {"jupyter": {"source_hidden": True}} if hidden else {}
    return {"cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": [], "source": "\n".join(part.strip("\n") for part in parts)}


def markdown(*lines: str) -> dict[str, Any]:
    """A text cell, one paragraph a line."""
    return {"cell_type": "markdown", "metadata": {}, "source": "\n\n".join(line for line in lines if line)}


def whole(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """The cells as a notebook of nbformat 4.5, whose cells have ids."""
    numbered = [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": numbered, "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5}
