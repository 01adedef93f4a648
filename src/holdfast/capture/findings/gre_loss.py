"""GRE packets get lost."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.loss_in_setup import answer_lost
from holdfast.capture.findings.view import View, side
from holdfast.capture.moment import Moment

ENTRY = Entry(
    id="gre-loss",
    title="Packets get lost on the way",
    meaning="The tunnel numbers its packets, and numbers are missing: the line loses them. Everything inside slows "
    "down; with encryption in stateful mode each loss costs more than itself.",
    recognised="At least five sequence numbers and 1 % missing in one direction, not counting what came late; or a "
    "session that ended over IPCP because the answer to a CCP request was lost.",
    severity=Severity.WARNING,
    windows_codes=(807, 829),
    fixes=Fixes(
        network=(
            (
                "Find where: `mtr -T -P 1723 ADDRESS` from both ends; errors of each interface (`ip -s link`), "
                "duplex, Wi-Fi and full queues."
            ),
        ),
        server=("Do not end sessions in a burst of loss: lcp-echo-failure 4 or more with lcp-echo-interval 30.",),
        client=("Try a cable instead of Wi-Fi.",),
    ),
    capture_next=advice.CAPTURE_BOTH_ENDS,
    references=("RFC 2637 section 4.3",),
    explains=frozenset({"auth-unanswered"}),
)

SHARE, HEAVY, LEAST = 0.01, 0.05, 5
SHARE_OF_FEW, LEAST_OF_FEW, LEAST_IN_SETUP = 0.08, 3, 2
"""In a session of few packets fewer are enough, when they are a larger part; one that never came up may have died of
two."""
CONFIRMED = 0.1
"""So large a part of the missing share among what the receiver confirms, and the capture is not to be trusted. Losses
of a capture come in bursts in which the confirmations are lost too, so that their part is smaller than the whole."""


def recognise(view: View) -> Iterator[Finding]:
    """Missing sequence numbers, as seen where the capture was made."""
    if (lost := answer_lost(view)) is not None:
        yield _fatal(*lost)
    for up in (True, False):
        flows = view.session.flows(up)
        missing = sum(flow.missing for flow in flows)
        numbered = sum(flow.frames - flow.copies - flow.duplicates for flow in flows)
        share = missing / max(missing + numbered, 1)
        few = LEAST_OF_FEW if view.up else LEAST_IN_SETUP
        if not (missing >= LEAST and share >= SHARE) and not (missing >= few and share >= SHARE_OF_FEW):
            continue
        gaps = [Moment(*place) for flow in flows for place, _ in flow.gaps]
        who = side(up)
        why = f"{missing} of {missing + numbered} packets of {who} are missing ({share:.1%}) where this was captured."
        doubt = _doubt(view, up, share)
        why += f" {doubt}" if doubt else ""
        certainty = 0.4 if doubt else 0.9
        heavy = share >= HEAVY and certainty > 0.5
        towards = Towards.SERVER if up else Towards.CLIENT
        severity = Severity.FAULT if heavy and share >= 0.2 else Severity.WARNING
        severity = severity if certainty > 0.5 else Severity.NOTE
        yield ENTRY.found(why, gaps, certainty=certainty, severity=severity, towards=towards)


def _fatal(of_client: bool, frames: list[Moment]) -> Finding:
    """One packet was enough."""
    request, again, no = frames
    why = (
        f"{side(not of_client).capitalize()} repeated its CCP request of frame {request.frame} in frame {again.frame}: "
    )
    why += "the answer to it was lost. Without encryption it took no addresses yet and answered IPCP by Terminate-Ack "
    why += f"(frame {no.frame}), and {side(of_client)} gave up."
    towards = Towards.SERVER if of_client else Towards.CLIENT
    return ENTRY.found(why, frames, certainty=0.75, severity=Severity.FAULT, towards=towards)


def _doubt(view: View, up: bool, share: float) -> str:
    """Say why the capture itself may have lost them; empty when nothing speaks for that.

    A receiver acknowledges only what came. Among the numbers it acknowledges, packets lost on the way never are;
    packets that only the capture lost are there in their full share.
    """
    dropped = sum(file.dropped for file in view.case.files)
    if dropped:
        return f"But the capturing machine says that it lost {dropped} frames itself."
    if view.session.wireless:
        return "On the air a capture misses frames that arrived all the same."
    unseen = sum(flow.acked_unseen for flow in view.session.flows(up))
    confirmed = unseen + sum(flow.lag_count for flow in view.session.flows(not up))
    if unseen >= LEAST and unseen / confirmed >= share * CONFIRMED:
        return f"But the receiver confirmed {unseen} of them: the capture lost them, not the line."
    return ""
