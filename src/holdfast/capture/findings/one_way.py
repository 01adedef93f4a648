"""GRE that passes in one direction only: one rule, which two findings use, one for each direction."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View, moments, side
from holdfast.capture.moment import Moment

SECONDS, FEWEST = 5.0, 2
"""So long must one side send and the other not ..."""
SECONDS_OFTEN, OFTEN = 2.0, 3
"""... or only so long, when it asked so often."""


def entry_of(*, from_client: bool, server: tuple[str, ...], client: tuple[str, ...]) -> Entry:
    """Return what the catalogue says of GRE missing from one side; `server` and `client` are further advice."""
    lost, other = ("client", "server") if from_client else ("server", "client")
    return Entry(
        id=f"gre-missing-from-{lost}",
        title=f"GRE from the {lost} does not arrive",
        meaning=f"The {other}'s tunnel packets are there, the {lost}'s are not, or the {other} never hears them: "
        f"something between {lost} and {other} drops IP protocol 47 in that direction.",
        recognised=f"GRE from the {other} and none from the {lost} for five seconds, or for two while the {other} "
        f"asks three times; or both are there, and the {other} repeats what the {lost} has answered long ago.",
        severity=Severity.FAULT,
        windows_codes=(619, 721, 806),
        fixes=Fixes(
            server=(advice.ALLOW_GRE_SERVER, *server),
            network=(advice.ALLOW_GRE_NETWORK, advice.PASSTHROUGH),
            client=(*client, advice.OTHER_NETWORK),
        ),
        capture_next=advice.CAPTURE_BOTH_ENDS,
        references=("RFC 2637 section 4",),
        explains=ENDS | {"lcp-unanswered"},
    )


def missing(view: View, entry: Entry, *, from_client: bool) -> Iterator[Finding]:
    """Recognise GRE of one side that is not in the capture, or that the other side does not hear."""
    session = view.session
    talks, silent = session.flows(up=not from_client), session.flows(up=from_client)
    if view.half:
        return
    if talks and not silent and view.granted and not session.strays:
        yield from _silent(view, entry, from_client=from_client)
    else:
        yield from _never_heard(view, entry, from_client=from_client)


def _silent(view: View, entry: Entry, *, from_client: bool) -> Iterator[Finding]:
    """One side sends, the other does not."""
    begun = min(Moment(*flow.first) for flow in view.session.flows(up=not from_client))
    waited, packets = view.watched_after(begun), view.session.gre_packets(up=not from_client)
    if _patient(waited, packets):
        why = f"{side(not from_client).capitalize()} sent {packets} GRE packets in {waited:.0f} s, "
        why += f"{side(from_client)} none."
        requests = moments(view.link.lcp.side(not from_client).requests)
        certainty = 0.9 if packets > OFTEN else 0.7
        yield entry.found(why, requests or [begun], certainty=certainty, towards=_towards(from_client))


def _never_heard(view: View, entry: Entry, *, from_client: bool) -> Iterator[Finding]:
    """A side repeats an LCP request although it was acknowledged, and answers nothing: it does not hear the other."""
    lcp = view.link.lcp
    deaf, other = lcp.side(not from_client), lcp.side(from_client)
    if lcp.opened is not None or deaf.acked is None or not other.exchanges:
        return
    answered = any(exchange.answer is not None for exchange in other.exchanges)
    again = [request for request in deaf.requests if request.moment > deaf.acked.moment]
    if answered or not again:
        return
    waited, unheard = again[-1].moment.since(deaf.acked.moment), len(other.exchanges)
    # One acknowledgement may be lost; one that is lost while all of the other's requests are, too, is no accident.
    if len(again) < FEWEST and unheard < OFTEN:
        return
    if not _patient(waited, max(len(again), unheard)):
        return
    name, partner = side(not from_client), side(from_client)
    times = "once" if len(again) == 1 else f"{len(again)} times"
    why = f"{name.capitalize()} repeated its LCP Configure-Request {times} after {partner} had acknowledged "
    why += f"it, and answered none of {unheard} requests: beyond the capture point it hears nothing."
    frames = [deaf.acked.moment, *moments(again), *moments(other.requests)]
    yield entry.found(why, frames, certainty=0.85, towards=_towards(from_client))


def _patient(seconds: float, times: int) -> bool:
    return (seconds >= SECONDS and times >= FEWEST) or (seconds >= SECONDS_OFTEN and times >= OFTEN)


def _towards(from_client: bool) -> Towards:
    return Towards.SERVER if from_client else Towards.CLIENT
