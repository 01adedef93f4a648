"""A real systemd-resolved beside the dialer, with a message bus of its own and without systemd. Needs root.

Debian's package is unpacked, not installed: installing it would take this host's resolv.conf over.
"""

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lab.image import BARE_APT, CACHE

PACKAGE = "systemd-resolved"
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/> <allow own="*"/> <allow send_type="method_call"/> <allow send_destination="*"/>
    <allow receive_type="method_call"/> <allow receive_sender="*"/>
  </policy>
</busconfig>
"""
SCRIPT = """
set -e
mount -t tmpfs none /run
mkdir -p /run/dbus /run/systemd
for file in passwd group; do cp /etc/$file /run/$file; done
echo 'systemd-resolve:x:991:991::/:/usr/sbin/nologin' >> /run/passwd
echo 'systemd-resolve:x:991:' >> /run/group
for file in passwd group; do mount --bind /run/$file /etc/$file; done
echo 'nameserver 192.0.2.53' > /run/resolv.conf
mount --bind /run/resolv.conf /etc/resolv.conf
dbus-daemon --config-file="$FOLDER/bus.conf" --nofork --nopidfile > "$FOLDER/bus.log" 2>&1 & echo $! > "$FOLDER/pids"
until test -S /run/dbus/system_bus_socket; do sleep 0.05; done
"$UNPACKED/lib/systemd/systemd-resolved" > "$FOLDER/resolved.log" 2>&1 & echo $! >> "$FOLDER/pids"
PATH="$UNPACKED/usr/bin:$PATH"
until resolvectl status > /dev/null 2>&1; do sleep 0.05; done
if test -n "$DEAD"; then
    kill -9 "$(tail -n 1 "$FOLDER/pids")"
    while resolvectl status > /dev/null 2>&1; do sleep 0.05; done
fi
exec "$@"
"""


def unpacked() -> Path:
    """Return where the package lies, fetched first if it is not there yet."""
    folder = CACHE / PACKAGE
    if not (folder / "usr/bin/resolvectl").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(("apt-get", *BARE_APT, "-qq", "download", PACKAGE), cwd=folder, check=True, capture_output=True)
        package = next(folder.glob("*.deb"))
        subprocess.run(("dpkg", "-x", package, folder), check=True, capture_output=True)
    return folder


@dataclass
class Resolved:
    """Whatever is started behind `wrap` finds a systemd-resolved; `folder` keeps its logs.

    With `dead` it finds one that was killed, and whose files are still there.
    """

    folder: Path
    dead: bool = False
    _later: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        (self.folder / "bus.conf").write_text(BUS)

    @property
    def wrap(self) -> tuple[str, ...]:
        """The command that goes before another one."""
        places = (f"FOLDER={self.folder}", f"UNPACKED={unpacked()}", f"DEAD={'yes' if self.dead else ''}")
        return ("env", *places, "unshare", "--mount", "sh", "-c", SCRIPT, "sh")

    def ask(self, beside: int, *arguments: str) -> str:
        """Run resolvectl where the process `beside` lives; return what it prints."""
        return self._enter(beside, unpacked() / "usr/bin/resolvectl", *arguments)

    def read(self, beside: int, path: str) -> str:
        """Return a file as the process `beside` sees it."""
        return self._enter(beside, "cat", path)

    def kill(self) -> None:
        """Kill systemd-resolved, and let it forget what it keeps over a restart."""
        pid = int(self._pids()[-1])
        os.kill(pid, signal.SIGKILL)

    def start(self, beside: int) -> None:
        """Start another one where the process `beside` lives, without what the killed one had kept."""
        self._enter(beside, "rm", "-rf", "/run/systemd/resolve/netif")
        with (self.folder / "resolved.log").open("ab") as log:
            started = subprocess.Popen(
                self._entering(beside, unpacked() / "lib/systemd/systemd-resolved"), stdout=log, stderr=log
            )
        with (self.folder / "pids").open("a") as pids:
            pids.write(f"{started.pid}\n")
        self._later.append(started)

    def _entering(self, beside: int, *command: str | Path) -> tuple[str | Path, ...]:
        return ("nsenter", "-t", str(beside), "-m", "-n", *command)

    def _enter(self, beside: int, *command: str | Path) -> str:
        entering = self._entering(beside, *command)
        done = subprocess.run(entering, capture_output=True, text=True, check=False, timeout=120)
        return done.stdout + done.stderr

    def _pids(self) -> list[str]:
        return (self.folder / "pids").read_text().split()

    def end(self) -> None:
        """End what was started."""
        for line in self._pids():
            with suppress(ProcessLookupError):
                os.kill(int(line), signal.SIGKILL)
        for process in self._later:
            process.wait(60)
