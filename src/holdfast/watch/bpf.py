"""The filter in the kernel: both channels of PPTP and the ICMP errors about them, behind VLAN tags and PPPoE too.

Classic BPF (Documentation/networking/filter.rst of Linux) for a packet socket of the kind SOCK_DGRAM, whose packets
begin behind the link's own header. What the network card took off (a VLAN tag) is not there; what it left is looked
through.
"""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

from holdfast.control.codes import CONTROL_PORT
from holdfast.errors import HoldfastError

GRE_SNAP = 256
"""Octets kept of a GRE packet: all of a negotiation, and little of what users send."""
WHOLE_SNAP = 2048
IPV4, IPV6, VLAN, QINQ, PPPOE = 0x0800, 0x86DD, 0x8100, 0x88A8, 0x8864
TCP, GRE, ICMP, ICMPV6, FRAGMENT = 6, 47, 1, 58, 44
ICMP_ERRORS = (3, 4, 5, 11, 12)
"""Types that quote a packet (RFC 792)."""

_LD_W, _LD_H = 0x20, 0x28
_LD_W_X, _LD_H_X, _LD_B_X = 0x40, 0x48, 0x50
"""Loads from X plus a number."""
_ALU_AND, _ALU_LSH, _ALU_ADD_X, _TAX, _RET = 0x54, 0x64, 0x0C, 0x07, 0x06
_JEQ, _JSET, _LD_IMM = 0x15, 0x45, 0x00
_PROTOCOL = 0xFFFFF000
"""Load the packet's EtherType instead of its octets (SKF_AD_OFF + SKF_AD_PROTOCOL)."""


@dataclass
class _Line:
    code: int
    value: int = 0
    yes: str = ""
    no: str = ""


class _Program:
    """Instructions with named places; a jump without a name goes on with the next instruction."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []
        self._places: dict[str, int] = {}

    def place(self, name: str) -> None:
        self._places[name] = len(self._lines)

    def add(self, code: int, value: int = 0) -> None:
        self._lines.append(_Line(code, value))

    def jump(self, value: int, yes: str = "", no: str = "", *, code: int = _JEQ) -> None:
        self._lines.append(_Line(code, value, yes, no))

    def assemble(self) -> bytes:
        octets = b""
        for here, line in enumerate(self._lines):
            yes, no = (self._places[name] - here - 1 if name else 0 for name in (line.yes, line.no))
            octets += struct.pack("=HBBI", line.code, yes, no, line.value)
        return octets


def program(host: str = "", port: int = CONTROL_PORT) -> bytes:
    """Return the filter; with `host` (an IPv4 address) for packets from or to it only.

    `port` is the servers' TCP port.
    """
    lines = _Program()
    _link_layers(lines)
    _version_4(lines, host, port)
    _version_6(lines, host, port)
    for name, size in (("gre", GRE_SNAP), ("whole", WHOLE_SNAP), ("drop", 0)):
        lines.place(name)
        lines.add(_RET, size)
    return lines.assemble()


def _link_layers(lines: _Program) -> None:
    """Find where IP begins and keep that in X."""
    lines.add(_LD_W, _PROTOCOL)
    _kinds(lines, 0, ("vlan", "pppoe"))
    lines.place("vlan")
    lines.add(_LD_H, 2)
    _kinds(lines, 4, ("two vlans", "pppoe in vlan"))
    lines.place("two vlans")
    lines.add(_LD_H, 6)
    _kinds(lines, 8, ("drop", "drop"))
    for name, size in (("pppoe", 8), ("pppoe in vlan", 12)):
        lines.place(name)
        lines.add(_LD_IMM, size)
        lines.jump(size, "ip", "ip")
    for size in (0, 4, 8):
        lines.place(f"ip at {size}")
        lines.add(_LD_IMM, size)
        lines.jump(size, "ip", "ip")
    lines.place("ip")
    lines.add(_TAX)
    lines.add(_LD_B_X, 0)
    lines.add(_ALU_AND, 0xF0)
    lines.jump(0x40, "4")
    lines.jump(0x60, "6", "drop")


def _kinds(lines: _Program, size: int, inner: tuple[str, str]) -> None:
    lines.jump(IPV4, f"ip at {size}")
    lines.jump(IPV6, f"ip at {size}")
    lines.jump(VLAN, inner[0])
    lines.jump(QINQ, inner[0])
    lines.jump(PPPOE, inner[1], "drop")


def _version_4(lines: _Program, host: str, port: int) -> None:
    lines.place("4")
    if host:
        address = int(IPv4Address(host))
        lines.add(_LD_W_X, 12)
        lines.jump(address, "4 wanted")
        lines.add(_LD_W_X, 16)
        lines.jump(address, "4 wanted", "drop")
        lines.place("4 wanted")
    lines.add(_LD_B_X, 9)
    lines.jump(GRE, "gre")
    lines.jump(ICMP, "4 icmp")
    lines.jump(TCP, "4 tcp", "drop")
    lines.place("4 tcp")
    _behind_header(lines)
    lines.add(_LD_H_X, 0)
    lines.jump(port, "whole")
    lines.add(_LD_H_X, 2)
    lines.jump(port, "whole", "drop")
    lines.place("4 icmp")
    _behind_header(lines)
    lines.add(_LD_B_X, 0)
    for kind in ICMP_ERRORS[:-1]:
        lines.jump(kind, "whole")
    lines.jump(ICMP_ERRORS[-1], "whole", "drop")


def _behind_header(lines: _Program) -> None:
    """Of what is no later fragment: add the length of the IPv4 header to X."""
    lines.add(_LD_H_X, 6)
    lines.jump(0x1FFF, "drop", code=_JSET)
    lines.add(_LD_B_X, 0)
    lines.add(_ALU_AND, 0x0F)
    lines.add(_ALU_LSH, 2)
    lines.add(_ALU_ADD_X)
    lines.add(_TAX)


def _version_6(lines: _Program, host: str, port: int) -> None:
    lines.place("6")
    lines.add(_LD_B_X, 6)
    if host:
        lines.jump(0, "drop", "drop")
        return
    lines.jump(GRE, "gre")
    lines.jump(ICMPV6, "6 icmp")
    lines.jump(FRAGMENT, "6 fragment")
    lines.jump(TCP, "", "drop")
    lines.add(_LD_H_X, 40)
    lines.jump(port, "whole")
    lines.add(_LD_H_X, 42)
    lines.jump(port, "whole", "drop")
    lines.place("6 fragment")
    lines.add(_LD_B_X, 40)
    lines.jump(GRE, "gre", "drop")
    lines.place("6 icmp")
    lines.add(_LD_B_X, 40)
    lines.jump(0x80, "drop", "whole", code=_JSET)


def host_address(text: str) -> str:
    """Return an IPv4 address as it is written best. HoldfastError when it is none."""
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise HoldfastError("this is no IPv4 address", where=text, fix="Give the client's or the server's.") from None
