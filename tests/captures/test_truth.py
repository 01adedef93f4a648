"""Captures made by other people, judged as the notes beside them say."""

import pytest

from holdfast.capture.diagnosis import Diagnosis, Verdict, diagnose
from holdfast.capture.findings.base import Severity
from holdfast.capture.session import Kind, Phase
from support.captures import capture_path

pytestmark = pytest.mark.captures

NOTHING = [
    "suricata-verify__eth-ip-gre-ppp-max-ip-packet.pcap",
    "zeek__erspan.pcap",
    "tcpdump__various_gre.pcap",
    "tcpdump__gre-heapoverflow-1.pcap",
    "wireshark__ldap_clientport1723_only_NEGATIVE.pcap",
    "wireshark__http_clientport1723_only_NEGATIVE.pcap",
    "libtrace__radius.pcap",
    "nDPI__fuzz-2020-02-16-11740_radius.pcap",
    "jradius__radius-mschapv2.pcapng",
    "jradius__radius-eap-mschapv2.pcapng",
]


def judged(name: str) -> Diagnosis:
    return diagnose([str(capture_path(name))])


def serious(diagnosis: Diagnosis) -> list[str]:
    return [finding.id for finding in diagnosis.judgement.all if finding.severity is not Severity.NOTE]


@pytest.mark.parametrize("name", NOTHING)
def test_no_pptp_is_no_pptp(name: str) -> None:
    diagnosis = judged(name)
    assert diagnosis.verdict is Verdict.NOTHING
    assert diagnosis.judgement.all == []


def test_wireless_retransmissions_are_no_duplicates() -> None:
    diagnosis = judged("asleap__pptp_80211.dump")
    (session,) = diagnosis.case.sessions
    assert diagnosis.verdict is Verdict.HEALTHY
    assert (session.user, session.client, session.server) == ("scott", "192.168.1.3", "192.168.1.1")
    assert session.link.mppe is not None
    assert (session.link.mppe.bits, session.link.mppe.stateless) == (128, True)
    assert (session.link.client_address, session.link.server_address) == ("192.168.2.2", "192.168.2.1")
    assert (session.data_packets(up=True), session.data_packets(up=False)) == (18, 0)
    assert sum(flow.copies_wireless for flow in session.up) == 12
    assert session.conversation is not None
    assert session.conversation.damaged == 1


@pytest.mark.parametrize("name", ["mercury__capture2.pcap"])
def test_a_needle_in_a_haystack_without_order(name: str) -> None:
    diagnosis = judged(name)
    (session,) = diagnosis.case.sessions
    assert serious(diagnosis) == ["cleartext-password", "cleartext-data"]
    assert session.user == "ixia"
    assert session.phase is Phase.TRAFFIC
    assert (session.link.server_address, session.link.client_address) == ("17.1.1.118", "17.1.1.122")
    frames = {moment.frame for finding in diagnosis.judgement.all for moment in finding.evidence}
    assert all(3356 <= frame <= 3381 for frame in frames)


def test_a_call_dropped_by_the_server() -> None:
    diagnosis = judged("tcpdump__pptp.pcap")
    assert serious(diagnosis) == ["server-link-died"]
    assert {19, 16} <= {moment.frame for moment in diagnosis.judgement.all[0].evidence}


def test_control_alone_proves_no_blocking() -> None:
    diagnosis = judged("nDPI__pptp.pcap")
    found = {finding.id: finding for finding in diagnosis.judgement.all}
    assert serious(diagnosis) == ["link-closed-early"]
    assert {moment.frame for moment in found["link-closed-early"].evidence} == {12, 14}
    assert "partial-capture" in found


def test_ipv6_outside_and_vlan() -> None:
    diagnosis = judged("zeek__gre-pptp.pcap")
    (session,) = diagnosis.case.sessions
    assert session.kind is Kind.GRE
    assert session.gre_packets(up=True) == session.gre_packets(up=False) == 1


def test_one_packet_of_a_tunnel_in_clear() -> None:
    diagnosis = judged("nDPI__gre.pcapng")
    assert serious(diagnosis) == ["cleartext-data"]
    assert diagnosis.case.sessions[0].down[0].call_id == 38992


def test_version_0_beside_version_1() -> None:
    diagnosis = judged("pcapplusplus__GrePackets.pcap")
    assert {flow.call_id for session in diagnosis.case.sessions for flow in session.up + session.down} == {6, 17}


def test_an_attack_is_named() -> None:
    diagnosis = judged("certcc__cve-2020-8597_gre-samples.pcap")
    assert serious(diagnosis) == ["attack-overflow"]


def test_a_windows_client_with_a_wrong_password() -> None:
    diagnosis = judged("wireshark__PPPHandshake_converted.pcap")
    assert serious(diagnosis) == ["auth-rejected"]
    assert diagnosis.case.sessions[0].user == "Tyson"


@pytest.mark.parametrize("name", ["wireshark__PPP-config.cap", "wireshark__ppp_lcp_ipcp.pcap"])
def test_ppp_without_a_tunnel_is_read_too(name: str) -> None:
    diagnosis = judged(name)
    assert diagnosis.verdict is Verdict.HEALTHY
    assert diagnosis.case.sessions[0].kind is Kind.PPP


def test_one_malformed_frame_is_survived() -> None:
    judged("tcpdump__ppp-invalid-lengths.pcap")
