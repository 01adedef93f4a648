"""Where the shared folder of public captures is, and what of it a test needs without the analyser.

The folder is not part of the repository: HOLDFAST_CAPTURES names it, otherwise `shared/captures` beside the
checkout is tried. A test that needs it carries the marker `captures`.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

VARIABLE = "HOLDFAST_CAPTURES"
BESIDE = Path(__file__).resolve().parents[3] / "shared" / "captures"

_ETHERNET, _WIRELESS = 1, 105
_SNAP_IPV4 = bytes.fromhex("aaaa03 000000 0800")
_CONTROL_PORT = 1723


def capture_folder() -> Path:
    """Return the folder; skip the test, saying why, where there is none."""
    folder = Path(os.environ.get(VARIABLE, BESIDE))
    if not folder.is_dir():
        pytest.skip(f"no captures in {folder} (set {VARIABLE})")
    return folder


def log_path(name: str) -> Path:
    """Return the path of one excerpt of a public log, in the folder beside the captures; skip the test without it."""
    path = Path(os.environ.get(VARIABLE, BESIDE)).parent / "logs" / name
    if not path.is_file():
        pytest.skip(f"no log {name} in {path.parent} (set {VARIABLE})")
    return path


def capture_path(name: str) -> Path:
    """Return the path of one capture; skip the test, saying why, where it is absent."""
    path = capture_folder() / name
    if not path.is_file():
        pytest.skip(f"no capture {name} in {path.parent} (set {VARIABLE})")
    return path


@dataclass
class ControlSegments:
    """The TCP payloads of one direction of one control connection, each once, in order of arrival."""

    source: str
    from_server: bool
    payloads: list[bytes] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    def add(self, sequence: int, payload: bytes) -> None:
        """Take a segment unless its sequence number was seen before."""
        if sequence not in self._seen:
            self._seen.add(sequence)
            self.payloads.append(payload)


def control_segments(name: str) -> list[ControlSegments]:
    """Return the directions of all TCP connections to or from port 1723 in a classic pcap of Ethernet or 802.11.

    Good enough for captures whose segments come in order; the capture analyser does it properly.
    """
    streams: dict[tuple[bytes, bytes], ControlSegments] = {}
    for packet in _ip_packets(capture_path(name).read_bytes()):
        header = (packet[0] & 0x0F) * 4
        if packet[9] != 6 or len(packet) < header + 20:
            continue
        tcp = packet[header : int.from_bytes(packet[2:4], "big")]
        source_port, destination_port, sequence = struct.unpack_from("!HHI", tcp)
        payload = tcp[(tcp[12] >> 4) * 4 :]
        if _CONTROL_PORT not in (source_port, destination_port) or not payload:
            continue
        key = (packet[12:20], tcp[:4])
        source = ".".join(map(str, packet[12:16]))
        stream = streams.setdefault(key, ControlSegments(source, source_port == _CONTROL_PORT))
        stream.add(sequence, payload)
    return list(streams.values())


def _ip_packets(octets: bytes) -> Iterator[bytes]:
    order = "<" if octets[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link_type = struct.unpack_from(order + "I", octets, 20)[0]
    offset = 24
    while offset + 16 <= len(octets):
        length = struct.unpack_from(order + "I", octets, offset + 8)[0]
        frame = octets[offset + 16 : offset + 16 + length]
        offset += 16 + length
        packet = _ip_packet(link_type, frame)
        if len(packet) >= 20 and packet[0] >> 4 == 4:
            yield packet


def _ip_packet(link_type: int, frame: bytes) -> bytes:
    if link_type == _ETHERNET and frame[12:14] == b"\x08\x00":
        return frame[14:]
    if link_type == _WIRELESS and _SNAP_IPV4 in frame[:48]:
        return frame[frame.index(_SNAP_IPV4) + len(_SNAP_IPV4) :]
    return b""


def gre_packets(name: str) -> list[bytes]:
    """Return the GRE packets of a classic pcap of Ethernet or 802.11, without their IP headers."""
    packets = _ip_packets(capture_path(name).read_bytes())
    return [packet[(packet[0] & 0x0F) * 4 :] for packet in packets if packet[9] == 47]
