"""A capture that is still going on: the same judgement as of a file, at any moment."""

from holdfast._native import LiveIndex
from holdfast.capture.case import build
from holdfast.capture.diagnosis import Diagnosis
from holdfast.capture.findings.catalogue import judge
from holdfast.control.codes import CONTROL_PORT

DATA_FRAMES = 64
DATA_OCTETS = 64
BUDGET = 256 << 10
"""Octets that one connection's index may keep."""
GRE_FLOWS = 16
"""GRE flows of one connection that are looked at: two for each call, and some that fit none."""


class LiveCapture:
    """Packets of one connection as they come. Memory is bounded whatever comes."""

    def __init__(self, name: str, port: int = CONTROL_PORT) -> None:
        self._index = LiveIndex(
            name, data_frames=DATA_FRAMES, data_octets=DATA_OCTETS, budget=BUDGET, gre_flows=GRE_FLOWS, port=port
        )

    def add(self, nanoseconds: int, packet: bytes, length: int) -> None:
        """Take an IP packet, or the beginning of one that had `length` octets."""
        self._index.add(nanoseconds, packet, length)

    def diagnose(self, now: int, lost: int = 0) -> Diagnosis:
        """Judge what came until `now` (nanoseconds since 1970); `lost` packets went by unseen."""
        case = build(self._index.snapshot(now, lost))
        return Diagnosis(case, judge(case))
