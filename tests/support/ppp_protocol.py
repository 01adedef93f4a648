"""One control protocol alone, with a layer above it that writes down what it is told."""

from collections.abc import Callable
from random import Random
from typing import Any

from holdfast.ppp.ccp import Ccp, MppeRules
from holdfast.ppp.config import CcpConfig, IpcpConfig, LcpConfig, RestartConfig
from holdfast.ppp.control_protocol import ControlProtocol
from holdfast.ppp.control_protocol_types import Failure, Outbox
from holdfast.ppp.framing import split
from holdfast.ppp.ipcp import Ipcp, IpcpRules
from holdfast.ppp.ipv6cp import Ipv6cp, Ipv6cpRules
from holdfast.ppp.lcp import Lcp
from holdfast.ppp.lcp_rules import LcpRules
from holdfast.ppp.options import Option
from holdfast.ppp.packet import Packet, parse
from holdfast.wire.tlv import write_options


class Recorder:
    """Every layer there is; keeps (what, value) in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def layer_up(self, _protocol: object, _now: float) -> None:
        self.told.append(("up", None))

    def layer_down(self, _protocol: object, _now: float) -> None:
        self.told.append(("down", None))

    def layer_finished(self, _protocol: object, _now: float) -> None:
        self.told.append(("finished", None))

    def layer_failed(self, _protocol: object, failure: Failure, _now: float) -> None:
        self.told.append(("failed", failure))

    def layer_terminated(self, _protocol: object, data: bytes, _now: float) -> None:
        self.told.append(("terminated", data))

    def protocol_rejected(self, protocol: int, _now: float) -> None:
        self.told.append(("rejected", protocol))

    def looped_back(self, detail: str, _now: float) -> None:
        self.told.append(("looped", detail))

    def reset_requested(self, _now: float) -> None:
        self.told.append(("reset", None))

    def take(self) -> list[tuple[str, Any]]:
        """Return what was told since the last call."""
        taken, self.told = self.told, []
        return taken


class Talk:
    """A conversation with one protocol that was opened at time 0; `sent` is what it said first."""

    def __init__(self, make: Callable[[Recorder, Outbox], ControlProtocol]) -> None:
        self.layer, self.outbox = Recorder(), Outbox()
        self.protocol: Any = make(self.layer, self.outbox)
        self.now = 0.0
        self.protocol.open(0.0)
        self.protocol.lower_up(0.0)
        self.sent = self.take()

    def take(self) -> list[Packet]:
        """Return the packets sent since the last call."""
        frames, self.outbox.frames = self.outbox.frames, []
        return [parse(part.information) for part in map(split, frames) if part is not None]

    def say(self, code: int, identifier: int, *options: Option, data: bytes = b"") -> list[Packet]:
        """Let the peer send a packet; return the answers."""
        self.protocol.receive(Packet(code, identifier, write_options(options) + data).encode(), self.now)
        return self.take()

    def agree(self, request: Packet | None = None) -> list[Packet]:
        """Acknowledge the latest Configure-Request."""
        request = request or self.sent[-1]
        return self.say(2, request.identifier, data=request.data)

    def open(self, *options: Option) -> "Talk":
        """Come to Opened: acknowledge, and ask for `options`."""
        self.agree()
        self.say(1, 100, *options)
        assert self.protocol.opened
        self.layer.take()
        return self

    def wait(self, seconds: float) -> list[Packet]:
        """Let time pass, timers running; return what was sent."""
        until = self.now + seconds
        while self.protocol.deadline is not None and self.protocol.deadline <= until:
            self.now = self.protocol.deadline
            self.protocol.handle_timer(self.now)
        self.now = until
        return self.take()


RESTART = RestartConfig()


def lcp(demand: tuple = (), accept: tuple = (), *, seed: int = 5, **settings: object) -> Talk:
    """Return a conversation with LCP."""
    config = LcpConfig(**settings)
    entropy = Random(seed).randbytes
    return Talk(lambda layer, outbox: Lcp(RESTART, LcpRules(config, demand, accept, entropy), layer, outbox))


def ccp(**settings: object) -> Talk:
    """Return a conversation with CCP."""
    config = CcpConfig(**settings)
    return Talk(lambda layer, outbox: Ccp(RESTART, MppeRules(config), layer, outbox, config.reset_interval))


def ipcp(rules: IpcpRules | None = None, **settings: object) -> Talk:
    """Return a conversation with IPCP."""
    chosen = rules or IpcpRules(IpcpConfig(**settings))
    return Talk(lambda layer, outbox: Ipcp(RESTART, chosen, layer, outbox))


def ipv6cp(seed: int = 5) -> Talk:
    """Return a conversation with IPV6CP."""
    return Talk(lambda layer, outbox: Ipv6cp(RESTART, Ipv6cpRules(Random(seed).randbytes), layer, outbox))
