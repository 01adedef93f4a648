"""Locks that failed logins brought outlive a gateway that is killed, and an administrator can take them away."""

import pytest

from support.dialling import FAST, start
from support.gateway_lab import CLIENT, FIRST, GatewayLab

pytestmark = pytest.mark.root
NOT_ALLOWED = 2


def guess(lab: GatewayLab, number: int) -> None:
    """Let a client sign in with a wrong password and give up."""
    folder = lab.folder / f"g{number}"
    folder.mkdir()
    made = start(lab.client, folder, FIRST, *FAST, password="no such password")
    assert made.exit_code() == NOT_ALLOWED


def test_a_lock_outlives_kill_9_and_can_be_taken_away(lab: GatewayLab) -> None:
    gateway = lab.serve(admission={"failed_logins": 2, "lock_time": 3600})
    for number in range(2):
        guess(lab, number)
    assert gateway.wait_event("LOCKED")["source"] == CLIENT
    gateway.wait_until(lambda: gateway.ask("status")["lockouts"]["unsaved"] == 0, 10, what="the lock to be written")
    gateway.kill()
    gateway.start()
    assert lab.dial().exit_code() == NOT_ALLOWED, "the right password does not help during a lock"
    gateway.wait_until(lambda: "locked for another" in str(gateway.events("TEARDOWN")), 10, what="the refusal")
    gateway.command("unlock", "alice", CLIENT)
    gateway.wait_until(lambda: gateway.ask("status")["lockouts"]["unsaved"] == 0, 10, what="that to be written")
    gateway.kill()
    gateway.start()
    lab.dial().wait_up()
