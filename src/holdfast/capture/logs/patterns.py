"""What the words in logs mean: one table, from the sources of the programs and from real logs."""

import re
from dataclasses import dataclass

from holdfast.capture.logs.lines import Side


@dataclass(frozen=True, slots=True)
class Pattern:
    """Words, and the finding they stand for. `finding` may differ by the side that wrote them."""

    words: re.Pattern[str]
    finding: str
    certainty: float
    at_server: str = ""

    def meaning(self, side: Side) -> str:
        """Return the finding's id."""
        return self.at_server if side is Side.SERVER and self.at_server else self.finding


def _pattern(words: str, finding: str, certainty: float = 0.9, at_server: str = "") -> Pattern:
    return Pattern(re.compile(words, re.IGNORECASE), finding, certainty, at_server)


PATTERNS: tuple[Pattern, ...] = (
    # control connection
    _pattern(r"connect: Connection refused", "control-refused", 0.97),
    _pattern(r"connect: Connection timed out", "control-filtered"),
    _pattern(r"connect: (?:No route to host|Network is unreachable)", "network-unreachable"),
    _pattern(r"MGR: (?:initial packet bad magic|initial packet length|dropped (?:slow|small) initial)", "not-pptp"),
    _pattern(r"has bad ctrl type|pptp: invalid magic", "not-pptp"),
    _pattern(r"No free connection slots or IPs", "capacity-reached", 0.97),
    _pattern(
        r"Negative reply received to our Start Control Connection Request|PPTP version mismatch", "control-rejected"
    ),
    _pattern(r"outgoing call request .*has not been accepted", "call-refused"),
    _pattern(r"CTRL: Session timed out, ending call|pptp: no echo reply", "control-lost", 0.85),
    # GRE
    _pattern(r"LCP: timeout sending Config-Requests", "gre-missing-from-server", 0.8, "gre-missing-from-client"),
    _pattern(r"GRE: read\(.*\) from network failed: .*Protocol not available", "gre-icmp-unreachable", 0.95),
    _pattern(r"GRE: xmit failed from decaps_hdlc: Operation not permitted", "gre-missing", 0.85),
    _pattern(r"fragmentation needed", "mtu-too-big", 0.9),
    _pattern(r"automatic helper assignment has been turned off", "nat-without-helper", 0.4),
    _pattern(r"is for pppd version|unrecognized option|Couldn't open the /dev/ppp|no such plugin", "server-link-died"),
    # the link
    _pattern(r"Serial line is looped back|loop-back detected", "lcp-loop", 0.95),
    _pattern(r"No response to \d+ echo-requests|lcp: no echo reply|peer is not responding", "dead-peer", 0.95),
    # authentication
    _pattern(r"E=646|not permitted to (?:log on|logon) at this", "auth-hours", 0.97),
    _pattern(r"E=647|account is disabled", "auth-disabled", 0.97),
    _pattern(r"E=648|E=709|password (?:has )?expired", "auth-expired", 0.97),
    _pattern(r"E=649|no (?:dial-?in|remote access) permission", "auth-no-permission", 0.97),
    _pattern(r"E=691|failed (?:CHAP|PAP) authentication|No CHAP secret found", "auth-rejected", 0.97),
    _pattern(r"MS-CHAP2-Response is incorrect|No NT/LM-Password|mschap-v2: user not found", "auth-rejected", 0.95),
    _pattern(r"MS-CHAPv2 mutual authentication failed|Success packet is badly formed", "auth-mutual-failed", 0.97),
    _pattern(
        r"unknown authentication type \d+; Naking|EAP: peer reports authentication failure", "eap-unsupported", 0.85
    ),
    _pattern(
        r"No auth is possible|peer refused to authenticate|cann't negotiate authentication", "auth-method-mismatch"
    ),
    _pattern(r"authentication failed(?! .*code)|failed to authenticate ourselves", "auth-rejected", 0.85),
    _pattern(r"radius: ?server\(\w+\) not responding|no servers available|find RADIUS server", "radius-timeout", 0.95),
    # encryption
    _pattern(
        r"MPPE required,? but (?:kernel has no support|not available|keys are not available)", "mppe-unavailable", 0.95
    ),
    _pattern(r"MPPE requested but not supported by kernel|MS-CHAP\[v2\] auth not performed", "mppe-unavailable", 0.95),
    _pattern(r"Refusing MPPE stateful mode", "mppe-mode-mismatch", 0.95),
    _pattern(r"MPPE required but peer (?:refused|negotiation failed)", "mppe-refused", 0.95),
    _pattern(r"Too many MPPE errors|Lost compression sync", "mppe-desync", 0.95),
    # addresses
    _pattern(r"Could not determine (?:local|remote) IP address|no free IPv4 address", "ipcp-no-address", 0.95),
    _pattern(r"requested IPv4 address already assigned", "ipcp-address-conflict", 0.9),
    _pattern(r"Peer (?:refused to agree to (?:our|his) IP|is not authorized to use remote)", "ipcp-no-address", 0.9),
    _pattern(r"IPCP: timeout sending Config-Requests", "ipcp-no-agreement", 0.9),
    # ends
    _pattern(r"second session denied", "session-replaced", 0.8),
    _pattern(r"Terminating connection due to lack of activity|Link inactive", "idle-timeout", 0.97),
    _pattern(r"Connect time expired", "session-timeout", 0.97),
)
"""In this order; the first that fits a line counts."""

LOSSES = re.compile(r"buffering packet (\d+) \(expecting (\d+), lost or reordered\)", re.IGNORECASE)
OLD = re.compile(r"discarding duplicate or old packet (\d+) \(expecting (\d+)\)", re.IGNORECASE)
USER = re.compile(
    r"(?:Peer (?=\S+ failed)|\bname=\"|User-Name = \"|<pptp-|found for authenticating |\[(?=[^/\s\]]+/<via)|"
    r"\bThe user (?=\S+ connected)|(?:^|account )(?=\S+ logged in))([\w.@\\-]{1,64})"
)
UP = re.compile(
    r"remote IP address|using encoding|ipcp_layer_started|ppp started|logged in|authentication succeeded", re.IGNORECASE
)
BEGIN = re.compile(
    r"control connection started|new connection from|TCP connection established from|pppd \d\S* started by",
    re.IGNORECASE,
)
WINDOWS = re.compile(r"error code (?:returned on failure )?is (\d{3})")
WINDOWS_MEANINGS: dict[int, tuple[str, float]] = {
    619: ("gre-missing", 0.4),
    646: ("auth-hours", 0.95),
    647: ("auth-disabled", 0.95),
    648: ("auth-expired", 0.95),
    649: ("auth-no-permission", 0.95),
    691: ("auth-rejected", 0.95),
    709: ("auth-expired", 0.9),
    718: ("lcp-unanswered", 0.6),
    720: ("ipcp-no-agreement", 0.6),
    721: ("gre-missing", 0.8),
    732: ("lcp-loop", 0.6),
    735: ("ipcp-no-address", 0.8),
    738: ("ipcp-no-address", 0.9),
    741: ("mppe-unavailable", 0.7),
    742: ("mppe-unavailable", 0.7),
    800: ("control-filtered", 0.5),
    806: ("gre-missing", 0.9),
    807: ("gre-loss", 0.4),
    808: ("control-refused", 0.8),
    809: ("control-filtered", 0.7),
    812: ("auth-method-mismatch", 0.7),
    828: ("idle-timeout", 0.9),
    930: ("radius-timeout", 0.9),
}
"""What Windows' codes most probably stand for; only 721 and 806, 741 and 742, and 691 are said so by its maker."""
