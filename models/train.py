"""Make the trained networks and the digits data: `python -m models.train` (about ten minutes on one core).

Writes, beside this script, the .npz files in `MAKERS`, or only those named, as in `python -m models.train digits digits-twin`.
Every seed is fixed and one thread is used, so on one machine with one torch the files come out the same byte for byte.
Another processor may add in another order; training in float64 keeps that small for the networks without an adversary
(first weights that were moved by 1e-10 ended within 1e-7). Training against an adversary can amplify it: there `--check` may
fail on another machine.

`--check` trains into a temporary folder, compares, and fails when the data differ, or a weight moved by more than
`WEIGHT_TOLERANCE` or an accuracy by more than `ACCURACY_TOLERANCE`.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.handwritten_digits import make_digits_data
from models.lab_networks import MARKED, RANDOMLY_MARKED, UNMARKED, make_marked_digits, make_permuted_digits
from models.networks import (
    make_checkpoints,
    make_digits,
    make_digits_cnn,
    make_ordinary_shapes,
    make_shapes,
    make_shapes_background,
)

FOLDER = Path(__file__).resolve().parent
TRAINED = re.compile(r"(robust_|ordinary_)?[wb]\d+")  # arrays of weights
WEIGHT_TOLERANCE = 1e-3
ACCURACY_TOLERANCE = 0.002

MAKERS: Mapping[str, Callable[[], dict[str, NDArray[Any]]]] = {
    "shapes.npz": make_shapes,
    "shapes-ordinary.npz": make_ordinary_shapes,
    "shapes-checkpoints.npz": make_checkpoints,
    "shapes-background.npz": make_shapes_background,
    "digits.npz": make_digits,
    "digits-cnn.npz": make_digits_cnn,
    "digits-data.npz": make_digits_data,
    # Twins: the same but for the seed.
    "shapes-twin.npz": partial(make_shapes, seed=21),
    "shapes-ordinary-twin.npz": partial(make_ordinary_shapes, seed=21),
    "digits-twin.npz": partial(make_digits, seed=22),
    "digits-cnn-twin.npz": partial(make_digits_cnn, seed=23),
    "digits-permuted.npz": make_permuted_digits,
    "digits-marked.npz": partial(make_marked_digits, MARKED),
    "digits-random-mark.npz": partial(make_marked_digits, RANDOMLY_MARKED),
    "digits-unmarked.npz": partial(make_marked_digits, UNMARKED),
}


def make(folder: Path, names: Collection[str]) -> None:
    """Make the named files in `folder` and say what came out."""
    torch.set_num_threads(1)
    for name in names:
        started = time.perf_counter()
        arrays = MAKERS[name]()
        # numpy dates every entry 1980-01-01, so equal arrays make equal files.
        np.savez_compressed(folder / name, allow_pickle=False, **arrays)
        facts = [f"{(folder / name).stat().st_size:,} bytes", f"{time.perf_counter() - started:.1f} s"]
        if "accuracy" in arrays:
            facts.append(f"accuracy {arrays['accuracy']:.4f} on {arrays['held_out']} held out")
        print(f"{name}: {', '.join(facts)}")


def differences(made: Path, kept: Path) -> list[str]:
    """Compare a file just made with the one kept, print the numbers, return what is not as it should be."""
    with np.load(made, allow_pickle=False) as new, np.load(kept, allow_pickle=False) as old:
        if set(new.files) != set(old.files) or any(new[name].shape != old[name].shape for name in new.files):
            return [f"{kept.name}: other arrays, or arrays of another shape"]
        trained = [name for name in new.files if TRAINED.fullmatch(name)]
        measured = [name for name in new.files if name.endswith("accuracy")]
        moved = np.max([np.abs(new[name] - old[name]).max() for name in trained], initial=0.0)  # NaN stays NaN
        # The drawn shapes pass through exp, sin and rounding, where another numpy may differ in a last bit.
        exact = set(new.files) - {*trained, *measured, "mean", "hundredths"}
        other = [name for name in sorted(exact) if not np.array_equal(new[name], old[name])]
        wrong = [f"{kept.name}: {name} differs" for name in other]
        if "mean" in new.files and not np.allclose(new["mean"], old["mean"], atol=1e-4):
            wrong.append(f"{kept.name}: mean differs")
        if "hundredths" in new.files and np.abs(new["hundredths"].astype(int) - old["hundredths"]).max() > 1:
            wrong.append(f"{kept.name}: hundredths differs")
        same = "the same bytes" if made.read_bytes() == kept.read_bytes() else "other bytes"
        if not trained:
            print(f"{kept.name}: {same}")
            return wrong
        print(f"{kept.name}: {same}, largest weight difference {moved:.3g}")
        if not moved <= WEIGHT_TOLERANCE:
            wrong.append(f"{kept.name}: weights differ by more than {WEIGHT_TOLERANCE}")
        for name in measured:
            print(f"{kept.name}: {name} {float(new[name]):.4f} made, {float(old[name]):.4f} kept")
            if abs(float(new[name]) - float(old[name])) > ACCURACY_TOLERANCE:
                wrong.append(f"{kept.name}: {name} differs by more than {ACCURACY_TOLERANCE}")
    return wrong


def check(names: Collection[str]) -> int:
    """Make the named files anew in a temporary folder and compare; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), names)
        wrong = [line for name in names for line in differences(Path(folder) / name, FOLDER / name)]
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Make the trained networks and the digits data.")
    parser.add_argument("--check", action="store_true", help="train into a temporary folder and compare")
    parser.add_argument("names", nargs="*", metavar="name", help="a file, as digits or digits.npz; all of them by default")
    arguments = parser.parse_args()
    names = [f"{name.removesuffix('.npz')}.npz" for name in arguments.names] or list(MAKERS)
    unknown = [name for name in names if name not in MAKERS]
    if unknown:
        parser.error(f"there is no {' or '.join(unknown)}; choose from {', '.join(MAKERS)}")
    if arguments.check:
        return check(names)
    make(FOLDER, names)
    return 0


if __name__ == "__main__":
    sys.exit(main())
