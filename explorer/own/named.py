"""Which files of networks an environment names. Needs no torch, so that the parent of the workers can look, too."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

FOLDER = "NETWORKS"  # the environment variable with a folder of networks
FILES = "EXPLORER_NETWORK_FILES"  # what --network named, as a JSON list: the workers inherit it
WEIGHTS, FACTS = ".safetensors", ".json"
MOST = 30  # networks: the page brings the facts of all of them along


class NetworkFileError(ValueError):
    """A network's files cannot be used; the message is one sentence that names the file and says why."""


def network_files(environment: Mapping[str, str]) -> list[Path]:
    """The weight files that ``--network`` and ``NETWORKS`` name, in the order of the page's list; each once.

    Raises:
        NetworkFileError: the folder does not exist, has no network, or there are too many.
    """
    named = [weights_file(Path(name)) for name in json.loads(environment.get(FILES) or "[]")]
    if folder := environment.get(FOLDER):
        if not Path(folder).is_dir():
            raise NetworkFileError(f"{FOLDER} must be a folder, and {folder!r} is none.")
        found = sorted(path for path in Path(folder).iterdir() if path.suffix == WEIGHTS and not path.name.startswith("."))
        if not found:
            raise NetworkFileError(f"{FOLDER}={folder} holds no file of a network, NAME{WEIGHTS} with NAME{FACTS} beside it.")
        named += found
    files = list(dict.fromkeys(path.absolute() for path in named))
    if len(files) > MOST:
        raise NetworkFileError(f"There are {len(files)} networks to add, and the page can list {MOST}.")
    return files


def weights_file(path: Path) -> Path:
    """The weight file of a network that is named by this file, or by the one beside it.

    Raises:
        NetworkFileError: the name has another ending.
    """
    if path.suffix in (WEIGHTS, FACTS):
        return path.with_suffix(WEIGHTS)
    if path.suffix in (".pt", ".pth", ".pkl", ".pickle", ".joblib", ".bin", ".ckpt"):
        raise NetworkFileError(f"{path.name} may be a pickle, which runs code when it is read: write it with explorer.export_network instead.")
    raise NetworkFileError(f"{path.name} is no network: its name must end in {WEIGHTS}, with NAME{FACTS} beside it.")


def with_absolute_folder(environment: Mapping[str, str]) -> dict[str, str]:
    """The variable of the folder as an absolute path, for processes that run elsewhere."""
    folder = environment.get(FOLDER)
    return {FOLDER: os.path.abspath(folder)} if folder else {}
