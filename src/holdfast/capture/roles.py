"""Which side is the server, where only PPP can tell."""

from holdfast.capture.negotiation import find_option, options_of
from holdfast.capture.ppp_trace import PppItem
from holdfast.ppp.codes import Code
from holdfast.ppp.framing import Protocol
from holdfast.ppp.options import IpcpOption, LcpOption


def server_side(items: list[PppItem]) -> bool | None:
    """Say whether the side marked as client is the server after all; None when nothing tells.

    The server asks for authentication, challenges, and hands out the address.
    """
    votes = [item.from_client for item in items if _server_like(item)]
    votes += [not item.from_client for item in items if _client_like(item)]
    return sum(votes) * 2 > len(votes) if votes else None


def _server_like(item: PppItem) -> bool:
    code = item.packet.code
    if item.protocol == Protocol.LCP and code == Code.CONFIGURE_REQUEST:
        return find_option(options_of(item), LcpOption.AUTHENTICATION_PROTOCOL) is not None
    if item.protocol == Protocol.CHAP:
        return code in (1, 3, 4)
    if item.protocol == Protocol.PAP:
        return code in (2, 3)
    nak = item.protocol == Protocol.IPCP and code == Code.CONFIGURE_NAK
    return nak and find_option(options_of(item), IpcpOption.IP_ADDRESS) is not None


def _client_like(item: PppItem) -> bool:
    code = item.packet.code
    if item.protocol == Protocol.CHAP:
        return code == 2
    if item.protocol == Protocol.PAP:
        return code == 1
    identified = item.protocol == Protocol.LCP and code == Code.IDENTIFICATION
    return identified and b"MSRAS" in item.packet.data
