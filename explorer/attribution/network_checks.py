"""Validation of a module when a ``Network`` is made. Each error is one sentence that says why."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

INPUT_SHAPES = ((64,), (1, 8, 8))
PICTURES = 8  # in the test batch
STEP = 1e-5  # of the difference quotients that the gradient is compared with
FAR = (10.0, 1e2, 3e2, 1e3, 1e5)  # sizes of pixels at which outputs that are probabilities have reached their limits

# Operations of torch's graph that only rearrange, select or bound numbers; and those that return probabilities, each with
# the ``Network`` activation that replaces it.
ARRANGING = (
    "View", "UnsafeView", "ReshapeAlias", "Squeeze", "Unsqueeze", "Clone", "ToCopy", "Alias", "T", "Transpose", "Permute", "Expand",
    "Slice", "Select", "Index", "IndexSelect", "Split", "SplitWithSizes", "Unbind", "Stack", "Cat", "Clamp", "ClampMin", "ClampMax",
)  # fmt: skip
PROBABILITIES = {"Softmax": "softmax", "LogSoftmax": "softmax", "Sigmoid": "sigmoid", "LogSigmoid": "sigmoid"}

LESS_PRECISE = (
    "the network computes in float32 or less although it was cast to float64: its forward must not call .float() or "
    ".half(), nor use such tensors that are neither parameters nor buffers"
)
NO_GRADIENT = (
    "the network's logits change with the picture, but torch finds no gradient of them: its forward must not use "
    "no_grad, detach, numpy, rounding or comparisons on the way from the picture to the logits"
)
OTHER_GRADIENT = (
    "the gradient that torch finds is not the slope of the network's logits: a part of its forward is detached or "
    "rounded, or a backward function or hook of its own changes the gradient"
)


def checked_copy(module: nn.Module, activation: str) -> tuple[nn.Module, tuple[int, ...], int]:
    """A frozen copy of a module, the shape of one picture that it accepts, and its number of classes.

    Raises:
        ValueError: the module cannot be explained; the message is one sentence that says why.
    """
    with torch.inference_mode(False):  # independent of the caller's mode
        copied = _frozen_copy(module)
        shape = _input_shape(copied, module)
        classes = _check_logits(copied, shape, activation)
        _check_gradient(copied, shape)
    return copied, shape, classes


def _frozen_copy(module: nn.Module) -> nn.Module:
    """A copy on the CPU in float64 and eval mode, whose parameters need no gradient."""
    if not isinstance(module, nn.Module):
        raise ValueError(f"the network must be a torch.nn.Module, not a {type(module).__name__}")
    for name, part in module.named_modules():
        if isinstance(part, torch.jit.ScriptModule):
            raise ValueError(f"{_place(name)} is a TorchScript module, which cannot be frozen: use the module that it was made from")
        if "_orig_mod" in part._modules:
            raise ValueError(f"{_place(name)} is compiled, which cannot be copied: use the module that it was made from")
    for name, tensor in _tensors(module):
        if tensor.is_meta or nn.parameter.is_lazy(tensor):
            raise ValueError(f"the network's {name} has no values yet: call the network once, or load its weights")
        if tensor.is_complex():
            raise ValueError(f"the network's {name} is complex, and only real networks can be explained")
    copied = _copy(module)
    try:
        copied.cpu().double()
        copied.eval()
        copied.requires_grad_(False)
    except Exception as failure:
        raise ValueError(f"the network cannot be cast to float64 and put in eval mode: {_first_sentence(failure)}") from failure
    for name, tensor in _tensors(copied):
        if tensor.is_floating_point() and not torch.isfinite(tensor.to_dense()).all():
            raise ValueError(f"the network's {name} is not finite: it holds NaN or infinity")
    return copied


def _input_shape(module: nn.Module, original: nn.Module) -> tuple[int, ...]:
    """The shape of one picture that a frozen copy of the original accepts: ``(64,)`` or ``(1, 8, 8)``."""
    errors = []
    for shape in INPUT_SHAPES:
        found = _tried(module, shape)
        if found is None:
            return shape
        errors.append(f"(k, {', '.join(map(str, shape))}): {found}")
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        less_precise = copy.deepcopy(original).cpu().to(dtype)
        less_precise.eval()
        if any(_tried(less_precise, shape, dtype) is None for shape in INPUT_SHAPES):
            raise ValueError(LESS_PRECISE)
    raise ValueError("the network must map (k, 64) or (k, 1, 8, 8) to (k, classes); " + "; ".join(errors))


def _check_logits(module: nn.Module, shape: tuple[int, ...], activation: str) -> int:
    """The number of classes, if a frozen copy returns finite logits that depend on nothing but the picture."""
    x = probe_pictures(shape)
    whole = _rows(module, x)
    if whole.dtype != torch.float64:
        if whole.is_floating_point():
            raise ValueError(LESS_PRECISE)
        raise ValueError(f"the network must answer with real logits in float64, not with {whole.dtype}")
    classes = whole.shape[1]
    if classes == 0:
        raise ValueError("the network answers with no class at all")
    if not torch.isfinite(whole).all():
        raise ValueError("the network's logits are not finite: it answers an ordinary picture with NaN or infinity")
    if not _equal(_rows(module, x), whole, whole):
        raise ValueError("the network answers the same picture differently each time: something in it is random in eval mode")
    if _rounds(module, x, whole):
        raise ValueError(LESS_PRECISE)
    for rows in ([2, 0], [5, 3, 4], [1]):
        part = _rows(module, x[rows])
        if part.shape[1] != classes or not _equal(part, whole[rows], whole):
            raise ValueError("the network's answer for a picture depends on the batch that it comes in")
    if reason := _probabilities(module, x, whole):
        raise ValueError(f"the network must answer with logits, not probabilities: {reason}")
    if classes == 1 and activation == "softmax":
        raise ValueError('the softmax of one logit is always 1: use Network(module, activation="sigmoid") for a single score')
    return classes


def _check_gradient(module: nn.Module, shape: tuple[int, ...]) -> None:
    """Check torch's gradient of the logits against difference quotients; a network that ignores its input passes."""
    x = probe_pictures(shape)
    direction = _direction(x)
    if _with_graph(module, x).requires_grad:
        raise ValueError("the network uses weights that are not among its parameters: register them, as in a ModuleList")
    logits = _rows(module, x)
    size, weights = _size(logits), _weights(logits)
    slopes = (_gradient(module, x, weights) * direction).flatten(1).sum(1)
    quotients = (_rows(module, x + STEP * direction) - _rows(module, x - STEP * direction)) / (2 * STEP)
    still = (quotients.abs() * STEP <= 1e-14 * size).all(0)
    if still.any():  # these logits may be constant, or steps
        for pictures in (x, _varied_pictures(shape)):
            outputs = _rows(module, pictures)
            changing = still & (outputs.amax(0) - outputs.amin(0) > 1e-6 * _size(outputs))
            for c in changing.nonzero().flatten().tolist():
                if not _moves_between(module, pictures, outputs[:, c], c):
                    raise ValueError(NO_GRADIENT)
    expected = (weights * quotients).sum(1)
    rounding = 1e-8 * (weights * logits).abs().sum(1)
    wrong = (slopes - expected).abs() > 1e-3 * (slopes.abs() + expected.abs()) + rounding
    if wrong.sum() < PICTURES / 2:  # a kink may lie within a step of a picture
        return
    raise ValueError(OTHER_GRADIENT if slopes.any() else NO_GRADIENT)


def probe_pictures(shape: tuple[int, ...]) -> Tensor:
    """Eight fixed pictures from dark to bright, ``(8, *shape)`` float64 in (0, 1)."""
    noise = np.random.default_rng(0).random((PICTURES, 64)) ** np.geomspace(4, 0.25, PICTURES)[:, None]
    return torch.from_numpy(0.05 + 0.9 * noise).reshape(-1, *shape)


def _varied_pictures(shape: tuple[int, ...]) -> Tensor:
    """Fixed pictures that excite a network in many ways, ``(321, *shape)`` float64 in [0, 1]: black, single pixels, noise of 0 and 1."""
    generator = np.random.default_rng(3)
    noise = (generator.random((256, 64)) < generator.random((256, 1))).astype(float)
    return torch.from_numpy(np.concatenate([np.zeros((1, 64)), np.eye(64), noise])).reshape(-1, *shape)


def _direction(x: Tensor) -> Tensor:
    """The fixed direction of the difference quotients, same shape as the pictures."""
    return torch.from_numpy(np.random.default_rng(1).standard_normal(x.shape))


def _size(logits: Tensor) -> Tensor:
    """The magnitude of each class's logits, ``(C,)``, at least 1e-9 of the largest: less counts as rounding."""
    return logits.abs().amax(0).clamp(min=max(1e-9 * float(logits.abs().max()), 1e-300))


def _weights(logits: Tensor) -> Tensor:
    """Fixed random weights, one for each logit, so that one weighted sum tests all classes."""
    return torch.from_numpy(np.random.default_rng(2).standard_normal(logits.shape)) / _size(logits)


def _tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers, each with its name for messages."""
    for name, parameter in module.named_parameters():
        yield f"parameter {name}", parameter
    for name, buffer in module.named_buffers():
        yield f"buffer {name}", buffer


def _place(name: str) -> str:
    return f"layer {name}" if name else "the network"


def _first_sentence(failure: Exception) -> str:
    """The first sentence of an exception's message."""
    said = " ".join(str(failure).split()).split(". ")[0].rstrip(".")[:200]
    return said if said and isinstance(failure, RuntimeError | ValueError) else f"{type(failure).__name__} {said}".rstrip()


def _copy(module: nn.Module) -> nn.Module:
    try:
        copied = copy.deepcopy(module)
    except Exception as failure:
        raise ValueError(f"the network cannot be copied, and it is a copy that is explained: {_uncopied(module, failure)}") from failure
    if not isinstance(copied, nn.Module) or copied is module or _places(module) & _places(copied):
        raise ValueError("the network cannot be copied, and it is a copy that is explained: its own __deepcopy__ makes no true copy")
    return copied


def _places(module: nn.Module) -> set[int]:
    """The memory addresses of a module's tensors."""
    return {tensor.data_ptr() for _, tensor in _tensors(module) if tensor.layout is torch.strided and tensor.numel()}


def _uncopied(module: nn.Module, failure: Exception) -> str:
    """The attribute that prevents a module from being copied, for a message."""
    for name, part in module.named_modules():
        for attribute, value in {**vars(part), **part._buffers}.items():
            if attribute in ("_modules", "_parameters", "_buffers"):
                continue
            try:
                copy.deepcopy(value)
            except Exception as reason:
                it = f"the attribute {attribute} of {_place(name)}"
                if "graph leaves" in str(reason):  # torch's term for tensors without a graph
                    return f"{it} holds a tensor with a gradient graph, so detach it or remove what computes it"
                return f"{it} holds a {type(value).__name__} ({_first_sentence(reason)})"
    return f"copying fails ({_first_sentence(failure)})"


def _tried(module: nn.Module, shape: tuple[int, ...], dtype: torch.dtype = torch.float64) -> str | None:
    """What is wrong with a module's output for pictures of this shape; None when it has a row for each."""
    x = probe_pictures(shape)[:3].to(dtype)
    try:
        with torch.no_grad():
            output = module(x)
    except Exception as failure:
        return _first_sentence(failure)
    if isinstance(output, Tensor) and output.ndim == 2 and len(output) == 3 and output.layout is torch.strided:
        return None
    found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
    return f"it answers {found}, not (k, classes)"


def _rows(module: nn.Module, x: Tensor) -> Tensor:
    """The module's output for a batch, without a graph."""
    try:
        with torch.no_grad():
            output: Tensor = module(x.clone())
    except Exception as failure:
        raise ValueError(f"the network cannot answer a batch of {len(x)}: {_first_sentence(failure)}") from failure
    if output.ndim != 2 or len(output) != len(x):
        raise ValueError(f"for a batch of {len(x)} the network answers {tuple(output.shape)}, not ({len(x)}, classes)")
    return output


def _with_graph(module: nn.Module, x: Tensor) -> Tensor:
    """The module's output for a batch, with torch's graph."""
    try:
        with torch.enable_grad():
            output: Tensor = module(x.clone())
    except Exception as failure:
        raise ValueError(f"the network answers, but not with a gradient: {_first_sentence(failure)}") from failure
    return output


def _equal(one: Tensor, other: Tensor, whole: Tensor) -> bool:
    """Whether logits agree to rounding, relative to the magnitude of their class in the whole batch."""
    return bool(((one - other).abs() <= 1e-9 * _size(whole) + 1e-12).all())


def _rounds(module: nn.Module, x: Tensor, logits: Tensor) -> bool:
    """Whether a module rounds to float32: pictures 1e-10 apart get equal logits although the gradient is not 0."""
    direction, weights = _direction(x), _weights(logits)
    slopes = (_gradient(module, x, weights) * direction).flatten(1).sum(1).abs()
    due = 1e-10 * slopes > 1e-13 * (weights * logits).abs().sum(1)  # far above rounding in float64
    same = (_rows(module, x + 1e-10 * direction) == logits).all(1)
    moved = (_rows(module, x + STEP * direction) != logits).any(1)
    return int((due & same & moved).sum()) >= PICTURES / 2


def _probabilities(module: nn.Module, x: Tensor, logits: Tensor) -> str:
    """The reason why a module's outputs are probabilities; "" when they do not seem to be."""
    lasts = _last_steps(_with_graph(module, x.clone().requires_grad_()).grad_fn)
    if lasts <= PROBABILITIES.keys():
        step = min(lasts)
        return f'leave out its last {step}, which activation="{PROBABILITIES[step]}" stands for'
    if bool((logits == logits[0]).all()):
        return ""  # a network that ignores its input
    seen = torch.cat([logits, *(far := _far(module, x))])
    total = float(logits[0].sum())
    known = logits if abs(total - 1) < 1e-9 else seen if far else logits[:0]  # another sum may be a linear network's, within the range
    if len(known) and bool(((known >= -1e-12) & ((known.sum(1, keepdim=True) - total).abs() < 1e-9 * total)).all()):
        return f"its answers are positive and sum to {total:.6g} for every picture, so leave out what makes them so"
    if any(_are_shares(seen, rows, whole) for rows in far for whole in (1, 100)):
        return "its answers lie between 0 and a limit and reach both, as those of a sigmoid do, so leave out what makes them so"
    if bool((logits.logsumexp(1).abs() < 1e-9).all()):
        return "the exponentials of its answers sum to 1 for every picture, so leave out what makes them so"
    return ""


def _far(module: nn.Module, x: Tensor) -> list[Tensor]:
    """A module's outputs for pictures far out of range, a batch for each size of pixels; without those that are not finite."""
    directions = torch.from_numpy(np.random.default_rng(4).standard_normal((2 * PICTURES, *x.shape[1:])))
    batches = [_rows(module, size * directions) for size in FAR]
    return [rows for rows in batches if torch.isfinite(rows).all()]


def _are_shares(seen: Tensor, far: Tensor, whole: float) -> bool:
    """Whether no output leaves [0, whole], and most of those far out are at one end, some at each."""
    low, high = far.abs() < 1e-6 * whole, (far - whole).abs() < 1e-6 * whole
    inside = (seen > -1e-9 * whole) & (seen < (1 + 1e-9) * whole)
    return bool(inside.all() and (low | high).double().mean() > 0.5 and low.any(1).sum() > 1 and high.any(1).sum() > 1)


def _last_steps(node: torch.autograd.graph.Node | None) -> set[str]:
    """The last operations that do more than arrange numbers, as torch's graph names them; never empty."""
    open_nodes, lasts = [node], set[str]()
    while open_nodes:
        node = open_nodes.pop()
        step = node.name().split("Backward")[0] if node else ""
        if node and node.next_functions and step in ARRANGING:
            open_nodes += [before for before, _ in node.next_functions]
        else:
            lasts.add(step)
    return lasts


def _gradient(module: nn.Module, x: Tensor, weights: Tensor) -> Tensor:
    """The gradient of the weighted sum of a batch's logits; 0 if torch finds none."""
    x = x.clone().requires_grad_()
    logits = _with_graph(module, x)
    if not logits.requires_grad:
        return torch.zeros_like(x)
    try:
        (gradient,) = torch.autograd.grad(logits, x, weights, materialize_grads=True)
    except Exception as failure:
        why = "a layer writes in place over numbers that it needs" if "inplace operation" in str(failure) else _first_sentence(failure)
        raise ValueError(f"the network answers, but torch cannot find the gradient of its logits: {why}") from failure
    return gradient


def _moves_between(module: nn.Module, x: Tensor, logit: Tensor, c: int) -> bool:
    """Whether bisection between the pictures with the lowest and highest logit finds a point with a gradient."""
    ends = x[[int(logit.argmin()), int(logit.argmax())]]
    for _ in range(60):  # bisections: enough to tell a jump from a steep slope
        low, middle, high = at = torch.stack([ends[0], ends.mean(0), ends[1]])
        z = _rows(module, at)
        weights = torch.zeros_like(z)
        weights[:, c] = 1
        if _gradient(module, at, weights).any():
            return True
        ends = torch.stack([low, middle] if (z[1, c] - z[0, c]).abs() > (z[2, c] - z[1, c]).abs() else [middle, high])
    return False
