"""A session read in the order in which people should read a capture, each step with a verdict.

TCP handshake, control messages, GRE both ways, LCP and authentication, MPPE, address, ICMP and MTU, traffic and end.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from holdfast.capture.findings.base import Finding, Severity
from holdfast.capture.session import Kind, Phase, Session


class Step(StrEnum):
    """The steps, in their order."""

    TCP = "TCP handshake"
    CONTROL = "control messages"
    GRE = "GRE both ways"
    LOGIN = "LCP and authentication"
    MPPE = "MPPE"
    ADDRESS = "address"
    SIZES = "ICMP and MTU"
    TRAFFIC = "traffic and end"


STEPS: dict[Step, str] = {
    Step.TCP: "control-filtered control-refused network-unreachable port-check",
    Step.CONTROL: "not-pptp control-unanswered control-rejected call-refused call-unanswered capacity-reached "
    "control-lost",
    Step.GRE: "gre-missing gre-missing-from-client gre-missing-from-server gre-icmp-unreachable nat-without-helper "
    "call-id-collision gre-lost gre-interrupted gre-loss gre-reordering gre-duplicates gre-jitter replay "
    "attack-overflow",
    Step.LOGIN: "server-link-died pppd-not-started lcp-unanswered lcp-loop lcp-no-agreement auth-method-mismatch "
    "auth-rejected auth-disabled auth-expired auth-hours auth-no-permission auth-mutual-failed auth-unanswered "
    "eap-unsupported radius-timeout brute-force no-authentication cleartext-password password-differs "
    "server-password-differs link-closed-early stopped-early",
    Step.MPPE: "mppe-refused mppe-strength-mismatch mppe-mode-mismatch mppe-unavailable mppe-desync cleartext-data",
    Step.ADDRESS: "ipcp-no-address ipcp-no-agreement ipcp-address-conflict",
    Step.SIZES: "routing-loop mtu-too-big mtu-black-hole mss-not-clamped gre-fragmented",
    Step.TRAFFIC: "no-return-traffic inner-unanswered high-latency dead-peer idle-timeout session-timeout "
    "admin-disconnect user-disconnect server-ended client-ended session-replaced flapping",
}
"""The findings that belong to each step."""
STEP_OF = {finding: step for step, findings in STEPS.items() for finding in findings.split()}
APART = frozenset({"healthy", "harmless", "partial-capture", "capture-duplicates", "capture-lost-frames"})
"""What is said of the capture, or of everything."""
NEEDED = {
    Step.TCP: Phase.TCP,
    Step.CONTROL: Phase.CALL,
    Step.LOGIN: Phase.AUTHENTICATION,
    Step.MPPE: Phase.ENCRYPTION,
    Step.ADDRESS: Phase.ADDRESS,
    Step.TRAFFIC: Phase.TRAFFIC,
}


class State(StrEnum):
    """What a step says."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    NOT_SEEN = "not seen"


FOUND = {Severity.FAULT: State.FAULT, Severity.WARNING: State.WARNING}


@dataclass(frozen=True, slots=True)
class Item:
    """A step, its verdict, and the finding that gives it; empty when none does."""

    step: Step
    state: State
    finding: str = ""

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"step": self.step.value, "verdict": self.state.value, "finding": self.finding}


def sentence(items: Iterable[Item]) -> str:
    """Return a checklist in one line: `TCP handshake, control messages: ok; GRE both ways: FAULT gre-missing; ...`."""
    groups = [(state, list(steps)) for state, steps in groupby(items, key=_state)]
    if len(groups) == 1:
        return f"every step: {groups[0][0]}"
    return "; ".join(f"{', '.join(item.step.value for item in steps)}: {state}" for state, steps in groups)


def _state(item: Item) -> str:
    return f"{item.state.value.upper()} {item.finding}" if item.finding else item.state.value


def checklist(session: Session, findings: Iterable[Finding]) -> list[Item]:
    """Judge each step of a session by its findings, else by what was seen."""
    return list(_items(session, list(findings)))


def _items(session: Session, findings: list[Finding]) -> Iterator[Item]:
    for step in Step:
        here = [found for found in findings if STEP_OF.get(found.id) is step and found.severity in FOUND]
        if here:
            worst = min(here, key=lambda found: found.severity.rank)
            yield Item(step, FOUND[worst.severity], worst.id)
        else:
            yield Item(step, State.OK if _seen(session, step) else State.NOT_SEEN)


def _seen(session: Session, step: Step) -> bool:
    if step is Step.GRE:
        return bool(session.up and session.down)
    if step is Step.SIZES:
        return Phase.TRAFFIC in session.phases
    if step is Step.LOGIN and session.kind is Kind.PPP:
        return Phase.LCP in session.phases
    return NEEDED[step] in session.phases
