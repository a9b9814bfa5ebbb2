"""Where the program's own files lie: beside the package in a checkout, inside it when it is installed; setup.py puts them there."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
INSTALLED = (PACKAGE / "_root").is_dir()
ROOT = PACKAGE / "_root" if INSTALLED else PACKAGE.parent  # the folder of app.py, assets/ and models/
APP = "explorer._root.app" if INSTALLED else "app"  # the module that makes and serves the application
