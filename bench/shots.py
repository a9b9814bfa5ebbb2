"""What a fuzzer asks of the page's own address: recorded bodies bent out of shape, spoofed names, links, types and sizes.

Every kind is a function of a seeded source of chance and the recorded sessions, so that shot 1234 of seed 5 is always the same.
"""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any
from urllib.parse import quote

from bench.bodies import Body, Session

UPDATE = "_dash-update-component"
SPLIT = "\r\nX-Split: yes"  # comes back as a header where somebody copies what was sent into one
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 63, 500, 501, 2**31, 2**53, -(2**63), 10**30, 10**400, 0.5, -0.0, 1e-320, 1e308, 1.7976931348623157e308,
    float("nan"), float("inf"), float("-inf"), "", " ", "0", "1e5", "NaN", "null", "predicted", "black", "drawing", "exact", "shapes", "digits-cnn",
    "\0", "a\0b", "\ud800", "\udfff\ud800", "\u202egnp.exe", "ﷺ" * 30, "🐈‍⬛" * 20, "e\u0301" * 40, "Ⅷ", "٣", "x" * 3000, "../../etc/passwd",
    "<img src=x onerror=alert(1)>", "{{7*7}}", "%s%n", "__class__", "__proto__", "constructor", f"a{SPLIT}", "%0d%0aX-Split:%20yes", "'", '"', "\\",
    [], {}, [[]], [None], {"": ""}, {"type": "state"}, [0.5] * 64, [0] * 63, [1] * 65, [2] * 64, [True] * 64, [[0] * 8] * 8, ["0"] * 64,
    {"lime": {"samples": 10**9}}, {"lime": {}}, {"guided_ig": {"steps": 0}}, {"nothing": {}}, {"smoothgrad": {"samples": 500}},
)  # fmt: skip
KEYS = (
    "ask state link methods pixels network target output baseline baseline_seed drawing steps rule samples noise_level seed clip"
    " options pinned tab scale __proto__ constructor toString value id property inputs outputs"
).split()


@dataclass(frozen=True, slots=True)
class Shot:
    """One request of the fuzzer.

    Attributes:
        kind: what it tries.
        method, path: the path is below the server's prefix and written as it is to travel.
        headers: beside those that every request has.
        body: sent with its true length.
        raw: a whole request as bytes instead of all that; ``%PREFIX%`` and ``%HOST%`` are filled in.
        may_close: whether hanging up without a word is an answer to it.
    """

    kind: str
    body: bytes = b""
    method: str = "POST"
    path: str = UPDATE
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
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
Maker = Callable[[Random, Source], Shot]


def recorded(chance: Random, source: Source) -> Body:
    """One of the recorded bodies; those about methods, which take longest, seldom."""
    session = chance.choice(source)
    if chance.random() < 0.1:
        return chance.choice(session.portions)
    return chance.choice([session.opening, *(body for stroke in session.strokes for _, body in stroke.questions)])


def _tree(chance: Random, source: Source) -> Any:
    return json.loads(recorded(chance, source).asking(chance.randrange(1000)))


def _text(value: Any, chance: Random) -> bytes:
    return json.dumps(value, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")


# ---------------------------------------------------------------- bodies


def mutated(chance: Random, source: Source) -> Shot:
    """A recorded body with one to three of its parts replaced, removed, repeated, renamed, moved or wrapped."""
    tree = _tree(chance, source)
    for _ in range(chance.randint(1, 3)):
        _mutate(tree, chance)
    return Shot("mutated", _text(tree, chance))


def _mutate(tree: Any, chance: Random) -> None:
    places = list(_places(tree))
    if not places:
        return
    holder, key = chance.choice(places)
    act = chance.randrange(7)
    if act == 0 and isinstance(holder, dict):
        del holder[key]
    elif act == 1 and isinstance(holder, dict):
        holder[chance.choice(KEYS)] = holder.pop(key)
    elif act == 2:
        holder[key] = chance.choice([[holder[key]], {"value": holder[key]}, str(holder[key]), [holder[key]] * 3])
    elif act == 3:
        holder[key] = copy.deepcopy(_value(chance.choice(places)))
    elif act == 4 and isinstance(holder[key], int | float) and abs(holder[key]) < 1e9:
        holder[key] = holder[key] * chance.choice([-1, 2, 1000, 1e9, 1e300]) + chance.choice([0, 1, 0.5])
    elif act == 5 and isinstance(holder, dict):
        holder[chance.choice(KEYS)] = copy.deepcopy(chance.choice(ODD))
    else:
        holder[key] = copy.deepcopy(chance.choice(ODD))


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a tree; of a long list only its ends."""
    found: list[tuple[Any, Any]] = []
    if isinstance(tree, dict | list):
        keys = list(tree) if isinstance(tree, dict) else sorted({0, len(tree) - 1} if tree else ())
        for key in keys:
            found.append((tree, key))
            found += _places(tree[key])
    return found


def _value(place: tuple[Any, Any]) -> Any:
    return place[0][place[1]]


def torn(chance: Random, source: Source) -> Shot:
    """The text of a recorded body cut, spliced, flipped, with keys twice or words that are no JSON, or in another encoding."""
    text = recorded(chance, source).asking(chance.randrange(1000))
    at = chance.randrange(len(text))
    cuts: list[Callable[[], bytes]] = [
        lambda: text[:at],
        lambda: text[at:],
        lambda: text[:at] + recorded(chance, source).asking(1)[at:],
        lambda: text[:at] + bytes([chance.randrange(256)]) + text[at + 1 :],
        lambda: text[:at] + chance.randbytes(chance.randint(1, 20)) + text[at:],
        lambda: text.replace(b'"ask":', b'"ask":%b,"ask":' % chance.choice([b"NaN", b"-Infinity", b"null", b"1e999", b"[]"])),
        lambda: text.replace(b"false", chance.choice([b"NaN", b"Infinity", b"-Infinity", b"undefined", b"nul", b"0x1F", b"01", b"1.", b"+1"])),
        lambda: text.replace(b'"value":', b'"value":null,"value":'),
        lambda: b'{"output":"config.data",' + text[1:],
        lambda: text[:-1] + b',"output":"state.data"}',
        lambda: text.replace(b'"', b"'"),
        lambda: text + chance.choice([b"}", b"\0", b"\n\n", text, b"//x"]),
        lambda: chance.choice([b"\xef\xbb\xbf", b"\0\0\xfe\xff", b" " * 500, b"\x1f\x8b"]) + text,
        lambda: text.decode().encode(chance.choice(["utf-16", "utf-32", "utf-16-le", "utf-7", "cp037"])),
        lambda: text.replace(b"shapes", "schöne\udc80".encode("latin-1", "replace")),
        lambda: text.replace(b":", b"\\u003a", 3),
    ]
    return Shot("torn", chance.choice(cuts)())


def spoofed(chance: Random, source: Source) -> Shot:
    """A recorded body that names what it must not: other outputs, inputs, patterns, Dash's own machinery."""
    tree = _tree(chance, source)
    names: list[Any] = [
        "config.data", "state.data", "scale.value", "explanation.storage_type", "explanation", ".", "..", "...", "..explanation.data..",
        "..explanation.data...method-answers.data..", '{"type":"explanation"}.data', '{"index":["ALL"]}.data', "explanation.data@0", "__proto__.data",
        "_pages_content.children", "explanation.data\0", f"explanation.data{SPLIT}", " explanation.data", "EXPLANATION.DATA", 3, [], None, {},
        ["explanation.data"], "method-answers.data", "explanation.data",
    ]  # fmt: skip
    ids: list[Any] = ["state", "config", {"type": "state"}, {"index": ["ALL"]}, ["MATCH"], "state\0", "", None, 1, "method-question", {"__proto__": 1}]
    name = chance.choice(names)
    entry = {"id": chance.choice(ids), "property": chance.choice(["data", "children", "__class__", "", None, "id"]), "value": chance.choice(ODD)}
    part = chance.randrange(8)
    if part == 0:
        tree["output"] = name
    elif part == 1:
        tree["outputs"] = chance.choice([name, entry, [entry], [tree["outputs"]], {"id": name, "property": "data"}, None])
    elif part == 2:
        tree["inputs"] = chance.choice([[entry], [*tree["inputs"], entry], [tree["inputs"]], entry, [], None, [[entry]]])
    elif part == 3:
        tree["state"] = chance.choice([[entry], entry, None, name, [None], [[]]])
    elif part == 4:
        tree["changedPropIds"] = chance.choice([[name], name, entry, None, [entry], ["."], ["state.data"] * 500, ["{"], ['{"a":'], ["a.b.c"]])
    elif part == 5:
        tree[chance.choice(["background", "longCallback", "cacheKey", "job", "oldJob", "cancelJob", "parsedChangedPropsIds", "sideUpdate", "running"])] = chance.choice(ODD)
    elif part == 6:
        tree["output"], tree["outputs"] = name, {"id": str(name).rpartition(".")[0], "property": "data"}
    arguments = ("", "", "?cancelJob=1&job=2", "?cacheKey=x&job=y", "?cacheKey=%00", "?oldJob=1&oldJob=2", "?%ff=%fe", "?a=" + "b" * 3000)
    return Shot("spoofed", _text(tree, chance), path=UPDATE + chance.choice(arguments))


def links(chance: Random, source: Source) -> Shot:
    """A link, in a body or as the page's own address, with settings that are wrong, twice, endless or no text at all."""
    keys = "v p px net class out base bseed draw m rule n noise seed clip set pin tab scale V NET utm_source __proto__".split()
    parts = [(chance.choice(keys), _link_value(chance)) for _ in range(chance.choice([0, 1, 1, 2, 3, 8, 60]))]
    link = "?v=1&" + chance.choice(["&", ";", "&&"]).join(f"{key}={value}" for key, value in parts)
    if chance.random() < 0.1:
        link = chance.choice([link[:10], "?" * 50, link * 3, "#" + link, link.replace("?v=1", "?v=2"), link.replace("v=1", "v=" + "9" * 2000)])
    if chance.random() < 0.3:
        return Shot("links", method="GET", path=quote(link, safe="?&=;%+~!*'(),:@/", errors="surrogatepass"), headers=())
    question = {"ask": chance.randrange(1000), "link": link}
    body = json.loads(chance.choice(source).opening.asking(1))
    body["inputs"][0]["value"] = question
    return Shot("links", _text(body, chance))


def _link_value(chance: Random) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    values: list[Callable[[], str]] = [
        lambda: str(chance.choice(ODD))[:200],
        lambda: str(chance.randint(-10, 10**6)),
        lambda: "".join(chance.choice(letters) for _ in range(chance.choice([1, 3, 67, 68, 131, 193]))),
        lambda: "BAAvw" + "".join(chance.choice("AB") for _ in range(64)),
        lambda: chance.choice(["digits", "digits-cnn", "ring", "exact", "logit", "drawing", "noise", "methods", "predicted"]),
        lambda: chance.choice(["lime.samples:300", "lime.samples:0", "lime.nothing:1", "a.b:c", "lrp_epsilon.epsilon:1e308", "," * 40, "x.y:" + "9" * 300]),
        lambda: chance.choice(["%00", "%ff%fe", "%ed%a0%80", "%0d%0aX-Split:%20yes", "%", "%zz", "%u0041", "+", "%2526", "\u202e", "\ud800"]),
        lambda: ",".join(chance.choice(["gradient", "lime", "xrai", "nothing"]) for _ in range(chance.randint(1, 6))),
    ]
    return chance.choice(values)()


@cache
def _bomb() -> bytes:
    """Ten kilobytes that unfold to ten megabytes."""
    return gzip.compress(b"0" * 10_000_000, mtime=0)


def typed(chance: Random, source: Source) -> Shot:
    """A recorded body under a wrong type, charset or coding; some unfold to a thousand times their size."""
    body = recorded(chance, source).asking(1)
    types = (
        "application/json", "text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x",
        "application/json; charset=utf-16", "application/json; charset=idna", "application/json; charset=rot13", "application/json; charset=", "text/json",
        "application/problem+json", "application/json;;;;", "APPLICATION/JSON", "application/json, text/html", "*/*", "application/jsonp", "a" * 3000,
        'application/json; charset="', "application/json\t; x=\ud83d",
    )  # fmt: skip
    codings = ("gzip", "deflate", "br", "zstd", "identity", "gzip, gzip", "x-gzip", "nothing", "")
    folded = gzip.compress(body, mtime=0)
    bodies = [body, folded, folded[:50], _bomb(), gzip.compress(_bomb(), mtime=0)]
    headers = [("Content-Type", chance.choice(types).encode("utf-8", "replace").decode())]
    if chance.random() < 0.6:
        headers.append(("Content-Encoding", chance.choice(codings)))
    if chance.random() < 0.1:
        headers.append(("Content-Type", "application/json"))
    return Shot("typed", chance.choice(bodies), headers=tuple(headers))


def sized(chance: Random, source: Source) -> Shot:
    """Bodies that are deep, long or full of digits, about and beyond the limit of 64 kB."""
    tree = _tree(chance, source)
    depth = chance.choice([20, 100, 500, 900, 990, 1000, 1100, 5000, 30_000])
    size = chance.choice([1000, 60_000, 65_000, 65_536, 65_537, 66_000, 200_000, 1_000_000])
    digits = chance.choice([300, 400, 4299, 4300, 4301, 20_000, 60_000])
    tree["inputs"][0]["value"] = {"ask": 1, "state": {chance.choice(KEYS): "HERE"}}
    insides: list[Callable[[], str]] = [
        lambda: "[" * depth + "]" * depth,
        lambda: '{"a":' * depth + "1" + "}" * depth,
        lambda: '"' + "x" * size + '"',
        lambda: "[" + "0," * (size // 2) + "0]",
        lambda: "{" + ",".join(f'"{i}":0' for i in range(size // 8)) + "}",
        lambda: "9" * digits,
        lambda: "0." + "3" * digits,
        lambda: "-1e" + "9" * min(digits, 400),
        lambda: '"' + "\\ud83d" * (size // 6) + '"',
    ]
    text = json.dumps(tree).replace('"HERE"', chance.choice(insides)())
    if chance.random() < 0.2:
        text = chance.choice(["[" * size, " " * size, "{" * depth, '{"output":' * depth, "9" * size])
    return Shot("sized", text.encode())


def garbage(chance: Random, source: Source) -> Shot:
    """Bytes, letters and scraps of JSON without sense."""
    count = chance.choice([0, 1, 2, 10, 100, 2000])
    scraps = ["{", "}", "[", "]", ":", ",", '"', "null", "true", "1", "-", "e", "\\u", "NaN", "output", "\ud800", "é", "\0", "\n"]
    made = [
        lambda: chance.randbytes(count),
        lambda: "".join(chance.choice(scraps) for _ in range(count)).encode("utf-8", "surrogatepass"),
        lambda: "".join(chr(chance.randrange(0x11_0000)) for _ in range(count)).encode("utf-8", "surrogatepass"),
        lambda: _text(chance.choice(ODD), chance),
        lambda: _text([chance.choice(ODD) for _ in range(5)], chance),
        lambda: _text({chance.choice(KEYS): chance.choice(ODD) for _ in range(5)}, chance),
    ]
    return Shot("garbage", chance.choice(made)())
