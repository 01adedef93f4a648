"""A Holdfast gateway under test, run by its own command in a namespace of the lab."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from holdfast.errors import NotRunningError
from holdfast.local_api import SOCKET_NAME, request
from lab.network import Namespace
from support.lab_peers import USERS
from support.logs import so_far
from support.patience import patient

COMMAND = Path(sys.executable).with_name("holdfast")
EVENT_LOG = "events.jsonl"
START_SECONDS = 60.0
GOODBYE_SECONDS = 5.0
"""How long a gateway that was told to stop may take for its goodbyes."""
SLACK = 25.0
"""Seconds in which a busy machine gets round to starting and ending processes."""

Section = Mapping[str, Any]
Settings = Mapping[str, Section]
DEFAULTS: Settings = {
    "gateway": {"listen": ["198.51.100.2:1723"]},
    "addresses": {"gateway": "10.77.0.1", "pool": ["10.77.0.10-10.77.0.250"], "dns": ["203.0.113.80"], "nat": True},
}


class GatewayMaker(Protocol):
    """Starts a gateway whose configuration has the given sections."""

    def __call__(self, **sections: Section) -> "Gateway":
        """Return the running gateway."""
        ...


class GatewayError(AssertionError):
    """The gateway did not do what was waited for; the text shows what it said and logged."""


def make_state(directory: Path) -> Path:
    """Make a state directory with the users of `lab_peers.USERS`, by the command that operators use."""
    for user, password in USERS.items():
        add = [str(COMMAND), "user", "add", user, "--password-stdin", "--state", str(directory)]
        subprocess.run(add, input=f"{password}\n", text=True, check=True, timeout=120, stdout=subprocess.DEVNULL)
    return directory


def answers(state: Path) -> bool:
    """Whether the gateway of a state directory answers on its control socket: it serves clients a moment before.

    The socket of a gateway that was killed is still there, and refuses until the next one has made its own.
    """
    with contextlib.suppress(NotRunningError):
        request(state / SOCKET_NAME, "status", patience=120)
        return True
    return False


def to_toml(settings: Settings) -> str:
    """Write settings as TOML; JSON's spelling of strings, numbers, truths and lists is TOML's as well."""
    lines: list[str] = []
    for section, keys in settings.items():
        lines += [f"[{section}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())]
    return "\n".join(lines) + "\n"


class Gateway:
    """`holdfast serve`, listening on entry, told to stop on exit. `settings` are laid over `DEFAULTS`.

    `wrap` is a command that starts it, such as setpriv.
    """

    def __init__(
        self, namespace: Namespace, directory: Path, state: Path, settings: Settings, wrap: tuple[str, ...] = ()
    ) -> None:
        self.namespace = namespace
        self.state = directory / "state"
        self._state_template = state
        self._directory, self._wrap = directory, wrap
        sections = {**DEFAULTS, **settings}
        self._settings = {name: {**DEFAULTS.get(name, {}), **keys} for name, keys in sections.items()}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        shutil.copytree(self._state_template, self.state)
        (self._directory / "gateway.toml").write_text(to_toml(self._settings), encoding="utf-8")
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            try:
                self.stop()
            finally:
                self.process.kill()
        if kind is None:
            self._check_secrets()

    def start(self) -> None:
        """Start the command and wait until it listens for clients and for operators."""
        with (self._directory / "output").open("ab") as output:
            self._process = self.namespace.start(
                *(*self._wrap, COMMAND, "serve", "--state", self.state, "--config", self._directory / "gateway.toml"),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.wait_until(self._listens, START_SECONDS, what="the gateway to listen")

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The running command."""
        assert self._process is not None
        return self._process

    @property
    def output(self) -> str:
        """What the command printed."""
        return (self._directory / "output").read_text(encoding="utf-8", errors="replace")

    @property
    def story(self) -> str:
        """What the command printed and logged and, if it still runs, what it says of its sessions."""
        events = "\n".join(json.dumps(event) for event in self.events())
        story = f"--- the gateway printed\n{self.output}\n--- and logged\n{events}"
        if self.process.poll() is not None:
            return story
        sessions = self.namespace.run(COMMAND, "sessions", "--json", "--state", self.state, check=False, timeout=120)
        return f"{story}\n--- and says of its sessions\n{sessions}"

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """Return the records of the event log so far, or those of one kind."""
        return [record for record in so_far(self.state / EVENT_LOG) if name in (None, record["event"])]

    def wait_event(self, name: str, timeout: float = 10, *, count: int = 1) -> dict[str, Any]:
        """Wait for the `count`th record of one kind and return it."""
        self.wait_until(lambda: len(self.events(name)) >= count, timeout, what=f"{count} x {name}")
        return self.events(name)[count - 1]

    def ask(self, verb: str) -> Any:
        """Ask the gateway on its control socket, as `holdfast status` and the others do; return the answer."""
        return request(self.state / SOCKET_NAME, verb, patience=120)

    def session(self) -> dict[str, Any]:
        """Wait until one session, and no other, is up and in the log; return what the gateway says of it.

        A client may be up a moment before its gateway.
        """
        self.wait_event("IP_UP")
        self.wait_until(lambda: [one["state"] for one in self.ask("sessions")] == ["up"], 10, what="one session")
        (found,) = self.ask("sessions")
        return dict(found)

    def command(self, *arguments: str) -> str:
        """Run another `holdfast` command against this gateway."""
        return self.namespace.run(COMMAND, *arguments, "--state", self.state, timeout=120)

    def wait_until(self, condition: Callable[[], object], timeout: float, *, what: str) -> None:
        """Wait until `condition()` holds. Raises `GatewayError` when it never does, or when the gateway ends.

        `timeout`: seconds that this takes on a quiet machine.
        """
        limit = patient(timeout)
        end = time.monotonic() + limit
        while not condition():
            if self.process.poll() is not None:
                raise GatewayError(
                    f"the gateway ended ({self.process.returncode}) while waiting for {what}\n{self.story}"
                )
            if time.monotonic() > end:
                raise GatewayError(f"no sign after {limit:g} s of {what}\n{self.story}")
            time.sleep(0.05)

    def stop(self) -> float:
        """Tell the gateway to stop; return how many seconds it took. Raises when that is too long or it failed."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(patient(GOODBYE_SECONDS + SLACK))
        if code != 0:
            raise GatewayError(f"the gateway ended with {code}\n{self.story}")
        return time.monotonic() - began

    def kill(self) -> None:
        """End the gateway so that it can do nothing about it."""
        self.process.kill()
        self.process.wait()

    def _listens(self) -> bool:
        if ":1723" not in self.namespace.run("ss", "-Hltn", "sport = :1723"):
            return False
        return answers(self.state)

    def _check_secrets(self) -> None:
        """No password of a test's user may stand in anything the gateway wrote."""
        written = self.output + json.dumps(self.events())
        told = [user for user, password in USERS.items() if password in written]
        assert not told, f"the passwords of {told} were written in clear"
