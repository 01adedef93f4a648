"""What the packet engine tells, and what the gateway makes of it."""

from typing import TYPE_CHECKING

from holdfast.dataplane.interface import Upcall, UpcallKind
from holdfast.errors import DisconnectReason
from holdfast.events import CallIdCollision, Direction, EchoLost, Recovered, SendFailed, UnknownCallSeen

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway
    from holdfast.gateway.subscriber import Subscriber


class UpcallDesk:
    """Sorts the engine's upcalls."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway

    def take(self, upcall: Upcall) -> None:
        """Act on one upcall. A session that ended in the meantime has none."""
        if upcall.kind is UpcallKind.UNKNOWN_CALL:
            self._gateway.report(UnknownCallSeen(upcall.value, upcall.peer), {})
            return
        subscriber = self._gateway.by_handle(upcall.handle)
        if subscriber is None:
            return
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
                gateway.report(EchoLost(upcall.value), subscriber.context())
            case UpcallKind.ECHO_RECOVERED:
                gateway.report(Recovered("the client answers again"), subscriber.context())
            case UpcallKind.DEAD:
                session.abort(DisconnectReason.ECHO_TIMEOUT, self._silence(subscriber, upcall.value), gateway.now())
            case UpcallKind.WRONG_PEER:
                collision = CallIdCollision(upcall.value, subscriber.connection.client, upcall.peer)
                gateway.report(collision, subscriber.context())
            case UpcallKind.SEND_FAILED:
                gateway.report(SendFailed(upcall.value), subscriber.context())

    def _silence(self, subscriber: "Subscriber", missed: int) -> str:
        seconds = missed * self._gateway.settings.keepalive.interval
        return (
            f"{missed} LCP Echo-Requests in {seconds:g} s were not answered; the control connection is open: "
            f"GRE from {subscriber.connection.client} stopped"
        )
