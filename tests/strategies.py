"""Hypothesis strategies for what the page can send: pictures, options of methods, whole states."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from explorer.attribution import METHODS, Setting
from explorer.labs import LABS
from explorer.models import load_zoo
from explorer.pictures import BASELINES, LEVELS, PATTERNS
from explorer.state import MAX_PINNED, MAX_SAMPLES, MAX_SEED, MAX_STEPS, PREDICTED, RULE_NAMES, SCALES, TABS, State

ZOO = load_zoo()

pictures = st.one_of(
    st.sampled_from([tuple(picture.ravel().tolist()) for picture in PATTERNS.values()]),
    st.lists(st.sampled_from([k / 100 for k in range(0, 101, 5)]), min_size=64, max_size=64).map(tuple),
    st.lists(st.integers(0, LEVELS).map(lambda level: level / LEVELS), min_size=64, max_size=64).map(tuple),
)

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def value_of(setting: Setting) -> st.SearchStrategy[Any]:
    """Any value that a setting of a method can have."""
    if setting.choices:
        return st.sampled_from(setting.choices)
    if isinstance(setting.default, bool):
        return st.booleans()
    if isinstance(setting.default, int):
        return st.integers(int(setting.low), int(setting.high))
    return st.floats(setting.low, setting.high, allow_subnormal=False)


def options_of(names: Iterable[str]) -> st.SearchStrategy[dict[str, dict[str, Any]]]:
    """Any options for these methods."""
    return st.fixed_dictionaries(
        {name: st.fixed_dictionaries({}, optional={s.name: value_of(s) for s in METHODS[name].settings}) for name in names}
    )


@st.composite
def open_labs(draw: st.DrawFn) -> dict[str, Any]:
    """A lab that is open with some settings that differ from their defaults, or none."""
    name = draw(st.just("") | st.sampled_from(sorted(LABS)))
    settings = {s.name: draw(value_of(s)) for s in LABS[name].settings if draw(st.booleans())} if name else {}
    return {"lab": name, "lab_settings": {s.name: settings[s.name] for s in LABS[name].settings if settings.get(s.name, s.default) != s.default} if name else {}}


@st.composite
def states(draw: st.DrawFn) -> State:
    """Any state that the page can be in."""
    network = draw(st.sampled_from(sorted(ZOO)))
    kind = draw(st.sampled_from(BASELINES))
    values = {
        "pixels": draw(pictures),
        "network": network,
        "target": draw(st.just(PREDICTED) | st.integers(0, len(ZOO[network].classes) - 1)),
        "output": draw(st.sampled_from(("probability", "logit"))),
        "baseline": kind,
        "baseline_seed": draw(st.integers(0, MAX_SEED)),
        "drawing": draw(pictures) if kind == "drawing" else draw(st.none() | pictures),
        "steps": draw(st.integers(1, MAX_STEPS)),
        "rule": draw(st.sampled_from(RULE_NAMES)),
        "samples": draw(st.integers(1, MAX_SAMPLES)),
        "noise_level": draw(st.integers(0, 50)) / 100,
        "seed": draw(st.integers(0, MAX_SEED)),
        "clip": draw(st.booleans()),
        "options": draw(st.sets(st.sampled_from(sorted(METHODS)), max_size=2).map(sorted).flatmap(options_of)),
        "pinned": draw(st.lists(st.sampled_from(sorted(METHODS)), min_size=1, max_size=MAX_PINNED, unique=True)),
        "tab": draw(st.sampled_from(TABS)),
        "scale": draw(st.sampled_from(SCALES)),
        **draw(open_labs()),
    }
    return State.from_json(values, ZOO)
