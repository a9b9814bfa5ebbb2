"""The lessons in the browser: each is played from start to end, wrong answers too; links, Back, resuming, phones, embedding."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from explorer.hiding import HIDEABLE
from explorer.lessons import CONTROLS, PREDICATES, TEXTS, Lesson, Step, read_lessons
from explorer.models import load_zoo

from .conftest import Server
from .test_looks import AXE, violations
from .visit import Visit, embedded

Visits = Callable[..., Visit]
LESSONS = read_lessons(TEXTS, load_zoo())
UNWRITTEN = re.compile(r"NaN|undefined|null|\[object|Infinity|\*\*")
CARD = "#lesson-card"
PHASE = "(phase) => document.querySelector('#lesson-card').dataset.phase === phase && !document.querySelector('#lesson-card').hidden"


def open_lesson(visit: Visit, name: str, step: int = 1, more: str = "") -> None:
    visit.open(f"?lesson={name}{f'&step={step}' if step > 1 else ''}{more}&v=2")
    visit.page.locator(f"{CARD} .lesson-title").wait_for()
    visit.rest()


def phase(visit: Visit) -> str:
    return str(visit.page.locator(CARD).get_attribute("data-phase"))


def predict(visit: Visit, step: Step, *, right: bool) -> None:
    """Choose the right answer or the first wrong one; mark pixels where the step asks for that."""
    if step.mark:
        cells = visit.page.locator(f"{CARD} .to-mark .mark-cell")
        for i in range(step.mark.pixels):
            cells.nth(9 * i % 64).click()
        visit.page.get_by_role("button", name="Show the map").click()
    elif step.choices:
        index = next(i for i, choice in enumerate(step.choices) if choice.right == right)
        visit.page.locator(f"{CARD} .lesson-choice").nth(index).click()


# ---- what a visitor does for each predicate


def _paint(visit: Visit, pixels: int) -> None:
    for column in range(pixels):
        before = visit.pixels[7 - column]
        visit.page.locator(".paint-cell").nth(7 - column).click()
        visit.until("([i, before]) => view.state.pixels[i] !== before || before === 1", [7 - column, before])


def _lower_p(visit: Visit, p: float) -> None:
    for column in range(7, -1, -1):
        visit.rest()
        if visit.page.evaluate("() => explorer.view.answer.scores[explorer.view.answer.target]") < p:
            return
        visit.page.locator(".paint-cell").nth(column).click()
    visit.rest()


def _other_class(visit: Visit) -> None:
    visit.page.locator(".scores button").nth(3).click()


def _play(visit: Visit) -> None:
    visit.page.locator("#speed").evaluate("(speed) => { speed.value = '60'; }")
    visit.page.locator("#play").click()


def _slide(visit: Visit, low: float, high: float) -> None:
    visit.page.locator("#scrub").evaluate("(slider, share) => { slider.value = Math.round(share * slider.max); slider.dispatchEvent(new Event('input', { bubbles: true })); }", (low + high) / 2)


def _lab(visit: Visit, lab: str) -> None:
    visit.page.locator(f"[data-open={lab}] .lab-choice").first.click()


def _nothing(visit: Visit, **_: Any) -> None:
    """Another predicate of the same step says what is to be done."""


DO: Mapping[str, Callable[..., None]] = {
    "tab_is": lambda visit, tab: visit.page.locator(f"#tab-{tab}").click(),
    "network_is": lambda visit, network: visit.page.locator("#network").select_option(network),
    "output_is": lambda visit, output: visit.page.locator(f"#output input[value={output}]").check(),
    "baseline_is": lambda visit, baseline: visit.page.locator(f"#baselines [data-name={baseline}]").click(),
    "pattern_is": lambda visit, pattern: visit.page.locator(f"#patterns [data-name={pattern}]").click(),
    "rule_is": lambda visit, rule: visit.page.locator("#rule").select_option(rule),
    "steps_at_most": lambda visit, steps: visit.page.locator("#steps").fill(str(steps)),
    "steps_at_least": lambda visit, steps: visit.page.locator("#steps").fill(str(steps)),
    "samples_at_least": lambda visit, samples: visit.page.locator("#samples").fill(str(samples)),
    "samples_at_most": lambda visit, samples: visit.page.locator("#samples").fill(str(samples)),
    "noise_at_least": lambda visit, noise: visit.page.locator("#noise_level").fill(str(noise)),
    "noise_at_most": lambda visit, noise: visit.page.locator("#noise_level").fill(str(noise)),
    "scale_is": lambda visit, scale: visit.page.locator(f"#scale input[value={scale}]").check(),
    "painted": _paint,
    "p_below": _lower_p,
    "other_class": _other_class,
    "missing_above": _nothing,
    "missing_below": _nothing,
    "played": _play,
    "playhead_between": _slide,
    "magnified": lambda visit: visit.page.locator("[role=tabpanel]:not([hidden]) .map-foot .btn:not(.needless)").first.click(),
    "pixel_chosen": lambda visit: visit.page.locator("[role=tabpanel]:not([hidden]) .map:has(.scale-signed) .map-surface").last.click(),
    "marked": _nothing,
    "lab_answered": _lab,
}


def act(visit: Visit, step: Step) -> None:
    """What the task asks for."""
    for name, arguments in step.done.items():
        DO[name](visit, **arguments)


def test_there_is_a_way_to_fulfil_every_predicate_that_a_lesson_uses() -> None:
    used = {name for lesson in LESSONS.values() for step in lesson.steps for name in step.done}
    assert used <= DO.keys() <= PREDICATES.keys()


def told(visit: Visit, what: str) -> None:
    assert not (found := UNWRITTEN.search(visit.page.locator(CARD).inner_text())), f"{what}: {found}"


@pytest.mark.parametrize("name", LESSONS)
def test_every_lesson_can_be_played_from_start_to_end(name: str, visits: Visits, server: Server) -> None:
    lesson, visit = LESSONS[name], visits(server.address)
    open_lesson(visit, name)
    for number, step in enumerate(lesson.steps, 1):
        place = f"{name}, step {number}"
        visit.until("([name, number]) => view.state.lesson === name && view.state.lesson_step === number", [name, number])
        visit.rest()
        assert visit.page.locator(f"{CARD} .lesson-title").inner_text() == step.title
        asks = bool(step.choices or step.mark)
        assert phase(visit) == ("predict" if asks else "act"), place
        told(visit, place)
        predict(visit, step, right=True)
        if step.done.keys() != {"marked"}:
            assert phase(visit) == "act", f"{place}: it is done before anything was done"
            if step.points:
                visit.page.locator(".lesson-target").wait_for()
                assert visit.page.locator(".lesson-target").evaluate("(one, selector) => one.matches(selector)", CONTROLS[step.points][0]), place
            told(visit, place)
            assert visit.page.locator(f"{CARD} .lesson-next").inner_text() in ("Skip", "All lessons")
            act(visit, step)
        visit.until(PHASE, "explain")
        told(visit, place)
        said = visit.page.locator(f"{CARD} .lesson-said").inner_text()
        assert "Done." in said and ("✓ As you predicted" in said) == bool(step.choices)
        assert visit.page.locator(".lesson-target").count() == 0
        visit.page.locator(f"{CARD} .lesson-next").click()
    last = list(LESSONS)[-1] == name
    if last:
        visit.page.locator("dialog[open] .lesson-list").wait_for()
        visit.press("Escape")
    else:
        visit.until("(name) => view.state.lesson === name", list(LESSONS)[list(LESSONS).index(name) + 1])
    kept = json.loads(visit.page.evaluate("() => sessionStorage.getItem('explorer-lessons')"))
    assert sorted(kept[name]["done"]) == list(range(1, len(lesson.steps) + 1))


@pytest.mark.parametrize("name", [name for name in LESSONS if any(step.choices for step in LESSONS[name].steps)])
def test_every_wrong_answer_gets_feedback_that_names_the_idea(name: str, visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    open_lesson(visit, name)
    for number, step in enumerate(LESSONS[name].steps, 1):
        for index, choice in enumerate(step.choices):
            if choice.right:
                continue
            visit.page.locator(f"{CARD} .lesson-choice").nth(index).click()
            assert "Done." not in visit.page.locator(CARD).inner_text()
            act(visit, step)
            visit.until(PHASE, "explain")
            feedback = visit.page.locator(f"{CARD} .lesson-feedback")
            assert feedback.inner_html() == choice.feedback or feedback.evaluate("(one) => one.innerHTML.length") > 0
            assert feedback.locator("em, strong").count() >= 1 and "✗ You predicted" in visit.page.locator(CARD).inner_text()
            if step.start is None:
                break  # it starts with what is there: done again, it would be done at once
            visit.page.get_by_role("button", name="Again").click()
            visit.until(PHASE, "predict")
            visit.rest()
        if number < len(LESSONS[name].steps):
            visit.page.locator(f"{CARD} .lesson-dot").nth(number).click()
            visit.until("(number) => view.state.lesson_step === number", number + 1)
            visit.rest()
