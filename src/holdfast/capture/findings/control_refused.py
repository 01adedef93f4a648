"""Nobody listens on TCP port 1723."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="control-refused",
    title="The server refuses TCP port 1723",
    meaning="The computer at that address is there, but no PPTP server listens on it, or a firewall answers for it.",
    recognised="A SYN to port 1723 is answered by a reset, or by ICMP port unreachable.",
    severity=Severity.FAULT,
    windows_codes=(800, 808),
    fixes=Fixes(
        server=(
            "Is the PPTP server running? `ss -ltnp 'sport = :1723'`; `systemctl status pptpd` (or accel-ppp).",
            "Does it listen on this address? Look for listen or bind addresses in its configuration.",
        ),
        network=("A firewall may reject on the server's behalf: look for REJECT --reject-with tcp-reset.",),
        client=("Is this the right address? Ask DNS again: `nslookup NAME`.",),
    ),
    capture_next=advice.CAPTURE_SERVER,
    references=("RFC 2637 section 3.1", "RFC 9293 section 3.5.2"),
)

PORT_UNREACHABLE = (3, 3)


def recognise(view: View) -> Iterator[Finding]:
    """A reset instead of a handshake."""
    conversation = view.conversation
    if conversation is None or not conversation.syns or conversation.syn_ack:
        return
    resets = [moment for moment, from_client in conversation.resets if not from_client]
    told = [notice for notice in view.icmp_tcp if (notice.kind, notice.code) == PORT_UNREACHABLE]
    if resets:
        why = f"{len(conversation.syns)} attempts to connect, and the server answered with a reset."
        yield ENTRY.found(why, [*conversation.syns, *resets], certainty=0.97, towards=Towards.CLIENT)
    elif told:
        frames = [*conversation.syns, *(Moment(*notice.first) for notice in told)]
        why = f"{told[0].source} answered the attempt to connect with ICMP port unreachable."
        yield ENTRY.found(why, frames, certainty=0.97, towards=Towards.CLIENT)
