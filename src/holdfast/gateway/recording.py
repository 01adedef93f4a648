"""The flight recorder as the configuration wants it."""

from pathlib import Path

from holdfast.config import Config
from holdfast.events import CaptureFailed
from holdfast.observe.event_log import EventLog
from holdfast.observe.recorder import Recorder, RecorderOptions

DIRECTORY = "captures"


def recorder_from(config: Config, state: Path, log: EventLog) -> Recorder:
    """Return the recorder of a gateway; what it cannot write becomes an event."""
    section = config.recorder
    options = RecorderOptions(
        section.directory or state / DIRECTORY,
        session_octets=section.session_octets if section.enabled else 0,
        control_octets=section.control_octets,
        keep_files=section.keep_files,
        keep_octets=section.keep_octets,
        per_minute=section.per_minute,
    )
    return Recorder(options, lambda why: log.emit(CaptureFailed(why), {}))
