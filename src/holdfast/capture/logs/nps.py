"""The log that NPS and IAS keep themselves, in the format for databases: fields between commas, one answer a line."""

import csv
import re
from collections.abc import Iterable, Iterator

from holdfast.capture.logs.lines import Line
from holdfast.capture.logs.when import Clock

REASONS: dict[int, tuple[str, float]] = {
    7: ("auth-rejected", 0.9),
    8: ("auth-rejected", 0.95),
    16: ("auth-rejected", 0.95),
    18: ("auth-method-mismatch", 0.95),
    33: ("auth-expired", 0.9),
    34: ("auth-disabled", 0.97),
    35: ("auth-expired", 0.95),
    36: ("auth-disabled", 0.8),
    37: ("auth-hours", 0.97),
    48: ("auth-no-permission", 0.9),
    49: ("auth-no-permission", 0.9),
    64: ("auth-no-permission", 0.8),
    65: ("auth-no-permission", 0.97),
    66: ("auth-method-mismatch", 0.95),
    68: ("auth-hours", 0.95),
}
"""Reason codes of IAS and NPS, as Microsoft lists them for event 6273 and for this log."""

ACCEPT, REJECT = "2", "3"
"""Packet types (RFC 2865 section 3)."""
_HEAD = re.compile(r'^"?[\w.-]+"?,"?(?:IAS|RAS|NPS)"?,\d\d?/\d\d?/\d{4},\d\d:\d\d:\d\d,\d{1,3},')
TYPE, USER, REASON = 4, 5, 25
"""Places of the fields that matter."""


def is_nps(first: str) -> bool:
    """Whether a log begins like this one."""
    return bool(_HEAD.match(first))


def read_nps(texts: Iterable[str], clock: Clock) -> Iterator[Line]:
    """Read it line by line."""
    for number, text in enumerate(texts, 1):
        if not _HEAD.match(text):
            continue
        row = next(csv.reader([text]))
        when = clock.take(f"{row[2]} {row[3]}")[0]
        reason = row[REASON] if len(row) > REASON else ""
        yield from answer(number, when, row[USER] if len(row) > USER else "", row[TYPE], reason)


def answer(number: int, when: int | None, user: str, packet: str, reason: str) -> Iterator[Line]:
    """Make a line of an answer; of other packets none."""
    code = int(reason) if reason.strip().isdecimal() else 0
    if packet.strip() == ACCEPT:
        yield Line(number, when, "nps", "", "access granted", user=user, up=True, begins=True, structured=True)
    elif packet.strip() == REJECT:
        meaning, certainty = REASONS.get(code, ("auth-rejected", 0.5))
        words = f"NPS refused, reason code {code}"
        told = ((meaning, certainty, words),)
        yield Line(number, when, "nps", "", words, user=user, told=told, begins=True, structured=True)
