from pathlib import Path

from holdfast.capture.diagnosis import diagnose
from holdfast.watch.packets import look
from holdfast.watch.tape import HEAD_MOST, TAIL_MOST, Tape, clean
from support.live import captured
from support.scene import CLIENT, SERVER, Scene, gre, ip

SECRET = b"what-the-user-sends"


def taped(scene: Scene) -> Tape:
    tape = Tape()
    for one in captured(scene):
        seen = look(one.ether_type, one.octets)
        if seen is not None:
            tape.add(one.nanoseconds, seen, one.length)
    return tape


def kept(protocol: int, payload: bytes) -> bytes:
    seen = look(0x800, ip(CLIENT, SERVER, protocol, payload))
    assert seen is not None
    return clean(seen)[0]


def test_user_traffic_is_cut_in_every_form() -> None:
    for front in (b"\x00\x21", b"\x21", b"\xff\x03\x00\x21", b"\xfd", b"\x00\xfd", b"\xff\x03\xfd", b"\x00\x57"):
        octets = kept(47, gre(1, front + SECRET, 5, 6))
        assert SECRET[:2] not in octets
        assert octets.endswith(front)
    assert SECRET not in kept(47, b"\x30\x01\x88\x0b" + SECRET * 3)
    assert SECRET not in kept(47, b"\x00\x00\x08\x00" + SECRET * 3)
    assert SECRET * 4 not in kept(6, bytes(12) + b"\x50" + bytes(7) + SECRET * 9)


def test_negotiation_stays_and_passwords_do_not() -> None:
    request = b"\xc0\x21\x01\x01\x00\x08\x01\x04\x05\xdc"
    assert kept(47, gre(1, request, 5)).endswith(request)
    login = kept(47, gre(1, b"\xc0\x23\x01\x01\x00\x14\x03bob\x09topsecret", 5))
    assert b"bob" in login
    assert b"topsecret" not in login


def test_it_is_judged_as_the_whole_was(tmp_path: Path) -> None:
    scene = Scene().call().lcp().refuse().goodbye(False)
    path = tmp_path / "kept.pcapng"
    path.write_bytes(taped(scene).write("why", "eth0"))
    again = diagnose([str(path)])
    assert again.judgement.all[0].id == "auth-rejected"
    assert again.case.files[0].comments[0][1].startswith("why\n")


def test_bounded_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    scene = Scene().up()
    for number in range(HEAD_MOST + TAIL_MOST + 500):
        scene.packet(True, 47, gre(200, b"\x00\xfd" + bytes(60), 1000 + number))
    tape = taped(scene)
    assert tape.left_out >= 500
    path = tmp_path / "kept.pcapng"
    path.write_bytes(tape.write("why", "eth0"))
    assert path.stat().st_size < 200_000
    again = diagnose([str(path)])
    assert again.case.files[0].dropped == tape.left_out
    assert not [one for one in again.judgement.all if one.id == "gre-loss" and one.severity.value != "note"]
