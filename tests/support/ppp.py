"""PPP links that talk to each other or to a script, in virtual time."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from random import Random

from holdfast.events import Event
from holdfast.machine import earliest
from holdfast.ppp.authentication import PROTOCOLS, Method, PeerCredentials, Verdict, VerifyCredentials, make_peer
from holdfast.ppp.codes import Code, code_name
from holdfast.ppp.commands import AddressAssignment, AddressRefusal, AssignAddress, LinkCommand
from holdfast.ppp.config import CcpConfig, IpcpConfig, LinkConfig, MppePolicy
from holdfast.ppp.credentials import StoredSecret, verify
from holdfast.ppp.framing import Frame, join, protocol_name, split
from holdfast.ppp.framing import Protocol as Number
from holdfast.ppp.link import Link
from holdfast.ppp.options import Option
from holdfast.ppp.packet import Packet, describe, parse
from holdfast.secret import Secret
from holdfast.wire.tlv import write_options

PASSWORD = b"clientPass"
USER = "alice"
ADDRESSES = AddressAssignment("10.77.0.1", "10.77.0.10", ("10.77.0.53", "10.77.0.54"), ("10.77.0.137",))
GATEWAY = LinkConfig(demand=(Method.MS_CHAP_V2,))
DIALER = LinkConfig(
    accept=(Method.MS_CHAP_V2,),
    credentials=PeerCredentials(USER, Secret(PASSWORD)),
    ipcp=IpcpConfig(assigns=False),
)
OPEN = LinkConfig(ccp=CcpConfig(policy=MppePolicy.OFF))
"""A gateway without authentication and encryption."""


def gateway(*demand: Method, **ccp: object) -> LinkConfig:
    """Return a gateway that demands these methods, with these settings of encryption."""
    return replace(GATEWAY, demand=demand, ccp=CcpConfig(**ccp))


def dialer(*accept: Method, **ccp: object) -> LinkConfig:
    """Return a dialer that accepts these methods, with these settings of encryption."""
    return replace(DIALER, accept=accept, ccp=CcpConfig(**ccp))


class End:
    """One link with a driver that answers its questions at once and keeps what it said."""

    def __init__(self, config: LinkConfig, seed: int, password: bytes = PASSWORD) -> None:
        self.config = config
        self.random = Random(seed)
        self.entropy = self.random.randbytes
        self.link = Link(config, self.entropy)
        self.stored = StoredSecret.from_password(Secret(password))
        self.addresses: AddressAssignment | AddressRefusal | None = ADDRESSES
        self.verdict: Verdict | None = None
        self.commands: list[LinkCommand] = []
        self.events: list[Event] = []
        self.sent: list[bytes] = []

    def drain(self, now: float) -> list[bytes]:
        """Execute the commands, then return the frames to send."""
        frames: list[bytes] = []
        while True:
            commands, sent = self.link.commands(), self.link.outgoing()
            self.events += self.link.events()
            self.commands += commands
            frames += sent
            if not commands:
                break
            for command in commands:
                self._execute(command, now)
        self.sent += frames
        return frames

    def _execute(self, command: LinkCommand, now: float) -> None:
        if isinstance(command, VerifyCredentials):
            self.link.credentials_verified(self.verdict or verify(command.exchange, self.stored), now)
        elif isinstance(command, AssignAddress) and self.addresses is not None:
            self.link.address_assigned(self.addresses, now)

    def hand_over(self) -> None:
        """Replace the link by one that is made from its state, as an upgrade does; randomness goes on as it was."""
        state = self.random.getstate()
        self.link = Link.restore(self.link.snapshot(), self.config, self.entropy)
        self.random.setstate(state)

    def told(self, kind: type) -> list:
        """Return the events and commands of a kind, oldest first."""
        return [item for item in (*self.events, *self.commands) if isinstance(item, kind)]


@dataclass(frozen=True)
class Wire:
    """How bad the path is: chances per frame, and the delay in seconds (reordering comes from its spread)."""

    loss: float = 0.0
    duplicates: float = 0.0
    delay: tuple[float, float] = (0.01, 0.01)


class Network:
    """Two ends and the wire between them."""

    def __init__(self, left: End, right: End, wire: Wire | None = None, seed: int = 7) -> None:
        self.ends = (left, right)
        self.wire = wire or Wire()
        self.random = Random(seed)
        self.now = 0.0
        self.flying: list[tuple[float, int, int, bytes]] = []
        self.numbers = count()
        self.after_each: Callable[[], None] = lambda: None

    def start(self) -> "Network":
        """Bring both links up."""
        for end in self.ends:
            end.link.open(self.now)
            end.link.lower_up(self.now)
        self.flush()
        return self

    def flush(self) -> None:
        """Put on the wire what the ends want to say."""
        for index, end in enumerate(self.ends):
            for frame in end.drain(self.now):
                self._fly(1 - index, frame)

    def _fly(self, to: int, frame: bytes) -> None:
        copies = 0 if self.random.random() < self.wire.loss else 1 + (self.random.random() < self.wire.duplicates)
        for _ in range(copies):
            at = self.now + self.random.uniform(*self.wire.delay)
            heapq.heappush(self.flying, (at, next(self.numbers), to, frame))

    @property
    def next_at(self) -> float | None:
        """When the next thing happens."""
        arrival = self.flying[0][0] if self.flying else None
        return earliest((arrival, *(end.link.deadline for end in self.ends)))

    def step(self) -> bool:
        """Go on to the next thing that happens; False when nothing will."""
        at = self.next_at
        if at is None:
            return False
        self.now = max(self.now, at)
        while self.flying and self.flying[0][0] <= self.now:
            _, _, to, frame = heapq.heappop(self.flying)
            self.ends[to].link.receive(frame, self.now)
            self.flush()
        for end in self.ends:
            if end.link.deadline is not None and end.link.deadline <= self.now:
                end.link.handle_timer(self.now)
        self.flush()
        self.after_each()
        return True

    def run(self, until: float = 120.0, steps: int = 20_000) -> "Network":
        """Go on until nothing happens or the time is over."""
        for _ in range(steps):
            at = self.next_at
            if at is None or at > until:
                self.now = max(self.now, until)
                return self
            self.step()
        raise AssertionError("the links never come to rest")


def pair(
    left: LinkConfig, right: LinkConfig, wire: Wire | None = None, seed: int = 7, stored: bytes = PASSWORD
) -> Network:
    """Return a network of a gateway (left) that stores this password, and a dialer (right)."""
    server = End(left, seed * 2 + 1, stored)
    return Network(server, End(right, seed * 2 + 2), wire, seed)


class Script:
    """One link against a peer whose packets the test writes."""

    def __init__(self, config: LinkConfig, seed: int = 3) -> None:
        self.end = End(config, seed)
        self.now = 0.0
        self.waiting: list[Frame] = []
        self.last: dict[tuple[int, int], Packet] = {}
        self.end.link.open(0.0)
        self.end.link.lower_up(0.0)

    @property
    def link(self) -> Link:
        """The link under test."""
        return self.end.link

    def say(self, protocol: int, code: int, identifier: int, *options: Option, data: bytes = b"") -> list[Packet]:
        """Let the peer send one packet; return the packets that answer it in the same protocol."""
        packet = Packet(code, identifier, write_options(options) + data)
        return self.raw(join(protocol, packet.encode()), protocol)

    def raw(self, frame: bytes, protocol: int) -> list[Packet]:
        """Let the peer send a frame as it is."""
        self.link.receive(frame, self.now)
        return self.heard(protocol)

    def heard(self, protocol: int) -> list[Packet]:
        """Return the packets of `protocol` that were sent since the last call."""
        self.waiting += [frame for frame in map(split, self.end.drain(self.now)) if frame is not None]
        taken = [parse(frame.information) for frame in self.waiting if frame.protocol == protocol]
        self.waiting = [frame for frame in self.waiting if frame.protocol != protocol]
        return taken

    def agree(self, protocol: int, request: Packet) -> list[Packet]:
        """Acknowledge a Configure-Request of ours."""
        return self.say(protocol, Code.CONFIGURE_ACK, request.identifier, data=request.data)

    def wait(self, seconds: float, protocol: int) -> list[Packet]:
        """Let time pass, timers running; return what was sent."""
        until = self.now + seconds
        while self.link.deadline is not None and self.link.deadline <= until:
            self.now = max(self.now, self.link.deadline)
            self.link.handle_timer(self.now)
        self.now = until
        return self.heard(protocol)


class Play(Script):
    """A conversation that reads like a transcript: `tell` what the peer says, `hear` what the link answers.

    Heard packets are lines such as `LCP Configure-Reject 0 callback=06`; our own Magic-Number is written `ours`.
    """

    def tell(self, protocol: int, code: int, identifier: int, *options: Option, data: bytes = b"") -> "Play":
        """Let the peer say something."""
        packet = Packet(code, identifier, write_options(options) + data)
        self.link.receive(join(protocol, packet.encode()), self.now)
        return self

    def hear(self, *lines: str) -> "Play":
        """Expect exactly these packets, in order."""
        assert self.lines() == list(lines)
        return self

    def lines(self) -> list[str]:
        """Return what was sent since the last call, as text."""
        lines = []
        for frame in map(split, self.end.drain(self.now)):
            assert frame is not None
            packet = parse(frame.information)
            self.last[frame.protocol, packet.code] = packet
            name = f"{protocol_name(frame.protocol)} {code_name(frame.protocol, packet.code)} {packet.identifier}"
            lines.append(f"{name} {self._hide_magic(describe(frame.protocol, packet))}".rstrip())
        return lines

    def _hide_magic(self, text: str) -> str:
        ours = next((o.data.hex() for o in self.last[Number.LCP, 1].options() if o.type == 5), "")
        return text.replace(f"magic=0x{ours}", "magic=ours")

    def grant(self, protocol: int) -> "Play":
        """Let the peer acknowledge our latest Configure-Request."""
        request = self.last[protocol, Code.CONFIGURE_REQUEST]
        return self.tell(protocol, Code.CONFIGURE_ACK, request.identifier, data=request.data)

    def sign_in(self, method: Method, user: str = USER, password: bytes = PASSWORD) -> "Play":
        """Let the peer answer the challenge; what the link says from the Success on waits to be heard."""
        peer = make_peer(method, PeerCredentials(user, Secret(password)), Random(9).randbytes)
        peer.start(self.now)
        for frame in map(split, self.end.sent):
            if frame is not None and frame.protocol == PROTOCOLS[method]:
                peer.receive(frame.information, self.now)
        for information in peer.outgoing():
            self.link.receive(join(PROTOCOLS[method], information), self.now)
        return self
