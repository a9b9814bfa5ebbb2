"""Codes, secrets and aliases of a room; QR codes, read back from the SVG that is drawn."""

from __future__ import annotations

import hashlib
import re
from itertools import product
from random import Random
from xml.etree import ElementTree

import numpy as np
import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from explorer.classroom.aliases import ADJECTIVES, ANIMALS, free_alias
from explorer.classroom.codes import LENGTH, LETTERS, digest, matches, new_code, new_token, read_code
from explorer.classroom.qr import MOST, qr_svg

QUIET = 4  # light modules around a code, as ISO/IEC 18004 asks for
FINDER = np.pad(np.pad(np.ones((3, 3), int), 1), 1, constant_values=1)


def read_back(svg: bytes) -> NDArray[np.int_]:
    """The modules that an SVG draws, 1 where dark: its dark path is a sequence of horizontal strokes, one module high."""
    picture = ElementTree.fromstring(svg)
    left, top, width, height = map(int, picture.attrib["viewBox"].split())
    light, dark = picture
    assert (left, top) == (0, 0) and width == height
    assert light.attrib == {"fill": "#fff", "d": f"M0 0h{width}v{height}h-{width}z"} and dark.attrib["stroke"] == "#000"
    modules, x, y = np.zeros((height, width), int), 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([^Mmh]*)", dark.attrib["d"]):
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if command == "h":
            modules[int(y), int(x) : int(x + values[0])] = 1
            x += values[0]
        else:
            x, y = (values[0], values[1]) if command == "M" else (x + values[0], y + values[1])
    return modules


def test_codes_are_drawn_from_letters_that_nobody_mistakes() -> None:
    codes = [new_code() for _ in range(400)]
    assert {len(code) for code in codes} == {LENGTH}
    assert set("".join(codes)) == set(LETTERS)  # 2000 letters: one of 18 is left out with a chance below 1e-48
    assert not set(LETTERS) & set("AEIOU0123456789QLV") and len(set(LETTERS)) == len(LETTERS) == 18
    assert len(set(codes)) > 390  # of 1.9 million


@given(st.lists(st.sampled_from(LETTERS), min_size=LENGTH, max_size=LENGTH), st.lists(st.sampled_from(["", " ", "-", "\t", " - "]), min_size=6, max_size=6), st.booleans())
def test_a_code_is_read_however_it_is_typed(letters: list[str], between: list[str], small: bool) -> None:
    typed = "".join(gap + letter for gap, letter in zip(between, [*letters, ""], strict=True))
    assert read_code(typed.lower() if small else typed) == "".join(letters)


@given(st.text(max_size=12))
def test_what_is_no_code_is_not_read(text: str) -> None:
    code = read_code(text)
    assert code is None or (len(code) == LENGTH and set(code) <= set(LETTERS))


@pytest.mark.parametrize("text", ["", "BCDF", "BCDFGH", "BCDFA", "BCDF5", "BCD_F", "BCDFG.", "B" * 5 + "\x00"])
def test_five_letters_no_more_no_less(text: str) -> None:
    assert read_code(text) is None


def test_a_token_is_known_by_its_hash_alone() -> None:
    token, other = new_token(), new_token()
    assert re.fullmatch(r"[\w-]{32}", token, re.ASCII) and token != other  # a header can carry it, and no dot is in it
    assert digest(token) == hashlib.sha256(token.encode()).hexdigest()
    assert matches(token, digest(token))
    assert not any(matches(*pair) for pair in ((other, digest(token)), (token, ""), ("", digest(token)), (token[:-1], digest(token)), (token, token)))


def test_aliases_are_many_and_each_is_given_once() -> None:
    everyone = {f"{one} {other}" for one, other in product(ADJECTIVES, ANIMALS)}
    assert len(everyone) == len(ADJECTIVES) * len(ANIMALS) >= 1500
    assert all(re.fullmatch(r"[A-Z][a-z]+ [a-z]+", alias) for alias in everyone)
    taken: list[str] = []
    for _ in range(300):
        taken.append(free_alias(taken, Random(len(taken))))
    assert len(set(taken)) == 300 and set(taken) <= everyone
    assert free_alias((), Random(7)) == free_alias((), Random(7))
    last = sorted(everyone)[1234]
    assert free_alias(everyone - {last}, Random(0)) == last


def test_a_number_is_added_when_all_aliases_are_taken() -> None:
    taken = {f"{one} {other}" for one, other in product(ADJECTIVES, ANIMALS)}
    for number in (2, 3):
        alias = free_alias(taken, Random(1))
        assert re.fullmatch(rf"[A-Z][a-z]+ [a-z]+ {number}", alias) and alias not in taken
        taken.add(alias)


@pytest.mark.parametrize("text", ["http://127.0.0.1:8050/?room=BCDFG", "https://example.org/a/?s=" + "x" * 900, "ä" * 60, "Z"])
def test_a_qr_code_draws_what_stands_for_its_text_with_a_quiet_zone(text: str) -> None:
    modules = read_back(qr_svg(text))
    inner = modules[QUIET:-QUIET, QUIET:-QUIET]
    assert modules.sum() == inner.sum() and (len(inner) - 17) % 4 == 0 and len(inner) >= 21
    for corner in (inner[:7, :7], inner[:7, -7:], inner[-7:, :7]):
        assert (corner == FINDER).all()
    assert (inner[6, 8:-8] == np.arange(8, len(inner) - 8) % 2 ^ 1).all()  # the timing pattern
    expected = segno.make_qr(text, error="M")
    assert (inner == np.array([list(row) for row in expected.matrix])).all() and expected.error in ("M", "Q", "H")


def test_a_qr_code_takes_the_size_of_its_place_in_html() -> None:
    svg = qr_svg('"<&>')
    root = ElementTree.fromstring(svg)
    assert svg.startswith(b"<svg") and root.tag == "{http://www.w3.org/2000/svg}svg" and not {"width", "height"} & set(root.attrib)


@pytest.mark.parametrize("text", ["a" * (MOST + 1), "→" * MOST])
def test_a_text_that_is_too_long_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        qr_svg(text)
    assert len(read_back(qr_svg("a" * MOST))) <= 177 + 2 * QUIET
