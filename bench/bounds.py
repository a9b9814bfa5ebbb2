"""Time and memory of the most expensive requests that the server accepts: at most 2 s of one core and 300 MB each.

Both callbacks run as functions, each request in a process forked from one that has loaded the networks: on every network
the explanation, every method alone with its largest settings, and the most expensive accepted sets of such methods. CPU
time on a shared machine varies by a third.
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
from explorer.cost import MAX_COST, check_explanation, cost_of_explanation, cost_of_method
from explorer.models import load_zoo
from explorer.page.answer import answer
from explorer.page.method_answers import MOST as MOST_METHODS
from explorer.page.method_answers import method_answers
from explorer.state import MAX_NOISE, MAX_SAMPLES, MAX_STEPS, State, Zoo

SECONDS, MEGABYTES = 2.0, 300
SETS, LARGEST = 300, 10  # random sets of methods for each network and rule; the number of most expensive ones that run
WORST = 6  # printed rows, by time and by memory
PIXELS = 64


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        state, methods: of the request; no methods for the explanation.
        cost: multiplications, as estimated in explorer/cost.py.
        seconds: CPU time of all threads.
        megabytes: increase of the process's resident memory.
    """

    state: State
    methods: tuple[str, ...]
    cost: int
    seconds: float = 0.0
    megabytes: float = 0.0

    def title(self) -> str:
        """The title of its row in the table."""
        what = " + ".join(self.methods) or f"explanation, m = {self.state.steps}, n = {self.state.samples}"
        return f"{self.state.network}: {what}, {self.state.rule}"


def main(_: Sequence[str] = ()) -> None:
    """Print the worst requests by time and by memory."""
    torch.set_num_threads(1)
    zoo = load_zoo()
    for network in zoo:  # warms torch up, as a worker does
        answer(State(network=network), zoo)
    costs = [_run_in_a_fork(request, zoo) for request in requests(zoo)]
    slowest = sorted(costs, key=lambda cost: -cost.seconds)[:WORST]
    largest = sorted(costs, key=lambda cost: -cost.megabytes)[:WORST]
    rate = max(1e12 * cost.seconds / cost.cost for cost in costs if cost.cost > MAX_COST / 10)
    rows = [_row(cost) for cost in [*slowest, *(cost for cost in largest if cost not in slowest)]]
    limit = f"≤ {1e12 * SECONDS / MAX_COST:.0f} ms"
    rows.append(Row("the slowest 1,000 million multiplications", rate, f"of {len(costs)} requests", aim=limit))
    print_table("The most that one question may cost, CPU time and memory of one process", rows)


def _row(result: Request) -> Row:
    kept = result.seconds <= SECONDS and result.megabytes <= MEGABYTES
    took = f"{result.megabytes:.0f} MB; {result.cost / 1e6:,.0f} million"
    return Row(result.title(), 1000 * result.seconds, took, None, "kept" if kept else "NOT KEPT", f"≤ {SECONDS:g} s, ≤ {MEGABYTES} MB")


def _run_in_a_fork(request: Request, zoo: Zoo) -> Request:
    """Run in a process of its own, so that memory left allocated by one request does not hide that of the next."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=lambda: theirs.send(_run(request, zoo)))
    process.start()
    theirs.close()
    try:
        result: Request = ours.recv()
    except EOFError:
        raise RuntimeError(f"no answer to {request.title()}") from None
    process.join()
    return result


def _run(request: Request, zoo: Zoo) -> Request:
    before = psutil.Process().memory_info().rss / 2**20
    start = time.process_time()
    if not request.methods:
        check_explanation(request.state, zoo)
    orjson.dumps(method_answers(request.state, request.methods, zoo) if request.methods else answer(request.state, zoo))
    seconds = time.process_time() - start
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return replace(request, seconds=seconds, megabytes=max(0.0, after - before))


# ---------------------------------------------------------------- requests


def requests(zoo: Zoo) -> Iterator[Request]:
    """All requests, the same in every run; the server accepts all of them."""
    chance = random.Random(0)
    for network in zoo:
        for rule in ("trapezoid", "gauss-legendre", "exact"):
            state = _harsh(network, rule, chance, zoo)
            yield Request(state, (), cost_of_explanation(state, zoo))
            case = state.case(zoo)
            costs = {name: cost_of_method(method, case, state) for name, method in METHODS.items() if not method.unsupported_reason(case.network)}
            for name, cost in costs.items():
                if rule == "trapezoid" or any(setting.name == "rule" for setting in METHODS[name].settings):
                    yield Request(state, (name,), cost)
            sets = {tuple(sorted(chance.sample(list(costs), chance.randint(2, MOST_METHODS)))) for _ in range(SETS)}
            together = [Request(state, names, sum(costs[name] for name in names)) for names in sorted(sets)]
            accepted = [request for request in together if request.cost <= MAX_COST]
            yield from sorted(accepted, key=lambda request: -request.cost)[:LARGEST]


def _harsh(network: str, rule: str, chance: random.Random, zoo: Zoo) -> State:
    """The largest settings, and every pixel black or white with the opposite as baseline, so that many ReLUs switch."""
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
