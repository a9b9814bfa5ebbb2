"""Firefox, driven by its own Marionette protocol: JSON messages over TCP, each after its length and a colon."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

NAMES = ("firefox-esr", "firefox")
PATIENCE = 60  # seconds, on a slow machine

# Quiet and offline; a port of Firefox's own choice, which it writes into the profile.
PREFERENCES = {
    "marionette.port": 0,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


def find_firefox() -> str | None:
    """The browser's path: ``FIREFOX`` from the environment, else the first name found on PATH."""
    named = os.environ.get("FIREFOX")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


class Firefox:
    """A headless Firefox with a profile of its own; a context manager that ends it."""

    def __init__(self, path: str, width: int, height: int) -> None:
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        profile = Path(self.folder.name)
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
        (profile / "user.js").write_text("\n".join(lines))
        self.process = subprocess.Popen(
            [path, "--marionette", "--headless", "--no-remote", "--profile", self.folder.name],
            env={**os.environ, "HOME": self.folder.name},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.commands = 0
        try:
            self.stream = self._connect(profile / "MarionetteActivePort")
            self._receive()  # its greeting
            self.call("WebDriver:NewSession")
            self.call("WebDriver:SetWindowRect", width=width, height=height)
        except BaseException:
            self.close()
            raise

    def _connect(self, port: Path) -> Any:
        end = time.monotonic() + PATIENCE
        while not (port.exists() and port.read_text()):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("Firefox did not start")
            time.sleep(0.05)  # between two looks
        return socket.create_connection(("127.0.0.1", int(port.read_text())), PATIENCE).makefile("rwb")

    def _receive(self) -> Any:
        digits = b""
        while (byte := self.stream.read(1)) != b":":
            if not byte:
                raise RuntimeError("Firefox is gone")
            digits += byte
        return json.loads(self.stream.read(int(digits)))

    def call(self, command: str, **parameters: Any) -> Any:
        """Send a command and return its result; RuntimeError with Firefox's reason where it refuses."""
        self.commands += 1
        message = json.dumps([0, self.commands, command, parameters]).encode()
        self.stream.write(b"%d:%s" % (len(message), message))
        self.stream.flush()
        _, _, error, result = self._receive()
        if error:
            raise RuntimeError(f"{command}: {error['message']}")
        return result

    # ---- the page

    def open(self, address: str) -> None:
        """Load a page."""
        self.call("WebDriver:Navigate", url=address)

    def run(self, script: str, *given: Any) -> Any:
        """What the body of a function returns in the page."""
        return self.call("WebDriver:ExecuteScript", script=script, args=list(given))["value"]

    def until(self, condition: str, *given: Any) -> None:
        """Wait until an expression of the page is true."""
        end = time.monotonic() + PATIENCE
        while not self.run(f"const {{ view }} = window.explorer || {{}}; return Boolean(view && ({condition}));", *given):
            if time.monotonic() > end:
                raise TimeoutError(condition)
            time.sleep(0.02)  # between two looks

    # ---- gestures, each as the browser's own events

    def stroke(self, kind: str, *places: tuple[float, float], button: int = 0) -> None:
        """Press a ``"mouse"``, ``"touch"`` or ``"pen"`` at the first place, move through the others, and lift it."""
        moves = [{"type": "pointerMove", "x": round(x), "y": round(y), "duration": 20} for x, y in places]
        down, up = ({"type": name, "button": button} for name in ("pointerDown", "pointerUp"))
        self._act({"id": kind, "type": "pointer", "parameters": {"pointerType": kind}, "actions": [moves[0], down, *moves[1:], up]})

    def press(self, *keys: str) -> None:
        """Press keys together, by WebDriver's characters for them."""
        down = [{"type": "keyDown", "value": key} for key in keys]
        self._act({"id": "keys", "type": "key", "actions": [*down, *({"type": "keyUp", "value": key} for key in reversed(keys))]})

    def wheel(self, place: tuple[float, float], down: int) -> None:
        """Turn the wheel at a place."""
        turn = {"type": "scroll", "x": round(place[0]), "y": round(place[1]), "deltaX": 0, "deltaY": down}
        self._act({"id": "wheel", "type": "wheel", "actions": [turn]})

    def _act(self, source: dict[str, Any]) -> None:
        self.call("WebDriver:PerformActions", actions=[source])

    # ---- the end

    def close(self) -> None:
        """End it, and delete its profile."""
        self.process.kill()
        self.process.wait(PATIENCE)
        self.folder.cleanup()

    def __enter__(self) -> Firefox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
