"""One process for many tunnels: what surrounds the dialers."""

import asyncio
import contextlib
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from holdfast.dialer import service
from holdfast.dialer.service import Cleaned, Wanted, Watchdog, clean, dial, statuses, tunnel_dir
from holdfast.dialer.settings import TunnelSettings
from holdfast.errors import HostError
from holdfast.local_api import ApiServer
from holdfast.network.changes import KINDS
from holdfast.network.journal import Entry, Journal
from holdfast.network.kernel import Kernel
from holdfast.secret import Secret


@dataclass(frozen=True)
class Stubborn:
    """A change of a host that takes everything back but what is stuck."""

    name: str
    kind: ClassVar[str] = "stubborn"
    survives_boot: ClassVar[bool] = False

    def __str__(self) -> str:
        return self.name

    def undo(self, _kernel: Kernel, _memory: dict[str, Any]) -> bool:
        if self.name == "stuck":
            raise HostError("no")
        return True

    def plain(self) -> dict[str, Any]:
        return {"name": self.name}

    @classmethod
    def from_plain(cls, fields: dict[str, Any]) -> "Stubborn":
        return cls(**fields)


class NoEngine:
    """An engine that the host refuses."""

    refusal: OSError = PermissionError(1, "Operation not permitted")

    def __init__(self, **_options: object) -> None:
        raise self.refusal


def attempt(state: Path) -> str:
    settings = TunnelSettings("192.0.2.1", "alice", name="office")
    with pytest.raises(HostError) as caught:
        asyncio.run(dial([Wanted(settings, Secret(b"x"))], state))
    return caught.value.text()


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (PermissionError(1, "Operation not permitted"), "CAP_NET_ADMIN"),
        (PermissionError("Operation not permitted (os error 1)"), "CAP_NET_RAW"),
        (FileNotFoundError(2, "No such file"), "modprobe tun"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (OSError(16, "Device or resource busy"), "choose one with --interface"),
    ],
)
def test_a_host_without_a_tun_device_gets_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: OSError, words: str
) -> None:
    monkeypatch.setattr(service, "Engine", NoEngine)
    monkeypatch.setattr(service, "TUN_PAUSE", 0.001)
    monkeypatch.setattr(NoEngine, "refusal", refusal)
    text = attempt(tmp_path)
    assert words in text
    assert text.startswith("pptp0: ")


def test_a_state_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "dial").write_text("a file")
    assert "cannot make the state directory" in attempt(tmp_path)


def test_a_tunnel_has_a_place_of_its_own(tmp_path: Path) -> None:
    assert tunnel_dir(tmp_path, "office") == tmp_path / "dial" / "office"


def test_nothing_runs_and_nothing_is_left(tmp_path: Path) -> None:
    assert statuses(tmp_path) == []
    assert clean(tmp_path) == Cleaned()


def test_cleaning_tells_a_running_dialer_and_a_host_that_refuses_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("left", "lives", "stuck"):
        journal = Journal(tunnel_dir(tmp_path, name))
        journal.own()
        journal.write(Kernel.boot_identity(), [Entry(Stubborn(name), {})])
        if name != "lives":
            journal.release()
    monkeypatch.setitem(KINDS, Stubborn.kind, Stubborn)
    found = clean(tmp_path)
    assert found.undone == {"left": ["left"]}
    assert found.running == ["lives"]
    assert [(name, error.what) for name, error in found.failed.items()] == [("stuck", "could not undo: stuck (no)")]


def test_the_running_ones_are_asked_and_dead_sockets_are_not_in_the_way(tmp_path: Path) -> None:
    async def status(_request: object) -> dict[str, str]:
        return {"name": "office"}

    async def ask() -> list[dict[str, object]]:
        server = ApiServer(tunnel_dir(tmp_path, "office") / "control.sock", {"status": status})
        await server.start()
        found = await asyncio.to_thread(statuses, tmp_path)
        await server.stop()
        return found

    for name in ("office", "dead"):
        tunnel_dir(tmp_path, name).mkdir(parents=True)
    (tunnel_dir(tmp_path, "dead") / "control.sock").touch()
    assert asyncio.run(ask()) == [{"name": "office"}]


def test_systemd_hears_that_the_loop_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as manager:

        def heard() -> list[bytes]:
            found = []
            with contextlib.suppress(BlockingIOError):
                while True:
                    found.append(manager.recv(100))
            return found

        async def feed() -> tuple[list[bytes], list[bytes]]:
            watchdog = Watchdog(asyncio.get_running_loop())
            await asyncio.sleep(0.2)
            watchdog.close()
            during = heard()
            await asyncio.sleep(0.1)
            return during, heard()

        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "100000")
        during, after = asyncio.run(feed())
    assert set(during) == {b"WATCHDOG=1"}
    assert len(during) >= 2, "once at the start, and again and again"
    assert after == []
