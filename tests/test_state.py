"""The state: what it refuses and how it says so, and that a link brings back exactly what was sent."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.attribution import METHODS, Setting
from explorer.models import Model, load_zoo
from explorer.pictures import BASELINES, LEVELS, PATTERNS
from explorer.state import (
    ALPHABET,
    FIELDS,
    MAX_PINNED,
    MAX_QUERY,
    MAX_SAMPLES,
    MAX_SEED,
    MAX_STEPS,
    PREDICTED,
    RULE_NAMES,
    SCALES,
    TABS,
    State,
    StateError,
    decode,
    encode,
    pattern_name,
)

Zoo = Mapping[str, Model]
ZOO = load_zoo()
BLANK = (0.0,) * 64
HALF = (0.5,) * 64


def pixels_with(value: Any, at: int = 19) -> list[Any]:
    """A black picture but for one value."""
    return [value if i == at else 0.0 for i in range(64)]


# ---------------------------------------------------------------- strategies

lattice = st.integers(0, LEVELS).map(lambda level: level / LEVELS)
pictures = st.one_of(
    st.sampled_from([tuple(picture.ravel().tolist()) for picture in PATTERNS.values()]),
    st.lists(st.sampled_from([k / 100 for k in range(0, 101, 5)]), min_size=64, max_size=64).map(tuple),
    st.lists(lattice, min_size=64, max_size=64).map(tuple),
)


def value_of(setting: Setting) -> st.SearchStrategy[Any]:
    """Any value that a method's setting can have, but its default."""
    if setting.choices:
        values: st.SearchStrategy[Any] = st.sampled_from(setting.choices)
    elif isinstance(setting.default, bool):
        values = st.booleans()
    elif isinstance(setting.default, int):
        values = st.integers(int(setting.low), int(setting.high))
    else:
        values = st.floats(setting.low, setting.high, allow_subnormal=False)
    return values.filter(lambda value: value != setting.default)


@st.composite
def options(draw: st.DrawFn) -> tuple[tuple[str, str, Any], ...]:
    """Some methods' own settings, each different from its default, in the table's order."""
    own = [(name, setting) for name, method in METHODS.items() for setting in method.settings]
    chosen = draw(st.sets(st.sampled_from(range(len(own))), max_size=3))
    return tuple((own[i][0], own[i][1].name, draw(value_of(own[i][1]))) for i in sorted(chosen))


@st.composite
def states(draw: st.DrawFn) -> State:
    """Any state that the page can be in."""
    network = draw(st.sampled_from(sorted(ZOO)))
    kind = draw(st.sampled_from(BASELINES))
    drawing = draw(pictures) if kind == "drawing" else draw(st.none() | pictures)
    return State(
        pixels=draw(pictures),
        network=network,
        target=draw(st.just(PREDICTED) | st.integers(0, len(ZOO[network].classes) - 1)),
        output=draw(st.sampled_from(("probability", "logit"))),
        baseline=kind,
        baseline_seed=draw(st.integers(0, MAX_SEED)),
        drawing=drawing,
        steps=draw(st.integers(1, MAX_STEPS)),
        rule=draw(st.sampled_from(RULE_NAMES)),
        samples=draw(st.integers(1, MAX_SAMPLES)),
        noise_level=draw(st.integers(0, 50)) / 100,
        seed=draw(st.integers(0, MAX_SEED)),
        clip=draw(st.booleans()),
        options=draw(options()),
        pinned=tuple(draw(st.lists(st.sampled_from(sorted(METHODS)), min_size=1, max_size=MAX_PINNED, unique=True))),
        tab=draw(st.sampled_from(TABS)),
        scale=draw(st.sampled_from(SCALES)),
    )


# ---------------------------------------------------------------- the opening state


def test_the_opening_state_is_a_vertical_edge_before_black_with_fifty_steps(models: Zoo) -> None:
    opening = State()
    edge = np.where(np.arange(8) < 4, 0.9, 0.1) * np.ones((8, 1))
    np.testing.assert_array_equal(opening.picture(), edge)
    assert (opening.baseline, opening.steps, opening.target, opening.network) == ("black", 50, 0, "shapes")
    assert opening.to_query() == "?v=1"
    assert opening.tab == TABS[0]
    case = opening.case(models)
    np.testing.assert_array_equal(case.baseline, np.zeros((8, 8)))
    np.testing.assert_array_equal(case.input, edge)
    assert (case.target, case.network) == (0, models["shapes"].network)


def test_an_empty_state_and_an_empty_link_are_the_opening_state(models: Zoo) -> None:
    assert State.from_json({}, models) == State()
    for link in ("", "?", "?v=1", "v=1"):
        assert State.from_query(link, models) == (State(), [])


# ---------------------------------------------------------------- from_json is strict

NO_NUMBERS: list[Any] = [None, "0.5", True, [0.5], {}, math.nan, math.inf, -math.inf, -0.001, 1.001, 2, -1, 10**400, -(10**400)]
NO_WHOLE_NUMBERS: list[Any] = [None, "5", True, 5.0, 5.5, [5], {}, math.nan, -1, 10**9, 10**400]


def each(field: str, values: Iterable[Any], said: str) -> list[tuple[dict[str, Any], str]]:
    """A wrong state for each value of a field, with what its refusal must mention."""
    return [({field: value}, said) for value in values]


WRONG = [
    *each("pixels", map(pixels_with, NO_NUMBERS), "row 2, column 3"),
    *each("drawing", map(pixels_with, NO_NUMBERS), "drawing"),
    *[({"pixels": [0.0] * count}, f"{count} values") for count in (0, 1, 63, 65)],
    *each("pixels", [None, 0.5, "black", {}, "0" * 64, {str(i): 0.0 for i in range(64)}], "64 numbers"),
    *each("drawing", [0, "black", {}, [0.0] * 63, False], "64 numbers"),
    *each("network", [None, 3, [], {}, "", "resnet", "Shapes", True], "network"),
    *each("target", [None, -1, 1.0, "0", "Predicted", True, [], {}, math.nan], "target"),
    ({"target": 8}, "0 to 7"),
    ({"target": 10**300}, "0 to 7"),
    ({"target": 2, "network": "logistic"}, "0 to 1"),
    ({"target": 10, "network": "digits"}, "0 to 9"),
    *each("output", [None, 1, "", "loss", [], {}], "probability, logit"),
    *each("baseline", [None, 1, "", "grey", [], {}], "black, white"),
    ({"baseline": "drawing"}, "no drawing"),
    ({"baseline": "drawing", "drawing": None}, "no drawing"),
    *each("steps", [*NO_WHOLE_NUMBERS, 0, MAX_STEPS + 1], "from 1 to 500"),
    *each("samples", [*NO_WHOLE_NUMBERS, 0, MAX_SAMPLES + 1], "from 1 to 500"),
    *each("seed", [*NO_WHOLE_NUMBERS, MAX_SEED + 1], "from 0 to 999,999"),
    *each("baseline_seed", [*NO_WHOLE_NUMBERS, MAX_SEED + 1], "from 0 to 999,999"),
    *each("noise_level", [*NO_NUMBERS, 1.01], "noise level"),
    *each("rule", [None, 1, "", "simpson", "Right", [], {}], "midpoint"),
    *each("tab", [None, 0, "", "grad-cam", [], {}], "saliency"),
    *each("scale", [None, 0, "", "log", [], {}], "own, shared"),
    *each("clip", [None, 0, 1, "true", [], {}], "clip"),
    *[({name: 1}, name) for name in ("pixel", "v", "p", "__class__", "to_json", "")],
]


def said_by(refusal: StateError) -> str:
    """The message of a refusal, checked to be one short sentence without a full stop of its own."""
    text = str(refusal)
    assert text and "\n" not in text and not text.endswith("."), text
    assert "Traceback" not in text and "<class" not in text, text
    return text


@pytest.mark.parametrize(("data", "said"), WRONG, ids=lambda value: repr(value)[:60])
def test_each_kind_of_wrong_is_refused_in_a_sentence_that_names_it(data: dict[str, Any], said: str, models: Zoo) -> None:
    with pytest.raises(StateError) as refusal:
        State.from_json(data, models)
    text = said_by(refusal.value)
    assert said in text
    assert len(text) < 500


@pytest.mark.parametrize("data", [None, [], "", "{}", 1, True, ["pixels"]])
def test_a_state_that_is_no_object_is_refused(data: object, models: Zoo) -> None:
    with pytest.raises(StateError, match="must be an object"):
        State.from_json(data, models)


@pytest.mark.parametrize(
    "data",
    [
        {"pixels": pixels_with(1)},  # JSON has 1 and 1.0 alike
        {"steps": 1},
        {"steps": MAX_STEPS},
        {"samples": 1},
        {"samples": MAX_SAMPLES},
        {"noise_level": 0},
        {"noise_level": 0.5},
        {"seed": 0},
        {"seed": MAX_SEED},
        {"target": 7},
        {"target": PREDICTED},
        {"target": 9, "network": "digits"},
        {"drawing": None},
        {"baseline": "drawing", "drawing": list(HALF)},
    ],
    ids=lambda value: repr(value)[:60],
)
def test_the_bounds_themselves_are_taken(data: dict[str, Any], models: Zoo) -> None:
    state = State.from_json(data, models)
    for name, value in data.items():
        kept = getattr(state, name)
        assert (list(kept) if isinstance(kept, tuple) else kept) == value


@given(states())
def test_a_state_survives_json(state: State) -> None:
    sent = json.dumps(state.to_json(), allow_nan=False)
    assert State.from_json(json.loads(sent), ZOO) == state


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*FIELDS, "other"]), json_values, max_size=4))
def test_any_json_is_a_state_or_refused_in_a_sentence(data: dict[str, Any]) -> None:
    try:
        state = State.from_json(data, ZOO)
    except StateError as refusal:
        said_by(refusal)
    else:
        state.case(ZOO)
        state.settings()


# ---------------------------------------------------------------- links


@given(states())
def test_a_link_brings_the_same_state_back(state: State) -> None:
    link = state.to_query()
    assert link.startswith("?") and link.endswith("v=1")
    assert State.from_query(link, ZOO) == (state, [])
    assert State.from_query(link.removeprefix("?"), ZOO) == (state, [])
    assert len(link) <= MAX_QUERY


@given(st.floats(0, 0.5))
def test_a_link_keeps_any_noise_level_that_a_state_can_have(level: float) -> None:
    state = State.from_json({"noise_level": level}, ZOO)
    assert State.from_query(state.to_query(), ZOO) == (state, [])


@given(states(), st.sampled_from([f for f in FIELDS if f not in ("pixels", "drawing")]))
def test_a_link_holds_only_what_differs_from_the_opening_state(state: State, name: str) -> None:
    default = getattr(State(), name)
    if name == "target" or (name == "baseline" and state.drawing is None):
        return  # these hang together with others
    assert FIELDS[name].key not in dict(parse_qsl(replace(state, **{name: default}).to_query()[1:]))


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("painted", [0, 1, 3, 6])
def test_the_link_of_a_pattern_with_a_few_painted_cells_is_short(name: str, painted: int) -> None:
    pixels = PATTERNS[name].ravel().tolist()
    for i in range(painted):
        pixels[10 * i] = (5 + 15 * i) / 100
    link = State(pixels=tuple(pixels)).to_query()
    assert len(link) < 250
    if not painted:
        assert link == ("?v=1" if name == "edge" else f"?p={name}&v=1")


@pytest.mark.parametrize(
    ("link", "field", "said"),
    [
        ("net=resnet", "network", "resnet"),
        ("class=abc", "target", "abc"),
        ("class=-1", "target", "-1"),
        ("class=", "target", "target"),
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
        ("seed=-1", "seed", "-1"),
        ("clip=yes", "clip", "yes"),
        ("tab=grad-cam", "tab", "grad-cam"),
        ("scale=log", "scale", "log"),
        ("p=triangle", "pixels", "triangle"),
        ("px=", "pixels", "cut short"),
        ("px=A*", "pixels", "cut short"),
        ("px=" + "A" * 500, "pixels", "too long"),
    ],
)
def test_a_notice_names_what_is_wrong_in_a_link_and_only_that_is_left_at_its_default(
    link: str, field: str, said: str, models: Zoo
) -> None:
    rest: dict[str, Any] = {"steps": 70, "seed": 5} if field != "steps" else {"samples": 70, "seed": 5}
    if field == "seed":
        rest.pop("seed")
    good = "&".join(f"{FIELDS[name].key}={value}" for name, value in rest.items())
    for query in (f"?v=1&{good}&{link}", f"?v=1&{link}&{good}"):
        state, notices = State.from_query(query, models)
        assert state == replace(State(), **rest), field
        assert len(notices) == 1
        assert said in notices[0] and notices[0].endswith(".") and "default" in notices[0]


def test_two_wrong_parts_give_two_notices(models: Zoo) -> None:
    state, notices = State.from_query("?v=1&m=0&rule=simpson&net=digits", models)
    assert state == replace(State(), network="digits")
    assert len(notices) == 2
    assert "steps" in notices[0] and "rule" in notices[1]


def test_a_class_that_the_links_network_has_not_is_replaced_as_the_notice_says(models: Zoo) -> None:
    state, notices = State.from_query("?v=1&net=logistic&class=5", models)
    assert state.network == "logistic"
    assert len(notices) == 1 and "0 to 1" in notices[0]
    if "default" in notices[0]:
        assert state.target == State().target
    else:
        assert PREDICTED in notices[0] and state.target == PREDICTED


@pytest.mark.parametrize("query", ["?utm_source=mail", "?utm_source=mail&fbclid=1", "?v=1&utm_source=mail", "?lang=de&v=1"])
def test_foreign_parameters_cause_no_notice(query: str, models: Zoo) -> None:
    assert State.from_query(query, models) == (State(), [])


def test_a_trackers_parameter_does_not_spoil_a_link(models: Zoo) -> None:
    assert State.from_query("?v=1&m=70&utm_source=mail", models) == (replace(State(), steps=70), [])


@pytest.mark.parametrize(
    ("query", "said"), [("?m=70", "no version"), ("?v=2&m=70", "version '2'"), ("?v=&m=70", "version"), ("?v=2", "version '2'")]
)
def test_a_link_of_another_version_shows_the_opening_state_and_says_so(query: str, said: str, models: Zoo) -> None:
    state, notices = State.from_query(query, models)
    assert state == State()
    assert len(notices) == 1 and said in notices[0] and "opening state" in notices[0]


def test_a_link_that_is_far_too_long_shows_the_opening_state_and_says_so(models: Zoo) -> None:
    state, notices = State.from_query("?v=1&m=70&px=" + "A" * MAX_QUERY, models)
    assert state == State()
    assert len(notices) == 1 and "longer" in notices[0]


link_texts = st.one_of(
    st.text(),
    st.text(alphabet=st.characters(codec=None, exclude_categories=())),  # lone surrogates too
    st.lists(
        st.tuples(st.sampled_from(["v", "px", *(f.key for f in FIELDS.values())]), st.text(max_size=12)), max_size=6
    ).map(lambda parts: "?v=1&" + "&".join(f"{key}={value}" for key, value in parts)),
)


@given(link_texts)
def test_any_text_is_read_as_a_link_without_an_error(text: str) -> None:
    state, notices = State.from_query(text, ZOO)
    assert State.from_json(state.to_json(), ZOO) == state
    for notice in notices:
        assert notice.endswith(".") and "\n" not in notice and len(notice) < 500


# ---------------------------------------------------------------- pictures in a link


@given(pictures)
def test_encode_and_decode_are_inverse(pixels: tuple[float, ...]) -> None:
    text = encode(pixels)
    assert set(text) <= set(ALPHABET)
    assert decode(text) == pixels


def test_encode_writes_a_two_level_picture_in_69_letters() -> None:
    assert len(encode(BLANK[:32] + (1.0,) * 32)) == 1 + 2 * 2 + 64


def test_a_value_off_the_lattice_is_written_as_the_nearest_level() -> None:
    assert decode(encode((1 / 3, *BLANK[1:])))[0] == round(LEVELS / 3) / LEVELS


def test_damaged_pictures_are_refused() -> None:
    good = encode(BLANK[:32] + (1.0,) * 32)
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


@given(st.text() | st.text(alphabet=ALPHABET) | pictureish)
def test_any_text_decodes_to_a_picture_or_is_refused(text: str) -> None:
    try:
        pixels = decode(text)
    except StateError as refusal:
        said_by(refusal)
    else:
        assert len(pixels) == 64
        assert all(0 <= value <= 1 for value in pixels)


def test_a_pattern_is_known_by_its_very_pixels() -> None:
    for name, picture in PATTERNS.items():
        assert pattern_name(tuple(picture.ravel().tolist())) == name
        moved = picture.ravel().copy()
        moved[0] = 0.35
        assert pattern_name(tuple(moved.tolist())) is None


def test_looks_change_no_question(models: Zoo) -> None:
    plain, looked = State(), State(tab="compare", scale="shared")
    assert plain.settings() == looked.settings()
    assert (plain.case(models).target, plain.case(models).output) == (looked.case(models).target, looked.case(models).output)
    assert asdict(plain).keys() == FIELDS.keys()
