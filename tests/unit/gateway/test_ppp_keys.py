"""The keys of `[ppp]` that RFC 1661 section 4.6 names reach the machines, seen from the wire."""

import pytest

from holdfast.config import parse
from holdfast.errors import DisconnectReason
from holdfast.gateway.settings import settings_from
from holdfast.ppp.codes import Code
from holdfast.ppp.framing import Protocol
from holdfast.ppp.options import Option
from support.ppp import Script

LCP = Protocol.LCP
TINY_MRU = Option(1, b"\x00\x40")
DEFAULTS = {"restart_timer": 3.0, "max_configure": 10, "max_terminate": 2, "max_failure": 5}
OTHERS = {"restart_timer": 0.5, "max_configure": 4, "max_terminate": 3, "max_failure": 2}


@pytest.fixture(params=["the RFC's defaults", "others"])
def keys(request):
    return DEFAULTS if request.param != "others" else OTHERS


@pytest.fixture
def script(keys):
    lines = "" if keys is DEFAULTS else "".join(f"{key} = {value}\n" for key, value in keys.items())
    return Script(settings_from(parse(f"[ppp]\n{lines}"), ()).link)


def test_restart_timer_and_max_configure(script, keys):
    sent = script.heard(LCP)
    times = [0.0]
    while script.link.deadline is not None:
        more = script.wait(script.link.deadline - script.now, LCP)
        sent += [packet for packet in more if packet.code == Code.CONFIGURE_REQUEST]
        times.append(script.now)
    assert len(sent) == keys["max_configure"]
    assert times == [number * keys["restart_timer"] for number in range(keys["max_configure"] + 1)]


def test_max_terminate(script, keys):
    (request,) = script.heard(LCP)
    script.agree(LCP, request)
    script.say(LCP, Code.CONFIGURE_REQUEST, 1)
    script.link.close(DisconnectReason.ADMIN, "enough", script.now)
    said = [*script.heard(LCP), *script.wait(100, LCP)]
    assert [packet.code for packet in said].count(Code.TERMINATE_REQUEST) == keys["max_terminate"]
    assert script.link.deadline is None


def test_max_failure(script, keys):
    script.heard(LCP)
    answers = [script.say(LCP, Code.CONFIGURE_REQUEST, number, TINY_MRU)[0].code for number in range(8)]
    naks = answers.count(Code.CONFIGURE_NAK)
    assert naks == keys["max_failure"]
    assert set(answers[naks:]) == {Code.CONFIGURE_REJECT}
