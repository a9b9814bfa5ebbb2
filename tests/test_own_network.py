"""Networks of one's own: written and read back the same, refused in one sentence, and on the page with all that applies."""

from __future__ import annotations

import copy
import json
import pickle
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import torch
from claims import holds
from own_modules import Residual, modules
from random_states import random_states
from safetensors.torch import save_file
from serving import PAGE_LAYOUT, get, post, refused, started, stroke, wait_until_healthy
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
from torch import nn
from truth import Truth

import explorer
from bench.asking import free_port
from explorer.attribution import METHODS, has_exact_path
from explorer.labs import LABS
from explorer.link import read_link
from explorer.models import Model, load_zoo
from explorer.own.chain import NotAChain
from explorer.own.export import as_layers
from explorer.own.layers import KINDS
from explorer.own.load import load_added, load_network
from explorer.own.named import FOLDER, MOST, NetworkFileError
from explorer.page.answer import answer, narrated
from explorer.page.panels.labs import lab_answer
from explorer.page.self_check import find_fault
from explorer.pictures import PATTERNS
from explorer.state import State, StateError

ZOO = load_zoo()
DOCS = (Path(__file__).resolve().parents[1] / "docs" / "own-network.md").read_text(encoding="utf-8")

MODULES = modules()
RANDOM = np.random.default_rng(0).random((30, 8, 8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of them as files; the first with pictures, the convolutional ones with a normalisation."""
    place = tmp_path_factory.mktemp("networks")
    for name, module in MODULES.items():
        explorer.export_network(module, place / name, title=f"Mine, {name}", pictures=RANDOM if name in ("mlp", "tanh") else None, normalisation=normalisation_of(name))
    return place


def normalisation_of(name: str) -> tuple[float, float]:
    return (0.3, 0.5) if name in ("cnn", "chain", "tanh") else (0.0, 1.0)


@pytest.fixture(scope="module")
def added(folder: Path) -> Mapping[str, Model]:
    """All of them, as the page lists them."""
    return load_added({FOLDER: str(folder)}, ZOO)


def test_every_kind_of_layer_is_written_and_read_back(folder: Path) -> None:
    written = {layer["kind"] for path in folder.glob("*.json") for layer in json.loads(path.read_text())["layers"]}
    assert written == set(KINDS)
    assert all(f"`{kind}`" in DOCS for kind in KINDS)


@pytest.mark.parametrize("name", MODULES)
def test_a_network_answers_as_its_module_did(name: str, added: Mapping[str, Model]) -> None:
    mean, std = normalisation_of(name)
    pictures = torch.from_numpy((RANDOM - mean) / std)
    module = copy.deepcopy(MODULES[name]).double()
    with torch.no_grad():
        expected = module(pictures.reshape(-1, *added[name].network.input_shape))
        found = added[name].network.logits(torch.from_numpy(RANDOM))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    assert next(MODULES[name].parameters()).dtype == torch.float32, "the module itself is not changed"


def test_what_is_said_of_a_network(added: Mapping[str, Model]) -> None:
    mine, bare = added["mlp"], added["cnn"]
    assert mine.title == "Mine, mlp" and mine.classes == ("0", "1", "2", "3") and mine.own and mine.accuracy is None
    np.testing.assert_allclose(mine.mean, RANDOM.mean(axis=0))
    assert mine.network.background is not None and len(mine.network.background) == 30
    assert np.all(bare.mean == 0.5) and bare.network.background is None and "grey" in bare.about
    assert [name for name, model in added.items() if model.linear] == ["linear"]
    assert not find_fault({**ZOO, **added}, {})


# ---- scikit-learn


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("classes", [10, 2])
def test_a_classifier_of_scikit_learn_keeps_its_probabilities(activation: str, classes: int, tmp_path: Path) -> None:
    pictures, digits = load_digits(n_class=classes, return_X_y=True)
    labels = np.array([f"digit {digit}" for digit in digits])
    with pytest.warns(UserWarning, match="Maximum iterations"):
        classifier = MLPClassifier((12, 8), activation=activation, max_iter=3, random_state=0).fit(pictures, labels)
    model = load_network(explorer.export_network(classifier, tmp_path / "mine", normalisation=(0, 1 / 16)))
    assert model.classes == tuple(f"digit {digit}" for digit in range(classes))
    np.testing.assert_allclose(model.network.scores(pictures.reshape(-1, 8, 8)[:50] / 16), classifier.predict_proba(pictures[:50]), atol=1e-9)
    assert model.linear == (activation == "identity")


def test_a_scaler_for_each_pixel_goes_into_the_first_layer(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    mean, std, module = rng.random(64), rng.random(64) + 0.1, nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).double()
    model = load_network(explorer.export_network(module, tmp_path / "mine", normalisation=(mean, std)))
    expected = module(torch.from_numpy((RANDOM.reshape(-1, 64) - mean) / std))
    torch.testing.assert_close(model.network.logits(torch.from_numpy(RANDOM)), expected, rtol=1e-9, atol=1e-9)


def test_a_single_score_becomes_two_classes(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Linear(64, 6), nn.ReLU(), nn.Linear(6, 1)).double()
    model = load_network(explorer.export_network(module, tmp_path / "mine", classes=["no", "yes"]))
    chance = torch.sigmoid(module(torch.from_numpy(RANDOM.reshape(-1, 64)))).detach().numpy()
    np.testing.assert_allclose(model.network.scores(RANDOM), np.hstack([1 - chance, chance]), atol=1e-9)


def test_others_may_read_the_files_like_any_new_file(tmp_path: Path) -> None:
    """A server in a container reads them as another user."""
    (tmp_path / "plain").touch()
    weights = explorer.export_network(MODULES["mlp"], tmp_path / "mine")
    assert weights.stat().st_mode == weights.with_suffix(".json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_export_leaves_torchs_random_numbers_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    explorer.export_network(MODULES["mlp"], tmp_path / "mine")
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)


REFUSED_EXPORTS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "no network": ("weights.pt", {}, "torch.nn.Module or a fitted MLPClassifier"),
    "not fitted": (MLPClassifier(), {}, "not fitted"),
    "probabilities": (nn.Sequential(nn.Linear(64, 3), nn.Softmax(1)), {}, "a Softmax is none of the allowed layers"),
    "no chain": (Residual(), {}, "does not take what the layer before it gives"),
    "other size": (nn.Sequential(nn.Linear(784, 10)), {}, "must map (k, 64) or (k, 1, 8, 8)"),
    "too few names": (MODULES["mlp"], {"classes": ["a", "b"]}, "4 classes, but 2 names"),
    "equal names": (MODULES["mlp"], {"classes": ["a", "b", "a", "c"]}, "'a' is there twice"),
    "pictures": (MODULES["mlp"], {"pictures": 16 * RANDOM}, "divide scikit-learn's digits by 16"),
    "std": (MODULES["mlp"], {"normalisation": (0, 0)}, "std of the normalisation must be above"),
    "long title": (MODULES["mlp"], {"title": "a" * 41}, "title"),
    "set otherwise": (nn.Sequential(nn.Conv2d(1, 2, 3, padding_mode="reflect", padding=1), nn.Flatten(), nn.Linear(128, 2)), {}, "in a way that the file cannot hold"),
}


@pytest.mark.parametrize("what", REFUSED_EXPORTS)
def test_export_says_why_it_refuses_and_writes_nothing(what: str, tmp_path: Path) -> None:
    module, options, why = REFUSED_EXPORTS[what]
    with pytest.raises(ValueError, match=re.escape(why)):
        explorer.export_network(module, tmp_path / "mine", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["../Mine", "Mine", "a b", "x" * 41, "mine.pt"])
def test_export_refuses_a_name_that_no_link_can_have(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"links|folder"):
        explorer.export_network(MODULES["linear"], tmp_path / name)


# ---- malformed files

Change = Callable[[dict[str, Any], dict[str, torch.Tensor]], Any]


def facts(**changes: Any) -> Change:
    return lambda said, tensors: said.update(changes)


def layers(*kinds: dict[str, Any]) -> Change:
    return facts(layers=list(kinds))


LINEAR = {"kind": "linear", "in_features": 64, "out_features": 4}
BROKEN: dict[str, tuple[Change, str]] = {
    "no title": (lambda said, _: said.pop("title"), "lacks 'title'"),
    "unknown member": (facts(code="import os"), "unknown member 'code'"),
    "other format": (facts(format="onnx"), "format is wrong"),
    "later version": (facts(version=2), "version is wrong"),
    "28 × 28": (facts(input_size=[28, 28]), "input_size"),
    "one class": (facts(classes=["a"]), "classes has a wrong length"),
    "21 classes": (facts(classes=[str(i) for i in range(21)]), "classes has a wrong length"),
    "too few classes": (facts(classes=["a", "b"]), "4 classes, but 2 names"),
    "equal classes": (facts(classes=["a", "a", "b", "c"]), "'a' is there twice"),
    "class of control characters": (facts(classes=["a", "b\n", "c", "d"]), "printable"),
    "class that is no text": (facts(classes=["a", 2, "c", "d"]), "classes.1"),
    "activation": (facts(activation="relu"), "activation"),
    "mean of 63": (facts(mean=[0.5] * 63), "mean has a wrong length"),
    "mean out of range": (facts(mean=[2.0] * 64), "mean.0"),
    "mean that is text": (facts(mean=["0.5"] * 64), "mean.0"),
    "sample out of range": (facts(samples=[[0.5] * 63 + [-1.0]]), "samples.0.63"),
    "101 samples": (facts(samples=[[0.5] * 64] * 101), "samples has a wrong length"),
    "std of 0": (facts(normalisation={"mean": 0, "std": 0}), "std of the normalisation"),
    "normalisation of 3": (facts(normalisation={"mean": [0.0] * 3, "std": 1}), "normalisation.mean"),
    "accuracy alone": (facts(accuracy=0.5), "accuracy and held_out go together"),
    "accuracy of 2": (facts(accuracy=2.0, held_out=3), "accuracy"),
    "no layers": (facts(layers=[]), "layers has a wrong length: it should have at least 1 item"),
    "41 layers": (layers(*[{"kind": "relu"}] * 41), "layers has a wrong length"),
    "layer without a kind": (layers({"in_features": 64}), "layer 0 has no 'kind'"),
    "unknown layer": (layers(LINEAR, {"kind": "transformer"}), "layer 1 is of the kind 'transformer'"),
    "a name of Python": (layers({"kind": "__import__"}), "layer 0 is of the kind '__import__'"),
    "unknown option": (layers({**LINEAR, "device": "cuda"}), "unknown option 'device'"),
    "missing option": (layers({"kind": "linear", "in_features": 64}), "lacks its out_features"),
    "option of another type": (layers({**LINEAR, "in_features": "64"}), "in_features must be a whole number from 1 to 4096"),
    "true is no number": (layers({**LINEAR, "out_features": True}), "out_features must be a whole number"),
    "option out of range": (layers({**LINEAR, "out_features": 10**9}), "out_features must be a whole number"),
    "groups that do not divide": (layers({"kind": "conv2d", "in_channels": 1, "out_channels": 3, "kernel_size": 3, "groups": 2}), "layer 0, conv2d"),
    "too many parameters": (layers({**LINEAR, "out_features": 4096}, {**LINEAR, "in_features": 4096, "out_features": 4096}), "parameters, and 1,000,000 are allowed"),
    "layers that do not fit": (
        lambda said, tensors: (said.update(layers=[LINEAR, {"kind": "relu"}, {**LINEAR, "in_features": 5}]), tensors.clear(), tensors.update(random_tensors((4, 64), (4, 5), at=(0, 2)))),
        "must map (k, 64)",
    ),
    "probabilities": (
        lambda said, tensors: (said.update(layers=[LINEAR, {"kind": "sigmoid"}]), tensors.clear(), tensors.update(random_tensors((4, 64), at=(0,)))),
        "must answer with logits",
    ),
    "missing tensor": (lambda _, tensors: tensors.pop("0.bias"), "lacks 0.bias"),
    "unknown tensor": (lambda _, tensors: tensors.update({"9.weight": torch.zeros(2)}), "'9.weight', which no layer has"),
    "path as a name": (lambda _, tensors: tensors.update({"../../etc/passwd": torch.zeros(2)}), "which no layer has"),
    "shape": (lambda _, tensors: tensors.update({"0.weight": torch.zeros(16, 63)}), "0.weight has the shape (16, 63)"),
    "NaN": (lambda _, tensors: tensors["0.weight"].fill_(torch.nan), "0.weight holds NaN or infinity"),
    "infinity": (lambda _, tensors: tensors["0.bias"].fill_(torch.inf), "0.bias holds NaN or infinity"),
    "whole numbers": (lambda _, tensors: tensors.update({"0.bias": torch.zeros(16, dtype=torch.int64)}), "0.bias holds int64"),
    "huge weights": (lambda _, tensors: tensors["4.weight"].fill_(1e9), "its logits reach"),
}


def random_tensors(*shapes: tuple[int, int], at: tuple[int, ...]) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {f"{number}.{name}": tensor for number, shape in zip(at, shapes, strict=True) for name, tensor in (("weight", torch.randn(shape)), ("bias", torch.randn(shape[0])))}


@pytest.mark.parametrize("what", BROKEN)
def test_a_malformed_network_is_refused_in_one_sentence_that_names_the_file(what: str, folder: Path, tmp_path: Path) -> None:
    change, why = BROKEN[what]
    said = json.loads((folder / "mlp.json").read_text())
    tensors = {name.removesuffix("_"): tensor for name, tensor in export_state("mlp").items()}
    change(said, tensors)
    save_file(tensors, tmp_path / "mine.safetensors")
    (tmp_path / "mine.json").write_text(json.dumps(said))
    assert why in told(tmp_path)


def export_state(name: str) -> dict[str, torch.Tensor]:
    """The tensors of a file, by the names that it has for them."""
    parts = [part for part in MODULES[name].modules() if isinstance(part, nn.Linear)]
    return {f"{2 * number}.{key}": tensor.detach().clone() for number, part in enumerate(parts) for key, tensor in part.state_dict().items()}


def told(place: Path) -> str:
    """The sentence with which ``mine`` in this folder is refused."""
    with pytest.raises(NetworkFileError) as refusal:
        load_network(place / "mine.safetensors")
    message = str(refusal.value)
    assert len(message.splitlines()) == 1 and message.endswith(".") and not message.endswith("..") and "mine" in message and len(message) < 600
    return message


def ours(folder: Path, place: Path) -> Path:
    for kind in ("json", "safetensors"):
        (place / f"mine.{kind}").write_bytes((folder / f"mlp.{kind}").read_bytes())
    return place


RAW: dict[str, tuple[str, bytes, str]] = {
    "no JSON": ("json", b"{", "is no JSON (line 1"),
    "no text": ("json", b"\xff\xfe", "it is no JSON"),
    "a list": ("json", b"[]", "must hold an object"),
    "NaN": ("json", b'{"version": NaN}', "holds NaN"),
    "a key twice": ("json", b'{"title": "a", "title": "b"}', "it has 'title' twice"),
    "deep": ("json", b"[" * 100_000, "nested too deeply"),
    "large": ("json", b" " * 500_000, "larger than 400,000 bytes"),
    "empty": ("safetensors", b"", "no valid safetensors file"),
    "cut": ("safetensors", b"\x40\x00\x00\x00\x00\x00\x00\x00{", "no valid safetensors file"),
    "a header without end": ("safetensors", b"\xff" * 64, "no valid safetensors file"),
    "large weights": ("safetensors", b"\0" * 9_500_000, "larger than 9,000,000 bytes"),
}


@pytest.mark.parametrize("what", RAW)
def test_files_of_other_bytes_are_refused(what: str, folder: Path, tmp_path: Path) -> None:
    kind, content, why = RAW[what]
    (ours(folder, tmp_path) / f"mine.{kind}").write_bytes(content)
    assert why in told(tmp_path)


class Bomb:
    """Unpickled, it would leave a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_a_pickle_is_never_read(folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    torch.save(Bomb(mark), ours(folder, tmp_path) / "mine.safetensors")
    assert "no valid safetensors file" in told(tmp_path)
    (tmp_path / "mine.safetensors").write_bytes(pickle.dumps(Bomb(mark)))
    assert "no valid safetensors file" in told(tmp_path)
    assert not mark.exists()
    for name in ("mine.pt", "mine.pkl", "mine.pth"):
        with pytest.raises(NetworkFileError, match="may be a pickle"):
            load_added(named(name), {})


def named(*names: str) -> dict[str, str]:
    return {"EXPLORER_NETWORK_FILES": json.dumps(names)}


def test_missing_and_misplaced_files_are_refused(folder: Path, tmp_path: Path) -> None:
    def why(environment: dict[str, str], zoo: Mapping[str, Model] = ZOO) -> str:
        with pytest.raises(NetworkFileError) as refusal:
            load_added(environment, zoo)
        return str(refusal.value)

    assert "does not exist" in why(named(str(tmp_path / "mine.safetensors")))
    assert "must be a folder" in why({FOLDER: str(tmp_path / "none")})
    assert "holds no file of a network" in why({FOLDER: str(tmp_path)})
    assert "must end in .safetensors" in why(named("mine"))
    (tmp_path / "mine.safetensors").mkdir()
    (tmp_path / "mine.json").write_bytes((folder / "mlp.json").read_bytes())
    assert "is no file" in why({FOLDER: str(tmp_path)})
    (tmp_path / "mine.safetensors").rmdir()
    (tmp_path / "mine.safetensors").write_bytes((folder / "mlp.safetensors").read_bytes())
    assert load_added({FOLDER: str(tmp_path)}, ZOO).keys() == {"mine"}
    assert load_added({**named(str(tmp_path / "mine.json")), FOLDER: str(tmp_path)}, ZOO).keys() == {"mine"}, "named twice is one"
    assert "give it another title" in why({**named(str(folder / "mlp.json")), FOLDER: str(tmp_path)})
    (tmp_path / "mine.json").rename(tmp_path / "digits.json")
    (tmp_path / "mine.safetensors").rename(tmp_path / "digits.safetensors")
    assert "there is a network digits already" in why({FOLDER: str(tmp_path)})
    assert "small letters" in why(named(str(tmp_path / "Digits.json")))
    assert f"the page can list {MOST}" in why(named(*(f"n{i}.json" for i in range(MOST + 1))))


# ---- on the page


def states(name: str) -> Iterator[State]:
    yield State(network=name, pixels=tuple(PATTERNS["ring"].ravel().tolist()))
    yield State(network=name, pixels=tuple(PATTERNS["white"].ravel().tolist()), output="logit", baseline="white")


def is_finite(data: Any) -> bool:
    if isinstance(data, dict):
        return all(map(is_finite, data.values()))
    if isinstance(data, list | tuple):
        return all(map(is_finite, data))
    return not isinstance(data, float) or bool(np.isfinite(data))


@pytest.mark.parametrize("name", MODULES)
def test_every_lab_and_method_answers_or_says_why_not(name: str, added: Mapping[str, Model]) -> None:
    zoo = {**ZOO, **added}
    unsupported = {lab for lab in LABS if LABS[lab].unsupported(State(network=name), zoo)}
    exact = has_exact_path(added[name].network)
    assert unsupported >= ({"sanity"} if exact else {"sanity", "convergence", "interactions", "inside"})
    assert ("fragile" in unsupported) == (name not in ("mlp", "leaky", "cnn", "maximum", "chain"))
    for state in states(name):
        for lab in sorted(LABS.keys() - unsupported):
            found = lab_answer(LABS[lab], state, LABS[lab].values({}), zoo)
            assert orjson.dumps(found) and is_finite({key: value for key, value in found.items() if key != "charts"}), lab
        case = state.case(zoo)
        for method in METHODS.values():
            if not method.unsupported_reason(case.network):
                assert np.isfinite(method(case, **method.values(state.values(method))).attribution).all(), method.name


def test_labs_of_a_network_that_is_no_rectifier_say_so(added: Mapping[str, Model]) -> None:
    for lab in ("convergence", "interactions"):
        reason = LABS[lab].unsupported(State(network="tanh"), {**ZOO, **added})
        assert "does not know all layers" in reason and reason.endswith(".") and len(reason.split()) <= 24
    assert "has no ReLU" in LABS["fragile"].unsupported(State(network="tanh"), {**ZOO, **added})


def test_the_exact_rule_is_refused_where_there_is_none(added: Mapping[str, Model]) -> None:
    zoo = {**ZOO, **added}
    assert State.from_json({"network": "mlp", "rule": "exact"}, zoo).rule == "exact"
    with pytest.raises(StateError, match="exact rule needs a network of affine and ReLU layers, and tanh has others"):
        State.from_json({"network": "tanh", "rule": "exact"}, zoo)
    state, (notice,) = read_link("?net=tanh&rule=exact&v=2", zoo)
    assert state == State(network="tanh") and "exact rule" in notice
    assert read_link("?net=cnn&class=3&v=2", zoo) == (State(network="cnn", target=3), [])
    assert answer(State(network="tanh"), zoo)["exact"] is None and "integrated" in answer(State(network="tanh"), zoo)["narration"]
    assert "integrated" not in answer(State(network="tanh"), zoo, exact=False)["narration"]


def test_what_the_page_says_of_such_networks_is_true(added: Mapping[str, Model]) -> None:
    bent = {name: added[name] for name in ("tanh", "sigmoid", "smooth", "maximum")}
    seen = set()
    for state in random_states(bent, 11, 150):
        asked = state.replace(rule="right") if state.rule == "exact" else state
        payload, told = narrated(asked, bent)
        truth = Truth(asked, bent[asked.network], payload)
        for sentence in [sentence for sentences in told.values() for sentence in sentences]:
            assert holds(truth, sentence), (asked, sentence)
            assert "the exact rule leaves none" not in sentence.text
            seen.add(sentence.claim)
    assert {"sign", "complete", "more steps", "kink here", "score"} <= seen


def test_a_page_with_added_networks_answers_for_them_from_every_worker(folder: Path) -> None:
    port = free_port()
    with started(port, WORKERS="2", NETWORKS=str(folder)) as process:
        wait_until_healthy(process, port)
        assert "Mine, tanh" in get(port, PAGE_LAYOUT)[1]
        for _ in range(6):
            status, body, _ = post(port, stroke(network="tanh"))
            assert status == 200 and "scores" in body
        assert get(port, "/readyz")[0] == 200


def test_a_bad_network_stops_the_start_with_one_sentence(folder: Path, tmp_path: Path) -> None:
    (ours(folder, tmp_path) / "mine.json").write_text("{}")
    (line,) = refused(NETWORKS=str(tmp_path), WORKERS="2")
    assert line == f"{tmp_path / 'mine.json'}: it lacks 'format'."
    (line,) = refused(arguments=["--network", str(tmp_path / "none.safetensors")])
    assert line == f"{tmp_path / 'none.json'} does not exist."


def test_the_examples_of_the_documentation_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train, torch_one, _ = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    assert len([line for line in train.splitlines() if line.strip()]) <= 20
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(train, names)
    exec(torch_one, names)
    mine = load_added({FOLDER: str(tmp_path)}, ZOO)
    assert list(mine) == ["my-cnn", "my-digits"] and (mine["my-digits"].accuracy or 0) > 0.93
    assert mine["my-cnn"].classes == ("cat", "dog", "bird")


def test_a_module_that_is_no_chain_is_told_apart_from_one_that_is_wrong() -> None:
    with pytest.raises(NotAChain):
        as_layers(Residual())
