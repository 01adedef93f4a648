"""Walking through a login at each RADIUS server, and saying at which step it fails and why."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from holdfast.config import Config
from holdfast.gateway.known_names import names_of, why_unknown
from holdfast.gateway.radius import accounting_servers, exchange_config, nas_identifier, server_configs
from holdfast.gateway.radius_certificates import tls_ways
from holdfast.gateway.radius_client import Address, RadiusClient
from holdfast.gateway.radius_tls import TlsWay, try_out
from holdfast.policy.effective import Effective, Layer
from holdfast.policy.groups import Group, PolicyBook
from holdfast.policy.radius_eap import next_request
from holdfast.policy.radius_login import Judgement, Place, judge, login_request
from holdfast.ppp.authentication_types import (
    ChapMd5Exchange,
    EapExchange,
    Exchange,
    Method,
    MsChapExchange,
    MsChapV2Exchange,
    PapExchange,
    without_domain,
)
from holdfast.ppp.crypto import (
    challenge_response,
    chap_md5_response,
    generate_authenticator_response,
    generate_nt_response,
    nt_password_hash,
)
from holdfast.ppp.eap import LONGEST_IDENTITY
from holdfast.ppp.eap_types import RESPONSE, EapType, type_name
from holdfast.ppp.packet import Packet
from holdfast.radius.attributes import attribute, in_words
from holdfast.radius.codes import Code, code_name
from holdfast.radius.exchange_types import Fault, Outcome, Request
from holdfast.secret import Secret

FIXES = {
    Fault.SILENT: "Does the server know this gateway's address as a client, with the same secret (its log tells)? Does "
    "a firewall let UDP pass both ways?",
    Fault.UNREACHABLE: "Does the server run, and at this address and port? On its machine: ss -lunp.",
    Fault.NO_WAY: "`ip route get ADDRESS` says which way it goes. Is the interface up, and does a firewall here "
    "let UDP out?",
    Fault.WRONG_SECRET: "Make the secret in radius.secrets_file and the one on the server the same.",
    Fault.NOT_SIGNED: "Let the server sign (FreeRADIUS before 3.2.5: update reply { Message-Authenticator := 0x00 } in "
    "post-auth), or list it in radius.unsigned.",
    Fault.MALFORMED: "Something else listens at that port.",
}

TLS_FIX = (
    "Compare ca and name in the configuration with the server's certificate, and our certificate with what the server "
    "takes; `openssl s_client -connect ADDRESS:PORT -CAfile CA -cert CERTIFICATE -key KEY` shows the rest."
)
NAMES_FIX = 'Add the section to the configuration, or set radius.unknown_names = "ignore".'
EAP_REST = "what follows is between it and the client: certificates or passwords"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried.

    `answer` lists the attributes of a reply, secrets left out; `ignored` those that cannot hold, each with the reason.
    """

    server: str
    what: str
    good: bool
    said: str
    fix: str = ""
    answer: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Credentials:
    """Whom to sign in, and how."""

    user: str
    password: Secret
    method: Method = Method.MS_CHAP_V2


async def probe(config: Config, credentials: Credentials) -> AsyncIterator[Step]:
    """Yield step after step for each server of the configuration, best first. ConfigError when a secret is missing."""
    ways = tls_ways(config.radius.servers)
    for address, server in server_configs(config, config.radius.servers).items():
        if address in ways:
            step = await _tls(server.name, address, ways[address])
            yield step
            if not step.good:
                continue
        tls = {address: ways[address]} if address in ways else {}
        client = RadiusClient({address: server}, exchange_config(config), secrets.token_bytes, lambda _event: None, tls)
        try:
            yield await _status(client, server.name, config)
            step = await _login(client, server.name, config, credentials)
            yield step
            if step.said == Fault.SILENT and address not in ways:
                yield await _unsigned(client, server.name, config)
        finally:
            client.close()


async def probe_accounting(config: Config) -> AsyncIterator[Step]:
    """Yield a step for each accounting server: whether it gives a sign of life. Nothing is accounted.

    What serves logins and accounting through one port (TLS) was asked by `probe`.
    """
    servers = [server for server in accounting_servers(config) if server not in config.radius.servers]
    ways = tls_ways(servers)
    for address, server in server_configs(config, servers).items():
        tls = {address: ways[address]} if address in ways else {}
        client = RadiusClient({address: server}, exchange_config(config), secrets.token_bytes, lambda _event: None, tls)
        try:
            step = await _status(client, server.name, config)
        finally:
            client.close()
        said = step.said.replace("the login will tell", "ACCOUNTING_QUEUE in the log will tell")
        yield replace(step, what="accounting, Status-Server", said=said)


async def _tls(name: str, address: Address, way: TlsWay) -> Step:
    """RFC 6614 section 2.3: each side proves itself before the first packet."""
    good, said = await try_out(address, way)
    return Step(name, "TLS", good, said, "" if good else TLS_FIX)


async def _status(client: RadiusClient, name: str, config: Config) -> Step:
    """RFC 5997: a server that knows Status-Server answers it; many do not, which is no fault."""
    patience = min(config.radius.patience, config.radius.timeout * 1.5)
    outcome = await client.ask(Request(Code.STATUS_SERVER, (), patience=patience))
    if outcome.packet is not None:
        return Step(name, "Status-Server", True, "it answers")
    if outcome.fault is Fault.SILENT:
        return Step(name, "Status-Server", True, "no answer: not known there, or not reachable; the login will tell")
    fault = outcome.fault or Fault.SILENT
    return Step(name, "Status-Server", False, str(fault), FIXES.get(fault, ""))


async def _login(client: RadiusClient, name: str, config: Config, credentials: Credentials) -> Step:
    exchange = make_exchange(credentials)
    place = _place(config)
    request = login_request(exchange, place)
    what = f"login by {credentials.method}"
    if request is None:
        return Step(name, what, False, "this password cannot be asked about by this method")
    outcome = await client.ask(request)
    judgement = judge(outcome, exchange)
    begun = next_request(outcome) if isinstance(exchange, EapExchange) else None
    if begun is not None:
        return Step(name, what, True, f"the server begins with {type_name(begun.message.reveal()[4])}; {EAP_REST}")
    if outcome.packet is None:
        return Step(name, what, False, judgement.trouble, FIXES.get(outcome.fault or Fault.SILENT, ""))
    answer = in_words(outcome.packet.attributes)
    found = effective_of(config, judgement.layer or Layer({}, {}))
    good, said, fix = _verdict(outcome, judgement, exchange, credentials)
    names = names_of(config)
    unknown = names.unknown(found)
    missing = tuple(why_unknown(found, key) for key in unknown)
    if good and missing and names.refuse:
        good, said, fix = False, f"{said}, but {missing[0]}: the gateway lets nobody in with it", NAMES_FIX
    return Step(name, what, good, said, fix, answer, (*found.unusable, *missing))


def _place(config: Config) -> Place:
    """Return where the session would be: at the first address that clients dial, if the configuration names one."""
    dialled = (str(end.address) for end in config.gateway.listen if not end.address.is_unspecified)
    session = f"test-{secrets.token_hex(4)}"
    return Place(nas_identifier(config), next(dialled, "127.0.0.1"), "127.0.0.1", session, "test", 0)


def effective_of(config: Config, radius: Layer) -> Effective:
    """Return what would hold for a session with these settings of RADIUS, as far as they meet the configuration."""
    possible = Layer.of({"mtu": config.ppp.mtu, "mppe_bits": config.ppp.mppe_bits}, "the configuration")
    book = PolicyBook([possible], {name: Group(name) for name in config.groups})
    return book.of(None, "127.0.0.1", radius)


async def _unsigned(client: RadiusClient, name: str, config: Config) -> Step:
    """A server drops what is signed with another secret, as if nobody had asked. Many answer what is not signed at all,
    and the answer then shows their secret to be another one. The password is drawn by lot: it gives nothing away."""
    place = _place(config)
    attributes = (attribute("User-Name", "holdfast-test"), *place.attributes())
    patience = min(config.radius.patience, config.radius.timeout * 2.5)
    request = Request(Code.ACCESS_REQUEST, attributes, Secret(secrets.token_bytes(16)), patience, signed=False)
    outcome = await client.ask(request)
    what = "the same without a signature"
    if outcome.fault is Fault.WRONG_SECRET:
        return Step(name, what, False, str(Fault.WRONG_SECRET), FIXES[Fault.WRONG_SECRET])
    if outcome.packet is not None or outcome.fault is Fault.NOT_SIGNED:
        return Step(name, what, False, "it is answered: the secret is right, and the server drops what is signed")
    said = "no answer either: the server wants signatures and has another secret, or it is one of the other two"
    return Step(name, what, False, said)


def _verdict(
    outcome: Outcome, judgement: Judgement, exchange: Exchange, credentials: Credentials
) -> tuple[bool, str, str]:
    """Return whether it went well, what to say, and what to do."""
    assert outcome.packet is not None
    said = code_name(outcome.packet.code)
    if judgement.trouble:
        module = "eap" if isinstance(exchange, EapExchange) else "mschap"
        return (
            False,
            f"{said}: {judgement.trouble}",
            f"Look at the {module} module or the network policy of the server.",
        )
    if not judgement.verdict.accepted:
        return (
            False,
            judgement.verdict.detail,
            "The server's own log says why: wrong password, no policy, no permission.",
        )
    if not proves_itself(exchange, credentials, judgement):
        fix = "A proxy between, or another user's record: a client would take this for an impostor and hang up."
        return False, f"{said}, but its MS-CHAP2-Success does not fit the password", fix
    unknown = f"; attributes not known here: {', '.join(judgement.grant.unknown)}" if judgement.grant.unknown else ""
    return True, f"{said}{unknown}", ""


def make_exchange(credentials: Credentials) -> Exchange:
    """Return what the gateway would have got from a client with these credentials."""
    name, password = credentials.user.encode(), credentials.password.reveal()
    identifier, challenge = 1, secrets.token_bytes(16)
    match credentials.method:
        case Method.EAP:
            response = Packet(RESPONSE, identifier, bytes((EapType.IDENTITY,)) + name[:LONGEST_IDENTITY])
            return EapExchange(name, identifier, Secret(response.encode()))
        case Method.PAP:
            return PapExchange(name, identifier, credentials.password)
        case Method.CHAP_MD5:
            answer = chap_md5_response(identifier, password, challenge)
            return ChapMd5Exchange(name, identifier, Secret(challenge), Secret(answer))
        case Method.MS_CHAP:
            answer = challenge_response(challenge[:8], nt_password_hash(password))
            return MsChapExchange(name, identifier, Secret(challenge[:8]), Secret(bytes(24)), Secret(answer))
        case _:
            peer = secrets.token_bytes(16)
            answer = generate_nt_response(challenge, peer, without_domain(name), nt_password_hash(password))
            return MsChapV2Exchange(name, identifier, Secret(challenge), Secret(peer), Secret(answer))


def proves_itself(exchange: Exchange, credentials: Credentials, judgement: Judgement) -> bool:
    """Whether the server's answer shows a client that it knows the password (RFC 2759 section 5)."""
    proof = judgement.verdict.authenticator_response
    if not isinstance(exchange, MsChapV2Exchange) or proof is None:
        return not isinstance(exchange, MsChapV2Exchange)
    expected = generate_authenticator_response(
        nt_password_hash(credentials.password.reveal()),
        exchange.nt_response.reveal(),
        exchange.peer_challenge.reveal(),
        exchange.authenticator_challenge.reveal(),
        without_domain(exchange.name),
    )
    return Secret(proof.reveal()[: len(expected)].upper()) == Secret(expected)
