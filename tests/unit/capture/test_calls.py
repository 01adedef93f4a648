from pathlib import Path

from holdfast.capture.calls import CALLS_MOST, Call, calls_of, first_of
from holdfast.capture.reading import read
from holdfast.capture.tcp import reassemble
from holdfast.control.messages import (
    CallClearRequest,
    CallDisconnectNotify,
    IncomingCallReply,
    IncomingCallRequest,
    OutgoingCallReply,
    OutgoingCallRequest,
    StartControlConnectionReply,
)
from support.scene import Scene


def calls(scene: Scene, folder: Path) -> list[Call]:
    return calls_of(reassemble(read([str(scene.write(folder))]).control(1)[0]))


def test_a_call_and_its_ids(tmp_path: Path) -> None:
    (call,) = calls(Scene().call().link_info(True, 1, 2).clear(True), tmp_path)
    assert (call.client_call_id, call.server_call_id, call.granted) == (100, 200, True)
    assert call.cleared is not None
    assert len(call.link_infos) == 1


def test_a_refused_call(tmp_path: Path) -> None:
    (call,) = calls(Scene().control().call_request().call_reply(4), tmp_path)
    assert not call.granted


def test_two_calls_on_one_connection(tmp_path: Path) -> None:
    scene = Scene().call()
    scene.say(True, OutgoingCallRequest(101, 2, 1, 2, 3, 3, 64, 0, 0, "", ""))
    scene.say(False, OutgoingCallReply(201, 101, 1, 0, 0, 1, 64, 0, 0)).say(True, CallClearRequest(101))
    first, second = calls(scene, tmp_path)
    assert (second.client_call_id, second.server_call_id) == (101, 201)
    assert first.cleared is None
    assert second.cleared is not None


def test_a_notify_that_names_the_other_sides_id(tmp_path: Path) -> None:
    (call,) = calls(Scene().call().say(False, CallDisconnectNotify(100, 0, 0, 0, "")), tmp_path)
    assert call.cleared is not None


def test_an_incoming_call_turns_the_ids_around(tmp_path: Path) -> None:
    scene = Scene().control().say(False, IncomingCallRequest(55, 1, 3, 0, 0, 0, "", "", ""))
    (call,) = calls(scene.say(True, IncomingCallReply(66, 55, 1, 0, 64, 0)), tmp_path)
    assert (call.server_call_id, call.client_call_id, call.granted) == (55, 66, True)


def test_a_reply_alone_is_a_call_too(tmp_path: Path) -> None:
    (call,) = calls(Scene().control().call_reply(), tmp_path)
    assert (call.client_call_id, call.server_call_id, call.request) == (100, 200, None)


def test_the_first_of_a_kind(tmp_path: Path) -> None:
    conversation = reassemble(read([str(Scene().call().write(tmp_path))]).control(1)[0])
    found = first_of(conversation, StartControlConnectionReply)
    assert found is not None
    assert found[1].host_name == "server"
    assert first_of(None, StartControlConnectionReply) is None


def test_a_storm_of_calls_is_bounded(tmp_path: Path) -> None:
    scene = Scene(tick=0.0001).control()
    for number in range(CALLS_MOST + 100):
        scene.client_call = number
        scene.call_request()
    assert len(calls(scene, tmp_path)) == CALLS_MOST
    assert scene.case(tmp_path).omitted == 100


def test_an_answer_that_the_capture_shows_before_its_request(tmp_path: Path) -> None:
    """Two sources, receiving and sending, whose frames were not put in order."""
    scene = Scene().call().lcp().authenticate().encrypt().address().talk()
    request, reply = scene.frames[5], scene.frames[6]
    scene.frames[5:7] = [(request[0], reply[1]), (reply[0], request[1])]
    (call,) = calls(scene, tmp_path)
    assert (call.client_call_id, call.server_call_id, call.granted) == (100, 200, True)
    assert call.request is not None
    assert scene.diagnosis(tmp_path).verdict == "healthy"
