from holdfast.capture.moment import Moment
from holdfast.capture.ppp_trace import PppFault, PppItem, decode_frame

NOW = Moment(1, 0, 1)


def test_a_control_packet_with_and_without_address_field() -> None:
    for octets in (b"\xff\x03\xc0\x21\x01\x07\x00\x08\x01\x04\x05\x78", b"\xc0\x21\x01\x07\x00\x08\x01\x04\x05\x78"):
        item = decode_frame(octets, NOW, from_client=True)
        assert isinstance(item, PppItem)
        assert (item.name, item.text) == ("LCP Configure-Request", "mru=1400")


def test_user_data_is_no_item() -> None:
    assert decode_frame(b"\x00\xfd\x90\x00abcdef", NOW, from_client=True) is None
    assert decode_frame(b"\x21" + bytes(20), NOW, from_client=True) is None


def test_what_cannot_be_is_a_fault() -> None:
    for octets in (b"", b"\xc0", b"\xc0\x20\x01\x01\x00\x04", b"\xc0\x21\x01\x01\x00\x50"):
        assert isinstance(decode_frame(octets, NOW, from_client=True), PppFault)


def test_secrets_do_not_show() -> None:
    item = decode_frame(b"\xc0\x23\x01\x01\x00\x0e\x03bob\x05geheim"[:18], NOW, from_client=True)
    assert isinstance(item, PppItem)
    assert "gehei" not in repr(item) + item.text
