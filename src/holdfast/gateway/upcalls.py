"""What the packet engine tells, and what the gateway makes of it."""

from typing import TYPE_CHECKING

from holdfast.dataplane.interface import Upcall, UpcallKind
from holdfast.events import CallIdCollision, Direction, SendFailed, UnknownCallSeen
from holdfast.gateway import health

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway
    from holdfast.gateway.subscriber import Subscriber


class UpcallDesk:
    """Sorts the engine's upcalls."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway

    def take(self, upcall: Upcall) -> None:
        """Act on one upcall. A session that ended in the meantime has none."""
        if upcall.kind is UpcallKind.BROKEN:
            self._gateway.engine_broke(upcall.frame.decode(errors="replace"))
            return
        if upcall.kind is UpcallKind.UNKNOWN_CALL:
            self._gateway.report(UnknownCallSeen(upcall.value, upcall.peer), {})
            return
        subscriber = self._gateway.by_handle(upcall.handle)
        if subscriber is not None:
            with self._gateway.guarded(subscriber):
                self._take(subscriber, upcall)

    def _take(self, subscriber: "Subscriber", upcall: Upcall) -> None:
        if upcall.kind is UpcallKind.FRAME:
            subscriber.tape.frames(Direction.RECEIVED, (upcall.frame,))
            subscriber.session.receive(upcall.frame, self._gateway.now())
        else:
            self._take_report(subscriber, upcall)
        self._gateway.drive(subscriber)

    def _take_report(self, subscriber: "Subscriber", upcall: Upcall) -> None:
        gateway, session = self._gateway, subscriber.session
        match upcall.kind:
            case UpcallKind.MPPE_DESYNC:
                session.mppe_desync(gateway.now())
            case UpcallKind.ECHO_MISSED:
                health.echo_missed(gateway, subscriber, upcall.value)
            case UpcallKind.ECHO_RECOVERED:
                health.recovered(gateway, subscriber)
            case UpcallKind.DEAD:
                health.dead(gateway, subscriber, upcall.value)
            case UpcallKind.WRONG_PEER:
                collision = CallIdCollision(upcall.value, subscriber.connection.client, upcall.peer)
                gateway.report(collision, subscriber.context())
            case UpcallKind.SEND_FAILED:
                gateway.report(SendFailed(upcall.value), subscriber.context())
