"""The gateway's door: who may open a control connection or a call, and the protocol's own answer to who may not."""

from typing import TYPE_CHECKING

from holdfast.control.codes import GeneralError, OutgoingCallResult, StartResult
from holdfast.errors import DisconnectReason
from holdfast.gateway.notices import Notices
from holdfast.policy.admission import Admission, AdmissionRules, Barrier, Refused

if TYPE_CHECKING:
    from holdfast.gateway.connection import ControlConnection
    from holdfast.gateway.gateway import Gateway
    from holdfast.gateway.subscriber import Subscriber

MOST_TURNED_AWAY = 256
"""Connections that are kept until they can be told why they are turned away; what comes beyond is just closed."""

_STRANGERS = (Barrier.DENIED_NETWORK, Barrier.NOT_ALLOWED_NETWORK)
_BAD_ENDS = (
    DisconnectReason.CONTROL_LOST,
    DisconnectReason.ECHO_TIMEOUT,
    DisconnectReason.NETWORK_ERROR,
    DisconnectReason.PROTOCOL_FAILURE,
)
"""Ends of sessions that flap. Who hangs up politely, or is ended by us, does not."""

_NOTHING_FREE = (OutgoingCallResult.GENERAL_ERROR, GeneralError.NO_RESOURCE)
_CALL_ANSWERS = {
    Barrier.DRAINING: (OutgoingCallResult.DO_NOT_ACCEPT, GeneralError.NONE),
    Barrier.RECONNECTS: (OutgoingCallResult.BUSY, GeneralError.NONE),
}


class Door:
    """Asks `Admission`, answers the client, tells the log."""

    def __init__(self, gateway: "Gateway", rules: AdmissionRules, notices: Notices) -> None:
        self._gateway, self._notices = gateway, notices
        self.admission = Admission(rules)
        self._turned_away: set[ControlConnection] = set()

    # --- control connections -------------------------------------------------------------------------------

    def connection(self, connection: "ControlConnection") -> Refused | None:
        """Judge a new control connection."""
        now = self._gateway.now()
        refused = self._leaving() or self.admission.connection(connection.client, now)
        if refused is not None:
            self._tell(connection, refused)
        return refused

    def answer(self, connection: "ControlConnection", refused: Refused) -> tuple[StartResult, GeneralError] | None:
        """Return what to tell a client that is turned away; None when it is not worth the wait for its question."""
        if refused.barrier is Barrier.CONNECTIONS or len(self._turned_away) >= MOST_TURNED_AWAY:
            return None
        self._turned_away.add(connection)
        if refused.barrier in _STRANGERS:
            return StartResult.NOT_AUTHORIZED, GeneralError.NONE
        return StartResult.GENERAL_ERROR, GeneralError.NO_RESOURCE

    def connection_closed(self, connection: "ControlConnection") -> None:
        """A connection is gone, one that was let in or one that was turned away."""
        if connection in self._turned_away:
            self._turned_away.discard(connection)
        elif connection.connection_id:
            self.admission.connection_closed(connection.client)

    def stop(self) -> None:
        """Close what was turned away and is still there."""
        for connection in list(self._turned_away):
            connection.abort()

    # --- calls ---------------------------------------------------------------------------------------------

    def call(self, connection: "ControlConnection") -> tuple[OutgoingCallResult, GeneralError] | None:
        """Judge a call request; None when it may be granted, else what to answer."""
        refused = self._leaving() or self._unjudged() or self.admission.call(connection.client, self._gateway.now())
        if refused is None:
            return None
        self._tell(connection, refused)
        return _CALL_ANSWERS.get(refused.barrier, _NOTHING_FREE)

    def call_failed(self, connection: "ControlConnection") -> None:
        """A call that was granted came to nothing on our side."""
        self.admission.session_ended(connection.client, None, self._gateway.now(), flap=False)

    def session_ended(self, subscriber: "Subscriber", reason: DisconnectReason) -> None:
        """A session is gone."""
        now = self._gateway.now()
        lasted = None if subscriber.up_at is None else now - subscriber.up_at
        self.admission.session_ended(subscriber.connection.client, lasted, now, flap=reason in _BAD_ENDS)

    # --- inside --------------------------------------------------------------------------------------------

    def _leaving(self) -> Refused | None:
        return Refused(Barrier.DRAINING, "the gateway takes no new calls") if self._gateway.draining else None

    def _unjudged(self) -> Refused | None:
        remote = self._gateway.logins.remote
        if remote is None or not remote.turns_away():
            return None
        return Refused(Barrier.RADIUS_DOWN, "no RADIUS server answers, and calls are turned away meanwhile")

    def _tell(self, connection: "ControlConnection", refused: Refused) -> None:
        context = {**connection.context(), "client_ip": connection.client}
        self._notices.limit(refused.barrier, connection.client, refused.detail, context, self._gateway.now())
