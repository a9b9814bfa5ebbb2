"""What one question may cost at most: 2 s of one core and 300 MB, whatever its settings.

Asked are both callbacks, as functions: on every network the explanation and every method alone, with their largest
settings, and those sets of such methods that are the most work the server accepts. Each is asked in a process of its
own, forked from one that has loaded the networks, as a worker is. CPU time on a shared machine drifts by a third.
"""

from __future__ import annotations

import multiprocessing
import random
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
import psutil
import torch

from bench.pairs import Row, print_table
from explorer.attribution import METHODS, Setting
from explorer.models import load_zoo
from explorer.page.answer import answer
from explorer.page.method_answers import MOST as MOST_METHODS
from explorer.page.method_answers import method_answers
from explorer.state import MAX_NOISE, MAX_SAMPLES, MAX_STEPS, State, Zoo
from explorer.work import MOST, check_explanation, work_of_explanation, work_of_method

SECONDS, MEGABYTES = 2.0, 300
SETS, LABORIOUS = 300, 10  # sets of methods drawn for each network and rule; so many that promise most work are asked
WORST = 6  # are printed of each kind
PIXELS = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """One question.

    Attributes:
        state, methods: what is asked; no methods for the explanation.
        work: multiplications, as explorer/work.py tells them.
        seconds: CPU time on all threads.
        megabytes: by how much the process's resident memory rose.
    """

    state: State
    methods: tuple[str, ...]
    work: int
    seconds: float = 0.0
    megabytes: float = 0.0

    def told(self) -> str:
        """In a few words for the table."""
        what = " + ".join(self.methods) or f"explanation, m = {self.state.steps}, n = {self.state.samples}"
        return f"{self.state.network}: {what}, {self.state.rule}"


def main(_: Sequence[str] = ()) -> None:
    """Print the worst by time and by memory."""
    torch.set_num_threads(1)
    zoo = load_zoo()
    for network in zoo:  # warms torch up, as a worker does
        answer(State(network=network), zoo)
    costs = [_asked_in_a_fork(asked, zoo) for asked in questions(zoo)]
    slowest = sorted(costs, key=lambda cost: -cost.seconds)[:WORST]
    largest = sorted(costs, key=lambda cost: -cost.megabytes)[:WORST]
    rate = max(1e12 * cost.seconds / cost.work for cost in costs if cost.work > MOST / 10)
    rows = [_row(cost) for cost in [*slowest, *(cost for cost in largest if cost not in slowest)]]
    limit = f"≤ {1e12 * SECONDS / MOST:.0f} ms"
    rows.append(Row("the slowest 1,000 million multiplications", rate, f"of {len(costs)} questions", aim=limit))
    print_table("The most that one question may cost, CPU time and memory of one process", rows)


def _row(cost: Asked) -> Row:
    kept = cost.seconds <= SECONDS and cost.megabytes <= MEGABYTES
    took = f"{cost.megabytes:.0f} MB; {cost.work / 1e6:,.0f} million"
    return Row(cost.told(), 1000 * cost.seconds, took, None, "kept" if kept else "NOT KEPT", f"≤ {SECONDS:g} s, ≤ {MEGABYTES} MB")


def _asked_in_a_fork(asked: Asked, zoo: Zoo) -> Asked:
    """A process for each question: the memory that one leaves allocated must not hide what the next one takes."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=lambda: theirs.send(_answered(asked, zoo)))
    process.start()
    theirs.close()
    try:
        cost: Asked = ours.recv()
    except EOFError:
        raise RuntimeError(f"no answer to {asked.told()}") from None
    process.join()
    return cost


def _answered(asked: Asked, zoo: Zoo) -> Asked:
    before = psutil.Process().memory_info().rss / 2**20
    start = time.process_time()
    if not asked.methods:
        check_explanation(asked.state, zoo)
    orjson.dumps(method_answers(asked.state, asked.methods, zoo) if asked.methods else answer(asked.state, zoo))
    seconds = time.process_time() - start
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return replace(asked, seconds=seconds, megabytes=max(0.0, after - before))


# ---------------------------------------------------------------- what is asked


def questions(zoo: Zoo) -> Iterator[Asked]:
    """Everything that is asked, none of it refused; the same every time."""
    chance = random.Random(0)
    for network in zoo:
        for rule in ("trapezoid", "gauss-legendre", "exact"):
            state = _harsh(network, rule, chance, zoo)
            yield Asked(state, (), work_of_explanation(state, zoo))
            case = state.case(zoo)
            works = {name: work_of_method(method, case, state) for name, method in METHODS.items() if not method.refusal(case.network)}
            for name, work in works.items():
                if rule == "trapezoid" or any(setting.name == "rule" for setting in METHODS[name].settings):
                    yield Asked(state, (name,), work)
            sets = {tuple(sorted(chance.sample(list(works), chance.randint(2, MOST_METHODS)))) for _ in range(SETS)}
            together = [Asked(state, names, sum(works[name] for name in names)) for names in sorted(sets)]
            accepted = [asked for asked in together if asked.work <= MOST]
            yield from sorted(accepted, key=lambda asked: -asked.work)[:LABORIOUS]


def _harsh(network: str, rule: str, chance: random.Random, zoo: Zoo) -> State:
    """The largest settings, and every pixel black or white against its opposite, so that many ReLUs switch."""
    pixels = [float(chance.random() < 0.5) for _ in range(PIXELS)]
    options = {
        name: {s.name: _largest(s) for s in method.settings if s.name not in ("rule", "seed", "window")}
        for name, method in METHODS.items()
    }
    data = {
        "network": network, "rule": rule, "steps": MAX_STEPS, "samples": MAX_SAMPLES, "noise_level": MAX_NOISE, "clip": True,
        "pixels": pixels, "baseline": "drawing", "drawing": [1 - value for value in pixels],
        "options": {name: values for name, values in options.items() if values},
    }  # fmt: skip
    return State.from_json(data, zoo)


def _largest(setting: Setting) -> Any:
    if isinstance(setting.default, bool):
        return True
    if setting.choices:
        return setting.choices[-1]
    return int(setting.high) if isinstance(setting.default, int) else float(setting.high)
