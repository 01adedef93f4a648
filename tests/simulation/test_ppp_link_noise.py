"""Real conversations with noise in them: what both ends say, bent and doubled, is thrown in at any moment.

Whatever comes of it, certain things stay true: no user traffic without the encryption that is required, every end
said once, and every link up or over in the end.
"""

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest

from holdfast.events import InternalFault, LinkTerminated
from holdfast.ppp.authentication import Method
from holdfast.ppp.commands import CloseNetwork, LinkFinished, OpenNetwork, StartMppe, StopMppe
from holdfast.ppp.config import IpcpConfig, LinkConfig, MppeMode, MppePolicy
from support.ppp import DIALER, GATEWAY, OPEN, End, Network, Wire, dialer, gateway, pair

STATEFUL = {"modes": (MppeMode.STATEFUL,)}
PAIRS: list[tuple[LinkConfig, LinkConfig]] = [
    (GATEWAY, DIALER),
    (gateway(Method.PAP, policy=MppePolicy.OFF), dialer(Method.PAP, policy=MppePolicy.OFF)),
    (gateway(Method.MS_CHAP_V2, policy=MppePolicy.PREFER, **STATEFUL), dialer(Method.MS_CHAP_V2, **STATEFUL)),
    (OPEN, replace(OPEN, ipcp=IpcpConfig(assigns=False))),
]


def bend(frame: bytes, random: Random) -> bytes:
    """Return a frame that is nearly `frame`."""
    octets = bytearray(frame)
    for _ in range(random.randint(0, 3)):
        at = random.randrange(len(octets) + 1)
        kind = random.random()
        if kind < 0.5 and at < len(octets):
            octets[at] = random.choice([0, 1, 2, 255, random.randrange(256)])
        elif kind < 0.7:
            del octets[at : at + random.randint(1, 4)]
        else:
            octets[at:at] = random.randbytes(random.randint(1, 4))
    return bytes(octets)


def disturb(network: Network, random: Random) -> None:
    """Do one of the things that go wrong."""
    end = random.choice(network.ends)
    said = [frame for other in network.ends for frame in other.sent[-6:]]
    what = random.random()
    if what < 0.3 and said:
        end.link.receive(bend(random.choice(said), random), network.now)
    elif what < 0.35:
        end.link.mppe_desync(network.now)
    network.flush()
    if what > 0.95:
        end.hand_over()


def check_commands(end: End) -> None:
    """Traffic is opened and closed in turn, and never while encryption that is required is off."""
    gates = [command for command in end.commands if isinstance(command, OpenNetwork | CloseNetwork)]
    assert all(type(one) is not type(other) for one, other in pairwise(gates))
    encrypted = False
    for command in end.commands:
        encrypted = isinstance(command, StartMppe) or (encrypted and not isinstance(command, StopMppe))
        if isinstance(command, OpenNetwork) and end.config.ccp.policy is MppePolicy.REQUIRE:
            assert encrypted


@pytest.mark.parametrize("seed", range(40))
def test_noise(seed: int) -> None:
    random = Random(seed)
    wire = Wire(random.random() * 0.2, random.random() * 0.2, (0.01, random.choice([0.01, 0.3])))
    network = pair(*random.choice(PAIRS), wire, seed).start()
    for _ in range(random.randint(20, 120)):
        network.step()
        disturb(network, random)
    network.run(network.now + 400.0)
    for end in network.ends:
        check_commands(end)
        assert end.link.finished or end.link.status()["network_open"]
        assert len(end.told(LinkFinished)) == len(end.told(LinkTerminated)) == int(end.link.finished)
        assert end.told(InternalFault) == []
