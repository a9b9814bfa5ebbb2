"""Hostile requests: every response is an answer or a refusal in one sentence, and other clients are not affected. ``make fuzz`` sends many more."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from random import Random

import pytest
import yaml
from asgi import client_of
from each import each
from serving import awaited

from app import create_app
from bench.bodies import sessions
from bench.serving import ROOT, running
from bench.wire import Endpoint, Reply
from explorer.link import KEYS
from tests.fuzz.checks import violations
from tests.fuzz.fuzzer import fuzz
from tests.fuzz.requests import IN_THE_APP, ON_THE_WIRE, FuzzRequest, Maker, fuzz_request, links

SEED = 20
EACH = 200  # requests of a kind in the app
SOURCE = sessions()
CLIENT = client_of()


def answered(request: FuzzRequest) -> Reply:
    """The app's response, in the form of the HTTP client."""
    given = CLIENT.open(f"/{request.path}", method=request.method, data=request.body, headers=list(request.headers))
    head = "".join(f"{name}: {value}\r\n" for name, value in given.headers)
    return Reply(given.status_code, {name.lower(): value for name, value in given.headers}, given.get_data(), head.encode())


@pytest.mark.parametrize("maker", list(dict.fromkeys(IN_THE_APP)), ids=lambda maker: maker.__name__)
def test_every_response_in_the_app_is_an_answer_or_a_refusal_in_one_sentence(maker: Maker) -> None:
    refused = 0
    for number in range(EACH):
        request = maker(Random(f"{SEED} {number}"), SOURCE)
        reply = answered(request)
        assert not violations(reply), (number, violations(reply), request.body[:300])
        refused += reply.status >= 400
    assert refused >= EACH / 4 or maker.__name__ == "links"  # links are read leniently; other kinds must be refused often


def test_the_links_of_the_fuzzer_have_every_key_that_a_link_can_have() -> None:
    bodies = [links(Random(f"{SEED} {number}"), SOURCE) for number in range(EACH)]
    asked = [json.loads(request.body)["inputs"][0]["value"]["link"] for request in bodies if request.body]
    used = Counter(key for link in asked for key in re.findall(r"[?&;](\w+)=", link))
    assert min(used[key] for key in (*KEYS.values(), "px")) > 10


def test_no_address_of_a_file_that_dash_registers_breaks_a_rule() -> None:
    registered = create_app().state.dash.registered_paths.items()
    names = [f"_dash-component-suites/{package}/{path}" for package, paths in registered for path in paths]
    assert len(names) > 30 and any(name.endswith(".map") for name in names)
    for name in names:
        folder, _, file = name.rpartition("/")
        stem, dot, suffix = file.partition(".")
        ways = [name, f"{name}.map", f"{folder}/{stem}.v4_4_1m1700000000{dot}{suffix}", f"{name}?v=1", f"{name}/", name.upper(), folder]
        ways += [f"static/{version}/{file}" for version in ("0", "0123456789abcdef", "..", "%00")] + [f"assets/{file}"]
        for path in ways:
            assert not violations(answered(FuzzRequest("suites", method="GET", path=path, headers=()))), path


def as_shipped() -> dict[str, str]:
    """The settings of a replica in deploy/kubernetes, and the access log."""
    deployment = yaml.safe_load((ROOT / "deploy" / "kubernetes" / "deployment.yaml").read_text(encoding="utf-8"))
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry["value"] for entry in container["env"]} | {"ACCESS_LOG": "1"}


@pytest.mark.parametrize("settings", [{}, as_shipped()], ids=["defaults", "Kubernetes"])
def test_a_real_server_refuses_invalid_http_and_a_class_that_uses_it_is_not_affected(settings: dict[str, str]) -> None:
    settings = {"WORKERS": "2", **settings}
    with tempfile.TemporaryFile() as log:
        with running("app.py", stderr=log, **settings) as (port, server):
            endpoint = Endpoint("127.0.0.1", port, settings.get("URL_PREFIX", "/"))
            outcome = awaited(fuzz(endpoint, server, requests=400, seed=SEED, students=3, source=SOURCE[:1]))
        log.seek(0)
        output = log.read().decode()
    assert outcome.failures() == []
    assert {"paths", "methods", "headers", "framing", "mutated"} <= set(outcome.report.statuses)
    assert "Traceback" not in output and "unexpected error" not in output, output[-3000:]
    assert ('"path"' in output) == ("ACCESS_LOG" in settings)


# ---------------------------------------------------------------- the fuzzer itself


def reply(status: int, body: str, kind: str = "text/plain", **headers: str) -> Reply:
    """A response as from a server."""
    named = {"content-type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return Reply(status, named, body.encode(), f"HTTP/1.1 {status} X\r\n{head}\r\n".encode())


GOOD = (
    reply(200, '{"a": 1}', "application/json"),
    reply(400, "The body must be JSON.\n"),
    reply(404, "There is nothing at this address."),
    reply(503, "Many are asking just now; please try again in a moment.\n", retry_after="2"),
    reply(308, "", location="/explorer/"),
)
BAD = {
    "an error of ours": reply(500, "Something went wrong on the server.\n"),
    "busy without Retry-After": reply(503, "Many are asking just now.\n"),
    "a page": reply(400, "<html><h1>Bad Request</h1></html>", "text/html"),
    "two lines": reply(400, "No.\nReally not.\n"),
    "no full stop": reply(404, "Not found\n"),
    "nothing": reply(400, ""),
    "a stack": reply(400, 'Traceback (most recent call last): File "x".\n'),
    "a path": reply(400, "Cannot read explorer/state.py today.\n"),
    "half of JSON": reply(200, '{"a": ', "application/json"),
    "NaN": reply(200, '{"a": NaN}', "application/json"),
    "a file of ours": reply(200, "def create_app() -> Dash:"),
    "a smuggled header": reply(200, "", x_split="yes"),
    "a cookie": reply(200, "", set_cookie="a=b"),
    "sent away": reply(302, "", location="//evil.example/"),
}


@each("good", GOOD)
def test_a_valid_response_breaks_no_rule(good: Reply) -> None:
    assert violations(good) == []


@each("bad", BAD)
def test_an_invalid_response_breaks_a_rule(bad: str) -> None:
    assert violations(BAD[bad])


def test_a_request_of_the_fuzzer_can_be_repeated() -> None:
    first, again = ([fuzz_request(SEED, number, SOURCE) for number in range(200)] for _ in range(2))
    assert first == again
    assert first != [fuzz_request(SEED + 1, number, SOURCE) for number in range(200)]
    assert {request.kind for request in first} == {maker.__name__ for maker in (*IN_THE_APP, *ON_THE_WIRE)}
