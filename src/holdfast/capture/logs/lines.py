"""One line of a log, whoever wrote it: time, program, process, message."""

import re
from dataclasses import dataclass
from enum import StrEnum

LINE_MOST = 4096
"""Characters looked at in one line."""


class Side(StrEnum):
    """Which end of the tunnel a program is."""

    CLIENT = "client"
    SERVER = "server"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of interest. `program` is in lower case; `process` groups lines of one connection where it can."""

    number: int
    when: str
    program: str
    process: str
    message: str


_WHEN = re.compile(
    r"^(?P<when>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*)\s+(?:\[[^\]]*\]:?\s*)?"
    r"(?:(?P<host>[\w.-]+)\s+)?(?=\S)"
)
_PROGRAM = re.compile(r"^(?P<program>[\w./-]+?)(?:\[(?P<process>\d+)\])?:\s+(?P<message>.*)$")
_TAGGED = re.compile(r"^(?P<program>pptp|l2tp|ppp)(?:,\w+)+\s+(?P<message>.*)$")
_INTERFACE = re.compile(r"^(?P<process>ppp\d+|pptp\d+)?:(?P<user>[^:\s]*):\s+(?P<message>.*)$")


def read_line(number: int, text: str) -> Line | None:
    """Take a line apart; None for an empty one or a remark."""
    text = text[:LINE_MOST].strip()
    if not text or text.startswith("#"):
        return None
    when = _WHEN.match(text)
    rest = text[when.end() :] if when else text
    stamp = when["when"] if when else ""
    for pattern, program in ((_TAGGED, "mikrotik"), (_INTERFACE, "accel-ppp")):
        if found := pattern.match(rest):
            process = found.groupdict().get("process") or ""
            return Line(number, stamp, program, process, found["message"])
    found = _PROGRAM.match(rest)
    if found:
        name = found["program"].rpartition("/")[2].lower()
        return Line(number, stamp, name, found["process"] or "", found["message"])
    return Line(number, stamp, "", "", rest)


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
