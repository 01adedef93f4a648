"""Link commands become engine calls."""

from holdfast.dataplane.carrier import Carrier
from holdfast.dataplane.interface import CallPath, Keepalive, LinkParameters, MppeMode
from holdfast.ppp import commands as link
from holdfast.ppp.config import MppeMode as LinkMode
from holdfast.secret import Secret
from support.fake_engine import FakeEngine


def test_each_command_reaches_the_engine():
    engine = FakeEngine()
    handle = engine.add_call(CallPath(1, 2, "192.0.2.1", "192.0.2.2"))
    carrier, call = Carrier(engine, handle, Keepalive(7, 2)), engine.calls[handle]

    assert carrier.execute(link.ConfigureLink(1396, 1400, True, False, 11, 22))
    assert call.link == LinkParameters(1396, 1400, True, False, 11, 22)
    assert call.keepalive == Keepalive(7, 2)

    assert carrier.execute(link.RequireMppe(True))
    assert call.mppe_required

    receive, send = Secret(b"r" * 16), Secret(b"s" * 16)
    directions = [link.MppeDirection(key, 128, LinkMode.STATEFUL) for key in (receive, send)]
    assert carrier.execute(link.StartMppe(*directions))
    assert (call.receive.start_key, call.transmit.start_key) == (receive, send)
    assert (call.receive.bits, call.receive.mode) == (128, MppeMode.STATEFUL)

    assert carrier.execute(link.ResetMppeSend())
    assert engine.sent[-1] == (handle, b"reset")

    assert carrier.execute(link.OpenNetwork("10.0.0.1", "10.0.0.2"))
    assert call.addresses == ("10.0.0.2",)
    assert carrier.execute(link.CloseNetwork())
    assert call.addresses == ()

    assert carrier.execute(link.StopMppe())
    assert (call.receive, call.transmit) == (None, None)


def test_a_smaller_mtu_holds_over_a_new_negotiation():
    engine = FakeEngine()
    handle = engine.add_call(CallPath(1, 2, "192.0.2.1", "192.0.2.2"))
    carrier, call = Carrier(engine, handle, Keepalive(7, 2)), engine.calls[handle]
    carrier.execute(link.ConfigureLink(1396, 1400, True, False, 11, 22))
    carrier.limit_mtu(1200)
    assert call.link == LinkParameters(1200, 1400, True, False, 11, 22)
    carrier.execute(link.ConfigureLink(1396, 1400, True, False, 33, 44))
    assert (call.link.mtu, call.link.local_magic) == (1200, 33)
    carrier.execute(link.ConfigureLink(1000, 1400, True, False, 33, 44))
    assert call.link.mtu == 1000
    carrier.limit_mtu(0)
    carrier.execute(link.ConfigureLink(1396, 1400, True, False, 33, 44))
    assert call.link.mtu == 1396


def test_what_is_not_for_the_engine_is_left_to_others():
    engine = FakeEngine()
    carrier = Carrier(engine, engine.add_call(CallPath(1, 2, "192.0.2.1", "192.0.2.2")), Keepalive(0, 3))
    assert not carrier.execute(link.AssignAddress("alice", None))
