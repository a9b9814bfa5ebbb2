"""The server over HTTP: the one question, refusals in one sentence, headers, and nothing from anywhere else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from asgi import client_of, respond
from hypothesis import given
from hypothesis import strategies as st
from links import link_of
from werkzeug.test import Client, TestResponse

from app import create_app
from bench.asking import named
from explorer.models import Model, load_zoo
from explorer.page import callbacks
from explorer.page.answer import answer
from explorer.page.callbacks import MAX_ASK
from explorer.server.errors import MAX_BODY
from explorer.state import State, StateError

Zoo = Mapping[str, Model]
ROOT = Path(__file__).resolve().parents[2]
UPDATE = "/_dash-update-component"
ZOO = load_zoo()
APP = create_app()
CLIENT = client_of(APP)
CALLBACKS = APP.state.dash.callback_map


@pytest.fixture
def client() -> Client:
    """A visitor without a browser."""
    return CLIENT


def body(question: object = ..., **changes: Any) -> dict[str, Any]:
    """The request that the page sends for a question, with some of its parts changed."""
    whole = {
        "output": "explanation.data",
        "outputs": {"id": "explanation", "property": "data"},
        "inputs": [{"id": "state", "property": "data", "value": {"ask": 1, "state": {}} if question is ... else question}],
        "changedPropIds": ["state.data"],
        "state": [],
    }
    return {name: value for name, value in {**whole, **changes}.items() if value is not ...}


def post(client: Client, data: object, content_type: str = "application/json") -> TestResponse:
    """Send a body; anything but text and bytes as JSON."""
    return client.post(UPDATE, data=data if isinstance(data, str | bytes) else json.dumps(data), content_type=content_type)


def said_in(response: TestResponse) -> dict[str, Any]:
    """The answer in a response; it travels as text, which Dash does not look into."""
    data = response.get_json()["response"]["explanation"]["data"]
    said: dict[str, Any] = json.loads(data) if isinstance(data, str) else data
    return said


def refused(response: TestResponse, *statuses: int) -> str:
    """The sentence of a refusal, checked to be one, in plain text, with nothing of the inside in it."""
    text = response.get_data(as_text=True)
    assert response.status_code in (statuses or (400,)), (response.status_code, text[:300])
    assert response.mimetype == "text/plain"
    assert text.endswith(".\n") and text.count("\n") == 1, text
    assert len(text) < 600
    assert not re.search(r"Traceback|File \"|<[a-z!/]|\.py\b|line \d", text), text
    assert text[0].isupper() or text[0] == "'", text
    return text


# ---------------------------------------------------------------- respond, as a function


def test_a_question_with_a_state_gets_that_states_answer() -> None:
    state = State(network="digits", target="predicted", steps=7, samples=5)
    said = respond({"ask": 7, "state": state.to_json()}, ZOO)
    assert said == {"ask": 7, **answer(state, ZOO)}


def test_a_saliency_question_needs_no_exact_path() -> None:
    state = State(network="digits", steps=7, samples=5, tab="saliency")
    said = respond({"ask": 7, "state": state.to_json()}, ZOO)
    assert said == {"ask": 7, **answer(state, ZOO, exact=False)} and said["exact"] is None


def test_a_question_with_a_link_also_says_what_state_it_was_read_as() -> None:
    state = State(network="digits", steps=7, samples=5)
    said = respond({"ask": 0, "link": link_of(state)}, ZOO)
    assert said["state"] == state.to_json()
    assert said["notices"] == []
    assert said["methods"] == answer(state, ZOO)["methods"]


def test_a_damaged_link_is_answered_with_notices() -> None:
    said = respond({"ask": 0, "link": "?v=2&m=0&n=7"}, ZOO)
    assert said["state"] == State(samples=7).to_json()
    assert len(said["notices"]) == 1 and "steps" in said["notices"][0]


NO_QUESTIONS: list[Any] = [
    None,
    [],
    "state",
    1,
    {},
    {"state": {}},
    {"ask": 1},
    {"ask": True, "state": {}},
    {"ask": -1, "state": {}},
    {"ask": 1.0, "state": {}},
    {"ask": "1", "state": {}},
    {"ask": None, "state": {}},
    {"ask": MAX_ASK, "state": {}},
    {"ask": 10**400, "state": {}},
    {"ask": 1, "state": None},
    {"ask": 1, "state": []},
    {"ask": 1, "state": {"steps": 0}},
    {"ask": 1, "state": {}, "link": ""},
    {"ask": 1, "state": {}, "more": 1},
    {"ask": 1, "link": None},
    {"ask": 1, "link": 5},
    {"ask": 1, "link": ["?v=2"]},
    {"ask": 1, "link": "", "methods": ["gradient"]},
    {"ask": 1, "link": "x" * 100_000},
]


def test_what_is_no_question_is_refused(client: Client) -> None:
    for question in NO_QUESTIONS:
        with pytest.raises(StateError) as refusal:
            respond(question, ZOO)
        assert str(refusal.value), question
        small = len(json.dumps(question)) < MAX_BODY
        refused(post(client, body(question)), 400 if small else 413)


def test_another_kind_of_question_needs_only_its_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(state: State, asked: Any, zoo: Zoo) -> tuple[bytes, Callable[[], dict[str, Any]]]:
        if not isinstance(asked, int):
            raise StateError("'depth' must be a whole number")
        return b"key", lambda: {"found": asked + state.steps}

    monkeypatch.setattr(callbacks, "KINDS", {**callbacks.KINDS, "lab": callbacks.QuestionKind("lab", "lab-question", prepare, asks="depth")})
    read = callbacks.read_question("lab", {"ask": 3, "state": {"steps": 7}, "depth": 2}, ZOO)
    assert json.loads(read.joined(json.dumps(read.work()).encode())) == {"ask": 3, "found": 9}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"depth": "2"}, "whole number"),
        ({}, "must hold 'ask', 'state' and 'depth'"),
        ({"state": {"steps": 0}}, "steps"),
        ({"more": 1}, "must hold"),
    ]
    for change, said in wrong:
        question = {"ask": 3, "state": {}, **({"depth": 2} if change else {}), **change}
        with pytest.raises(StateError, match=said):
            callbacks.read_question("lab", question, ZOO)


# ---------------------------------------------------------------- the right request


def test_the_pages_own_request_gets_the_numbers(client: Client) -> None:
    state = State(network="digits", target=3, rule="midpoint", steps=9, samples=4)
    response = post(client, body({"ask": 12, "state": state.to_json()}))
    assert response.status_code == 200 and response.mimetype == "application/json"
    assert said_in(response) == json.loads(json.dumps({"ask": 12, **answer(state, ZOO)}))


def test_two_apps_answer_alike_and_requests_leave_no_trace(client: Client) -> None:
    asked = body({"ask": 1, "state": State(pixels=(0.5,) * 64).to_json()})
    first = post(client, asked).get_data()
    post(client, body({"ask": 2, "state": State(network="digits").to_json()}))
    refused(post(client, body({"ask": 3, "state": {"steps": 0}})))
    assert post(client, asked).get_data() == first
    assert post(client_of(), asked).get_data() == first


def test_a_byte_order_mark_or_another_encoding_is_read_or_refused_but_no_error(client: Client) -> None:
    text = json.dumps(body())
    for data in (text.encode("utf-8-sig"), text.encode("utf-16"), text.encode("utf-32")):
        response = post(client, data)
        if response.status_code != 200:
            refused(response)


# ---------------------------------------------------------------- every wrong request


def nested(depth: int, inside: str = '{"ask": 1, "state": %s}') -> str:
    """The page's request with a list nested so deep as (a part of) its state."""
    return json.dumps(body("HERE")).replace('"HERE"', inside % ("[" * depth + "]" * depth))


GOOD = json.dumps(body())
WRONG: dict[str, str | bytes | dict[str, Any] | list[Any]] = {
    "empty": "",
    "blank": "  ",
    "no json": "hello",
    "html": "<script>alert(1)</script>",
    "form": "output=explanation.data",
    "truncated": GOOD[:-20],
    "trailing": GOOD + "}",
    "single quotes": GOOD.replace('"', "'"),
    "not utf-8": GOOD.encode()[:-2] + b"\xff\xfe}",
    "null byte": b"\0",
    "a NaN": GOOD.replace('"ask": 1', '"ask": NaN'),
    "a NaN pixel": json.dumps(body({"ask": 1, "state": {"pixels": [float("nan")] * 64}})),
    "an Infinity": json.dumps(body({"ask": 1, "state": {"noise_level": float("inf")}})),
    "1e999": GOOD.replace('"state": {}', '"state": {"noise_level": 1e999}'),
    "a huge int": GOOD.replace('"ask": 1', '"ask": ' + "9" * 400),
    "an int too long to read": GOOD.replace('"ask": 1', '"ask": ' + "9" * 10_000),
    "a huge pixel": json.dumps(body({"ask": 1, "state": {"pixels": [10**400] * 64}})),
    "a huge drawing": json.dumps(body({"ask": 1, "state": {"drawing": [-(10**400)] * 64}})),
    "a huge target": json.dumps(body({"ask": 1, "state": {"target": 10**4000}})),
    "a huge noise level": json.dumps(body({"ask": 1, "state": {"noise_level": 10**400}})),
    "a list": [body()],
    "a string": '"explanation.data"',
    "a number": "5",
    "null": "null",
    "true": "true",
    "an empty object": {},
    "no output": body(output=...),
    "an unknown output": body(output="words.children"),
    "a list of outputs": body(output=["explanation.data"]),
    "a multi-output": body(output="..explanation.data...state.data.."),
    "an output of a number": body(output=3),
    "no outputs": body(outputs=...),
    "other outputs": body(outputs={"id": "state", "property": "data"}),
    "outputs of a list": body(outputs=[{"id": "explanation", "property": "data"}]),
    "outputs without a property": body(outputs={"id": "explanation"}),
    "no inputs": body(inputs=...),
    "no input": body(inputs=[]),
    "inputs of an object": body(inputs={"id": "state"}),
    "two inputs": body(inputs=body()["inputs"] * 2),
    "an input of a string": body(inputs=["state.data"]),
    "an input of null": body(inputs=[None]),
    "a spoofed id": body(inputs=[{"id": "config", "property": "data", "value": {}}]),
    "a spoofed property": body(inputs=[{"id": "state", "property": "storage_type", "value": {}}]),
    "a pattern id": body(inputs=[{"id": {"type": "state"}, "property": "data", "value": {}}]),
    "an input without a value": body(inputs=[{"id": "state", "property": "data"}]),
    "a state part": body(state=[{"id": "state", "property": "data", "value": 1}]),
    "a state part of an object": body(state={}),
    "changed ids of a string": body(changedPropIds="state.data"),
    "changed ids of numbers": body(changedPropIds=[1]),
    "unicode": body({"ask": 1, "state": {"network": "кошка 🐈 \u202e"}}),
    "a lone surrogate": body({"ask": 1, "state": {"network": "\ud800"}}),
    "a surrogate field": body({"ask": 1, "state": {"\udfff": 1}}),
    "control characters": body({"ask": 1, "state": {"network": "a\r\nSet-Cookie: x=1"}}),
    "markup": body({"ask": 1, "state": {"network": "<img src=x onerror=alert(1)>"[:20]}}),
    "a clientside output": body(output=next(name for name in CALLBACKS if name != "explanation.data")),
}


def test_a_malformed_body_is_refused_in_one_sentence(client: Client) -> None:
    for name, wrong in WRONG.items():
        response = post(client, wrong)
        assert response.status_code == 400, name
        if name != "markup":
            refused(response)


def test_markup_in_a_refused_value_comes_back_as_plain_text(client: Client) -> None:
    response = post(client, WRONG["markup"])
    assert response.status_code == 400
    assert response.mimetype == "text/plain" and response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_another_content_type_is_refused_in_one_sentence(content_type: str, client: Client) -> None:
    assert "JSON" in refused(post(client, GOOD, content_type), 400, 415)


def test_deep_nesting_is_refused_in_one_sentence(client: Client) -> None:
    insides = ('{"ask": 1, "state": %s}', '{"ask": 1, "state": {"clip": %s}}', "%s")
    for depth, inside in product([50, 500, *range(900, 1010, 2)], insides):
        refused(post(client, nested(depth, inside)))
    refused(post(client, "[" * 60_000))
    refused(post(client, nested(100_000)), 413)


def test_a_body_over_the_limit_is_refused_as_too_large(client: Client) -> None:
    sentence = refused(post(client, " " * (MAX_BODY + 1)), 413)
    assert str(MAX_BODY // 1024) in sentence
    refused(post(client, " " * MAX_BODY))  # the limit itself is only no JSON


def test_the_largest_question_that_the_page_asks_is_far_below_the_limit() -> None:
    pixels = tuple((k * 37 % 2801) / 2800 for k in range(64))
    largest = State(pixels=pixels, baseline="drawing", drawing=pixels[::-1])
    assert len(json.dumps(body({"ask": MAX_ASK - 1, "state": largest.to_json()}))) < MAX_BODY / 4


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused_in_one_sentence(method: str, client: Client) -> None:
    refused(getattr(client, method)(UPDATE), 405)


@pytest.mark.parametrize(
    "path",
    ["/nope", "/assets/missing.js", "/assets/../app.py", "/assets/%2e%2e/app.py", "/_dash-component-suites/dash/missing.js",
     "/_dash-component-suites/torch/version.py"],
)  # fmt: skip
def test_what_is_not_there_is_said_to_be_missing(path: str, client: Client) -> None:
    refused(client.get(path), 404)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
known = st.sampled_from(["pixels", "drawing", "network", "target", "output", "baseline", "steps", "rule", "noise_level", "seed"])


@given(json_values | st.dictionaries(known, json_values, max_size=3))
def test_any_json_as_the_state_is_answered_or_refused_but_never_an_error(value: object) -> None:
    client = CLIENT
    for question in ({"ask": 1, "state": value}, value):
        response = post(client, body(question))
        assert response.status_code in (200, 400), response.get_data(as_text=True)[:300]
        if response.status_code == 400:
            assert response.get_data(as_text=True).count("\n") == 1


@given(json_values, st.sampled_from(["output", "outputs", "inputs", "state", "changedPropIds", "parsedChangedPropsIds"]))
def test_any_json_in_a_part_of_the_request_is_answered_or_refused(value: object, part: str) -> None:
    response = post(CLIENT, body(**{part: value}))
    assert response.status_code in (200, 400), response.get_data(as_text=True)[:300]


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_are_refused(data: bytes | str) -> None:
    refused(post(CLIENT, data if isinstance(data, bytes) else data.encode("utf-8", "replace")))


@given(st.text(max_size=300))
def test_any_text_as_the_link_is_answered(link: str) -> None:
    response = post(CLIENT, body({"ask": 1, "link": link}))
    assert response.status_code == 200
    assert all(isinstance(notice, str) for notice in said_in(response)["notices"])


# ---------------------------------------------------------------- the page and its headers


def directives(policy: str) -> dict[str, list[str]]:
    """A Content-Security-Policy by directive."""
    return {part.split()[0]: part.split()[1:] for part in policy.split(";")}


@pytest.mark.parametrize("path", ["/", UPDATE, "/_dash-layout", "/_dash-dependencies", "/healthz", "/assets/missing.js"])
def test_every_response_carries_the_policy_and_nosniff(path: str, client: Client) -> None:
    headers = client.get(path).headers
    policy = directives(headers["Content-Security-Policy"])
    scripts = policy["script-src"]
    assert "'self'" in scripts
    assert "'unsafe-inline'" not in scripts and "'unsafe-eval'" not in scripts
    assert not [source for values in policy.values() for source in values if "//" in source or source in ("http:", "https:")]
    assert policy["object-src"] == ["'none'"] and "default-src" in policy and "frame-ancestors" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in headers


def test_who_may_embed_the_page_can_be_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAME_ANCESTORS", "'self' https://lms.example")
    headers = client_of().get("/").headers
    assert directives(headers["Content-Security-Policy"])["frame-ancestors"] == ["'self'", "https://lms.example"]


def test_the_page_says_its_language_and_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/").get_data(as_text=True)
    assert re.search(r'<html[^>]* lang="en"', page)
    assert "<title>Gradient Attribution Explorer</title>" in page
    sources = re.findall(r'<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)="([^"]*)"', page)
    assert len(sources) >= 5
    for source in sources:
        assert source.startswith(("data:", "./")), source
        if not source.startswith("data:"):
            response = client.get(source.removeprefix("."))
            assert response.status_code == 200, source
            assert response.mimetype in ("text/javascript", "application/javascript", "text/css", "application/json"), source


def test_the_stylesheets_and_scripts_name_no_other_host(client: Client) -> None:
    for path in (ROOT / "assets").rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", path.read_text()), path
    for path in (ROOT / "assets").glob("*.js"):
        assert not re.search(r"https?://", path.read_text()), path


def test_the_health_check_answers(client: Client) -> None:
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("prefix", ["", "/explorer"], ids=["taken away by a proxy", "kept"])
def test_with_a_prefix_everything_is_there_whether_a_proxy_keeps_it_or_not(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URL_PREFIX", "/explorer/")
    client = client_of()
    page = client.get(f"{prefix}/")
    assert page.status_code == 200
    assert page.text == client.get("/explorer").text  # the slash at its end is often forgotten
    for address in named(page.text):
        assert address.startswith("/explorer/static/")
        assert client.get(prefix + address.removeprefix("/explorer")).status_code == 200
    assert client.get(f"{prefix}/healthz").status_code == 200
    assert client.post(prefix + UPDATE, json=body()).status_code == 200
    refused(client.post(prefix + UPDATE, data="x", content_type="application/json"))
    for other in ("/explorer/explorer/healthz", "/explorerhealthz", "/other/healthz"):
        assert client.get(other).status_code == 404


def test_a_prefix_is_known_however_a_proxy_writes_its_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URL_PREFIX", "/user/ann%C3%A9%40campus.example/proxy/absolute/8050")
    client = client_of()
    written = ("ann%C3%A9%40campus.example", "ann%c3%a9@campus.example", "ann%25C3%25A9%2540campus.example")  # JupyterHub's encodes twice
    for name in written:
        assert client.get(f"/user/{name}/proxy/absolute/8050/healthz").status_code == 200, name
    assert all(address.startswith("/user/ann%C3%A9%40campus.example/proxy/absolute/8050/static/") for address in named(client.get("/").text))


def imports_of(code: str, run: Callable[..., Any] = subprocess.run) -> set[str]:
    """The modules that a fresh interpreter has after running some code."""
    script = f"{code}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    return set(done.stdout.split())


def test_only_the_page_imports_dash() -> None:
    walk = (
        "import importlib, pkgutil, explorer.attribution as engine\n"
        "for module in pkgutil.walk_packages(engine.__path__, 'explorer.attribution.'): importlib.import_module(module.name)\n"
        "import explorer.models, explorer.pictures, explorer.state"
    )
    loaded = imports_of(walk)
    assert "explorer.attribution.methods.integrated_gradients" in loaded and "explorer.state" in loaded
    assert not [name for name in loaded if name.split(".")[0] in ("dash", "flask", "plotly", "dash_bootstrap_components")]
