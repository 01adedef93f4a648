"""The log at a real rsyslog: every line as it was written, and nothing lost while rsyslog is away."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.events import PeerIdentified
from holdfast.observe.chain import seq_of
from holdfast.observe.event_log import EventLog, LogOptions
from holdfast.observe.segments import segments
from holdfast.observe.signing import PUBLIC_FILE, PublicKey
from holdfast.observe.sinks.address import parse_sink
from holdfast.observe.sinks.bookmark import Bookmark
from holdfast.observe.sinks.make import make_sink
from holdfast.observe.sinks.runner import SinkRunner
from holdfast.observe.verify import Expected, verify
from support.ports import free_ports
from unit.observe.sinks.receivers import certificate, until

PROGRAM = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin:/sbin")
PATIENCE = 60.0
CONFIGURATION = """
global(workDirectory="{folder}" maxMessageSize="64k"
  defaultNetstreamDriverCAFile="{cert}" defaultNetstreamDriverCertFile="{cert}" defaultNetstreamDriverKeyFile="{key}")
module(load="imudp")
module(load="imptcp")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
input(type="imudp" address="127.0.0.1" port="{udp}")
input(type="imptcp" address="127.0.0.1" port="{tcp}")
input(type="imtcp" address="127.0.0.1" port="{tls}")
template(name="holdfast" type="string" string="%msg%\\n")
if $app-name == "holdfast" then action(type="omfile" file="{folder}/got" template="holdfast")
"""

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="rsyslogd (Debian package rsyslog) is not installed")


class Rsyslog:
    """One rsyslogd with a configuration of its own."""

    def __init__(self, folder: Path) -> None:
        self.cert, _ = certificate(folder)
        self.ports = dict(zip(("udp", "tcp", "tls"), free_ports(3), strict=True))
        self.got, self._folder = folder / "got", folder
        text = CONFIGURATION.format(folder=folder, cert=self.cert, key=folder / "key.pem", **self.ports)
        (folder / "rsyslog.conf").write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        command = (str(PROGRAM), "-n", "-f", self._folder / "rsyslog.conf", "-i", self._folder / "pid")
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        until(lambda: len(self._listening()) == len(self.ports), PATIENCE)

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)

    def lines(self) -> list[bytes]:
        """What it wrote so far, each line once."""
        return list(dict.fromkeys(self.got.read_bytes().splitlines(keepends=True))) if self.got.exists() else []

    def address(self, kind: str) -> str:
        """How a sink is configured that sends to it."""
        return f"syslog+{kind}://127.0.0.1:{self.ports[kind]}" + (f"?ca={self.cert}" if kind == "tls" else "")

    def _listening(self) -> set[int]:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "output").read_text()
        tables = [Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("udp", "tcp")]
        rows = [row.split() for row in tables[0]] + [row.split() for row in tables[1] if row.split()[3] == "0A"]
        return {int(row[1].rpartition(":")[2], 16) for row in rows} & set(self.ports.values())


@pytest.fixture
def rsyslog(tmp_path: Path) -> Iterator[Rsyslog]:
    folder = tmp_path / "rsyslog"
    folder.mkdir()
    running = Rsyslog(folder)
    running.start()
    yield running
    running.stop()


def open_log(state: Path, address: str) -> EventLog:
    sink = make_sink(parse_sink(address))
    path = state / "events.jsonl"

    def connect(log: EventLog) -> list[SinkRunner]:
        return [SinkRunner(sink, log.tell, first_retry=0.1, book=Bookmark(state, sink.name, path, None))]

    return EventLog(path, options=LogOptions(connect=connect))


def write(log: EventLog, count: int, begin: int = 0) -> int:
    """Write so many facts; return the number of the last line then."""
    for number in range(begin, begin + count):
        log.emit(PeerIdentified(f'fact {number}: zoë said "100 % \\ {{}}"'), {"session": f"{number:021x}"})
    return log.request(lambda file: (file.flush(), file.seq)[1]).result(10)


@pytest.mark.parametrize("kind", ["udp", "tcp", "tls"])
def test_every_line_arrives_as_it_was_written(rsyslog: Rsyslog, tmp_path: Path, kind: str) -> None:
    log = open_log(tmp_path, rsyslog.address(kind))
    last = write(log, 100)
    until(lambda: rsyslog.lines() and seq_of(rsyslog.lines()[-1]) >= last, PATIENCE)
    log.close()
    written = log.place.path.read_bytes().splitlines(keepends=True)
    came = rsyslog.lines()  # read once: the last line may come between two readings
    assert came == written[: len(came)]


@pytest.mark.parametrize("kind", ["tcp", "tls"])
def test_nothing_is_lost_while_it_is_away_and_the_gateway_starts_anew(
    rsyslog: Rsyslog, tmp_path: Path, kind: str
) -> None:
    log = open_log(tmp_path, rsyslog.address(kind))
    last = write(log, 20)
    until(lambda: rsyslog.lines() and seq_of(rsyslog.lines()[-1]) >= last, PATIENCE)
    rsyslog.stop()
    write(log, 500, 20)
    log.close()
    log = open_log(tmp_path, rsyslog.address(kind))
    last = write(log, 10, 520)
    rsyslog.start()
    until(lambda: seq_of(rsyslog.lines()[-1]) >= last, PATIENCE)
    log.close()
    numbers = [seq_of(line) for line in rsyslog.lines()]
    assert numbers == list(range(1, numbers[-1] + 1))
    copy = [("copy", True, iter(rsyslog.lines()))]
    report = verify(copy, Expected(PublicKey.read(tmp_path / PUBLIC_FILE)))
    assert not report.problems, "the copy proves itself"
    assert len(segments(log.place.path)) == 1
