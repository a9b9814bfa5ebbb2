"""What Quantus needs in order to be an oracle here."""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from .zennits import load_zennit

# Quantus imports them at its start, but uses them only for tables of results (pandas) and to rotate and shift pictures (cv2).
UNUSED = ("pandas", "cv2")


def load_quantus() -> Any:
    """Quantus, without pandas and OpenCV."""
    if find_spec("zennit"):
        load_zennit()  # Quantus imports it where it is installed
    missing = [name for name in UNUSED if name not in sys.modules]
    sys.modules.update({name: ModuleType(name) for name in missing})
    try:
        return importlib.import_module("quantus")
    finally:
        for name in missing:
            del sys.modules[name]
