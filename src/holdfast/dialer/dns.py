"""Whom the tunnel's name servers are told to: systemd-resolved, resolv.conf, or nobody; and why."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from holdfast.dialer.settings import DnsMode, DnsSettings
from holdfast.network.changes import Change
from holdfast.network.files import ReplaceFile
from holdfast.network.resolved import UseResolved

RESOLV_CONF = "/etc/resolv.conf"
RESOLVED_STUB = Path("/run/systemd/resolve/stub-resolv.conf")
EVERY_NAME = "~."
MOST_SERVERS = 3
"""resolv.conf(5): MAXNS."""


@dataclass(frozen=True, slots=True)
class DnsPlan:
    """Changes, why they are so, and the servers that must be reached through the tunnel."""

    changes: tuple[Change, ...] = ()
    why: tuple[str, ...] = ()
    servers: tuple[IPv4Address, ...] = ()


def resolved_runs() -> bool:
    """Whether systemd-resolved answers on this host."""
    return RESOLVED_STUB.exists() and shutil.which("resolvectl") is not None


def usable(servers: Sequence[str]) -> tuple[IPv4Address, ...]:
    """Return the name servers that can be asked through a tunnel, without repetition."""
    found = []
    for text in servers:
        try:
            address = IPv4Address(text)
        except ValueError:
            continue
        if not (address.is_unspecified or address.is_loopback or address.is_multicast or address.is_reserved):
            found.append(address)
    return tuple(dict.fromkeys(found))


def plan(
    settings: DnsSettings, interface: str, offered: Sequence[str], *, domain: str = "", full: bool, resolved: bool
) -> DnsPlan:
    """Return what to do with the servers that the other side offered (addresses as text).

    `domain`: its own domain, if it told one; `full`: everything goes through the tunnel; `resolved`:
    systemd-resolved runs here.
    """
    servers = usable(offered)
    if settings.mode is DnsMode.NONE:
        return DnsPlan(why=("name servers are left as they are (dns = none)",))
    if not servers:
        return DnsPlan(why=("the server names no usable name servers: those of this host stay",))
    domains = tuple(dict.fromkeys([*settings.domains, *filter(None, [domain])]))
    if settings.mode is DnsMode.RESOLVED or (settings.mode is DnsMode.AUTO and resolved):
        return _resolved(interface, servers, domains, full=full)
    if settings.mode is DnsMode.AUTO and not full:
        why = (
            "resolv.conf cannot ask one server for some names only: it stays, as not everything goes through the tunnel"
        )
        return DnsPlan(why=(f"{why} (dns = file asks the tunnel for all)",))
    return _file(servers, domains)


def _resolved(interface: str, servers: tuple[IPv4Address, ...], domains: tuple[str, ...], *, full: bool) -> DnsPlan:
    routed = tuple(f"~{domain.lstrip('~')}" for domain in domains)
    asked = (EVERY_NAME, *routed) if full else routed
    if not asked:
        return DnsPlan(why=("no domains are known to be inside the tunnel: name servers stay as they are",))
    change = UseResolved(interface, tuple(map(str, servers)), asked)
    whom = "all names" if full else ", ".join(domains)
    return DnsPlan((change,), (f"systemd-resolved asks {_list(servers)} for {whom}",), servers)


def _file(servers: tuple[IPv4Address, ...], domains: tuple[str, ...]) -> DnsPlan:
    used = servers[:MOST_SERVERS]
    lines = ["# written by Holdfast while its tunnel is up; what stood here comes back when it goes"]
    lines += [f"search {' '.join(domains)}"] if domains else []
    lines += [f"nameserver {server}" for server in used]
    change = ReplaceFile(RESOLV_CONF, "\n".join(lines) + "\n")
    return DnsPlan((change,), (f"{RESOLV_CONF} asks {_list(used)} for all names",), used)


def _list(servers: Sequence[IPv4Address]) -> str:
    return " and ".join(map(str, servers))
