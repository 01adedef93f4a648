from pathlib import Path

import pytest

from holdfast.capture.findings import base
from holdfast.capture.findings.catalogue import entries, judge, rules
from support.scene import Scene

PROMISED = [
    "control-refused",
    "control-filtered",
    "not-pptp",
    "control-rejected",
    "call-refused",
    "capacity-reached",
    "gre-missing",
    "gre-missing-from-server",
    "gre-missing-from-client",
    "gre-icmp-unreachable",
    "nat-without-helper",
    "call-id-collision",
    "server-link-died",
    "lcp-unanswered",
    "lcp-loop",
    "lcp-no-agreement",
    "auth-method-mismatch",
    "auth-rejected",
    "auth-disabled",
    "auth-expired",
    "auth-hours",
    "auth-no-permission",
    "auth-mutual-failed",
    "eap-unsupported",
    "mppe-refused",
    "mppe-strength-mismatch",
    "mppe-desync",
    "cleartext-data",
    "cleartext-password",
    "ipcp-no-address",
    "ipcp-address-conflict",
    "no-return-traffic",
    "mtu-black-hole",
    "mtu-too-big",
    "gre-fragmented",
    "gre-loss",
    "gre-reordering",
    "gre-duplicates",
    "gre-jitter",
    "dead-peer",
    "control-lost",
    "gre-lost",
    "idle-timeout",
    "session-timeout",
    "admin-disconnect",
    "user-disconnect",
    "server-ended",
    "client-ended",
    "session-replaced",
    "control-unanswered",
    "network-unreachable",
    "no-authentication",
    "mppe-mode-mismatch",
    "mppe-unavailable",
    "ipcp-no-agreement",
    "high-latency",
    "routing-loop",
    "radius-timeout",
    "flapping",
    "brute-force",
    "replay",
    "partial-capture",
    "healthy",
]


@pytest.mark.parametrize("word", PROMISED)
def test_every_promised_id_exists(word: str) -> None:
    assert word in entries()


def test_ids_are_unique_and_name_their_module() -> None:
    assert len(entries()) == len(rules())
    package = Path(base.__file__).parent
    for word in entries():
        assert (package / f"{word.replace('-', '_')}.py").exists()


def test_every_entry_can_be_read_by_people() -> None:
    for entry in entries().values():
        assert entry.title
        assert len(entry.meaning) > 40
        assert len(entry.recognised) > 20
        if entry.severity is base.Severity.FAULT:
            assert entry.fixes.as_data()


def test_what_an_entry_explains_exists() -> None:
    for entry in entries().values():
        assert entry.explains <= set(entries())


def test_consequences_are_left_out_beside_their_cause(tmp_path: Path) -> None:
    case = Scene().call().lcp().refuse().goodbye(False).case(tmp_path)
    assert [finding.id for finding in judge(case).all] == ["auth-rejected"]
