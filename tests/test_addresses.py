"""The server can be reached at the addresses that are printed and offered."""

from __future__ import annotations

import socket
import sys
from ipaddress import ip_address
from urllib.parse import urlsplit

import pytest
from asgi import client_of
from werkzeug.test import Client

from explorer import addresses
from explorer.addresses import own_url, urls_for_others
from explorer.server.settings import ServerSettings

EVERYWHERE = ("0.0.0.0", "::", "0")
HERE = ("127.0.0.1", "localhost", "127.0.0.9")


@pytest.fixture(autouse=True)
def no_container(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests may run in a container."""
    monkeypatch.setattr(addresses, "in_container", lambda: False)


def reached(url: str) -> bool:
    """Whether a server listens at this URL."""
    where = urlsplit(url)
    with socket.create_connection((where.hostname, where.port), timeout=5):
        return True


@pytest.mark.parametrize("host", EVERYWHERE)
def test_a_server_on_all_addresses_can_be_reached_at_each_of_its_urls(host: str) -> None:
    if ":" in host and not socket.has_ipv6:
        pytest.skip("no IPv6")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as server:
        server.bind((host, 0))
        server.listen()
        serving = ServerSettings(host=host, port=server.getsockname()[1], prefix="/explorer/")
        others = urls_for_others(serving)
        for url in (own_url(serving), *others):
            assert url.endswith(f":{serving.port}/explorer/") and reached(url)
    assert ip_address(str(urlsplit(own_url(serving)).hostname)).is_loopback
    for url in others:
        address = ip_address(str(urlsplit(url).hostname))
        assert not (address.is_loopback or address.is_unspecified or address.is_link_local)


def test_an_address_of_ipv6_is_written_in_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_addresses", {socket.AF_INET: ["192.0.2.7"], socket.AF_INET6: ["2001:db8::7"]}.get)
    assert urls_for_others(ServerSettings(host="0.0.0.0")) == ["http://192.0.2.7:8050/"]
    assert urls_for_others(ServerSettings(host="::"))[-1] == "http://[2001:db8::7]:8050/"
    assert own_url(ServerSettings(host="::1")) == "http://[::1]:8050/"


@pytest.mark.skipif(sys.platform != "linux", reason="how to ask for them differs from system to system")
def test_without_a_default_route_linux_still_finds_its_interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    known = urls_for_others(ServerSettings(host="0.0.0.0"))
    monkeypatch.setattr(addresses, "PROBE_TARGETS", {socket.AF_INET: ()})
    assert set(urls_for_others(ServerSettings(host="0.0.0.0"))) >= set(known)


@pytest.mark.parametrize("host", HERE)
def test_a_server_on_loopback_has_no_address_for_others(host: str) -> None:
    assert urls_for_others(ServerSettings(host=host)) == []
    assert own_url(ServerSettings(host=host)) == f"http://{host}:8050/"


def test_public_url_comes_first_and_a_containers_own_address_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    named = ServerSettings.read({"PUBLIC_URL": "https://campus.example/explorer", "HOST": "0.0.0.0"})
    assert urls_for_others(named) == ["https://campus.example/explorer/"]
    monkeypatch.setattr(addresses, "in_container", lambda: True)
    assert urls_for_others(named) == ["https://campus.example/explorer/"]
    assert urls_for_others(ServerSettings(host="0.0.0.0")) == []


@pytest.fixture(scope="module")
def client() -> Client:
    """A client of a server with PUBLIC_URL."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PUBLIC_URL", "http://192.0.2.7:8050/")
        return client_of()


@pytest.fixture(scope="module")
def own_client() -> Client:
    """A client of a server without PUBLIC_URL."""
    return client_of()


def test_only_a_page_that_was_opened_on_this_machine_gets_addresses(client: Client) -> None:
    for host in ("localhost:8050", "127.0.0.1", "127.8.0.1:80", "[::1]:8050", "explorer.localhost", "0.0.0.0:1"):
        answer = client.get("/addresses", headers={"Host": host})
        assert (answer.status_code, answer.json) == (200, ["http://192.0.2.7:8050/"]), host
        for spoof in (".evil.example", "@evil.example"):
            assert client.get("/addresses", headers={"Host": host + spoof}).status_code == 404, host + spoof


def test_a_client_on_another_machine_gets_none_whatever_its_host_header(own_client: Client) -> None:
    clients = {"127.0.0.1": 200, "::1": 200, "::ffff:127.0.0.1": 200, "192.0.2.9": 404, "2001:db8::9": 404}
    for address, status in clients.items():
        answer = own_client.get("/addresses", headers={"Host": "localhost"}, environ_overrides={"REMOTE_ADDR": address})
        assert answer.status_code == status, address
