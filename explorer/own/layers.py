"""The layers that a network's file may have, and their options: read from JSON, written to it, and made without weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import nn

from explorer.state import shown

Form = Literal["whole", "pair", "number", "flag", "word"]
MOST_LAYERS = 40


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a layer, named as in torch.

    Attributes:
        form: a whole number, one or two of them, any number, true or false, or a word.
        low, high: bounds of a number.
        words: what a word can be.
        default: torch's; None if the option must be given.
    """

    form: Form
    low: float = 0
    high: float = 0
    words: tuple[str, ...] = ()
    default: Any = None

    @property
    def expected(self) -> str:
        """What a value must be."""
        if self.form == "flag":
            return "true or false"
        if self.form == "word":
            return f"one of {', '.join(self.words)}"
        bounds = f"from {self.low:g} to {self.high:g}"
        return f"a number {bounds}" if self.form == "number" else f"a whole number {bounds}" + (", or a list of two" if self.form == "pair" else "")

    def accepts(self, value: object) -> bool:
        """Whether a value that came from JSON is one for this option."""
        match self.form:
            case "flag":
                return isinstance(value, bool)
            case "word":
                return value in self.words
            case "pair" if isinstance(value, list):
                return len(value) == 2 and all(self._is_whole(part) for part in value)
            case "number":
                return not isinstance(value, bool) and isinstance(value, int | float) and self.low <= value <= self.high
        return self._is_whole(value)

    def _is_whole(self, value: object) -> bool:
        return not isinstance(value, bool) and isinstance(value, int) and self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of layer: torch's class, and which of its options a file may set."""

    layer: type[nn.Module]
    options: Mapping[str, Option]


def _counts(*names: str) -> dict[str, Option]:
    return {name: Option("whole", 1, 4096) for name in names}


BIAS = Option("flag", default=True)
WINDOW, STRIDE, PADDING = Option("pair", 1, 8), Option("pair", 1, 8, default=1), Option("pair", 0, 4, default=0)

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "linear": Kind(nn.Linear, {**_counts("in_features", "out_features"), "bias": BIAS}),
        "conv2d": Kind(
            nn.Conv2d,
            {
                **_counts("in_channels", "out_channels"),
                "kernel_size": WINDOW,
                "stride": STRIDE,
                "padding": PADDING,
                "dilation": Option("pair", 1, 4, default=1),
                "groups": Option("whole", 1, 4096, default=1),
                "bias": BIAS,
            },
        ),
        "batch_norm_1d": Kind(nn.BatchNorm1d, {**_counts("num_features"), "eps": Option("number", 1e-12, 1, default=1e-5), "affine": BIAS}),
        "batch_norm_2d": Kind(nn.BatchNorm2d, {**_counts("num_features"), "eps": Option("number", 1e-12, 1, default=1e-5), "affine": BIAS}),
        "relu": Kind(nn.ReLU, {}),
        "leaky_relu": Kind(nn.LeakyReLU, {"negative_slope": Option("number", 0, 1, default=0.01)}),
        "tanh": Kind(nn.Tanh, {}),
        "sigmoid": Kind(nn.Sigmoid, {}),
        "elu": Kind(nn.ELU, {"alpha": Option("number", 0, 10, default=1.0)}),
        "gelu": Kind(nn.GELU, {"approximate": Option("word", words=("none", "tanh"), default="none")}),
        "silu": Kind(nn.SiLU, {}),
        "softplus": Kind(nn.Softplus, {"beta": Option("number", 0.01, 100, default=1.0)}),
        "flatten": Kind(nn.Flatten, {}),
        "max_pool2d": Kind(nn.MaxPool2d, {"kernel_size": WINDOW, "stride": STRIDE, "padding": PADDING}),
        "avg_pool2d": Kind(nn.AvgPool2d, {"kernel_size": WINDOW, "stride": STRIDE, "padding": PADDING}),
        "adaptive_avg_pool2d": Kind(nn.AdaptiveAvgPool2d, {"output_size": Option("pair", 1, 8)}),
    }
)
_NAMES = {kind.layer: name for name, kind in KINDS.items()}
LEFT_OUT = (nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout)  # they do nothing to a network that is explained


def read_layers(given: list[dict[str, Any]]) -> nn.Sequential:
    """The layers of a file, without values: on torch's meta device, which takes no memory and draws no random numbers.

    Raises:
        ValueError: a layer or an option is not allowed, missing or out of range; the message is a clause that names the layer.
    """
    with torch.device("meta"):
        return nn.Sequential(*(_read_layer(number, layer) for number, layer in enumerate(given)))


def _read_layer(number: int, given: dict[str, Any]) -> nn.Module:
    name = given.get("kind")
    where = f"layer {number}"
    if not isinstance(name, str) or name not in KINDS:
        raise ValueError(f"{where} is of the kind {shown(name)}, which is none of {', '.join(KINDS)}" if "kind" in given else f"{where} has no 'kind'")
    known = KINDS[name].options
    if unknown := next((key for key in given if key != "kind" and key not in known), None):
        raise ValueError(f"{where}, {name}, has an unknown option {shown(unknown)}")
    values = {}
    for key, option in known.items():
        value = given.get(key, option.default)
        if key not in given and value is None:
            raise ValueError(f"{where}, {name}, lacks its {key}")
        if not option.accepts(value):
            raise ValueError(f"{where}, {name}: {key} must be {option.expected}, not {shown(value)}")
        values[key] = tuple(value) if isinstance(value, list) else value
    try:
        return KINDS[name].layer(**values)
    except (ValueError, TypeError, RuntimeError) as wrong:
        raise ValueError(f"{where}, {name}: {str(wrong).splitlines()[0]}") from None


def written_layer(layer: nn.Module) -> dict[str, Any]:
    """A layer as the file has it: its kind and all its options.

    Raises:
        ValueError: the layer, or how it is set, is not among the allowed ones; the message is a clause.
    """
    name = _NAMES.get(type(layer))
    if name is None:
        raise ValueError(f"a {type(layer).__name__} is none of the allowed layers: {', '.join(KINDS)}")
    said: dict[str, Any] = {"kind": name}
    for key, option in KINDS[name].options.items():
        value: Any = getattr(layer, "bias", None) is not None if key == "bias" else getattr(layer, key)
        said[key] = list(value) if isinstance(value, tuple) else value
        if not option.accepts(said[key]):
            raise ValueError(f"the {key} of a {type(layer).__name__} must be {option.expected}, not {shown(value)}")
    if not _is_plain(layer):
        raise ValueError(f"a {type(layer).__name__} is set in a way that the file cannot hold: {layer}")
    return said


def _is_plain(layer: nn.Module) -> bool:
    """Whether the settings that a file cannot hold have torch's defaults."""
    match layer:
        case nn.Conv2d():
            return layer.padding_mode == "zeros"
        case nn.Flatten():
            return layer.start_dim == 1 and layer.end_dim in (-1, 3)
        case nn.MaxPool2d():
            return layer.dilation in (1, (1, 1)) and not layer.ceil_mode and not layer.return_indices
        case nn.AvgPool2d():
            return not layer.ceil_mode and layer.count_include_pad and layer.divisor_override is None
        case nn.BatchNorm1d() | nn.BatchNorm2d():
            return layer.running_mean is not None and layer.running_var is not None
        case nn.Softplus():
            return layer.threshold == 20
    return True
