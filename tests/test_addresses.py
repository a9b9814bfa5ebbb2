"""The addresses that are printed and offered are those at which a server is really reached."""

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
    """The tests may themselves run in one."""
    monkeypatch.setattr(addresses, "in_container", lambda: False)


def reached(url: str) -> bool:
    """Whether somebody listens there."""
    where = urlsplit(url)
    with socket.create_connection((where.hostname, where.port), timeout=5):
        return True


@pytest.mark.parametrize("host", EVERYWHERE)
def test_a_server_on_all_addresses_is_reached_at_each_that_is_told(host: str) -> None:
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
def test_without_a_way_out_linux_still_knows_its_interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    known = urls_for_others(ServerSettings(host="0.0.0.0"))
    monkeypatch.setattr(addresses, "PROBE_TARGETS", {socket.AF_INET: ()})
    assert set(urls_for_others(ServerSettings(host="0.0.0.0"))) >= set(known)


@pytest.mark.parametrize("host", HERE)
def test_a_server_on_this_machine_alone_has_no_address_for_others(host: str) -> None:
    assert urls_for_others(ServerSettings(host=host)) == []
    assert own_url(ServerSettings(host=host)) == f"http://{host}:8050/"


def test_what_public_url_says_comes_before_all_and_a_containers_own_address_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    named = ServerSettings.read({"PUBLIC_URL": "https://campus.example/explorer", "HOST": "0.0.0.0"})
    assert urls_for_others(named) == ["https://campus.example/explorer/"]
    monkeypatch.setattr(addresses, "in_container", lambda: True)
    assert urls_for_others(named) == ["https://campus.example/explorer/"]
    assert urls_for_others(ServerSettings(host="0.0.0.0")) == []


@pytest.fixture(scope="module")
def client() -> Client:
    """A visitor of a server that knows an address for others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PUBLIC_URL", "http://192.0.2.7:8050/")
        return client_of()


@pytest.fixture(scope="module")
def own_client() -> Client:
    """A visitor of a server that was told no address for others."""
    return client_of()


@pytest.mark.parametrize("host", ["localhost:8050", "127.0.0.1", "127.8.0.1:80", "[::1]:8050", "explorer.localhost", "0.0.0.0:1"])
@pytest.mark.parametrize("spoof", ["", ".evil.example", "@evil.example"])
def test_only_a_page_that_was_opened_on_this_machine_is_told_addresses(host: str, spoof: str, client: Client) -> None:
    answer = client.get("/addresses", headers={"Host": host + spoof})
    assert answer.status_code == (404 if spoof else 200)
    assert spoof or answer.json == ["http://192.0.2.7:8050/"]


@pytest.mark.parametrize(("client_address", "status"), [("127.0.0.1", 200), ("::1", 200), ("::ffff:127.0.0.1", 200), ("192.0.2.9", 404), ("2001:db8::9", 404)])
def test_whoever_is_not_on_this_machine_is_told_none_whatever_host_is_named(
    client_address: str, status: int, own_client: Client
) -> None:
    answer = own_client.get("/addresses", headers={"Host": "localhost"}, environ_overrides={"REMOTE_ADDR": client_address})
    assert answer.status_code == status
