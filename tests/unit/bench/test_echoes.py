"""What the benchmark makes of Echo-Requests."""

import pytest

from bench.echoes import Evenness, echo_call, evenness
from holdfast._native import gre_build

IP_HEADER = b"\x45" + bytes(19)


def test_evenness_is_the_distance_from_the_interval() -> None:
    found = evenness({1: [0.0, 10.0, 20.004], 2: [3.0, 12.9]}, 10.0)
    assert found.pairs == 3
    assert found.median == pytest.approx(4)
    assert found.most == pytest.approx(100)


def test_one_echo_is_no_pair() -> None:
    assert evenness({1: [0.0], 2: []}, 10.0) == Evenness(0, 0.0, 0.0)


def test_only_echo_requests_are_noted() -> None:
    def heard(frame: bytes) -> int | None:
        return echo_call(IP_HEADER + gre_build(7, 1, None, frame))

    assert heard(b"\xff\x03\xc0\x21\x09\x01\x00\x08\0\0\0\0") == 7
    assert heard(b"\xff\x03\xc0\x21\x0a\x01\x00\x08\0\0\0\0") is None
    assert heard(b"\x00\xfd\x90\x00") is None
    assert echo_call(IP_HEADER + gre_build(7, None, 3, b"")) is None
    assert echo_call(IP_HEADER[:5]) is None
    assert echo_call(b"") is None
