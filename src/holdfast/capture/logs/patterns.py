"""What the words in logs mean: one table, from the sources of the programs and from real logs."""

import re
from dataclasses import dataclass

from holdfast.capture.logs.lines import Side

PROGRAMS = frozenset(("", "accel-ppp", "accel-pppd", "accel-pptp", "anon", "fatal", "freeradius", "holdfast", "kernel"))
PROGRAMS |= {"log", "mikrotik", "networkmanager", "nm-pptp-service", "nps", "pppd", "pptp", "pptpctrl", "pptpd"}
PROGRAMS |= {"radiusd", "warn", "windows"}
"""Who is listened to; other programs fail to sign in too."""


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
    _pattern(r"IP is out of client-ip-range", "control-rejected", 0.9),
    _pattern(r"CTRL: Session timed out, ending call|pptp: no echo reply", "control-lost", 0.85),
    # GRE
    _pattern(r"LCP: timeout sending Config-Requests", "gre-missing-from-server", 0.8, "gre-missing-from-client"),
    _pattern(r"GRE: read\(.*\) from network failed: .*Protocol not available", "gre-icmp-unreachable", 0.95),
    _pattern(r"GRE: xmit failed from decaps_hdlc: Operation not permitted", "gre-missing", 0.85),
    _pattern(r"fragmentation needed", "mtu-too-big", 0.9),
    _pattern(r"automatic helper assignment has been turned off", "nat-without-helper", 0.4),
    _pattern(r"generic helper won't handle protocol 47", "nat-without-helper", 0.6),
    _pattern(
        r"/pptpd\S* is for pppd|/pptpd\S*: unrecognized option|option requires root privilege", "server-link-died"
    ),
    _pattern(
        r"is for pppd version|unrecognized option|Couldn't open the /dev/ppp|no such plugin|Couldn't load plugin|"
        r"lacks (?:PPP kernel support|kernel support for PPP)|"
        r"Couldn't set tty to PPP discipline",
        "pppd-not-started",
        at_server="server-link-died",
    ),
    _pattern(r"allow Generic Routing Encapsulation", "gre-missing", 0.9),
    _pattern(r"negotiation is not converging", "gre-missing", 0.7),
    _pattern(r"Cannot recognize initial frame", "not-pptp", 0.5),
    # the link
    _pattern(r"Serial line is looped back|loop-back detected", "lcp-loop", 0.95),
    _pattern(r"No response to \d+ echo-requests|lcp: no echo reply|peer (?:is )?not responding", "dead-peer", 0.95),
    # authentication
    _pattern(r"radius: ?server\(\w+\) not responding|no servers available|find RADIUS server", "radius-timeout", 0.95),
    _pattern(r"Authentication server unavailable", "radius-timeout", 0.95),
    _pattern(r"from unknown client|invalid (?:Message-)?Authenticator", "radius-timeout", 0.9),
    _pattern(r"rc_avpair_new: unknown attribute (?:11|25)\b", "radius-timeout", 0.6),
    _pattern(
        r"E=646|not permitted to (?:log on|logon) at this|allowed to (?:log on|logon|connect) at this time|"
        r"outside (?:your )?allowed timespan",
        "auth-hours",
        0.97,
    ),
    _pattern(r"E=647|account (?:is|has been) disabled", "auth-disabled", 0.97),
    _pattern(r"E=648|E=709|password (?:has )?expired", "auth-expired", 0.97),
    _pattern(
        r"E=649|no (?:dial-?in|remote access) permission|not have (?:remote access|dial-?in) permission",
        "auth-no-permission",
        0.97,
    ),
    _pattern(r"E=691|failed (?:CHAP|PAP) authentication|No CHAP secret found", "auth-rejected", 0.97),
    _pattern(
        r"MS-CHAP2-Response is incorrect|No NT/LM-Password|mschap-v2: user not found|Login incorrect|"
        r"user ?name and/or password",
        "auth-rejected",
        0.95,
    ),
    _pattern(r"MS-CHAPv2 mutual authentication failed|Success packet is badly formed", "auth-mutual-failed", 0.97),
    _pattern(
        r"unknown authentication type \d+; Naking|EAP: peer reports authentication failure", "eap-unsupported", 0.85
    ),
    _pattern(
        r"No auth is possible|peer refused to authenticate|cann't negotiate authentication|"
        r"authentication method used by",
        "auth-method-mismatch",
    ),
    _pattern(
        r"authentication failed(?! .*code)|failed to authenticate ourselves|terminating\.\.\. - failed to authenticate",
        "auth-rejected",
        0.85,
    ),
    # encryption
    _pattern(r"'MS-CHAP2-Success' not found", "mppe-unavailable", 0.7),
    _pattern(
        r"MPPE required,? but (?:kernel has no support|not available|keys are not available)", "mppe-unavailable", 0.95
    ),
    _pattern(r"MPPE requested but not supported by kernel|MS-CHAP\[v2\] auth not performed", "mppe-unavailable", 0.95),
    _pattern(r"Refusing MPPE stateful mode", "mppe-mode-mismatch", 0.95),
    _pattern(r"MPPE required but peer (?:refused|negotiation failed)", "mppe-refused", 0.95),
    _pattern(r"Too many MPPE errors|Lost compression sync", "mppe-desync", 0.95),
    _pattern(r"does not support the required (?:data )?encryption", "mppe-unavailable", 0.9),
    # addresses
    _pattern(r"No network protocols running", "ipcp-no-agreement", 0.6),
    _pattern(r"could not agree on PPP control protocols", "ipcp-no-agreement", 0.6),
    _pattern(r"Could not determine (?:local|remote) IP address|no free IPv4 address", "ipcp-no-address", 0.95),
    _pattern(r"terminating\.\.\. - could not add address", "ipcp-no-address", 0.8),
    _pattern(r"requested IPv4 address already assigned", "ipcp-address-conflict", 0.9),
    _pattern(r"Peer (?:refused to agree to (?:our|his) IP|is not authorized to use remote)", "ipcp-no-address", 0.9),
    _pattern(r"IPCP: timeout sending Config-Requests", "ipcp-no-agreement", 0.9),
    # ends
    _pattern(r"second session denied", "session-replaced", 0.8),
    _pattern(
        r"Terminating connection due to lack of activity|Link inactive|(?:^|: )idle timeout$", "idle-timeout", 0.97
    ),
    _pattern(r"Connect time expired|(?:^|: )session (?:timeout|timed out)$", "session-timeout", 0.97),
    # RouterOS writes the interface of a client that dialed in as <pptp-NAME>.
    _pattern(r"<pptp-[^>]*>: terminating\.\.\. - (?:hungup|disconnected)", "client-ended", 0.5),
    _pattern(r"terminating\.\.\. - (?:hungup|disconnected)", "server-ended", 0.5),
    _pattern(r"LCP terminated by peer \(User request\)", "user-disconnect", 0.9),
    _pattern(r"LCP terminated by peer \(MPPE disabled\)", "server-ended", 0.7, "client-ended"),
)
"""In this order; the first that fits a line counts."""

ANY = re.compile("|".join(f"(?:{pattern.words.pattern})" for pattern in PATTERNS), re.IGNORECASE)
"""Any of them: most lines fit none, and are soon done with."""

CONSEQUENCES: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        ("auth-hours", "auth-disabled", "auth-expired", "auth-no-permission", "auth-mutual-failed", "eap-unsupported"),
        frozenset({"auth-rejected"}),
    ),
    "auth-method-mismatch": frozenset({"auth-rejected"}),
    "brute-force": frozenset({"auth-rejected"}),
}
"""What a log says beside the cause, and what the catalogue does not leave out by itself."""

LOSSES = re.compile(
    r"buffering packet \d+ \(expecting \d+, lost or reordered\)|timeout waiting for \d+ packets", re.IGNORECASE
)
OLD = re.compile(r"discarding duplicate or old packet (\d+) \(expecting (\d+)\)", re.IGNORECASE)
USER = re.compile(
    r"(?:Peer (?=\S+ failed)|\bname=\"|User-Name = \"|<pptp-|found for authenticating |\[(?=[^/\s\]]+/<via)|"
    r"\bThe user (?=\S+ connected)|(?:^|account )(?=\S+ logged in))([\w.@\\-]{1,64})"
)
UP = re.compile(
    r"remote IP address|Login OK|using encoding|ipcp_layer_started|ppp started|logged in|authentication succeeded",
    re.IGNORECASE,
)
BEGIN = re.compile(
    r"control connection started|new connection from|TCP connection established from|"
    r"^(?:\(\d+\) +)?Login (?:incorrect|OK)",
    re.IGNORECASE,
)
END = re.compile(r"control connection finished|^Exit\.|disconnected\s*$|logged out|ppp stopped", re.IGNORECASE)
_ADDRESS = r"(\d{1,3}(?:\.\d{1,3}){3})"
CLIENT = re.compile(rf"(?:Client |connection from |established from |connected from |\bcli ){_ADDRESS}\b")
CALL_IDS = (
    re.compile(r"Outgoing call established \(call ID (?P<client>\d{1,5}), peer's call ID (?P<server>\d{1,5})\)"),
    re.compile(r"Outgoing-Call-Reply <Call-ID (?P<server>\d{1,5})> <Peer-Call-ID (?P<client>\d{1,5})>"),
)
MARKS = {
    "call": re.compile(r"CTRL: Starting call"),
    "connect": re.compile(r"^Connect:|connect: ppp"),
    "hangup": re.compile(r"Hangup \(SIGHUP\)"),
    "pppd-died": re.compile(r"from PTY failed: .*Input/output error|PTY read or GRE write failed"),
    "server-left": re.compile(r"read returned zero, peer has closed|Call disconnect notification received"),
    "authenticated": re.compile(r": authenticated\b"),
    "terminating": re.compile(r": terminating\.\.\."),
    "no-ccp": re.compile(r"Protocol-Reject for 'Compression Control Protocol'|recv \[LCP ProtoRej [^\]]*<80fd>"),
    "mppe": re.compile(r"MPPE \d+-bit \w+ compression enabled|using encoding - MPPE"),
}
"""Steps by which the whole is judged when no single line says it."""
STEP = re.compile(
    r"control connection (?:started|finished)|Starting call|new connection|connection established|call established|"
    r"^Connect:|authenticat|MPPE .* enabled|using encoding|IP address|logged (?:in|out)|ppp started|terminat|hangup|"
    r"disconnect|Exit\.|started by|Call-Clear|Login (?:incorrect|OK)|dialed|Link established|Tunnel",
    re.IGNORECASE,
)
"""Lines worth showing on a time line."""
WINDOWS = re.compile(r"error code (?:returned on failure )?is (\d{3})")
WINDOWS_MEANINGS: dict[int, tuple[str, float]] = {
    -1: ("user-disconnect", 0.9),
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
    732: ("lcp-no-agreement", 0.6),
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

_ALL = (ANY, USER, UP, BEGIN, END, CLIENT, *CALL_IDS, *MARKS.values(), STEP, LOSSES, OLD, WINDOWS, re.compile("term"))
_INTERESTING = re.compile("|".join(f"(?:{re.sub('[?]P<[a-z]+>', '?:', one.pattern)})" for one in _ALL), re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_CODES = ("E=", "attribute", "code")
"""Where the number itself decides."""
SHAPES_MOST = 20_000


class Sieve:
    """Tells lines that may mean something from the many that cannot, by their shape: the line without its numbers."""

    def __init__(self) -> None:
        self._dull: set[str] = set()

    def lets_through(self, message: str) -> bool:
        """Whether a line is worth looking at."""
        shape = _DIGITS.sub("0", message)
        if shape in self._dull:
            return False
        if _INTERESTING.search(message):
            return True
        if not any(word in message for word in _CODES):
            if len(self._dull) >= SHAPES_MOST:
                self._dull.clear()
            self._dull.add(shape)
        return False
