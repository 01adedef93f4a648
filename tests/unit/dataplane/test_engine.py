"""The engine's Python face, over a stand-in for the Rust core."""

from typing import Any

import pytest

from holdfast import _native
from holdfast.dataplane import engine as module
from holdfast.dataplane.engine import MAX_MTU, Engine
from holdfast.dataplane.interface import (
    CallPath,
    Counters,
    Keepalive,
    LinkParameters,
    MppeDirection,
    MppeMode,
    PacketEngine,
    Upcall,
    UpcallKind,
)
from holdfast.secret import Secret


class Core:
    """Writes down what it is asked, and answers what it is told to."""

    def __init__(self, *arguments: Any) -> None:
        self.asked: list[tuple[Any, ...]] = [("made", *arguments)]
        self.answers: dict[str, Any] = {}
        self.tun_name = "hf0"

    def __getattr__(self, name: str) -> Any:
        def ask(*arguments: Any) -> Any:
            self.asked.append((name, *arguments))
            return self.answers.get(name)

        return ask


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> tuple[Engine, Core]:
    """An engine and its core."""
    monkeypatch.setattr(module._native, "PacketEngine", Core)
    made = Engine(
        tun_name="hf%d",
        bind_addresses=("192.0.2.1",),
        tun_mtu=1300,
        reorder_timeout=0.1,
        heartbeats=("10.0.0.7",),
        workers=3,
    )
    core = made._native
    assert isinstance(core, Core)
    return made, core


def test_choices_reach_the_core(engine: tuple[Engine, Core]) -> None:
    face: PacketEngine = engine[0]
    assert face.tun_name == "hf0"
    assert engine[1].asked == [("made", "hf%d", 1300, ["192.0.2.1"], 0.1, ["10.0.0.7"], 3)]


@pytest.mark.parametrize("mtu", [67, MAX_MTU + 1])
def test_impossible_mtus_are_refused(mtu: int) -> None:
    with pytest.raises(ValueError, match=f"MTU {mtu}"):
        Engine(tun_mtu=mtu)


def test_calls_reach_the_core_in_its_types(engine: tuple[Engine, Core]) -> None:
    face, core = engine
    core.answers["add_call"] = 5
    assert face.add_call(CallPath(1, 2, "192.0.2.1", "192.0.2.2", receive_window=16)) == 5
    face.configure(5, LinkParameters(1400, 1500, True, False, 3, 4, clamp_mss=False))
    keys = [
        MppeDirection(Secret(bytes(16)), 128, MppeMode.STATELESS),
        MppeDirection(Secret(bytes(8)), 40, MppeMode.STATEFUL),
    ]
    face.set_mppe(5, keys[0], keys[1])
    face.set_mppe(5, None, None)
    face.set_keepalive(5, Keepalive(10.0, 3, adaptive=False))
    face.open_network(5, ("10.0.0.1", "fd00::1"))
    face.open_network(5, ("0.0.0.0/0", "::/0"))
    face.close_network(5)
    assert core.asked[1:] == [
        ("add_call", 1, 2, "192.0.2.1", "192.0.2.2", 16),
        ("configure", 5, 1400, True, False, 3, False),
        ("set_mppe", 5, (bytes(16), 128, True), (bytes(8), 40, False)),
        ("set_mppe", 5, None, None),
        ("set_keepalive", 5, 10.0, 3, False),
        ("set_addresses", 5, ["10.0.0.1", "fd00::1"]),
        ("set_addresses", 5, ["0.0.0.0", "::"]),
        ("set_addresses", 5, []),
    ]


def test_a_session_needs_an_address(engine: tuple[Engine, Core]) -> None:
    with pytest.raises(ValueError, match="address"):
        engine[0].open_network(5, ())


def test_answers_come_in_the_types_of_the_interface(engine: tuple[Engine, Core]) -> None:
    face, core = engine
    core.answers = {
        "poll": [(1, 5, b"\xc0\x21", 0, ""), (6, 0, b"", 77, "192.0.2.9")],
        "counters": {"packets_in": 3, "drops": {"late": 1}},
        "remove_call": {"packets_in": 4},
        "totals": {"packets_in": 5},
    }
    assert face.poll() == [
        Upcall(UpcallKind.FRAME, 5, b"\xc0\x21"),
        Upcall(UpcallKind.UNKNOWN_CALL, 0, value=77, peer="192.0.2.9"),
    ]
    assert face.counters(5) == Counters(packets_in=3, drops={"late": 1})
    assert face.remove_call(5) == Counters(packets_in=4)
    assert face.totals() == Counters(packets_in=5)


def test_wrong_keys_are_refused_without_showing_them() -> None:
    for key, bits in ((b"secret!!", 128), (b"secret!!secret!!", 40), (b"secret!!", 64)):
        with pytest.raises(ValueError, match="bit") as refused:
            _native.MppeCipher(key, bits, True)
        assert "secret" not in str(refused.value)


def test_gre_takes_the_length_it_can_say() -> None:
    assert _native.gre_parse(_native.gre_build(1, 2, 3, bytes(65535))) == (1, 2, 3, bytes(65535))
    with pytest.raises(ValueError, match="65535"):
        _native.gre_build(1, 2, 3, bytes(65536))
