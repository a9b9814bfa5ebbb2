"""The convolutional network, the rewritten one, and the backgrounds that the networks come with."""

from __future__ import annotations

import copy
import importlib.util
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from explorer.attribution import Case, Network, exact_integrated_gradients, explain, gradient_field
from explorer.attribution.network import Output
from explorer.backgrounds import training_digits, training_shapes
from explorer.models import FOLDER
from explorer.pictures import PATTERNS, StoredFileError, read_arrays
from models import networks, train, training
from models.drawn_shapes import draw_shapes
from tests.attribution.toys import BLACK, picture, random_case, relative_error

Floats = NDArray[np.float64]
outputs = pytest.mark.parametrize("output", ["probability", "logit"])


# The convolutional network.


def test_the_convolutional_network_is_small_and_ends_as_cam_needs_it(zoo: Mapping[str, Network]) -> None:
    module = zoo["digits-cnn"].module
    assert isinstance(module, nn.Sequential)
    assert sum(parameter.numel() for parameter in module.parameters()) < 6000
    *body, pooling, flatten, linear = module
    assert isinstance(pooling, nn.AdaptiveAvgPool2d) and isinstance(flatten, nn.Flatten) and isinstance(linear, nn.Linear)
    assert {type(layer) for layer in body} == {nn.Conv2d, nn.ReLU}
    assert nn.Sequential(*body)(torch.zeros(1, 1, 8, 8, dtype=torch.float64)).shape == (1, linear.in_features, 8, 8)


@pytest.mark.parametrize("name", ["digits", "digits-cnn"])
def test_training_measures_its_networks_as_the_zoo_runs_them(
    zoo: Mapping[str, Network], name: str
) -> None:
    pictures = np.stack([picture(seed) for seed in range(20)])
    expected = zoo[name].logits(torch.from_numpy(pictures)).numpy()
    assert relative_error(training.logits(read_arrays(FOLDER / f"{name}.npz"), pictures), expected) < 1e-12


@outputs
def test_the_exact_path_of_the_convolutional_network_is_complete(zoo: Mapping[str, Network], output: Output) -> None:
    for seed in range(3):
        case = random_case(zoo["digits-cnn"], seed, output)
        found = exact_integrated_gradients(case)
        ends = gradient_field(case.network, np.stack([case.input, case.baseline]), case.target, output).values
        assert len(found.alphas) > 50
        assert abs(found.attribution.sum() - (ends[0] - ends[1])) < 1e-12 * (1 + np.abs(found.attribution).sum())


# The rewrite.


def everywhere(network: Network) -> Floats:
    """Pictures of all kinds, some far outside of [0, 1]."""
    assert network.background is not None
    noise = np.random.default_rng(0).standard_normal((100, 8, 8))
    return np.concatenate([network.background, 3 * noise, np.stack(list(PATTERNS.values())), BLACK[None]])


def test_the_rewrite_computes_the_same_function_with_other_layers(zoo: Mapping[str, Network]) -> None:
    plain, rewritten = zoo["digits"], zoo["digits-rewritten"]
    pictures = torch.from_numpy(everywhere(plain))
    np.testing.assert_allclose(rewritten.logits(pictures), plain.logits(pictures), rtol=0, atol=1e-12)
    assert len(list(rewritten.module.children())) > len(list(plain.module.children()))


@outputs
def test_gradient_methods_do_not_see_the_rewrite(zoo: Mapping[str, Network], output: Output) -> None:
    plain, rewritten = zoo["digits"], zoo["digits-rewritten"]
    for target in range(10):
        one, other = (gradient_field(network, everywhere(plain), target, output) for network in (plain, rewritten))
        size = np.abs(one.gradients).max(axis=(1, 2))
        assert (np.abs(other.gradients - one.gradients).max(axis=(1, 2)) <= 1e-12 * size).all()
    cases = [Case(network, picture(0), BLACK, 3, output) for network in (plain, rewritten)]
    found = [explain(case) for case in cases]
    for name in found[0].results:
        assert relative_error(found[1][name].attribution, found[0][name].attribution) < 1e-12
    exact = [exact_integrated_gradients(case) for case in cases]
    assert relative_error(exact[1].attribution, exact[0].attribution) < 1e-11


def test_deeplift_does_see_the_rewrite(zoo: Mapping[str, Network]) -> None:
    captum = importlib.import_module("captum.attr")
    plain, rewritten = zoo["digits"], zoo["digits-rewritten"]
    assert plain.background is not None
    differences = []
    for x in plain.background[::10]:
        maps = []
        for network in (plain, rewritten):
            method, target = captum.DeepLift(copy.deepcopy(network.module)), plain.predict(x)
            pair = torch.tensor(x).reshape(1, 64), torch.zeros(1, 64, dtype=torch.float64)
            with pytest.warns(UserWarning, match="Setting forward"):
                maps.append(method.attribute(*pair, target=target).detach().numpy())
        assert abs(maps[0].sum() - maps[1].sum()) < 1e-12  # both complete
        differences.append(relative_error(maps[1], maps[0]))
    assert np.median(differences) > 0.02


# The backgrounds.


def test_every_network_brings_a_background_that_cannot_be_changed(zoo: Mapping[str, Network]) -> None:
    for network in zoo.values():
        background = network.background
        assert background is not None
        assert 90 <= len(background) <= 110
        assert (background >= 0).all() and (background <= 1).all()
        with pytest.raises(ValueError, match="read-only"):
            background[0, 0, 0] = 1
    for name in ("digits-cnn", "digits-rewritten"):
        assert np.array_equal(zoo[name].background, zoo["digits"].background)  # type: ignore[arg-type]
    assert np.array_equal(zoo["logistic"].background, zoo["shapes"].background)  # type: ignore[arg-type]


@pytest.mark.parametrize("per_class", [1, 10])
def test_the_background_of_digits_is_training_pictures_with_the_classes_in_turn(per_class: int) -> None:
    data = read_arrays(FOLDER / "digits-data.npz")
    background = training_digits(FOLDER, per_class)
    assert len({x.tobytes() for x in background}) == len(background) == 10 * per_class
    for place, x in enumerate(background):
        allowed = data["pictures"][~data["held_out"] & (data["labels"] == place % 10)] / 16
        assert (allowed == x).all(axis=(1, 2)).any()


@pytest.mark.parametrize("per_class", [0, 1000])
def test_more_digits_than_there_are_are_refused(per_class: int) -> None:
    with pytest.raises(ValueError, match="per_class must be"):
        training_digits(FOLDER, per_class)


def test_the_background_of_shapes_is_what_was_trained_on() -> None:
    pictures, _ = draw_shapes(np.random.default_rng(networks.SHAPES_SEED), networks.SHAPES_TRAINING)
    every = pictures[:: networks.SHAPES_TRAINING // networks.SHAPES_BACKGROUND].reshape(8, 12, 8, 8)
    # Another numpy may draw a pixel a hundredth lighter.
    assert np.abs(training_shapes(FOLDER).reshape(12, 8, 8, 8) - every.swapaxes(0, 1)).max() < 0.011


DAMAGE: dict[str, Callable[[dict[str, NDArray[np.uint8]]], dict[str, NDArray[np.generic]]]] = {
    "one picture short": lambda data: {**data, "hundredths": data["hundredths"][1:]},
    "out of range": lambda data: {**data, "hundredths": data["hundredths"] + np.uint8(50)},
    "no whole numbers": lambda data: {**data, "hundredths": data["hundredths"] / 100},
    "unbalanced": lambda data: {**data, "labels": np.roll(data["labels"], 1) // 7},
    "empty": lambda data: {name: array[:0] for name, array in data.items()},
    "no labels": lambda data: {"hundredths": data["hundredths"]},
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_background_is_named_with_its_remedy(tmp_path: Path, damage: str) -> None:
    file = Path(shutil.copy(FOLDER / "shapes-background.npz", tmp_path))
    np.savez(file, allow_pickle=False, **DAMAGE[damage](read_arrays(file)))
    with pytest.raises(StoredFileError, match=r"shapes-background\.npz.*make train"):
        training_shapes(tmp_path)


def test_the_check_of_train_sees_a_changed_background(tmp_path: Path) -> None:
    kept = FOLDER / "shapes-background.npz"
    made, data = tmp_path / kept.name, read_arrays(kept)
    np.savez(made, allow_pickle=False, **data)
    assert train.differences(made, kept) == []
    for move, complaints in ((1, []), (2, ["shapes-background.npz: hundredths differs"])):
        nearly = np.abs(data["hundredths"].astype(int) - move).astype(np.uint8)
        np.savez(made, allow_pickle=False, hundredths=nearly, labels=data["labels"])
        assert train.differences(made, kept) == complaints
