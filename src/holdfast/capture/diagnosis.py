"""A capture judged: the one object behind the text, the JSON and the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from holdfast.capture.case import Case, build
from holdfast.capture.checklist import checklist
from holdfast.capture.findings.base import Finding, Severity
from holdfast.capture.findings.catalogue import Judgement, judge
from holdfast.capture.inside import look_inside
from holdfast.capture.logs.judge import Log
from holdfast.capture.logs.together import Together, join
from holdfast.capture.moment import iso
from holdfast.capture.reading import Progress, read
from holdfast.capture.session import Kind, Phase, Session
from holdfast.capture.vantage import Pair, compare
from holdfast.control.codes import CONTROL_PORT
from holdfast.secret import Secret


class Verdict(StrEnum):
    """The shortest answer."""

    HEALTHY = "healthy"
    FINDINGS = "findings"
    NOTHING = "nothing"
    """No PPTP in the capture."""


@dataclass
class Diagnosis:
    """A case and what was found in it."""

    case: Case
    judgement: Judgement
    logs: Together | None = None
    """Logs of the same time, when some were given."""

    @property
    def verdict(self) -> Verdict:
        """Findings above a note decide; without a session there is nothing to judge."""
        if not self.case.sessions:
            return Verdict.NOTHING
        worst = self.judgement.worst
        return Verdict.FINDINGS if worst is not None and worst is not Severity.NOTE else Verdict.HEALTHY

    def findings(self, session: Session | None) -> list[Finding]:
        """Return the findings of a session, or of the capture as a whole, most important first."""
        return self.judgement.of(session)

    def as_data(self) -> dict[str, Any]:
        """Return everything as plain data, the shape that `--json` prints."""
        data: dict[str, Any] = {
            "verdict": self.verdict.value,
            "files": [_file(file) for file in self.case.files],
            "counts": _counts(self.case),
            "findings": [finding.as_data() for finding in self.findings(None)],
            "sessions": [_session(session, self.findings(session)) for session in self.case.sessions],
        }
        if self.logs is not None:
            data["logs"] = self.logs.as_data()
            for session, shown in zip(self.case.sessions, data["sessions"], strict=True):
                shown["timeline"] = self.logs.timeline(session)
        return data


@dataclass
class Comparison:
    """The same sessions seen at both ends."""

    client: Diagnosis
    server: Diagnosis
    pairs: list[Pair]

    @property
    def verdict(self) -> Verdict:
        """The worse of both ends; frames that vanish in between are a finding too."""
        verdicts = {self.client.verdict, self.server.verdict}
        lost = any(pair.up.vanished or pair.down.vanished for pair in self.pairs)
        if lost or Verdict.FINDINGS in verdicts:
            return Verdict.FINDINGS
        return Verdict.HEALTHY if Verdict.HEALTHY in verdicts else Verdict.NOTHING

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data: the verdict, the pairs, and each end's own diagnosis."""
        return {
            "verdict": self.verdict.value,
            "pairs": [pair.as_data() for pair in self.pairs],
            "client": self.client.as_data(),
            "server": self.server.as_data(),
        }


def diagnose(
    names: Sequence[str],
    *,
    nt_hash: Secret | None = None,
    user: str = "",
    logs: Sequence[Log] = (),
    port: int | None = None,
    progress: Progress | None = None,
) -> Diagnosis:
    """Read captures and judge them, with `logs` of the same time. UnreadableCaptureError when none can be read.

    `nt_hash` opens the sessions that it fits; with `user`, only those of that name are tried. `port` is the TCP port of
    control connections where it is another one than 1723.
    """
    case = build(read(names, whole_data=nt_hash is not None, port=port, progress=progress))
    for session in case.sessions if nt_hash is not None else []:
        if nt_hash is not None and user in ("", session.user):
            session.inside = look_inside(session, nt_hash)
    judgement = judge(case)
    return Diagnosis(case, judgement, join(case.sessions, judgement, list(logs)) if logs else None)


def compare_ends(
    at_client: Sequence[str], at_server: Sequence[str], *, port: int | None = None, progress: Progress | None = None
) -> Comparison:
    """Judge captures made at both ends and follow every frame from one to the other."""
    ends = []
    for names in (at_client, at_server):
        case = build(read(names, whole_data=True, port=port, progress=progress))
        ends.append(Diagnosis(case, judge(case)))
    return Comparison(ends[0], ends[1], compare(ends[0].case, ends[1].case))


def session_filter(session: Session) -> str:
    """Return a Wireshark display filter that shows a session."""
    if session.kind is Kind.PPP:
        return "ppp || lcp || chap"
    field = "ipv6" if ":" in session.client + session.server else "ip"
    pair = f"{field}.addr == {session.client} && {field}.addr == {session.server}"
    port = session.conversation.server[1] if session.conversation else CONTROL_PORT
    return f"{pair} && (tcp.port == {port} || gre || icmp)"


def _file(file: Any) -> dict[str, Any]:
    return {
        "name": file.name,
        "format": file.format,
        "frames": file.frames,
        "error": file.error[0] if file.error else None,
        "notes": [{"kind": kind, "text": text, "frame": frame} for kind, text, frame in file.notes],
        "comments": [{"frame": frame, "text": text} for frame, text in file.comments],
        "dropped": file.dropped,
    }


def _counts(case: Case) -> dict[str, Any]:
    counts = case.counts
    return {
        "frames": counts.frames,
        "octets": counts.octets,
        "control_messages": counts.messages,
        "gre_packets": counts.gre,
        "ppp_frames": counts.ppp,
        "other_gre_packets": counts.foreign_gre,
        "begin": iso(case.begin) if counts.frames else None,
        "end": iso(case.end) if counts.frames else None,
    }


def _session(session: Session, findings: list[Finding]) -> dict[str, Any]:
    call = session.call
    return {
        "id": session.id,
        "kind": session.kind.value,
        "client": session.client,
        "server": session.server,
        "client_port": session.conversation.client[1] if session.conversation else None,
        "user": session.user,
        "phase": session.phase.value if session.phase else None,
        "phases": {phase.value: moment.iso() for phase, moment in session.phases.items()},
        "started": session.started.iso(),
        "ended": session.ended.iso(),
        "duration": round(session.ended.since(session.started), 6),
        "call_ids": {
            "client": call.client_call_id if call else _only(session, up=False),
            "server": call.server_call_id if call else _only(session, up=True),
        },
        "negotiated": negotiated(session),
        "counters": {"client_to_server": counters(session, up=True), "server_to_client": counters(session, up=False)},
        "inside": _inside(session),
        "checklist": [item.as_data() for item in checklist(session, findings)],
        "filter": session_filter(session),
        "findings": [finding.as_data(session_filter(session)) for finding in findings],
    }


def _inside(session: Session) -> dict[str, Any] | None:
    inside = session.inside
    if inside is None:
        return None
    return {
        "password_fits": inside.password_fits,
        "server_proved": inside.server_proved,
        "deciphered": len(inside.packets),
        "not_deciphered": sum(inside.opaque.values()),
    }


def _only(session: Session, *, up: bool) -> int | None:
    flows = session.flows(up)
    return flows[0].call_id if flows else None


def negotiated(session: Session) -> dict[str, Any]:
    """Return what the two sides agreed on; None and empty for what they did not."""
    link = session.link
    return {
        "authentication": str(link.method) if link.method else None,
        "authenticated": Phase.AUTHENTICATION in session.phases,
        "encryption": {"bits": link.mppe.bits, "mode": "stateless" if link.mppe.stateless else "stateful"}
        if link.mppe
        else None,
        "client_mru": link.mru(client=True),
        "server_mru": link.mru(client=False),
        "client_address": link.client_address,
        "server_address": link.server_address,
        "dns": link.dns,
    }


def counters(session: Session, *, up: bool) -> dict[str, Any]:
    """Return the counts of one direction."""
    flows = session.flows(up)
    medians = [flow.lag_median_ns for flow in flows if flow.lag_median_ns is not None]
    return {
        "packets": sum(flow.packets for flow in flows),
        "octets": sum(flow.octets for flow in flows),
        "acknowledgements_only": sum(flow.acks_only for flow in flows),
        "negotiation": sum(flow.negotiation_frames for flow in flows),
        "encrypted": sum(flow.encrypted for flow in flows),
        "clear": sum(flow.clear for flow in flows),
        "missing": sum(flow.missing for flow in flows),
        "reordered": sum(flow.reordered for flow in flows),
        "duplicates": sum(flow.duplicates for flow in flows),
        "copies": sum(flow.copies for flow in flows),
        "largest": max((flow.largest for flow in flows), default=0),
        "ttl": [min(flow.ttl[0] for flow in flows), max(flow.ttl[1] for flow in flows)] if flows else None,
        "longest_silence": round(max((flow.silence_ns for flow in flows), default=0) / 1e9, 6),
        "acknowledgement_lag": round(min(medians) / 1e9, 6) if medians else None,
    }
