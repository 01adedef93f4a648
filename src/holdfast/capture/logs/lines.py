"""One line of a log, whoever wrote it: time, program, process, message."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from holdfast.capture.logs.when import Clock

LINE_MOST = 4096
"""Characters looked at in one line."""


class Side(StrEnum):
    """Which end of the tunnel a program is."""

    CLIENT = "client"
    SERVER = "server"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of interest. `program` is in lower case; `process` groups lines of one connection where it can.

    `when` is in nanoseconds since 1970. A log with fields of its own gives them beside the words: `told` are (finding,
    certainty, words), `call_ids` those of client and server, `begins` and `up` what the line says of its session.
    """

    number: int
    when: int | None
    program: str
    process: str
    message: str
    user: str = ""
    client: str = ""
    told: tuple[tuple[str, float, str], ...] = field(default=())
    call_ids: tuple[int | None, int | None] = (None, None)
    begins: bool = False
    up: bool = False
    structured: bool = False
    """Whether the fields are all there is to it, and the words need not be searched."""


_PRIORITY = re.compile(r"^<\d{1,3}>(?:\d )?")
_PROGRAM = re.compile(r"^(?P<program>[\w./-]+?)(?:\[(?P<process>\d+)\])?:\s+(?P<message>.*)$")
_RFC5424 = re.compile(r"^\S+ (?P<program>[\w./-]+) (?P<process>\d+|-) \S+ (?:-|\[.*?\])\s*(?P<message>.*)$")
_HOST = re.compile(r"^(?:[\w.-]+\s+)?(?:(?:user|daemon|local\d|kern|auth\w*|syslog)\.\w+\s+)?(?=\S)")
_TAGGED = re.compile(r"^(?:[\w.-]+\s+)?(?:memory\s+)?(?P<program>pptp|l2tp|ppp)(?:,\w+)+:?\s+(?P<message>.*)$")
_LEVEL = re.compile(r"^:?\s*\[?(?:msg|error|warn|info\d?|debug)\]?:\s*(?P<rest>.*)$")
_INTERFACE = re.compile(r"^(?P<process>ppp\d+|pptp\d+)?:(?P<user>[^:\s]*):?\s+(?P<message>.*)$")
_OWN_WORDS = {
    **dict.fromkeys(("Connect", "LCP", "IPCP", "IPV6CP", "CCP", "CHAP", "PAP", "EAP"), "pppd"),
    **dict.fromkeys(("CTRL", "MGR", "GRE"), "pptpd"),
}
"""What a message begins with, and who says so: pppd's own log file has no names in front."""
_RADIUS = re.compile(r"^: (?:Auth|Info|Error|Proxy|Debug|Warning|ERROR|WARNING): (?P<message>.*)$")


def read_line(number: int, text: str, clock: Clock | None = None) -> Line | None:
    """Take a line apart; None for an empty one or a remark."""
    text = text[:LINE_MOST].strip()
    if not text or text.startswith("#"):
        return None
    framed = _PRIORITY.match(text)
    when, rest = (clock or Clock(0.0)).take(text[framed.end() :] if framed else text)
    for read in (_five_thousand if framed else _nothing, _tagged, _radius, _accel, _named):
        line = read(number, when, rest)
        if line is not None:
            return line
    return Line(number, when, "", "", rest)


def _nothing(_number: int, _when: int | None, _rest: str) -> Line | None:
    return None


def _five_thousand(number: int, when: int | None, rest: str) -> Line | None:
    """RFC 5424 section 6: host, program, process, message kind, structured data, message."""
    found = _RFC5424.match(rest)
    if found is None:
        return None
    process = "" if found["process"] == "-" else found["process"]
    return _line(number, when, found["program"], process, found["message"])


def _tagged(number: int, when: int | None, rest: str) -> Line | None:
    found = _TAGGED.match(rest)
    if found is None:
        return None
    interface = re.match(r"<(pptp-[^>]{1,64})>", found["message"])
    return Line(number, when, "mikrotik", interface[1] if interface else "", found["message"])


def _accel(number: int, when: int | None, rest: str) -> Line | None:
    """accel-ppp's own file: level, interface and user in front of the words."""
    level = _LEVEL.match(rest)
    found = _INTERFACE.match(level["rest"] if level else rest)
    if found:
        return Line(number, when, "accel-ppp", found["process"] or "", found["message"], user=found["user"])
    return Line(number, when, "accel-ppp", "", level["rest"].removeprefix(":").strip()) if level else None


def _radius(number: int, when: int | None, rest: str) -> Line | None:
    """FreeRADIUS' own file: `time : Auth: words`."""
    found = _RADIUS.match(rest)
    return Line(number, when, "radiusd", "", found["message"]) if found else None


def _named(number: int, when: int | None, rest: str) -> Line | None:
    host = _HOST.match(rest) if when is not None else None
    for text in (rest, rest[host.end() :] if host else rest):
        if found := _PROGRAM.match(text):
            own = _OWN_WORDS.get(found["program"]) if not found["process"] else None
            if own:
                return Line(number, when, own, "", text)
            return _line(number, when, found["program"], found["process"] or "", found["message"])
    return None


def _line(number: int, when: int | None, program: str, process: str, message: str) -> Line:
    name = program.rpartition("/")[2].lower()
    inner = _INTERFACE.match(message) if name.startswith("accel") else None
    if inner:
        return Line(number, when, "accel-ppp", inner["process"] or "", inner["message"], user=inner["user"])
    return Line(number, when, name, process, message)


def side_of(program: str) -> Side:
    """Say which end a program is; pppd and RADIUS may be either."""
    if program in ("pptpd", "accel-ppp", "accel-pppd", "pptpctrl"):
        return Side.SERVER
    if program in ("pptp", "nm-pptp-service", "networkmanager"):
        return Side.CLIENT
    return Side.UNKNOWN


_HEXADECIMAL = re.compile(r"(?:[0-9a-f]{2} ){11}[0-9a-f]{2}", re.IGNORECASE)
_OCTAL = re.compile(r"\\([0-7]{3,11})")
_CARET = re.compile(r"(M-)?(?:\^(.)|(.))", re.DOTALL)


def octets_in(message: str) -> list[bytes]:
    """Return what the data of a Terminate packet may be, in the three ways in which pppd prints it.

    Hexadecimal; C escapes in octal, of which only the low octet counts; caret and meta notation in parentheses.
    """
    found = [bytes.fromhex(match[0]) for match in _HEXADECIMAL.finditer(message)]
    if '"' in message:
        quoted = message.partition('"')[2].rpartition('"')[0]
        plain = _OCTAL.sub(lambda match: chr(int(match[1], 8) & 0xFF), quoted)
        found.append(plain.encode("latin-1", "replace"))
    if "(" in message:
        found.append(_from_caret(message.partition("(")[2].rpartition(")")[0]))
    return found


def _from_caret(text: str) -> bytes:
    octets = bytearray()
    for meta, control, plain in _CARET.findall(text):
        octet = (ord(control) ^ 0x40) if control else ord(plain)
        octets.append((octet | (0x80 if meta else 0)) & 0xFF)
    return bytes(octets)
