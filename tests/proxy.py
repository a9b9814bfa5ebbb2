"""nginx for tests: they are skipped where there is none, except in CI, which installs it."""

from __future__ import annotations

import os

import pytest

from scripts.replicas import find_nginx

needs_nginx = pytest.mark.skipif(
    find_nginx() is None and os.environ.get("CI") != "true", reason="nginx is not installed (on Debian: nginx-light)"
)
