"""The RADIUS server does not answer."""

from collections.abc import Iterator

from holdfast.capture.case import Case
from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity
from holdfast.capture.radius_trace import ACCESS_REQUEST, RadiusExchange
from holdfast.capture.session import Session
from holdfast.capture.words import counted

ENTRY = Entry(
    id="radius-timeout",
    title="The RADIUS server does not answer",
    meaning="The VPN server asks another server whether the user may connect, and gets no answer in time.",
    recognised="An Access-Request or Accounting-Request that is sent again and never answered, in a capture with PPTP.",
    severity=Severity.FAULT,
    windows_codes=(930, 718),
    fixes=Fixes(
        server=(
            (
                "Does the RADIUS server run and know this client? `radtest USER PASSWORD SERVER 0 SECRET`. Silence "
                "can also mean a wrong secret or a client that it does not know."
            ),
            "Name a second RADIUS server.",
        ),
        network=("Let UDP 1812 and 1813 pass between the two.",),
    ),
    capture_next="Capture at the RADIUS server: udp port 1812 or udp port 1813.",
    references=("RFC 2865 section 2.5",),
    explains=ENDS | {"auth-rejected", "auth-unanswered"},
)

SLOW = 5.0


def recognise_case(case: Case) -> Iterator[tuple[Session | None, Finding]]:
    """Requests sent again without an answer."""
    if not case.sessions:
        return
    for server in dict.fromkeys(exchange.server for exchange in case.radius):
        asked = [exchange for exchange in case.radius if exchange.server == server]
        lost = [exchange for exchange in asked if exchange.answer is None and len(exchange.sent) >= 2]
        slow = [exchange for exchange in asked if exchange.took is not None and exchange.took > SLOW]
        if lost or slow:
            yield _concerned(case, lost), _finding(server, lost, slow)


def _finding(server: str, lost: list[RadiusExchange], slow: list[RadiusExchange]) -> Finding:
    if lost:
        sent = sum(len(exchange.sent) for exchange in lost)
        why = f"{counted(len(lost), 'request')} to {server}, sent {counted(sent, 'time')}, never answered."
    else:
        why = f"{server} takes up to {max(exchange.took or 0 for exchange in slow):.0f} s to answer."
    frames = [moment for exchange in lost or slow for moment in exchange.sent]
    return ENTRY.found(
        why, frames, certainty=0.9 if lost else 0.7, severity=Severity.FAULT if lost else Severity.WARNING
    )


def _concerned(case: Case, lost: list[RadiusExchange]) -> Session | None:
    """The session whose user a lost request names, or that waited for an answer then."""
    for exchange in lost:
        if exchange.code != ACCESS_REQUEST:
            continue
        for session in case.sessions:
            named = bool(exchange.user) and session.user == exchange.user
            if named and session.started <= exchange.sent[0] <= session.ended:
                return session
    return None
