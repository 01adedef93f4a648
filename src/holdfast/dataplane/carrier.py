"""Carries out on the packet engine what a link asks for: the one place where link commands become engine calls."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from holdfast.dataplane.interface import Keepalive, LinkParameters, MppeDirection, MppeMode, PacketEngine
from holdfast.ppp import commands as link


class Carrier:
    """The engine's side of one call: its handle and the verbs that the link's commands name."""

    __slots__ = ("_engine", "_keepalive", "_link", "_most", "_networks", "_rates", "handle")

    def __init__(self, engine: PacketEngine, handle: int, keepalive: Keepalive) -> None:
        self._engine = engine
        self._keepalive = keepalive
        self._networks: tuple[str, ...] = ()
        self._rates = (0, 0)
        self._link: LinkParameters | None = None
        self._most = 0
        self.handle = handle

    def execute(self, command: Any) -> bool:
        """Carry out `command` if it is one for the engine; return whether it was."""
        action = self._ACTIONS.get(type(command))
        if action is None:
            return False
        action(self, command)
        return True

    def set_keepalive(self, keepalive: Keepalive) -> None:
        """Change the keepalive, now that it is known who the peer is."""
        if keepalive != self._keepalive:
            self._keepalive = keepalive
            self._engine.set_keepalive(self.handle, keepalive)

    def set_networks(self, networks: tuple[str, ...]) -> None:
        """Let these networks lead to the call besides the peer's address, from the network phase on."""
        self._networks = networks

    def set_rates(self, up: int, down: int) -> None:
        """Limit what comes from the peer (up) and what goes to it (down), in bits a second; 0 sets no limit."""
        if (up, down) != self._rates:
            self._rates = (up, down)
            self._engine.set_rates(self.handle, up, down)

    def limit_mtu(self, most: int) -> None:
        """Send packets of so many octets at most, even where LCP agreed on more; 0 leaves it to LCP."""
        if most != self._most:
            self._most = most
            self._apply_link()

    @property
    def mtu(self) -> int:
        """Octets of the largest packet that the peer is sent; 0 while LCP has agreed on none."""
        return 0 if self._link is None else min(self._link.mtu, self._most or self._link.mtu)

    def _apply_link(self) -> None:
        if self._link is not None:
            self._engine.configure(self.handle, replace(self._link, mtu=self.mtu))

    def send(self, frames: list[bytes]) -> None:
        """Send PPP control frames in order."""
        for frame in frames:
            self._engine.send(self.handle, frame)

    def _configure(self, command: link.ConfigureLink) -> None:
        self._link = LinkParameters(
            mtu=command.mtu,
            mru=command.mru,
            compress_protocol=command.compress_protocol,
            omit_framing=command.omit_framing,
            local_magic=command.local_magic,
            peer_magic=command.peer_magic,
        )
        self._apply_link()
        self._engine.set_keepalive(self.handle, self._keepalive)

    def _require_mppe(self, command: link.RequireMppe) -> None:
        self._engine.require_mppe(self.handle, command.required)

    def _start_mppe(self, command: link.StartMppe) -> None:
        self._engine.set_mppe(self.handle, _direction(command.receive), _direction(command.send))

    def _stop_mppe(self, _command: link.StopMppe) -> None:
        self._engine.set_mppe(self.handle, None, None)

    def _reset_send(self, _command: link.ResetMppeSend) -> None:
        self._engine.reset_mppe_send(self.handle)

    def _open_network(self, command: link.OpenNetwork) -> None:
        self._engine.open_network(self.handle, (command.peer, *self._networks) if command.peer else ())

    def _close_network(self, _command: link.CloseNetwork) -> None:
        self._engine.close_network(self.handle)

    _ACTIONS: ClassVar[Mapping[type, Callable[["Carrier", Any], None]]] = {
        link.ConfigureLink: _configure,
        link.RequireMppe: _require_mppe,
        link.StartMppe: _start_mppe,
        link.StopMppe: _stop_mppe,
        link.ResetMppeSend: _reset_send,
        link.OpenNetwork: _open_network,
        link.CloseNetwork: _close_network,
    }


def _direction(direction: link.MppeDirection) -> MppeDirection:
    return MppeDirection(direction.start_key, direction.bits, MppeMode[direction.mode.name])
