"""User data goes unencrypted."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity
from holdfast.capture.findings.view import View
from holdfast.capture.moment import Moment
from holdfast.capture.words import counted

ENTRY = Entry(
    id="cleartext-data",
    title="User data is not encrypted",
    meaning="Everybody on the way can read what goes through this tunnel.",
    recognised="PPP frames with IP in clear, with or without encryption having been agreed.",
    severity=Severity.WARNING,
    fixes=Fixes(
        server=("Require encryption: pppd: `require-mppe-128`. " + advice.MIGRATE,),
        client=("Require encryption in the properties of the connection.",),
    ),
    references=("RFC 3078 section 2", "RFC 2637 section 5"),
)


def recognise(view: View) -> Iterator[Finding]:
    """Clear IP in GRE."""
    clear = sum(flow.clear for flow in view.session.up + view.session.down)
    if not clear:
        return
    agreed = view.link.mppe
    frames = [
        Moment(*frame.place)
        for flow in view.session.up + view.session.down
        if flow.clear
        for frame in flow.data
        if _is_clear(frame.ppp) and (agreed is None or Moment(*frame.place) > agreed.opened)
    ]
    if not frames:
        return
    if agreed:
        why = f"Encryption with {agreed.bits} bits was agreed; {len(frames)} or more packets go in clear all the same."
        yield ENTRY.found(why, frames, certainty=0.95, severity=Severity.FAULT)
    else:
        negotiated = view.link.lcp.seen or view.link.ccp.seen
        known = "no encryption was agreed" if negotiated else "the capture does not show whether encryption was agreed"
        why = f"{counted(clear, 'packet')} {'goes' if clear == 1 else 'go'} through the tunnel in clear; {known}."
        yield ENTRY.found(why, frames, certainty=0.98)


def _is_clear(ppp: bytes) -> bool:
    bare = ppp[2:] if ppp[:2] == b"\xff\x03" else ppp
    return bare[:1] in (b"\x21", b"\x57") or bare[:2] in (b"\x00\x21", b"\x00\x57")
