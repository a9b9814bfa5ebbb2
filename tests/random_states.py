"""Random states of the page: pictures of odd kinds, and settings at their ends as often as usual ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.models import FOLDER, Model
from explorer.pictures import BASELINES, PATTERNS, digit_samples
from explorer.state import MAX_SAMPLES, MAX_STEPS, RULE_NAMES, State

Floats = NDArray[np.float64]


@cache
def digits() -> list[Floats]:
    """Real handwritten ones."""
    return [picture for samples in digit_samples(FOLDER, 4) for picture in samples]


def painted(chance: np.random.Generator) -> Floats:
    """A picture of an odd kind, or a usual one."""
    level = chance.choice([0.0, 1.0, chance.random()])
    kinds = [
        lambda: list(PATTERNS.values())[chance.integers(len(PATTERNS))],
        lambda: digits()[chance.integers(len(digits()))],
        lambda: chance.integers(0, 21, (8, 8)) / 20,
        lambda: chance.random((8, 8)),
        lambda: (chance.random((8, 8)) < 0.08) * chance.random(),  # sparse, black perhaps
        lambda: 1.0 - (chance.random((8, 8)) < 0.08),
        lambda: (chance.random((8, 8)) < 0.5) * 1.0,
        lambda: np.full((8, 8), level),
        lambda: nearly(np.full((8, 8), level), chance),
    ]
    return np.array(kinds[chance.integers(len(kinds))]())


def nearly(picture: Floats, chance: np.random.Generator) -> Floats:
    """The picture but for some pixels, by much or by next to nothing."""
    by = chance.choice([1e-16, 1e-13, 3e-11, 3e-11, 1e-9, 1e-3, 0.05, 1.0])
    some = chance.random((8, 8)) < chance.choice([0.02, 0.3, 1.0])
    return np.clip(picture + some * by * chance.standard_normal((8, 8)), 0, 1)


def random_states(zoo: Mapping[str, Model], seed: int, count: int) -> Iterator[State]:
    """So many states of the networks given."""
    chance = np.random.default_rng(seed)

    def pick(*options: Any) -> Any:
        return options[chance.integers(len(options))]

    for _ in range(count):
        network = pick(*zoo)
        picture = painted(chance)
        drawing = pick(picture, nearly(picture, chance), painted(chance))
        yield State(
            pixels=tuple(picture.ravel().tolist()),
            network=network,
            target=pick("predicted", int(chance.integers(len(zoo[network].classes)))),
            output=pick("probability", "logit"),
            baseline=pick(*BASELINES),
            baseline_seed=int(chance.integers(1000)),
            drawing=tuple(drawing.ravel().tolist()),
            steps=pick(1, 2, 3, 5, 10, 20, 50, 50, 100, 200, MAX_STEPS),
            rule=pick("exact", *RULE_NAMES),
            samples=pick(1, 2, 3, 10, 19, 20, 20, 50, 50, 100, 200, MAX_SAMPLES),
            noise_level=pick(0.0, 0.001, 0.002, 0.01, 0.05, 0.15, 0.15, 0.3, 0.5, 1.0),
            seed=int(chance.integers(1000)),
            clip=pick(False, False, True),
        )
