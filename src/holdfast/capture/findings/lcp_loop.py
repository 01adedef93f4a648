"""LCP goes round in circles, or hears itself."""

from collections.abc import Iterator

from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View, moments, side
from holdfast.capture.moment import Moment
from holdfast.capture.negotiation import find_option, options_of
from holdfast.ppp.codes import Code
from holdfast.ppp.options import LcpOption

ENTRY = Entry(
    id="lcp-loop",
    title="LCP runs in a circle",
    meaning="The two sides keep making each other the same offers and never agree, or a side hears its own packets "
    "because the line is looped back.",
    recognised="Both sides send the same Magic-Number; or five or more refusals of the same option while the link "
    "never opens.",
    severity=Severity.FAULT,
    windows_codes=(732, 737),
    fixes=Fixes(
        server=(
            "Refusals: take the disputed option out of the configuration, or set it to what the other side asks for.",
            "Looped back: what runs behind the server's line is no PPP program (pptpd.conf: `ppp`).",
        ),
        network=(
            "Looped back: a device sends the tunnel's packets to their sender. Look at port forwards and mirrors.",
        ),
    ),
    references=("RFC 1661 section 6.4", "RFC 1661 section 4.6"),
    explains=ENDS,
)

ROUNDS, SHOWN = 5, 8


def recognise(view: View) -> Iterator[Finding]:
    """Equal magic numbers, or endless refusals."""
    lcp = view.link.lcp
    mine, theirs = (_magics(view, client) for client in (True, False))
    same = set(mine) & set(theirs)
    if same and not lcp.opened:
        frames = sorted(moment for magic in same for moment in (mine[magic], theirs[magic]))[:SHOWN]
        yield ENTRY.found("Both sides send the same Magic-Number: the line is looped back.", frames, certainty=0.9)
        return
    if lcp.opened:
        return
    for by_client in (True, False):
        asking = lcp.side(by_client)
        refusals = asking.answers(Code.CONFIGURE_NAK) + asking.answers(Code.CONFIGURE_REJECT)
        if len(refusals) >= ROUNDS:
            why = f"{side(by_client).capitalize()}'s requests were refused {len(refusals)} times: {refusals[-1].text}."
            towards = Towards.CLIENT if by_client else Towards.SERVER
            yield ENTRY.found(why, moments(refusals), certainty=0.8, towards=towards)


def _magics(view: View, client: bool) -> dict[bytes, Moment]:
    found = {}
    for request in view.link.lcp.side(client).requests:
        magic = find_option(options_of(request), LcpOption.MAGIC_NUMBER)
        if magic:
            found[magic] = request.moment
    return found
