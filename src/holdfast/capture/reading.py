"""Read captures through the native index."""

from collections.abc import Callable, Sequence

from holdfast._native import CaptureError, CaptureIndex, read_captures
from holdfast.errors import HoldfastError

DATA_FRAMES = 256
DATA_OCTETS = 96
WHOLE_DATA_FRAMES = 20_000
WHOLE_DATA_OCTETS = 2048
BUDGET = 96 << 20
"""Octets that the index may keep in all, so that any capture fits into 300 MB of memory."""

Progress = Callable[[int, int | None], bool]


class UnreadableCaptureError(HoldfastError):
    """No capture among those named could be read."""


def read(names: Sequence[str], *, whole_data: bool = False, progress: Progress | None = None) -> CaptureIndex:
    """Read the captures (`-`: standard input) as one. UnreadableCaptureError when none can be read.

    `whole_data` keeps user data whole, as deciphering it needs.
    """
    try:
        return read_captures(
            list(names),
            data_frames=WHOLE_DATA_FRAMES if whole_data else DATA_FRAMES,
            data_octets=WHOLE_DATA_OCTETS if whole_data else DATA_OCTETS,
            budget=BUDGET,
            progress=progress,
        )
    except CaptureError as error:
        what, fix = error.args
        raise UnreadableCaptureError(what, where=", ".join(names), fix=fix) from None
