"""Links as they arrive: what mail, chat and office programs do to one is undone, or there is a notice. Never another state."""

from __future__ import annotations

import html
import json
import quopri
import re
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import numpy as np
import pytest
from each import each
from hypothesis import given, settings
from hypothesis import strategies as st
from links import encode, link_of
from strategies import ZOO, pictures, states

from explorer.attribution import METHODS, Setting
from explorer.link import FIELDS, KEYS, MAX_QUERY, read_link
from explorer.link_picture import ALPHABET, decode
from explorer.models import Model
from explorer.page.answer import answer
from explorer.pictures import LEVELS, PATTERNS
from explorer.state import MAX_SEED, State, StateError

Zoo = Mapping[str, Model]
EDGE = tuple(PATTERNS["edge"].ravel().tolist())
PAINTED = State(
    pixels=tuple(k / 100 for k in range(64)),  # 64 levels: every letter, the hyphen and the underscore too
    drawing=(0.0, 1.0) * 32, network="digits-cnn", target="predicted", steps=77, rule="gauss-legendre",
    options={"lrp_epsilon": {"epsilon": 0.5}}, pinned=("gradient", "integrated_gradients"),
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
def test_what_programs_do_to_a_link_once_or_twice_is_undone(mangle: str, models: Zoo) -> None:
    for state in WITNESSES:
        once = HARMLESS[mangle](link_of(state))
        twice = once if mangle in ("quoted-printable", "in a fragment") else HARMLESS[mangle](once)
        for arrived in (once, browser(once), twice, browser(twice)):
            assert read_link(arrived, models) == (state, []), arrived


def test_what_follows_a_link_in_a_text_is_no_part_of_it(models: Zoo) -> None:
    for state, at in product(WITNESSES, ENDS):
        old = "?v=2&" + link_of(state).removeprefix("?").removesuffix("v=2").removesuffix("&")  # as links were written
        for sent in {link_of(state) + at, old.removesuffix("&") + at}:
            for arrived in (sent, browser(sent)):
                read, notices = read_link(arrived, models)
                assert read == state, arrived
                assert bool(notices) == ("&" in html.unescape(at) or "…" in at or "..." in at), (arrived, notices)


def test_what_others_append_is_ignored(models: Zoo) -> None:
    for state, tracker in product(WITNESSES, TRACKERS):
        assert read_link(link_of(state) + tracker, models) == (state, []), tracker
    for query in ("?utm_source=mail", "?utm_source=mail&fbclid=1", "?v=2&utm_source=mail", "?lang=de&v=2"):
        assert read_link(query, models) == (State(), []), query


def test_white_space_and_line_breaks_inside_a_picture_are_no_part_of_it(models: Zoo) -> None:
    link = link_of(State(pixels=(0.5, *EDGE[1:]), network="digits"))
    for at, mark in product(range(link.index("px=") + 3, link.index("&net")), BREAKS):
        sent = link[:at] + mark + link[at:]
        for arrived in (sent, browser(sent)):
            assert read_link(arrived, models) == (State(pixels=(0.5, *EDGE[1:]), network="digits"), []), arrived


def test_what_looks_like_ours_and_is_not_used_is_named(models: Zoo) -> None:
    looks_like: list[tuple[str, str]] = [
        ("nett=digits", "nett"),
        ("network=digits", "network"),
        ("ne", "'ne'"),
        ("netdigits", "netdigits"),
        ("see=d=5", "'see'"),
        ("next=https%3A%2F%2Fa.b%2F%3Fnet%3Ddigits", "'next'"),
        ("m=80", "'m' more than once"),
        ("p=ring&p=dot", "'p' more than once"),
        ("", "cut off"),
        ("…", "cut off"),
        ("DRAW=BAARWABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB", "letters"),
        ("px=BrwAABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABA", "letters"),
    ]
    for part, said in looks_like:
        state, notices = read_link(f"?v=2&m=70&{part}", models)
        assert state.steps == 70, part
        assert len(notices) == 1 and said in notices[0], (part, notices)
        assert all(len(one.split()) <= 20 for one in notices[0].split(". ")), notices


def test_what_is_wrong_with_a_lab_in_a_link_is_said_and_the_rest_kept(models: Zoo) -> None:
    convergence = State(tab="labs", lab="convergence")
    for part, kept, said in (
        ("lab=convergence&do=steps:5,rule:left", {"steps": 5, "rule": "left"}, ""),
        ("lab=alchemy&do=steps:5", None, "the lab must be one of "),
        ("lab=convergence&do=steps:0,rule:left", {"rule": "left"}, "How many steps?: steps must be 1 to 300, not 0"),
        ("lab=convergence&do=colour:5", {}, "How many steps?: it has no setting 'colour'"),
        ("do=steps:5", None, "there are settings of a lab, but no lab"),
    ):
        state, notices = read_link(f"?tab=labs&{part}&v=2", models)
        assert state == (State(tab="labs") if kept is None else State.model_validate({**dict(convergence), "lab_settings": kept})), part
        assert [said in notice for notice in notices] == [True] * bool(said), (part, notices)


def test_a_picture_in_capitals_alone_is_not_taken_for_the_one_that_was_sent(models: Zoo) -> None:
    link = link_of(State(pixels=(1.0, *EDGE[1:])))
    state, notices = read_link(link.upper(), models)
    assert state.pixels != (1.0, *EDGE[1:]) and len(notices) == 1 and "may be another" in notices[0]
    assert read_link(link.lower(), models)[1]


def test_a_link_of_many_parts_is_refused_before_it_takes_long(models: Zoo) -> None:
    for text in ("?v=2" + "&ab=c" * 8_000, "?v=2&m=" + "n%3F" * 6_000, "?v=2&px=" + "A;" * 19_000, "?" + "%2525253Dv" * 3_000):
        state, notices = read_link(text, models)
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
    sent = link_of(state)
    for mangle in mangled:
        sent = mangle(sent) or "?"
    arrived = browser(sent) if through_browser else sent
    read, notices = read_link(arrived, ZOO)
    left = re.sub(r"utm\w*(=m?a?i?l?)?|\W", "", unquote(unquote(arrived)))  # of what was ours
    assert read == state or notices or not left, arrived


# ---------------------------------------------------------------- what a link holds


def test_every_field_of_a_state_has_a_key() -> None:
    assert list(KEYS) == list(State.model_fields)
    assert len(FIELDS) == len(KEYS) + 2


def test_an_empty_link_is_the_opening_state(models: Zoo) -> None:
    assert link_of(State()) == "?v=2"
    for link in ("", "?", "?v=2", "v=2"):
        assert read_link(link, models) == (State(), [])


@given(states())
def test_a_link_brings_the_same_state_back_and_holds_only_what_differs(state: State) -> None:
    link = link_of(state)
    assert link.startswith("?") and link.endswith("v=2") and len(link) <= MAX_QUERY
    assert read_link(link, ZOO) == read_link(link.removeprefix("?"), ZOO) == (state, [])
    held = {FIELDS[key] for key, _ in parse_qsl(link[1:])} - {"version"}
    assert held == {name for name in KEYS if getattr(state, name) != getattr(State(), name)}


@given(st.floats(0, 1))
def test_a_link_keeps_any_noise_level_that_a_state_can_have(level: float) -> None:
    state = State.from_json({"noise_level": level}, ZOO)
    assert read_link(link_of(state), ZOO) == (state, [])


def test_the_link_of_a_pattern_with_a_few_painted_cells_is_short() -> None:
    for (name, picture), painted in product(PATTERNS.items(), (0, 1, 3, 6)):
        pixels = picture.ravel().tolist()
        for i in range(painted):
            pixels[10 * i] = (5 + 15 * i) / 100
        link = link_of(State(pixels=tuple(pixels)))
        assert len(link) < 250
        assert painted or link == ("?v=2" if name == "edge" else f"?p={name}&v=2")


def test_an_option_for_every_setting_of_every_method_still_fits_into_a_link(models: Zoo) -> None:
    def another(setting: Setting) -> Any:
        if setting.choices:
            return max((choice for choice in setting.choices if choice != setting.default), key=len)
        if isinstance(setting.default, bool):
            return not setting.default
        middle = (setting.low + setting.high) / 2
        return int(middle) if isinstance(setting.default, int) else middle + 0.012345678901234

    painted = [tuple((i * k % 97) / 97 for i in range(64)) for k in (5, 7)]
    state = State(
        pixels=painted[0], drawing=painted[1], baseline="drawing", network="digits-rewritten", target=9, output="logit",
        baseline_seed=MAX_SEED, steps=499, rule="captum-trapezoid", samples=499, noise_level=0.123, seed=MAX_SEED, clip=True,
        options={name: {s.name: another(s) for s in method.settings} for name, method in METHODS.items()},
        pinned=tuple(sorted(METHODS, key=len)[-4:]), tab="compare", scale="own",
    )  # fmt: skip
    link = link_of(state)
    assert sum(map(len, state.to_json()["options"].values())) > 50 and len(link) <= MAX_QUERY
    back, notices = read_link(link, models)
    assert notices == [] and back.options == state.options and back.pinned == state.pinned


# ---------------------------------------------------------------- what is wrong in a link

# a part of a link, the field that it is wrong for, and what the notice must say
WRONG = [
    ("net=resnet", "network", "resnet"),
    ("class=abc", "target", "abc"),
    ("class=-1", "target", "-1"),
    ("class=", "target", "target"),
    ("class=99", "target", "0 to 7"),
    ("out=loss", "output", "loss"),
    ("base=grey", "baseline", "grey"),
    ("base=drawing", "baseline", "no drawing"),
    ("bseed=x", "baseline_seed", "'x'"),
    ("bseed=9999999999999", "baseline_seed", "9999999999999"),
    ("draw=AAA", "drawing", "cut short"),
    ("m=0", "steps", "from 1 to 500"),
    ("m=501", "steps", "501"),
    ("m=ten", "steps", "ten"),
    ("m=10.0", "steps", "10.0"),
    ("m=%D9%A3", "steps", "from 1 to 500"),
    ("rule=simpson", "rule", "simpson"),
    ("n=0", "samples", "from 1 to 500"),
    ("noise=1.01", "noise_level", "1.01"),
    ("noise=nan", "noise_level", "nan"),
    ("noise=..001", "noise_level", "001"),  # a damaged number is no other number
    ("seed=-1", "seed", "-1"),
    ("clip=yes", "clip", "yes"),
    ("tab=grad-cam", "tab", "grad-cam"),
    ("scale=log", "scale", "log"),
    ("pin=lime_green", "pinned", "lime_green"),
    ("p=triangle", "pixels", "triangle"),
    ("px=", "pixels", "cut short"),
    ("px=A*", "pixels", "cut short"),
    ("px=" + "A" * 500, "pixels", "too long"),
    *((f"set={text}", "options", "") for text in ("lrp_epsilon", "lrp_epsilon.epsilon", "lrp_epsilon.epsilon:much", "no.such:1", ".:", "a.b:c")),
]


def test_a_notice_names_what_is_wrong_and_only_that_is_left_at_its_default(models: Zoo) -> None:
    for part, field, said in WRONG:
        rest = {name: value for name, value in {"steps": 70, "samples": 80, "seed": 5}.items() if name != field}
        good = "&".join(f"{KEYS[name]}={value}" for name, value in rest.items())
        for query in (f"?v=2&{good}&{part}", f"?v=2&{part}&{good}"):
            state, notices = read_link(query, models)
            assert state == State(**rest), query
            assert len(notices) == 1, notices
            assert said in notices[0] and notices[0].endswith(".") and "default" in notices[0], notices


def test_a_slip_in_one_hidden_group_shows_no_other(models: Zoo) -> None:
    state, notices = read_link("?hide=network,lab, methods,network&v=2", models)
    assert state.hide == ("methods", "network")
    assert len(notices) == 1 and "cannot hide 'lab'" in notices[0] and "labs, methods" in notices[0]
    assert read_link("?hide=" + "network," * 30 + "labs&v=2", models)[0].hide == ("labs", "network")


def test_each_wrong_part_gets_its_own_notice(models: Zoo) -> None:
    state, notices = read_link("?v=2&m=0&rule=simpson&net=digits", models)
    assert state == State(network="digits")
    assert len(notices) == 2 and "steps" in notices[0] and "rule" in notices[1]
    state, notices = read_link("?v=2&net=resnet&class=99&seed=2", models)
    assert state == State(seed=2) and len(notices) == 2
    state, notices = read_link("?v=2&set=lime.lime_samples:300,foo.x:1,lrp_epsilon.epsilon:1e1,occlusion.window:99", models)
    assert state.to_json()["options"] == {"lrp_epsilon": {"epsilon": 10.0}, "lime": {"lime_samples": 300}}
    assert len(notices) == 2 and "foo" in " ".join(notices) and "window" in " ".join(notices)


def test_a_link_of_another_version_shows_the_opening_state_and_says_so(models: Zoo) -> None:
    for query, said in (("?m=70", "no version"), ("?v=3&m=70", "version '3'"), ("?v=&m=70", "version"), ("?v=3", "version '3'")):
        state, notices = read_link(query, models)
        assert state == State()
        assert len(notices) == 1 and said in notices[0] and "opening state" in notices[0], notices


# What version 1 showed of links in its documents, its examples and the reports of faults.
FIRST_LINKS = json.loads((Path(__file__).parent / "reference" / "first_links.json").read_text())


@each("example", FIRST_LINKS, ids=[example["link"] for example in FIRST_LINKS])
def test_a_link_of_version_1_shows_what_it_showed(models: Zoo, example: dict[str, Any]) -> None:
    state, notices = read_link(example["link"], models)
    assert notices == []
    shown = answer(state, models)
    assert {name: getattr(state, name) for name in ("tab", "scale")} == example["looks"]
    assert list(state.pinned) == example["pinned"]
    assert (shown["target"], shown["predicted"]) == (example["target"], example["predicted"])
    np.testing.assert_allclose([shown["f"][end] for end in ("input", "baseline", "delta")], example["f"], rtol=1e-9)
    for name, values in example["maps"].items():
        np.testing.assert_allclose(shown["methods"][name]["map"], values, rtol=1e-6, atol=1e-12)


def test_what_is_wrong_in_a_link_of_version_1_gets_its_own_default(models: Zoo) -> None:
    state, notices = read_link("?v=1&net=none&tab=none&pin=none", models)
    assert len(notices) == 3
    assert (state.network, state.target, state.tab, state.scale) == ("shapes-ordinary", 0, "saliency", "own")


def test_a_link_that_is_far_too_long_shows_the_opening_state_and_says_so(models: Zoo) -> None:
    state, notices = read_link("?v=2&m=70&px=" + "A" * MAX_QUERY, models)
    assert state == State()
    assert len(notices) == 1 and "longer" in notices[0]


link_texts = st.one_of(
    st.text(),
    st.text(alphabet=st.characters(codec=None, exclude_categories=())),  # lone surrogates too
    st.lists(st.tuples(st.sampled_from(sorted(FIELDS)), st.text(max_size=12)), max_size=6).map(
        lambda parts: "?v=2&" + "&".join(f"{key}={value}" for key, value in parts)
    ),
)


@given(link_texts)
def test_any_text_is_read_as_a_link_without_an_error(text: str) -> None:
    state, notices = read_link(text, ZOO)
    assert State.from_json(state.to_json(), ZOO) == state
    for notice in notices:
        assert notice.endswith(".") and "\n" not in notice and len(notice) < 500


# ---------------------------------------------------------------- pictures in a link


@given(pictures)
def test_a_picture_is_read_as_it_was_written(pixels: tuple[float, ...]) -> None:
    text = encode(pixels)
    assert set(text) <= set(ALPHABET) and len(text) == 65 + 2 * len(set(pixels))
    assert decode(text) == (pixels, True)
    assert decode(text, known_case=False) == (pixels, text != text.upper())


def test_a_value_off_the_lattice_is_written_as_the_nearest_level() -> None:
    assert decode(encode((1 / 3, *EDGE[1:])))[0][0] == round(LEVELS / 3) / LEVELS


def test_damaged_pictures_are_refused() -> None:
    good = encode((0.0,) * 32 + (1.0,) * 32)
    damaged = [
        "",
        good[:-1],
        good + "A",
        good[1:],
        "A" + good[1:],  # another count of levels
        good[:1] + "__" + good[3:],  # a level above white
        good[:-1] + "C",  # a third level of two
        good.replace("A", "ä"),
        good[:-1] + "=",
        good[:-1] + "\n",
    ]
    for text in damaged:
        with pytest.raises(StateError, match="the painted picture"):
            decode(text)


pictureish = st.integers(1, 64).flatmap(
    lambda count: st.lists(st.sampled_from(ALPHABET), min_size=64 + 2 * count, max_size=64 + 2 * count).map(
        lambda letters: ALPHABET[count - 1] + "".join(letters)
    )
)
few_levels = st.lists(st.sampled_from("ABC"), min_size=68, max_size=70).map(lambda letters: "".join(["B", *letters]))


@given(st.text() | st.text(alphabet=ALPHABET) | pictureish | few_levels)
def test_any_text_is_a_picture_or_refused_and_sure_only_as_it_would_be_written(text: str) -> None:
    try:
        pixels, sure = decode(text)
    except StateError:
        return
    assert len(pixels) == 64 and all(0 <= value <= 1 for value in pixels)
    letters, written = "".join(letter for letter in text if letter in ALPHABET), encode(pixels)
    assert sure == (letters.startswith(written) and not letters[len(written) :].strip("-_"))
