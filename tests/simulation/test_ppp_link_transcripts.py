"""What real peers say first, and what they get: Windows, pppd, MikroTik dial in; our dialer calls their servers.

The peers' packets are made from their options as captures and logs show them; identifiers are theirs.
"""

from dataclasses import replace

from holdfast.errors import DisconnectReason
from holdfast.events import IpOpened, LinkTerminated, MppeOpened, PeerIdentified
from holdfast.ppp.authentication import Method, lcp_option_value
from holdfast.ppp.codes import Code
from holdfast.ppp.commands import AssignAddress, OpenNetwork
from holdfast.ppp.config import LcpConfig, MppePolicy
from holdfast.ppp.framing import Protocol
from holdfast.ppp.ipcp import address_octets
from holdfast.ppp.options import Option
from support.ppp import ADDRESSES, DIALER, GATEWAY, OPEN, Play, dialer, gateway

LCP, CCP, IPCP = Protocol.LCP, Protocol.CCP, Protocol.IPCP
REQUEST, ACK, NAK, REJECT = Code.CONFIGURE_REQUEST, Code.CONFIGURE_ACK, Code.CONFIGURE_NAK, Code.CONFIGURE_REJECT

MRU_1400, MRU_1450 = Option(1, b"\x05\x78"), Option(1, b"\x05\xaa")
ACCM_0 = Option(2, bytes(4))
MAGIC = Option(5, bytes.fromhex("15706a07"))
PFC, ACFC = Option(7), Option(8)
CALLBACK, MRRU, ENDPOINT = Option(13, b"\x06"), Option(17, b"\x06\x4e"), Option(19, b"\x01" + bytes(range(20)))
VJ = Option(2, b"\x00\x2d\x0f\x01")

OURS = "LCP Configure-Request 1 mru=1400 auth=ms-chap-v2 magic=ours pfc acfc"


def auth(method: Method) -> Option:
    return Option(3, lcp_option_value(method))


def mppe(bits: int) -> Option:
    return Option(18, bits.to_bytes(4))


def ip(number: int, text: str = "0.0.0.0") -> Option:
    return Option(number, address_octets(text))


def after_success(play: Play) -> None:
    """Expect the Success and our request for MPPE."""
    lines = play.lines()
    assert lines[0].startswith("CHAP Success")
    assert lines[1:] == ["CCP Configure-Request 1 mppe=+H-M+S-L-D-C"]


def test_windows_dials_in() -> None:
    """Callback, multilink and endpoint are rejected in one packet; +C is never granted; everything is asked as zero."""
    play = Play(GATEWAY).hear(OURS)
    play.tell(LCP, REQUEST, 0, MRU_1400, MAGIC, PFC, ACFC, CALLBACK, MRRU, ENDPOINT)
    play.hear(f"LCP Configure-Reject 0 callback=06 mrru=1614 endpoint={ENDPOINT.data.hex()}")
    play.tell(LCP, REQUEST, 1, MRU_1400, MAGIC, PFC, ACFC)
    play.hear("LCP Configure-Ack 1 mru=1400 magic=0x15706a07 pfc acfc")
    play.grant(LCP)
    assert play.lines()[0].startswith("CHAP Challenge")
    play.tell(LCP, Code.IDENTIFICATION, 2, data=MAGIC.data + b"MSRASV5.20").hear()
    play.tell(LCP, Code.IDENTIFICATION, 3, data=MAGIC.data + b"MSRAS-0-PC-4").hear()
    after_success(play.sign_in(Method.MS_CHAP_V2))
    play.tell(CCP, REQUEST, 4, mppe(0x010000E1)).hear("CCP Configure-Nak 4 mppe=+H-M+S-L-D-C")
    play.tell(IPCP, REQUEST, 5, ip(3), ip(129), ip(130), ip(131), ip(132)).hear()
    play.grant(CCP).hear()
    play.tell(CCP, REQUEST, 6, mppe(0x01000040))
    given = replace(ADDRESSES, dns=ADDRESSES.dns[:1], wins=())
    play.end.addresses = given
    play.hear(
        "CCP Configure-Ack 6 mppe=+H-M+S-L-D-C",
        "IPCP Configure-Request 1 address=10.77.0.1",
        "IPCP Configure-Reject 5 wins1=0.0.0.0 dns2=0.0.0.0 wins2=0.0.0.0",
    )
    play.tell(IPCP, REQUEST, 7, ip(3), ip(129))
    play.hear("IPCP Configure-Nak 7 address=10.77.0.10 dns1=10.77.0.53")
    play.grant(IPCP)
    play.tell(IPCP, REQUEST, 8, ip(3, "10.77.0.10"), ip(129, "10.77.0.53"))
    play.hear("IPCP Configure-Ack 8 address=10.77.0.10 dns1=10.77.0.53")
    assert play.end.told(OpenNetwork) == [OpenNetwork("10.77.0.1", "10.77.0.10")]
    assert play.end.told(PeerIdentified) == [PeerIdentified("MSRASV5.20"), PeerIdentified("MSRAS-0-PC-4")]
    play.tell(LCP, Code.TERMINATE_REQUEST, 9, data=MAGIC.data + bytes.fromhex("003ccd7400000000"))
    play.hear("LCP Terminate-Ack 9")
    play.wait(1.0, LCP)
    assert play.end.told(LinkTerminated)[0].reason is DisconnectReason.USER_REQUEST


def test_windows_with_a_wrong_password_says_691() -> None:
    play = Play(GATEWAY).hear(OURS)
    play.tell(LCP, REQUEST, 0, MRU_1400, MAGIC, PFC, ACFC).grant(LCP).lines()
    play.sign_in(Method.MS_CHAP_V2, password=b"wrong")
    assert any(line.startswith("CHAP Failure") for line in play.lines())
    play.tell(LCP, Code.TERMINATE_REQUEST, 4, data=bytes.fromhex("7ff04cbc003ccd74000002b3")).lines()
    play.wait(1.0, LCP)
    end = play.end.told(LinkTerminated)[0]
    assert end.reason is DisconnectReason.AUTH_FAILED
    assert "691" in end.evidence


def test_pppd_dials_in() -> None:
    """pppd waits with IPCP until MPPE is up, asks for compression, and offers IPv6."""
    play = Play(GATEWAY).hear(OURS)
    play.tell(LCP, REQUEST, 1, ACCM_0, MAGIC, PFC, ACFC)
    play.hear("LCP Configure-Ack 1 accm=0x00000000 magic=0x15706a07 pfc acfc")
    play.grant(LCP).lines()
    play.tell(LCP, Code.ECHO_REQUEST, 0, data=MAGIC.data).hear("LCP Echo-Reply 0 magic=ours 0 octets")
    after_success(play.sign_in(Method.MS_CHAP_V2))
    play.tell(CCP, REQUEST, 1, mppe(0x01000040)).hear("CCP Configure-Ack 1 mppe=+H-M+S-L-D-C")
    play.grant(CCP).hear()
    assert play.end.told(MppeOpened) == [MppeOpened(128, "stateless")]
    play.tell(Protocol.IPV6CP, REQUEST, 1, Option(1, bytes(range(8)))).hear("LCP Protocol-Reject 2 IPV6CP")
    play.tell(IPCP, REQUEST, 1, VJ, ip(3), ip(129), ip(131))
    play.hear("IPCP Configure-Request 1 address=10.77.0.1", "IPCP Configure-Reject 1 compression=002d0f01")
    play.tell(IPCP, REQUEST, 2, ip(3), ip(129), ip(131))
    play.hear("IPCP Configure-Nak 2 address=10.77.0.10 dns1=10.77.0.53 dns2=10.77.0.54")
    play.tell(IPCP, REQUEST, 3, ip(3, "10.77.0.10"), ip(129, "10.77.0.53"), ip(131, "10.77.0.54"))
    play.hear("IPCP Configure-Ack 3 address=10.77.0.10 dns1=10.77.0.53 dns2=10.77.0.54")
    play.grant(IPCP).hear()
    assert play.end.told(IpOpened)
    play.tell(LCP, Code.TERMINATE_REQUEST, 2, data=b"User request").hear("LCP Terminate-Ack 2")


def test_pppd_without_mppe_rejects_ours() -> None:
    """`nomppe`, or a kernel without ppp_mppe: pppd offers its own compressions and rejects ours."""
    play = Play(GATEWAY).hear(OURS)
    play.tell(LCP, REQUEST, 1, ACCM_0, MAGIC, PFC, ACFC).grant(LCP).lines()
    after_success(play.sign_in(Method.MS_CHAP_V2))
    play.tell(CCP, REQUEST, 1, Option(26, b"\x78\0"), Option(24, b"\x78\0"), Option(21, b"\x2f"))
    play.hear("CCP Configure-Reject 1 deflate=7800 option-24=7800 bsd=2f")
    play.tell(CCP, REJECT, 1, mppe(0x01000040))
    play.hear("LCP Terminate-Request 2 MPPE required but peer negotiation failed")
    play.tell(LCP, Code.TERMINATE_ACK, 2).hear()
    assert play.end.told(LinkTerminated)[0].reason is DisconnectReason.ENCRYPTION_MISMATCH


def test_pppd_without_a_secret_refuses_to_authenticate() -> None:
    play = Play(GATEWAY).hear(OURS)
    play.tell(LCP, REJECT, 1, auth(Method.MS_CHAP_V2))
    play.hear("LCP Terminate-Request 2 peer refused to authenticate")
    play.tell(LCP, Code.TERMINATE_ACK, 2).hear()
    assert play.end.told(LinkTerminated)[0].reason is DisconnectReason.AUTH_REFUSED


def test_mikrotik_dials_in() -> None:
    """RouterOS asks for an MRU and MRRU, and offers MPLS beside IP."""
    play = Play(GATEWAY).hear(OURS)
    play.tell(LCP, REQUEST, 1, MRU_1450, MAGIC, Option(17, b"\x06\x40"))
    play.hear("LCP Configure-Reject 1 mrru=1600")
    play.tell(LCP, REQUEST, 2, MRU_1450, MAGIC).hear("LCP Configure-Ack 2 mru=1450 magic=0x15706a07")
    play.tell(LCP, REJECT, 1, PFC, ACFC)
    play.hear("LCP Configure-Request 2 mru=1400 auth=ms-chap-v2 magic=ours")
    play.grant(LCP).lines()
    after_success(play.sign_in(Method.MS_CHAP_V2))
    play.tell(CCP, REQUEST, 1, mppe(0x01000060)).hear("CCP Configure-Nak 1 mppe=+H-M+S-L-D-C")
    play.tell(CCP, REQUEST, 2, mppe(0x01000040)).hear("CCP Configure-Ack 2 mppe=+H-M+S-L-D-C")
    play.grant(CCP).hear()
    play.tell(IPCP, REQUEST, 1, ip(3))
    play.hear("IPCP Configure-Request 1 address=10.77.0.1", "IPCP Configure-Nak 1 address=10.77.0.10")
    play.tell(0x8281, REQUEST, 1).hear("LCP Protocol-Reject 3 0x8281")
    play.grant(IPCP).tell(IPCP, REQUEST, 2, ip(3, "10.77.0.10")).hear("IPCP Configure-Ack 2 address=10.77.0.10")
    assert play.end.told(OpenNetwork)


def test_an_old_client_with_pap_and_its_own_address() -> None:
    """A router that has no CCP at all, no MPPE, PAP, and wants the address that it has always had."""
    play = Play(gateway(Method.MS_CHAP_V2, Method.PAP, policy=MppePolicy.PREFER)).hear(OURS)
    play.tell(LCP, REQUEST, 1, MAGIC).hear("LCP Configure-Ack 1 magic=0x15706a07")
    play.tell(LCP, NAK, 1, auth(Method.PAP)).hear("LCP Configure-Request 2 mru=1400 auth=pap magic=ours pfc acfc")
    play.grant(LCP).hear()
    play.sign_in(Method.PAP)
    assert [line.split(" ")[:2] for line in play.lines()] == [["PAP", "Authenticate-Ack"]]
    play.tell(IPCP, REQUEST, 1, ip(3, "10.77.0.66"))
    play.hear("IPCP Configure-Request 1 address=10.77.0.1", "IPCP Configure-Nak 1 address=10.77.0.10")
    assert play.end.told(AssignAddress) == [AssignAddress("alice", "10.77.0.66")]


def test_a_windows_server_asks_our_dialer_for_eap_first() -> None:
    play = Play(DIALER).hear("LCP Configure-Request 1 mru=1400 magic=ours pfc acfc")
    play.tell(LCP, REQUEST, 0, MRU_1400, Option(3, b"\xc2\x27"), MAGIC, PFC, ACFC, MRRU, ENDPOINT)
    play.hear(f"LCP Configure-Reject 0 mrru=1614 endpoint={ENDPOINT.data.hex()}")
    play.tell(LCP, REQUEST, 1, MRU_1400, Option(3, b"\xc2\x27"), MAGIC, PFC, ACFC)
    play.hear("LCP Configure-Nak 1 auth=ms-chap-v2")
    play.tell(LCP, REQUEST, 2, MRU_1400, auth(Method.MS_CHAP_V2), MAGIC, PFC, ACFC)
    play.hear("LCP Configure-Ack 2 mru=1400 auth=ms-chap-v2 magic=0x15706a07 pfc acfc")


def test_poptop_answers_early_ipcp_with_terminate_ack() -> None:
    """Not ours: our dialer sends none early. A stray Terminate-Ack while IPCP asks changes nothing."""
    play = Play(replace(OPEN, ipcp=DIALER.ipcp)).hear("LCP Configure-Request 1 mru=1400 magic=ours pfc acfc")
    play.tell(LCP, REQUEST, 1, MAGIC).grant(LCP)
    play.hear(
        "LCP Configure-Ack 1 magic=0x15706a07",
        "IPCP Configure-Request 1 address=0.0.0.0 dns1=0.0.0.0 dns2=0.0.0.0",
    )
    play.tell(IPCP, Code.TERMINATE_ACK, 1).hear()
    assert play.wait(3.0, IPCP)[0].identifier == 1


def test_accel_ppp_tries_its_methods_one_by_one() -> None:
    play = Play(dialer(Method.MS_CHAP_V2)).hear("LCP Configure-Request 1 mru=1400 magic=ours pfc acfc")
    for identifier, method in enumerate((Method.PAP, Method.CHAP_MD5, Method.MS_CHAP), start=0x75):
        play.tell(LCP, REQUEST, identifier, auth(method), Option(1, b"\x05\x9c"), MAGIC)
        play.hear(f"LCP Configure-Nak {identifier} auth=ms-chap-v2")
    play.tell(LCP, REQUEST, 0x78, auth(Method.MS_CHAP_V2), Option(1, b"\x05\x9c"), MAGIC)
    play.hear(f"LCP Configure-Ack {0x78} auth=ms-chap-v2 mru=1436 magic=0x15706a07")


def test_a_cisco_server_with_pap_where_it_is_allowed() -> None:
    play = Play(replace(dialer(Method.PAP, policy=MppePolicy.OFF), lcp=LcpConfig(mru=1500)))
    play.hear("LCP Configure-Request 1 magic=ours pfc acfc")
    play.tell(LCP, REQUEST, 1, auth(Method.PAP), MAGIC).hear("LCP Configure-Ack 1 auth=pap magic=0x15706a07")
    play.grant(LCP)
    assert play.lines()[0].startswith("PAP Authenticate-Request")


def test_a_code_reject_of_our_identification_is_harmless() -> None:
    play = Play(replace(OPEN, lcp=LcpConfig(identification="Holdfast")))
    play.hear("LCP Configure-Request 1 mru=1400 magic=ours pfc acfc")
    play.tell(LCP, REQUEST, 1, MAGIC).grant(LCP)
    play.hear("LCP Configure-Ack 1 magic=0x15706a07", "LCP Identification 2 magic=ours Holdfast")
    identification = play.last[LCP, Code.IDENTIFICATION]
    play.tell(LCP, Code.CODE_REJECT, 1, data=identification.encode()).hear()
    assert play.end.told(LinkTerminated) == []


def test_a_peer_that_is_silent_after_success_is_told_again() -> None:
    """pppd does not repeat its Response, and discards CCP until it knows that it is in: it cannot ask."""
    play = Play(GATEWAY).hear(OURS)
    play.tell(LCP, REQUEST, 1, ACCM_0, MAGIC, PFC, ACFC).grant(LCP).lines()
    play.sign_in(Method.MS_CHAP_V2)
    first = play.lines()
    play.link.handle_timer(play.link.deadline)
    assert sorted(play.lines()) == sorted(first)
    play.tell(CCP, REQUEST, 1, mppe(0x01000040)).hear("CCP Configure-Ack 1 mppe=+H-M+S-L-D-C")
    play.link.handle_timer(play.link.deadline)
    play.hear("CCP Configure-Request 1 mppe=+H-M+S-L-D-C")
