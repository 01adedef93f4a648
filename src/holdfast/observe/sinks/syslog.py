"""Syslog: RFC 5424 messages over UDP (RFC 5426), TCP (RFC 6587, octet counting) and TLS (RFC 5425)."""

import os
import platform
from collections.abc import Sequence

from holdfast.observe.sinks.datagrams import Datagrams
from holdfast.observe.sinks.lines import head_of
from holdfast.observe.sinks.stream import Stream

FACILITIES = {
    "user": 1,
    "daemon": 3,
    "auth": 4,
    "authpriv": 10,
    **{f"local{number}": 16 + number for number in range(8)},
}
LONGEST_DATAGRAM = 65_000
"""Octets: what an IPv4 datagram carries. Shorter ones are for the receiver's sake, but cut JSON is no JSON."""
LONGEST_HOST = 255


def message(line: bytes, facility: int) -> bytes:
    """Return a line as an RFC 5424 message; the text is the JSON object, MSGID the event."""
    head = head_of(line)
    host = platform.node()[:LONGEST_HOST] or "-"
    prefix = f"<{facility * 8 + head.level}>1 {head.stamp} {host} holdfast {os.getpid()} {head.event[:32]} - "
    return prefix.encode("ascii", "replace") + line.rstrip(b"\n")


class SyslogDatagrams:
    """Messages over UDP. What a network loses on the way is lost, and nobody hears of it: use TCP or TLS."""

    def __init__(self, name: str, host: str, port: int, facility: int) -> None:
        self.name, self._datagrams, self._facility = name, Datagrams(host, port), facility

    def send(self, lines: Sequence[bytes]) -> None:
        """Send each line as a datagram."""
        self._datagrams.send(message(line, self._facility)[:LONGEST_DATAGRAM] for line in lines)

    def close(self) -> None:
        """Give the socket back."""
        self._datagrams.close()


class SyslogStream:
    """Messages over TCP or TLS, each with its length in front. After a broken connection a batch may come twice."""

    def __init__(self, name: str, stream: Stream, facility: int) -> None:
        self.name, self._stream, self._facility = name, stream, facility

    def send(self, lines: Sequence[bytes]) -> None:
        """Send the lines."""
        messages = (message(line, self._facility) for line in lines)
        self._stream.send(b"".join(b"%d %b" % (len(one), one) for one in messages))

    def close(self) -> None:
        """Give the connection back."""
        self._stream.close()
