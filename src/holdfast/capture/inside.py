"""Looking into an encrypted session, with the user's own password or NT hash, in memory only.

The password is verified against the MS-CHAPv2 exchange in the capture; only then are keys derived (RFC 3079) and MPPE
undone (RFC 3078). Nothing is ever guessed.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field

from holdfast._native import GreFrame
from holdfast.capture.authentication import Attempt
from holdfast.capture.moment import Moment
from holdfast.capture.session import Session
from holdfast.ppp.authentication_packets import parse_response_v2, parse_value
from holdfast.ppp.authentication_types import Method, without_domain
from holdfast.ppp.crypto import generate_authenticator_response, generate_nt_response, nt_password_hash
from holdfast.ppp.framing import Protocol, split
from holdfast.ppp.mppe import MppeKeyPair, keys_from_ms_chap_v2
from holdfast.ppp.mppe_codec import KeyChain, MppeReceiver
from holdfast.secret import Secret

IP_PROTOCOLS = frozenset({Protocol.IP, Protocol.IPV6})
TRUSTED_STEPS = 64
"""A gap in the coherency count that is believed without proof: a frame cut short proves nothing by its length."""


@dataclass(frozen=True, slots=True)
class InnerPacket:
    """One IP packet of the tunnel."""

    moment: Moment
    up: bool
    octets: bytes


@dataclass(slots=True)
class Inside:
    """What the password opened. `password_fits`: the client used this very password; None: there is no exchange."""

    password_fits: bool | None = None
    server_proved: bool | None = None
    """Whether the server's own proof is right; None: it gave none."""
    packets: list[InnerPacket] = field(default_factory=list)
    opaque: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    """Encrypted frames that did not become a PPP frame, by direction (True: to the server)."""


@dataclass(frozen=True, slots=True)
class _Exchange:
    challenge: bytes
    peer_challenge: bytes
    nt_response: bytes
    name: bytes


def nt_hash_of(password: Secret) -> Secret:
    """Return the NT hash of a UTF-8 password."""
    return Secret(nt_password_hash(password.reveal()))


def look_inside(session: Session, nt_hash: Secret) -> Inside:
    """Verify the password against the session and decipher what it sent."""
    inside = Inside()
    attempts = [attempt for attempt in session.link.authentication.attempts if attempt.by_client]
    for attempt in reversed(attempts):
        if attempt.method is Method.MS_CHAP_V2:
            _verify(session, attempt, nt_hash, inside)
            break
    return inside


def _verify(session: Session, attempt: Attempt, nt_hash: Secret, inside: Inside) -> None:
    for exchange in _exchanges(session, attempt):
        fits = _fits(exchange, nt_hash)
        inside.password_fits = bool(inside.password_fits) or fits
        if fits:
            inside.server_proved = _proved(attempt, exchange, nt_hash)
            keys = keys_from_ms_chap_v2(nt_hash.reveal(), exchange.nt_response, is_server=False)
            _decipher(session, keys, inside)
            return


def _exchanges(session: Session, attempt: Attempt) -> Iterator[_Exchange]:
    """The Response with every challenge it may answer: the Challenge, or the one in a Failure that allowed a retry."""
    value = parse_value(attempt.sent.packet.data)
    response = parse_response_v2(value.value) if value else None
    if value is None or response is None:
        return
    challenge = parse_value(attempt.challenge.packet.data) if attempt.challenge else None
    offered = [challenge.value] if challenge else []
    offered += [
        each.failure.challenge.reveal()
        for each in session.link.authentication.failures
        if each.failure.challenge is not None and each is not attempt
    ]
    for octets in offered:
        yield _Exchange(
            octets, response.peer_challenge.reveal(), response.nt_response.reveal(), without_domain(value.name)
        )


def _fits(exchange: _Exchange, nt_hash: Secret) -> bool:
    right = generate_nt_response(exchange.challenge, exchange.peer_challenge, exchange.name, nt_hash.reveal())
    return hmac.compare_digest(right, exchange.nt_response)


def _proved(attempt: Attempt, exchange: _Exchange, nt_hash: Secret) -> bool | None:
    if not attempt.accepted or attempt.result is None or not attempt.result.packet.data.startswith(b"S="):
        return None
    right = generate_authenticator_response(
        nt_hash.reveal(), exchange.nt_response, exchange.peer_challenge, exchange.challenge, exchange.name
    )
    return hmac.compare_digest(right, attempt.result.packet.data[: len(right)].upper())


def _decipher(session: Session, keys: MppeKeyPair, inside: Inside) -> None:
    agreed = session.link.mppe
    pair = keys.direction_keys(agreed.bits) if agreed else None
    if agreed is None or pair is None:
        return
    for up, key in ((True, pair.send), (False, pair.receive)):
        receiver = MppeReceiver(KeyChain(key, agreed.bits), stateless=agreed.stateless, trusted_steps=TRUSTED_STEPS)
        for frame in _in_order(session, up):
            _open(frame, receiver, up, inside)
    inside.packets.sort(key=lambda packet: packet.moment)


def _in_order(session: Session, up: bool) -> list[GreFrame]:
    """The data frames of a direction by sequence number, each once, whole ones only."""
    frames = [frame for flow in session.flows(up) for frame in flow.data if not frame.duplicate and not frame.cut]
    whole = [frame for frame in frames if len(frame.ppp) == frame.length and frame.sequence is not None]
    return sorted(whole, key=lambda frame: frame.sequence or 0)


def _open(frame: GreFrame, receiver: MppeReceiver, up: bool, inside: Inside) -> None:
    outer = split(frame.ppp)
    if outer is None or outer.protocol != Protocol.COMPRESSED:
        return
    clear = receiver.decrypt(outer.information)
    inner = split(clear) if clear is not None else None
    if inner is None or inner.protocol not in IP_PROTOCOLS or inner.information[:1] not in _FIRST_OCTETS:
        inside.opaque[up] += 1
        return
    inside.packets.append(InnerPacket(Moment(*frame.place), up, inner.information))


_FIRST_OCTETS = frozenset({bytes((octet,)) for octet in (*range(0x45, 0x50), *range(0x60, 0x70))})
