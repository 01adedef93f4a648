"""One side's LCP requests get no answer although GRE flows."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View, moments, repeated, side
from holdfast.capture.session import Kind

ENTRY = Entry(
    id="lcp-unanswered",
    title="LCP is not answered",
    meaning="The first step of the link, agreeing on its basics, gets no reply: the other side's PPP program does not "
    "run, does not get the packets, or drops them.",
    recognised="Three or more LCP Configure-Requests of one side in a row without an answer; the link never opens.",
    severity=Severity.FAULT,
    windows_codes=(619, 718, 721),
    fixes=Fixes(
        server=(advice.ALLOW_GRE_SERVER, advice.SERVER_LOG),
        network=(advice.ALLOW_GRE_NETWORK,),
        client=(advice.OTHER_NETWORK,),
    ),
    capture_next=advice.CAPTURE_BOTH_ENDS,
    references=("RFC 1661 section 4.6",),
    explains=ENDS,
)

LEAST = 3


def recognise(view: View) -> Iterator[Finding]:
    """Requests into nothing; the direction that carries no answer is named."""
    lcp = view.link.lcp
    if lcp.opened is not None or view.up or view.half:
        return
    for by_client in (True, False):
        unanswered = repeated(lcp.side(by_client))
        if len(unanswered) >= LEAST:
            who, other = side(by_client), side(not by_client)
            seconds = unanswered[-1].moment.since(unanswered[0].moment)
            why = f"{who.capitalize()} sent {len(unanswered)} LCP Configure-Requests in {seconds:.0f} s that {other} "
            why += "never answered."
            silent = not view.session.flows(up=not by_client) and view.session.kind is not Kind.PPP
            towards = Towards.CLIENT if by_client else Towards.SERVER
            yield ENTRY.found(why, moments(unanswered), certainty=0.6 if silent else 0.85, towards=towards)
