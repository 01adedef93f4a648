"""What was said about encryption."""

from holdfast.capture.findings.view import View
from holdfast.capture.link import BITS_40, BITS_56, BITS_128, STATELESS, mppe_bits
from holdfast.capture.negotiation import Asking, find_option, options_of
from holdfast.capture.ppp_trace import PppItem
from holdfast.ppp.options import CcpOption

STRENGTHS = BITS_40 | BITS_56 | BITS_128
REQUIRED = ("mppe required", "mppe is required", "encryption is required", "required encryption")
CODES = (741, 742, 743, 768)


def asked_bits(asking: Asking) -> int:
    """Return every strength that one side offered, as bits of the MPPE option."""
    found = 0
    for value in asking.asked(CcpOption.MPPE):
        found |= mppe_bits(value) & STRENGTHS
    return found


def countered_bits(asking: Asking) -> int:
    """Return every strength that the other side named in a Configure-Nak."""
    found = 0
    for item in asking.countered(CcpOption.MPPE):
        found |= mppe_bits(find_option(options_of(item), CcpOption.MPPE)) & STRENGTHS
    return found


def stateless_wishes(asking: Asking) -> set[bool]:
    """Return whether one side asked for stateless mode, stateful mode, or both."""
    return {bool(mppe_bits(value) & STATELESS) for value in asking.asked(CcpOption.MPPE)}


def strengths(bits: int) -> str:
    """Return the strengths for a sentence."""
    names = [(BITS_40, "40"), (BITS_56, "56"), (BITS_128, "128")]
    return " or ".join(name for bit, name in names if bits & bit) or "no"


def refusals(view: View) -> list[PppItem]:
    """Return every packet that refuses MPPE or the whole of CCP."""
    ccp = view.link.ccp
    rejected = ccp.client.refused(CcpOption.MPPE) + ccp.server.refused(CcpOption.MPPE)
    return [*rejected, *ccp.rejections]


def failed(view: View) -> bool:
    """Whether encryption was talked about, never came, and the session did not come up in clear either."""
    return view.link.mppe is None and not view.up and (view.over or view.link.ended is not None)
