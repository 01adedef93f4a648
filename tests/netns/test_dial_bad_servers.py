"""Servers that are wrong in every way: one clear sentence each, and the machine's network as it was."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast.control.messages import EchoRequest
from support.dialling import GATEWAY, DialWorld, dial_world, wait

pytestmark = pytest.mark.root
FULL = ("--routes", "full", "--set", "dns=none")
TESTS = Path(__file__).resolve().parents[1]
WRONG_COOKIE = "009c0001deadbeef" + "00" * 148
COULD_NOT, HOPELESS = 1, 2


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DialWorld]:
    with dial_world(tmp_path_factory.mktemp("bad")) as made:
        yield made


@pytest.fixture
def world(shared: DialWorld, tmp_path: Path) -> Iterator[DialWorld]:
    """The world with a fresh place for dialers, whose host is as it was afterwards."""
    shared.folder = tmp_path
    before = shared.picture()
    yield shared
    shared.end_dialers()
    wait(lambda: shared.picture() == before, 10, lambda: f"{shared.picture()}\n{before}")


@contextmanager
def server(world: DialWorld, **behaviour: Any) -> Iterator[None]:
    """A server of this behaviour on the gateway's address."""
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    program = (sys.executable, "-m", "support.bad_server", GATEWAY, "1723", json.dumps(behaviour))
    process = world.gateway.start(*program, env={**os.environ, "PYTHONPATH": paths})
    try:
        wait(lambda: "1723" in world.gateway.run("ss", "-ltn"), 60, str)
        yield
    finally:
        process.kill()
        process.wait()


def refused(world: DialWorld, code: int, words: str, *options: str, password: str = "correct horse") -> None:
    """One try ends with this exit code, and its last line says why in one sentence."""
    dialled = world.dial(*FULL, "--once", *options, password=password)
    assert dialled.exit_code() == code, dialled.output()
    (stopped,) = dialled.records("DIAL_STOP")
    assert words in stopped["message"], stopped["message"]
    assert "\n" not in stopped["message"]
    assert words in dialled.output().splitlines()[-1]
    assert "Traceback" not in dialled.output()
    assert password not in dialled.output()


@pytest.mark.parametrize(
    ("garbage", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n".hex() + "00" * 300, "cookie"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".hex() + "78" * 200, "cookie"),
        ("ff" * 5000, ""),
        (WRONG_COOKIE, "cookie"),
    ],
    ids=["ssh", "http", "noise", "wrong magic cookie"],
)
def test_no_pptp_server(world: DialWorld, garbage: str, words: str) -> None:
    with server(world, garbage=garbage):
        refused(world, COULD_NOT, words)


def test_a_server_that_floods(world: DialWorld) -> None:
    with server(world, flood=EchoRequest(1).encode().hex()):
        refused(world, COULD_NOT, "floods us")


def test_a_server_that_never_says_a_word(world: DialWorld) -> None:
    with server(world, mute=True):
        refused(world, COULD_NOT, "")


def test_a_server_that_asks_for_a_clear_password(world: DialWorld) -> None:
    with server(world, methods=["pap"], mppe="off"):
        refused(world, HOPELESS, "it asks for pap, and we allow ms-chap-v2")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("0.0.0.0", "the address 0.0.0.0, which no host can have"),
        ("127.0.0.1", "the address 127.0.0.1, which no host can have"),
        ("192.0.2.2", "192.0.2.2, which this host already has"),
        ("203.0.113.77", "this host already reaches 203.0.113.0/24 by up1"),
        (GATEWAY, "its own public address"),
        ("224.0.0.5", "the address 224.0.0.5, which no host can have"),
    ],
)
def test_an_address_that_cannot_work(world: DialWorld, address: str, words: str) -> None:
    with server(world, address=address):
        refused(world, COULD_NOT, words)


def test_a_server_that_gives_itself_our_address(world: DialWorld) -> None:
    with server(world, peer="192.0.2.2"):
        refused(world, COULD_NOT, "which is ours")


def test_no_tun_device(world: DialWorld) -> None:
    hide = ("unshare", "--mount", "sh", "-c", 'mount --bind /dev/null /dev/net/tun && exec "$@"', "sh")
    dialled = world.dial(*FULL, wrap=hide)
    assert dialled.exit_code() == HOPELESS
    assert "TUN device" in dialled.output() or "packet engine cannot start" in dialled.output()
    assert "Traceback" not in dialled.output()


def test_the_same_server_well_behaved(world: DialWorld) -> None:
    """What the others are compared with: nothing but the fault keeps them from coming up."""
    with server(world):
        dialled = world.dial(*FULL, password="correct horse")
        dialled.wait_up()
        assert dialled.stop() == 0
