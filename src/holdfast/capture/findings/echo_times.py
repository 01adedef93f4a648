"""How long LCP echoes take."""

from holdfast.capture.findings.view import View
from holdfast.capture.moment import Moment
from holdfast.ppp.codes import Code


def echo_round_trips(view: View) -> list[float]:
    """Return the seconds from each LCP Echo-Request to its reply."""
    waiting: dict[tuple[bool, int], Moment] = {}
    found = []
    for item in view.link.lcp.others:
        key = (item.from_client, item.packet.identifier)
        if item.packet.code == Code.ECHO_REQUEST:
            waiting[key] = item.moment
        elif item.packet.code == Code.ECHO_REPLY:
            asked = waiting.pop((not item.from_client, item.packet.identifier), None)
            if asked is not None:
                found.append(item.moment.since(asked))
    return found
