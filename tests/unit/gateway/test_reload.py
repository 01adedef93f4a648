"""A changed file, without dropping anyone."""

import os

import pytest

from holdfast.config import InvalidConfigError, parse
from holdfast.errors import HoldfastError
from holdfast.events import Severity
from holdfast.gateway.reload import AT_ONCE, LATER, Reloader, applicable, changes

BEFORE = "[gateway]\nmax_connections = 5\n[ppp]\nmru = 1300\n"
AFTER = """
[gateway]
max_connections = 6
listen = ["192.0.2.1"]
[addresses]
dns = ["192.0.2.53"]
nat = false
[timeouts]
idle_timeout = 900
[log]
level = "debug"
[groups.office]
idle_timeout = 60
"""


def test_each_change_says_when() -> None:
    found = changes(parse(BEFORE), parse(AFTER))
    assert found.now == ("gateway.max_connections: 5 -> 6", "log.level: 'info' -> 'debug'")
    assert found.restart == ("gateway.listen: ['0.0.0.0:1723'] -> ['192.0.2.1:1723']", "addresses.nat: True -> False")
    assert found.new_sessions == (
        "addresses.dns: nothing -> ['192.0.2.53']",
        "ppp.mru: 1300 -> 1400",
        "timeouts.idle_timeout: 0.0 -> 900.0",
        "groups.office.idle_timeout: nothing -> 60.0",
    )


def test_what_waits_for_a_restart_stays_as_it_was() -> None:
    old, new = parse(BEFORE).config, parse(AFTER).config
    config = applicable(old, new)
    assert (config.gateway.listen, config.addresses.nat) == (old.gateway.listen, True)
    assert (config.gateway.max_connections, config.timeouts.idle_timeout, list(config.groups)) == (6, 900, ["office"])


def test_every_key_named_exists() -> None:
    known = {setting.key for setting in parse("").settings()}
    assert known >= AT_ONCE | LATER
    assert {"timeouts.idle_timeout", "ppp.lcp_echo_interval", "limits.single_session", "admission.hours"} <= LATER
    assert not AT_ONCE & LATER


@pytest.mark.asyncio
async def test_limits_hold_at_once_and_timers_for_new_sessions(world, crowd):
    await crowd.up()
    old = world.only()
    world.file.write_text("[timeouts]\nidle_timeout = 900\n[limits]\nsessions = 1\n[admission]\nfailed_logins = 3\n")
    found = await world.operation.reload({})
    assert found["now"] == ("limits.sessions: 0 -> 1", "admission.failed_logins: 10 -> 3")
    assert found["new_sessions"] == ("timeouts.idle_timeout: 0.0 -> 900.0",)
    assert old.policy.idle_timeout == 0
    assert world.gateway.logins.lockout.rules.per_account_and_source == 3
    await crowd.refused()
    assert world.named("LIMIT")[0]["limit"] == "sessions"
    world.file.write_text("[timeouts]\nidle_timeout = 900\n")
    await world.operation.reload({})
    await crowd.up()
    new = next(one for one in world.gateway.subscribers.values() if one is not old)
    assert new.policy.idle_timeout == 900
    assert old.up
    changed = world.named("CONFIG_CHANGED")
    assert changed[0]["now"] == ("limits.sessions: 0 -> 1", "admission.failed_logins: 10 -> 3")


@pytest.mark.asyncio
async def test_a_file_with_a_problem_changes_nothing(world):
    settings = world.gateway.settings
    world.file.write_text("[timeouts]\nidle = 900\n")
    with pytest.raises(InvalidConfigError):
        await world.operation.reload({})
    world.reloader.by_signal()
    assert world.gateway.settings is settings
    refused = world.named("CONFIG_REFUSED")
    assert len(refused) == 2
    assert "timeouts.idle: there is no such key" in refused[0]["detail"]


@pytest.mark.asyncio
async def test_the_log_level_changes_at_once(world):
    world.file.write_text('[log]\nlevel = "warning"\n')
    world.reloader.by_signal()
    assert world.log.threshold is Severity.WARNING


@pytest.mark.asyncio
async def test_without_a_file_there_is_nothing_to_read(world):
    reloader = Reloader(parse("", None), world.gateway, world.log, ())
    with pytest.raises(HoldfastError, match="without a configuration file"):
        reloader.reload()
    reloader.by_signal()
    assert "without a configuration file" in world.named("CONFIG_REFUSED")[0]["detail"]


@pytest.mark.asyncio
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
async def test_what_would_keep_everybody_waiting_is_not_read(world, make):
    world.file.unlink()
    make(world.file)
    with pytest.raises(HoldfastError, match="not a regular file"):
        world.reloader.reload()
    world.reloader.by_signal()
    assert len(world.named("CONFIG_REFUSED")) == 2
