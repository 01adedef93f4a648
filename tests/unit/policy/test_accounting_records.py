"""What accounting says."""

import pytest

from holdfast.errors import DisconnectReason
from holdfast.policy.accounting_records import TERMINATE_CAUSES, Usage, counted, identity, of_kind, stop, times
from holdfast.radius.attributes import Attributes, attribute, read_attributes
from holdfast.radius.codes import AcctStatus, TerminateCause


@pytest.mark.parametrize("reason", DisconnectReason)
def test_every_end_has_a_cause(reason):
    assert TERMINATE_CAUSES[reason] in TerminateCause


def test_more_than_32_bits_of_octets():
    usage = Usage(3600, bytes_in=(5 << 32) + 7, bytes_out=9, packets_in=10, packets_out=11)
    said = Attributes(read_attributes(stop(counted(usage), TerminateCause.IDLE_TIMEOUT)))
    numbers = {
        "Acct-Status-Type": 2,
        "Acct-Input-Octets": 7,
        "Acct-Input-Gigawords": 5,
        "Acct-Output-Octets": 9,
        "Acct-Output-Gigawords": 0,
        "Acct-Input-Packets": 10,
        "Acct-Output-Packets": 11,
        "Acct-Session-Time": 3600,
        "Acct-Terminate-Cause": 4,
    }
    assert {name: said.integer(name) for name in numbers} == numbers


def test_kinds_of_records():
    assert Attributes(read_attributes(of_kind(AcctStatus.ACCOUNTING_OFF))).integer("Acct-Status-Type") == 8


@pytest.mark.parametrize(("now", "late"), [(1000.9, 0), (1060.5, 60), (900.0, 0), (2.0**32, 2**32 - 1001)])
def test_when_and_how_late(now, late):
    """A clock that was set back makes no negative delay, and none that fits no attribute."""
    said = Attributes(read_attributes(times(1000.5, now)))
    assert (said.integer("Event-Timestamp"), said.integer("Acct-Delay-Time")) == (1000, late)


def test_who_a_session_belongs_to():
    place = [attribute("NAS-Port", 5)]
    said = Attributes(identity("zoë", "10.77.0.10", (b"one", b"two"), place, by_radius=True))
    assert said.octets("User-Name") == "zoë".encode()
    assert said.every("Class") == [b"one", b"two"]
    assert (said.integer("Acct-Authentic"), said.integer("NAS-Port")) == (1, 5)
    local = Attributes(identity("x" * 300, "", (), [], by_radius=False))
    assert (local.integer("Acct-Authentic"), len(local.octets("User-Name"))) == (2, 253)
    assert local.address("Framed-IP-Address") is None
