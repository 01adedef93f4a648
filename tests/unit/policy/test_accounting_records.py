"""What accounting says."""

import pytest

from holdfast.errors import DisconnectReason
from holdfast.policy.accounting_records import TERMINATE_CAUSES, Usage, counted, identity, start, stop, update
from holdfast.radius.attributes import Attributes, attribute
from holdfast.radius.codes import TerminateCause


@pytest.mark.parametrize("reason", DisconnectReason)
def test_every_end_has_a_cause(reason):
    assert TERMINATE_CAUSES[reason] in TerminateCause


def test_more_than_32_bits_of_octets():
    usage = Usage(3600, bytes_in=(5 << 32) + 7, bytes_out=9, packets_in=10, packets_out=11)
    said = Attributes(stop(usage, TerminateCause.IDLE_TIMEOUT))
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
    assert Attributes(start()).integer("Acct-Status-Type") == 1
    assert Attributes(update(counted(Usage()))).integer("Acct-Status-Type") == 3


def test_who_a_session_belongs_to():
    place = [attribute("NAS-Port", 5)]
    said = Attributes(identity("zoë", "10.77.0.10", (b"one", b"two"), place, by_radius=True))
    assert said.octets("User-Name") == "zoë".encode()
    assert said.every("Class") == [b"one", b"two"]
    assert (said.integer("Acct-Authentic"), said.integer("NAS-Port")) == (1, 5)
    local = Attributes(identity("x" * 300, "", (), [], by_radius=False))
    assert (local.integer("Acct-Authentic"), len(local.octets("User-Name"))) == (2, 253)
    assert local.address("Framed-IP-Address") is None
