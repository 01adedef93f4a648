"""What `holdfast user` did is in the log once, whether a gateway ran or not."""

from datetime import datetime

import pytest

from support.gateway_lab import GatewayLab
from support.lab_gateway import Gateway
from support.lab_peers import USERS

pytestmark = pytest.mark.root


def acts(gateway: Gateway) -> list[tuple[str, str]]:
    return [(event["action"], event["user"]) for event in gateway.events("ADMIN")]


def test_changes_with_and_without_a_gateway(lab: GatewayLab) -> None:
    gateway = lab.serve()
    gateway.wait_event("GATEWAY_UP")
    gateway.wait_until(lambda: len(acts(gateway)) == len(USERS), 10, what="the users of the state directory")
    made = acts(gateway)
    assert {action for action, _ in made} == {"user add"}
    gateway.command("user", "disable", "alice")
    gateway.wait_until(lambda: acts(gateway) == [*made, ("user disable", "alice")], 10, what="the change in the log")
    gateway.kill()
    gateway.command("user", "enable", "alice")
    gateway.command("user", "set", "alice", "idle_timeout=900")
    gateway.start()
    gateway.wait_event("GATEWAY_UP", count=2)
    gateway.wait_until(lambda: len(acts(gateway)) == len(made) + 3, 10, what="what was done meanwhile")
    told = gateway.events("ADMIN")[-2:]
    assert [event["target"] for event in told] == ["alice", "alice: idle_timeout=900"]
    for event in told:
        assert datetime.fromisoformat(event["at"]) < datetime.fromisoformat(event["ts"])
        assert event["by"].startswith("uid 0")
    gateway.kill()
    gateway.start()
    gateway.wait_event("GATEWAY_UP", count=3)
    assert acts(gateway) == [*made, ("user disable", "alice"), ("user enable", "alice"), ("user set", "alice")]
    gateway.command("events", "verify")
