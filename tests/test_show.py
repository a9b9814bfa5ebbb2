"""``explorer.show``: the page for a network in memory, in a process of its own, which ends when it should."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
import time
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from serving import PAGE_LAYOUT, PATIENCE, get, post, update_body, wait_for
from torch import nn

import explorer
from explorer.link_picture import decode, encode
from explorer.own import show as shown
from explorer.pictures import LEVELS

ROOT = Path(__file__).resolve().parents[1]
PICTURE = np.round(np.random.default_rng(0).random((8, 8)) * LEVELS) / LEVELS


class Residual(nn.Module):
    """No file can hold it, and another process cannot import it from here."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(64, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.first(x.flatten(1)))
        return self.last(x + torch.tanh(self.second(x)))  # type: ignore[no-any-return]


def sequential() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 3))


def residual() -> nn.Module:
    torch.manual_seed(0)
    return Residual()


def answer_at(page: explorer.own.show.Shown) -> dict[str, Any]:
    """The answer to the link that the page was opened with."""
    link = page.url[page.url.index("?") :]
    status, body, _ = post(page.port, update_body("explanation", "state", {"ask": 1, "link": link}))
    assert status == 200
    found: dict[str, Any] = json.loads(json.loads(body)["response"]["explanation"]["data"])
    return found


@pytest.fixture(params=[sequential, residual])
def module(request: pytest.FixtureRequest) -> nn.Module:
    made: nn.Module = request.param()
    return made


def test_the_page_opens_with_the_network_and_picture_and_ends_with_stop(module: nn.Module, capfd: pytest.CaptureFixture[str]) -> None:
    with explorer.show(module, PICTURE, ["left", "right", "both"], where="nowhere", block=False, normalisation=(0.25, 0.5)) as page:
        assert page.running and page.url in capfd.readouterr().out
        said = answer_at(page)
        assert said["notices"] == [] and said["state"]["network"] == "my-network"
        np.testing.assert_array_equal(np.reshape(said["state"]["pixels"], (8, 8)), PICTURE)
        with torch.no_grad():
            expected = module.double()((torch.from_numpy(PICTURE).reshape(1, 64) - 0.25) / 0.5).softmax(1)[0]
        np.testing.assert_allclose(said["scores"], expected, atol=1e-6)
        layout = get(page.port, PAGE_LAYOUT)[1]
        assert "left" in layout and "My network" in layout
        assert get(page.port, "/readyz")[0] == 200
    assert not page.running
    with pytest.raises(OSError, match="refused"):
        get(page.port, "/")
    page.stop()  # again: nothing
    assert "stopped" in repr(page)


def test_the_page_ends_with_the_python_that_opened_it_even_if_that_is_killed(tmp_path: Path) -> None:
    """And leaves no file behind."""
    script = textwrap.dedent("""
        import sys, torch, explorer
        page = explorer.show(torch.nn.Sequential(torch.nn.Linear(64, 3)), where="nowhere", block=False)
        print(page._process.pid, flush=True)
        sys.stdin.readline()
    """)
    command = [sys.executable, "-c", script]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    callers = [subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for caller, killed in zip(callers, (True, False), strict=True):
        assert caller.stdout and caller.stdin
        _, pid = caller.stdout.readline(), int(caller.stdout.readline())
        assert is_running(pid)
        caller.kill() if killed else caller.stdin.close()
        caller.wait(PATIENCE)
        wait_for(lambda pid=pid: not is_running(pid), "the end of the page")
    assert not list(tmp_path.glob("explorer-*"))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "no module": (lambda x: x, {}, "must be a torch.nn.Module or a fitted MLPClassifier, not a function"),
    "other size": (nn.Linear(784, 10), {}, "must map (k, 64) or (k, 1, 8, 8)"),
    "probabilities": (nn.Sequential(nn.Linear(64, 3), nn.Softmax(1)), {}, "must answer with logits, not probabilities"),
    "too few names": (residual(), {"classes": ["a"]}, "classes"),
    "names of a chain": (sequential(), {"classes": ["a", "b"]}, "3 classes, but 2 names"),
    "picture of 28 × 28": (sequential(), {"picture": np.zeros((28, 28))}, "shape (8, 8), not (28, 28)"),
    "picture of 0 to 16": (sequential(), {"picture": 16 * PICTURE}, "divide scikit-learn's digits by 16"),
    "where": (sequential(), {"where": "window"}, "'auto', 'tab', 'inline' or 'nowhere'"),
    "proxy": (sequential(), {"proxy": "/user/me/"}, "{port}"),
    "too large": (nn.Sequential(nn.Linear(64, 2000), nn.ReLU(), nn.Linear(2000, 2000), nn.Linear(2000, 3)), {}, "1,000,000 are allowed"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_shown_is_refused_with_a_reason_and_starts_nothing(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "_started", lambda *_: pytest.fail("a process was started"))
    module, options, why = REFUSED[what]
    with pytest.raises(ValueError, match=re.escape(why)):
        explorer.show(module, **{"where": "nowhere", "block": False, **options})


def test_a_module_that_cannot_be_sent_is_refused_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    class Locked(Residual):
        def __deepcopy__(self, memo: object) -> Locked:
            return Locked()

        def __reduce_ex__(self, protocol: object) -> Any:
            raise TypeError("cannot pickle this")

    monkeypatch.setattr(shown, "_started", lambda *_: pytest.fail("a process was started"))
    with pytest.raises(ValueError, match="cannot be sent to the process of the page"):
        explorer.show(Locked(), where="nowhere", block=False)


class Fake:
    """A process that runs until it is told to end."""

    stdin = None
    ended = False

    def poll(self) -> int | None:
        return 0 if self.ended else None

    def terminate(self) -> None:
        self.ended = True

    def wait(self, timeout: float | None = None) -> int:
        if timeout is None and not self.ended:
            raise KeyboardInterrupt
        return 0


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """``show`` without a process; what would open is listed."""
    opened: list[str] = []
    monkeypatch.setattr(shown, "_started", lambda *_: (Fake(), 4321))
    monkeypatch.setattr(shown.webbrowser, "open", opened.append)
    for name in ("JUPYTERHUB_SERVICE_PREFIX", "EXPLORER_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return opened


def notebook(monkeypatch: pytest.MonkeyPatch, opened: list[str]) -> None:
    """As in a kernel of Jupyter."""
    frame = types.SimpleNamespace(IFrame=lambda url, width, height: f"frame {width} × {height}: {url}", display=opened.append)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace(kernel=1), display=frame))
    monkeypatch.setitem(sys.modules, "IPython.display", frame)


def test_a_script_opens_a_tab_and_waits_for_ctrl_c(no_process: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    page = explorer.show(sequential())
    assert no_process == [page.url] and page.url.startswith("http://127.0.0.1:4321/?px=")
    assert not page.running and "Ctrl+C ends it" in capsys.readouterr().out


def test_a_notebook_shows_it_inline_and_goes_on(no_process: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    notebook(monkeypatch, no_process)
    page = explorer.show(sequential())
    assert page.running and no_process == [f"frame 100% × {shown.HEIGHT}: {page.url}"]
    page.stop()


def test_behind_jupyterhub_the_address_is_that_of_its_proxy(no_process: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    notebook(monkeypatch, no_process)
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/me@b/")
    assert explorer.show(sequential()).url.startswith("/user/me@b/proxy/4321/?px=")
    assert "needs jupyter-server-proxy" in capsys.readouterr().out
    monkeypatch.setenv("EXPLORER_PROXY", "https://hub.example/{port}")
    assert explorer.show(sequential()).url.startswith("https://hub.example/4321/?px=")
    assert "jupyter-server-proxy" not in capsys.readouterr().out
    assert explorer.show(sequential(), proxy="/own/{port}/").url.startswith("/own/4321/?px=")


def test_a_start_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE", "many")
    begun = time.monotonic()
    with pytest.raises(RuntimeError, match=r"The page did not start: .*QUEUE must be a number"):
        explorer.show(sequential(), where="nowhere", block=False)
    assert time.monotonic() - begun < PATIENCE


def test_a_picture_in_a_link_is_read_back_as_it_was() -> None:
    rng = np.random.default_rng(2)
    for count in (1, 2, 17, 64):
        levels = rng.choice(LEVELS + 1, count, replace=False)[rng.integers(count, size=64)]
        pixels = tuple((levels / LEVELS).tolist())
        assert decode(encode(pixels)) == (pixels, True)
    rounded, _ = decode(encode(tuple(rng.random(64).tolist())))
    assert len(rounded) == 64


def test_importing_the_package_loads_no_torch() -> None:
    script = "import sys, explorer; sys.exit('torch' in sys.modules or set(explorer.__all__) != {'show', 'export_network'})"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=dict(os.environ), timeout=PATIENCE, check=False).returncode == 0
    with pytest.raises(AttributeError, match="no attribute 'shown'"):
        explorer.shown  # noqa: B018
