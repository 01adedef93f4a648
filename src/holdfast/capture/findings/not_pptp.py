"""Something else than PPTP goes over port 1723."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="not-pptp",
    title="This is not PPTP",
    meaning="Port 1723 is open, but what is spoken there is another protocol: a web server or tunnel on that port, "
    "a scanner, or a wrong port forward.",
    recognised="Payload on a connection to port 1723 without the magic cookie 0x1a2b3c4d.",
    severity=Severity.FAULT,
    windows_codes=(800, 806),
    fixes=Fixes(
        server=("Which program listens there? `ss -ltnp 'sport = :1723'`",),
        network=("Does the forward of port 1723 point at the PPTP server?",),
        client=("Nothing to do when this was a port scan.",),
    ),
    references=("RFC 2637 section 2",),
    explains=frozenset({"control-unanswered", "capacity-reached"}),
)

SIGNS = (
    (b"HTTP/", "HTTP"),
    (b"GET ", "HTTP"),
    (b"POST ", "HTTP"),
    (b"CONNECT ", "HTTP"),
    (b"SSH-", "SSH"),
    (b"\x16\x03", "TLS"),
    (b"\x03\x00\x00", "RDP"),
    (b"220 ", "FTP or SMTP"),
)


def recognise(view: View) -> Iterator[Finding]:
    """Another protocol on either side."""
    conversation = view.conversation
    if conversation is None or view.session.siblings:
        return
    fatal = [fault for fault in conversation.faults if fault.violation.fatal]
    legible = [by_client for by_client, segments in conversation.payload.items() if segments]
    strange = not conversation.cookie and bool(set(legible) - conversation.beheaded)
    foreign_server = bool([fault for fault in fatal if not fault.from_client]) and not _speaks(view, client=False)
    if not strange and not foreign_server:
        return
    by_server = bool(conversation.payload[False])
    names = [_name(conversation.sketch[client]) for client in (True, False)]
    name = next((found for found in names if found), "")
    what = f"It looks like {name}." if name else "The magic cookie is missing."
    frames = [*conversation.payload[True][:3], *conversation.payload[False][:3]]
    severity = Severity.FAULT if by_server else Severity.WARNING
    yield ENTRY.found(f"The connection carries no PPTP. {what}", frames, certainty=0.95, severity=severity)


def _speaks(view: View, *, client: bool) -> bool:
    items = view.conversation.items if view.conversation else []
    return any(item.from_client == client for item in items)


def _name(sketch: bytes) -> str:
    return next((name for start, name in SIGNS if sketch.startswith(start)), "")
