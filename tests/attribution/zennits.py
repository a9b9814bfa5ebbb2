"""What zennit needs in order to be an oracle here."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

from torch import nn


def load_zennit() -> Any:
    """Zennit, which imports class names from a torchvision that need not be there; skips the test without zennit."""
    stubs = {name: ModuleType(name) for name in ("torchvision", "torchvision.models", "torchvision.models.resnet")}
    for name in ("Bottleneck", "BasicBlock"):
        setattr(stubs["torchvision.models.resnet"], name, type(name, (nn.Module,), {}))
    before = {name: sys.modules.get(name) for name in stubs}
    sys.modules.update(stubs)
    try:
        return importlib.import_module("zennit")
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
