"""The addresses are never agreed."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.loss_in_setup import answer_lost
from holdfast.capture.findings.view import View, moments, repeated, side
from holdfast.capture.words import counted
from holdfast.ppp.codes import Code

ENTRY = Entry(
    id="ipcp-no-agreement",
    title="The two sides do not agree on addresses",
    meaning="The user was accepted, and then the two sides cannot settle the IP addresses, or one does not answer.",
    recognised="IPCP requests, never open, then the end; or three requests in a row without an answer; or the end by "
    "LCP at the moment when encryption is up, before anybody asked for addresses.",
    severity=Severity.FAULT,
    windows_codes=(720, 733, 736),
    fixes=Fixes(
        server=("Compare the addresses that each side insists on; take `ipcp-accept-local ipcp-accept-remote`.",),
        client=("Obtain the address automatically; switch IPv4 on for this connection.",),
    ),
    capture_next=advice.SERVER_LOG,
    references=("RFC 1332 section 3",),
    explains=ENDS,
)

LEAST = 3
AT_ONCE = 1.0
"""Seconds from encryption to the end."""


def _nothing_to_run(view: View) -> Iterator[Finding]:
    """A side that has no network protocol ends the link where it would have begun with one."""
    encrypted = view.link.mppe.opened if view.link.mppe else None
    ends = [ending for ending in view.link.endings if ending.protocol == view.link.lcp.protocol]
    if encrypted is None or not ends or not 0 <= ends[0].moment.since(encrypted) <= AT_ONCE:
        return
    why = f"{side(ends[0].from_client).capitalize()} ended the link as soon as encryption was up, and asked for no "
    why += "address: it seems to have no network protocol to run (pppd: `noip`)."
    yield ENTRY.found(why, [encrypted, ends[0].moment], certainty=0.65)


def recognise(view: View) -> Iterator[Finding]:
    """Asked, and never settled."""
    ipcp, link = view.link.ipcp, view.link
    if not ipcp.seen and not link.ipv6cp.seen:
        yield from _nothing_to_run(view)
        return
    if ipcp.opened is not None or link.ipv6cp.opened is not None or not ipcp.seen or view.half:
        return
    if ipcp.rejections:
        rejection = ipcp.rejections[0]
        why = f"{side(rejection.from_client).capitalize()} rejects IPCP as a whole: it has no IPv4 for this link."
        yield ENTRY.found(why, [rejection.moment], certainty=0.9)
        return
    for by_client in (True, False):
        unanswered = repeated(ipcp.side(by_client))
        if len(unanswered) >= LEAST:
            why = f"{side(by_client).capitalize()} asked {len(unanswered)} times and got no answer"
            why += " after encryption began: the keys may differ." if link.mppe else "."
            towards = Towards.CLIENT if by_client else Towards.SERVER
            yield ENTRY.found(why, moments(unanswered), certainty=0.75, towards=towards)
            return
    if (view.over or link.ended) and ipcp.first and answer_lost(view) is None:
        refusals = ipcp.client.answers(Code.CONFIGURE_NAK) + ipcp.server.answers(Code.CONFIGURE_NAK)
        refusals += ipcp.client.answers(Code.CONFIGURE_REJECT) + ipcp.server.answers(Code.CONFIGURE_REJECT)
        refused = f"; {counted(len(refusals), 'refusal')}." if refusals else ", and nobody refused anything."
        why = f"IPCP began and never opened{refused}"
        yield ENTRY.found(why, [ipcp.first.moment, *moments(refusals)], certainty=0.55)
