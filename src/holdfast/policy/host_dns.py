"""The DNS servers that this machine itself uses, for clients that are told no others."""

from ipaddress import AddressValueError, IPv4Address
from pathlib import Path

RESOLV_CONF = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
"""The second holds the real servers where the first names only a stub on this machine."""

MOST_SERVERS = 2
"""RFC 1877 carries a primary and a secondary one."""


def host_dns(files: tuple[Path, ...] = RESOLV_CONF) -> tuple[IPv4Address, ...]:
    """Return at most two servers that clients can reach too: IPv4, not on a loopback address. May be empty."""
    for path in files:
        if found := _servers(path):
            return found[:MOST_SERVERS]
    return ()


def _servers(path: Path) -> tuple[IPv4Address, ...]:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ()
    words = [line.split() for line in lines]
    named = [_address(parts[1]) for parts in words if len(parts) > 1 and parts[0] == "nameserver"]
    return tuple(dict.fromkeys(address for address in named if address is not None))


def _address(text: str) -> IPv4Address | None:
    try:
        address = IPv4Address(text)
    except AddressValueError:
        return None
    return None if address.is_loopback or address.is_unspecified else address
