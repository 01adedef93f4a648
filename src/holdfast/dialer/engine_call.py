"""One call on the engine, from its Call ID to its last counts, as a tunnel uses it.

Asked while the call is not there (before `begin`, after `end`) every verb does nothing: a tunnel that is going away
need not think of it.
"""

from dataclasses import replace
from typing import Any

from holdfast.dataplane.carrier import Carrier
from holdfast.dataplane.interface import CallPath, Counters, Keepalive
from holdfast.dialer.engine_port import EnginePort, UpcallReceiver
from holdfast.ppp.codes import Code
from holdfast.ppp.commands import ConfigureLink
from holdfast.ppp.framing import Protocol
from holdfast.ppp.packet import HEADER_SIZE, Packet

MAGIC_SIZE = 4
SMALLEST_ECHO = HEADER_SIZE + MAGIC_SIZE
REPLY = Protocol.LCP.to_bytes(2) + bytes((Code.ECHO_REPLY,))


class EngineCall:
    """The engine's side of one tunnel."""

    def __init__(self, port: EnginePort) -> None:
        self.call_id = 0
        self._port = port
        self._counters = Counters()
        self._carrier: Carrier | None = None
        self._link: ConfigureLink | None = None
        self._largest: int | None = None
        self._carries = False

    def __bool__(self) -> bool:
        """Whether the call is there."""
        return self._carrier is not None

    @property
    def handle(self) -> int:
        """The engine's name of the call, 0 for none."""
        return self._carrier.handle if self._carrier is not None else 0

    @property
    def carries(self) -> bool:
        """Whether user packets may pass."""
        return self._carries

    @property
    def mtu(self) -> int:
        """The largest inner packet that LCP allows to be sent, 0 before it is known."""
        return self._link.mtu if self._link is not None else 0

    @property
    def mru(self) -> int:
        """The largest inner packet that LCP allows the peer to send, 0 before it is known."""
        return self._link.mru if self._link is not None else 0

    # --- from the first to the last ------------------------------------------------------------------------

    def reserve(self) -> int:
        """Take a Call ID and return it."""
        self.call_id = self._port.take_call_id()
        return self.call_id

    def begin(self, path: CallPath, keepalive: Keepalive, owner: UpcallReceiver) -> None:
        """Make the call known; `owner` hears of it. ValueError or OSError when the engine refuses."""
        engine = self._port.engine
        handle = engine.add_call(path)
        self._carrier = Carrier(engine, handle, keepalive)
        self._port.attach(handle, owner)

    def end(self) -> None:
        """Give the call back; its last counts stay."""
        carrier, self._carrier = self._carrier, None
        if carrier is not None:
            self._port.detach(carrier.handle)
            self._counters, self._carries = self._port.engine.remove_call(carrier.handle), False

    def give_back(self) -> None:
        """Let the Call ID be used again."""
        if self.call_id:
            self._port.give_back_call_id(self.call_id)
            self.call_id = 0

    # --- while it is there ---------------------------------------------------------------------------------

    def execute(self, command: Any) -> None:
        """Carry out a command of the link, as far as it is the engine's."""
        if isinstance(command, ConfigureLink):
            self._link = command
            command = self._fitting(command)
        if self._carrier is not None:
            self._carrier.execute(command)

    def send(self, frames: list[bytes]) -> None:
        """Send PPP control frames in order."""
        if self._carrier is not None:
            self._carrier.send(frames)

    def open(self, networks: tuple[str, ...]) -> None:
        """Let user packets pass, from and to these inner networks."""
        if self._carrier is not None:
            self._port.engine.open_network(self._carrier.handle, networks)
            self._carries = True

    def inject(self, packet: bytes) -> None:
        """Send an inner IP packet of our own."""
        if self._carrier is not None and self._carries:
            self._port.engine.inject(self._carrier.handle, packet)

    def set_keepalive(self, keepalive: Keepalive) -> None:
        """Change the engine's LCP echoes."""
        if self._carrier is not None:
            self._port.engine.set_keepalive(self._carrier.handle, keepalive)

    def send_echo(self, identifier: int, size: int) -> None:
        """Send an LCP Echo-Request with `size` octets of information, in a packet that nobody may fragment."""
        if self._carrier is not None and self._link is not None:
            magic, filling = self._link.local_magic.to_bytes(MAGIC_SIZE), bytes(max(0, size - SMALLEST_ECHO))
            frame = Protocol.LCP.to_bytes(2) + Packet(Code.ECHO_REQUEST, identifier, magic + filling).encode()
            self._port.engine.send(self._carrier.handle, frame, whole=True)

    def limit(self, largest: int) -> None:
        """Send no inner packets beyond `largest` octets, whatever LCP allows now or later; the MSS follows."""
        changed, self._largest = self._largest != largest, largest
        if changed and self._carrier is not None and self._link is not None:
            self._carrier.execute(self._fitting(self._link))

    def counters(self) -> Counters:
        """Return the counts, the last ones when it is over."""
        if self._carrier is not None:
            self._counters = self._port.engine.counters(self._carrier.handle)
        return self._counters

    def _fitting(self, command: ConfigureLink) -> ConfigureLink:
        return command if self._largest is None else replace(command, mtu=min(command.mtu, self._largest))


def read_echo_reply(frame: bytes) -> tuple[int, int] | None:
    """Return identifier and size (octets of the information field) of an LCP Echo-Reply, None for any other frame."""
    if not frame.startswith(REPLY) or len(frame) < len(REPLY) + 3:
        return None
    return frame[3], min(int.from_bytes(frame[4:6]), len(frame) - 2)
