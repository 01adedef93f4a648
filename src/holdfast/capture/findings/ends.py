"""How a session ended in good order: which side began, and whether anything says why."""

from holdfast.capture.findings.view import View
from holdfast.capture.link import Ending
from holdfast.capture.moment import Moment
from holdfast.control.messages import CallDisconnectNotify, StopControlConnectionRequest
from holdfast.ppp.framing import Protocol

USER_WORDS = ("user request",)
USER_CODES = (0, 629, 631)
IDLE_WORDS = ("link inactive", "idle")
SESSION_WORDS = ("connect time expired", "session timeout", "maximum session")
SHUTDOWN, ADMIN = 3, 3


def end_of(view: View) -> tuple[Moment, bool] | None:
    """Return when a session that was up ended in good order, and whether the client began it."""
    return view.session.goodbye if view.up else None


def last_terminate(view: View) -> Ending | None:
    """Return the Terminate-Request of LCP that ended the session."""
    goodbye = end_of(view)
    found = (ending for ending in view.link.endings if ending.protocol == Protocol.LCP)
    return next((ending for ending in found if goodbye and ending.moment >= goodbye[0]), None)


def told(view: View, words: tuple[str, ...], codes: tuple[int, ...] = ()) -> Ending | None:
    """Return the ending when its text or Windows error says one of these."""
    ending = last_terminate(view)
    if ending is None:
        return None
    worded = any(word in ending.cause.text.lower() for word in words)
    return ending if worded or ending.cause.ras_error in codes else None


def by_admin(view: View) -> Moment | None:
    """Return when the server stopped the whole control connection or cleared the call as administrator."""
    for item in view.session.stops:
        stop = item.message
        shutdown = isinstance(stop, StopControlConnectionRequest) and stop.reason == SHUTDOWN
        if not item.from_client and (shutdown or last_terminate(view) is None):
            return item.moment
    for item in view.call.clears if view.call else []:
        plain = isinstance(item.message, CallDisconnectNotify) and item.message.result_code == ADMIN
        if plain and not item.from_client and last_terminate(view) is None:
            return item.moment
    return None


def classified(view: View) -> bool:
    """Whether something says why the session ended."""
    return bool(
        told(view, USER_WORDS, USER_CODES)
        or told(view, IDLE_WORDS, (828,))
        or told(view, SESSION_WORDS)
        or by_admin(view)
    )
