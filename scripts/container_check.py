"""``make container``: build the image, run it as a careful host would, and hold it to its promises.

It needs Docker (or what answers to `docker`). CONTAINER_NETWORK=host builds and runs on the host's network, where the engine
has no other; otherwise the port is published on loopback.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # when it is called by its path

from bench.asking import callback_request, free_port  # noqa: E402
from explorer.state import State  # noqa: E402
from scripts.failover import Student, question  # noqa: E402
from scripts.replicas import PATIENCE  # noqa: E402

IMAGE = "gradient-explorer-check"
NETWORK = os.environ.get("CONTAINER_NETWORK", "")
GRACE = 10  # seconds, what Docker gives when nobody says anything else
MEMORY = 1024  # MB
STUDENTS, PAUSE, SECONDS = 150, 2.0, 20.0
UNITS = {"B": 1e-6, "kB": 1e-3, "KiB": 1 / 1024, "MB": 1.0, "MiB": 1.0, "GB": 1000.0, "GiB": 1024.0}
HARDENED = [
    "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges",
    f"--memory={MEMORY}m", f"--memory-swap={MEMORY}m", "--pids-limit=512",
]  # fmt: skip


def docker(*arguments: str) -> str:
    """What a Docker command prints; an error when it fails."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"docker {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


class Container:
    """The image, running."""

    def __init__(self) -> None:
        self.port = free_port()
        if NETWORK:
            place = [f"--network={NETWORK}", "--env=HOST=127.0.0.1", f"--env=PORT={self.port}"]
        else:
            place = [f"--publish=127.0.0.1:{self.port}:8050"]
        self.name = docker("run", "--detach", *HARDENED, *place, IMAGE)

    def inside(self, command: str) -> str:
        """What a shell command prints in it."""
        return docker("exec", self.name, "sh", "-c", command)

    def state(self) -> dict[str, object]:
        """What Docker knows of it."""
        state: dict[str, object] = json.loads(docker("inspect", "--format={{json .State}}", self.name))
        return state

    def health(self) -> str:
        """What the image's health check found last."""
        return docker("inspect", "--format={{.State.Health.Status}}", self.name)

    def memory(self) -> float:
        """MB that it takes just now."""
        used = docker("stats", "--no-stream", "--format={{.MemUsage}}", self.name).split("/")[0].strip()
        number, unit = re.fullmatch(r"([\d.]+)(\w+)", used).groups()  # type: ignore[union-attr]
        return float(number) * UNITS[unit]

    def remove(self) -> None:
        """Leave nothing behind."""
        docker("rm", "--force", self.name)


def promise(what: str, kept: bool, found: object = "") -> None:
    """Print whether it is kept; the first that is not ends the check."""
    print(f"{'yes' if kept else 'NO '}  {what}{f': {found}' if found != '' else ''}", flush=True)
    if not kept:
        raise AssertionError(what)


async def wait_for(true: Callable[[], bool]) -> bool:
    """Whether it becomes true in time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if await asyncio.to_thread(true):
            return True
        await asyncio.sleep(0.1)
    return False


async def check(container: Container) -> None:
    """All promises in turn."""
    promise("it starts and its health check says so", await wait_for(lambda: container.health() == "healthy"))
    confined(container)
    right = (await Student(container.port, b"").exchange(question(0)))[1]
    await loaded(container, right)
    await stopped(container)


def confined(container: Container) -> None:
    """It can do nothing but serve."""
    promise("it is not root", container.inside("id -u") not in ("", "0"), container.inside("id -u"))
    writable = "for place in / /app /app/explorer /venv /etc; do touch $place/here 2>/dev/null && echo $place; done; true"
    promise("its root cannot be written to", container.inside(writable) == "")
    status = dict(line.split(":\t", 1) for line in container.inside("cat /proc/1/status").splitlines() if ":\t" in line)
    promise("it has no capability", int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0)
    promise("and can get none", status["NoNewPrivs"] == "1")


async def loaded(container: Container, right: bytes) -> None:
    """A class asks; each answer is right, and the memory stays within its limit."""
    end, answers, peak = time.monotonic() + SECONDS, 0, 0.0

    async def attend(seed: int) -> None:
        nonlocal answers
        student = Student(container.port, right)
        await asyncio.sleep(PAUSE * seed / STUDENTS)
        while time.monotonic() < end:
            await student.ask(1000 * seed + answers)
            answers += 1
            await asyncio.sleep(PAUSE)
        student.leave()

    attending = asyncio.gather(*map(attend, range(STUDENTS)))
    while not attending.done():
        peak = max(peak, await asyncio.to_thread(container.memory))
        await asyncio.sleep(0.5)
    await attending
    promise(f"{STUDENTS} students get the right answers", answers >= STUDENTS, f"{answers} in {SECONDS:.0f} s")
    promise(f"memory stays below {MEMORY} MB", peak < MEMORY, f"at most {peak:.0f} MB seen")


async def stopped(container: Container) -> None:
    """`docker stop` while questions are under way: they are answered, and it ends in time and by itself."""
    body = methods_question()
    status, right = await Student(container.port, b"").exchange(body)
    promise("a question about methods is understood", status == 200)
    told, answered, cut = [0.0], [0], [0]

    async def attend() -> None:
        student = Student(container.port, b"")
        while True:
            begin = time.monotonic()
            try:
                known = await student.exchange(body) == (200, right)
            except OSError:
                known = False
            if told[0] and begin < told[0]:  # it was under way when the end was announced
                (answered if known else cut)[0] += 1
            if not known or told[0]:
                return

    attending = [asyncio.create_task(attend()) for _ in range(6)]
    for student in range(20):  # so that all six are at it
        await Student(container.port, b"").exchange(question(student))
    told[0] = begin = time.monotonic()
    await asyncio.to_thread(docker, "stop", f"--time={GRACE}", container.name)
    seconds = time.monotonic() - begin
    await asyncio.gather(*attending)
    promise("questions under way at a stop are answered", answered[0] > 0 and cut[0] == 0, f"{answered[0]}, {cut[0]} cut off")
    state = container.state()
    promise("it ends by itself", state["ExitCode"] == 0, f"exit code {state['ExitCode']} after {seconds:.1f} of {GRACE} s")
    promise("and was never out of memory", not state["OOMKilled"])


def methods_question() -> bytes:
    """Four methods that take their time."""
    methods = ["guided_integrated_gradients", "xrai", "kernel_shap", "lime"]
    question = {"ask": 1, "state": State().to_json(), "methods": methods}
    return json.dumps(callback_request("method-answers", "method-question", question)).encode()


def main() -> None:
    """Build, run, check, and clean up."""
    if shutil.which("docker") is None:
        sys.exit("Docker is needed, and there is no `docker` here.")
    network = [f"--network={NETWORK}"] if NETWORK else []
    subprocess.run(["docker", "build", "--quiet", *network, "--tag", IMAGE, "."], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    promise("the image builds", True, f"{int(docker('image', 'inspect', '--format={{.Size}}', IMAGE)) / 1e6:.0f} MB")
    container = Container()
    try:
        asyncio.run(check(container))
    except (AssertionError, RuntimeError, OSError, EOFError) as error:
        with suppress(RuntimeError):
            print(docker("logs", "--tail=20", container.name))
        sys.exit(f"A promise is broken: {error}")
    finally:
        container.remove()


if __name__ == "__main__":
    main()
