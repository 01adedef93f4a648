"""What people are told to type is typed here: each nft command of findings, doctor and the page on firewalls."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.capture.findings.catalogue import entries
from holdfast.network.commands import CLAMP, HELPER
from lab.network import Namespace, namespace

pytestmark = pytest.mark.root
PAGE = Path(__file__).resolve().parents[2] / "docs" / "tasks" / "firewall.md"
BASE = (
    "add table inet filter; add chain inet filter input { type filter hook input priority 0; policy drop; }; "
    "add rule inet filter input drop"
)
"""A firewall as many have it: a last rule that drops."""


def advised() -> list[str]:
    texts = [step for entry in entries().values() for steps in entry.fixes.as_data().values() for step in steps]
    commands = {command for text in texts for command in re.findall(r"`(nft [^`]*)`", text)}
    commands |= set(re.findall(r"^nft [^']*?(?:'[^']*')?$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    return sorted(commands | {command for command in (*HELPER, *CLAMP) if command.startswith("nft ")})


@pytest.fixture
def router() -> Iterator[Namespace]:
    with namespace("advised") as place:
        place.run("nft", BASE)
        yield place


def typed(command: str) -> list[str]:
    return shlex.split(command.replace("POOL", "10.0.0.0/24").replace("NETS", "192.0.2.0/24"))


@pytest.mark.parametrize("command", advised())
def test_nft_takes_it(router: Namespace, command: str) -> None:
    before = router.run("nft", "list", "ruleset")
    router.run(*typed(command))
    assert command == "nft list ruleset" or router.run("nft", "list", "ruleset") != before


def test_there_are_some() -> None:
    assert len(advised()) >= 5


def test_what_is_let_in_stands_before_the_rule_that_drops(router: Namespace) -> None:
    for command in advised():
        if "gre accept" in command:
            router.run(*typed(command))
    rules = [line.strip() for line in router.run("nft", "list", "chain", "inet", "filter", "input").splitlines()]
    assert rules.index(
        "ip protocol 47 accept" if "ip protocol 47 accept" in rules else "ip protocol gre accept"
    ) < rules.index("drop")
