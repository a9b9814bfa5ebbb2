"""What one question may cost at most: 2 s of one core and 300 MB, whatever its settings.

Asked are both callbacks, as functions: every method alone and the explanation, with their largest settings, on every
network, and the most laborious of many random questions that the server would accept. Each is asked in a process of its
own, forked from one that has loaded the networks, as a worker is; it counts what the process takes on all its threads
and how far its resident memory rises. CPU time on a shared machine drifts by a third: look at the middle of several runs.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import torch

from bench.pairs import Row, print_table
from explorer.attribution import METHODS, Setting
from explorer.models import load_zoo
from explorer.page.answer import answer
from explorer.page.method_answers import MOST as MOST_METHODS
from explorer.page.method_answers import method_answers
from explorer.pictures import BASELINES
from explorer.state import MAX_NOISE, MAX_SAMPLES, MAX_STEPS, RULE_NAMES, State, Zoo
from explorer.work import MOST, check_explanation, work_of_explanation, work_of_method

SECONDS, MEGABYTES = 2.0, 300
RANDOM = 3000  # questions drawn …
LABORIOUS, OTHERS = 40, 40  # … of which those that promise most work are asked, and some of the others
WORST = 6  # are printed of each kind
PIXELS = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: a state as JSON, and the methods asked for; none for the explanation."""

    state: dict[str, Any]
    methods: tuple[str, ...] = ()

    def told(self) -> str:
        """In a few words for the table."""
        what = " + ".join(self.methods) or f"explanation, m = {self.state['steps']}, n = {self.state['samples']}"
        return f"{self.state['network']}: {what}, {self.state['rule']}"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a question took."""

    asked: Asked
    seconds: float
    megabytes: float
    work: int


def main(_: Sequence[str] = ()) -> None:
    """Print the table."""
    print_table("The most that one question may cost, CPU time and memory of one process", rows())


def rows() -> list[Row]:
    """The worst by time and by memory, of all that were asked."""
    torch.set_num_threads(1)
    zoo = load_zoo()
    for network in zoo:  # torch gets going once, as in a worker that has warmed up
        answer(State(network=network), zoo)
    costs = [_cost_in_a_fork(asked, zoo) for asked in questions(zoo)]
    slowest = sorted(costs, key=lambda cost: -cost.seconds)[:WORST]
    largest = sorted(costs, key=lambda cost: -cost.megabytes)[:WORST]
    rate = max((cost.seconds / cost.work * 1e12 for cost in costs if cost.work > MOST / 10), default=0.0)
    return [
        *[_row(cost) for cost in slowest],
        *[_row(cost) for cost in largest if cost not in slowest],
        Row("the slowest 1,000 million multiplications", rate, f"of {len(costs)} questions", None, "", f"≤ {1e12 * SECONDS / MOST:.0f} ms"),
    ]


def _row(cost: Cost) -> Row:
    kept = cost.seconds <= SECONDS and cost.megabytes <= MEGABYTES
    took = f"{cost.megabytes:.0f} MB; {cost.work / 1e6:,.0f} million"
    return Row(cost.asked.told(), 1000 * cost.seconds, took, None, "kept" if kept else "NOT KEPT", f"≤ {SECONDS:g} s, ≤ {MEGABYTES} MB")


def _cost_in_a_fork(asked: Asked, zoo: Zoo) -> Cost:
    """A process for each question: what one leaves behind in memory must not hide what the next one takes."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=lambda: theirs.send(_cost(asked, zoo)))
    process.start()
    theirs.close()
    try:
        cost: Cost = ours.recv()
    except EOFError:
        raise RuntimeError(f"no answer to {asked.told()}") from None
    process.join()
    return cost


def _cost(asked: Asked, zoo: Zoo) -> Cost:
    before = _resident()
    start = time.process_time()
    _answered(asked, zoo)
    seconds = time.process_time() - start
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(asked, seconds, max(0.0, after - before), _work(asked, zoo))


def _answered(asked: Asked, zoo: Zoo) -> None:
    state = State.from_json(asked.state, zoo)
    if not asked.methods:
        check_explanation(state, zoo)
    orjson.dumps(method_answers(state, asked.methods, zoo) if asked.methods else answer(state, zoo))


def _resident() -> float:
    """Resident memory now, in MB."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _work(asked: Asked, zoo: Zoo) -> int:
    state = State.from_json(asked.state, zoo)
    if not asked.methods:
        return work_of_explanation(state, zoo)
    case = state.case(zoo)
    applying = [METHODS[name] for name in asked.methods if not METHODS[name].refusal(case.network)]
    return sum(work_of_method(method, case, state) for method in applying)


# ---------------------------------------------------------------- what is asked


def questions(zoo: Zoo) -> list[Asked]:
    """Everything that is asked, none of it refused; the same every time."""
    rng = random.Random(0)
    drawn = [asked for asked in (_drawn(rng, zoo) for _ in range(RANDOM)) if _work(asked, zoo) <= MOST]
    drawn.sort(key=lambda asked: -_work(asked, zoo))
    return [*corners(rng, zoo), *drawn[:LABORIOUS], *rng.sample(drawn[LABORIOUS:], OTHERS)]


def corners(rng: random.Random, zoo: Zoo) -> Iterator[Asked]:
    """The explanation and every method alone with their largest settings, where every pixel differs from the baseline."""
    for network in zoo:
        for rule in ("trapezoid", "gauss-legendre", "exact"):
            harsh = [float(rng.random() < 0.5) for _ in range(PIXELS)]  # against its opposite: many ReLUs switch
            state = {
                "network": network,
                "rule": rule,
                "steps": MAX_STEPS,
                "samples": MAX_SAMPLES,
                "noise_level": MAX_NOISE,
                "clip": True,
                "pixels": harsh,
                "baseline": "drawing",
                "drawing": [1 - value for value in harsh],
            }
            yield Asked(state)
            for name, method in METHODS.items():
                takes_rule = any(setting.name == "rule" for setting in method.settings)
                if not method.refusal(zoo[network].network) and (takes_rule or rule == "trapezoid"):
                    largest = {s.name: _largest(s) for s in method.settings if s.name not in ("rule", "seed", "window")}
                    yield Asked({**state, "options": {name: largest} if largest else {}}, (name,))


def _largest(setting: Setting) -> Any:
    if isinstance(setting.default, bool):
        return True
    if setting.choices:
        return setting.choices[-1]
    return int(setting.high) if isinstance(setting.default, int) else float(setting.high)


def _drawn(rng: random.Random, zoo: Zoo) -> Asked:
    """Any question; its numbers are often at their ends."""
    network = rng.choice([*zoo, *["digits-cnn"] * len(zoo)])  # by far the slowest
    applying = [name for name, method in METHODS.items() if not method.refusal(zoo[network].network)]
    methods = tuple(rng.sample(applying, rng.randint(1, MOST_METHODS))) if rng.random() < 0.9 else ()
    state = {
        "network": network,
        "output": rng.choice(["probability", "logit"]),
        "pixels": _picture(rng),
        "baseline": rng.choice(BASELINES),
        "drawing": _picture(rng),
        "rule": rng.choice(RULE_NAMES),
        "steps": rng.choice([1, MAX_STEPS, rng.randint(1, MAX_STEPS)]),
        "samples": rng.choice([1, MAX_SAMPLES, rng.randint(1, MAX_SAMPLES)]),
        "noise_level": rng.choice([0.0, 0.15, MAX_NOISE]),
        "options": {name: {s.name: _any(rng, s) for s in METHODS[name].settings} for name in methods},
    }
    return Asked(state, methods)


def _picture(rng: random.Random) -> list[float]:
    kind = rng.choice(["noise", "harsh", "black", "white", "half"])
    if kind == "noise":
        return [rng.random() for _ in range(PIXELS)]
    if kind == "harsh":
        return [float(rng.random() < 0.5) for _ in range(PIXELS)]
    return [{"black": 0.0, "white": 1.0}.get(kind, float(i % 2)) for i in range(PIXELS)]


def _any(rng: random.Random, setting: Setting) -> Any:
    if isinstance(setting.default, bool):
        return rng.random() < 0.5
    if setting.choices:
        return rng.choice(setting.choices)
    if isinstance(setting.default, int):
        return rng.choice([int(setting.high), int(setting.high), rng.randint(int(setting.low), int(setting.high))])
    return rng.choice([float(setting.low), float(setting.default), float(setting.high)])

