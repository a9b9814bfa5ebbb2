"""The files in deploy/ agree with the explorer and with each other. (`make lint` checks the syntax of each.)"""

from __future__ import annotations

import ipaddress
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution, distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from explorer.server.fair_queue import MAX_WAIT
from explorer.server.settings import GRACE
from scripts.pins_check import unpinned
from tests.proxy import needs_nginx

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
LISTS = ("requirements.txt", "requirements-dev.txt")
ALONE = "requirements-oracles.txt"  # installed without their dependencies
COMPUTING = 2  # seconds that one request may take, see docs/deploy.md


def text(name: str) -> str:
    """A file of deploy/."""
    return (DEPLOY / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def kubernetes() -> dict[str, dict[str, Any]]:
    """The Kubernetes objects by kind; those with another name than explorer by kind and name."""
    files = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    objects = [found for file in files for found in yaml.safe_load_all(file.read_text(encoding="utf-8"))]
    names = [found.get("metadata", {}).get("name", "explorer") for found in objects]
    return {found["kind"] + name.removeprefix("explorer"): found for found, name in zip(objects, names, strict=True)}


@pytest.fixture(scope="module")
def container(kubernetes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The Deployment's container."""
    (only,) = kubernetes["Deployment"]["spec"]["template"]["spec"]["containers"]
    return only


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The services of the Compose file."""
    return yaml.safe_load(text("compose.yaml"))["services"]


def annotations(ingress: dict[str, Any]) -> dict[str, str]:
    """The annotations of an Ingress by short name."""
    return {name.rpartition("/")[2]: value for name, value in ingress["metadata"]["annotations"].items()}


def paths(ingress: dict[str, Any]) -> dict[str, str]:
    """The services of an Ingress by path."""
    (rule,) = ingress["spec"]["rules"]
    return {entry["path"]: entry["backend"]["service"]["name"] for entry in rule["http"]["paths"]}


def environment(container: dict[str, Any]) -> dict[str, str]:
    """The settings of a container of a manifest."""
    return {entry["name"]: entry["value"] for entry in container["env"]}


# --- what is installed


def pins(name: str) -> dict[str, str]:
    """The exact versions in a list of requirements, by normal name; a test fails when one is not exact."""
    found = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "-r ")):
            requirement = Requirement(line)
            (exact,) = requirement.specifier
            assert exact.operator == "==" and "*" not in exact.version, line
            found[canonicalize_name(requirement.name)] = exact.version
    return found


def with_dependencies(names: Iterable[str], known: set[str]) -> set[str]:
    """These distributions and all their dependencies on this machine."""
    for name in names:
        if name not in known:
            known.add(name)
            wanted = [Requirement(line) for line in distribution(name).requires or []]
            here = [need for need in wanted if need.marker is None or need.marker.evaluate({"extra": ""})]
            with_dependencies([canonicalize_name(need.name) for need in here], known)
            with_dependencies(extras(here), known)
    return known


def extras(wanted: list[Requirement]) -> Iterator[str]:
    """The dependencies of the required extras."""
    for need in wanted:
        for extra in need.extras:
            for line in distribution(need.name).requires or []:
                inner = Requirement(line)
                if inner.marker is not None and inner.marker.evaluate({"extra": extra}):
                    yield canonicalize_name(inner.name)


def test_all_requirements_and_their_dependencies_are_pinned_and_nothing_else() -> None:
    direct = [name for requirements in LISTS for name in pins(requirements)]
    needed = with_dependencies(direct, set()) - {"pip"}  # part of Python
    assert needed | set(pins(ALONE)) == set(pins("constraints.txt")), "run make lock"


def test_constraints_and_requirements_name_the_same_versions() -> None:
    constraints = pins("constraints.txt")
    for requirements in (*LISTS, ALONE):
        for name, version in pins(requirements).items():
            assert constraints[name] == version, f"{name}: run make lock"


def test_installed_versions_are_the_pinned_ones() -> None:
    for name, version in pins("constraints.txt").items():
        assert Version(distribution(name).version).public == version, name


def test_the_image_is_built_from_the_pins() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    installing = r"-r requirements.txt -c constraints.txt \\\n    && /venv/bin/python scripts/pins_check.py\n"
    assert len(re.findall(installing, dockerfile)) == dockerfile.count("-r requirements.txt") == 1
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {"!constraints.txt", "!requirements.txt", "!scripts/pins_check.py"} <= set(ignored)


def test_the_images_have_the_base_of_the_pins() -> None:
    for file, wanted in ((ROOT / "Dockerfile", "python:3.11-slim-bookworm"), (DEPLOY / "nginx.Dockerfile", "debian:bookworm-slim")):
        dockerfile = file.read_text(encoding="utf-8")
        assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"$BASE"}
        (base,) = re.findall(r"^ARG BASE=(\S+)", dockerfile, re.MULTILINE)
        assert base == wanted
    (packages,) = re.findall(r"--no-install-recommends (.+) \\", text("nginx.Dockerfile"))
    assert all(re.fullmatch(r'"[a-z-]+=[\d.]+-\*"', package) for package in packages.split())


def test_the_build_of_the_image_fails_where_anything_is_installed_that_is_not_pinned_exactly() -> None:
    pinned = "# why\nFoo.Bar==1.0\ntorch==2.13.0\n"
    assert unpinned(pinned, [("foo_bar", "1.0"), ("torch", "2.13.0+cpu")]) == []
    assert unpinned(pinned, [("torch", "2.13.0"), ("foo-bar", "1.0")]) == []
    found = [("nvidia-cublas", "13.1"), ("foo-bar", "1.0.1"), ("torch", "2.13.0+cu130"), ("Foo", "1.0")]
    assert unpinned(pinned, found) == ["Foo==1.0", "foo-bar==1.0.1", "nvidia-cublas==13.1", "torch==2.13.0+cu130"]


def test_the_check_of_the_pins_names_what_is_not_pinned_and_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    check = shutil.copy(ROOT / "scripts" / "pins_check.py", tmp_path / "scripts")
    pinned = [f"{one.metadata['Name']}=={one.version.removesuffix('+cpu')}" for one in distributions()]
    for missing, code in (("nothing", 0), ("torch", 1)):
        left = (pin for pin in pinned if not pin.startswith(missing))
        (tmp_path / "constraints.txt").write_text("\n".join(left), encoding="utf-8")
        done = subprocess.run([sys.executable, check], capture_output=True, text=True, check=False)
        assert done.returncode == code
        assert ("not pinned in constraints.txt: torch==" in done.stderr and "TORCH_INDEX" in done.stderr) == bool(code)


# --- nginx


def test_nginx_has_the_same_limit_of_the_body_as_the_explorer() -> None:
    from explorer.server.errors import MAX_BODY

    assert re.findall(r"client_max_body_size (\d+)k;", text("nginx.conf")) == [str(MAX_BODY // 1024)]


def test_nginx_logs_no_errors_of_levels_with_client_addresses() -> None:
    assert re.findall(r"^\s*error_log (.+);", text("nginx.conf"), re.MULTILINE) == ["stderr alert"]
    assert not re.findall(r"^error_log ", text("listen.conf") + text("compose/listen.conf"), re.MULTILINE)


def test_the_timeout_for_a_replica_is_longer_than_its_answer_may_take_and_shorter_than_that_of_the_page() -> None:
    (session,) = (ROOT / "assets").rglob("session.js")
    (lost,) = (int(found) / 1000 for found in re.findall(r"const LOST_AFTER = (\d+);", session.read_text(encoding="utf-8")))
    (read,) = (int(found) for found in re.findall(r"proxy_read_timeout (\d+)s;", text("nginx.conf")))
    passed_on = [int(found) for found in re.findall(r"proxy_next_upstream_timeout (\d+)s;", text("nginx.conf"))]
    assert min(read, GRACE) > MAX_WAIT + COMPUTING and GRACE <= read < passed_on[0] < lost
    assert max(passed_on) < lost


def test_no_overloaded_replica_is_taken_out_of_use() -> None:
    for place in ("replicas.conf", "compose/replicas.conf"):
        servers = re.findall(r"^server .*;$", text(place), re.MULTILINE)
        assert len(servers) >= 2
        assert all("max_fails=0" in server for server in servers)


@needs_nginx
def test_nginx_accepts_every_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "scripts" / "nginx_check.py"), run_name="__main__")
    assert (ended.value.code, capsys.readouterr().out) == (False, "")


# --- Compose


def test_nginx_in_compose_knows_the_replicas_by_their_addresses_and_port(compose: dict[str, Any]) -> None:
    network = yaml.safe_load(text("compose.yaml"))["networks"]["inside"]["ipam"]["config"][0]["subnet"]
    addresses = [one["networks"]["inside"]["ipv4_address"] for name, one in compose.items() if name.startswith("replica-")]
    assert re.findall(r"^server (\S+):8050 ", text("compose/replicas.conf"), re.MULTILINE) == addresses
    assert all(ipaddress.ip_address(address) in ipaddress.ip_network(network) for address in addresses)
    assert "PORT=8050" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_port_of_nginx_in_compose_is_published_and_checked(compose: dict[str, Any]) -> None:
    (port,) = re.findall(r"^listen (\d+);", text("compose/listen.conf"), re.MULTILINE)
    assert [published.rsplit(":")[-1] for published in compose["nginx"]["ports"]] == [port]
    assert f"127.0.0.1:{port}/" in compose["nginx"]["healthcheck"]["test"][1]
    assert f"EXPOSE {port}" in text("nginx.Dockerfile")


def test_every_service_in_compose_is_confined_and_limited(compose: dict[str, Any]) -> None:
    for service in compose.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["restart"] == "unless-stopped"
        assert {"mem_limit", "cpus", "pids_limit", "healthcheck"} <= service.keys()
    assert {one["mem_limit"] for name, one in compose.items() if name.startswith("replica-")} == {"1g"}


# --- Kubernetes


def test_everything_that_selects_the_pods_selects_by_their_labels(kubernetes: dict[str, dict[str, Any]]) -> None:
    template = kubernetes["Deployment"]["spec"]["template"]
    (spread,) = template["spec"]["topologySpreadConstraints"]
    selectors = [
        kubernetes["Deployment"]["spec"]["selector"]["matchLabels"],
        kubernetes["Service"]["spec"]["selector"],
        kubernetes["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        kubernetes["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        spread["labelSelector"]["matchLabels"],
    ]
    assert all(selector.items() <= template["metadata"]["labels"].items() for selector in selectors)
    assert all(selectors)


def test_the_prefix_is_the_same_in_the_ingress_the_settings_and_the_probes(
    kubernetes: dict[str, dict[str, Any]], container: dict[str, Any]
) -> None:
    prefix = environment(container)["URL_PREFIX"]
    closed = "explorer-unreachable"
    assert paths(kubernetes["Ingress"]) == {prefix: "explorer", f"{prefix}metrics": closed, f"{prefix}readyz": closed}
    probes = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert probes == {"startup": f"{prefix}healthz", "liveness": f"{prefix}healthz", "readiness": f"{prefix}readyz"}


def test_the_ingress_requests_a_missing_file_from_all_replicas_as_nginx_does(
    kubernetes: dict[str, dict[str, Any]], container: dict[str, Any]
) -> None:
    files, annotated = kubernetes["Ingress-files"], annotations(kubernetes["Ingress-files"])
    ((folder, failures),) = re.findall(
        r"location ~ /([^ ]+) \{\s+proxy_pass [^;]+;\s+proxy_next_upstream ([^;]+);", text("nginx.conf")
    )
    prefix = environment(container)["URL_PREFIX"]
    assert paths(files) == {f"{prefix}{folder}": "explorer"}
    assert set(annotated["proxy-next-upstream"].split()) == set(failures.split()) >= {"http_404"}
    surge = kubernetes["Deployment"]["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
    assert int(annotated["proxy-next-upstream-tries"]) == kubernetes["HorizontalPodAutoscaler"]["spec"]["maxReplicas"] + surge
    assert [one["host"] for one in files["spec"]["rules"]] == [one["host"] for one in kubernetes["Ingress"]["spec"]["rules"]]


def test_the_ingress_has_the_retries_and_timeouts_of_nginx(kubernetes: dict[str, dict[str, Any]]) -> None:
    annotated = annotations(kubernetes["Ingress"])
    general = text("nginx.conf").partition("upstream explorer")[0]
    for name in ("next-upstream", "next-upstream-tries", "next-upstream-timeout", "connect-timeout", "send-timeout", "read-timeout"):
        (here,) = re.findall(rf"\bproxy_{name.replace('-', '_')} (.+?)s?;", general)
        assert annotated[f"proxy-{name}"] == here, name
        if name.endswith("timeout"):
            assert annotations(kubernetes["Ingress-files"])[f"proxy-{name}"] == here, name


def test_the_service_and_the_probes_mean_the_port_that_the_image_serves_on(
    kubernetes: dict[str, dict[str, Any]], container: dict[str, Any]
) -> None:
    (port,) = container["ports"]
    assert f"EXPOSE {port['containerPort']}" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert {entry["targetPort"] for entry in kubernetes["Service"]["spec"]["ports"]} == {port["name"]}
    assert {container[f"{name}Probe"]["httpGet"]["port"] for name in ("startup", "liveness", "readiness")} == {port["name"]}


def test_the_autoscaler_refers_to_the_deployment_which_sets_no_replicas(kubernetes: dict[str, dict[str, Any]]) -> None:
    target = kubernetes["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert target == {"apiVersion": "apps/v1", "kind": "Deployment", "name": kubernetes["Deployment"]["metadata"]["name"]}
    assert "replicas" not in kubernetes["Deployment"]["spec"]
    assert kubernetes["HorizontalPodAutoscaler"]["spec"]["minReplicas"] >= 2


def test_a_pod_is_confined_and_limited(kubernetes: dict[str, dict[str, Any]], container: dict[str, Any]) -> None:
    pod = kubernetes["Deployment"]["spec"]["template"]["spec"]
    user = f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}"
    assert f"USER {user}" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}
    }  # fmt: skip
    assert container["resources"]["limits"]["memory"] == "1Gi"
    assert {volume["name"] for volume in pod["volumes"]} == {mount["name"] for mount in container["volumeMounts"]}


def test_kustomize_has_every_manifest_and_names_the_image(
    kubernetes: dict[str, dict[str, Any]], container: dict[str, Any]
) -> None:
    files = {file.name for file in (DEPLOY / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kubernetes["Kustomization"]["resources"]) == files
    assert [image["name"] for image in kubernetes["Kustomization"]["images"]] == [container["image"]]


# --- all of them


def test_a_stop_leaves_requests_in_flight_enough_time(
    kubernetes: dict[str, dict[str, Any]], container: dict[str, Any], compose: dict[str, Any]
) -> None:
    before = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert kubernetes["Deployment"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > before + GRACE + 1
    assert all(int(service["stop_grace_period"].rstrip("s")) > GRACE + 1 for service in compose.values())


def test_all_settings_in_deploy_are_documented(container: dict[str, Any], compose: dict[str, Any]) -> None:
    given = environment(container).keys() | compose["replica-1"]["environment"].keys()
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert given <= documented
