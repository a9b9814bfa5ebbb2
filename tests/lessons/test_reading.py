"""Lessons are read whole or refused in one sentence that names file, step and fault; HTML in them is shown, never run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import ZOO, json_values

from explorer.hiding import HIDEABLE
from explorer.lessons import CONTROLS, PREDICATES, TEXTS, LessonError, page_data, problems, read_lesson, read_lessons
from explorer.link import read_link
from explorer.state import State

ROOT = Path(__file__).resolve().parents[2]
STEP: dict[str, Any] = {
    "title": "A step",
    "start": "?p=ring&tab=saliency&v=2",
    "points": "saliency",
    "predict": "What comes?",
    "choices": [{"text": "This.", "right": True}, {"text": "That.", "feedback": "It is *saturation*."}],
    "task": "Open **Saliency**.",
    "done": {"tab_is": {"tab": "saliency"}},
    "reveal": "It came.",
    "explain": "So it is.",
}
FRONT: dict[str, Any] = {"title": "A lesson", "minutes": 5, "steps": [STEP]}


def written(folder: Path, front: object, body: str = "About.", name: str = "01-mine.md") -> Path:
    path = folder / name
    path.write_text(f"---\n{yaml.safe_dump(front, allow_unicode=True)}---\n{body}\n", encoding="utf-8")
    return path


def with_step(**changes: Any) -> dict[str, Any]:
    return {**FRONT, "steps": [{key: value for key, value in {**STEP, **changes}.items() if value != "left out"}]}


def test_a_lesson_is_read_with_its_state_and_texts(tmp_path: Path) -> None:
    lesson = read_lesson(written(tmp_path, FRONT), ZOO, own=True)
    step = lesson.steps[0]
    assert (lesson.name, lesson.title, lesson.minutes, lesson.about, lesson.own) == ("mine", "A lesson", 5, "<p>About.</p>", True)
    assert step.task == "<p>Open <strong>Saliency</strong>.</p>" and step.choices[1].feedback == "It is <em>saturation</em>."
    assert step.start is not None and step.start.keys() == {"pixels", "tab"}
    assert State(**{**State().to_json(), **step.start}) == read_link(STEP["start"], ZOO)[0]
    assert json.loads(page_data({"mine": lesson}))["lessons"]["mine"]["steps"][0]["done"] == STEP["done"]


def test_html_is_shown_and_no_address_runs_a_script(tmp_path: Path) -> None:
    text = "<script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) ![p](http://other.example/p.png) [y](https://a.example)"
    step = read_lesson(written(tmp_path, with_step(task=text, reveal=text), text), ZOO).steps[0]
    for html in (step.task, step.reveal):
        assert set(re.findall(r"<(\w+)", html)) == {"p", "a"} and "&lt;script&gt;" in html and "&lt;img" in html
        assert re.findall(r'href="([^"]*)"', html) == ["http://other.example/p.png", "https://a.example"]


# what is wrong: (front matter, what the sentence says)
WRONG: dict[str, tuple[object, str]] = {
    "no mapping": ([1], r"01-mine\.md: the YAML must hold 'title', 'minutes' and 'steps'\."),
    "a key": ({**FRONT, "titel": "x"}, r"01-mine\.md: 'titel' is not known here; perhaps 'title' is meant\."),
    "no title": ({**FRONT, "title": ""}, r"01-mine\.md: 'title' must be a text"),
    "minutes": ({**FRONT, "minutes": "five"}, r"'minutes' must be a whole number from 1 to 180, not 'five'\."),
    "no steps": ({**FRONT, "steps": []}, r"'steps' must be a list of 1 to 20 steps\."),
    "a step": ({**FRONT, "steps": ["x"]}, r"01-mine\.md, step 1: a step must be a mapping"),
    "no start": (with_step(start="left out"), r"step 1: 'start' is missing"),
    "start": (with_step(start="?net=nothing&v=2"), r"step 1: the link of 'start' does not work: .*nothing"),
    "no version": (with_step(start="?p=ring"), r"step 1: the link of 'start' does not work: The link has no version"),
    "hide in start": (with_step(start="?hide=network&v=2"), r"must not have 'lesson', 'step' or 'hide'"),
    "start is no link": (with_step(start=3), r"'start' must be a link in quotes"),
    "control": (with_step(points="salience"), r"there is no control 'salience' to point at; perhaps 'saliency' is meant\."),
    "predicate": (with_step(done={"tab_iss": {}}), r"there is no predicate 'tab_iss'; perhaps 'tab_is' is meant\."),
    "no predicate": (with_step(done={}), r"'done' must name at least one predicate"),
    "argument": (with_step(done={"tab_is": {"tap": 1}}), r"the predicate 'tab_is' needs tab\."),
    "value": (with_step(done={"tab_is": {"tab": "x"}}), r"'tab' of the predicate 'tab_is' must be one of saliency, .*, not 'x'\."),
    "network": (with_step(done={"network_is": {"network": "x"}}), r"must be one of shapes, .*, not 'x'\."),
    "number": (with_step(done={"p_above": {"p": 2}}), r"must be a number from 0 to 1, not 2\."),
    "truth": (with_step(done={"steps_at_most": {"steps": True}}), r"must be a whole number from 1 to 500, not True\."),
    "needless": (with_step(done={"magnified": {"x": 1}}), r"'magnified' takes no arguments: write \{\}\."),
    "no task": (with_step(task="left out"), r"step 1: 'task' is missing\."),
    "no reveal": (with_step(reveal="left out"), r"step 1: 'reveal' is missing\."),
    "long": (with_step(explain="x" * 2000), r"'explain' must be a text of 1 to 1,500 characters"),
    "two right": (with_step(choices=[{"text": "a", "right": True}] * 2), r"exactly one choice must have 'right: true'\."),
    "no feedback": (with_step(choices=[{"text": "a", "right": True}, {"text": "b"}]), r"step 1, choice 2: 'feedback' is missing\."),
    "no question": (with_step(predict="left out"), r"'predict' and 'choices' belong together\."),
    "marks": (with_step(choices="left out", mark={"map": "lime", "pixels": 8}), r"'mark' must have a 'map', one of gradient, "),
    "both": (with_step(mark={"map": "gradient", "pixels": 8}), r"either 'choices' or 'mark', not both\."),
    "marked without": (with_step(done={"marked": {}}), r"the predicate 'marked' needs 'mark'"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_in_one_sentence(what: str, tmp_path: Path) -> None:
    front, said = WRONG[what]
    path = written(tmp_path, front)
    with pytest.raises(LessonError) as wrong:
        read_lesson(path, ZOO)
    assert re.search(said, str(wrong.value)), str(wrong.value)
    assert str(wrong.value).startswith("01-mine.md") and str(wrong.value).endswith(".") and "\n" not in str(wrong.value)
    assert problems(tmp_path, ZOO) == [str(wrong.value)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"title: x", r"must begin with a line '---'"),
        (b"---\ntitle: [\n---\n", r"the YAML is wrong in line \d+: "),
        (b"---\ntitle: a: b\n---\n", r"wrong in line 2: mapping values are not allowed here; put quotes around"),
        (b"---\ntitle: \xff\n---\n", r"cannot be read as UTF-8"),
        (b"---\n" + b"#" * 70_000 + b"\n---\n", r"larger than 60,000 bytes"),
        (b"---\ntitle: !!python/object/apply:os.getcwd []\n---\n", r"the YAML is wrong"),
        (b"---\nsteps: &a [*a]\ntitle: x\nminutes: 1\n---\n", r"step 1: a step must be a mapping"),
        (b"---\n" + b"[" * 20_000 + b"\n---\n", r"the YAML is wrong"),
    ],
)
def test_a_file_that_is_no_lesson_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(content)
    with pytest.raises(LessonError, match=said):
        read_lessons(tmp_path, ZOO)


def test_names_come_from_files_and_are_unique(tmp_path: Path) -> None:
    written(tmp_path, FRONT, name="02-second.md")
    written(tmp_path, FRONT, name="01-first-one.md")
    (tmp_path / "README.md").write_text("not a lesson")
    assert list(read_lessons(tmp_path, ZOO)) == ["first-one", "second"]
    written(tmp_path, FRONT, name="second.md")
    with pytest.raises(LessonError, match=r"second\.md: another file is the lesson 'second' already"):
        read_lessons(tmp_path, ZOO)
    written(tmp_path, FRONT, name="Über.md")
    assert any("small letters" in problem for problem in problems(tmp_path, ZOO))


@given(front=json_values | st.fixed_dictionaries({"title": json_values, "minutes": json_values, "steps": st.lists(st.dictionaries(st.sampled_from([*STEP, "mark", "text"]), json_values), max_size=2)}))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_in_a_file_it_is_a_lesson_or_refused(front: Any, tmp_path: Path) -> None:
    path = written(tmp_path, front)
    for said in problems(path.parent, ZOO):
        assert said.startswith("01-mine.md") and said.endswith(".")


@given(key=st.sampled_from(sorted(STEP)), value=json_values)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_odd_value_in_a_good_lesson_is_taken_or_refused(key: str, value: Any, tmp_path: Path) -> None:
    written(tmp_path, with_step(**{key: value}))
    found = problems(tmp_path, ZOO)
    assert all(", step 1" in said for said in found)
    if not found:
        json.loads(page_data(read_lessons(tmp_path, ZOO)))


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    written(tmp_path, with_step(points="x"))
    done = subprocess.run([sys.executable, "-m", "explorer.lessons", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr == "01-mine.md, step 1: there is no control 'x' to point at.\n"


# ---- the lessons that come with the explorer

LESSONS = read_lessons(TEXTS, ZOO)


def test_there_are_a_tour_and_seven_lessons_of_3_to_6_steps() -> None:
    assert len(LESSONS) == 8 and next(iter(LESSONS)) == "tour"
    for name, lesson in LESSONS.items():
        assert name == "tour" or (3 <= len(lesson.steps) <= 6 and all(step.choices or step.mark for step in lesson.steps))
    assert any(step.mark for lesson in LESSONS.values() for step in lesson.steps)


def test_sentences_of_lessons_are_short() -> None:
    for name, lesson in LESSONS.items():
        for number, step in enumerate(lesson.steps, 1):
            for text in (step.text, step.predict, step.task, step.reveal, step.explain, *(choice.feedback for choice in step.choices)):
                for sentence in re.split(r"(?<=[.?!:])\s", re.sub("<[^>]*>", "", text)):
                    assert len(sentence.split()) <= 24, f"{name}, step {number}: {sentence}"


def test_the_page_knows_every_predicate_and_hides_every_group() -> None:
    script = (ROOT / "assets" / "lessons" / "predicates.js").read_text(encoding="utf-8")
    assert set(re.findall(r"^  (\w+): \(", script, re.MULTILINE)) == set(PREDICATES)
    css = (ROOT / "assets" / "css" / "hide.css").read_text(encoding="utf-8")
    assert set(re.findall(r'data-hide~="(\w+)"', css)) == set(HIDEABLE)


def test_the_documentation_lists_predicates_controls_and_groups() -> None:
    text = (ROOT / "docs" / "lessons.md").read_text(encoding="utf-8")
    for name in (*PREDICATES, *CONTROLS, *HIDEABLE):
        assert f"`{name}`" in text, name


def test_the_example_of_the_documentation_is_a_lesson(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "lessons.md").read_text(encoding="utf-8")
    example = re.search(r"```markdown\n(.*?)```", text, re.DOTALL)
    assert example
    (tmp_path / "example.md").write_text(example[1], encoding="utf-8")
    assert problems(tmp_path, ZOO) == []
