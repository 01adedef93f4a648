"""The face of authentication: one door to all methods, for the link and for everyone above it."""

from typing import Any, TypeVar

from holdfast.machine import Entropy
from holdfast.ppp.authentication_machine import Authenticator, Peer
from holdfast.ppp.authentication_types import (
    PROTOCOLS,
    Answer,
    AuthenticatorConfig,
    AuthOutcome,
    AuthTiming,
    ChapMd5Exchange,
    EapExchange,
    EapRequest,
    Exchange,
    Method,
    MsChapError,
    MsChapExchange,
    MsChapV2Exchange,
    PapExchange,
    PeerCredentials,
    Verdict,
    VerifyCredentials,
    lcp_option_value,
    method_from_option,
)
from holdfast.ppp.chap import ChapAuthenticator, ChapPeer
from holdfast.ppp.eap import EapAuthenticator
from holdfast.ppp.mschap import MsChapAuthenticator, MsChapPeer, MsChapV2Authenticator, MsChapV2Peer
from holdfast.ppp.pap import PapAuthenticator, PapPeer

__all__ = [
    "PROTOCOLS",
    "Answer",
    "AuthOutcome",
    "AuthTiming",
    "Authenticator",
    "AuthenticatorConfig",
    "ChapMd5Exchange",
    "EapExchange",
    "EapRequest",
    "Exchange",
    "Method",
    "MsChapError",
    "MsChapExchange",
    "MsChapV2Exchange",
    "PapExchange",
    "Peer",
    "PeerCredentials",
    "Verdict",
    "VerifyCredentials",
    "can_prove",
    "for_authenticator",
    "lcp_option_value",
    "make_authenticator",
    "make_peer",
    "method_from_option",
    "restore_authenticator",
    "restore_peer",
]

MachineT = TypeVar("MachineT")

_AUTHENTICATORS: dict[Method, type[Authenticator]] = {
    Method.PAP: PapAuthenticator,
    Method.CHAP_MD5: ChapAuthenticator,
    Method.MS_CHAP: MsChapAuthenticator,
    Method.MS_CHAP_V2: MsChapV2Authenticator,
    Method.EAP: EapAuthenticator,
}
_PEERS: dict[Method, type[Peer]] = {
    Method.PAP: PapPeer,
    Method.CHAP_MD5: ChapPeer,
    Method.MS_CHAP: MsChapPeer,
    Method.MS_CHAP_V2: MsChapV2Peer,
}


def can_prove(method: Method) -> bool:
    """Whether we can prove ourselves by a method. EAP is known so that LCP can refuse it by name."""
    return method in _PEERS


def make_authenticator(method: Method, config: AuthenticatorConfig, entropy: Entropy) -> Authenticator:
    """Return the machine by which the peer proves itself to us."""
    return _pick(_AUTHENTICATORS, method)(method, config, entropy)


def make_peer(method: Method, credentials: PeerCredentials, entropy: Entropy) -> Peer:
    """Return the machine by which we prove ourselves. ValueError for EAP."""
    return _pick(_PEERS, method)(method, credentials, entropy)


def restore_authenticator(state: dict[str, Any], config: AuthenticatorConfig, entropy: Entropy) -> Authenticator:
    """Undo `Authenticator.snapshot`."""
    return _pick(_AUTHENTICATORS, Method(state["method"])).restore(state, config, entropy)


def restore_peer(state: dict[str, Any], credentials: PeerCredentials, entropy: Entropy) -> Peer:
    """Undo `Peer.snapshot`."""
    return _pick(_PEERS, Method(state["method"])).restore(state, credentials, entropy)


def for_authenticator(method: Method, code: int) -> bool:
    """Whether a packet of this code is meant for an authenticator: needed when both sides prove themselves."""
    return code == 1 if method is Method.PAP else code not in {1, 3, 4}


def _pick(table: dict[Method, type[MachineT]], method: Method) -> type[MachineT]:
    if method not in table:
        raise ValueError(f"{method} has no machine")
    return table[method]
