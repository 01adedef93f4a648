from holdfast.capture.diagnosis import Verdict
from holdfast.capture.live import BUDGET, LiveCapture
from support.live import captured
from support.scene import Scene


def test_a_judgement_at_any_moment() -> None:
    live = LiveCapture("eth0")
    packets = captured(Scene().up())
    verdicts = []
    for one in packets:
        live.add(one.nanoseconds, one.octets, one.length)
        verdicts.append(live.diagnose(one.nanoseconds).verdict)
    assert verdicts[-1] is Verdict.HEALTHY
    diagnosis = live.diagnose(packets[-1].nanoseconds)
    assert diagnosis.case.files[0].name == "eth0"
    assert diagnosis.case.counts.frames == len(packets)
    assert diagnosis.as_data()["sessions"][0]["phase"] == "traffic"


def test_time_that_passes_without_packets_counts() -> None:
    live = LiveCapture("eth0")
    packets = captured(Scene().call().ppp(True, 0xC021, 1, b""))
    for one in packets:
        live.add(one.nanoseconds, one.octets, one.length)
    now = packets[-1].nanoseconds
    early, late = (live.diagnose(now + seconds * 10**9) for seconds in (0, 60))
    assert early.verdict is Verdict.HEALTHY
    assert late.verdict is Verdict.FINDINGS
    assert late.case.end == now + 60 * 10**9


def test_lost_packets_are_told() -> None:
    live = LiveCapture("eth0")
    for one in captured(Scene().up()):
        live.add(one.nanoseconds, one.octets, one.length)
    diagnosis = live.diagnose(one.nanoseconds, lost=7)
    assert "capture-lost-frames" in [finding.id for finding in diagnosis.findings(None)]
    assert BUDGET < 1 << 20
