"""journald, by its own protocol: each field of a record becomes a field of the journal (systemd.journal-fields(7))."""

import array
import errno
import fcntl
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from holdfast.observe.sinks.lines import SYSLOG_SEVERITY, record_of, text_of

SOCKET = Path("/run/systemd/journal/socket")
LONGEST_NAME = 64
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def message(line: bytes) -> bytes:
    """Return a line as one entry of the journal."""
    record = record_of(line)
    fields: dict[str, Any] = {
        "MESSAGE": text_of(record),
        "PRIORITY": SYSLOG_SEVERITY.get(record["severity"], 6),
        "SYSLOG_IDENTIFIER": "holdfast",
    }
    fields.update({f"HOLDFAST_{key.upper()}"[:LONGEST_NAME]: value for key, value in record.items()})
    return b"".join(_field(name, value) for name, value in fields.items())


def _field(name: str, value: Any) -> bytes:
    """Write one field. A value with a newline has its length in front, so that nothing in it can pose as a field."""
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    octets = text.encode("utf-8", "backslashreplace")
    if b"\n" not in octets:
        return b"%b=%b\n" % (name.encode(), octets)
    return b"%b\n%b%b\n" % (name.encode(), len(octets).to_bytes(8, "little"), octets)


class Journal:
    """Sends to the journal of this machine."""

    def __init__(self, name: str, path: Path = SOCKET) -> None:
        self.name, self._path = name, path
        self._socket: socket.socket | None = None

    def send(self, lines: Sequence[bytes]) -> None:
        """Send the lines."""
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.settimeout(10.0)
            self._socket.connect(str(self._path))
        for line in lines:
            self._send(self._socket, message(line))

    def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _send(self, channel: socket.socket, entry: bytes) -> None:
        """Send an entry; one that is too long for a datagram goes by a sealed file in memory, as journald allows."""
        try:
            channel.send(entry)
        except OSError as error:
            if error.errno not in {errno.EMSGSIZE, errno.ENOBUFS}:
                raise
            self._send_as_file(channel, entry)

    def _send_as_file(self, channel: socket.socket, entry: bytes) -> None:
        descriptor = os.memfd_create("holdfast-entry", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        with os.fdopen(descriptor, "wb", closefd=True) as file:
            file.write(entry)
            file.flush()
            # journald reads a file that nobody can change any more, and no other.
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))
            channel.sendmsg([], [rights])
