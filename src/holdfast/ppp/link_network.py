"""The Network phase of one link: encryption first, then addresses (RFC 1661 section 3.6, RFC 3078, RFC 1332).

Order is everything here. IPCP waits until encryption is decided, so that no user packet can pass in the clear where
it must not, and no key races a packet:

- With `require` it waits until CCP is Opened with MPPE. Anything else ends the link.
- With `prefer` it waits until CCP is Opened, or refused, or the peer has said nothing about it for `patience`.
  Once encrypted, a link never goes back to clear text: when CCP closes, the link ends.
- With `off`, or without keys, CCP is answered with a Protocol-Reject and IPCP starts at once.

Clients send IPCP together with CCP. pppd answers the early Configure-Request with a Terminate-Ack, which costs them
a Restart timer; here the latest one is held, unanswered, and taken when IPCP may start. The same request also
carries the address wish, so that `AssignAddress` can be asked with it; a client that sends none in time is
asked for nothing.

When CCP is renegotiated, user traffic stops until it is Opened again with new keys; IPCP stays as it is.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

from holdfast.errors import DisconnectReason
from holdfast.events import Event, IpOpened, MppeOpened, MppeRekeyed
from holdfast.machine import Timers, earliest
from holdfast.ppp.automaton import State
from holdfast.ppp.ccp import Ccp, MppeRules, MppeTerms
from holdfast.ppp.codes import Code
from holdfast.ppp.commands import (
    AddressAssignment,
    AddressRefusal,
    AssignAddress,
    CloseNetwork,
    LinkCommand,
    MppeDirection,
    OpenNetwork,
    RequireMppe,
    ResetMppeSend,
    StartMppe,
    StopMppe,
)
from holdfast.ppp.config import LinkConfig, MppePolicy
from holdfast.ppp.control_protocol_types import Failure, Negotiation, Outbox
from holdfast.ppp.framing import Protocol as Number
from holdfast.ppp.framing import protocol_name
from holdfast.ppp.ipcp import Ipcp, IpcpRules, address_text, requested_address
from holdfast.ppp.mppe import MppeKeyPair
from holdfast.ppp.packet import parse
from holdfast.ppp.termination import terminate_cause
from holdfast.wire.errors import MalformedError

WISH_PATIENCE = 1.0
"""Seconds that an address is not chosen because the client's Configure-Request may still tell its wish."""

MAX_HELD = 256
"""Octets of an early Configure-Request that is held; real ones have 10 to 40."""


class Timer(StrEnum):
    """The timers of the Network phase that are not Restart timers."""

    ENCRYPTION = "encryption"
    """A peer that is silent about CCP will not encrypt (`prefer` only)."""
    WISH = "wish"
    """A client that has not asked for an address gets whichever is free."""


class Encryption(StrEnum):
    """Where MPPE stands."""

    IDLE = "idle"
    NEGOTIATING = "negotiating"
    ON = "on"
    NONE = "none"


class Asking(StrEnum):
    """Where the choice of the client's address stands."""

    NO = "no"
    WAITING_FOR_WISH = "waiting-for-wish"
    ASKED = "asked"
    ANSWERED = "answered"


class Owner(Protocol):
    """What the Network phase needs of its link."""

    def command(self, command: LinkCommand) -> None:
        """Queue a command."""

    def end(
        self, reason: DisconnectReason, evidence: str, now: float, *, by_peer: bool = False, text: str = ""
    ) -> None:
        """End the link; the first reason counts. `text` is for the Terminate-Request."""


class LinkNetwork:
    """CCP and IPCP of one link, and what they open."""

    __slots__ = (
        "_asking",
        "_ccp",
        "_config",
        "_encrypted_before",
        "_encryption",
        "_heard",
        "_held",
        "_ipcp",
        "_keys",
        "_open",
        "_outbox",
        "_owner",
        "_timers",
        "_told_reset_at",
        "_user",
        "_was_open",
    )

    def __init__(self, config: LinkConfig, owner: Owner, outbox: Outbox) -> None:
        self._config, self._owner, self._outbox = config, owner, outbox
        self._ccp = Ccp(config.restart, MppeRules(config.ccp), self, outbox, config.ccp.reset_interval)
        self._ipcp = Ipcp(config.restart, IpcpRules(config.ipcp), self, outbox)
        self._timers: Timers[Timer] = Timers()
        self._encryption = Encryption.IDLE
        self._asking = Asking.NO
        self._keys: MppeKeyPair | None = None
        self._user = ""
        self._held = b""
        """The latest IPCP Configure-Request that came too early."""
        self._heard = False
        self._open = False
        self._was_open = False
        self._encrypted_before = False
        self._told_reset_at: float | None = None

    # --- verbs of the link ---------------------------------------------------------------------------------

    def start(self, user: str, keys: MppeKeyPair | None, now: float) -> None:
        """Enter the phase. `keys` None when the authentication gave none."""
        if self._asking is not Asking.NO and user != self._user:
            detail = "the peer authenticated again as somebody else"
            self._owner.end(DisconnectReason.PROTOCOL_FAILURE, detail, now)
            return
        self._user, self._keys = user, keys
        policy = self._config.ccp.policy
        strengths = () if keys is None else tuple(n for n in keys.strengths if n in self._config.ccp.bits)
        if policy is not MppePolicy.OFF and strengths:
            self._start_encryption(strengths, now)
        elif policy is MppePolicy.REQUIRE or self._encrypted_before:
            detail = "encryption is required, but the authentication gave no keys for an allowed strength"
            self._owner.end(DisconnectReason.ENCRYPTION_MISMATCH, detail, now)
        else:
            self._encryption = Encryption.NONE
            self._start_addresses(now)

    def stop(self, now: float) -> None:
        """LCP went down: everything is negotiated anew, with new keys; the address is kept."""
        self._pause()
        self._timers.stop_all()
        self._held = b""
        self._heard = False
        if self._asking is Asking.WAITING_FOR_WISH:
            self._asking = Asking.NO
        self._ipcp.lower_down(now)
        self._ccp.lower_down(now)
        self._stop_encryption()
        self._encryption = Encryption.IDLE
        self._keys = None

    def knows(self, protocol: int) -> bool:
        """Whether `protocol` is spoken; otherwise it is answered with a Protocol-Reject."""
        if protocol == Number.CCP:
            return self._ccp.state is not State.INITIAL
        return protocol in (Number.IPCP, Number.IP, Number.COMPRESSED)

    def receive(self, protocol: int, information: bytes, now: float) -> None:
        """Take a packet of CCP or IPCP; user data that came this way is discarded (RFC 1661 section 3.6)."""
        self._heard = True
        if protocol == Number.CCP:
            self._ccp.receive(information, now)
        elif protocol == Number.IPCP:
            self._receive_ipcp(information, now)

    def _receive_ipcp(self, information: bytes, now: float) -> None:
        if self._ipcp.state not in (State.INITIAL, State.STARTING):
            self._ipcp.receive(information, now)
        elif information[:1] == bytes((Code.CONFIGURE_REQUEST,)) and len(information) <= MAX_HELD:
            self._held = bytes(information)
            if self._asking is Asking.WAITING_FOR_WISH:
                self._ask_address()

    def protocol_rejected(self, protocol: int, now: float) -> None:
        """The peer does not speak `protocol`."""
        if protocol == Number.CCP and self._encryption is not Encryption.IDLE:
            self._ccp.lower_down(now)
            self._encryption_over("the peer rejects CCP", now)
        elif protocol == Number.IPCP:
            detail = "the peer rejects IPCP: it does not carry IP"
            self._owner.end(DisconnectReason.NEGOTIATION_FAILED, detail, now)
        elif protocol in (Number.IP, Number.COMPRESSED):
            self._outbox.violation(Number.LCP, f"the peer rejects {protocol_name(protocol)} packets")

    @property
    def deadline(self) -> float | None:
        """When `handle_timer` must be called next."""
        return earliest((self._ccp.deadline, self._ipcp.deadline, self._timers.deadline))

    def handle_timer(self, now: float) -> None:
        """Act on every timer that is due."""
        for name in self._timers.expired(now):
            if name is Timer.WISH and self._asking is Asking.WAITING_FOR_WISH:
                self._ask_address()
            elif name is Timer.ENCRYPTION and self._encryption is Encryption.NEGOTIATING:
                self._encryption_over("the peer did not agree on CCP in time", now)
        self._ccp.handle_timer(now)
        self._ipcp.handle_timer(now)

    # --- encryption ----------------------------------------------------------------------------------------

    def _start_encryption(self, strengths: tuple[int, ...], now: float) -> None:
        rules = self._ccp.options
        rules.strengths = strengths
        self._encryption = Encryption.NEGOTIATING
        if self._config.ccp.policy is MppePolicy.PREFER:
            self._timers.start(Timer.ENCRYPTION, now + self._config.ccp.patience)
        if self._ccp.state is State.INITIAL:
            self._ccp.open(now)
        self._ccp.lower_up(now)

    def _encryption_up(self, now: float) -> None:
        agreed = self._ccp.options.agreed
        if agreed is None:
            self._encryption_over("CCP opened without MPPE", now)
            return
        receive, send = agreed
        self._command_start(receive, send)
        self._timers.stop(Timer.ENCRYPTION)
        self._encryption = Encryption.ON
        self._tell_encryption(receive, send)
        if self._ipcp.opened:
            self._resume()
        else:
            self._start_addresses(now)

    def _command_start(self, receive: MppeTerms, send: MppeTerms) -> None:
        ours, theirs = self._key(receive, sending=False), self._key(send, sending=True)
        self._owner.command(StartMppe(ours, theirs))
        self._owner.command(RequireMppe(True))

    def _key(self, terms: MppeTerms, *, sending: bool) -> MppeDirection:
        keys = None if self._keys is None else self._keys.direction_keys(terms.bits)
        assert keys is not None, "only strengths with keys are negotiated"
        return MppeDirection(keys.send if sending else keys.receive, terms.bits, terms.mode)

    def _tell_encryption(self, receive: MppeTerms, send: MppeTerms) -> None:
        mode = receive.mode.value if receive.mode is send.mode else f"{receive.mode}/{send.mode}"
        event: Event = MppeOpened(min(receive.bits, send.bits), mode)
        if self._encrypted_before:
            event = MppeRekeyed("CCP opened again")
        self._encrypted_before = True
        self._outbox.events.append(event)

    def _stop_encryption(self) -> None:
        if self._encryption is Encryption.ON:
            self._owner.command(StopMppe())
            self._encryption = Encryption.NEGOTIATING

    def _encryption_over(self, detail: str, now: float, reason: DisconnectReason | None = None) -> None:
        """There will be no encryption: with `require`, or after there was some, that ends the link."""
        if self._encryption in (Encryption.IDLE, Encryption.NONE):
            return
        if self._config.ccp.policy is MppePolicy.REQUIRE or self._encrypted_before:
            self._owner.end(reason or DisconnectReason.ENCRYPTION_MISMATCH, detail, now, by_peer=reason is not None)
            return
        self._timers.stop(Timer.ENCRYPTION)
        self._encryption = Encryption.NONE
        if self._ccp.state is not State.STARTING:
            self._ccp.close(now, "MPPE not agreed")
        self._start_addresses(now)

    def mppe_desync(self, now: float) -> None:
        """The engine lost step with what the peer sends: ask for a reset."""
        if self._encryption is Encryption.ON and self._ccp.send_reset_request(now):
            self._outbox.events.append(MppeRekeyed("we asked the peer for a reset"))

    def reset_requested(self, now: float) -> None:
        """The peer lost step with what we send."""
        self._owner.command(ResetMppeSend())
        recent = self._told_reset_at is not None and now - self._told_reset_at < self._config.ccp.reset_interval
        if not recent:
            self._told_reset_at = now
            self._outbox.events.append(MppeRekeyed("the peer asked for a reset"))

    # --- addresses -----------------------------------------------------------------------------------------

    def _start_addresses(self, now: float) -> None:
        if not self._config.ipcp.assigns or self._asking is Asking.ANSWERED:
            self._start_ipcp(now)
        elif self._asking is Asking.NO and self._held:
            self._ask_address()
        elif self._asking is Asking.NO:
            self._asking = Asking.WAITING_FOR_WISH
            self._timers.start(Timer.WISH, now + WISH_PATIENCE)

    def _ask_address(self) -> None:
        self._timers.stop(Timer.WISH)
        self._asking = Asking.ASKED
        self._owner.command(AssignAddress(self._user, self._wish()))

    def _wish(self) -> str | None:
        try:
            return requested_address(parse(self._held).options()) if self._held else None
        except MalformedError:
            return None

    def address_assigned(self, answer: AddressAssignment | AddressRefusal, now: float) -> None:
        """Take the answer to `AssignAddress`; ignored when none is awaited."""
        if self._asking is not Asking.ASKED:
            return
        if isinstance(answer, AddressRefusal):
            self._owner.end(answer.reason, answer.detail, now)
            return
        self._ipcp.options.assign(answer)
        self._asking = Asking.ANSWERED
        if self._encryption in (Encryption.ON, Encryption.NONE):
            self._start_ipcp(now)

    def _start_ipcp(self, now: float) -> None:
        if self._ipcp.state is State.INITIAL:
            self._ipcp.open(now)
        self._ipcp.lower_up(now)
        held, self._held = self._held, b""
        if held:
            self._ipcp.receive(held, now)

    def _resume(self) -> None:
        if not self._open:
            self._open = self._was_open = True
            rules = self._ipcp.options
            self._owner.command(OpenNetwork(address_text(rules.local), address_text(rules.peer)))

    def _pause(self) -> None:
        if self._open:
            self._open = False
            self._owner.command(CloseNetwork())

    # --- what the protocols tell (`Layer`) -----------------------------------------------------------------

    def layer_up(self, protocol: Negotiation, now: float) -> None:
        """CCP or IPCP opened."""
        if protocol is self._ccp:
            self._encryption_up(now)
            return
        rules = self._ipcp.options
        local, peer = address_text(rules.local), address_text(rules.peer)
        self._outbox.events.append(IpOpened(local, peer, rules.dns, rules.wins))
        if self._encryption in (Encryption.ON, Encryption.NONE):
            self._resume()

    def layer_down(self, protocol: Negotiation, now: float) -> None:  # noqa: ARG002 - part of `Layer`
        """CCP or IPCP left Opened: no user traffic until it is back."""
        self._pause()
        if protocol is self._ccp:
            self._stop_encryption()

    def layer_finished(self, protocol: Negotiation, now: float) -> None:
        """Nobody answered, or the protocol closed."""
        count = self._config.restart.max_configure
        if protocol is self._ccp:
            self._encryption_over(f"CCP did not open: {count} Configure-Requests without agreement", now)
        else:
            detail = f"IPCP did not open: {count} Configure-Requests without agreement"
            self._owner.end(DisconnectReason.NEGOTIATION_FAILED, detail, now)

    def layer_failed(self, protocol: Negotiation, failure: Failure, now: float) -> None:
        """The negotiation cannot succeed."""
        if protocol is self._ccp:
            self._encryption_over(failure.detail, now)
        else:
            self._owner.end(failure.reason, failure.detail, now)

    def layer_terminated(self, protocol: Negotiation, data: bytes, now: float) -> None:
        """The peer closed CCP or IPCP. On a link that was up this is how some peers hang up."""
        cause = terminate_cause(data)
        detail = f"the peer closed {protocol_name(protocol.protocol)}" + (f': "{cause.text}"' if cause.text else "")
        if protocol is self._ccp:
            reason = (cause.reason or DisconnectReason.USER_REQUEST) if self._was_open else None
            self._encryption_over(detail, now, reason)
            return
        default = DisconnectReason.USER_REQUEST if self._was_open else DisconnectReason.NEGOTIATION_FAILED
        self._owner.end(cause.reason or default, detail, now, by_peer=True)

    # --- what is known -------------------------------------------------------------------------------------

    @property
    def heard(self) -> bool:
        """Whether the peer sent anything in this phase: then it knows that it was authenticated."""
        return self._heard

    @property
    def was_open(self) -> bool:
        """Whether user traffic was allowed at any time."""
        return self._was_open

    def status(self) -> dict[str, Any]:
        """Return what was negotiated, as plain data."""
        agreed = self._ccp.options.agreed if self._encryption is Encryption.ON else None
        rules, up = self._ipcp.options, self._ipcp.opened
        return {
            "mppe": self._encryption.value,
            "mppe_bits": None if agreed is None else min(agreed[0].bits, agreed[1].bits),
            "mppe_mode": None if agreed is None else agreed[0].mode.value,
            "local_address": address_text(rules.local) if up else "",
            "peer_address": address_text(rules.peer) if up else "",
            "dns": list(rules.dns) if up else [],
            "wins": list(rules.wins) if up else [],
            "network_open": self._open,
        }

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data. It holds keys: handle as a secret."""
        return {
            "ccp": self._ccp.snapshot(),
            "ipcp": self._ipcp.snapshot(),
            "timers": [[name.value, at] for name, at in self._timers.snapshot()],
            "encryption": self._encryption.value,
            "asking": self._asking.value,
            "keys": None if self._keys is None else self._keys.snapshot(),
            "user": self._user,
            "held": self._held,
            "heard": self._heard,
            "open": self._open,
            "was_open": self._was_open,
            "encrypted_before": self._encrypted_before,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `snapshot` returned."""
        self._ccp.restore(state["ccp"])
        self._ipcp.restore(state["ipcp"])
        self._timers.restore((Timer(name), at) for name, at in state["timers"])
        self._encryption = Encryption(state["encryption"])
        self._asking = Asking(state["asking"])
        self._keys = None if state["keys"] is None else MppeKeyPair.restore(state["keys"])
        self._user, self._held, self._heard = state["user"], state["held"], state["heard"]
        self._open, self._was_open = state["open"], state["was_open"]
        self._encrypted_before = state["encrypted_before"]
