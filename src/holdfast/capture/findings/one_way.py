"""A side that keeps asking for what it was given: it does not hear the other."""

from collections.abc import Iterator

from holdfast.capture.findings.base import Entry, Finding, Towards
from holdfast.capture.findings.view import View, moments, side

REPEATS = 3
SECONDS = 5.0


def never_heard(view: View, entry: Entry, *, deaf_client: bool) -> Iterator[Finding]:
    """Recognise a side that repeats an LCP request although it was acknowledged, and answers nothing."""
    lcp = view.link.lcp
    deaf, other = lcp.side(deaf_client), lcp.side(not deaf_client)
    if lcp.opened is not None or deaf.acked is None or len(deaf.exchanges) < REPEATS:
        return
    answered = [exchange for exchange in other.exchanges if exchange.answer is not None]
    again = [request for request in deaf.requests if request.moment > deaf.acked.moment]
    if answered or len(again) < REPEATS - 1 or not other.exchanges:
        return
    if again[-1].moment.since(deaf.acked.moment) < SECONDS:
        return
    name, partner = side(deaf_client), side(not deaf_client)
    why = f"{name.capitalize()} repeated its LCP Configure-Request {len(again)} times after {partner} had acknowledged "
    why += f"it, and answered none of {len(other.exchanges)} requests: beyond the capture point it hears nothing."
    frames = [deaf.acked.moment, *moments(again), *moments(other.requests)]
    yield entry.found(why, frames, certainty=0.85, towards=Towards.CLIENT if deaf_client else Towards.SERVER)
