"""No GRE in either direction although the call is up."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View

ENTRY = Entry(
    id="gre-missing",
    title="No GRE in either direction",
    meaning="Control and data take different ways: TCP 1723 works, but the tunnel itself (IP protocol 47, GRE) is not "
    "seen at all. Firewalls often know the one and not the other.",
    recognised="A granted call, no GRE between the two addresses for eight seconds, and neither a Set-Link-Info nor a "
    "control echo two minutes later that proves the contrary. The capture must be able to show GRE, so certainty stays "
    "low when only TCP 1723 is in it.",
    severity=Severity.FAULT,
    windows_codes=(619, 721, 806),
    fixes=Fixes(
        server=(advice.ALLOW_GRE_SERVER,),
        network=(advice.ALLOW_GRE_NETWORK, advice.PASSTHROUGH),
        client=(advice.OTHER_NETWORK,),
    ),
    capture_next=advice.CAPTURE_BOTH_ENDS,
    references=("RFC 2637 section 4", "RFC 2637 section 1.2"),
    explains=frozenset({"client-ended", "server-ended", "stopped-early", "user-disconnect", "admin-disconnect"}),
)

PATIENCE = 8.0
GIVING_UP = (17.0, 70.0)
"""pppd gives up after ten requests in 30 s, Windows after 20 to 60 s."""

LIVES = 120.0
"""Seconds after which a control connection that is still asked whether it lives carries a session: no program waits so
long for PPP. Then GRE is missing from the capture, not from the way."""


def recognise(view: View) -> Iterator[Finding]:
    """A call, and nothing on it."""
    granted = view.granted
    if granted is None or view.session.up or view.session.down or view.session.strays or view.lcp_opened_by_word:
        return
    waited = view.watched_after(granted)
    if waited < PATIENCE or any(echo.moment.since(granted) >= LIVES for echo in view.echo_requests):
        return
    certainty = 0.4 if view.case.only_control else 0.65
    why = f"The call was granted and {waited:.0f} s passed without a single GRE packet."
    if view.over and GIVING_UP[0] <= waited <= GIVING_UP[1]:
        certainty += 0.2
        why += " Then it was given up, after as long as programs wait for the other side."
    if view.case.only_control:
        why += " The capture holds nothing but TCP 1723; it may have been made with a filter that leaves GRE out."
    severity = Severity.FAULT if certainty > 0.6 else Severity.WARNING if certainty > 0.5 else Severity.NOTE
    frames = [granted, view.session.goodbye[0] if view.session.goodbye else None]
    yield ENTRY.found(why, frames, certainty=certainty, severity=severity, towards=Towards.BOTH)
