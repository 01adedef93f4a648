"""Addresses and servers in both roles (RFC 1332, RFC 1877)."""

import pytest

from holdfast.errors import DisconnectReason
from holdfast.ppp.codes import Code
from holdfast.ppp.commands import AddressAssignment
from holdfast.ppp.config import IpcpConfig
from holdfast.ppp.ipcp import IpcpRules, address_octets, address_text, requested_address, usable_host
from holdfast.ppp.options import Option, describe_options
from support.ppp_protocol import Talk, ipcp

GIVEN = AddressAssignment("10.77.0.1", "10.77.0.10", ("10.77.0.53",), ())


def option(number: int, address: str) -> Option:
    return Option(number, address_octets(address))


def text(packet: object) -> str:
    return describe_options(0x8021, packet.options())


def gateway(given: AddressAssignment = GIVEN) -> Talk:
    rules = IpcpRules(IpcpConfig())
    rules.assign(given)
    return ipcp(rules)


def dialer(**settings: object) -> Talk:
    return ipcp(assigns=False, **settings)


def test_a_gateway_tells_its_address_only() -> None:
    assert text(gateway().sent[0]) == "address=10.77.0.1"


def test_windows_asks_and_is_told() -> None:
    """The first request of Windows: everything zero; what we do not have is rejected, then values are given."""
    talk = gateway()
    asks = [option(number, "0.0.0.0") for number in (3, 129, 130, 131, 132)]
    reject = talk.say(1, 5, *asks)[0]
    assert (reject.code, text(reject)) == (Code.CONFIGURE_REJECT, "wins1=0.0.0.0 dns2=0.0.0.0 wins2=0.0.0.0")
    nak = talk.say(1, 6, *asks[:2])[0]
    assert (nak.code, text(nak)) == (Code.CONFIGURE_NAK, "address=10.77.0.10 dns1=10.77.0.53")
    assert talk.say(1, 7, option(3, "10.77.0.10"), option(129, "10.77.0.53"))[0].code == Code.CONFIGURE_ACK


def test_both_pairs_of_servers_are_given() -> None:
    talk = gateway(AddressAssignment("10.0.0.1", "10.0.0.2", ("1.1.1.1", "2.2.2.2"), ("3.3.3.3", "4.4.4.4")))
    nak = talk.say(1, 5, option(3, "10.0.0.2"), *(option(number, "0.0.0.0") for number in (129, 130, 131, 132)))[0]
    assert text(nak) == "dns1=1.1.1.1 wins1=3.3.3.3 dns2=2.2.2.2 wins2=4.4.4.4"


@pytest.mark.parametrize("number", [1, 2, 4, 144])
def test_compression_and_the_rest_are_rejected(number: int) -> None:
    vj = Option(number, b"\x00\x2d\x0f\x01")
    packet = gateway().say(1, 5, vj, option(3, "10.77.0.10"))[0]
    assert (packet.code, packet.options()) == (Code.CONFIGURE_REJECT, [vj])


def test_another_address_than_the_assigned_one_is_refused() -> None:
    packet = gateway().say(1, 5, option(3, "10.77.0.99"))[0]
    assert (packet.code, text(packet)) == (Code.CONFIGURE_NAK, "address=10.77.0.10")


def test_a_client_that_asks_for_no_address_is_told_to() -> None:
    packet = gateway().say(1, 5)[0]
    assert (packet.code, text(packet)) == (Code.CONFIGURE_NAK, "address=10.77.0.10")


def test_a_gateway_keeps_its_own_address() -> None:
    talk = gateway()
    again = talk.say(Code.CONFIGURE_NAK, talk.sent[0].identifier, option(3, "10.77.0.200"))
    assert text(again[0]) == "address=10.77.0.1"


def test_a_gateway_can_do_without_telling_its_address() -> None:
    talk = gateway()
    again = talk.say(Code.CONFIGURE_REJECT, talk.sent[0].identifier, option(3, "10.77.0.1"))
    assert again[0].data == b""
    assert talk.layer.take() == []


@pytest.mark.parametrize("data", [b"", b"\x0a", b"\x0a\x4d\x00\x0a\x00"])
def test_odd_sizes_are_refused_with_the_right_one(data: bytes) -> None:
    packet = gateway().say(1, 5, Option(3, data))[0]
    assert (packet.code, text(packet)) == (Code.CONFIGURE_NAK, "address=10.77.0.10")


def test_a_dialer_asks_and_takes_what_it_is_given() -> None:
    talk = dialer()
    assert text(talk.sent[0]) == "address=0.0.0.0 dns1=0.0.0.0 dns2=0.0.0.0"
    talk.sent = talk.say(3, talk.sent[0].identifier, option(3, "10.1.1.2"), option(129, "9.9.9.9"))
    assert text(talk.sent[0]) == "address=10.1.1.2 dns1=9.9.9.9 dns2=0.0.0.0"
    talk.sent = talk.say(4, talk.sent[0].identifier, option(131, "0.0.0.0"))
    assert text(talk.sent[0]) == "address=10.1.1.2 dns1=9.9.9.9"
    talk.open(option(3, "10.1.1.1"))
    rules = talk.protocol.rules
    assert (address_text(rules.local), address_text(rules.peer)) == ("10.1.1.2", "10.1.1.1")
    assert (rules.dns, rules.wins) == (("9.9.9.9",), ())


def test_wish_and_servers_are_configuration() -> None:
    assert text(dialer(wish="10.1.1.9", ask_dns=False).sent[0]) == "address=10.1.1.9"
    assert text(dialer(ask_dns=False, ask_wins=True).sent[0]) == "address=0.0.0.0 wins1=0.0.0.0 wins2=0.0.0.0"


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "0.1.2.3"])
def test_a_dialer_takes_no_impossible_address(address: str) -> None:
    talk = dialer()
    assert talk.say(3, talk.sent[0].identifier, option(3, address)) == []
    failure = talk.layer.take()[0][1]
    assert failure.reason is DisconnectReason.NO_ADDRESS
    assert address in failure.detail


def test_a_server_that_grants_zero_assigns_nothing() -> None:
    talk = dialer()
    talk.agree()
    assert talk.layer.take()[0][1].reason is DisconnectReason.NO_ADDRESS


def test_a_server_that_rejects_the_address_option_assigns_nothing() -> None:
    talk = dialer()
    assert talk.say(4, talk.sent[0].identifier, option(3, "0.0.0.0")) == []
    assert talk.layer.take()[0][1].reason is DisconnectReason.NO_ADDRESS


@pytest.mark.parametrize(("number", "address"), [(3, "0.0.0.0"), (3, "127.0.0.1"), (129, "0.0.0.0"), (2, "0.45.15.1")])
def test_a_dialer_gives_nothing(number: int, address: str) -> None:
    packet = dialer().say(1, 5, option(number, address))[0]
    assert (packet.code, packet.options()) == (Code.CONFIGURE_REJECT, [option(number, address)])


def test_a_server_may_keep_its_address_to_itself() -> None:
    assert dialer().say(1, 5)[0].code == Code.CONFIGURE_ACK


@pytest.mark.parametrize("text", ["10.0.0", "10.0.0.256", "fe80::1", "host"])
def test_an_assignment_must_be_ipv4(text: str) -> None:
    with pytest.raises(ValueError):
        IpcpRules(IpcpConfig()).assign(AddressAssignment("10.0.0.1", text))


def test_the_wish_in_a_request() -> None:
    assert requested_address([option(129, "10.1.1.1"), option(3, "10.1.1.9")]) == "10.1.1.9"
    assert requested_address([option(3, "0.0.0.0")]) is None
    assert requested_address([option(3, "127.0.0.1")]) is None
    assert requested_address([]) is None


def test_usable_hosts() -> None:
    assert usable_host(bytes([10, 0, 0, 1]))
    assert not usable_host(b"\x0a\0\0")
    assert not usable_host(bytes([240, 0, 0, 1]))


@pytest.mark.parametrize("make", [gateway, dialer])
def test_snapshot(make: object) -> None:
    talk = make()
    talk.say(1, 5, option(3, "10.77.0.10"))
    talk.agree()
    copy = dialer(ask_dns=False)
    copy.protocol.restore(talk.protocol.snapshot())
    assert copy.protocol.snapshot() == talk.protocol.snapshot()
    assert copy.protocol.rules.request() == talk.protocol.rules.request()
    assert copy.protocol.rules.assigned == talk.protocol.rules.assigned
