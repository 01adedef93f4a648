"""What the configuration of a PPTP daemon says about pools, echoes and MTU: pptpd with pppd, accel-ppp, pptp-linux.

Only as far as the doctor's checks need it. Files are given as text; nothing here reads anything.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, summarize_address_range

from holdfast.advise.facts import Daemon

PPTPD_CONF, PPTPD_OPTIONS = "/etc/pptpd.conf", "/etc/ppp/pptpd-options"
ACCEL_CONF = "/etc/accel-ppp.conf"
PPP_OPTIONS = "/etc/ppp/options"
MOST_ADDRESSES = 4096
"""Of one range; a longer one is a mistake in the file."""


@dataclass(frozen=True, slots=True)
class PppdOptions:
    """What matters of a pppd options file."""

    echo_interval: float | None = None
    mtu: int | None = None
    refuses: frozenset[str] = frozenset()


REFUSALS = {
    "refuse-pap": "pap",
    "refuse-chap": "chap-md5",
    "refuse-mschap": "ms-chap",
    "refuse-mschap-v2": "ms-chap-v2",
    "refuse-eap": "eap",
}


def pppd_options(text: str) -> PppdOptions:
    """Read an options file of pppd."""
    words = [line.split("#", 1)[0].split() for line in text.splitlines()]
    values = {line[0]: line[1] for line in words if len(line) > 1}
    refuses = frozenset(REFUSALS[line[0]] for line in words if line and line[0] in REFUSALS)
    return PppdOptions(_number(values.get("lcp-echo-interval")), _whole(values.get("mtu")), refuses)


def pptpd(files: Mapping[str, str]) -> Daemon:
    """Return what pptpd is told by its file and by the options of its pppd."""
    lines = [line.split("#", 1)[0].split(None, 1) for line in files.get(PPTPD_CONF, "").splitlines()]
    values = {line[0]: line[1].strip() for line in lines if len(line) > 1}
    options = pppd_options(
        "\n".join(files.get(name, "") for name in (PPP_OPTIONS, values.get("option", PPTPD_OPTIONS)))
    )
    pools = tuple(network for part in values.get("remoteip", "").split(",") for network in _range(part.strip()))
    echo = 0.0 if options.echo_interval is None else options.echo_interval
    return Daemon("pptpd", PPTPD_CONF, pools, "ppp0", echo, options.mtu)


def accel(files: Mapping[str, str]) -> Daemon:
    """Return what accel-ppp is told by its file."""
    section, pools = "", list[IPv4Network]()
    values: dict[tuple[str, str], str] = {}
    for raw in files.get(ACCEL_CONF, "").splitlines():
        line = raw.split("#", 1)[0].strip()
        if line.startswith("["):
            section = line.strip("[]")
        elif section == "ip-pool" and line[:1].isdigit():
            pools += _range(line.split(",", 1)[0].strip())
        elif "=" in line:
            key, _, value = line.partition("=")
            values[section, key.strip()] = value.strip()
    echo = _number(values.get(("lcp", "echo-interval"), values.get(("ppp", "lcp-echo-interval"))))
    mtu = _whole(values.get(("ppp", "mtu")))
    return Daemon("accel-ppp", ACCEL_CONF, tuple(pools), "ppp0", 0.0 if echo is None else echo, mtu)


def pptp_linux(peer: str, text: str) -> Daemon:
    """Return what a peers file of pppd says about a client's tunnel."""
    options = pppd_options(text)
    echo = 0.0 if options.echo_interval is None else options.echo_interval
    return Daemon("pptp-linux", peer, (), "ppp0", echo, options.mtu, refuses=options.refuses)


def _range(text: str) -> Iterator[IPv4Network]:
    """Yield the networks of `10.0.0.1-9`, `10.0.0.1-10.0.0.9`, `10.0.0.0/24` or one address; nothing of all else."""
    first, dash, last = text.partition("-")
    try:
        if "/" in text:
            yield IPv4Network(text, strict=False)
            return
        low = IPv4Address(first)
        high = IPv4Address(last if "." in last else f"{first.rpartition('.')[0]}.{last}") if dash else low
        if int(low) <= int(high) < int(low) + MOST_ADDRESSES:
            yield from summarize_address_range(low, high)
    except (AddressValueError, ValueError):
        return


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"\d{1,9}", text) else None


def _whole(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"\d{1,9}", text) else None
