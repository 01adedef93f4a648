"""The doctor on the firewall table of a gateway that runs."""

from dataclasses import replace

from holdfast.advise.check import Verdict
from holdfast.advise.facts import Firewall, HostFacts
from holdfast.advise.own_table import own_table
from support.hosts import HOLDFAST, SERVER, found

DAEMON = replace(HOLDFAST.daemon, sees_to=HOLDFAST.daemon.sees_to | {"table"})
RUNS = replace(HOLDFAST, daemon=DAEMON)
THEIRS = {"table": {"family": "ip", "name": "holdfast", "handle": 1}}
OURS = {"table": {"family": "inet", "name": "holdfast", "handle": 2}}


def verdict(host: HostFacts, *ruleset: dict[str, dict[str, object]], trouble: str = "") -> Verdict:
    return found(own_table(replace(host, firewall=Firewall(ruleset, trouble))))["firewall-own"].verdict


def test_it_stands_or_is_gone_or_cannot_be_seen() -> None:
    assert verdict(RUNS, THEIRS, OURS) is Verdict.OK
    assert verdict(RUNS, THEIRS) is Verdict.FAULT
    assert verdict(RUNS, trouble="Operation not permitted") is Verdict.UNKNOWN


def test_who_has_none_misses_none() -> None:
    gone = Firewall((THEIRS,))
    for host in (SERVER, HOLDFAST, replace(RUNS, listeners=()), replace(RUNS, listeners=SERVER.listeners)):
        assert not list(own_table(replace(host, firewall=gone)))
