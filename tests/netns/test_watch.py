"""`holdfast watch` beside real tunnels: at a router in between, behind tags, and in a storm."""

import json
import random
import signal
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.capture.diagnosis import diagnose
from holdfast.capture.logs.judge import read_log
from lab.network import Namespace, join, namespace
from support.dialling import GATEWAY, DialWorld, dial_world, wait
from support.scene import SYN, Scene, ethernet, gre, ip
from support.watching import WatchProcess, Wire, watch

pytestmark = pytest.mark.root
DIALER = "192.0.2.2"
MEMORY_KIB = 400_000
TAGS = {
    "none": b"",
    "vlan": b"\x81\x00\x00\x07",
    "qinq": b"\x88\xa8\x00\x05\x81\x00\x00\x07",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DialWorld]:
    with dial_world(tmp_path_factory.mktemp("watched")) as made:
        made.serve()
        yield made


@pytest.fixture
def world(shared: DialWorld, tmp_path: Path) -> Iterator[DialWorld]:
    shared.folder = tmp_path
    shared.repair()
    yield shared
    shared.end_dialers()


@pytest.fixture
def watched(world: DialWorld, tmp_path: Path) -> Iterator[WatchProcess]:
    """A watch at the router, on the server's side."""
    made = watch(world.router, "gw0", tmp_path)
    yield made
    made.stop(signal.SIGKILL)


def test_a_session_that_is_well_and_a_password_that_is_wrong(world: DialWorld, watched: WatchProcess) -> None:
    dialled = world.dial()
    dialled.wait_up()
    (up,) = watched.wait_for("WATCH_UP")
    assert (up["user"], up["client_ip"], up["server_ip"], up["interface"]) == ("alice", DIALER, GATEWAY, "gw0")
    assert up["bits"] == 128
    dialled.stop()
    (ended,) = watched.wait_for("WATCH_END")
    assert (ended["session"], ended["finding"]) == (up["session"], "user-disconnect")
    world.dial(password="not the password")
    failed = watched.wait_for("WATCH_FAILED")[0]
    assert (failed["finding"], failed["user"]) == ("auth-rejected", "alice")
    assert 691 in failed["windows_codes"]
    again = diagnose([failed["capture"]])
    assert again.judgement.all[0].id == "auth-rejected"
    assert watched.stop(signal.SIGINT) == 1
    assert watched.records()[-1]["event"] == "WATCH_STOP"


@pytest.mark.parametrize(
    ("source", "finding"),
    [(GATEWAY, "gre-missing-from-server"), (DIALER, "gre-missing-from-client")],
)
def test_gre_blocked_one_way(world: DialWorld, tmp_path: Path, source: str, finding: str) -> None:
    """Where the capture is made, the blocked direction is still seen: behind it, nobody hears it."""
    world.cut(f"ip protocol 47 ip saddr {source} drop")
    interface = "gw0" if source == GATEWAY else "up0"
    made = watch(world.router, interface, tmp_path)
    try:
        world.dial()
        sick = made.wait_for("WATCH_FINDING")[0]
        assert sick["finding"] == finding
        assert Path(sick["capture"]).name.endswith(f"_{DIALER}_{finding}.pcapng")
        assert again_is(sick["capture"], finding)
    finally:
        assert made.stop() == 1


def again_is(capture: str, finding: str) -> bool:
    """Whether a kept capture is judged as the session was."""
    return finding in [one.id for one in diagnose([capture]).judgement.all]


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Namespace, Namespace]]:
    """A wire with somebody who sends and somebody who watches."""
    with namespace("sender") as sender, namespace("watcher") as watcher:
        join(sender, "192.0.2.2/24", watcher, "192.0.2.1/24", label="wire")
        yield sender, watcher


@pytest.fixture
def wire(pair: tuple[Namespace, Namespace]) -> Iterator[Wire]:
    made = Wire(pair[0], "wire")
    yield made
    made.close()


def tagged(scene: Scene, tag: bytes) -> list[bytes]:
    """Return the frames of a scene, to nobody in particular, with a tag."""
    return [b"\x02" + bytes(11) + tag + frame[12:] for _, frame in scene.frames]


@pytest.mark.parametrize("tag", TAGS)
def test_behind_tags(pair: tuple[Namespace, Namespace], wire: Wire, tmp_path: Path, tag: str) -> None:
    made = watch(pair[1], "wire", tmp_path, "--for", "120")
    try:
        for frame in tagged(Scene().call().lcp().refuse().goodbye(False), TAGS[tag]):
            wire.send(frame)
        assert made.wait_for("WATCH_FAILED")[0]["finding"] == "auth-rejected"
    finally:
        made.stop()


def storm(chance: random.Random, good: list[bytes], count: int) -> Iterator[bytes]:
    """Yield connections that nobody wants, GRE for nobody, and damaged frames of a good session."""
    syn = struct.pack("!HHIIBBHHH", 5, 1723, 1, 0, 0x50, SYN, 1, 0, 0)
    for number in range(count):
        source = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        yield ethernet(ip(source, "198.51.100.20", 6, syn))
        yield ethernet(ip(source, "198.51.100.20", 47, gre(number & 0xFFFF, b"\x00\x21" + bytes(20), number)))
        broken = bytearray(chance.choice(good))
        broken[chance.randrange(14, len(broken))] = chance.randrange(256)
        yield bytes(broken)


def test_a_storm_costs_no_session_and_little_memory(
    pair: tuple[Namespace, Namespace], wire: Wire, tmp_path: Path
) -> None:
    made = watch(pair[1], "wire", tmp_path, "--ring", "64")
    try:
        good = tagged(Scene().up().talk(10), b"")
        for frame in storm(random.Random(7), good, 6000):
            wire.send(frame)
        wait(made.is_idle, 60, lambda: "the ring does not run empty")  # what counts finds room
        for frame in tagged(Scene(client="192.0.2.77").call().lcp().refuse().goodbye(False), b""):
            wire.send(frame)
        for frame in storm(random.Random(8), good, 3000):
            wire.send(frame)
        wait(
            lambda: any(one["client_ip"] == "192.0.2.77" for one in made.records("WATCH_FAILED")),
            90,
            made.output.read_text,
        )
        assert made.resident_kib() < MEMORY_KIB
        assert [one for one in made.records("WATCH_IMPAIRED") if "given up" in one["detail"]]
    finally:
        made.stop()
    assert made.records()[-1]["event"] == "WATCH_STOP"


def test_an_interface_that_goes_away(tmp_path: Path) -> None:
    with namespace("left") as left, namespace("right") as right:
        join(left, "192.0.2.2/24", right, "192.0.2.1/24", label="wire")
        made = watch(right, "wire", tmp_path)
        try:
            right.ip("link", "set", "wire", "down")
            made.wait_for("WATCH_IMPAIRED")
            right.ip("link", "set", "wire", "up")
            wait(lambda: "there again" in made.output.read_text(), 30, made.output.read_text)
            wire = Wire(left, "wire")
            for frame in tagged(Scene().call().lcp().refuse().goodbye(False), b""):
                wire.send(frame)
            wire.close()
            assert made.wait_for("WATCH_FAILED")[0]["finding"] == "auth-rejected"
        finally:
            made.stop()


def test_every_interface_and_one_host(pair: tuple[Namespace, Namespace], wire: Wire, tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    made = watch(pair[1], "any", tmp_path, "--host", "192.0.2.88", "--log", str(log))
    try:
        for client in ("192.0.2.77", "192.0.2.88"):
            for frame in tagged(Scene(client=client).call().lcp().refuse().goodbye(False), b""):
                wire.send(frame)
        made.wait_for("WATCH_FAILED")
    finally:
        made.stop()
    assert [one["client_ip"] for one in made.records("WATCH_FAILED")] == ["192.0.2.88"]
    (told,) = read_log(str(log)).sessions
    assert [finding.id for finding, _ in told.findings()] == ["auth-rejected"]
    assert told.client == "192.0.2.88"


def test_without_the_right(pair: tuple[Namespace, Namespace], tmp_path: Path) -> None:
    """As somebody who may not read packets: a sentence, and exit code 2."""
    from support.dialling import HOLDFAST  # noqa: PLC0415

    tmp_path.chmod(0o777)
    drop = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--clear-groups")
    command = pair[1].wrap(*drop, *HOLDFAST, "watch", "-i", "wire", "--state", tmp_path / "state")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=250)
    assert done.returncode == 2
    assert "right to read packets" in done.stderr
    assert json.dumps(done.stdout) == '""'
