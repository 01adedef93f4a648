"""EAP inside RADIUS (RFC 3579): a peer's Response as attributes, and what a server answered as EAP.

The gateway decides by the RADIUS packet alone; the EAP packet in it is for the peer (RFC 3579 section 2.6.3).
"""

from holdfast.ppp.authentication_types import EapExchange, EapRequest
from holdfast.ppp.eap import read_request
from holdfast.ppp.eap_types import FAILURE, SUCCESS, WITHOUT_KEYS
from holdfast.radius.attributes import Attribute, Attributes, attribute
from holdfast.radius.codes import Code
from holdfast.radius.exchange_types import Outcome
from holdfast.secret import Secret
from holdfast.wire.tlv import MAX_VALUE_SIZE

LONGEST_PATIENCE = 300
"""Seconds that a server may give a person to answer (Session-Timeout in an Access-Challenge)."""


def eap_proof(exchange: EapExchange) -> list[Attribute]:
    """Return what carries a Response: EAP-Message in pieces (section 3.1), State as it came, Framed-MTU (2.4)."""
    message, state = exchange.message.reveal(), exchange.state
    pieces = [message[at : at + MAX_VALUE_SIZE] for at in range(0, len(message), MAX_VALUE_SIZE)]
    carried = [attribute("EAP-Message", piece) for piece in pieces]
    if state:
        carried.append(attribute("State", state))
    return [attribute("Framed-MTU", exchange.mtu), *carried]


def eap_message(values: Attributes) -> bytes:
    """Return the EAP packet of a RADIUS packet, put together; empty when there is none."""
    return b"".join(values.every("EAP-Message"))


def next_request(outcome: Outcome) -> EapRequest | None:
    """Return what the peer is asked next; None when the outcome is no Access-Challenge with an EAP-Request in it."""
    packet = outcome.packet
    if packet is None or packet.code != Code.ACCESS_CHALLENGE:
        return None
    values = packet.values
    message = eap_message(values)
    if read_request(message) is None:
        return None
    patience = min(values.integer("Session-Timeout") or 0, LONGEST_PATIENCE)
    return EapRequest(Secret(message), outcome.server, Secret(values.octets("State") or b""), float(patience))


def bad_challenge(values: Attributes) -> str:
    """Say what is wrong with an Access-Challenge from which no EAP-Request came."""
    found = len(eap_message(values))
    return f"an Access-Challenge with {f'{found} octets that are no EAP-Request' if found else 'no EAP-Message'}"


def contradiction(message: bytes, *, accepted: bool) -> str:
    """Say what is wrong with the EAP packet in an Access-Accept or Access-Reject; empty when nothing is.

    An Access-Reject without one is common, and clear enough.
    """
    expected, name = (SUCCESS, "EAP-Success") if accepted else (FAILURE, "EAP-Failure")
    if (not message and not accepted) or (len(message) == 4 and message[0] == expected):
        return ""
    return f"an Access-{'Accept' if accepted else 'Reject'} without {name}: the client may not understand"


def gives_keys(exchange: EapExchange) -> bool:
    """Whether the method that was used is one that makes keys."""
    return exchange.eap_type not in WITHOUT_KEYS
