"""``make lint``: does nginx understand the configuration in deploy/, with the small files of every place it is used in?"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # when it is called by its path

from scripts.replicas import find_nginx  # noqa: E402

DEPLOY = ROOT / "deploy"
PLACES = (DEPLOY, DEPLOY / "compose")
SMALL = ("replicas.conf", "listen.conf", "paths.conf")
OUTSIDE = re.compile(r"(?<=\s)/(?:var|tmp)/\S*?(?=[\s;])")  # where nginx may write there, which is not here


def faults(program: str, place: Path) -> str:
    """What nginx says of it; nothing when all is well."""
    with tempfile.TemporaryDirectory(prefix="nginx-") as folder:
        shutil.copy(DEPLOY / "nginx.conf", folder)
        for name in SMALL:
            text = OUTSIDE.sub(lambda path: f"{folder}/{path[0].replace('/', '-')}", (place / name).read_text(encoding="utf-8"))
            # ports below 1024 are root's, and any may be taken
            (Path(folder) / name).write_text(re.sub(r"(?m)^listen .*;$", f"listen unix:{folder}/socket;", text, count=1), "utf-8")
        command = [program, "-t", "-q", "-e", "stderr", "-p", folder, "-c", f"{folder}/nginx.conf", "-g", "pid nginx.pid;"]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stderr.replace(folder, "deploy")


def main() -> None:
    """Check every place."""
    program = find_nginx()
    if program is None:
        sys.exit("nginx was not found, so deploy/nginx.conf is not checked" if os.environ.get("CI") == "true" else 0)
    said = {place: faults(program, place) for place in PLACES}
    for place, text in said.items():
        if text:
            print(f"{place.relative_to(ROOT)}:\n{text}")
    sys.exit(any("[emerg]" in text for text in said.values()))


if __name__ == "__main__":
    main()
