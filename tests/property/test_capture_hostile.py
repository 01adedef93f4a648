"""Captures that nobody meant well: whatever the octets, there is a judgement or one sentence, soon and in bounds."""

import json
import random
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.capture.diagnosis import Diagnosis, diagnose
from holdfast.capture.html_report import render as render_page
from holdfast.capture.reading import UnreadableCaptureError
from holdfast.capture.text_report import render
from support.scene import SYN, Scene, ethernet, gre, ip, pcap

QUICK = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SEED = Scene().up().goodbye()
WHOLE = pcap(SEED.frames)
UNKNOWN = 147
"""A link type for private use; nothing can be read of a capture that holds no other."""


def judge(folder: Path, octets: bytes) -> Diagnosis | None:
    path = folder / "hostile.pcap"
    path.write_bytes(octets)
    try:
        diagnosis = diagnose([str(path)])
    except UnreadableCaptureError:
        return None
    json.dumps(diagnosis.as_data())
    assert render(diagnosis)
    assert render_page(diagnosis)
    return diagnosis


@QUICK
@given(changes=st.lists(st.tuples(st.integers(24, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=40))
def test_changed_octets(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    octets = bytearray(WHOLE)
    for place, value in changes:
        octets[place] = value
    judge(tmp_path, bytes(octets))


@QUICK
@given(end=st.integers(0, len(WHOLE)))
def test_a_file_cut_anywhere(tmp_path: Path, end: int) -> None:
    diagnosis = judge(tmp_path, WHOLE[:end])
    assert (diagnosis is None) == (end < 24)


@QUICK
@given(octets=st.binary(max_size=400), link_type=st.sampled_from([0, 1, 9, 51, 101, 105, 113, 127, 204, 276, UNKNOWN]))
def test_frames_of_noise(tmp_path: Path, octets: bytes, link_type: int) -> None:
    diagnosis = judge(tmp_path, pcap([(1.0, octets), (2.0, octets[::-1])], link_type))
    assert (diagnosis is None) == (link_type == UNKNOWN)


@QUICK
@given(ppp=st.binary(max_size=60), call_id=st.integers(0, 0xFFFF), number=st.none() | st.integers(0, 0xFFFFFFFF))
def test_gre_of_noise_within_a_session(tmp_path: Path, ppp: bytes, call_id: int, number: int | None) -> None:
    scene = Scene().up()
    for up in (True, False):
        scene.packet(up, 47, gre(call_id if number else scene.client_call, ppp, number))
    assert judge(tmp_path, pcap(scene.frames)) is not None


@QUICK
@given(payload=st.binary(max_size=200), up=st.booleans())
def test_control_of_noise(tmp_path: Path, payload: bytes, up: bool) -> None:
    assert judge(tmp_path, pcap(Scene().control().tcp(up, 24, payload).hang_up(up).frames)) is not None


@QUICK
@given(order=st.randoms(use_true_random=False))
def test_frames_in_any_order(tmp_path: Path, order: random.Random) -> None:
    frames = list(SEED.frames)
    order.shuffle(frames)
    diagnosis = judge(tmp_path, pcap(frames))
    assert diagnosis is not None
    assert len(diagnosis.case.sessions) >= 1


def test_a_hundred_thousand_half_sessions_stay_small(tmp_path: Path) -> None:
    opening = Scene().tcp(True, SYN).frames[0][1]
    frames = []
    for number in range(100_000):
        frame = bytearray(opening)
        frame[26:30] = (0x0A000000 + number).to_bytes(4)
        frames.append((1000.0 + number / 1000, bytes(frame)))
    diagnosis = judge(tmp_path, pcap(frames))
    assert diagnosis is not None
    assert len(diagnosis.case.sessions) == 5000
    assert diagnosis.case.omitted == 95_000
    assert "capture-lost-frames" in {finding.id for finding in diagnosis.judgement.all}


def test_a_flood_of_call_ids_stays_small(tmp_path: Path) -> None:
    packets = (
        ethernet(ip("10.0.0.1", "10.0.0.2", 47, gre(number, b"\x00\xfd\x90\x00" + bytes(20), 0)))
        for number in range(60_000)
    )
    frames = [(1000.0 + number / 1000, packet) for number, packet in enumerate(packets)]
    diagnosis = judge(tmp_path, pcap(frames))
    assert diagnosis is not None
    assert diagnosis.case.omitted == 55_000
