"""Metrics: what is counted from events, and what a scrape shows."""

import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from holdfast.dataplane.interface import Counters
from holdfast.errors import ControlEnd, DisconnectReason
from holdfast.events import (
    AccountingQueued,
    AuthenticationFailed,
    AuthenticationSucceeded,
    CallEstablished,
    CallRefused,
    Connected,
    ControlClosed,
    ControlEstablished,
    Event,
    IpOpened,
    LcpOpened,
    LimitReached,
    MppeOpened,
    SessionEnded,
)
from holdfast.observe import metrics as module
from holdfast.observe.distribution import Spread
from holdfast.observe.metrics import Metrics
from holdfast.observe.metrics_reading import CallReading, PathReading, Reading, UserReading

CONTEXT = {"session": "s1", "connection": "c1", "user": "alice"}
UP: tuple[tuple[Event, float], ...] = (
    (Connected("192.0.2.9:1000", "192.0.2.1:1723"), 0.0),
    (ControlEstablished("client", "Microsoft", 0, 256), 0.1),
    (CallEstablished(1, 2, 0, 0, 64), 0.1),
    (LcpOpened(1400, 1400, "ms-chap-v2", 1, 2), 0.8),
    (AuthenticationSucceeded("ms-chap-v2", "alice"), 0.05),
    (MppeOpened(128, "stateless"), 0.02),
    (IpOpened("10.77.0.1", "10.77.0.10"), 0.01),
)


def ended(reason: DisconnectReason = DisconnectReason.USER_REQUEST) -> SessionEnded:
    return SessionEnded(reason, "", "alice", bytes_in=5, bytes_out=7, packets_in=1, packets_out=2, duration=3.0)


class Scene:
    """Metrics with a clock and a reading of the test's own."""

    def __init__(self, **options) -> None:
        self.now = 0.0
        self.reading = Reading()
        self.metrics = Metrics(lambda: self.reading, clock=lambda: self.now, **options)

    def tell(self, *events: Event, **context) -> None:
        for event in events:
            self.metrics.observe(event, CONTEXT | context)

    def come_up(self, until: int = len(UP)) -> None:
        for event, seconds in UP[:until]:
            self.now += seconds
            self.tell(event)

    def samples(self) -> dict[tuple[str, ...], float]:
        """Every series by its name and the values of its labels."""
        self.metrics.take_reading()
        families = text_string_to_metric_families(self.metrics.expose().decode())
        return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_a_session_that_comes_up_is_timed_phase_by_phase():
    scene = Scene()
    scene.come_up()
    scene.tell(UP[-1][0], ended())
    seen = scene.samples()
    assert seen["holdfast_setups_total",] == 1
    assert seen["holdfast_sessions_ended_total", "user_request"] == 1
    took = {key[1]: value for key, value in seen.items() if key[0] == "holdfast_phase_seconds_sum"}
    assert took == pytest.approx(
        {
            "control": 0.1,
            "call": 0.1,
            "lcp": 0.8,
            "authentication": 0.05,
            "encryption": 0.02,
            "network": 0.01,
            "total": 1.08,
        }
    )
    assert {value for key, value in seen.items() if key[0] == "holdfast_phase_seconds_count"} == {1}
    assert not [key for key in seen if key[0] == "holdfast_setup_failures_total"]


@pytest.mark.parametrize(
    ("steps", "reason", "phase"),
    [
        (3, DisconnectReason.NETWORK_ERROR, "lcp"),
        (4, DisconnectReason.AUTH_FAILED, "authentication"),
        (5, DisconnectReason.ENCRYPTION_MISMATCH, "encryption"),
        (5, DisconnectReason.NO_ADDRESS, "network"),
        (6, DisconnectReason.NO_ADDRESS, "network"),
    ],
)
def test_a_session_that_fails_is_counted_by_phase_and_reason(steps, reason, phase):
    scene = Scene()
    scene.come_up(steps)
    scene.tell(ended(reason), ControlClosed(DisconnectReason.USER_REQUEST, ""))
    failures = {key[1:]: value for key, value in scene.samples().items() if key[0] == "holdfast_setup_failures_total"}
    assert failures == {(phase, str(reason)): 1}


def test_a_connection_that_says_nothing_fails_in_the_control_phase():
    scene = Scene()
    scene.come_up(1)
    scene.tell(ControlClosed(DisconnectReason.PROTOCOL_FAILURE, ""))
    seen = scene.samples()
    assert seen["holdfast_setup_failures_total", "control", "protocol_failure"] == 1
    assert seen["holdfast_control_closed_total", "protocol_failure"] == 1


def test_limits_by_their_names_and_accounting_that_waits():
    scene = Scene()
    assert scene.samples()["holdfast_limits_total", "half_open"] == 0
    scene.tell(LimitReached("half_open", "192.0.2.9", "", 4), AccountingQueued(7, ""))
    seen = scene.samples()
    assert (seen["holdfast_limits_total", "half_open"], seen["holdfast_accounting_waiting",]) == (4, 7)
    scene.tell(AccountingQueued(0, ""))
    assert scene.samples()["holdfast_accounting_waiting",] == 0


def test_how_control_connections_ended():
    scene = Scene()
    scene.tell(ControlClosed(DisconnectReason.CONTROL_LOST, "", ControlEnd.RST))
    ends = {key[1]: value for key, value in scene.samples().items() if key[0] == "holdfast_control_ends_total"}
    assert ends == {"stop": 0, "fin": 0, "rst": 1, "timeout": 0, "unreachable": 0, "echo": 0, "local": 0}


def test_paths_are_read_as_histograms_and_calls_by_their_ids():
    scene = Scene()
    spread = Spread((("0.1", 2), ("+Inf", 3)), 0.7)
    calls = (CallReading(5, "alice", 1, 2, 3, 0.02), CallReading(6, "bob", 7, 8))
    scene.reading = Reading(paths=PathReading(tunnel=spread, control_jitter=spread, retransmits=4), calls=calls)
    seen = scene.samples()
    expected = {
        ("holdfast_tunnel_round_trip_seconds_bucket", "0.1"): 2,
        ("holdfast_tunnel_round_trip_seconds_count",): 3,
        ("holdfast_tunnel_round_trip_seconds_sum",): 0.7,
        ("holdfast_control_jitter_seconds_count",): 3,
        ("holdfast_control_retransmits_total",): 4,
        ("holdfast_call_bytes_total", "5", "out", "alice"): 2,
        ("holdfast_call_bytes_total", "6", "in", "bob"): 7,
        ("holdfast_call_lost_total", "5", "alice"): 3,
        ("holdfast_call_round_trip_seconds", "5", "alice"): 0.02,
    }
    assert {key: seen[key] for key in expected} == expected
    assert ("holdfast_call_round_trip_seconds", "6", "bob") not in seen


def test_verdicts_and_refusals():
    scene = Scene()
    scene.tell(
        AuthenticationSucceeded("ms-chap-v2", "alice"),
        AuthenticationSucceeded("ms-chap-v2", "me", by_peer=False),
        AuthenticationFailed("pap", "bob", 0, "wrong password"),
        CallRefused(1, 2, 4, 0, ""),
    )
    seen = scene.samples()
    assert seen["holdfast_authentications_total", "ms-chap-v2", "success"] == 1
    assert seen["holdfast_authentications_total", "pap", "failure"] == 1
    assert seen["holdfast_calls_refused_total", "4"] == 1
    assert seen["holdfast_events_total", "AUTH_FAIL", "warning"] == 1
    assert "bob" not in scene.metrics.expose().decode()


def test_the_planes_are_told_apart_at_a_scrape():
    scene = Scene()
    counts = Counters(packets_in=1, bytes_out=2, gre_packets_in=3, gre_lost=4, mppe_resets=5, drops={"late": 6})
    scene.reading = Reading(
        connections=7, sessions={"up": 8}, addresses_used=9, addresses_size=10, log_waiting=11, engine=counts
    )
    seen = scene.samples()
    expected = {
        ("holdfast_control_connections",): 7,
        ("holdfast_sessions", "up"): 8,
        ("holdfast_sessions", "setup"): 0,
        ("holdfast_addresses", "free"): 1,
        ("holdfast_event_log_backlog",): 11,
        ("holdfast_packets_total", "in"): 1,
        ("holdfast_bytes_total", "out"): 2,
        ("holdfast_gre_packets_total", "in"): 3,
        ("holdfast_gre_lost_total",): 4,
        ("holdfast_mppe_resets_total",): 5,
        ("holdfast_drops_total", "late"): 6,
    }
    assert {key: seen[key] for key in expected} == expected
    assert seen["holdfast_worker_cpu_seconds_total", "main"] > 0
    assert seen["process_cpu_seconds_total",] > 0


def test_users_have_series_only_when_asked_for(monkeypatch):
    plain, asked = Scene(), Scene(per_user=True)
    for scene in (plain, asked):
        scene.come_up()
        scene.tell(ended())
    asked.reading = Reading(users=(UserReading("alice", 60.0, 1, 2), UserReading("alice", 5.0, 3, 4)))
    assert "alice" not in plain.metrics.expose().decode()
    seen = asked.samples()
    assert seen["holdfast_user_sessions_total", "alice"] == 1
    assert seen["holdfast_user_bytes_total", "out", "alice"] == 7
    assert seen["holdfast_user_connected_seconds", "alice"] == 60
    assert seen["holdfast_user_open_bytes", "in", "alice"] == 4
    monkeypatch.setattr(module, "MAX_USERS", 1)
    asked.tell(*(event for event, _ in UP), session="s2", connection="c2", user="bob")
    assert asked.samples()["holdfast_user_sessions_total", "(others)"] == 1


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not installed")
def test_promtool_finds_nothing_to_say_about_the_page():
    scene = Scene(per_user=True)
    scene.come_up()
    scene.tell(ended(DisconnectReason.ECHO_TIMEOUT), CallRefused(1, 2, 4, 0, ""))
    scene.reading = Reading(users=(UserReading("alice", 60.0, 1, 2),), engine=Counters(drops={"late": 6}))
    scene.metrics.take_reading()
    done = subprocess.run(
        ["promtool", "check", "metrics"], check=False, input=scene.metrics.expose(), capture_output=True, timeout=30
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
