"""Where a page can be opened: on this machine, and by others in its networks. It is looked up without sending anything."""

from __future__ import annotations

import os
import re
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address

from explorer.server.settings import ServerSettings

# A packet to one of these would leave from an address of ours that others reach: an address for documentation takes the
# default route, the others are in the hotspots of Windows, macOS and NetworkManager, where this machine may have one.
ELSEWHERE = {
    socket.AF_INET: ("203.0.113.1", "192.168.137.2", "192.168.2.2", "10.42.0.2"),
    socket.AF_INET6: ("2001:db8::1",),
}
# As in copy_link.js: the hosts that every machine takes for itself.
THIS_MACHINE = re.compile(r"(localhost|.*\.localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0|\[::\])(:\d+)?", re.ASCII | re.I)
SIOCGIFADDR = 0x8915  # Linux: the IPv4 address of an interface


def own_url(settings: ServerSettings) -> str:
    """Where the page is opened on this machine."""
    families = _families(settings.host)
    host = settings.host if not families else "127.0.0.1" if socket.AF_INET in families else "::1"
    return _url(host, settings)


def urls_for_others(settings: ServerSettings) -> list[str]:
    """Where others in the network may open the page, the likeliest first; empty where that is not known or they cannot.

    A container's own address means nothing outside of it, so there PUBLIC_URL alone counts.
    """
    if settings.public_url:
        return [settings.public_url]
    if in_container():
        return []
    found = [address for family in _families(settings.host) for address in _addresses(family)]
    return [_url(address, settings) for address in dict.fromkeys(found)]


def serves_networks(settings: ServerSettings) -> bool:
    """Whether the server listens on all addresses of this machine."""
    return bool(_families(settings.host))


def is_this_machine(address: str) -> bool:
    """Whether an address of a client is one of the loopback's; ``client_of`` writes them."""
    with suppress(ValueError):
        return ip_address(address.partition("/")[0]).is_loopback or address == "::/64"  # the network of ::1
    return False


def in_container() -> bool:
    """Whether this is a container of Docker, Podman or Kubernetes."""
    return "KUBERNETES_SERVICE_HOST" in os.environ or any(map(os.path.exists, ("/.dockerenv", "/run/.containerenv")))


def _url(host: str, settings: ServerSettings) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}{settings.prefix}"


def _families(host: str) -> list[socket.AddressFamily]:
    """Of the addresses that a server on this one has, if it is the address that stands for all; else none."""
    try:
        family, *_, address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
    except OSError:
        return []
    if not ip_address(str(address[0]).partition("%")[0]).is_unspecified:
        return []
    if family == socket.AF_INET:
        return [family]
    with socket.socket(socket.AF_INET6) as probe:
        alone = probe.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    return [socket.AF_INET6] if alone else [socket.AF_INET, socket.AF_INET6]


def _addresses(family: socket.AddressFamily) -> list[str]:
    """The addresses of this machine that others reach."""
    found = [address for target in ELSEWHERE[family] for address in _leaving_to(target, family)]
    if not found and family == socket.AF_INET and sys.platform == "linux":
        found = list(_of_interfaces())  # a network without a way out
    return [address for address in found if not (ip_address(address).is_loopback or ip_address(address).is_link_local)]


def _leaving_to(target: str, family: socket.AddressFamily) -> Iterator[str]:
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((target, 9))  # sends nothing: it only looks up the route
        except OSError:
            return
        yield str(probe.getsockname()[0])


def _of_interfaces() -> Iterator[str]:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            try:
                told = fcntl.ioctl(probe, SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:
                continue  # it has none
            yield socket.inet_ntoa(told[20:24])
