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
from typing import Any

from holdfast.errors import DisconnectReason
from holdfast.events import IpOpened
from holdfast.machine import earliest
from holdfast.ppp.automaton import State
from holdfast.ppp.codes import Code
from holdfast.ppp.commands import AddressAssignment, AddressRefusal, AssignAddress, CloseNetwork, OpenNetwork
from holdfast.ppp.config import LinkConfig
from holdfast.ppp.control_protocol_types import Failure, Negotiation, Outbox
from holdfast.ppp.framing import Protocol, protocol_name
from holdfast.ppp.ipcp import Ipcp, IpcpRules, address_text, requested_address
from holdfast.ppp.link_encryption import LinkEncryption, Owner
from holdfast.ppp.mppe import MppeKeyPair
from holdfast.ppp.packet import parse
from holdfast.ppp.termination import terminate_cause
from holdfast.wire.errors import MalformedError

WISH_PATIENCE = 1.0
"""Seconds that an address is not chosen because the client's Configure-Request may still tell its wish."""

MAX_HELD = 256
"""Octets of an early Configure-Request that is held; real ones have 10 to 40."""


class Asking(StrEnum):
    """Where the choice of the client's address stands."""

    NO = "no"
    WAITING_FOR_WISH = "waiting-for-wish"
    ASKED = "asked"
    ANSWERED = "answered"


class LinkNetwork:
    """Encryption and IPCP of one link, and what they open.

    `heard`: whether the peer sent anything in this phase; then it knows that it was authenticated. `was_open`:
    whether user traffic was allowed at any time.
    """

    __slots__ = (
        "_asking",
        "_config",
        "_encryption",
        "_held",
        "_ipcp",
        "_open",
        "_outbox",
        "_owner",
        "_user",
        "_wish_until",
        "heard",
        "was_open",
    )

    def __init__(self, config: LinkConfig, owner: Owner, outbox: Outbox) -> None:
        self._config, self._owner, self._outbox = config, owner, outbox
        self._encryption = LinkEncryption(config, owner, self, outbox)
        self._ipcp = Ipcp(config.restart, IpcpRules(config.ipcp), self, outbox)
        self._asking = Asking.NO
        self._user = ""
        self._held = b""
        """The latest IPCP Configure-Request that came too early."""
        self._wish_until: float | None = None
        """When a client that has not asked for an address gets whichever is free."""
        self._open = False
        self.heard = False
        self.was_open = False

    # --- verbs of the link ---------------------------------------------------------------------------------

    def start(self, user: str, keys: MppeKeyPair | None, now: float) -> None:
        """Enter the phase. `keys` None when the authentication gave none."""
        if self._asking is not Asking.NO and user != self._user:
            detail = "the peer authenticated again as somebody else"
            self._owner.end(DisconnectReason.PROTOCOL_FAILURE, detail, now)
            return
        self._user = user
        self._encryption.start(keys, now)

    def stop(self, now: float) -> None:
        """LCP went down: everything is negotiated anew, with new keys; the address is kept."""
        self._pause()
        self._held = b""
        self._wish_until = None
        self.heard = False
        if self._asking is Asking.WAITING_FOR_WISH:
            self._asking = Asking.NO
        self._ipcp.lower_down(now)
        self._encryption.stop(now)

    def knows(self, protocol: int) -> bool:
        """Whether `protocol` is spoken; otherwise it is answered with a Protocol-Reject."""
        if protocol == Protocol.CCP:
            return self._encryption.spoken
        return protocol in (Protocol.IPCP, Protocol.IP, Protocol.COMPRESSED)

    def receive(self, protocol: int, information: bytes, now: float) -> None:
        """Take a packet of CCP or IPCP; user data that came this way is discarded (RFC 1661 section 3.6)."""
        self.heard = True
        if protocol == Protocol.CCP:
            self._encryption.receive(information, now)
        elif protocol == Protocol.IPCP:
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
        if protocol == Protocol.CCP:
            self._encryption.rejected_by_peer(now)
        elif protocol == Protocol.IPCP:
            detail = "the peer rejects IPCP: it does not carry IP"
            self._owner.end(DisconnectReason.NEGOTIATION_FAILED, detail, now)
        elif protocol in (Protocol.IP, Protocol.COMPRESSED):
            self._outbox.violation(Protocol.LCP, f"the peer rejects {protocol_name(protocol)} packets")

    def mppe_desync(self, now: float) -> None:
        """The engine cannot decrypt what the peer sends."""
        self._encryption.desync(now)

    @property
    def deadline(self) -> float | None:
        """When `handle_timer` must be called next."""
        return earliest((self._encryption.deadline, self._ipcp.deadline, self._wish_until))

    def handle_timer(self, now: float) -> None:
        """Act on every timer that is due."""
        if self._wish_until is not None and self._wish_until <= now:
            self._ask_address()
        self._encryption.handle_timer(now)
        self._ipcp.handle_timer(now)

    # --- what encryption tells (`EncryptionListener`) ------------------------------------------------------

    def encryption_decided(self, now: float) -> None:
        """Go on: with traffic when addresses are agreed already, else with addresses."""
        if self._ipcp.opened:
            self._resume()
        elif not self._config.ipcp.assigns or self._asking is Asking.ANSWERED:
            self._start_ipcp(now)
        elif self._asking is Asking.NO and self._held:
            self._ask_address()
        elif self._asking is Asking.NO:
            self._asking = Asking.WAITING_FOR_WISH
            self._wish_until = now + WISH_PATIENCE

    def encryption_interrupted(self) -> None:
        """No user traffic until it is decided again."""
        self._pause()

    # --- addresses -----------------------------------------------------------------------------------------

    def _ask_address(self) -> None:
        self._wish_until = None
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
        if self._encryption.decided:
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
            self._open = self.was_open = True
            rules = self._ipcp.options
            self._owner.command(OpenNetwork(address_text(rules.local), address_text(rules.peer)))

    def _pause(self) -> None:
        if self._open:
            self._open = False
            self._owner.command(CloseNetwork())

    # --- what IPCP tells (`Layer`) -------------------------------------------------------------------------

    def layer_up(self, protocol: Negotiation, now: float) -> None:  # noqa: ARG002 - part of `Layer`
        """Addresses are agreed."""
        rules = self._ipcp.options
        local, peer = address_text(rules.local), address_text(rules.peer)
        if self._config.ipcp.assigns and not peer:
            self._owner.end(DisconnectReason.NO_ADDRESS, "the peer takes no address of ours and names none", now)
            return
        self._outbox.events.append(IpOpened(local, peer, rules.dns, rules.wins))
        if self._encryption.decided:
            self._resume()

    def layer_down(self, protocol: Negotiation, now: float) -> None:  # noqa: ARG002 - part of `Layer`
        """Addresses are negotiated again: no user traffic until that is done."""
        self._pause()

    def layer_finished(self, protocol: Negotiation, now: float) -> None:  # noqa: ARG002 - part of `Layer`
        """Nobody answered."""
        count = self._config.restart.max_configure
        detail = f"IPCP did not open: {count} Configure-Requests without agreement"
        self._owner.end(DisconnectReason.NEGOTIATION_FAILED, detail, now)

    def layer_failed(self, protocol: Negotiation, failure: Failure, now: float) -> None:  # noqa: ARG002
        """The negotiation cannot succeed."""
        self._owner.end(failure.reason, failure.detail, now)

    def layer_terminated(self, protocol: Negotiation, data: bytes, now: float) -> None:  # noqa: ARG002
        """The peer closed IPCP. On a link that was up this is how some peers hang up."""
        cause = terminate_cause(data, from_server=not self._config.demand)
        detail = "the peer closed IPCP" + (f': "{cause.text}"' if cause.text else "")
        default = DisconnectReason.USER_REQUEST if self.was_open else DisconnectReason.NEGOTIATION_FAILED
        self._owner.end(cause.reason or default, detail, now, by_peer=True)

    # --- what is known -------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Return what was negotiated, as plain data."""
        rules, up = self._ipcp.options, self._ipcp.opened
        return {
            **self._encryption.status(),
            "local_address": address_text(rules.local) if up else "",
            "peer_address": address_text(rules.peer) if up else "",
            "dns": list(rules.dns) if up else [],
            "wins": list(rules.wins) if up else [],
            "network_open": self._open,
        }

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data. It holds keys: handle as a secret."""
        return {
            "encryption": self._encryption.snapshot(),
            "ipcp": self._ipcp.snapshot(),
            "asking": self._asking.value,
            "user": self._user,
            "held": self._held,
            "wish_until": self._wish_until,
            "open": self._open,
            "heard": self.heard,
            "was_open": self.was_open,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `snapshot` returned."""
        self._encryption.restore(state["encryption"])
        self._ipcp.restore(state["ipcp"])
        self._asking = Asking(state["asking"])
        self._user, self._held, self._wish_until = state["user"], state["held"], state["wish_until"]
        self._open, self.heard, self.was_open = state["open"], state["heard"], state["was_open"]
