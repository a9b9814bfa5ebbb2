"""``make lint``: checks with nginx that the configuration in deploy/ is valid, for each set of its included files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # for calls by path

from scripts.replicas import find_nginx  # noqa: E402

DEPLOY = ROOT / "deploy"
FOLDERS = (DEPLOY, DEPLOY / "compose")
INCLUDED = ("replicas.conf", "listen.conf", "paths.conf")
OUTSIDE = re.compile(r"(?<=\s)/(?:var|tmp)/\S*?(?=[\s;])")  # paths that nginx writes to, which do not exist here


def messages(program: str, folder: Path) -> str:
    """The messages of nginx about a configuration; empty if it is valid."""
    with tempfile.TemporaryDirectory(prefix="nginx-") as scratch:
        shutil.copy(DEPLOY / "nginx.conf", scratch)
        for name in INCLUDED:
            text = OUTSIDE.sub(lambda path: f"{scratch}/{path[0].replace('/', '-')}", (folder / name).read_text(encoding="utf-8"))
            # ports below 1024 need root, and any port may be in use
            (Path(scratch) / name).write_text(re.sub(r"(?m)^listen .*;$", f"listen unix:{scratch}/socket;", text, count=1), "utf-8")
        command = [program, "-t", "-q", "-e", "stderr", "-p", scratch, "-c", f"{scratch}/nginx.conf", "-g", "pid nginx.pid;"]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stderr.replace(scratch, "deploy")


def main() -> None:
    """Check every folder."""
    program = find_nginx()
    if program is None:
        sys.exit("nginx was not found, so deploy/nginx.conf is not checked" if os.environ.get("CI") == "true" else 0)
    output = {folder: messages(program, folder) for folder in FOLDERS}
    for folder, text in output.items():
        if text:
            print(f"{folder.relative_to(ROOT)}:\n{text}")
    sys.exit(any("[emerg]" in text for text in output.values()))


if __name__ == "__main__":
    main()
