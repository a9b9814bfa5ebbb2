"""URLs at which the page can be opened: on this machine, and by others in its networks. Finding them sends nothing."""

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

# A route to one of these starts at an address of this machine that others can reach: an address for documentation takes the
# default route, the others are in the hotspot networks of Windows, macOS and NetworkManager, which this machine may have.
PROBE_TARGETS = {
    socket.AF_INET: ("203.0.113.1", "192.168.137.2", "192.168.2.2", "10.42.0.2"),
    socket.AF_INET6: ("2001:db8::1",),
}
# Hosts that mean the local machine on every machine; the page's script reads this too.
THIS_MACHINE = re.compile(r"(localhost|.*\.localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0|\[::\])(:\d+)?", re.ASCII | re.I)
SIOCGIFADDR = 0x8915  # Linux: the IPv4 address of an interface


def own_url(settings: ServerSettings) -> str:
    """The URL of the page on this machine."""
    families = _families(settings.host)
    host = settings.host if not families else "127.0.0.1" if socket.AF_INET in families else "::1"
    return _url(host, settings)


def urls_for_others(settings: ServerSettings) -> list[str]:
    """URLs of the page for others in the network, the likeliest first; empty if none is known, or if they cannot reach it.

    A container's own address cannot be used outside of it, so there only PUBLIC_URL counts.
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
    """Whether a client's key, as written by ``client_of``, is a loopback address."""
    with suppress(ValueError):
        return ip_address(address.partition("/")[0]).is_loopback or address == "::/64"  # the network of ::1
    return False


def in_container() -> bool:
    """Whether this is a container of Docker, Podman or Kubernetes."""
    return "KUBERNETES_SERVICE_HOST" in os.environ or any(map(os.path.exists, ("/.dockerenv", "/run/.containerenv")))


def _url(host: str, settings: ServerSettings) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}{settings.prefix}"


def _families(host: str) -> list[socket.AddressFamily]:
    """The address families of a server that listens on all addresses; empty for a server on one address."""
    try:
        family, *_, address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
    except OSError:
        return []
    if not ip_address(str(address[0]).partition("%")[0]).is_unspecified:
        return []
    if family == socket.AF_INET:
        return [family]
    with socket.socket(socket.AF_INET6) as probe:
        v6_only = probe.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    return [socket.AF_INET6] if v6_only else [socket.AF_INET, socket.AF_INET6]


def _addresses(family: socket.AddressFamily) -> list[str]:
    """The addresses of this machine that others can reach."""
    found = [address for target in PROBE_TARGETS[family] for address in _source_address(target, family)]
    if not found and family == socket.AF_INET and sys.platform == "linux":
        found = list(_interface_addresses())  # a network without a default route
    return [address for address in found if not (ip_address(address).is_loopback or ip_address(address).is_link_local)]


def _source_address(target: str, family: socket.AddressFamily) -> Iterator[str]:
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((target, 9))  # sends nothing: only looks up the route
        except OSError:
            return
        yield str(probe.getsockname()[0])


def _interface_addresses() -> Iterator[str]:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            try:
                result = fcntl.ioctl(probe, SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:
                continue  # it has no IPv4 address
            yield socket.inet_ntoa(result[20:24])
