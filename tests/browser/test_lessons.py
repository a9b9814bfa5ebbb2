"""The lessons in the browser: each is played from start to end, wrong answers too; links, Back, resuming, embedding."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from explorer.lessons import CONTROLS, PREDICATES, TEXTS, Step, read_lessons
from explorer.models import load_zoo

from .conftest import Server
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
            assert visit.page.locator(f"{CARD} .lesson-next").inner_text() in ("Skip", "Lessons")
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


# ---- the list, links, Back, and what is kept


def test_lessons_are_fetched_when_they_are_first_wanted(visits: Visits, server: Server) -> None:
    visit = visits(server.address, apart=True).open()
    assert not [r.url for r in visit.requests if "lessons" in r.url]
    visit.page.get_by_role("button", name="Lessons", exact=True).click()
    entries = visit.page.locator("dialog[open] .lesson-entry")
    entries.first.wait_for()
    assert entries.evaluate_all("(all) => all.map((one) => one.dataset.lesson)") == list(LESSONS)
    assert sorted(r.url.rsplit("/", 1)[1] for r in visit.requests if "lessons" in r.url) == ["lessons.js", "lessons.json"]
    entries.nth(3).click()
    visit.page.locator(f"{CARD} .lesson-title").wait_for()
    assert "lesson=walk-the-path" in visit.page.url and visit.page.evaluate("() => document.activeElement.classList.contains('lesson-title')")


def test_a_link_opens_a_step_with_the_state_that_it_starts_with(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    open_lesson(visit, "what-is-nothing", 2)
    assert "step 2 of 4" in visit.page.locator(CARD).inner_text() and visit.state["baseline"] == "black"
    open_lesson(visit, "noise-in-noise-out", 1)
    assert visit.state["network"] == "shapes-ordinary" and visit.state["samples"] == 3 and visit.state["tab"] == "compare"
    open_lesson(visit, "what-is-nothing", 2, "&p=ring")  # a link that says more, as Copy link writes it
    assert visit.page.evaluate("() => [...document.querySelectorAll('#patterns [aria-pressed=true]')].map((one) => one.dataset.name)") == ["ring"]
    open_lesson(visit, "what-is-nothing", 50)
    assert "step 4 of 4" in visit.page.locator(CARD).inner_text()


def test_an_unknown_lesson_is_a_notice(visits: Visits, server: Server) -> None:
    visit = visits(server.address).open("?lesson=none-such&v=2")
    visit.page.locator(".notice").wait_for()
    assert "There is no lesson “none-such” here." in visit.text("notices") and "lesson" not in visit.page.url and visit.page.locator(CARD).is_hidden()


def test_back_undoes_steps_and_a_lesson_can_be_left_and_resumed(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    open_lesson(visit, "sure-and-silent")
    predict(visit, LESSONS["sure-and-silent"].steps[0], right=True)
    act(visit, LESSONS["sure-and-silent"].steps[0])
    visit.until(PHASE, "explain")
    visit.page.locator(f"{CARD} .lesson-next").click()
    visit.until("() => view.state.lesson_step === 2")
    visit.page.get_by_role("radio", name="logit").check()
    visit.rest()
    visit.page.go_back()
    visit.until("() => view.state.output === 'probability' && view.state.lesson_step === 2")
    visit.page.go_back()
    visit.until("() => view.state.lesson_step === 1")
    visit.until(PHASE, "explain")  # what is done stays done
    visit.page.go_forward()
    visit.until("() => view.state.lesson_step === 2")
    visit.page.get_by_role("button", name="Leave the lesson").click()
    visit.page.locator(CARD).wait_for(state="hidden")
    assert "lesson" not in visit.page.url and visit.page.evaluate("() => document.activeElement.id") == "lessons"
    visit.page.reload()
    visit.rest()
    visit.page.get_by_role("button", name="Lessons", exact=True).click()
    entry = visit.page.locator("[data-lesson=sure-and-silent]")
    assert "1 of 4 steps done" in entry.inner_text() and "resume at step 2" in entry.inner_text()
    entry.click()
    visit.until("() => view.state.lesson_step === 2")
    visit.page.locator(f"{CARD} .lesson-dot[data-done=true]").wait_for()


def test_next_alone_completes_nothing(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    open_lesson(visit, "tour")
    for number in range(1, 11):
        visit.page.locator(f"{CARD} .lesson-next").click()
        visit.until("(number) => view.state.lesson_step === number", number + 1)
    assert visit.page.locator(f"{CARD} [data-done=true]").count() == 0
    assert json.loads(visit.page.evaluate("() => sessionStorage.getItem('explorer-lessons')"))["tour"]["done"] == []


def test_a_lesson_is_finished_with_whichever_step_is_done_last(visits: Visits, server: Server) -> None:
    name, last = "does-it-add-up", len(LESSONS["does-it-add-up"].steps)
    visit = visits(server.address)
    open_lesson(visit, name, last)
    for number in (last, *range(1, last)):
        visit.page.locator(f"{CARD} .lesson-dot").nth(number - 1).click()
        visit.until("(number) => view.state.lesson_step === number", number)
        visit.rest()
        predict(visit, LESSONS[name].steps[number - 1], right=True)
        act(visit, LESSONS[name].steps[number - 1])
        visit.until(PHASE, "explain")
        assert ("You finished this lesson." in visit.page.locator(CARD).inner_text()) == (number == last - 1)


# ---- course sites


@pytest.fixture(scope="module")
def course_server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("lessons")
    text = """---
title: Mine
minutes: 1
steps:
  - {title: One, start: "?v=2", points: saliency, task: "Open it. <script>alert(1)</script>", done: {tab_is: {tab: saliency}}, reveal: There., explain: So.}
---
My own.
"""
    (folder / "mine.md").write_text(text)
    server = Server(LESSONS=str(folder), LMS_ORIGIN="http://localhost")
    try:
        yield server.start()
    finally:
        server.stop()


def test_a_teachers_own_lesson_is_offered_and_its_html_shown(visits: Visits, course_server: Server) -> None:
    visit = visits(course_server.address, apart=True).open()
    visit.page.get_by_role("button", name="Lessons", exact=True).click()
    assert visit.page.locator("dialog[open] .lesson-list").last.locator(".lesson-entry").inner_text().startswith("Mine")
    visit.page.locator("[data-lesson=mine]").click()
    assert "<script>alert(1)</script>" in visit.page.locator(CARD).inner_text()


LISTEN = "() => { window.heard = []; window.addEventListener('message', (event) => window.heard.push(event.data)); }"


@pytest.mark.parametrize("told_", [True, False])
def test_a_finished_lesson_is_told_to_the_origin_that_is_named_and_to_no_other(told_: bool, visits: Visits, course_server: Server, server: Server) -> None:
    visit = visits((course_server if told_ else server).address, apart=True)
    with embedded(visit, "", f"?lesson={'mine' if told_ else 'tour'}&v=2") as frame:
        origin = visit.page.evaluate("() => location.origin")
        if told_:  # the port of the course's page is known only now
            frame.evaluate("(origin) => { window.explorer.view.config.lms_origin = origin; }", origin)
        visit.page.evaluate(LISTEN)
        frame.locator(f"{CARD} .lesson-title").wait_for()
        frame.locator("#tab-saliency").click()
        if told_:
            visit.page.wait_for_function("() => window.heard.length")
            frame.locator("#tab-compare").click()
            frame.locator("#tab-saliency").click()
        frame.locator("#tab-compare").click()
        frame.wait_for_function("() => explorer.view.state.tab === 'compare'")
        assert visit.page.evaluate("() => window.heard") == ([{"lesson": "mine", "step": 1, "done": True}] if told_ else [])
