"""Half-dead sessions: which part is silent, since when, and what is known of the rest.

A PPTP session has two channels that live and die apart: the control connection (TCP) and GRE, and GRE has two
directions. Each silence is told with its direction while it lasts (`HALF_DEAD`, `RECOVERED`), and every end says in a
sentence what was silent and what was not.
"""

from typing import TYPE_CHECKING

from holdfast.dataplane.interface import Counters
from holdfast.errors import DisconnectReason
from holdfast.events import EchoLost, HalfDead, Recovered

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway
    from holdfast.gateway.subscriber import Subscriber

RECEIVED, SENT, CONTROL = "received", "sent", "control"


def echo_missed(gateway: "Gateway", subscriber: "Subscriber", missed: int) -> None:
    """An LCP echo went unanswered: tell it, and ask on the control connection whether that is alive."""
    now = gateway.now()
    if subscriber.missed_since is None:
        subscriber.missed_since = now
        subscriber.connection.probe()
    subscriber.missed = missed
    gateway.report(EchoLost(missed), subscriber.context())
    control_heard(gateway, subscriber)


def control_heard(gateway: "Gateway", subscriber: "Subscriber") -> None:
    """Tell that only GRE is silent, once that is known: the control connection answered after echoes were missed."""
    # One lost echo is nothing special, unless the next one ends the session already.
    enough = min(2, max(1, subscriber.policy.lcp_echo_failures - 1))
    if subscriber.missed < enough or RECEIVED in subscriber.silent or not _control_alive(subscriber):
        return
    since = gateway.wall_clock(_last_heard(gateway, subscriber))
    _half_dead(gateway, subscriber, RECEIVED, f"no GRE from the client since {since}; the control connection answers")


def recovered(gateway: "Gateway", subscriber: "Subscriber", detail: str = "the client answers again") -> None:
    """GRE from the client is back after echoes were missed."""
    subscriber.missed_since, subscriber.missed = None, 0
    subscriber.silent.discard(RECEIVED)
    gateway.report(Recovered(detail), subscriber.context())


def dead(gateway: "Gateway", subscriber: "Subscriber", missed: int) -> None:
    """As many echoes as allowed went unanswered: end the session, and say what else was alive."""
    since = gateway.wall_clock(_last_heard(gateway, subscriber))
    client = subscriber.connection.client
    echoes = f"{missed} LCP echo{'es' if missed != 1 else ''} unanswered since {since}"
    evidence = f"{echoes}; control connection {_control_words(gateway, subscriber, client)}"
    subscriber.session.abort(DisconnectReason.ECHO_TIMEOUT, evidence, gateway.now())


def _control_words(gateway: "Gateway", subscriber: "Subscriber", client: str) -> str:
    if subscriber.grace_until is not None:
        return "lost before: the client or its network is gone"
    if _control_alive(subscriber):
        return f"alive: GRE from {client} stopped"
    heard = gateway.wall_clock(subscriber.connection.last_heard)
    return f"open, but silent since {heard}: {client} or the way to it is gone"


def _control_alive(subscriber: "Subscriber") -> bool:
    """Whether the client said something on the control connection since echoes began to be missed."""
    since = subscriber.missed_since
    return since is not None and subscriber.grace_until is None and subscriber.connection.last_heard >= since


def _last_heard(gateway: "Gateway", subscriber: "Subscriber") -> float:
    """When GRE came last; when the call began if never."""
    return gateway.counters(subscriber).last_received or subscriber.started


def control_lost(gateway: "Gateway", subscriber: "Subscriber", detail: str) -> bool:
    """The control connection of a session is gone. Return whether the session goes on for a while without it.

    RFC 2637 section 3.1.3 ends the calls with it, and so do we unless the policy grants a grace.
    """
    now, grace = gateway.now(), subscriber.policy.control_lost_grace
    evidence = f"control connection lost at {gateway.wall_clock(now)} ({detail}); {_gre_words(gateway, subscriber)}"
    if grace and subscriber.up and _gre_alive(gateway, subscriber):
        subscriber.grace_until = now + grace
        subscriber.grace_evidence = evidence
        _half_dead(gateway, subscriber, CONTROL, f"{evidence}; the session may go on for {grace:g} s")
        gateway.patrol.begin(subscriber)
        return True
    gateway.call_gone(subscriber, DisconnectReason.CONTROL_LOST, evidence)
    return False


def _gre_alive(gateway: "Gateway", subscriber: "Subscriber") -> bool:
    policy = subscriber.policy
    patience = policy.lcp_echo_interval * policy.lcp_echo_failures or subscriber.policy.control_lost_grace
    return gateway.now() - _last_heard(gateway, subscriber) <= patience


def _gre_words(gateway: "Gateway", subscriber: "Subscriber") -> str:
    heard = gateway.counters(subscriber).last_received
    if not heard:
        return "no GRE ever came"
    return f"GRE from {subscriber.connection.client} came last {max(0.0, gateway.now() - heard):.1f} s before"


def acknowledgements(gateway: "Gateway", subscriber: "Subscriber", counters: Counters, now: float) -> None:
    """Notice a client that we hear and that does not hear us: it sends, and acknowledges nothing of ours.

    Only clients that have acknowledged before are judged: some never do, and live well.
    """
    policy = subscriber.policy
    patience = policy.lcp_echo_interval * policy.lcp_echo_failures or 30.0
    waiting = counters.unacknowledged_since
    hears_us = not waiting or now - waiting <= patience
    we_hear = now - counters.last_received <= patience
    if hears_us and SENT in subscriber.silent:
        subscriber.silent.discard(SENT)
        gateway.report(Recovered("the client acknowledges again"), subscriber.context())
    elif not hears_us and we_hear and SENT not in subscriber.silent:
        since = gateway.wall_clock(waiting)
        detail = f"GRE from the client comes, but it has acknowledged nothing of ours since {since}"
        _half_dead(gateway, subscriber, SENT, detail)


def _half_dead(gateway: "Gateway", subscriber: "Subscriber", direction: str, detail: str) -> None:
    subscriber.silent.add(direction)
    gateway.report(HalfDead(direction, detail), subscriber.context())
