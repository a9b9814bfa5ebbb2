"""Start, settings and stop of ``python app.py``."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib import request

import pytest
import torch
from asgi import client_of
from serving import (
    PATIENCE,
    ROOT,
    SETTINGS,
    environment,
    get,
    post,
    refused,
    started,
    stop,
    stroke,
    wait_for,
    wait_until_healthy,
    workers_of,
)

from bench.asking import free_port
from explorer import export_network
from explorer.server.settings import ServerSettings, SettingError


def test_python_app_prints_its_address_answers_and_ends_with_0_on_sigterm() -> None:
    port = free_port()
    with started(port) as process:
        wait_until_healthy(process, port)
        status, page = get(port, "/")
        assert status == 200
        assert "<title>Gradient Attribution Explorer</title>" in page
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
    assert out.splitlines() == [f"Gradient Attribution Explorer: http://127.0.0.1:{port}/"]
    assert (process.returncode, err) == (0, "")


@pytest.mark.parametrize(("host", "workers"), [("0.0.0.0", "1"), ("::", "1"), ("::", "2")])
def test_on_all_addresses_it_prints_its_own_and_those_for_others_and_answers_at_each(host: str, workers: str) -> None:
    port = free_port()
    with started(port, HOST=host, URL_PREFIX="/explorer/", WORKERS=workers) as process:
        wait_until_healthy(process, port, "/explorer/healthz")
        assert process.stdout
        own, others = os.read(process.stdout.fileno(), 65536).decode().splitlines()  # printed before it serves
        addresses = re.findall(r"http://\S+", f"{own} {others}")
        for address in addresses:
            assert request.urlopen(f"{address}healthz", timeout=PATIENCE).status == 200
        assert healthcheck(port, "/explorer/") == 0
        assert post(port, stroke(), "/explorer/_dash-update-component")[0] == 200
        assert len(workers_of(process)) == (2 if workers == "2" else 0)  # a single worker is the started process itself
        code, _, err = stop(process)
    assert (code, err) == (0, "")
    assert own == f"Gradient Attribution Explorer: http://127.0.0.1:{port}/explorer/"
    if len(addresses) > 1:
        assert others.startswith("For others, unless a firewall stops them: http://")
    else:  # such as in a container
        assert others == "No address for others was found; PUBLIC_URL can name it."
    assert healthcheck(port, "/explorer/") != 0


def healthcheck(port: int, prefix: str) -> int:
    """The exit code of the image's health check, with an unreachable proxy in the environment, which it must ignore."""
    settings = environment(PORT=str(port), URL_PREFIX=prefix, http_proxy="http://127.0.0.1:9")
    command = [sys.executable, "scripts/healthcheck.py"]
    return subprocess.run(
        command, cwd=ROOT, env=settings, capture_output=True, timeout=PATIENCE, check=False
    ).returncode


def test_a_taken_port_is_refused_in_one_line_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        lines = refused(PORT=port)
    assert len(lines) == 1
    assert port in lines[0]


INVALID = {
    "PORT": ["abc", "", "0", "65536", "-1", "80.5"],
    "WORKERS": ["0", "two"],
    "QUEUE": ["0"],
    "CACHE_MB": ["-1"],
    "URL_PREFIX": ["/a b/", "/50%/"],
    "PUBLIC_URL": ["192.168.1.5:8050", "http://192.168.1.5:8050/?v=2"],
    "HOST": [""],
    "FRAME_ANCESTORS": ["*; script-src *", "'self'\nSet-Cookie: x=1"],
    "LOG_LEVEL": ["loud"],
    "METRICS": ["maybe"],
    "ACCESS_LOG": ["2"],
    "TRUSTED_PROXIES": ["all"],
    "LESSONS": ["/nowhere/at/all"],
    "ROOMS": ["yes!"],
    "REDIS_URL": ["localhost:6379", "http://127.0.0.1:6379", "redis://"],
    "LMS_ORIGIN": ["*", "lms.example", "https://lms.example/course", "https://lms.example https://b.example"],
}


def test_an_invalid_setting_is_refused_in_one_line_that_names_and_repeats_it() -> None:
    assert {*INVALID} == {field.validation_alias for field in ServerSettings.model_fields.values()}
    for name, values in INVALID.items():
        for value in values:
            with pytest.raises(SettingError) as refusal:
                ServerSettings.read({name: value})
            message = str(refusal.value)
            assert len(message.splitlines()) == 1 and name in message and repr(value) in message, (name, value)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(SettingError, match="REDIS_URL") as refusal:
        ServerSettings.read({"REDIS_URL": "redis+tls://class:hunter2@redis.example:6379/0"})
    assert "hunter2" not in str(refusal.value) and "redis.example" in str(refusal.value)


@pytest.mark.parametrize(("name", "value"), [("PORT", "80.5"), ("FRAME_ANCESTORS", "'self'\nSet-Cookie: x=1")])
def test_the_start_ends_with_that_line(name: str, value: str) -> None:
    with pytest.raises(SettingError) as refusal:
        ServerSettings.read({name: value})
    assert refused(**{name: value}) == [str(refusal.value)]


def test_the_start_tells_all_faults_of_lessons_and_knows_networks_of_ones_own(tmp_path: Path) -> None:
    assert refused(LESSONS=str(tmp_path)) == [f"There is no lesson in the folder {str(tmp_path)!r}: a lesson is a file whose name ends in .md."]
    export_network(torch.nn.Sequential(torch.nn.Linear(64, 2)), tmp_path / "my-net", classes=["one", "two"])
    step = "{title: One, start: '?v=2', task: Choose it., done: {network_is: {network: my-net}}, reveal: There., points: x}"
    (tmp_path / "one.md").write_text(f"---\ntitle: One\nminutes: 1\nsteps: [{step}]\n---\n")
    assert refused(LESSONS=str(tmp_path), NETWORKS=str(tmp_path)) == ["one.md, step 1: there is no control 'x' to point at.", "one.md, step 1: 'explain' is missing."]


def test_server_is_an_asgi_application(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delitem(sys.modules, "app", raising=False)  # it may be imported with other settings

    from app import server

    assert client_of(server).get("/healthz").status_code == 200


def test_uvicorn_without_app_main_refuses_an_invalid_setting_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "uvicorn", "app:server"],
        cwd=ROOT, env=environment(QUEUE="many"), capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.endswith("SettingError: QUEUE must be a number from 1 to 4096, not 'many'.\n")


def test_workers_end_when_their_parent_is_killed() -> None:
    port = free_port()
    with started(port) as process:
        wait_until_healthy(process, port)
        workers = wait_for(lambda: len(found := workers_of(process)) == 2 and found, "two workers")
        process.kill()
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "the workers' end")


def test_removed_settings_are_ignored() -> None:
    assert ServerSettings.read({"THREADS": "3", "TIMEOUT": "-1"}) == ServerSettings()
