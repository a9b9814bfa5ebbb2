"""What the scripts say by themselves, held against plain torch: while playing, in the figures, and of the pinned methods."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from packed import floats
from random_states import random_states
from scipy import stats
from truth import Truth, close, nodes

from explorer.models import Model
from explorer.page.answer import answer
from explorer.pictures import PATTERNS
from explorer.state import State

from .conftest import Server
from .visit import Visit

Visits = Callable[..., Visit]

# Show an answer as if it had come; return what is said of it at some steps, and beside it.
SHOW = """
([state, answer, steps]) => {
  const { view } = explorer;
  Object.assign(view, { state: { ...view.state, ...state } });
  explorer.receive(answer, state);
  explorer.markPixel(explorer.pixelInView()); // so that its readout is shown
  const text = (id) => document.getElementById(id).innerText;
  const at = (step) => {
    explorer.goToStep(step);
    const { alphas, values, sums, count } = view.path;
    return { step, count, alpha: alphas[step], value: values[step], sum: sums[step], said: explorer.stepSentences(step), shown: `${text("headline")} ${text("second")}`, gauge: text("gauge"), readout: text("readout") };
  };
  const share = (step) => Math.round(step * view.path.count);
  const played = steps.map(share).map(at);
  const chart = explorer.figureOf(document.getElementById("pixel-chart"));
  const side = ["top-pixels", "completeness", "snr"].map(text);
  explorer.goToStep(view.path.count);
  explorer.markPixel(null);
  const gradient = explorer.maps.find(({ options }) => options.name === "step-gradient");
  const end = { headline: text("headline"), second: text("second"), faint: gradient.faint };
  return { end, played, side, result: text("gauge"), chart: [[...chart.x], [...chart.y]], area: text("pixel-area"), path: document.getElementById("path-chart").ariaLabel };
}
"""


def shown(visit: Visit, state: State, models: Mapping[str, Model], steps: list[float]) -> tuple[Truth, dict[str, Any]]:
    """What the page shows of a state, answered here."""
    asked = {**state.to_json(), "tab": "integrated"}
    payload = json.loads(json.dumps(answer(state, models)))
    found: dict[str, Any] = visit.page.evaluate(SHOW, [asked, payload, steps])
    return Truth(state, models[state.network], payload), found


def peaks(truth: Truth) -> Any:
    """The largest |gradient| at each step of the path, ``(K,)``; under the exact rule those of the means over its pieces."""
    if truth.state.rule != "exact":
        return np.abs(truth.steps(truth.state.steps)[0]).max(axis=1)
    gradients = floats(truth.payload["path"]["gradients"]).reshape(64, -1)
    return np.abs(gradients).max(axis=0)  # their sum is checked where the map is


def false_steps(truth: Truth, found: dict[str, Any]) -> list[Any]:
    """What is said at a step and not true there, and all claims that were made."""
    trapezoid = truth.state.rule == "trapezoid"
    largest, at_picture = peaks(truth), np.abs(truth.gradient).max()
    scale = max(largest.max(), at_picture)
    wrong = []
    for at in found["played"]:
        if at["step"] == at["count"]:
            continue
        if not at["step"]:
            start = numerals(at["said"][0]["text"])[-1]
            right = [one["claim"] for one in at["said"]] == ["start", "advice"] and close(start, truth.ends[0], 0.006, 0.0005)
            wrong += [] if right else [at]
            continue
        index = at["step"] - (not trapezoid)
        here, before = largest[index], largest[: index + 1].max()
        place, phase, _, added = at["said"]
        value = truth.look(truth.on_path(np.array([at["alpha"]])))[0][0]
        share = re.search(r"^(over |under |)(\d+) % of the way", place["text"])
        assert share is not None
        right = {
            "over ": 99 < 100 * at["alpha"] < 100,
            "under ": 0 < 100 * at["alpha"] < 1,
            "": abs(100 * at["alpha"] - int(share[2])) <= 0.5 + 1e-9 and (share[2] not in ("0", "100") or at["alpha"] in (0, 1)),
        }[share[1]]
        least = min(largest.min(), at_picture)
        phases = {
            "no slope": here == 0,
            "blank so far": here < 0.0401 * scale and before < 0.0401 * scale,
            "blank again": here < 0.0401 * scale and before > 0.0399 * scale,
            "fading slope": 0.0399 * scale < here < 0.501 * before,
            "small slope": 0.0399 * scale < here < 0.301 * scale,
            "large slope": here > 0.299 * scale,
            "flaring slope": here > 0.299 * scale and here > 0.999 * before and least < 0.0401 * scale,
            "sees little": truth.state.output == "probability" and value < 0.1 and truth.scores.argmax() == truth.target and truth.ends[1] > 0.5,
        }
        so_far = map_so_far(truth, at["step"])
        summed = float(so_far.sum())
        true = [
            right,
            close(at["value"], value, absolute=1e-12),
            moves(place["text"], truth.ends[0], value),
            phases[phase["claim"]],
            phase["claim"] == "sees little" or ("mean" in phase["text"]) == (truth.state.rule == "exact"),
            ("hardly rise" in at["shown"]) == (truth.state.output == "probability" and value > 0.9),
            abs(at["sum"] - summed) <= 1e-4 * np.abs(truth.own_integrated).sum() + 1e-9 * abs(summed) + 1e-30,
            "Still missing" in at["gauge"] or "too large" in at["gauge"] or "same at both ends" in at["gauge"],
            adds_up(added["text"], at["sum"], truth.payload["f"]["delta"]),
            at["shown"] == f"{' '.join(texts(at, 'headline'))} {' '.join(texts(at, 'second'))}",
            reads(truth, at["readout"], so_far),
        ]
        wrong += [] if all(true) else [(true, at)]
    return wrong


def texts(at: dict[str, Any], place: str) -> list[str]:
    """What is said at a place."""
    return [one["text"] for one in at["said"] if one["place"] == place]


def moves(text: str, start: float, value: float) -> bool:
    """Whether F is said to have moved from the start as it did."""
    shown = numerals(text.split(":")[1].replace("less than 0.0001", "0"))
    right = all(close(one, f, 0.006, 0.0005) for one, f in zip(shown, (start, value), strict=False)) if len(shown) == 2 else close(shown[0], value, 0.006, 0.0005)
    way = {"rose": value > start, "fell": value < start, "is": len(shown) == 1}
    return right and way[re.search(r"rose|fell|is", text)[0]]  # type: ignore[index]


def adds_up(text: str, summed: float, delta_f: float) -> bool:
    """Whether the sum is said to be what it is."""
    numbers = numerals(text)
    if "%" not in text:
        return all(close(one, there, 0.006) for one, there in zip(numbers, (summed, delta_f), strict=False))
    share = 100 * summed / delta_f
    return (99.4 < share < 100 if "more than" in text else close(numbers[0], share, 0.06, 0.51)) and share >= 0


def numerals(text: str) -> list[float]:
    """The numbers in a text, as the page writes them."""
    found = re.findall(r"−?\d+(?:\.\d+)?(?:·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?", text)
    plain = [one.replace("−", "-").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")).replace("·10", "e") for one in found]
    return [float(one) for one in plain]


def reads(truth: Truth, readout: str, so_far: Any) -> bool:
    """Whether the readout tells of its pixel what is true of it at the step."""
    found = numerals(readout.replace("row", "").replace("column", ""))
    i = int(8 * found[0] + found[1])
    there = [truth.x[i], truth.baseline[i], truth.gradient[i], so_far[i], truth.own_integrated[i], truth.own_samples.mean(axis=0)[i]]
    sizes = [1, 1, *(np.abs(values).max() for values in (truth.gradient, truth.own_integrated, truth.own_integrated, truth.own_samples))]
    if truth.state.samples > 1:
        there.append(truth.own_samples.std(axis=0, ddof=1)[i] / np.sqrt(truth.state.samples))
        sizes.append(sizes[-1])
    rounding = [0.005 + 1e-9] * 2 + [1e-5 * size for size in sizes[2:]]
    return len(found) == 2 + len(there) and all(close(a, b, 0.06, most) for a, b, most in zip(found[2:], there, rounding, strict=True))


def map_so_far(truth: Truth, step: int) -> Any:
    """The map after so many steps, ``(64,)``."""
    if truth.state.rule == "exact":
        gradients = floats(truth.payload["path"]["gradients"]).reshape(64, -1).T
        weights = np.array(truth.payload["path"]["weights"])
    else:
        gradients, weights = truth.steps(truth.state.steps)
    if truth.state.rule == "trapezoid":
        gradients, weights = (gradients[:-1] + gradients[1:]) / 2, np.full(truth.state.steps, 1 / truth.state.steps)
    return (weights[:step] @ gradients[:step]) * truth.difference


def area(x: list[float], y: list[float], *, steps: bool) -> float:
    """Under a line, or under stairs."""
    heights = np.array(y[:-1]) if steps else (np.array(y[:-1]) + np.array(y[1:])) / 2
    return float(np.diff(x) @ heights)


STEP_CLAIMS = {"start", "advice", "place", "sum so far", "near 1", "blank so far", "blank again", "fading slope", "small slope", "large slope", "flaring slope", "sees little"}


def test_what_is_said_while_playing_is_true_of_many_states(visits: Visits, server: Server, models: Mapping[str, Model]) -> None:
    visit = visits(server.address).open("?v=2&tab=integrated")
    others = {name: model for name, model in models.items() if name != "digits-cnn"}
    met: Counter[str] = Counter()
    patterns = [State(pixels=tuple(picture.ravel().tolist()), baseline=baseline) for picture in PATTERNS.values() for baseline in ("black", "white")]
    for state in [*random_states(others, 4, 50), *patterns]:  # whose gradients go blank
        truth, found = shown(visit, state, models, [0, 0.001, 0.03, 0.1, 0.5, 0.8, 0.999])
        assert not false_steps(truth, found), state
        blank = "here is blank" in found["end"]["headline"]
        silent = re.search("You ask|already has|are the same|is 0 at every", found["end"]["headline"])
        assert not blank if silent else blank == found["end"]["faint"], state
        met.update(one["claim"] for at in found["played"] if at["step"] < at["count"] for one in at["said"])
        beside_the_step(truth, found)
    assert {claim for claim, count in met.items() if count >= 5} >= STEP_CLAIMS, met


def beside_the_step(truth: Truth, found: dict[str, Any]) -> None:
    """The figures at the side are those of the finished map, and say so; the chart's area is its pixel's attribution."""
    finished, count = truth.payload["methods"]["integrated_gradients"], found["played"][0]["count"]
    unit = "piece" if truth.state.rule == "exact" else "step"
    after = f"Integrated Gradients, after {'its only ' + unit if count == 1 else f'all {count} {unit}s'}"
    assert all(part.startswith(after) for part in found["side"]), found["side"]
    missed, delta_f = finished["delta"], truth.delta_f
    if finished["share"] is not None and finished["share"] > 1e-3:
        assert ("too much, of ΔF" in found["side"][1]) == (missed * delta_f > 0)
        assert ("missing, of ΔF" in found["side"][1]) == (missed * delta_f < 0)
    assert "Still" not in found["result"] and "ΔF" in found["result"]
    value = finished["top"][0][2]
    drawn = area(*found["chart"], steps=truth.state.rule != "trapezoid")
    assert abs(drawn - value) <= 1e-5 * np.abs(found["chart"][1]).max() + 1e-12, truth.state
    assert "area =" in found["area"] and close(numerals(found["area"])[-1], value, 0.006, 1e-12)
    ends = re.fullmatch(r"F along the path, from (.+) at the baseline to (.+) at your picture; .*; (\d+) ReLU switch(es)?", found["path"])
    assert ends is not None
    assert all(close(numerals(text)[0], truth.payload["f"][end], 0.006, 0.0005) for text, end in zip(ends.groups()[:2], ("baseline", "input"), strict=True))
    assert int(ends[3]) == len(floats(truth.payload["exact"]["switches"])) and (ends[4] is None) == (ends[3] == "1")


def test_a_gradient_of_zero_is_neither_small_nor_large(visit: Visit, models: Mapping[str, Model]) -> None:
    visit.to_tab("integrated")
    numbers = json.loads(json.dumps(answer(State(rule="exact"), models)))
    numbers["path"]["gradients"] = "A" * len(numbers["path"]["gradients"].rstrip("=")) + "=" * numbers["path"]["gradients"].count("=")
    found = visit.page.evaluate(SHOW, [{**State(rule="exact").to_json(), "tab": "integrated"}, numbers, [0.5]])
    assert [one["claim"] for one in found["played"][0]["said"]] == ["place", "no slope", "advice", "sum so far"]


def test_the_figures_at_the_side_say_what_they_are_of_while_playing(visit: Visit) -> None:
    visit.to_tab("integrated")
    heights, figures = set(), set()
    for step in ("0", "1", "25", "50"):
        visit.page.locator("#scrub").fill(step)
        heights.add(visit.page.evaluate("() => document.getElementById('facts').offsetHeight"))
        figures.add(tuple(visit.text(part) for part in ("scores", "f-table", "top-pixels", "completeness", "snr")))
    assert len(heights) == len(figures) == 1  # they stay, and their captions say so
    captions = visit.page.locator("#facts .of")
    assert captions.all_inner_texts() == ["Integrated Gradients, after all 50 steps"] * 3
    visit.to_tab("saliency")
    assert captions.all_inner_texts() == ["Vanilla gradient"] * 3
    gradient = visit.numbers()["methods"]["gradient"]
    assert gradient["delta"] < 0 < visit.numbers()["f"]["delta"]
    assert f"missing, of ΔF\n{100 * gradient['share']:.1f} %" in visit.text("completeness")
    assert "share of ΔF" not in visit.text("facts")


def test_the_path_of_a_rule_whose_weights_fall_short_ends_short(visits: Visits, server: Server, models: Mapping[str, Model]) -> None:
    visit = visits(server.address).open("?v=2&tab=integrated")
    truth, found = shown(visit, State(rule="captum-trapezoid", steps=4), models, [0.5])
    beside_the_step(truth, found)
    assert abs(found["chart"][0][-1] - nodes("captum-trapezoid", 4)[1].sum()) < 1e-12


def test_what_is_said_of_the_pinned_ones_is_true_of_their_maps(visits: Visits, server: Server) -> None:
    for pinned in ("gradient,smoothgrad", "gradient,gradient_times_input,lrp_zplus,deeplift"):
        visit = visits(server.address, apart=True).open(f"?v=2&tab=compare&pin={pinned}&noise=0.002")
        names = pinned.split(",")
        visit.until("(names) => names.every((name) => (explorer.resultOf(name) || {}).map)", names)
        visit.rest()
        maps = {name: visit.page.evaluate("(name) => [...explorer.resultOf(name).map]", name) for name in names}
        titles = {name: visit.page.evaluate("(name) => explorer.view.config.methods[name].title", name) for name in names}
        pairs = {
            f"{titles[a]} and {titles[b]}": float(stats.spearmanr(maps[a], maps[b]).statistic)
            for i, a in enumerate(names)
            for b in names[i + 1 :]
        }
        ends = {f"{chosen} ({pairs[chosen]:.2f})".replace("(-", "(−") for chosen in (max(pairs, key=pairs.__getitem__), min(pairs, key=pairs.__getitem__))}
        told = visit.text("words")
        assert all(end in told for end in ends), told
        if "smoothgrad" in names:
            assert "σ = 0.002" in visit.text("compare-maps")


NEAR = {"Vanilla gradient": "gradient", "SmoothGrad": "smoothgrad", "Gradient × input": "gradient_times_input"}

# The headline and second line of Compare, and of each map its peak, its limit and whether it is drawn blank.
COMPARED = """
() => {
  const { view, maps } = explorer;
  const shown = Object.fromEntries(maps.filter(({ options, root }) => options.magnifies && root.closest("#compare-maps")).map((map) => [map.options.name, { peak: map.peak, limit: map.limit, faint: map.faint }]));
  return { shown, said: ["headline", "second", "more"].map((id) => document.getElementById(id).innerText), scale: view.path.scale };
}
"""


def test_what_compare_says_of_blank_maps_is_true_of_them(visits: Visits, server: Server) -> None:
    four = "&pin=gradient,smoothgrad,gradient_times_input,integrated_gradients"
    met = set()
    for link in (f"{four}", f"{four}&scale=own", f"{four}&out=logit", f"{four}&p=black&base=white", f"{four}&noise=1", "&pin=gradient,integrated_gradients,deeplift"):
        visit = visits(server.address, apart=True).open(f"?v=2&tab=compare{link}")
        visit.until("() => explorer.view.state.pinned.every((name) => (explorer.resultOf(name) || {}).map)")
        visit.rest()
        found = visit.page.evaluate(COMPARED)
        shown, (headline, second, more) = found["shown"], found["said"]
        blank = {name for name, map_ in shown.items() if 0 < map_["peak"] < 0.04 * map_["limit"]}
        assert blank == {name for name, map_ in shown.items() if map_["faint"]}
        gradient = np.abs(visit.numbers()["methods"]["gradient"]["map"]).max()
        if "blank" in headline:
            met.add("blank")
            counts = {"Two": 2, "Three": 3}
            named = {name for title, name in NEAR.items() if headline.startswith(f"{title} looks")}
            assert named <= blank and (named or counts[headline.split()[0]] <= len(blank & set(NEAR.values())))
            assert ("is flat there" in headline) == (gradient < 0.04 * found["scale"])
            assert "noise=1" not in link or "SmoothGrad" not in headline
        assert ("must add up" in second + more) == ("deeplift" not in link)
    assert met


def test_maps_that_are_awaited_or_flat_are_called_that(visits: Visits, server: Server) -> None:
    visit = visits(server.address).open("?v=2&tab=compare&pin=integrated_gradients,shapley_values&p=black")
    visit.until("() => /flat/.test(document.getElementById('words').textContent)")
    assert "No two of these maps can be compared" in visit.text("words")
    assert "on their way" in visit.page.evaluate("() => explorer.sentenceFor(['integrated_gradients', 'shapley_values'], [undefined, undefined])")
    visit.open("?v=2&tab=compare&pin=gradient,cam")  # which does not apply to this network
    assert "Pin two methods" in visit.text("words")


def test_what_is_said_of_all_methods_is_true_of_their_answers(visits: Visits, server: Server) -> None:
    for link in ("?v=2&tab=methods", "?v=2&tab=methods&p=white&base=white&net=digits"):
        visit = visits(server.address, apart=True).open(link)
        visit.page.locator("#methods-all > summary").click()
        visit.until("() => /methods answer for this network/.test(document.getElementById('more').textContent)")
        visit.rest()
        results = {
            title: result
            for title, result in visit.page.evaluate(
                "() => Object.entries(explorer.knownResults()).map(([name, result]) => [explorer.view.config.methods[name].title, result])"
            )
            if result.get("map")
        }
        told = " ".join(visit.page.locator("#more > li").all_text_contents())  # out of view there is no inner text
        promised = {title: result for title, result in results.items() if result["expected_sum"] is not None}
        kept = [title for title, result in promised.items() if abs(sum(result["map"]) - result["expected_sum"]) <= max(0.01 * abs(result["expected_sum"]), 1e-8 * np.abs(result["map"]).sum())]
        assert told.startswith(f"{len(results)} methods answer for this network. For {len(promised)} it is known")
        assert f"{len(kept)} come within 1 % of it here" in told
        ratios = {title: np.abs(result["map"]).max() / np.abs(result["map"]).mean() for title, result in results.items() if any(result["map"])}
        ends = re.search(r"most concentrated map is that of (.+) \(peak ÷ mean .+\), the most diffuse that of (.+) \(", told)
        assert ends is not None
        assert close(ratios[ends[1]], max(ratios.values())) and close(ratios[ends[2]], min(ratios.values()))
