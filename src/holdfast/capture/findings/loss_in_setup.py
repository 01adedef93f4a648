"""A negotiation that died of one lost packet: the server was not ready for addresses, and the client did not ask again.

pppd takes IPCP only when encryption is up, and says so by Terminate-Ack (RFC 1661 section 4.2). A client that takes
that for a no ends the session. Nobody refused anything: the answer that the server still waited for was lost.
"""

from itertools import pairwise

from holdfast.capture.findings.view import View
from holdfast.capture.moment import Moment
from holdfast.capture.negotiation import Exchange
from holdfast.ppp.codes import Code


def answer_lost(view: View) -> tuple[bool, list[Moment]] | None:
    """Return whether the lost answer was the client's, and what shows it: the request, the same again, the no.

    None when the session did not end so.
    """
    ipcp, ccp = view.link.ipcp, view.link.ccp
    no = next((item for item in ipcp.others if item.packet.code == Code.TERMINATE_ACK), None)
    if view.up or not view.over or no is None or ipcp.terminations:
        return None
    waiting = ccp.side(no.from_client)
    again = next(((first, later) for first, later in pairwise(waiting.exchanges) if _repeated(first, later)), None)
    if again is None or again[1].request.moment > no.moment:
        return None
    request, repeat = (exchange.request.moment for exchange in again)
    seen = again[0].answer is not None and again[0].answer.moment < repeat
    lost = sum(flow.missing for flow in view.session.flows(not no.from_client))
    return (not no.from_client, [request, repeat, no.moment]) if seen or lost else None


def _repeated(first: Exchange, later: Exchange) -> bool:
    return first.request.packet == later.request.packet
