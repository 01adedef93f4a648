"""Scenarios whose server is Holdfast's own gateway: it stands outside the guest, clients and router in it.

guest: street --- router (vec0) .254 --198.51.100.0/24-- .1 (gate0) namespace of the host, with the gateway
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Self

from lab.corpus import radius_server
from lab.corpus.scenario import Scenario, Where
from lab.corpus.stage import INSIDE, PLACES, SERVER, Stage
from lab.guest import Guest, GuestError, Nic
from lab.image import Image
from lab.network import Namespace
from tests.support.lab_peers import USERS

ROOT = Path(__file__).parents[2]
HOLDFAST = str(Path(sys.executable).with_name("holdfast"))
LINK = """
ip link set vec0 netns {lane}-router
ip -n {lane}-router address add 198.51.100.254/24 dev vec0; ip -n {lane}-router link set vec0 up
"""
ADDRESSES = f'''
[addresses]
gateway = "{INSIDE}"
pool = ["10.66.0.10-10.66.0.30"]
nat = false
'''
START_SECONDS = 60
_outside: dict[str, Namespace] = {}
"""The namespace in which a guest's gateway stands, by the guest's folder."""


@contextmanager
def gateway_guest(image: Image, outside: Namespace, place: Path) -> Iterator[Guest]:
    """Boot a guest with a way to `outside`, where its gateways will stand."""
    outside.add_tap("gate0", f"{SERVER}/24")
    folder = place / "gate"
    with Guest(image, outside, folder, Nic("gate0", "198.51.100.253/24")) as guest:
        _outside[str(guest.share)] = outside
        yield guest


def staged(guest: Guest, lane: str, scenario: Scenario) -> Stage:
    """Return the stage that a scenario needs."""
    return Stage(guest, lane, scenario) if scenario.gateway is None else GatewayStage(guest, lane, scenario)


@dataclass
class GatewayStage(Stage):
    """A scenario with Holdfast as its server. There is no place `SERVER`; `ROUTER` is next to it."""

    server_link: ClassVar[str] = LINK
    places: ClassVar[dict[Where, tuple[str, str]]] = {**PLACES, Where.ROUTER: ("router", "vec0")}
    _processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list, init=False)

    def __enter__(self) -> Self:
        outside = self._namespace_outside
        outside.ip("route", "replace", f"{self.scenario.lan}.0/24", "via", "198.51.100.254")
        return super().__enter__()

    def __exit__(self, *reasons: object) -> None:
        super().__exit__(*reasons)
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(30)

    @property
    def _namespace_outside(self) -> Namespace:
        return _outside[str(self.guest.share)]

    def _serve(self) -> None:
        """Make users and configuration, do what the administrator does, start, and wait until it listens."""
        folder = self.guest.share / f"gateway{self.number}"
        state = folder / "state"
        folder.mkdir()
        for user, password in USERS.items():
            self._administer("user", "add", user, "--password-stdin", state=state, typed=f"{password}\n")
        for command in self.scenario.administer:
            self._administer(*command, state=state)
        configuration = folder / "holdfast.toml"
        radius = self._radius(folder) if self.scenario.radius else ""
        configuration.write_text(f"{ADDRESSES}{radius}{self.scenario.gateway}", encoding="utf-8")
        log = (folder / "log").open("wb")
        command = (HOLDFAST, "serve", "--state", str(state), "--config", str(configuration))
        process = self._namespace_outside.start(*command, stdout=log, stderr=log)
        self._processes.append(process)
        end = time.monotonic() + START_SECONDS
        while ":1723" not in self._namespace_outside.run("ss", "-ltn"):
            if process.poll() is not None or time.monotonic() > end:
                raise GuestError(f"the gateway does not listen: {(folder / 'log').read_text()}")
            time.sleep(0.1)

    def _radius(self, folder: Path) -> str:
        """Start the RADIUS server; return the gateway's configuration for it."""
        command = (sys.executable, "-m", radius_server.__name__, self.scenario.radius)
        self._processes.append(self._namespace_outside.start(*command, cwd=ROOT))
        secrets = folder / "secrets"
        secrets.write_text(f"{radius_server.ADDRESS[0]} {radius_server.SHARED}\n", encoding="ascii")
        secrets.chmod(0o600)
        return (
            f'[radius]\nservers = ["{radius_server.ADDRESS[0]}"]\naccounting_servers = []\nsecrets_file = "{secrets}"\n'
        )

    @staticmethod
    def _administer(*command: str, state: Path, typed: str = "") -> None:
        arguments = [HOLDFAST, *command, "--state", str(state)]
        done = subprocess.run(arguments, input=typed, text=True, capture_output=True, timeout=60, check=False)
        if done.returncode:
            raise GuestError(f"{' '.join(command)}: {done.stderr}")
