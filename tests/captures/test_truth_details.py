"""The smaller statements of the notes beside the captures of other people, one by one."""

import pytest

from holdfast.capture.diagnosis import Diagnosis, Verdict, diagnose
from holdfast.capture.findings.base import Finding, Severity
from holdfast.capture.inside import nt_hash_of
from holdfast.capture.session import Session
from holdfast.control.messages import CallDisconnectNotify, OutgoingCallReply, SetLinkInfo, StartControlConnectionReply
from holdfast.ppp.codes import Code
from holdfast.secret import Secret
from support.captures import capture_path

pytestmark = pytest.mark.captures

WIRELESS, DROPPED, CONTROL_ONLY = "asleap__pptp_80211.dump", "tcpdump__pptp.pcap", "nDPI__pptp.pcap"
HAYSTACK, WINDOWS = "mercury__capture2.pcap", "wireshark__PPPHandshake_converted.pcap"


def judged(name: str) -> tuple[Diagnosis, Session, dict[str, Finding]]:
    diagnosis = diagnose([str(capture_path(name))])
    session = diagnosis.case.sessions[0]
    return diagnosis, session, {finding.id: finding for finding in diagnosis.judgement.all}


def frames(finding: Finding) -> set[int]:
    return {moment.frame for moment in finding.evidence}


def test_a8_what_the_radio_repeats_is_no_duplicate_of_the_vpn() -> None:
    _, session, found = judged(WIRELESS)
    (up,), (down,) = session.up, session.down
    assert (up.call_id, up.frames, up.copies_wireless, up.duplicates) == (4, 46, 12, 0)
    assert (down.call_id, down.frames, down.acks_only, down.numbers) == (0, 17, 11, (1, 17))
    assert up.encrypted == 26
    assert session.data_packets(up=True) == 18
    assert session.data_packets(up=False) == 0
    assert "gre-duplicates" not in found
    assert "12 GRE packets are 802.11 retransmissions" in found["capture-duplicates"].why


def test_a8_the_request_with_bit_errors_counts_once() -> None:
    _, session, _ = judged(WIRELESS)
    assert session.conversation is not None
    requests = [item for item in session.conversation.items if item.message.name == "Start-Control-Connection-Request"]
    assert len(requests) == 1
    assert requests[0].moment.frame in (31, 32)
    assert session.conversation.damaged == 1


def test_a8_what_is_odd_there_is_harmless() -> None:
    diagnosis, session, found = judged(WIRELESS)
    assert diagnosis.verdict is Verdict.HEALTHY
    assert 47 in frames(found["harmless"]), "the first Configure-Request of the client is never answered"
    assert "does not know the LCP Identification" in found["harmless"].why
    assert [item.packet.code for item in session.link.lcp.others].count(Code.CODE_REJECT) >= 1
    assert session.link.dns == ["192.168.2.1"]


def test_a8_the_password_of_the_notes_fits() -> None:
    secret = nt_hash_of(Secret.from_text("turquoise"))
    diagnosis = diagnose([str(capture_path(WIRELESS))], nt_hash=secret)
    inside = diagnosis.case.sessions[0].inside
    assert inside is not None
    assert inside.password_fits
    assert inside.server_proved
    assert len(inside.packets) == 18
    assert all(packet.up and packet.octets[16] in (192, 224, 239, 255) for packet in inside.packets)


def test_a8_another_password_does_not_fit_and_opens_nothing() -> None:
    secret = nt_hash_of(Secret.from_text("Turquoise"))
    inside = diagnose([str(capture_path(WIRELESS))], nt_hash=secret).case.sessions[0].inside
    assert inside is not None
    assert inside.password_fits is False
    assert inside.packets == []


def test_a9_nothing_was_received_yet_is_no_acknowledgement() -> None:
    _, session, _ = judged(HAYSTACK)
    assert session.call is not None
    assert (session.call.client_call_id, session.call.server_call_id) == (1, 24)
    assert session.gre_packets(up=True) + session.gre_packets(up=False) == 17
    assert [flow.acked_unseen for flow in session.up + session.down] == [0] * len(session.up + session.down)
    assert session.goodbye is None
    assert "gre-loss" not in judged(HAYSTACK)[2]


def test_a10_frames_of_the_server_are_captured_twice() -> None:
    _, session, found = judged(DROPPED)
    assert session.conversation is not None
    assert len(session.conversation.copied) >= 5
    assert session.conversation.retransmissions == {True: [], False: []}
    assert found["capture-duplicates"].severity is Severity.NOTE
    assert "8 TCP segments twice" in found["capture-duplicates"].why
    assert session.call is not None
    assert (session.call.client_call_id, session.call.server_call_id) == (0, 0)


def test_a10_the_server_hung_up_without_a_word_of_gre() -> None:
    _, session, found = judged(DROPPED)
    assert (session.gre_packets(up=True), session.gre_packets(up=False)) == (1, 0)
    assert [each.id for each in found.values() if each.severity is Severity.FAULT] == ["server-link-died"]
    assert session.goodbye is not None
    assert not session.goodbye[1]
    assert session.goodbye[0].since(session.call.reply.moment) == pytest.approx(0.96, abs=0.05)  # type: ignore[union-attr]


def test_a11_ppp_failed_after_lcp_although_no_gre_is_there() -> None:
    _, session, found = judged(CONTROL_ONLY)
    assert (session.up, session.down) == ([], [])
    assert not {"gre-missing", "gre-missing-from-server", "gre-missing-from-client"} & found.keys()
    assert "GRE works, and PPP failed after LCP" in found["link-closed-early"].why
    assert session.conversation is not None
    infos = [item.message for item in session.conversation.items if isinstance(item.message, SetLinkInfo)]
    assert [info.send_accm for info in infos] == [0, 0xFFFFFFFF]
    notify = next(item.message for item in session.conversation.items if isinstance(item.message, CallDisconnectNotify))
    assert notify.result_code == 0
    reply = next(item.message for item in session.conversation.items if isinstance(item.message, OutgoingCallReply))
    assert reply.call_id == 11755
    start = next(
        item.message for item in session.conversation.items if isinstance(item.message, StartControlConnectionReply)
    )
    assert start.vendor_string == "Microsoft"


def test_a13_numbers_of_a_single_packet() -> None:
    _, session, _ = judged("nDPI__gre.pcapng")
    (flow,) = session.up + session.down
    assert (flow.call_id, flow.numbers, flow.acknowledged) == (38992, (106, 106), 140)


def test_a16_an_attack_has_no_sequence_numbers() -> None:
    _, session, found = judged("certcc__cve-2020-8597_gre-samples.pcap")
    assert sum(flow.unnumbered for flow in session.up + session.down) == 2
    assert found["attack-overflow"].severity is Severity.WARNING


def test_c_the_terminate_request_says_691() -> None:
    _, session, found = judged(WINDOWS)
    assert session.link.ended is not None
    assert session.link.ended.cause.ras_error == 691
    assert "E=691" in found["auth-rejected"].why
    assert 691 in found["auth-rejected"].entry.windows_codes
    assert session.link.ended.moment.frame in frames(found["auth-rejected"])


def test_c_a_goodbye_without_an_error_is_none() -> None:
    diagnosis, session, _ = judged("wireshark__PPP-config.cap")
    assert diagnosis.verdict is Verdict.HEALTHY
    assert session.link.ended is None or session.link.ended.cause.ras_error in (None, 0)
