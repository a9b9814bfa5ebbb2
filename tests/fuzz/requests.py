"""The requests of the fuzzer: mutated bodies, hostile links, types, sizes, paths and headers, and invalid HTTP.

Every kind is a function of a seeded random generator and the recorded sessions, so request 1234 of seed 5 is always the same.
"""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any
from urllib.parse import quote

from bench.bodies import Body, Session
from bench.students import UPDATE
from explorer.attribution import METHODS as ATTRIBUTIONS
from explorer.hiding import HIDEABLE
from explorer.labs import LABS
from explorer.link import FIELDS as LINK_KEYS

JSON = (("Content-Type", "application/json"),)
SPLIT = "\r\nX-Split: yes"  # becomes a response header if a value of the request is copied into one
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 63, 500, 501, 2**31, 2**53, -(2**63), 10**30, 10**400, 0.5, -0.0, 1e-320, 1e308, 1.7976931348623157e308,
    float("nan"), float("inf"), float("-inf"), "", " ", "0", "1e5", "NaN", "null", "predicted", "black", "drawing", "exact", "shapes", "digits-cnn",
    "\0", "a\0b", "\ud800", "\udfff\ud800", "\u202egnp.exe", "ﷺ" * 30, "🐈‍⬛" * 20, "e\u0301" * 40, "Ⅷ", "٣", "x" * 3000, "../../etc/passwd",
    "<img src=x onerror=alert(1)>", "{{7*7}}", "%s%n", "__class__", "__proto__", "constructor", f"a{SPLIT}", "%0d%0aX-Split:%20yes", "'", '"', "\\",
    [], {}, [[]], [None], {"": ""}, {"type": "state"}, [0.5] * 64, [0] * 63, [1] * 65, [2] * 64, [True] * 64, [[0] * 8] * 8, ["0"] * 64,
    {"lime": {"samples": 10**9}}, {"lime": {}}, {"guided_ig": {"steps": 0}}, {"nothing": {}}, {"smoothgrad": {"samples": 500}},
)  # fmt: skip
# Invalid names of outputs and inputs, beside the valid ones.
ODD_NAMES: tuple[Any, ...] = (
    "config.data", "state.data", "scale.value", "explanation.storage_type", "explanation", ".", "..", "...", "..explanation.data..", "ALL", "MATCH",
    "..explanation.data...method-answers.data..", '{"type":"explanation"}.data', '{"index":["ALL"]}.data', "explanation.data@0", "__proto__.data",
    "_pages_content.children", "explanation.data\0", f"explanation.data{SPLIT}", " explanation.data", "EXPLANATION.DATA", "method-answers.data",
    "explanation.data", "a.b.c", "{", '{"a":', "state", "config", "method-question", "state\0", {"type": "state"}, {"index": ["ALL"]}, {"__proto__": 1},
    ["explanation.data"], ["state.data"] * 500, {"id": "config", "property": "data", "value": 1}, [{"id": "state", "property": "__class__"}], "children",
)  # fmt: skip
KEYS = (
    "ask state link methods pixels network target output baseline baseline_seed drawing steps rule samples noise_level seed clip"
    " options pinned tab scale lab lab_settings __proto__ constructor toString value id property inputs outputs"
    " output changedPropIds background longCallback cacheKey job oldJob cancelJob parsedChangedPropsIds sideUpdate running"
).split()


@dataclass(frozen=True, slots=True)
class FuzzRequest:
    """One request of the fuzzer.

    Attributes:
        kind: name of its kind.
        method, path: the path is relative to the server's prefix, as it is sent.
        headers: in addition to those of every request.
        body: sent with the correct length.
        raw: a whole request as bytes, instead of the others; ``%PREFIX%`` and ``%HOST%`` are replaced.
        may_close: whether the server may close the connection instead of answering.
    """

    kind: str
    body: bytes = b""
    method: str = "POST"
    path: str = UPDATE
    headers: tuple[tuple[str, str], ...] = JSON
    raw: bytes | None = None
    may_close: bool = False

    def wire(self, prefix: str, host: str) -> bytes:
        """The bytes to send."""
        if self.raw is not None:
            return self.raw.replace(b"%PREFIX%", prefix.encode()).replace(b"%HOST%", host.encode())
        lines = [f"{self.method} {prefix}{self.path} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body or self.method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + self.body


Source = Sequence[Session]
Maker = Callable[[Random, Source], FuzzRequest]


def recorded(rng: Random, source: Source) -> Body:
    """One of the recorded bodies; rarely one about methods, as those take longest."""
    session = rng.choice(source)
    if rng.random() < 0.1:
        return rng.choice(session.portions)
    return rng.choice([session.opening, *(body for stroke in session.strokes for _, body in stroke.requests)])


def _text(value: Any, rng: Random) -> bytes:
    return json.dumps(value, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


# ---------------------------------------------------------------- bodies and links


def mutated(rng: Random, source: Source) -> FuzzRequest:
    """A recorded body with one to three of its parts replaced, removed, renamed, moved or wrapped; often only outside the question."""
    tree = json.loads(recorded(rng, source).with_number(rng.randrange(1000)))
    around = rng.random() < 0.4  # other outputs, inputs, patterns, Dash's own fields
    for _ in range(rng.randint(1, 3)):
        if positions := list(_positions(tree, skip="value" if around else None)):
            (holder, key), (other, at) = rng.choice(positions), rng.choice(positions)
            odd = rng.choice(ODD_NAMES if around else ODD_VALUES)
            _mutate(holder, key, copy.deepcopy(rng.choice([odd, odd, other[at]])), rng)
    arguments = ("", "", "?cancelJob=1&job=2", "?cacheKey=x&job=y", "?cacheKey=%00", "?oldJob=1&oldJob=2", "?%ff=%fe", "?a=" + "b" * 3000)
    return FuzzRequest("mutated", _text(tree, rng), path=UPDATE + (rng.choice(arguments) if around else ""))


def _positions(tree: Any, skip: str | None) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) in a tree, except one key; of a list only its ends."""
    if isinstance(tree, dict | list):
        for key in list(tree) if isinstance(tree, dict) else sorted({0, len(tree) - 1} if tree else ()):
            if key != skip:
                yield tree, key
                yield from _positions(tree[key], skip)


def _mutate(holder: Any, key: Any, new: Any, rng: Random) -> None:
    value = holder[key]
    action = rng.choice(["delete", "rename", "add", "wrap", "scale", "replace", "replace"])
    if action == "delete" and isinstance(holder, dict):
        del holder[key]
    elif action == "rename" and isinstance(holder, dict):
        holder[rng.choice(KEYS)] = holder.pop(key)
    elif action == "add" and isinstance(holder, dict):
        holder[rng.choice(KEYS)] = new
    elif action == "wrap":
        holder[key] = rng.choice([[value], {"value": value}, str(value), [value] * 3])
    elif action == "scale" and isinstance(value, int | float) and abs(value) < 1e9:
        holder[key] = value * rng.choice([-1, 2, 1000, 1e9, 1e300]) + rng.choice([0, 1, 0.5])
    else:
        holder[key] = new


def about_labs(rng: Random, source: Source) -> FuzzRequest:
    """A question about a lab with any settings, right or odd; the state is that of a recorded stroke."""
    _, body = rng.choice(rng.choice(rng.choice(source).strokes).requests)
    tree = json.loads(body.with_number(rng.randrange(1000)))
    tree |= {"output": "lab-answers.data", "outputs": {"id": "lab-answers", "property": "data"}, "changedPropIds": ["lab-question.data"]}
    name = rng.choice([*LABS, "alchemy"])
    known = LABS[name].settings if name in LABS else ()
    settings = {setting.name: rng.choice([setting.default, setting.low, setting.high, *setting.choices, rng.choice(ODD_VALUES)]) for setting in known if rng.random() < 0.5}
    question = tree["inputs"][0] | {"id": "lab-question"}
    question["value"] |= {"lab": rng.choice([{"name": name, "settings": settings}] * 9 + [rng.choice(ODD_VALUES)])}
    question["value"]["state"]["network"] = rng.choice(["shapes", "digits", "digits", "logistic"])
    return FuzzRequest("about_labs", _text(tree | {"inputs": [question]}, rng))


def about_notebooks(rng: Random, source: Source) -> FuzzRequest:
    """A question for a notebook with any pinned methods, right or odd, and any address; the state is that of a recorded stroke."""
    _, body = rng.choice(rng.choice(rng.choice(source).strokes).requests)
    tree = json.loads(body.with_number(rng.randrange(1000)))
    tree |= {"output": "notebook-answers.data", "outputs": {"id": "notebook-answers", "property": "data"}, "changedPropIds": ["notebook-question.data"]}
    question = tree["inputs"][0] | {"id": "notebook-question"}
    question["value"] |= {"address": rng.choice(["", "", "", "https://example.org/?v=2", "javascript:0", "https://[](", *ODD_VALUES])}
    question["value"]["state"]["pinned"] = rng.choice([rng.sample([*ATTRIBUTIONS], rng.randint(0, 5))] * 5 + [rng.choice(ODD_VALUES)])
    return FuzzRequest("about_notebooks", _text(tree | {"inputs": [question]}, rng))


def torn(rng: Random, source: Source) -> FuzzRequest:
    """A recorded body that is cut, spliced, with changed bytes, duplicate keys, invalid JSON or another encoding; or random bytes."""
    text, other = (recorded(rng, source).with_number(rng.randrange(1000)) for _ in range(2))
    at = rng.randrange(len(text))
    invalid_number = rng.choice([b"NaN", b"Infinity", b"-Infinity", b"null", b"1e999", b"[]", b"undefined", b"nul", b"0x1F", b"01", b"1.", b"+1"])
    count = rng.choice([0, 1, 2, 10, 100, 2000])
    tokens = ["{", "}", "[", "]", ":", ",", '"', "null", "true", "1", "-", "e", "\\u", "NaN", "output", "\ud800", "é", "\0", "\n"]
    return FuzzRequest("torn", rng.choice([
        rng.randbytes(count),
        "".join(rng.choices(tokens, k=count)).encode("utf-8", "surrogatepass"),
        "".join(chr(rng.randrange(0x11_0000)) for _ in range(count)).encode("utf-8", "surrogatepass"),
        _text(rng.choice([rng.choice(ODD_VALUES), rng.choices(ODD_VALUES, k=5), dict(zip(KEYS, rng.choices(ODD_VALUES, k=5), strict=False))]), rng),
        text[:at],
        text[at:],
        text[:at] + other[at:],
        text[:at] + bytes([rng.randrange(256)]) + text[at + 1 :],
        text[:at] + rng.randbytes(rng.randint(1, 20)) + text[at:],
        text.replace(b'"ask":', b'"ask":%b,"ask":' % invalid_number),
        text.replace(b"false", invalid_number),
        text.replace(b'"value":', b'"value":null,"value":'),
        b'{"output":"config.data",' + text[1:],
        text[:-1] + b',"output":"state.data"}',
        text.replace(b'"', b"'"),
        text + rng.choice([b"}", b"\0", b"\n\n", text, b"//x"]),
        rng.choice([b"\xef\xbb\xbf", b"\0\0\xfe\xff", b" " * 500, b"\x1f\x8b"]) + text,
        text.decode().encode(rng.choice(["utf-16", "utf-32", "utf-16-le", "utf-7", "cp037"])),
        text.replace(b"shapes", "schöne\udc80".encode("latin-1", "replace")),
        text.replace(b":", b"\\u003a", 3),
    ]))  # fmt: skip


def links(rng: Random, source: Source) -> FuzzRequest:
    """A link, in a body or as the page's own address, with settings that are wrong, twice, endless or no text at all."""
    keys = [*LINK_KEYS, "V", "NET", "utm_source", "__proto__"]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    values = [
        *(str(odd)[:200] for odd in ODD_VALUES), *("".join(rng.choices(letters, k=k)) for k in (1, 3, 67, 68, 131, 193) for _ in range(8)),
        "lime.samples:300", "lime.samples:0", "lime.nothing:1", "a.b:c", "lrp_epsilon.epsilon:1e308", "," * 40, "x.y:" + "9" * 300, "lime,lime", "BAAvw" + "A" * 64,
        "%00", "%ff%fe", "%ed%a0%80", "%0d%0aX-Split:%20yes", "%", "%zz", "%u0041", "+", "%2526", "ring", "logit", "noise", "methods", "xrai,gradient,nothing",
        "tour", "walk-the-path", "tour/../tour", "network,methods,labs", "network,,nothing", ",".join(HIDEABLE), "network," * 30,
    ]  # fmt: skip
    parts = [f"{rng.choice(keys)}={rng.choice(values)}" for _ in range(rng.choice([0, 1, 1, 2, 3, 8, 60]))]
    link = "?v=1&" + rng.choice(["&", ";", "&&"]).join(parts)
    if rng.random() < 0.1:
        link = rng.choice([link[:10], "?" * 50, link * 3, "#" + link, link.replace("?v=1", "?v=2"), link.replace("v=1", "v=" + "9" * 2000)])
    if rng.random() < 0.3:
        return FuzzRequest("links", method="GET", path=quote(link, safe="?&=;%+~!*'(),:@/", errors="surrogatepass"), headers=())
    body = json.loads(rng.choice(source).opening.with_number(1))
    body["inputs"][0]["value"] = {"ask": rng.randrange(1000), "link": link}
    return FuzzRequest("links", _text(body, rng))


@cache
def _bomb() -> bytes:
    """Ten kilobytes that decompress to ten megabytes."""
    return gzip.compress(b"0" * 10_000_000, mtime=0)


def typed(rng: Random, source: Source) -> FuzzRequest:
    """A recorded body with a wrong type, charset or coding; some decompress to a thousand times their size."""
    body = recorded(rng, source).with_number(1)
    types = (
        "application/json", "text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x",
        "application/json; charset=utf-16", "application/json; charset=idna", "application/json; charset=rot13", "application/json; charset=", "text/json",
        "application/problem+json", "application/json;;;;", "APPLICATION/JSON", "application/json, text/html", "*/*", "application/jsonp", "a" * 3000,
        'application/json; charset="', "application/json\t; x=\ud83d",
    )  # fmt: skip
    codings = ("gzip", "deflate", "br", "zstd", "identity", "gzip, gzip", "x-gzip", "nothing", "")
    compressed = gzip.compress(body, mtime=0)
    bodies = [body, compressed, compressed[:50], _bomb(), gzip.compress(_bomb(), mtime=0)]
    headers = [("Content-Type", rng.choice(types).encode("utf-8", "replace").decode())]
    if rng.random() < 0.6:
        headers.append(("Content-Encoding", rng.choice(codings)))
    if rng.random() < 0.1:
        headers += JSON
    return FuzzRequest("typed", rng.choice(bodies), headers=tuple(headers))


def sized(rng: Random, source: Source) -> FuzzRequest:
    """Bodies that are deep, long or full of digits, near and above the limit of 64 kB."""
    tree = json.loads(recorded(rng, source).with_number(1))
    depth = rng.choice([20, 100, 500, 900, 990, 1000, 1100, 5000, 30_000])
    size = rng.choice([1000, 60_000, 65_000, 65_536, 65_537, 66_000, 200_000, 1_000_000])
    digits = rng.choice([300, 400, 4299, 4300, 4301, 20_000, 60_000])
    tree["inputs"][0]["value"] = {"ask": 1, "state": {rng.choice(KEYS): "HERE"}}
    inside = rng.choice([
        "[" * depth + "]" * depth,
        '{"a":' * depth + "1" + "}" * depth,
        '"' + "x" * size + '"',
        "[" + "0," * (size // 2) + "0]",
        "{" + ",".join(f'"{i}":0' for i in range(size // 8)) + "}",
        "9" * digits,
        "0." + "3" * digits,
        "-1e" + "9" * min(digits, 400),
        '"' + "\\ud83d" * (size // 6) + '"',
    ])  # fmt: skip
    text = json.dumps(tree).replace('"HERE"', inside)
    if rng.random() < 0.2:
        text = rng.choice(["[" * size, " " * size, "{" * depth, '{"output":' * depth, "9" * size])
    return FuzzRequest("sized", text.encode())


# ---------------------------------------------------------------- paths, methods, headers and framing


FOLDERS = (
    "", "assets/", "assets/css/", "assets/vendor/", "static/", "static/0123456789ab/", "_dash-component-suites/", "_dash-component-suites/dash/",
    "_dash-component-suites/plotly/package_data/", "_dash-component-suites/dash/deps/", "_dash-component-suites/torch/", "_dash-layout/",
    "_dash-dependencies/", UPDATE + "/", "_favicon.ico/", "_reload-hash/", "healthz/", "readyz/", "metrics/", "_alive_x/",
)  # fmt: skip
CLIMBS = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "%2e./", "..\\", "..%5c", "%252e%252e%252f", "..%c0%af", "%00/", "....//", "..;/", ".//", "/", "~/", "..%00/", "%c0%ae/")
FILES = (
    "app.py", "requirements.txt", "etc/passwd", "proc/self/environ", "explorer/state.py", "explorer/page/layout.py", "models/digits.npz", ".git/config",
    "__init__.py", "dash.py", "Makefile", "", ".", "con", "a" * 3000, "x.js%00.py", "boot.js", "boot.js/", "boot.js%20", "BOOT.JS", "boot.js::$DATA",
)  # fmt: skip
METHODS = ("PUT", "DELETE", "TRACE", "CONNECT", "PATCH", "OPTIONS", "HEAD", "PROPFIND", "QUERY", "PRI", "FOO", "get", "GET", "POST", "A" * 40)
PATHS = ("", "_dash-layout", "_dash-dependencies", UPDATE, "assets/boot.js", "healthz", "readyz", "metrics", "nothing", "_reload-hash")


def paths(rng: Random, source: Source) -> FuzzRequest:
    """A path traversal in one of many spellings."""
    path = rng.choice(FOLDERS) + rng.choice(CLIMBS) * rng.choice([1, 1, 2, 3, 5, 9]) + rng.choice(FILES)
    return FuzzRequest("paths", method="GET", path=path, headers=())


def methods(rng: Random, source: Source) -> FuzzRequest:
    """A method that a path does not allow, or an unknown one; sometimes with a body."""
    method = rng.choice(METHODS)
    body = recorded(rng, source).with_number(1) if method not in ("HEAD", "GET") and rng.random() < 0.5 else b""
    return FuzzRequest("methods", body, method, rng.choice(PATHS), JSON if body else ())


def headers(rng: Random, source: Source) -> FuzzRequest:
    """Headers that are huge, many, duplicate, false, or not for this server."""
    odd = [
        ("X-Long", "x" * rng.choice([1000, 8000, 8200, 20_000, 70_000])), ("Cookie", "a=b; " * rng.choice([1, 500])), ("Host", "evil.example"),
        ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "gopher"), ("X-Forwarded-Prefix", "//evil.example"), ("X-Forwarded-For", "1.2.3.4, ::1"),
        ("Forwarded", "for=x;host=evil.example"), ("X-HTTP-Method-Override", "DELETE"), ("X-Original-URL", "/../app.py"), ("Range", "bytes=0-0,5-,-1"),
        ("Range", "bytes=9999999999999-"), ("If-None-Match", '"' + "x" * 500), ("If-Modified-Since", "Thu, 99 Foo 99999 99:99:99 GMT"),
        ("Accept-Encoding", "gzip;q=NaN, br;q=-1, *;q=0"), ("Accept-Language", "," * 2000), ("Accept", "text/html;q=" + "9" * 500), ("Expect", "200-ok"),
        ("Expect", "100-continue"), ("Upgrade", "h2c"), ("Upgrade", "websocket"), ("Connection", "close, keep-alive, X-Long"), ("Authorization", "Basic \x7f"),
        ("SCRIPT_NAME", "/x"), ("Script-Name", "/x"), ("Path_Info", "/x"), ("REMOTE_USER", "root"), ("Proxy", "http://evil.example"), ("Origin", "null"),
        ("Referer", "javascript:alert(1)" + SPLIT.replace("\r\n", "%0d%0a")), ("Transfer-Encoding", "identity"), ("Content-Length", "0"), ("Content-Length", "-1"),
        ("X-Bad\0", "x"), ("X-Bad", "\0"), ("X-Bad", "a\rb"), ("X Bad", "x"), ("", "x"), ("X-Bad", "a\r\n compressed"), ("X-Ünï", "x"), ("X-Utf", "кошка"),
        ("Sec-Fetch-Site", "cross-site"), ("Access-Control-Request-Method", "POST"), ("TE", "trailers"), ("Trailer", "Content-Length"), ("Via", "1.1 x" * 99),
    ]  # fmt: skip
    many = [(f"X-{i}", "x") for i in range(rng.choice([90, 101, 1000]))] if rng.random() < 0.1 else []
    chosen = [*rng.sample(odd, rng.randint(1, 3)), *many]
    if rng.random() < 0.5:
        return FuzzRequest("headers", method="GET", path=rng.choice(PATHS), headers=tuple(chosen), may_close=True)
    body = recorded(rng, source).with_number(1)
    return FuzzRequest("headers", body, headers=(*JSON, *chosen), may_close=True)


def framing(rng: Random, source: Source) -> FuzzRequest:
    """Wrong lengths, chunked bodies, two requests in one, and invalid HTTP."""
    body = recorded(rng, source).with_number(1)
    start = b"POST %PREFIX%" + UPDATE.encode() + b" HTTP/1.1\r\nHost: %HOST%\r\nContent-Type: application/json\r\n"
    chunked, size = start + b"Transfer-Encoding: chunked\r\n\r\n", b"%x" % len(body)
    get = b"GET %PREFIX% HTTP/1.1\r\nHost: %HOST%\r\n\r\n"
    raws = [
        start + b"Content-Length: %d\r\n\r\n" % (len(body) + rng.choice([1, 100, 10**6])) + body,
        start + b"Content-Length: %d\r\n\r\n" % rng.randrange(len(body)) + body,
        start + b"Content-Length: %b\r\n\r\n" % rng.choice([b"-1", b"1e3", b"0x10", b"+5", b"9" * 400, b"", b" ", b"5, 6", b"\xb2", b"1_0"]) + body,
        start + b"Content-Length: 5\r\nContent-Length: %d\r\n\r\n" % len(body) + body,
        start + b"\r\n" + body,
        chunked + size + b"\r\n" + body + b"\r\n0\r\n\r\n",
        chunked + b"".join(b"1\r\n%c\r\n" % byte for byte in body[:300]) + b"0\r\n\r\n",
        chunked + size + b";" + b"x" * rng.choice([10, 20_000]) + b"\r\n" + body + b"\r\n0\r\n\r\n",
        chunked + rng.choice([b"-1", b"fffffffffffffffff", b"zz", b"", b"0x5", b"1_0"]) + b"\r\n" + body + b"\r\n0\r\n\r\n",
        chunked + size + b"\r\n" + body[:40],
        chunked + b"%x\r\n" % (len(body) - 1) + body + b"\r\n0\r\n\r\n",
        chunked + b"20000\r\n" + b" " * 0x20000 + b"\r\n" + b"20000\r\n" + b" " * 0x20000 + b"\r\n0\r\n\r\n",
        start + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get,
        start + b"Transfer-Encoding: %b\r\n\r\n" % rng.choice([b"gzip", b"chunked, chunked", b"xchunked", b"chunked\t", b"\x0bchunked", b"gzip, chunked"]) + size + b"\r\n" + body + b"\r\n0\r\n\r\n",
        get.replace(b"%PREFIX%", rng.choice([b"http://evil.example/", b"https://%HOST%/", b"//evil.example/%2e%2e", b"*", b"evil.example:443", b"", b"ftp://x/", b"http://[", b"\\"])),
        get.replace(b"HTTP/1.1", rng.choice([b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/9.9", b"HTTP/1.", b"HTTPS/1.1", b"", b"HTTP/1.1 x", b"http/1.1"])),
        get.replace(b"GET ", rng.choice([b"GET  ", b"GET\t", b" GET ", b"\r\n\r\nGET ", b"G\0T ", b"", b"GET\r\n", "GÉT ".encode()])),
        get.replace(b"%PREFIX% ", rng.choice([b"%PREFIX%a b ", b"%PREFIX%\xff\xfe ", b"%PREFIX%?\x00 ", b"%PREFIX%" + b"a" * 9000 + b" ", b"%PREFIX%?" + b"b" * 100_000 + b" "])),
        get.replace(b"\r\n", b"\n"),
        get.replace(b"Host: %HOST%\r\n", b""),
        get.replace(b"Host: %HOST%\r\n", b"Host: a\r\nHost: b\r\n"),
        get.replace(b"%HOST%", rng.choice([b"a" * 3000, b"evil.example\t", b"\xff", b"a,b", b"[::1", b"a:99999", b"a/b?c"])),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(100),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + rng.randbytes(50),
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + get,
        rng.randbytes(rng.choice([1, 10, 500, 9000])),
        rng.randbytes(40) + b"\r\n\r\n",
    ]  # fmt: skip
    return FuzzRequest("framing", raw=rng.choice(raws), may_close=True)


IN_THE_APP: tuple[Maker, ...] = (mutated, mutated, mutated, mutated, mutated, mutated, torn, torn, torn, links, links, typed, sized, about_labs, about_notebooks)
ON_THE_WIRE: tuple[Maker, ...] = (paths, paths, paths, methods, headers, framing)


def fuzz_request(seed: int, number: int, source: Source, makers: tuple[Maker, ...] = (*IN_THE_APP, *ON_THE_WIRE)) -> FuzzRequest:
    """Request `number` of a seed; always the same."""
    return makers[number % len(makers)](Random(f"{seed} {number}"), source)
