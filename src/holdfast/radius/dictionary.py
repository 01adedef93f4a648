"""The attributes that are known by name, as data: number, vendor, and how a value stands in octets.

RFC 2865 (1-63), 2866 (40-51), 2868 (64-67), 2869 (52-88), 3162 (95-99), 5176 (101), 2548 (vendor 311), and what WISPr
and Mikrotik say about rates and volumes. Numbers that are not here are kept and shown as they are.
"""

from dataclasses import dataclass
from enum import StrEnum

from holdfast.radius.codes import Vendor


class Kind(StrEnum):
    """How a value stands in octets (RFC 2865 section 5, RFC 2868 section 3)."""

    TEXT = "text"
    OCTETS = "octets"
    SECRET = "secret"  # noqa: S105 - the name of a kind; octets that are never shown
    INTEGER = "integer"
    INTEGER64 = "integer64"
    ADDRESS = "address"
    IPV6 = "ipv6"
    PREFIX6 = "prefix6"
    TAGGED_INTEGER = "tagged integer"
    TAGGED_TEXT = "tagged text"


@dataclass(frozen=True, slots=True)
class Definition:
    """One attribute."""

    name: str
    number: int
    kind: Kind
    vendor: int = Vendor.STANDARD


_STANDARD = """
1 User-Name text
2 User-Password secret
3 CHAP-Password secret
4 NAS-IP-Address address
5 NAS-Port integer
6 Service-Type integer
7 Framed-Protocol integer
8 Framed-IP-Address address
9 Framed-IP-Netmask address
11 Filter-Id text
12 Framed-MTU integer
13 Framed-Compression integer
18 Reply-Message text
22 Framed-Route text
24 State octets
25 Class octets
27 Session-Timeout integer
28 Idle-Timeout integer
29 Termination-Action integer
30 Called-Station-Id text
31 Calling-Station-Id text
32 NAS-Identifier text
33 Proxy-State octets
40 Acct-Status-Type integer
41 Acct-Delay-Time integer
42 Acct-Input-Octets integer
43 Acct-Output-Octets integer
44 Acct-Session-Id text
45 Acct-Authentic integer
46 Acct-Session-Time integer
47 Acct-Input-Packets integer
48 Acct-Output-Packets integer
49 Acct-Terminate-Cause integer
50 Acct-Multi-Session-Id text
51 Acct-Link-Count integer
52 Acct-Input-Gigawords integer
53 Acct-Output-Gigawords integer
55 Event-Timestamp integer
60 CHAP-Challenge secret
61 NAS-Port-Type integer
62 Port-Limit integer
64 Tunnel-Type tagged integer
65 Tunnel-Medium-Type tagged integer
66 Tunnel-Client-Endpoint tagged text
67 Tunnel-Server-Endpoint tagged text
77 Connect-Info text
79 EAP-Message secret
80 Message-Authenticator octets
85 Acct-Interim-Interval integer
87 NAS-Port-Id text
88 Framed-Pool text
95 NAS-IPv6-Address ipv6
97 Framed-IPv6-Prefix prefix6
101 Error-Cause integer
"""
_MICROSOFT = """
1 MS-CHAP-Response secret
2 MS-CHAP-Error octets
7 MS-MPPE-Encryption-Policy integer
8 MS-MPPE-Encryption-Types integer
10 MS-CHAP-Domain octets
11 MS-CHAP-Challenge secret
12 MS-CHAP-MPPE-Keys secret
16 MS-MPPE-Send-Key secret
17 MS-MPPE-Recv-Key secret
25 MS-CHAP2-Response secret
26 MS-CHAP2-Success secret
28 MS-Primary-DNS-Server address
29 MS-Secondary-DNS-Server address
30 MS-Primary-NBNS-Server address
31 MS-Secondary-NBNS-Server address
"""
_WISPR = """
7 WISPr-Bandwidth-Max-Up integer
8 WISPr-Bandwidth-Max-Down integer
"""
_CHILLISPOT = """
1 ChilliSpot-Max-Input-Octets integer
2 ChilliSpot-Max-Output-Octets integer
3 ChilliSpot-Max-Total-Octets integer
21 ChilliSpot-Max-Input-Gigawords integer
22 ChilliSpot-Max-Output-Gigawords integer
23 ChilliSpot-Max-Total-Gigawords integer
"""
_MIKROTIK = """
1 Mikrotik-Recv-Limit integer
2 Mikrotik-Xmit-Limit integer
3 Mikrotik-Group text
8 Mikrotik-Rate-Limit text
14 Mikrotik-Recv-Limit-Gigawords integer
15 Mikrotik-Xmit-Limit-Gigawords integer
17 Mikrotik-Total-Limit integer
18 Mikrotik-Total-Limit-Gigawords integer
"""


def _read(table: str, vendor: Vendor) -> list[Definition]:
    rows = (line.split(" ", 2) for line in table.strip().splitlines())
    return [Definition(name, int(number), Kind(kind), vendor) for number, name, kind in rows]


DEFINITIONS: tuple[Definition, ...] = (
    *_read(_STANDARD, Vendor.STANDARD),
    *_read(_MICROSOFT, Vendor.MICROSOFT),
    *_read(_WISPR, Vendor.WISPR),
    *_read(_CHILLISPOT, Vendor.CHILLISPOT),
    *_read(_MIKROTIK, Vendor.MIKROTIK),
)

BY_NAME: dict[str, Definition] = {one.name: one for one in DEFINITIONS}
BY_NUMBER: dict[tuple[int, int], Definition] = {(one.vendor, one.number): one for one in DEFINITIONS}

VALUES: dict[str, dict[int, str]] = {
    "Service-Type": {2: "Framed", 8: "Authenticate-Only"},
    "Framed-Protocol": {1: "PPP"},
    "NAS-Port-Type": {5: "Virtual"},
    "Tunnel-Type": {1: "PPTP"},
    "Tunnel-Medium-Type": {1: "IPv4"},
    "Termination-Action": {0: "Default", 1: "RADIUS-Request"},
    "Acct-Status-Type": {1: "Start", 2: "Stop", 3: "Interim-Update", 7: "Accounting-On", 8: "Accounting-Off"},
    "Acct-Authentic": {1: "RADIUS", 2: "Local"},
    "MS-MPPE-Encryption-Policy": {1: "Encryption-Allowed", 2: "Encryption-Required"},
}
"""Words for numbers that are shown to people."""
