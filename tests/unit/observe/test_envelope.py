"""What stands around a fact."""

import pytest

from holdfast.errors import DisconnectReason
from holdfast.events import (
    AuthenticationFailed,
    AuthenticationSucceeded,
    CallEstablished,
    Connected,
    ControlClosed,
    ControlEstablished,
    IpOpened,
    LcpOpened,
    MppeOpened,
    PeerIdentified,
    SessionEnded,
    SessionStarted,
)
from holdfast.observe import envelope
from holdfast.observe.envelope import PHASES, Envelopes, community_id

CONNECTION = {"connection": "c1", "client_ip": "203.0.113.7"}
SESSION = {**CONNECTION, "session": "s1"}
END = SessionEnded(DisconnectReason.ADMIN, "told", "alice", 1, 2, 3, 4, 5.0)
SET_UP = (
    (Connected("203.0.113.7:50123", "192.0.2.1:1723", "eth0"), CONNECTION),
    (ControlEstablished("host", "vendor", 1, 256), CONNECTION),
    (SessionStarted(), SESSION),
    (CallEstablished(1, 2, 3, 4, 5), SESSION),
    (LcpOpened(1400, 1396, "ms-chap-v2", 1, 2), SESSION),
    (AuthenticationSucceeded("ms-chap-v2", "alice"), SESSION),
    (MppeOpened(128, "stateless"), SESSION),
    (IpOpened("10.77.0.1", "10.77.0.10"), SESSION),
)


def envelopes() -> Envelopes:
    ticks = iter(range(1000))
    return Envelopes(lambda: float(next(ticks)))


def test_the_end_tells_everything_that_was_found() -> None:
    known = envelopes()
    for event, context in SET_UP:
        known.complete(event, context)
    last = known.complete(END, SESSION)
    assert {key: last[key] for key in ("interface", "gre_ip", "method", "result_code", "local_mru", "peer_mru")} == {
        "interface": "eth0",
        "gre_ip": "203.0.113.7",
        "method": "ms-chap-v2",
        "result_code": 0,
        "local_mru": 1400,
        "peer_mru": 1396,
    }
    assert (last["mppe_bits"], last["mppe_mode"], last["address"]) == (128, "stateless", "10.77.0.10")
    assert last["correlation"].startswith("1:")
    assert {key: last[key] > 0 for key in PHASES.values()} == dict.fromkeys(PHASES.values(), True)


def test_nothing_is_known_before_it_happened() -> None:
    known = envelopes()
    first = known.complete(*SET_UP[0])
    assert "local_mru" not in first
    assert first["interface"] == "eth0"


def test_a_phase_counts_once() -> None:
    known = envelopes()
    for event, context in (*SET_UP, *SET_UP[4:]):
        known.complete(event, context)
    assert known.complete(END, SESSION)["lcp_seconds"] == pytest.approx(1.0)


def test_our_own_signing_in_is_not_the_clients() -> None:
    known = envelopes()
    known.complete(AuthenticationSucceeded("pap", "me", by_peer=False), SESSION)
    known.complete(AuthenticationFailed("pap", "me", 0, "no", by_peer=False), SESSION)
    assert "method" not in known.complete(END, SESSION)


def test_two_sessions_of_one_connection_do_not_mix() -> None:
    known = envelopes()
    known.complete(*SET_UP[0])
    other = {**CONNECTION, "session": "s2"}
    known.complete(LcpOpened(1400, 1396, "", 1, 2), SESSION)
    assert "local_mru" not in known.complete(SessionStarted(), other)
    assert known.complete(SessionStarted(), other)["interface"] == "eth0"


def test_what_ended_is_forgotten() -> None:
    known = envelopes()
    for event, context in SET_UP:
        known.complete(event, context)
    known.complete(END, SESSION)
    known.complete(ControlClosed(DisconnectReason.ADMIN, "told"), CONNECTION)
    assert not known._sessions
    assert not known._connections


def test_a_flood_is_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "MOST_TRACKED", 10)
    known = envelopes()
    for number in range(100):
        known.complete(PeerIdentified("x"), {"connection": f"c{number}", "session": f"s{number}"})
    assert len(known._connections) == 10
    assert len(known._sessions) == 10


def test_a_fact_of_no_connection_stays_as_it_is() -> None:
    context = {"tunnel": "office"}
    assert envelopes().complete(PeerIdentified("x"), context) is context


@pytest.mark.parametrize(
    ("client", "server", "expected"),
    [
        # the example that the specification of Community ID gives
        ("128.232.110.120:34855", "66.35.250.204:80", "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
        ("66.35.250.204:80", "128.232.110.120:34855", "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
        ("", "", ""),
        ("::1:80", "66.35.250.204:80", ""),
        ("1.2.3.4:99999", "66.35.250.204:80", ""),
    ],
)
def test_community_id(client: str, server: str, expected: str) -> None:
    assert community_id(client, server) == expected
