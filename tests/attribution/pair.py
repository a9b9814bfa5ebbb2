"""What PAIR's saliency library needs in order to be an oracle here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from explorer.attribution import Case, gradient_field

from .toys import Floats


def gradients_for(case: Case) -> Callable[..., dict[str, Floats]]:
    """The model as PAIR calls it: pictures ``(k, 8, 8)`` or ``(k, 8, 8, 1)`` in, the gradients of F there out."""

    def call(pictures: Floats, call_model_args: Any = None, expected_keys: Any = None) -> dict[str, Floats]:
        seen = gradient_field(case.network, np.asarray(pictures).reshape(-1, 8, 8), case.target, case.output)
        return {"INPUT_OUTPUT_GRADIENTS": seen.gradients.reshape(pictures.shape)}

    return call


class OlderNumpy:
    """numpy with the name that ``quantile`` had for its ``method`` until 2.4, which PAIR 0.2.1 still uses."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def quantile(values: Floats, q: float, interpolation: Any) -> Any:
        return np.quantile(values, q, method=interpolation)
