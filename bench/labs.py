"""CPU time of each lab's answer, as the page gets it: with default settings, and the slowest with one setting at an end: ``python -m bench labs``."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from statistics import median

import orjson
import torch

from explorer.attribution import Setting, Value
from explorer.labs import LABS
from explorer.models import FOLDER, load_zoo
from explorer.page.panels.labs import lab_answer
from explorer.pictures import PATTERNS, digit_samples
from explorer.state import State, Zoo

REPEATS = 5


def main(names: Sequence[str]) -> None:
    """Print a table, of all labs or of some."""
    torch.set_num_threads(1)
    zoo = load_zoo()
    print(f"{'lab':14}{'network':18}{'default, ms':>12}{'largest, ms':>12}{'answer, kB':>12}  largest with")
    for name in names or LABS:
        for network in zoo:
            state = _state(network, zoo)
            if not LABS[name].unsupported(state, zoo):
                _print_row(name, state, zoo)


def _state(network: str, zoo: Zoo) -> State:
    picture = digit_samples(FOLDER)[3][0] if zoo[network].task == "digits" else PATTERNS["ring"]
    return State(network=network, pixels=tuple(picture.ravel().tolist()))


def _print_row(name: str, state: State, zoo: Zoo) -> None:
    usual = _seconds(name, state, {}, zoo)
    ends = [({setting.name: end}, _seconds(name, state, {setting.name: end}, zoo)) for setting in LABS[name].settings for end in _ends(setting)]
    with_what, largest = max(ends, key=lambda found: found[1], default=({}, usual))
    size = len(orjson.dumps(lab_answer(LABS[name], state, LABS[name].values({}), zoo)))
    print(f"{name:14}{state.network:18}{1000 * usual:12.0f}{1000 * largest:12.0f}{size / 1000:12.1f}  {with_what or 'no setting'}", flush=True)


def _ends(setting: Setting) -> Sequence[Value]:
    if setting.choices:
        return setting.choices
    return (True, False) if isinstance(setting.default, bool) else (type(setting.default)(setting.low), type(setting.default)(setting.high))


def _seconds(name: str, state: State, given: Mapping[str, Value], zoo: Zoo) -> float:
    """The median of a few, after one that fills caches."""
    lab, found = LABS[name], []
    values = lab.values(given)
    for _ in range(REPEATS + 1):
        start = time.thread_time()
        orjson.dumps(lab_answer(lab, state, values, zoo))
        found.append(time.thread_time() - start)
    return median(found[1:])
