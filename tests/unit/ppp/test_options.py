"""Options read as text, whatever is in them."""

import pytest

from holdfast.ppp.framing import Protocol
from holdfast.ppp.options import Option, describe_option, describe_options


@pytest.mark.parametrize(
    ("protocol", "number", "data", "text"),
    [
        (Protocol.LCP, 1, "0578", "mru=1400"),
        (Protocol.LCP, 1, "05", "mru=05"),
        (Protocol.LCP, 2, "00000000", "accm=0x00000000"),
        (Protocol.LCP, 3, "c22381", "auth=ms-chap-v2"),
        (Protocol.LCP, 3, "c023", "auth=pap"),
        (Protocol.LCP, 3, "c22399", "auth=c22399"),
        (Protocol.LCP, 3, "", "auth"),
        (Protocol.LCP, 5, "12345678", "magic=0x12345678"),
        (Protocol.LCP, 7, "", "pfc"),
        (Protocol.LCP, 8, "00", "acfc=00"),
        (Protocol.LCP, 13, "06", "callback=06"),
        (Protocol.LCP, 17, "064e", "mrru=1614"),
        (Protocol.LCP, 99, "0102", "option-99=0102"),
        (Protocol.IPCP, 3, "0a4d000a", "address=10.77.0.10"),
        (Protocol.IPCP, 3, "0a4d00", "address=0a4d00"),
        (Protocol.IPCP, 129, "00000000", "dns1=0.0.0.0"),
        (Protocol.CCP, 18, "01000040", "mppe=+H-M+S-L-D-C"),
        (Protocol.CCP, 18, "010000e1", "mppe=+H+M+S+L-D+C"),
        (Protocol.CCP, 18, "0100", "mppe=0100"),
        (Protocol.IPV6CP, 1, "0000000000000001", "identifier=0x0000000000000001"),
        (0x8FFF, 1, "05", "option-1=05"),
    ],
)
def test_text(protocol: int, number: int, data: str, text: str) -> None:
    assert describe_option(protocol, Option(number, bytes.fromhex(data))) == text


def test_a_list_keeps_its_order() -> None:
    options = [Option(7), Option(1, b"\x05\xdc")]
    assert describe_options(Protocol.LCP, options) == "pfc mru=1500"
