"""Links as they arrive: what mail, chat and office programs do to one is undone, or there is a notice. Never another state."""

from __future__ import annotations

import html
import quopri
import re
from collections.abc import Callable, Mapping
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_state import ZOO, states

from explorer.models import Model
from explorer.pictures import PATTERNS
from explorer.state import State

Zoo = Mapping[str, Model]
EDGE = tuple(PATTERNS["edge"].ravel().tolist())
PAINTED = State(
    pixels=tuple(k / 100 for k in range(64)),  # 64 levels: every letter, the hyphen and the underscore too
    drawing=(0.0, 1.0) * 32, network="digits-cnn", target="predicted", steps=77, rule="gauss-legendre",
    options=(("lrp_epsilon", "epsilon", 0.5),), pinned=("gradient", "integrated_gradients"),
)  # fmt: skip
WITNESSES = (PAINTED, State(pixels=(0.5, *EDGE[1:])), State(network="digits", steps=77), State())


def percent_encoded(text: str) -> str:
    """All of it, but the question mark or hash before it."""
    return text[0] + quote(text[1:], safe="")


def broken(text: str, at: int, mark: str) -> str:
    """A line break, or what a program makes of one, somewhere inside."""
    at = 1 + at % len(text)
    return text[:at] + mark + text[at:]


def in_lines(text: str, mark: str, width: int) -> str:
    return mark.join(text[i : i + width] for i in range(0, len(text), width))


def quoted_printable(text: str) -> str:
    return quopri.encodestring(text.encode()).decode()


def browser(text: str) -> str:
    """What a browser makes of an address before it asks for it."""
    kept = "".join(c for c in text if c not in "\t\n\r").strip(" ")
    return kept[:1] + quote(kept[1:], safe="%&=?#+;:,/!$'()*@[]\\^_`{|}~.-")


def fragment(text: str) -> str:
    return "#" + text.removeprefix("?")


BREAKS = (" ", "\n", "\r\n", "%0D%0A", "%20", "+", "\n> ", "\u200b", "%E2%80%8B", "\u00ad", "&nbsp;", "&#8203;", "\u2060", "\ufeff", "=\n", "!\n ")
ENDS = tuple('. ) " > ! ? ; , \' ] } * _ : / | ` “ ” ‘ ’ « » … – — ... ). .” &quot; &gt; %22 %3E &amp; & ** ~'.split()) + ("\u200b", " ", "。")
TRACKERS = ("&utm_source=mail", "&utm_source=mail&utm_medium=e%26mail", "&fbclid=IwAR0x_-", "?gclid=a.b", "&mc_cid=1", "#:~:text=ring", "#stage")

Mangle = Callable[[str], str]
# What gives the very same state, alone and in twos; and what may also give a notice.
HARMLESS: dict[str, Mangle] = {
    "escaped": html.escape,
    "escaped in numbers": lambda text: text.replace("&", "&#38;"),
    "escaped in parts": lambda text: text.replace("&", "&amp%3B"),
    "a lost semicolon": lambda text: text.replace("&", "&amp"),
    "percent-encoded": percent_encoded,
    "percent-encoded but for keys": lambda text: text[0] + "&".join(
        "=".join([key, quote(value, safe="").replace("-", "%2D").replace("A", "%41")]) for key, value in (part.split("=") for part in text[1:].split("&"))
    ) if "=" in text and all(part.count("=") == 1 for part in text[1:].split("&")) else text,
    "equals signs encoded": lambda text: text.replace("=", "%3D"),
    "ampersands encoded": lambda text: text.replace("&", "%26"),
    "semicolons": lambda text: text.replace("&", ";"),
    "keys in capitals": lambda text: "&".join(part.partition("=")[0].upper() + "".join(part.partition("=")[1:]) for part in text.split("&")),
    "in a fragment": fragment,
    "quoted-printable": quoted_printable,
    "in lines": lambda text: in_lines(text, "\r\n", 76),
    "in a quoted mail": lambda text: in_lines(text, "\n> ", 40),
    "spaces": lambda text: in_lines(text, " ", 9),
    "no hyphen": lambda text: text.replace("-", "\u2011"),
    "between quotes": lambda text: text[0] + "“" + text[1:] + "”",
    "tracked first": lambda text: "?utm_source=mail&" + text[1:],
}  # fmt: skip


@pytest.mark.parametrize("mangle", HARMLESS)
@pytest.mark.parametrize("twice", [False, True])
def test_what_programs_do_to_a_link_is_undone(mangle: str, twice: bool, models: Zoo) -> None:
    for state in WITNESSES:
        sent = HARMLESS[mangle](state.to_query())
        if twice and mangle not in ("quoted-printable", "in a fragment"):
            sent = HARMLESS[mangle](sent)
        for arrived in (sent, browser(sent)):
            assert State.from_query(arrived, models) == (state, []), arrived


@pytest.mark.parametrize("at", ENDS)
def test_what_follows_a_link_in_a_text_is_no_part_of_it(at: str, models: Zoo) -> None:
    for state in WITNESSES:
        old = "?v=1&" + state.to_query().removeprefix("?").removesuffix("v=1").removesuffix("&")  # as links were written
        for sent in {state.to_query() + at, old.removesuffix("&") + at}:
            for arrived in (sent, browser(sent)):
                read, notices = State.from_query(arrived, models)
                assert read == state, arrived
                assert bool(notices) == ("&" in html.unescape(at) or "…" in at or "..." in at), (arrived, notices)


@pytest.mark.parametrize("tracker", TRACKERS)
def test_what_others_append_is_ignored(tracker: str, models: Zoo) -> None:
    for state in WITNESSES:
        assert State.from_query(state.to_query() + tracker, models) == (state, [])


@pytest.mark.parametrize("mark", BREAKS)
def test_white_space_and_line_breaks_inside_a_picture_are_no_part_of_it(mark: str, models: Zoo) -> None:
    link = State(pixels=(0.5, *EDGE[1:]), network="digits").to_query()
    for at in range(link.index("px=") + 3, link.index("&net")):
        sent = link[:at] + mark + link[at:]
        for arrived in (sent, browser(sent)):
            assert State.from_query(arrived, models) == (State(pixels=(0.5, *EDGE[1:]), network="digits"), []), arrived


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?v=1&m=70&nett=digits", "nett"),
        ("?v=1&m=70&network=digits", "network"),
        ("?v=1&m=70&ne", "'ne'"),
        ("?v=1&m=70&netdigits", "netdigits"),
        ("?v=1&m=70&see=d=5", "'see'"),
        ("?v=1&m=70&next=https%3A%2F%2Fa.b%2F%3Fnet%3Ddigits", "'next'"),
        ("?v=1&m=70&m=80", "'m' more than once"),
        ("?v=1&m=70&p=ring&p=dot", "'p' more than once"),
        ("?v=1&m=70&", "cut off"),
        ("?v=1&m=70…", "cut off"),
        ("?v=1&m=70&draw=BAARWABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB".replace("draw", "DRAW"), "letters"),
        ("?v=1&m=70&px=BrwAABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABA", "letters"),
    ],
)
def test_what_looks_like_ours_and_is_not_used_is_named(query: str, said: str, models: Zoo) -> None:
    state, notices = State.from_query(query, models)
    assert state.steps == 70
    assert len(notices) == 1 and said in notices[0]
    assert all(len(sentence.split()) <= 20 for sentence in notices[0].split(". "))


def test_a_picture_in_capitals_alone_is_not_taken_for_the_one_that_was_sent(models: Zoo) -> None:
    link = State(pixels=(1.0, *EDGE[1:])).to_query()
    state, notices = State.from_query(link.upper(), models)
    assert state.pixels != (1.0, *EDGE[1:]) and len(notices) == 1 and "may be another" in notices[0]
    assert State.from_query(link.lower(), models)[1]


def test_a_link_of_many_parts_is_refused_before_it_takes_long(models: Zoo) -> None:
    for text in ("?v=1" + "&ab=c" * 8_000, "?v=1&m=" + "n%3F" * 6_000, "?v=1&px=" + "A;" * 19_000, "?" + "%2525253Dv" * 3_000):
        state, notices = State.from_query(text, models)
        assert state == State() and len(notices) <= 1


mangles = st.one_of(
    st.sampled_from(list(HARMLESS.values())),
    st.sampled_from(ENDS).map(lambda end: lambda text: text + end),
    st.sampled_from(TRACKERS).map(lambda tracker: lambda text: text + tracker),
    st.tuples(st.integers(0, 500), st.sampled_from(BREAKS)).map(lambda where: lambda text: broken(text, *where)),
    st.integers(1, 300).map(lambda cut: lambda text: text[: max(30 if "utm" in text else 14, len(text) - cut)]),
    st.sampled_from([str.upper, str.lower, browser, lambda text: text.replace("--", "–"), lambda text: text.replace("_", "")]),
)


@settings(max_examples=800)
@given(states() | st.sampled_from(WITNESSES), st.lists(mangles, min_size=1, max_size=4), st.booleans())
def test_a_mangled_link_gives_the_same_state_or_a_notice(state: State, mangled: list[Mangle], through_browser: bool) -> None:
    sent = state.to_query()
    for mangle in mangled:
        sent = mangle(sent) or "?"
    arrived = browser(sent) if through_browser else sent
    read, notices = State.from_query(arrived, ZOO)
    left = re.sub(r"utm\w*(=m?a?i?l?)?|\W", "", unquote(unquote(arrived)))  # of what was ours
    assert read == state or notices or not left, arrived
