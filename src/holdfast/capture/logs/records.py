"""Logs whose lines are JSON objects: Holdfast's own events, and the journal of systemd."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from holdfast.capture.logs.lines import Line, read_line
from holdfast.capture.logs.when import Clock
from holdfast.errors import DisconnectReason

Told = tuple[str, float, str]

REASONS: dict[str, tuple[str, float]] = {
    DisconnectReason.USER_REQUEST: ("user-disconnect", 0.95),
    DisconnectReason.ADMIN: ("admin-disconnect", 0.97),
    DisconnectReason.RADIUS_DISCONNECT: ("admin-disconnect", 0.97),
    DisconnectReason.GATEWAY_SHUTDOWN: ("admin-disconnect", 0.9),
    DisconnectReason.IDLE_TIMEOUT: ("idle-timeout", 0.97),
    DisconnectReason.SESSION_TIMEOUT: ("session-timeout", 0.97),
    DisconnectReason.VOLUME_LIMIT: ("session-timeout", 0.6),
    DisconnectReason.ECHO_TIMEOUT: ("dead-peer", 0.95),
    DisconnectReason.CONTROL_LOST: ("control-lost", 0.95),
    DisconnectReason.NETWORK_ERROR: ("network-unreachable", 0.7),
    DisconnectReason.AUTH_FAILED: ("auth-rejected", 0.6),
    DisconnectReason.AUTH_REFUSED: ("auth-no-permission", 0.5),
    DisconnectReason.AUTH_UNAVAILABLE: ("radius-timeout", 0.9),
    DisconnectReason.ENCRYPTION_MISMATCH: ("mppe-refused", 0.85),
    DisconnectReason.NO_ADDRESS: ("ipcp-no-address", 0.95),
    DisconnectReason.LIMIT_REACHED: ("capacity-reached", 0.8),
    DisconnectReason.REPLACED: ("session-replaced", 0.97),
    DisconnectReason.NEGOTIATION_FAILED: ("lcp-unanswered", 0.6),
}
"""What the words for ends stand for."""

CODES: dict[int, str] = {
    646: "auth-hours",
    647: "auth-disabled",
    648: "auth-expired",
    649: "auth-no-permission",
    691: "auth-rejected",
    709: "auth-expired",
}
HALVES = {"received": "gre-lost", "sent": "gre-lost", "control": "control-lost"}
BEGINS = frozenset({"CONNECT", "SESSION_START", "DIAL_PHASE"})


def is_record(text: str) -> bool:
    """Whether a line is a JSON object."""
    return text.startswith("{") and text.rstrip().endswith("}")


def read_record(number: int, text: str, clock: Clock) -> Line | None:
    """Read one object; None when it says nothing of a session."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    if "MESSAGE" in record:
        return _journal(number, record)
    return _event(number, record, clock) if isinstance(record.get("event"), str) else None


def _journal(number: int, record: Mapping[str, Any]) -> Line | None:
    program, process = record.get("SYSLOG_IDENTIFIER") or record.get("_COMM"), record.get("_PID")
    line = read_line(number, f"{program}[{process}]: {record['MESSAGE']}")
    stamp = str(record.get("__REALTIME_TIMESTAMP", ""))
    if line is None or not stamp.isdecimal():
        return line
    return Line(number, int(stamp) * 1000, line.program, line.process, line.message, user=line.user)


def _event(number: int, record: Mapping[str, Any], clock: Clock) -> Line | None:
    name = record["event"]
    key = str(record.get("session") or record.get("connection") or record.get("tunnel") or "")
    told = tuple(_MEANINGS[name](record)) if name in _MEANINGS else ()
    up = name == "IP_UP"
    if not (key or told):
        return None
    stamp = _time(record.get("ts"), clock)
    words = f"{name} {_text(record, 'evidence') or _text(record, 'detail') or _text(record, 'why')}".strip()
    return Line(
        number,
        stamp,
        "holdfast",
        key,
        words[:200],
        user=_text(record, "user"),
        client=_text(record, "client_ip"),
        told=told,
        call_ids=(_whole(record, "peer_call_id"), _whole(record, "local_call_id")),
        begins=name == "SESSION_START",
        up=up,
        structured=True,
    )


def _time(stamp: Any, clock: Clock) -> int | None:
    try:
        return int(datetime.fromisoformat(str(stamp)).timestamp() * 1e6) * 1000
    except (ValueError, OverflowError, OSError):
        return clock.take(str(stamp))[0]


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    return value[:200] if isinstance(value, str) else ""


def _whole(record: Mapping[str, Any], key: str) -> int | None:
    value = record.get(key)
    return value if isinstance(value, int) and 0 <= value <= 0xFFFF else None


def _refused(record: Mapping[str, Any]) -> list[Told]:
    code = record.get("result_code")
    word = CODES.get(code, "auth-rejected") if isinstance(code, int) else "auth-rejected"
    return [(word, 0.97, f"{_text(record, 'method')}: {_text(record, 'detail') or 'refused'}")]


def _ended(record: Mapping[str, Any]) -> list[Told]:
    known = REASONS.get(_text(record, "reason"))
    return [(*known, _text(record, "evidence") or _text(record, "reason"))] if known else []


def _silent(record: Mapping[str, Any]) -> list[Told]:
    word = HALVES.get(_text(record, "direction"))
    return [(word, 0.9, _text(record, "detail"))] if word else []


def _simple(word: str, certainty: float) -> Callable[[Mapping[str, Any]], list[Told]]:
    return lambda record: [(word, certainty, _text(record, "detail") or record["event"])]


def _judged(record: Mapping[str, Any]) -> list[Told]:
    """What `holdfast watch` found: it is a finding already."""
    certainty = record.get("certainty")
    sure = float(certainty) if isinstance(certainty, int | float) else 0.5
    return [(_text(record, "finding"), sure, _text(record, "why"))] if record.get("finding") else []


_MEANINGS: dict[str, Callable[[Mapping[str, Any]], list[Told]]] = {
    "AUTH_FAIL": _refused,
    "TEARDOWN": _ended,
    "HALF_DEAD": _silent,
    "CALL_REFUSED": _simple("call-refused", 0.95),
    "CALL_ID_COLLISION": _simple("call-id-collision", 0.9),
    "IMPOSTOR": _simple("auth-mutual-failed", 0.95),
    "RADIUS_DOWN": _simple("radius-timeout", 0.95),
    "LOCKED": _simple("brute-force", 0.7),
    "SPRAYING": _simple("brute-force", 0.9),
    "BESIEGED": _simple("brute-force", 0.9),
    "NO_ADDRESS": _simple("ipcp-no-address", 0.97),
    "WATCH_FINDING": _judged,
    "WATCH_FAILED": _judged,
}
