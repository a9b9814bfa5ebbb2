"""What a fuzzer asks of the rest of the server: paths, files, methods, headers, and requests that are hardly HTTP."""

from __future__ import annotations

from functools import cache
from random import Random

from bench.shots import (
    SPLIT,
    UPDATE,
    Maker,
    Shot,
    Source,
    garbage,
    links,
    mutated,
    recorded,
    sized,
    spoofed,
    torn,
    typed,
)

PLACES = (
    "", "assets/", "assets/css/", "assets/vendor/", "static/", "static/0123456789ab/", "_dash-component-suites/", "_dash-component-suites/dash/",
    "_dash-component-suites/plotly/package_data/", "_dash-component-suites/dash/deps/", "_dash-component-suites/torch/", "_dash-layout/",
    "_dash-dependencies/", UPDATE + "/", "_favicon.ico/", "_reload-hash/", "healthz/", "readyz/", "metrics/", "_alive_x/",
)  # fmt: skip
UPS = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "%2e./", "..\\", "..%5c", "%252e%252e%252f", "..%c0%af", "%00/", "....//", "..;/", ".//", "/", "~/", "..%00/", "%c0%ae/")
GOALS = (
    "app.py", "requirements.txt", "etc/passwd", "proc/self/environ", "explorer/state.py", "explorer/page/layout.py", "models/digits.npz", ".git/config",
    "__init__.py", "dash.py", "Makefile", "", ".", "con", "a" * 3000, "x.js%00.py", "base.js", "base.js/", "base.js%20", "BASE.JS", "base.js::$DATA",
)  # fmt: skip
METHODS = ("PUT", "DELETE", "TRACE", "CONNECT", "PATCH", "OPTIONS", "HEAD", "PROPFIND", "QUERY", "PRI", "FOO", "get", "GET", "POST", "A" * 40)
KNOWN = ("", "_dash-layout", "_dash-dependencies", UPDATE, "assets/base.js", "healthz", "readyz", "metrics", "nothing", "_reload-hash")


def paths(chance: Random, source: Source) -> Shot:
    """A path that climbs out of where files are served from, in one of many spellings."""
    path = chance.choice(PLACES) + chance.choice(UPS) * chance.choice([1, 1, 2, 3, 5, 9]) + chance.choice(GOALS)
    return Shot("paths", method="GET", path=path, headers=())


@cache
def registered() -> tuple[str, ...]:
    """Where Dash has the files of its components, which the page's own files are made of; some it names and has not."""
    from app import create_app

    known = create_app().state.dash.registered_paths.items()
    return tuple(sorted(f"_dash-component-suites/{package}/{path}" for package, paths in known for path in paths))


def suites(chance: Random, source: Source) -> Shot:
    """A file of a Dash component, where Dash has it or where the page's own files are, and as a browser might name it."""
    path = chance.choice(registered())
    folder, _, name = path.rpartition("/")
    stem, dot, suffix = name.partition(".")
    ways = [path, f"{path}.map", f"{folder}/{stem}.v4_4_1m1700000000{dot}{suffix}", f"{path}?v=1", f"{path}/", path.upper(), folder]
    ways += [f"static/{chance.choice(['0', '0123456789abcdef', '..', '%00'])}/{name}", f"assets/{name}"]
    return Shot("suites", method=chance.choice(["GET", "GET", "HEAD"]), path=chance.choice(ways), headers=())


def methods(chance: Random, source: Source) -> Shot:
    """A method that an address does not take, or that nobody knows; sometimes with a body."""
    method = chance.choice(METHODS)
    body = recorded(chance, source).asking(1) if method not in ("HEAD", "GET") and chance.random() < 0.5 else b""
    return Shot("methods", body, method, chance.choice(KNOWN), (("Content-Type", "application/json"),) if body else ())


def headers(chance: Random, source: Source) -> Shot:
    """Headers that are huge, many, twice, lying, or meant for somebody else."""
    odd = [
        ("X-Long", "x" * chance.choice([1000, 8000, 8200, 20_000, 70_000])), ("Cookie", "a=b; " * chance.choice([1, 500])), ("Host", "evil.example"),
        ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "gopher"), ("X-Forwarded-Prefix", "//evil.example"), ("X-Forwarded-For", "1.2.3.4, ::1"),
        ("Forwarded", "for=x;host=evil.example"), ("X-HTTP-Method-Override", "DELETE"), ("X-Original-URL", "/../app.py"), ("Range", "bytes=0-0,5-,-1"),
        ("Range", "bytes=9999999999999-"), ("If-None-Match", '"' + "x" * 500), ("If-Modified-Since", "Thu, 99 Foo 99999 99:99:99 GMT"),
        ("Accept-Encoding", "gzip;q=NaN, br;q=-1, *;q=0"), ("Accept-Language", "," * 2000), ("Accept", "text/html;q=" + "9" * 500), ("Expect", "200-ok"),
        ("Expect", "100-continue"), ("Upgrade", "h2c"), ("Upgrade", "websocket"), ("Connection", "close, keep-alive, X-Long"), ("Authorization", "Basic \x7f"),
        ("SCRIPT_NAME", "/x"), ("Script-Name", "/x"), ("Path_Info", "/x"), ("REMOTE_USER", "root"), ("Proxy", "http://evil.example"), ("Origin", "null"),
        ("Referer", "javascript:alert(1)" + SPLIT.replace("\r\n", "%0d%0a")), ("Transfer-Encoding", "identity"), ("Content-Length", "0"), ("Content-Length", "-1"),
        ("X-Bad\0", "x"), ("X-Bad", "\0"), ("X-Bad", "a\rb"), ("X Bad", "x"), ("", "x"), ("X-Bad", "a\r\n folded"), ("X-Ünï", "x"), ("X-Utf", "кошка"),
        ("Sec-Fetch-Site", "cross-site"), ("Access-Control-Request-Method", "POST"), ("TE", "trailers"), ("Trailer", "Content-Length"), ("Via", "1.1 x" * 99),
    ]  # fmt: skip
    many = [(f"X-{i}", "x") for i in range(chance.choice([90, 101, 1000]))] if chance.random() < 0.1 else []
    chosen = [*chance.sample(odd, chance.randint(1, 3)), *many]
    if chance.random() < 0.5:
        return Shot("headers", method="GET", path=chance.choice(KNOWN), headers=tuple(chosen), may_close=True)
    body = recorded(chance, source).asking(1)
    return Shot("headers", body, headers=(("Content-Type", "application/json"), *chosen), may_close=True)


def framing(chance: Random, source: Source) -> Shot:
    """Lengths that lie, bodies in chunks, two requests in one, and lines that no HTTP has."""
    body = recorded(chance, source).asking(1)
    start = b"POST %PREFIX%" + UPDATE.encode() + b" HTTP/1.1\r\nHost: %HOST%\r\nContent-Type: application/json\r\n"
    chunked, size = start + b"Transfer-Encoding: chunked\r\n\r\n", b"%x" % len(body)
    get = b"GET %PREFIX% HTTP/1.1\r\nHost: %HOST%\r\n\r\n"
    raws = [
        start + b"Content-Length: %d\r\n\r\n" % (len(body) + chance.choice([1, 100, 10**6])) + body,
        start + b"Content-Length: %d\r\n\r\n" % chance.randrange(len(body)) + body,
        start + b"Content-Length: %b\r\n\r\n" % chance.choice([b"-1", b"1e3", b"0x10", b"+5", b"9" * 400, b"", b" ", b"5, 6", b"\xb2", b"1_0"]) + body,
        start + b"Content-Length: 5\r\nContent-Length: %d\r\n\r\n" % len(body) + body,
        start + b"\r\n" + body,
        chunked + size + b"\r\n" + body + b"\r\n0\r\n\r\n",
        chunked + b"".join(b"1\r\n%c\r\n" % byte for byte in body[:300]) + b"0\r\n\r\n",
        chunked + size + b";" + b"x" * chance.choice([10, 20_000]) + b"\r\n" + body + b"\r\n0\r\n\r\n",
        chunked + chance.choice([b"-1", b"fffffffffffffffff", b"zz", b"", b"0x5", b"1_0"]) + b"\r\n" + body + b"\r\n0\r\n\r\n",
        chunked + size + b"\r\n" + body[:40],
        chunked + b"%x\r\n" % (len(body) - 1) + body + b"\r\n0\r\n\r\n",
        chunked + b"20000\r\n" + b" " * 0x20000 + b"\r\n" + b"20000\r\n" + b" " * 0x20000 + b"\r\n0\r\n\r\n",
        start + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get,
        start + b"Transfer-Encoding: %b\r\n\r\n" % chance.choice([b"gzip", b"chunked, chunked", b"xchunked", b"chunked\t", b"\x0bchunked", b"gzip, chunked"]) + size + b"\r\n" + body + b"\r\n0\r\n\r\n",
        get.replace(b"%PREFIX%", chance.choice([b"http://evil.example/", b"https://%HOST%/", b"//evil.example/%2e%2e", b"*", b"evil.example:443", b"", b"ftp://x/", b"http://[", b"\\"])),
        get.replace(b"HTTP/1.1", chance.choice([b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/9.9", b"HTTP/1.", b"HTTPS/1.1", b"", b"HTTP/1.1 x", b"http/1.1"])),
        get.replace(b"GET ", chance.choice([b"GET  ", b"GET\t", b" GET ", b"\r\n\r\nGET ", b"G\0T ", b"", b"GET\r\n", "GÉT ".encode()])),
        get.replace(b"%PREFIX% ", chance.choice([b"%PREFIX%a b ", b"%PREFIX%\xff\xfe ", b"%PREFIX%?\x00 ", b"%PREFIX%" + b"a" * 9000 + b" ", b"%PREFIX%?" + b"b" * 100_000 + b" "])),
        get.replace(b"\r\n", b"\n"),
        get.replace(b"Host: %HOST%\r\n", b""),
        get.replace(b"Host: %HOST%\r\n", b"Host: a\r\nHost: b\r\n"),
        get.replace(b"%HOST%", chance.choice([b"a" * 3000, b"evil.example\t", b"\xff", b"a,b", b"[::1", b"a:99999", b"a/b?c"])),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + chance.randbytes(100),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + chance.randbytes(50),
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + get,
        chance.randbytes(chance.choice([1, 10, 500, 9000])),
        chance.randbytes(40) + b"\r\n\r\n",
    ]  # fmt: skip
    return Shot("framing", raw=chance.choice(raws), may_close=True)


IN_THE_APP: tuple[Maker, ...] = (mutated, mutated, mutated, mutated, torn, torn, spoofed, spoofed, links, links, typed, sized, garbage)
ON_THE_WIRE: tuple[Maker, ...] = (paths, paths, suites, methods, headers, framing)


def shot(seed: int, number: int, source: Source, makers: tuple[Maker, ...] = (*IN_THE_APP, *ON_THE_WIRE)) -> Shot:
    """Shot `number` of a seed: always the same one."""
    return makers[number % len(makers)](Random(f"{seed} {number}"), source)
