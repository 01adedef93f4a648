"""The words for ends, and the exceptions meant for people."""

from enum import StrEnum


class DisconnectReason(StrEnum):
    """Why a session ended. Every TEARDOWN has exactly one."""

    USER_REQUEST = "user_request"
    ADMIN = "admin"
    IDLE_TIMEOUT = "idle_timeout"
    SESSION_TIMEOUT = "session_timeout"
    VOLUME_LIMIT = "volume_limit"
    ECHO_TIMEOUT = "echo_timeout"
    CONTROL_LOST = "control_lost"
    NETWORK_ERROR = "network_error"
    AUTH_FAILED = "auth_failed"
    AUTH_REFUSED = "auth_refused"
    AUTH_UNAVAILABLE = "auth_unavailable"
    """Nobody could judge who the peer is, such as while no RADIUS server answers: neither a yes nor a no."""
    ENCRYPTION_MISMATCH = "encryption_mismatch"
    NEGOTIATION_FAILED = "negotiation_failed"
    PROTOCOL_FAILURE = "protocol_failure"
    NO_ADDRESS = "no_address"
    LIMIT_REACHED = "limit_reached"
    REPLACED = "replaced"
    GATEWAY_SHUTDOWN = "gateway_shutdown"
    RADIUS_DISCONNECT = "radius_disconnect"
    INTERNAL_ERROR = "internal_error"


class ControlEnd(StrEnum):
    """How a control connection ended, as far as TCP and RFC 2637 tell."""

    OPEN = "open"
    """Not at all: it was open when this was said."""
    STOP = "stop"
    """The peer said goodbye: Stop-Control-Connection-Request."""
    FIN = "fin"
    """The peer closed TCP in order, without a goodbye of RFC 2637."""
    RST = "rst"
    """TCP was reset: the peer's program or host went away, or a firewall in between refuses the connection."""
    TIMEOUT = "timeout"
    """TCP repeated in vain and gave up."""
    UNREACHABLE = "unreachable"
    """The network said that the peer cannot be reached."""
    ECHO = "echo"
    """TCP is open, and the peer did not answer an Echo-Request."""
    LOCAL = "local"
    """This side ended it."""


WANTED_ENDS = frozenset(
    {
        DisconnectReason.USER_REQUEST,
        DisconnectReason.ADMIN,
        DisconnectReason.IDLE_TIMEOUT,
        DisconnectReason.SESSION_TIMEOUT,
        DisconnectReason.VOLUME_LIMIT,
        DisconnectReason.REPLACED,
        DisconnectReason.GATEWAY_SHUTDOWN,
        DisconnectReason.RADIUS_DISCONNECT,
    }
)
"""Ends that somebody wanted: they explain themselves."""


def where_raised(error: BaseException) -> str:
    """Return the kind of an error and the line that raised it: what may be told of a fault of ours, whose text may hold
    anything."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    file = "" if last is None else last.tb_frame.f_code.co_filename.rpartition("/")[2]
    return type(error).__name__ + (f" at {file}:{last.tb_lineno}" if last is not None else "")


class HoldfastError(Exception):
    """An error for people: what happened, where, and what to do about it.

    `what` says what is wrong, `where` names the file, key or address, `fix` says what to do. Printed as one
    text; the command line turns it into exit code 2 (1 where a command says so).
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        super().__init__(self.text())

    def text(self) -> str:
        """Return the whole message, one line a part."""
        first = f"{self.where}: {self.what}" if self.where else self.what
        return f"{first}\n  {self.fix}" if self.fix else first

    def sentence(self) -> str:
        """Return the whole message in one line, for a log or an event."""
        return self.text().replace("\n  ", "; ").replace("\n", "; ")


class ConfigError(HoldfastError):
    """A configuration that cannot be used as it is written."""


class StateError(HoldfastError):
    """The state directory or the database in it cannot be used."""


class DamagedError(StateError):
    """What lies on the disk is not what was written there."""


class HostError(HoldfastError):
    """The host refuses something that is needed: a right, a device, a port."""


class NotRunningError(HoldfastError):
    """No gateway answers on the control socket."""
