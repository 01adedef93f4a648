"""A client's claim as a question to RADIUS, and RADIUS' answer as a verdict and settings.

RFC 2865 for PAP and CHAP, RFC 2548 for MS-CHAP and the keys of MPPE, RFC 3579 for EAP. What a server says to a client
in MS-CHAP-Error or MS-CHAP2-Success is passed on word for word.
"""

from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from holdfast.errors import DisconnectReason
from holdfast.policy.effective import Layer
from holdfast.policy.radius_eap import bad_challenge, contradiction, eap_message, eap_proof, gives_keys
from holdfast.policy.radius_settings import requires_encryption, settings_layer, strengths
from holdfast.ppp.authentication_types import (
    ChapMd5Exchange,
    EapExchange,
    Exchange,
    MsChapError,
    MsChapExchange,
    MsChapV2Exchange,
    PapExchange,
    Verdict,
)
from holdfast.ppp.mppe import MppeKeyPair, keys_from_ms_chap
from holdfast.ppp.mschap import verdict_from_failure
from holdfast.radius.attributes import Attribute, Attributes, attribute, text_of
from holdfast.radius.codes import Code
from holdfast.radius.exchange_types import Fault, Outcome, Request
from holdfast.secret import Secret
from holdfast.wire.errors import MalformedError
from holdfast.wire.text import composed

SERVICE_FRAMED, PROTOCOL_PPP, PORT_VIRTUAL, TUNNEL_PPTP, MEDIUM_IPV4 = 2, 1, 5, 1, 1
LONGEST_KEY = 16
"""Octets of a start key; methods of EAP give 32, of which the first count (RFC 3079 section 4.3)."""
SUCCESS_SIZE = 42
"""Octets of `S=` and its 40 digits (RFC 2759 section 5)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session is, for every request about it. `nas_port`: the local call ID. `vendor`: what the client says."""

    nas_identifier: str
    server: str
    client: str
    session: str
    connection: str
    nas_port: int
    vendor: str = ""

    def attributes(self) -> list[Attribute]:
        """Return what authentication and accounting both say."""
        named: list[tuple[str, int | str | IPv4Address]] = [
            ("NAS-Identifier", text_of(self.nas_identifier)),
            ("NAS-IP-Address", IPv4Address(self.server)),
            ("NAS-Port", self.nas_port),
            ("NAS-Port-Type", PORT_VIRTUAL),
            ("Service-Type", SERVICE_FRAMED),
            ("Framed-Protocol", PROTOCOL_PPP),
            ("Tunnel-Type", TUNNEL_PPTP),
            ("Tunnel-Medium-Type", MEDIUM_IPV4),
            ("Tunnel-Client-Endpoint", self.client),
            ("Tunnel-Server-Endpoint", self.server),
            ("Calling-Station-Id", self.client),
            ("Called-Station-Id", self.server),
            ("Acct-Session-Id", self.session),
            ("Acct-Multi-Session-Id", self.connection),
            ("Connect-Info", text_of(f"PPTP {self.vendor}".strip())),
        ]
        return [attribute(name, value) for name, value in named if value != ""]


@dataclass(frozen=True, slots=True)
class Grant:
    """What an Access-Accept gives besides a yes and settings. Empty where it says nothing.

    `state` goes back to the server when it is asked again at the end of the session's time. `unknown`: attributes that
    the dictionary does not have, by number.
    """

    server: str = ""
    user: str = ""
    class_: tuple[bytes, ...] = ()
    reply_message: str = ""
    state: bytes = b""
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """RADIUS' answer, understood. `trouble` says what is wrong with it for the log, empty when nothing is."""

    verdict: Verdict
    layer: Layer | None = None
    grant: Grant = Grant()
    trouble: str = ""


def login_request(exchange: Exchange, place: Place, state: bytes = b"") -> Request | None:
    """Return the Access-Request for a claim; None for a method that RADIUS is not asked about here.

    `state`: the State of the Access-Accept whose session's time is over (RFC 2865 section 5.24).
    """
    proof = _proof(exchange)
    if proof is None:
        return None
    # User-Name has at least one octet: who gives no Identity is called by where they are (RFC 3579 section 2.1)
    name = attribute("User-Name", exchange.name[:253] or place.client)
    password = exchange.password if isinstance(exchange, PapExchange) else None
    only = exchange.server if isinstance(exchange, EapExchange) else ""
    again = [attribute("State", state)] if state else []
    return Request(Code.ACCESS_REQUEST, (name, *proof, *again, *place.attributes()), password, only=only)


def _proof(exchange: Exchange) -> list[Attribute] | None:
    identifier = bytes((exchange.identifier & 0xFF,))
    match exchange:
        case EapExchange():
            return eap_proof(exchange)
        case PapExchange():
            return [] if len(exchange.password) <= 128 else None
        case ChapMd5Exchange():
            answer = Secret(identifier + exchange.response.reveal())
            return [attribute("CHAP-Password", answer), attribute("CHAP-Challenge", exchange.challenge)]
        case MsChapExchange():
            responses = exchange.lm_response.reveal() + exchange.nt_response.reveal()
            answer = Secret(identifier + bytes((exchange.flags & 0xFF,)) + responses)
            return [attribute("MS-CHAP-Challenge", exchange.challenge), attribute("MS-CHAP-Response", answer)]
        case MsChapV2Exchange():
            peer = exchange.peer_challenge.reveal() + bytes(8) + exchange.nt_response.reveal()
            answer = Secret(identifier + bytes((exchange.flags & 0xFF,)) + peer)
            challenge = attribute("MS-CHAP-Challenge", exchange.authenticator_challenge)
            return [challenge, attribute("MS-CHAP2-Response", answer)]
    return None


def judge(outcome: Outcome, exchange: Exchange) -> Judgement:
    """Understand what became of an Access-Request. Nothing that a server sends makes this raise."""
    if outcome.packet is None:
        fault = outcome.fault or Fault.SILENT
        return Judgement(Verdict.unavailable(f"RADIUS: {fault}"), trouble=str(fault))
    values = outcome.packet.values
    if outcome.packet.code == Code.ACCESS_ACCEPT:
        return _accepted(outcome, values, exchange)
    if outcome.packet.code == Code.ACCESS_CHALLENGE:
        detail = "RADIUS asks for a second answer (Access-Challenge), for which PPP has no place with this method"
        if isinstance(exchange, EapExchange):
            detail = bad_challenge(values)
        return _useless(detail)
    verdict, trouble = _rejected(values, outcome.server), ""
    if isinstance(exchange, EapExchange):
        message = eap_message(values)
        verdict, trouble = replace(verdict, verbatim=message), contradiction(message, accepted=False)
    return Judgement(verdict, grant=Grant(server=outcome.server), trouble=trouble)


def _useless(trouble: str, grant: Grant = Grant()) -> Judgement:
    """An answer with which nobody can be let in, although no password is wrong: what is wrong is at the server."""
    code, reason = MsChapError.NO_DIALIN_PERMISSION, DisconnectReason.AUTH_REFUSED
    return Judgement(Verdict.reject(code, reason=reason, detail=trouble), None, grant, trouble)


def _rejected(values: Attributes, server: str) -> Verdict:
    said = values.text("Reply-Message")
    error = values.octets("MS-CHAP-Error")
    # RFC 2548 section 2.1.5: one octet of identifier, then the text; NPS and FreeRADIUS both keep to it
    verdict = verdict_from_failure(error[1:]) if error else Verdict.reject(retry=True, message=said)
    told = said or verdict.message
    detail = f"RADIUS server {server} says no" + (f": {told}" if told else "")
    return replace(verdict, detail=detail)


def _accepted(outcome: Outcome, values: Attributes, exchange: Exchange) -> Judgement:
    grant = _grant(values, outcome.server)
    service = values.integer("Service-Type")
    if service not in (None, SERVICE_FRAMED):
        # RFC 2865 section 5.6: as though an Access-Reject had been received instead
        trouble = f"an Access-Accept with Service-Type {service}, not Framed: it lets the user do something else"
        return _useless(trouble, grant)
    try:
        keys = _keys(outcome, exchange)
    except MalformedError as error:
        trouble = f"the MPPE keys in the Access-Accept cannot be read: {error}"
        return _useless(trouble, grant)
    proof, trouble = None, ""
    if isinstance(exchange, MsChapV2Exchange):
        proof = _proof_of_server(values)
        if proof is None:
            trouble = "an Access-Accept without MS-CHAP2-Success: the client would take the gateway for an impostor"
            return _useless(trouble, grant)
    required = requires_encryption(values)
    if keys is None and required:
        trouble = "an Access-Accept that requires encryption and gives no keys for it"
        return _useless(trouble, grant)
    if keys is not None:
        keys = replace(keys, required=required, allowed=strengths(values))
    if keys is None and _gives_keys(exchange):
        trouble = "an Access-Accept without MPPE keys: no encryption is possible"
    verdict = Verdict.accept(keys, proof, grant.reply_message, user=composed(grant.user) or exchange.user)
    if isinstance(exchange, EapExchange):
        message = eap_message(values)
        verdict, trouble = replace(verdict, verbatim=message), contradiction(message, accepted=True) or trouble
    return Judgement(verdict, settings_layer(values, f"RADIUS {outcome.server}"), grant, trouble)


def _gives_keys(exchange: Exchange) -> bool:
    if isinstance(exchange, EapExchange):
        return gives_keys(exchange)
    return isinstance(exchange, MsChapExchange | MsChapV2Exchange)


def _proof_of_server(values: Attributes) -> Secret | None:
    """RFC 2548 section 2.3.3: one octet of identifier, then what the client is sent."""
    success = values.octets("MS-CHAP2-Success")
    if success is None or len(success) < 1 + SUCCESS_SIZE or not success[1:].startswith(b"S="):
        return None
    return Secret(success[1:])


def _keys(outcome: Outcome, exchange: Exchange) -> MppeKeyPair | None:
    if isinstance(exchange, MsChapExchange):
        pair = outcome.ms_chap_keys()
        if pair is None:
            return None
        lan_manager, nt_hash_hash = pair
        # A server that keeps no LM hash (FreeRADIUS by default) fills in zeros, from which anybody could make the key
        known = lan_manager.reveal() if any(lan_manager.reveal()) else None
        return keys_from_ms_chap(exchange.challenge.reveal(), nt_hash_hash.reveal(), known)
    send, receive = outcome.mppe_key("MS-MPPE-Send-Key"), outcome.mppe_key("MS-MPPE-Recv-Key")
    return None if send is None or receive is None else MppeKeyPair(_start_key(send), _start_key(receive))


def _start_key(key: Secret) -> Secret:
    return Secret(key.reveal()[:LONGEST_KEY])


def _grant(values: Attributes, server: str) -> Grant:
    return Grant(
        server,
        user=values.text("User-Name"),
        class_=tuple(values.every("Class")),
        reply_message=values.text("Reply-Message"),
        state=values.octets("State") or b"",
        unknown=tuple(values.unknown()),
    )
