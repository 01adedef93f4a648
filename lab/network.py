"""Network namespaces of this host, joined by veth pairs and given taps for guests. All of it needs root."""

import itertools
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAMESPACES = Path("/run/netns")
OURS = re.compile(r"lab(\d+)-")
"""Names carry the owner's process id, so that what a killed run left behind can be told apart and removed."""
_NUMBERS = itertools.count()
"""Two parts of one test run may well call a namespace the same."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network namespace that exists."""

    name: str

    def wrap(self, *command: str | Path) -> list[str]:
        """Return the command line that runs `command` in here."""
        return ["ip", "netns", "exec", self.name, *map(str, command)]

    def run(self, *command: str | Path, timeout: float = 120, check: bool = True, **options: Any) -> str:
        """Run a command in here and return what it wrote to both its outputs.

        Raises `subprocess.CalledProcessError` when it fails and `check` is set, `TimeoutExpired` after `timeout`
        seconds.
        """
        return _run(*self.wrap(*command), timeout=timeout, check=check, **options)

    def start(self, *command: str | Path, **options: Any) -> "subprocess.Popen[bytes]":
        """Start a command in here; whoever asks ends it."""
        return subprocess.Popen(self.wrap(*command), **options)

    def ip(self, *arguments: str) -> str:
        """Run `ip` in here."""
        return _ip("-n", self.name, *arguments)

    def sysctl(self, key: str, value: str) -> None:
        """Set a network sysctl of this namespace."""
        self.run("sysctl", "-qw", f"{key}={value}")

    def add_tap(self, tap: str, address: str) -> None:
        """Make a tap for a guest; `address` (with prefix length) is this side's."""
        self.ip("tuntap", "add", tap, "mode", "tap")
        self.ip("address", "add", address, "dev", tap)
        self.ip("link", "set", tap, "up")

    def interfaces(self) -> set[str]:
        """Return the names of all interfaces but the loopback."""
        lines = self.ip("-brief", "link", "show").splitlines()
        return {line.split()[0].partition("@")[0] for line in lines} - {"lo"}


@contextmanager
def namespace(label: str) -> Iterator[Namespace]:
    """Make a namespace with its loopback up; everything in it ends with it."""
    made = Namespace(f"lab{os.getpid()}-{next(_NUMBERS)}-{label}")
    _ip("netns", "add", made.name)
    try:
        made.ip("link", "set", "lo", "up")
        yield made
    finally:
        remove(made.name)


def join(left: Namespace, left_address: str, right: Namespace, right_address: str, *, label: str) -> None:
    """Connect two namespaces by a veth pair. Addresses carry their prefix length; both ends are called `label`."""
    left.ip("link", "add", label, "type", "veth", "peer", "name", label, "netns", right.name)
    for side, address in ((left, left_address), (right, right_address)):
        side.ip("address", "add", address, "dev", label)
        side.ip("link", "set", label, "up")


def remove(name: str) -> None:
    """End every process in a namespace and remove it."""
    for process in _ip("netns", "pids", name).split():
        with suppress(ProcessLookupError):
            os.kill(int(process), 9)
    _ip("netns", "delete", name)


def remove_abandoned() -> None:
    """Remove the namespaces of runs that are no longer alive."""
    if not NAMESPACES.is_dir():
        return
    for path in NAMESPACES.iterdir():
        owner = OURS.match(path.name)
        if owner and not Path("/proc", owner[1]).exists():
            with suppress(subprocess.CalledProcessError):
                remove(path.name)


def _ip(*arguments: str) -> str:
    return _run("ip", *arguments)


def _run(*command: str, timeout: float = 120, check: bool = True, **options: Any) -> str:
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, **options}
    try:
        return str(subprocess.run(command, check=check, timeout=timeout, **options).stdout)
    except subprocess.CalledProcessError as error:
        error.add_note(error.output)
        raise
