"""Lessons are read whole or refused in one sentence that names file, step and fault; HTML in them is shown, never run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import ZOO, json_values

from explorer import export_network
from explorer.hiding import HIDEABLE
from explorer.lessons import CONTROLS, PREDICATES, TEXTS, LessonError, page_data, problems, read_lesson, read_lessons
from explorer.lessons.predicates import NETWORK, Argument
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
    "start": (with_step(start="?net=nothing&v=2"), r"step 1: the link of 'start' does not work: .*not 'nothing'\.$"),
    "no version": (with_step(start="?p=ring"), r"step 1: the link of 'start' must end in its version, as in"),
    "hide in start": (with_step(start="?hide=network&v=2"), r"must not have 'lesson', 'step' or 'hide'"),
    "start is no link": (with_step(start=3), r"'start' must be a link in quotes"),
    "start is words": (with_step(start="the ring"), r"'start' must be a link in quotes, such as '\?p=ring&v=2', not 'the ring'\."),
    "one choice": (with_step(choices=[{"text": "a", "right": True}]), r"step 1: 'choices' must be a list of 2 to 5 choices\."),
    "a year": (with_step(title=2024), r"'title' must be a text of 1 to 100 characters, not 2024; put quotes around it\."),
    "control": (with_step(points="salience"), r"there is no control 'salience' to point at; perhaps 'saliency' is meant\."),
    "beside": (with_step(beside="summe"), r"'beside' must be one of gradient, sum, not 'summe'\."),
    "predicate": (with_step(done={"tab_iss": {}}), r"there is no predicate 'tab_iss'; perhaps 'tab_is' is meant\."),
    "no predicate": (with_step(done={}), r"'done' must name at least one predicate"),
    "argument": (with_step(done={"tab_is": {"tap": 1}}), r"the predicate 'tab_is' needs tab: write tab_is: \{tab: …\}\."),
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
    "no such map": (with_step(choices="left out", mark={"map": "integrated_gradients", "pixels": 8}, done={"marked": {}}), r"step 1: 'start' does not show the map 'integrated_gradients'"),
    "marked without": (with_step(done={"marked": {}}), r"the predicate 'marked' needs 'mark'"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_in_one_sentence(what: str, tmp_path: Path) -> None:
    front, said = WRONG[what]
    path = written(tmp_path, front)
    with pytest.raises(LessonError) as wrong:
        read_lesson(path, ZOO)
    assert re.search(said, str(wrong.value)), str(wrong.value)
    assert all(re.fullmatch(r"01-mine\.md[:,] .*\.", line) for line in str(wrong.value).split("\n"))
    assert problems(tmp_path, ZOO) == str(wrong.value).split("\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"title: x", r"must begin with a line '---'"),
        (b"---\ntitle: [\n---\n", r"the YAML is wrong in line \d+: "),
        (b"---\ntitle: a: b\n---\n", r"wrong in line 2: mapping values are not allowed here; put quotes around"),
        (b"---\ntitle: \xff\n---\n", r"cannot be read as UTF-8 text; save it with the encoding UTF-8"),
        (b"---\nsteps:\n\t- title: x\n---\n", r"wrong in line 3: .*; indent with spaces, not with the tab key\."),
        (b"---\ntitle: 'x\nminutes: 5\n---\n", r"the quotes that open in line 2 are not closed\."),
        (b"---\ntitle: *x* y\n---\n", r"wrong in line 2: .*; put quotes around a text that begins with a sign"),
        (b"---\ntitle: x\nminutes: 5\ntitle: y\n---\n", r"'title' in line 4 stands in line 2 already\."),
        (b"---\ntitle: {a: 1, a: 2}\n---\n", r"'a' in line 2 stands in line 2 already\."),
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


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    front = {"titel": "x", "minutes": 0, "steps": [{**STEP, "points": "x", "done": {"marked": {}, "p_above": {"p": 2}, "seen": {}}}, {"title": "y", "choices": [{}, {"right": 1}]}]}
    written(tmp_path, front)
    (tmp_path / "02-no.md").write_text("no lesson")
    (tmp_path / "03-notepad.md.txt").write_text("no lesson")
    found = problems(tmp_path, ZOO)
    places = [said.split(":")[0] for said in found]
    assert places.count("01-mine.md") == 3 and places.count("01-mine.md, step 1") == 4 and places.count("02-no.md") == places.count("03-notepad.md.txt") == 1
    assert {"01-mine.md, step 2", "01-mine.md, step 2, choice 1", "01-mine.md, step 2, choice 2"} < set(places)
    assert len(found) == len(set(found))
    with pytest.raises(LessonError) as wrong:
        read_lessons(tmp_path, ZOO)
    assert list(wrong.value.problems) == found


@pytest.mark.parametrize("mangled", [lambda text: text.replace("\n", "\r\n"), lambda text: text.replace("\n", "\r"), lambda text: "\ufeff" + text], ids=["Windows", "old Mac", "BOM"])
def test_what_editors_do_to_a_file_changes_no_lesson(mangled: Callable[[str], str], tmp_path: Path) -> None:
    path = written(tmp_path, with_step(task="Führe es aus: *ß*."))
    plain = read_lesson(path, ZOO)
    path.write_bytes(mangled(path.read_text(encoding="utf-8")).encode())
    assert read_lesson(path, ZOO) == plain and "Führe" in plain.steps[0].task


def test_a_folder_without_lessons_is_a_fault_of_the_teachers_and_capitals_are_none(tmp_path: Path) -> None:
    assert re.fullmatch(r"There is no lesson in the folder '.*': .*\.md\.", *problems(tmp_path, ZOO))
    written(tmp_path, FRONT, name="01-mine.MD")
    assert problems(tmp_path, ZOO) == [] and list(read_lessons(tmp_path, ZOO)) == ["mine"]


def test_names_come_from_files_and_are_unique(tmp_path: Path) -> None:
    written(tmp_path, FRONT, name="02-second.md")
    written(tmp_path, FRONT, name="01-first-one.md")
    (tmp_path / "README.md").write_text("not a lesson")
    assert list(read_lessons(tmp_path, ZOO)) == ["first-one", "second"]
    written(tmp_path, FRONT, name="second.md")
    with pytest.raises(LessonError, match=r"^second\.md: the file 02-second\.md is the lesson 'second' already, so give one of them another name\.$"):
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


def checked(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "explorer.lessons", str(folder)]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    written(tmp_path, with_step(points="x"))
    done = checked(tmp_path)
    assert done.returncode == 1 and done.stderr == "01-mine.md, step 1: there is no control 'x' to point at.\n"
    none = tmp_path / "none"
    assert checked(none).stderr == f"There is no folder {str(none)!r}.\n"


def test_the_command_gives_links_and_knows_networks_of_ones_own(tmp_path: Path) -> None:
    export_network(torch.nn.Sequential(torch.nn.Linear(64, 2)), tmp_path / "my-net", classes=["one", "two"])
    folder = tmp_path / "lessons"
    folder.mkdir()
    written(folder, with_step(done={"network_is": {"network": "my-net"}}))
    written(folder, FRONT, name="tour.md")
    assert "must be one of shapes" in checked(folder).stderr
    done = checked(folder, NETWORKS=str(tmp_path))
    assert done.returncode == 0 and done.stdout.splitlines() == [
        "?lesson=mine&v=2: A lesson, 1 step",
        "?lesson=tour&v=2: A lesson, 1 step, in place of the explorer's own",
        "2 lessons, nothing wrong.",
    ]


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


def in_words(argument: Argument) -> str:
    if names := argument.names(ZOO):
        return f"one of {', '.join(names)}" + (", or [your own](own-network.md)" if argument.kind == NETWORK else "")
    return f"{'whole, ' if argument.whole else ''}{argument.low:g} to {argument.high:g}"


def test_the_tables_of_the_documentation_are_those_of_the_program() -> None:
    text = (ROOT / "docs" / "lessons.md").read_text(encoding="utf-8")
    predicates = {name: f"{one.says} | {'; '.join(f'`{key}`: {in_words(argument)}' for key, argument in one.arguments.items())}" for name, one in PREDICATES.items()}
    tables = {"## Links": HIDEABLE, "### Predicates": predicates, "### Controls to point at": {name: said for name, (_, said) in CONTROLS.items()}}
    for heading, wanted in tables.items():
        part = re.split(r"^#+ .*$", text.partition(f"{heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
        assert dict(re.findall(r"^\| `([\w-]+)` \| (.*?) \|$", part, re.MULTILINE)) == dict(wanted), heading


def test_the_example_of_the_documentation_is_a_lesson(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "lessons.md").read_text(encoding="utf-8")
    example = re.search(r"```markdown\n(.*?)```", text, re.DOTALL)
    assert example
    (tmp_path / "example.md").write_text(example[1], encoding="utf-8")
    assert problems(tmp_path, ZOO) == []
