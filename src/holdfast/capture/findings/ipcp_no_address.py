"""The client gets no address."""

from collections.abc import Iterator

from holdfast.capture.findings import advice
from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View, moments
from holdfast.capture.negotiation import find_option, options_of
from holdfast.capture.ppp_trace import PppItem
from holdfast.ppp.options import IpcpOption

ENTRY = Entry(
    id="ipcp-no-address",
    title="The server has no address for the client",
    meaning="The user was accepted, but there is no IP address left or configured for the tunnel.",
    recognised="The server rejects the address option, offers 0.0.0.0, or ends the session with words or codes about "
    "addresses.",
    severity=Severity.FAULT,
    windows_codes=(720, 733, 735, 738),
    fixes=Fixes(
        server=(
            (
                "Enlarge the pool: pptpd.conf remoteip, accel-ppp [ip-pool], RRAS pool or DHCP; look for leases of "
                "dead sessions."
            ),
        ),
        client=("Do not ask for a fixed address: obtain one automatically.",),
    ),
    capture_next=advice.SERVER_LOG,
    references=("RFC 1332 section 3.3",),
    explains=ENDS | {"ipcp-no-agreement"},
)

PHRASES = (
    "could not determine local ip",
    "could not determine remote ip",
    "peer is not authorized to use remote address",
    "no free ip",
    "no ip address",
    "refused to agree to our ip",
    "refused to agree to his ip",
    "unauthorized remote ip",
)
NOWHERE = bytes(4)


def recognise(view: View) -> Iterator[Finding]:
    """Rejected, zero, or said."""
    ipcp = view.link.ipcp
    if ipcp.opened is not None and view.link.client_address:
        return
    ending = view.ending_with(*PHRASES) or view.ending_code(735, 738)
    zero = [item for item in ipcp.client.countered(IpcpOption.IP_ADDRESS) if _address(item) == NOWHERE]
    acked = ipcp.client.acked if ipcp.opened and not view.link.client_address else None
    rejected = ipcp.client.refused(IpcpOption.IP_ADDRESS)
    if not (ending or zero or rejected or acked):
        return
    what = "offers 0.0.0.0" if zero or acked else "rejects the request for an address" if rejected else "says"
    why = f"The server {what}" + (f": {ending.cause.text}" if ending else ".")
    frames = [*moments(zero), *moments(rejected), ending.moment if ending else None, acked.moment if acked else None]
    yield ENTRY.found(why, frames, certainty=0.9 if ending or zero else 0.8, towards=Towards.CLIENT)


def _address(item: PppItem) -> bytes | None:
    return find_option(options_of(item), IpcpOption.IP_ADDRESS)
