"""Read captures through the native index."""

from collections.abc import Callable, Sequence

from holdfast._native import CaptureError, CaptureIndex, read_captures
from holdfast.control.codes import CONTROL_PORT
from holdfast.errors import HoldfastError

DATA_FRAMES = 256
DATA_OCTETS = 96
WHOLE_DATA_FRAMES = 20_000
WHOLE_DATA_OCTETS = 2048
BUDGET = 96 << 20
"""Octets that the index may keep in all, so that any capture fits into 300 MB of memory."""

STANDARD_INPUT = "-"

Progress = Callable[[int, int | None], bool]


class UnreadableCaptureError(HoldfastError):
    """No capture among those named could be read."""


def read(
    names: Sequence[str], *, whole_data: bool = False, port: int | None = None, progress: Progress | None = None
) -> CaptureIndex:
    """Read the captures (`-`: standard input) as one. UnreadableCaptureError when none can be read.

    `whole_data` keeps user data whole, as deciphering it needs. `port` is the TCP port of control connections. Without
    one it is 1723; when nothing is there and PPTP was begun on another one, files are read again for that.
    """
    index = _read(names, whole_data=whole_data, port=port or CONTROL_PORT, progress=progress)
    if index.counts.frames and index.counts.unknown_link == index.counts.frames:
        kinds = sorted({kind for file in index.files for kind in file.link_types})
        raise UnreadableCaptureError(
            f"not one frame can be read: link type {', '.join(map(str, kinds))} is not understood",
            where=", ".join(names),
            fix="Capture on an ordinary interface: tcpdump -i any -s 0 -w FILE 'tcp port 1723 or proto 47 or icmp'",
        )
    elsewhere = index.counts.elsewhere
    if port is None and elsewhere and not index.control_count and STANDARD_INPUT not in names and not index.stopped:
        return _read(names, whole_data=whole_data, port=elsewhere, progress=progress)
    return index


def _read(names: Sequence[str], *, whole_data: bool, port: int, progress: Progress | None) -> CaptureIndex:
    try:
        return read_captures(
            list(names),
            data_frames=WHOLE_DATA_FRAMES if whole_data else DATA_FRAMES,
            data_octets=WHOLE_DATA_OCTETS if whole_data else DATA_OCTETS,
            budget=BUDGET,
            port=port,
            progress=progress,
        )
    except CaptureError as error:
        what, fix = error.args
        raise UnreadableCaptureError(what, where=", ".join(names), fix=fix) from None
