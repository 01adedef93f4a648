from pathlib import Path

from holdfast.capture.diagnosis import compare_ends
from holdfast.capture.inside import Inside
from holdfast.capture.summary import headline, inside_text, summary, worst_first
from support.scene import CLIENT, SERVER, Scene


def sick(port: int, at: float) -> Scene:
    return Scene(port=port, now=at).call().lcp().refuse().goodbye(False)


def test_one_session_is_named_by_its_cause(tmp_path: Path) -> None:
    diagnosis = sick(40000, 1000.0).diagnosis(tmp_path)
    assert headline(diagnosis) == "Wrong user name or password"
    assert summary(diagnosis) == "1 PPTP session: 1 fault, 0 warnings."


def test_many_are_counted_and_the_worst_come_first(tmp_path: Path) -> None:
    well = Scene(port=30000, now=900.0).up().goodbye()
    diagnosis = well.together(sick(40000, 2000.0), sick(40001, 3000.0)).diagnosis(tmp_path)
    assert headline(diagnosis) == "Wrong user name or password: 2 of 3 sessions"
    assert [session.id for session in worst_first(diagnosis)] == ["s2", "s3", "s1"]


def test_several_causes(tmp_path: Path) -> None:
    silent = Scene(port=30000, now=900.0)
    silent.call()
    for _ in range(6):
        silent.configure(True, 0xC021, 1, (5, b"abcd")).wait(3)
    diagnosis = silent.together(sick(40000, 2000.0), sick(40001, 3000.0)).diagnosis(tmp_path)
    assert headline(diagnosis) == "3 of 3 sessions have a fault, most often: Wrong user name or password (2)"


def test_well_and_nothing(tmp_path: Path) -> None:
    diagnosis = Scene().up().goodbye().diagnosis(tmp_path)
    assert (headline(diagnosis), summary(diagnosis)) == ("All is well", "1 PPTP session, nothing to repair.")
    assert headline(Scene().udp((CLIENT, 1), (SERVER, 2), b"").diagnosis(tmp_path)) == "No PPTP in this capture"


def test_two_ends(tmp_path: Path) -> None:
    scene = Scene().up().talk(20).goodbye()
    far = Scene()
    far.frames = [frame for number, frame in enumerate(scene.frames) if number != 60]
    one, other = str(scene.write(tmp_path, "a.pcap")), str(far.write(tmp_path, "b.pcap"))
    assert headline(compare_ends([one], [one])) == "Nothing is lost between client and server"
    assert headline(compare_ends([one], [other])) == "1 GRE frame vanishes between client and server"
    assert "1 session found in both captures." in summary(compare_ends([one], [other]))


def test_what_a_password_opened_is_said(tmp_path: Path) -> None:
    session = Scene().up().goodbye().case(tmp_path).sessions[0]
    assert inside_text(session) == ""
    session.inside = Inside()
    assert "could not be tried" in inside_text(session)
    session.inside = Inside(password_fits=False)
    assert "is not the one" in inside_text(session)
    session.inside = Inside(password_fits=True, opaque={True: 2, False: 1})
    assert inside_text(session) == "the password fits: 0 packets deciphered, 3 not"


def test_what_is_not_seen_to_work_is_not_called_well(tmp_path: Path) -> None:
    assert headline(Scene().call().diagnosis(tmp_path)) == "No fault is seen, and no session that works either"
    both = Scene().up().goodbye().together(Scene(client="192.0.2.99", port=50000).call())
    assert headline(both.diagnosis(tmp_path)) == "No fault is seen; 1 of 2 sessions are seen to work"


def test_a_look_at_the_port_is_well(tmp_path: Path) -> None:
    assert headline(Scene().handshake().hang_up(True).diagnosis(tmp_path)) == "All is well"
