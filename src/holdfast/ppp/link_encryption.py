"""Encryption of one link: CCP, the MPPE keys, and what is done when they fail (RFC 3078, RFC 1962).

Encryption is undecided until it is either on or given up; nothing that carries user traffic starts before. With the
policy `require`, or once a link was encrypted, giving up is not possible: the link ends. With `off`, or without
keys, CCP is not spoken at all, and is answered with a Protocol-Reject.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

from holdfast.errors import DisconnectReason
from holdfast.events import Event, MppeOpened, MppeRekeyed
from holdfast.machine import earliest
from holdfast.ppp.automaton import State
from holdfast.ppp.ccp import Ccp, MppeRules, MppeTerms
from holdfast.ppp.commands import LinkCommand, MppeDirection, RequireMppe, ResetMppeSend, StartMppe, StopMppe
from holdfast.ppp.config import LinkConfig, MppeMode, MppePolicy
from holdfast.ppp.control_protocol_types import Failure, Negotiation, Outbox
from holdfast.ppp.mppe import MppeKeyPair
from holdfast.ppp.termination import terminate_cause

RENEWAL_INTERVAL = 30.0
"""Seconds in which undecipherable traffic is answered with new keys only once."""


class Encryption(StrEnum):
    """Where MPPE stands."""

    IDLE = "idle"
    NEGOTIATING = "negotiating"
    ON = "on"
    NONE = "none"


class Owner(Protocol):
    """What the parts of the Network phase need of their link."""

    def command(self, command: LinkCommand) -> None:
        """Queue a command."""

    def end(
        self, reason: DisconnectReason, evidence: str, now: float, *, by_peer: bool = False, text: str = ""
    ) -> None:
        """End the link; the first reason counts. `text` is for the Terminate-Request."""


class EncryptionListener(Protocol):
    """Who waits for encryption."""

    was_open: bool
    """Whether user traffic was allowed at any time."""

    def encryption_decided(self, now: float) -> None:
        """It is on, or it was given up: addresses may be agreed and traffic may pass."""

    def encryption_interrupted(self) -> None:
        """It is negotiated again: no user traffic until it is decided."""


class LinkEncryption:
    """CCP of one link with the keys of its sign-in."""

    __slots__ = (
        "_before",
        "_ccp",
        "_config",
        "_give_up_at",
        "_keys",
        "_listener",
        "_outbox",
        "_owner",
        "_renewed_at",
        "_told_reset_at",
        "stage",
    )

    def __init__(self, config: LinkConfig, owner: Owner, listener: EncryptionListener, outbox: Outbox) -> None:
        self._config, self._owner, self._listener, self._outbox = config, owner, listener, outbox
        self._ccp = Ccp(config.restart, MppeRules(config.ccp), self, outbox, config.ccp.reset_interval)
        self.stage = Encryption.IDLE
        self._keys: MppeKeyPair | None = None
        self._before = False
        """Whether the link was encrypted at any time."""
        self._give_up_at: float | None = None
        """With `prefer`: when a peer that is silent about CCP will not encrypt."""
        self._renewed_at: float | None = None
        self._told_reset_at: float | None = None

    @property
    def decided(self) -> bool:
        """Whether it is on or given up."""
        return self.stage in (Encryption.ON, Encryption.NONE)

    @property
    def spoken(self) -> bool:
        """Whether CCP is a protocol of this link."""
        return self._ccp.state is not State.INITIAL

    @property
    def _policy(self) -> MppePolicy:
        """What the configuration says, unless the keys came with the demand that nothing passes without them."""
        demanded = self._keys is not None and self._keys.required
        return MppePolicy.REQUIRE if demanded else self._config.ccp.policy

    # --- verbs ---------------------------------------------------------------------------------------------

    def start(self, keys: MppeKeyPair | None, now: float) -> None:
        """Begin. `keys` None when the authentication gave none."""
        self._keys = keys
        policy = self._policy
        if policy is not self._config.ccp.policy:
            self._owner.command(RequireMppe(policy is MppePolicy.REQUIRE))
        strengths = () if keys is None else tuple(bits for bits in keys.strengths if bits in self._config.ccp.bits)
        if self._config.ccp.policy is not MppePolicy.OFF and strengths:
            self._negotiate(strengths, now)
        elif policy is MppePolicy.REQUIRE or self._before:
            detail = "encryption is required, but the authentication gave no keys for an allowed strength"
            self._owner.end(DisconnectReason.ENCRYPTION_MISMATCH, detail, now)
        else:
            self.stage = Encryption.NONE
            self._listener.encryption_decided(now)

    def _negotiate(self, strengths: tuple[int, ...], now: float) -> None:
        self._ccp.options.strengths = strengths
        self.stage = Encryption.NEGOTIATING
        if self._policy is MppePolicy.PREFER:
            self._give_up_at = now + self._config.ccp.patience
        if self._ccp.state is State.INITIAL:
            self._ccp.open(now)
        self._ccp.lower_up(now)

    def stop(self, now: float) -> None:
        """LCP went down: forget the keys."""
        self._ccp.lower_down(now)
        self.stage = Encryption.IDLE
        self._keys = self._give_up_at = None

    def receive(self, information: bytes, now: float) -> None:
        """Take a packet of CCP."""
        self._ccp.receive(information, now)

    def rejected_by_peer(self, now: float) -> None:
        """The peer does not speak CCP: nothing more of it may be sent (RFC 1661 section 5.7)."""
        if self.stage is not Encryption.IDLE:
            self._ccp.lower_down(now)
            self._over("the peer rejects CCP", now)

    @property
    def deadline(self) -> float | None:
        """When `handle_timer` must be called next."""
        return earliest((self._ccp.deadline, self._give_up_at))

    def handle_timer(self, now: float) -> None:
        """Act on every timer that is due."""
        if self._give_up_at is not None and self._give_up_at <= now:
            self._over("the peer did not agree on CCP in time", now)
        self._ccp.handle_timer(now)

    def desync(self, now: float) -> None:
        """The engine cannot decrypt what the peer sends.

        In stateful mode a packet was lost, and a reset cures it. In stateless mode no loss does this: the two sides
        have different keys. CCP begins anew, with the keys from the sign-in; when that was tried just now, the link
        ends, because traffic would never pass.
        """
        agreed = self._ccp.options.agreed
        if self.stage is not Encryption.ON or agreed is None:
            return
        if agreed[0].mode is MppeMode.STATEFUL:
            if self._ccp.send_reset_request(now):
                self._outbox.events.append(MppeRekeyed("we asked the peer for a reset"))
            return
        if self._renewed_at is not None and now - self._renewed_at < RENEWAL_INTERVAL:
            detail = "what the peer sends does not decrypt, also after CCP was negotiated again"
            self._owner.end(DisconnectReason.ENCRYPTION_MISMATCH, detail, now)
            return
        self._renewed_at = now
        self._ccp.renegotiate(now)

    # --- on and over ---------------------------------------------------------------------------------------

    def _turn_on(self, receive: MppeTerms, send: MppeTerms, now: float) -> None:
        self._owner.command(StartMppe(self._key(receive, sending=False), self._key(send, sending=True)))
        self._owner.command(RequireMppe(True))
        self._give_up_at = None
        self.stage = Encryption.ON
        self._outbox.events.append(self._news(receive, send))
        self._before = True
        self._listener.encryption_decided(now)

    def _key(self, terms: MppeTerms, *, sending: bool) -> MppeDirection:
        keys = None if self._keys is None else self._keys.direction_keys(terms.bits)
        assert keys is not None, "only strengths with keys are negotiated"
        return MppeDirection(keys.send if sending else keys.receive, terms.bits, terms.mode)

    def _news(self, receive: MppeTerms, send: MppeTerms) -> Event:
        if self._before:
            return MppeRekeyed("CCP opened again")
        mode = receive.mode.value if receive.mode is send.mode else f"{receive.mode}/{send.mode}"
        return MppeOpened(min(receive.bits, send.bits), mode)

    def _over(self, detail: str, now: float, reason: DisconnectReason | None = None) -> None:
        """There will be no encryption: with `require`, or after there was some, that ends the link."""
        if self.stage in (Encryption.IDLE, Encryption.NONE):
            return
        self._give_up_at = None
        if self._policy is MppePolicy.REQUIRE or self._before:
            self._owner.end(reason or DisconnectReason.ENCRYPTION_MISMATCH, detail, now, by_peer=reason is not None)
            return
        self.stage = Encryption.NONE
        if self._ccp.state is not State.STARTING:
            self._ccp.close(now, "MPPE not agreed")
        self._listener.encryption_decided(now)

    # --- what CCP tells (`CcpLayer`) -----------------------------------------------------------------------

    def layer_up(self, protocol: Negotiation, now: float) -> None:  # noqa: ARG002 - part of `Layer`
        """CCP opened."""
        agreed = self._ccp.options.agreed
        if agreed is None:
            self._over("CCP opened without MPPE", now)
        else:
            self._turn_on(*agreed, now)

    def layer_down(self, protocol: Negotiation, now: float) -> None:  # noqa: ARG002 - part of `Layer`
        """CCP left Opened: the keys start over when it is back."""
        if self.stage is Encryption.ON:
            self._listener.encryption_interrupted()
            self._owner.command(StopMppe())
            self.stage = Encryption.NEGOTIATING

    def layer_finished(self, protocol: Negotiation, now: float) -> None:  # noqa: ARG002 - part of `Layer`
        """Nobody answered."""
        count = self._config.restart.max_configure
        self._over(f"CCP did not open: {count} Configure-Requests without agreement", now)

    def layer_failed(self, protocol: Negotiation, failure: Failure, now: float) -> None:  # noqa: ARG002
        """The negotiation cannot succeed."""
        self._over(failure.detail, now)

    def layer_terminated(self, protocol: Negotiation, data: bytes, now: float) -> None:  # noqa: ARG002
        """The peer closed CCP. On a link that was up this is how some peers hang up."""
        cause = terminate_cause(data, from_server=not self._config.demand)
        detail = "the peer closed CCP" + (f': "{cause.text}"' if cause.text else "")
        reason = (cause.reason or DisconnectReason.USER_REQUEST) if self._listener.was_open else None
        self._over(detail, now, reason)

    def reset_requested(self, now: float) -> None:
        """The peer lost step with what we send."""
        self._owner.command(ResetMppeSend())
        recent = self._told_reset_at is not None and now - self._told_reset_at < self._config.ccp.reset_interval
        if not recent:
            self._told_reset_at = now
            self._outbox.events.append(MppeRekeyed("the peer asked for a reset"))

    # --- what is known -------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Return what was agreed, as plain data."""
        agreed = self._ccp.options.agreed if self.stage is Encryption.ON else None
        return {
            "mppe": self.stage.value,
            "mppe_bits": None if agreed is None else min(agreed[0].bits, agreed[1].bits),
            "mppe_mode": None if agreed is None else agreed[0].mode.value,
        }

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data. It holds keys: handle as a secret."""
        return {
            "ccp": self._ccp.snapshot(),
            "stage": self.stage.value,
            "keys": None if self._keys is None else self._keys.snapshot(),
            "before": self._before,
            "give_up_at": self._give_up_at,
            "renewed_at": self._renewed_at,
            "told_reset_at": self._told_reset_at,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `snapshot` returned."""
        self._ccp.restore(state["ccp"])
        self.stage = Encryption(state["stage"])
        self._keys = None if state["keys"] is None else MppeKeyPair.restore(state["keys"])
        self._before, self._give_up_at = state["before"], state["give_up_at"]
        self._renewed_at, self._told_reset_at = state["renewed_at"], state["told_reset_at"]
