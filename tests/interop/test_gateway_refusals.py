"""Real clients that must not get in, and what each side says about it."""

import pytest

from support.lab_gateway import GatewayMaker, Section
from support.lab_peers import PPPD_AUTHENTICATION_FAILED, PPPD_ENDED_BY_PEER, PPPD_NEGOTIATION_FAILED, Client
from support.lab_world import GATEWAY_ADDRESS, World

pytestmark = pytest.mark.lab

STRANGERS = [("alice", "not-hers"), ("nobody", "S3cret-of-nobody")]
METHODS: dict[str, tuple[Section, tuple[str, ...], str]] = {
    "ms-chap-v2": ({}, ("require-mppe-128",), "E=691"),
    "ms-chap": ({"authentication": ["ms-chap"]}, ("require-mppe-128",), "E=691"),
    "chap-md5": ({"authentication": ["chap-md5"], "mppe": "off"}, ("nomppe",), "CHAP authentication failed"),
    "pap": ({"authentication": ["pap"], "mppe": "off"}, ("nomppe",), "PAP authentication failed"),
}


@pytest.mark.parametrize("method", METHODS)
def test_wrong_password_and_unknown_user(lab_world: World, gateway: GatewayMaker, method: str) -> None:
    ppp, options, client_says = METHODS[method]
    running = gateway(ppp=ppp)
    for count, (user, password) in enumerate(STRANGERS, 1):
        with Client(lab_world.guest, GATEWAY_ADDRESS, user, password, options) as client:
            # It notes down the failure, or the end of the call which follows at once: whichever it sees last.
            assert client.wait_end().code in {PPPD_AUTHENTICATION_FAILED, PPPD_ENDED_BY_PEER}
            assert client_says in client.log
        failed = running.wait_event("AUTH_FAIL", count=count)
        assert (failed["method"], failed["user"]) == (method, user)
        assert running.wait_event("TEARDOWN", count=count)["reason"] == "auth_failed"
        assert password not in running.output
    assert not running.events("IP_UP")
    assert running.ask("sessions") == []


def test_a_disabled_user_is_told_so(lab_world: World, gateway: GatewayMaker) -> None:
    running = gateway()
    running.command("user", "disable", "alice")
    with Client(lab_world.guest, GATEWAY_ADDRESS) as client:
        client.wait_end()
        assert "E=647" in client.log
    assert running.wait_event("AUTH_FAIL")["result_code"] == 647


def test_the_gateway_requires_encryption_and_the_client_has_none(lab_world: World, gateway: GatewayMaker) -> None:
    running = gateway()
    with Client(lab_world.guest, GATEWAY_ADDRESS, options=("nomppe", "noccp")) as client:
        client.wait_end()
        assert "LCP terminated by peer" in client.log
        assert "remote IP address" not in client.log
    assert running.wait_event("TEARDOWN")["reason"] == "encryption_mismatch"
    assert not running.events("IP_UP")


def test_the_client_requires_encryption_and_the_gateway_has_none(lab_world: World, gateway: GatewayMaker) -> None:
    running = gateway(ppp={"mppe": "off"})
    with Client(lab_world.guest, GATEWAY_ADDRESS) as client:
        assert client.wait_end().code == PPPD_NEGOTIATION_FAILED
        assert "MPPE required" in client.log
    assert running.wait_event("TEARDOWN")["reason"] in {"encryption_mismatch", "negotiation_failed", "user_request"}


def test_the_two_want_different_key_lengths(lab_world: World, gateway: GatewayMaker) -> None:
    running = gateway(ppp={"mppe_bits": [128]})
    with Client(lab_world.guest, GATEWAY_ADDRESS, options=("require-mppe-40", "nomppe-128")) as client:
        client.wait_end()
        assert "remote IP address" not in client.log
    assert running.wait_event("TEARDOWN")["reason"] in {"encryption_mismatch", "user_request"}
    assert not running.events("MPPE_UP")


def test_a_client_without_any_common_method(lab_world: World, gateway: GatewayMaker) -> None:
    running = gateway()
    with Client(lab_world.guest, GATEWAY_ADDRESS, options=("refuse-mschap-v2", "nomppe")) as client:
        client.wait_end()
        assert "remote IP address" not in client.log
    assert running.wait_event("TEARDOWN")["reason"] in {"auth_refused", "negotiation_failed", "user_request"}
    assert not running.events("AUTH_SUCCESS")
