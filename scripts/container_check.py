"""``make container``: build the image, run it confined and under load, stop it, and check each requirement.

It needs Docker (or another program named `docker`). CONTAINER_NETWORK=host builds and runs on the host's network, for engines
without another network; otherwise the port is published on loopback.
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
sys.path.insert(0, str(ROOT))  # for calls by path

from bench.asking import callback_request, free_port  # noqa: E402
from explorer.state import State  # noqa: E402
from scripts.failover import Student, request_body  # noqa: E402
from scripts.replicas import TIMEOUT  # noqa: E402

IMAGE = "gradient-explorer-check"
NETWORK = os.environ.get("CONTAINER_NETWORK", "")
GRACE = 10  # seconds, Docker's default for a stop
MEMORY = 1024  # MB
STUDENTS, PAUSE, SECONDS = 150, 2.0, 20.0
UNITS = {"B": 1e-6, "kB": 1e-3, "KiB": 1 / 1024, "MB": 1.0, "MiB": 1.0, "GB": 1000.0, "GiB": 1024.0}
HARDENED = [
    "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges",
    f"--memory={MEMORY}m", f"--memory-swap={MEMORY}m", "--pids-limit=512",
]  # fmt: skip


def docker(*arguments: str) -> str:
    """The output of a Docker command; raises RuntimeError if it fails."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"docker {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


class Container:
    """A running container of the image."""

    def __init__(self) -> None:
        self.port = free_port()
        if NETWORK:
            network_options = [f"--network={NETWORK}", "--env=HOST=127.0.0.1", f"--env=PORT={self.port}"]
        else:
            network_options = [f"--publish=127.0.0.1:{self.port}:8050"]
        self.name = docker("run", "--detach", *HARDENED, *network_options, IMAGE)

    def inside(self, command: str) -> str:
        """The output of a shell command in the container."""
        return docker("exec", self.name, "sh", "-c", command)

    def state(self) -> dict[str, object]:
        """The container's state according to Docker."""
        state: dict[str, object] = json.loads(docker("inspect", "--format={{json .State}}", self.name))
        return state

    def health(self) -> str:
        """The last result of the image's health check."""
        return docker("inspect", "--format={{.State.Health.Status}}", self.name)

    def memory(self) -> float:
        """Current memory in MB."""
        used = docker("stats", "--no-stream", "--format={{.MemUsage}}", self.name).split("/")[0].strip()
        number, unit = re.fullmatch(r"([\d.]+)(\w+)", used).groups()  # type: ignore[union-attr]
        return float(number) * UNITS[unit]

    def remove(self) -> None:
        """Remove the container."""
        docker("rm", "--force", self.name)


def require(what: str, met: bool, found: object = "") -> None:
    """Print whether a requirement is met; the first one that is not ends the check."""
    print(f"{'yes' if met else 'NO '}  {what}{f': {found}' if found != '' else ''}", flush=True)
    if not met:
        raise AssertionError(what)


async def wait_for(condition: Callable[[], bool]) -> bool:
    """Whether a condition becomes true in time."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        if await asyncio.to_thread(condition):
            return True
        await asyncio.sleep(0.1)
    return False


async def check(container: Container) -> None:
    """Check all requirements in turn."""
    require("it starts and its health check passes", await wait_for(lambda: container.health() == "healthy"))
    confined(container)
    expected = (await Student(container.port, b"").exchange(request_body(0)))[1]
    await loaded(container, expected)
    await stopped(container)


def confined(container: Container) -> None:
    """Check the confinement."""
    require("it is not root", container.inside("id -u") not in ("", "0"), container.inside("id -u"))
    writable = "for place in / /app /app/explorer /venv /etc; do touch $network_options/here 2>/dev/null && echo $network_options; done; true"
    require("its root cannot be written to", container.inside(writable) == "")
    status = dict(line.split(":\t", 1) for line in container.inside("cat /proc/1/status").splitlines() if ":\t" in line)
    require("it has no capability", int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0)
    require("and can get none", status["NoNewPrivs"] == "1")


async def loaded(container: Container, expected: bytes) -> None:
    """Run a class; each answer must be expected, and the memory within its limit."""
    end, answers, peak = time.monotonic() + SECONDS, 0, 0.0

    async def run_student(seed: int) -> None:
        nonlocal answers
        student = Student(container.port, expected)
        await asyncio.sleep(PAUSE * seed / STUDENTS)
        while time.monotonic() < end:
            await student.ask(1000 * seed + answers)
            answers += 1
            await asyncio.sleep(PAUSE)
        student.close()

    students = asyncio.gather(*map(run_student, range(STUDENTS)))
    while not students.done():
        peak = max(peak, await asyncio.to_thread(container.memory))
        await asyncio.sleep(0.5)
    await students
    require(f"{STUDENTS} students get the right answers", answers >= STUDENTS, f"{answers} in {SECONDS:.0f} s")
    require(f"memory stays below {MEMORY} MB", peak < MEMORY, f"at most {peak:.0f} MB seen")


async def stopped(container: Container) -> None:
    """`docker stop` while requests are in flight: they must be answered, and the container must end in time."""
    body = methods_question()
    status, expected = await Student(container.port, b"").exchange(body)
    require("a request about methods is answered", status == 200)
    stop_time, answered, cut = [0.0], [0], [0]

    async def run_student() -> None:
        student = Student(container.port, b"")
        while True:
            begin = time.monotonic()
            try:
                known = await student.exchange(body) == (200, expected)
            except OSError:
                known = False
            if stop_time[0] and begin < stop_time[0]:  # it was in flight at the stop
                (answered if known else cut)[0] += 1
            if not known or stop_time[0]:
                return

    students = [asyncio.create_task(run_student()) for _ in range(6)]
    for student in range(20):  # until all six requests are in flight
        await Student(container.port, b"").exchange(request_body(student))
    stop_time[0] = begin = time.monotonic()
    await asyncio.to_thread(docker, "stop", f"--time={GRACE}", container.name)
    seconds = time.monotonic() - begin
    await asyncio.gather(*students)
    require("requests in flight at a stop are answered", answered[0] > 0 and cut[0] == 0, f"{answered[0]}, {cut[0]} cut off")
    state = container.state()
    require("it ends without SIGKILL", state["ExitCode"] == 0, f"exit code {state['ExitCode']} after {seconds:.1f} of {GRACE} s")
    require("and was never out of memory", not state["OOMKilled"])


def methods_question() -> bytes:
    """A request for four slow methods."""
    methods = ["guided_integrated_gradients", "xrai", "kernel_shap", "lime"]
    question = {"ask": 1, "state": State().to_json(), "methods": methods}
    return json.dumps(callback_request("method-answers", "method-question", question)).encode()


def main() -> None:
    """Build, run, check, and remove the container."""
    if shutil.which("docker") is None:
        sys.exit("Docker is needed, and there is no `docker` here.")
    network = [f"--network={NETWORK}"] if NETWORK else []
    subprocess.run(["docker", "build", "--quiet", *network, "--tag", IMAGE, "."], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    require("the image builds", True, f"{int(docker('image', 'inspect', '--format={{.Size}}', IMAGE)) / 1e6:.0f} MB")
    container = Container()
    try:
        asyncio.run(check(container))
    except (AssertionError, RuntimeError, OSError, EOFError) as error:
        with suppress(RuntimeError):
            print(docker("logs", "--tail=20", container.name))
        sys.exit(f"A requirement is not met: {error}")
    finally:
        container.remove()


if __name__ == "__main__":
    main()
